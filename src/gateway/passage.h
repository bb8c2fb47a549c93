/* SPDX-License-Identifier: Apache-2.0
 *
 * Passage: all that is known of one request on its way through the gateway. In its arena; Exchange.user. */
#pragma once
#include "gateway/forwarded.h"
#include "gateway/snapshot.h"
#include "http/url.h"

typedef struct Spool Spool;

typedef struct TemplateValues TemplateValues; /* template.h */
typedef struct Identity Identity;             /* identity.h */

typedef struct Passage {
	Exchange *x;
	const Snapshot *snap;
	/* where it goes */
	Url url;
	Str host;                 /* canonical */
	Str allow;                /* of a 405 */
	Str content_range;        /* of a 416 */
	Str challenge;            /* WWW-Authenticate of a 401 or 403 */
	uint32_t retry_after_s;   /* of a 429; 0: soon */
	const Identity *identity; /* who it was proved to be from; NULL: nobody is known */
	const Route *route;       /* NULL: none */
	const RouteState *state;
	const Target *target;      /* the side that serves; NULL: nothing goes upstream */
	const TimeoutsConf *times; /* the route's, on that side */
	const Reshape *reshape;    /* for that side; NULL: it goes as it is */
	Forwarded forwarded;       /* who asks, and the request's id */
	Err *refused;              /* by it */
	uint64_t key;              /* for hashing to a server */
	/* what is sent */
	Head head;
	Spool *held; /* what of its body was read before an attempt; NULL: at most `body` */
	Str body;    /* what of that goes with the head */
	/* attempts */
	Deadline limit; /* until the answer's head */
	Lease lease;
	Call call;
	uint16_t tried[GATEWAY_TRIES];
	size_t tried_count;
	uint32_t attempts;
	bool fresh;          /* the next must not use an idle connection */
	bool stale;          /* the last met a connection that its server had closed */
	bool unsent;         /* and nobody got a byte of the request */
	bool reached;        /* in any of them somebody may have got some of it */
	bool doubted;        /* in one before the last */
	bool budgeted;       /* the next was taken from the retry budget */
	bool streaming;      /* the body went out while it came in, and cannot be sent again */
	bool uploading;      /* a fiber of its own sends the body */
	bool answered;       /* the answer's head is there */
	int64_t answered_us; /* since then */
	Err *upload_err;     /* of writing the body to the server */
	Head answer;
	/* the hooks' */
	void *shift;      /* theirs, of this request; NULL: it is not looked at */
	int64_t ready_us; /* when it was ready to be sent */
	/* for the records */
	Str server;
	bool reused;
	int64_t connect_us, head_us;
	const Err *err;
} Passage;

/* Finds or makes the request's id and the client's address. */
Passage *passage_begin(Exchange *x);
/* What templates say of this request; of one that has a route. */
void passage_values(const Passage *p, TemplateValues *values);
/* The head for the upstream from the client's: RFC 9110 7.6, forwarding fields, id, what the route changes. Fails as
 * template_expand does. */
Err *passage_request_headers(Passage *p) MUST_USE;
/* The request's trailers for the upstream, after its end: without what only we may say, as servers may put them to the headers. */
const Headers *passage_trailers(const Passage *p) RETURNS_NONNULL;
/* What the client gets of the upstream's answer: hop-by-hop fields out, the request's id in, what the route changes. */
void passage_answer_headers(Passage *p, Head *answer);
/* What the route changes in an answer, or in an error, of the gateway's own. The route may be NULL. */
void passage_change_answer(const Passage *p, Headers *headers);
void passage_change_error(const Passage *p, Headers *headers);
