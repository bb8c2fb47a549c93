/* SPDX-License-Identifier: Apache-2.0
 *
 * What HTTP/2's server and client share: a connection with its session (h2.c) and the streams on it (h2_stream.c).
 *
 * One fiber, the owner, runs the session and the socket. The others put what they want into their stream and put the
 * stream into the queue; the owner does it when it runs next, so one write carries what many streams had to say. */
#pragma once
#include "base/list.h"
#include "http/h2_convert.h"
#include "http/h2_guard.h"

typedef struct Fiber Fiber;
typedef struct Stream Stream;

typedef struct H2 H2;
typedef struct H2Stream H2Stream;

struct H2Stream {
	H2 *h2;
	int32_t id;    /* 0: not begun */
	Node node;     /* h2->streams, until it is freed */
	Node queued;   /* h2->queue */
	Arena *arena;  /* of what comes */
	Fiber *reader; /* waits for something to come */
	Fiber *writer; /* waits for something to have gone */

	H2Block *block;    /* a header block that is arriving */
	Buf filling;       /* DATA that came */
	Buf reading;       /* DATA that is being looked at */
	size_t used;       /* of what was read: the session is to be told */
	size_t untold;     /* server: DATA bytes that the session was not told are used */
	int64_t in_length; /* what content-length promised; -1: nothing */
	int64_t in_bytes;
	int64_t out_length; /* what ours promised and was not given yet; -1: nothing */
	bool in_end;        /* the peer has said all */
	Headers trailers;

	H2Fields fields; /* a head that the session is to take; at is NULL when there is none */
	bool inform;     /* it is informational */
	bool head_taken; /* the final one was */
	bool head_out;   /* and is on its way */
	bool all_out;    /* END_STREAM is, too */
	bool last;       /* nothing follows `piece` */
	bool deferred;   /* the session waits for more */
	bool spoilt;     /* a write was given up halfway */
	Str piece;       /* what is to be sent */
	H2Fields tail;   /* trailers to be sent */

	bool closed;   /* the session knows it no more */
	bool unsent;   /* a request that never left, or that the peer says it did not touch */
	bool left;     /* its fiber is done with it: to be freed */
	uint32_t code; /* why it was closed */
};

/* What differs between server and client. Called inside the session's functions: none of these parks. */
typedef struct H2Role {
	/* A header block begins that no stream expects: a new stream, or NULL. */
	H2Stream *(*opened)(H2 *h, int32_t id);
	H2BlockKind (*kind)(const H2Stream *s); /* of a block that begins */
	Str (*method)(const H2Stream *s); /* of the request that what comes answers; or empty */
	void (*block_done)(H2Stream *s, H2Block *block,
	                   bool end); /* one that is no trailer section */
	void (*closed)(H2Stream *s);  /* s->closed was set */
	int (*submit)(H2Stream *s);   /* the final head, s->fields */
	void (*release)(H2Stream *s); /* it is in no list any more: free it */
	void (*pinged)(H2 *h);        /* an answer to our PING */
	void (*faulted)(H2 *h); /* a stream had to be reset for what the peer did; NULL: nothing */
	void (*wake)(H2 *h);    /* the owner has something to do; by any fiber */
} H2Role;

struct H2 {
	nghttp2_session *session;
	Stream *stream;
	const H2Role *role;
	H1Limits limits;  /* of heads that come */
	int64_t write_us; /* a peer that takes nothing for so long is dropped */
	bool server;
	Fiber *owner; /* NULL: nobody is at it */
	List streams;
	unsigned live; /* how many */
	List queue;
	char *out; /* HTTP_BUFFER_BYTES or NULL: [out_at, out_end) is to be written */
	size_t out_at, out_end;
	Str rest;               /* of a frame that did not fit */
	int64_t progress_us;    /* when the peer last took something */
	size_t turn;            /* bytes read since others had their turn */
	size_t block_bytes;     /* decoded, of the header block that is arriving */
	int32_t block_stream;   /* whose it is */
	int64_t block_since_us; /* when that began; 0: none is */
	H2Guard guard;
	H2Scan scan; /* of what comes, for the guard */
	Err *abuse;  /* the peer did too much of something */
	bool over;   /* the session is not to be touched any more */
	bool ended;  /* the peer has closed its side */
};

/* h2.c */
/* limits and write_us are set before; streams: how many the peer may open. */
Err *h2_init(H2 *h, Stream *stream, const H2Role *role, bool server, uint32_t streams) MUST_USE;
void h2_fini(H2 *h);
/* Moves all that can be moved without waiting. Parks to yield only. Fails with LIMITED "h2.flood", INVALID "h2.protocol"
 * and what streams fail with; ended is set when the peer has closed. */
Err *h2_pump(H2 *h) MUST_USE;
Err *h2_feed(H2 *h, Str bytes) MUST_USE; /* as if they had been read */
/* Parks until there is something to move, at most `us` (0: no limit; NULL when they are over). */
Err *h2_wait(H2 *h, int64_t us) MUST_USE;
bool h2_quiet(H2 *h); /* nothing to write, nothing to read, nothing in the queue */
/* The conversation is over: streams are told, fibers woken; nothing is sent any more. */
void h2_break(H2 *h);
void h2_apply_queue(H2 *h); /* pump does it; after h2_break by hand */

/* h2_stream.c: by the owner */
void h2_stream_init(H2Stream *s, H2 *h, int32_t id, Arena *a);
void h2_stream_fini(H2Stream *s);
void h2_stream_block(H2Stream *s);           /* a header block begins */
void h2_stream_data(H2Stream *s, Str bytes); /* came */
void h2_stream_end(H2Stream *s);             /* nothing more will come */
void h2_stream_close(H2Stream *s, uint32_t code);
void h2_stream_reset(H2Stream *s, uint32_t code);
void h2_stream_told(H2Stream *s);  /* a head came */
void h2_stream_sent(H2Stream *s);  /* something is on its way */
void h2_stream_apply(H2Stream *s); /* tells the session what its fiber wants */
nghttp2_data_provider h2_stream_source(void);
void h2_stream_callbacks(nghttp2_session_callbacks *callbacks);

/* h2_stream.c: by the stream's fibers */
void h2_poke(H2Stream *s); /* the owner is to look at it */
/* The next piece, good until the next call; empty: the end. Parks, `us` at most (0: no limit), then fails with `late`.
 * `gone` is what a closed stream says. */
Err *h2_take(H2Stream *s, Str *piece, int64_t us, Err *late, Err *gone) MUST_USE;
bool h2_have(const H2Stream *s); /* h2_take would not park */
/* A head. Parks only while the one before was not taken. Not informational: it waits for a piece, the end or a flush. */
Err *h2_give_head(H2Stream *s, H2Fields fields, bool inform, int64_t us, Err *late, Err *gone)
	MUST_USE;
/* Parks until all was taken, but for a small first piece, which is copied and waits with the head. */
Err *h2_give(H2Stream *s, Str piece, int64_t us, Err *late, Err *gone) MUST_USE;
/* What of it goes in that time, *piece being left with the rest. *waits: there is one, or what was given before waits. */
Err *h2_offer(H2Stream *s, Str *piece, int64_t us, bool *waits, Err *gone) MUST_USE;
Err *h2_listen(H2Stream *s)
	MUST_USE; /* parks until something came, or the stream was closed; look again */
/* The last piece, which may be empty. Parks until the end is on its way. */
Err *h2_give_last(H2Stream *s, Str piece, H2Fields tail, int64_t us, Err *late, Err *gone) MUST_USE;
void h2_leave(H2Stream *s); /* the fiber's last word; the stream may be gone after */
