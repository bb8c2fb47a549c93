/* SPDX-License-Identifier: Apache-2.0
 *
 * Stream: a connection, TCP or Unix, plain or TLS, behind one interface. In place in whatever owns it.
 *
 * Errors: CLOSED "rt.reset" and "rt.closed" (written to a peer that is gone), UPSTREAM "rt.refused", "rt.unreachable",
 * "rt.no_ports", BUSY "rt.too_many_files", "tls.*" of tls.h, and those of every park. They are static: no arena. */
#pragma once
#include "rt/watch.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

typedef struct Tls Tls;
typedef struct TlsContext TlsContext;

typedef struct Addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
	socklen_t len;
} Addr;

/* "127.0.0.1:80", "[::1]:80", "unix:/path", ":80" (all addresses); no names: those are dns_resolve's. */
Err *addr_parse(Arena *a, Str text, Addr *out) MUST_USE;
Str addr_text(Arena *a, const Addr *addr);
bool addr_eq(const Addr *x, const Addr *y);

/* An address without its padding, as a connection keeps it. */
typedef struct Peer {
	uint8_t ip[16];
	uint16_t port;
	uint16_t family; /* AF_INET, AF_INET6 or AF_UNIX */
} Peer;
Peer peer_of(const Addr *addr);
Str peer_ip(Arena *a, const Peer *peer); /* "127.0.0.1", "::1", "unix" */

typedef enum StreamFate {
	STREAM_GOES_ON,
	STREAM_ENDED, /* the peer ended its side */
	STREAM_BROKE, /* it was reset or lost without that */
} StreamFate;

typedef struct Stream {
	Watch watch;      /* first: the loop's callbacks get it */
	Tls *tls;         /* NULL: plain */
	uint64_t written; /* bytes given to the kernel, TLS records as such */
	uint8_t fate;     /* StreamFate: what was met first */
} Stream;

#define STREAM_CLOSED \
	{ \
		.watch = WATCH_CLOSED \
	}

Err *stream_open(Stream *s, int fd)
	MUST_USE; /* an accepted connection; sets it non-blocking, TCP_NODELAY */
Err *stream_connect(Stream *s, const Addr *to) MUST_USE; /* parks */
/* The same from this address; NULL: the kernel's choice. "rt.no_ports" when all of its ports lead there already. */
Err *stream_connect_from(Stream *s, const Addr *to, const Addr *from) MUST_USE;
void stream_close(Stream *s); /* never parks; fine when closed */
void stream_move(Stream *from,
                 Stream *to); /* to another place; from is closed after. Nobody may wait on it */

/* *got == 0: the peer has ended. Parks when there is nothing. At most cap bytes, at least one. */
Err *stream_read(Stream *s, void *into, size_t cap, size_t *got) MUST_USE;
/* As stream_read without parking: *got == 0 and *more false means the end, *more true means nothing there yet. */
Err *stream_try_read(Stream *s, void *into, size_t cap, size_t *got, bool *more) MUST_USE;
/* May bytes be there (unknown counts as yes)? False: a read would park. */
bool stream_pending(const Stream *s);
Err *stream_wait_readable(Stream *s) MUST_USE; /* parks unless stream_pending */

/* All of it, or an error; parks while the peer does not read. After an error of stream_writev the parts that went out
 * whole have iov_len 0, so that the caller knows whether any byte did. */
Err *stream_write(Stream *s, Str bytes) MUST_USE;
Err *stream_writev(Stream *s, struct iovec *parts, int count) MUST_USE; /* parts are used up */
/* As stream_write; something follows at once that may go in one packet with it. */
Err *stream_write_more(Stream *s, Str bytes) MUST_USE;
/* Up to `count` bytes of a file from an offset, without a copy; parks until at least one went. *sent == 0: the file ends
 * there. A plain stream only. Fails as stream_write does. */
Err *stream_sendfile(Stream *s, int fd, uint64_t from, size_t count, size_t *sent) MUST_USE;
/* What goes without parking: *sent bytes, perhaps none. What is left is to be offered again, at least as much of it. */
Err *stream_try_write(Stream *s, Str bytes, size_t *sent) MUST_USE;
Err *stream_try_writev(Stream *s, struct iovec *parts, int count, size_t *sent) MUST_USE;
Err *stream_wait_writable(Stream *s) MUST_USE; /* after one of those that did not send all; parks */
Err *stream_end(Stream *s)
	MUST_USE; /* no more will be written: close_notify, then shutdown(SHUT_WR); parks */

/* After the end of a connection: has nobody taken a byte of what was written beyond the first `from` bytes? True is proof,
 * by the peer's kernel: it had ended its side before it got any of them, and has answered them with a reset, for want of
 * anybody who could. False says nothing. Never true of a Unix socket. Parks for a short while, until the reset is there;
 * not when `now`: then true is only what it looks like. */
bool stream_untouched(Stream *s, uint64_t from, bool now);

static inline bool stream_is_open(const Stream *s)
{
	return s->watch.fd >= 0;
}
