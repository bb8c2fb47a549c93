/* SPDX-License-Identifier: Apache-2.0
 *
 * What an intermediary does to the fields of a message: hop-by-hop ones out (RFC 9110 7.6.1), Via in (7.6.3), and who the
 * client is, in X-Forwarded-For, -Proto, -Host, -Port, X-Real-IP or Forwarded (RFC 7239), the request's id and its trace,
 * made from scratch unless the peer is a trusted proxy. Nothing parks; strings that stay are not copied. */
#pragma once
#include "gateway/conf.h"
#include "http/message.h"
#include "rt/stream.h"

typedef struct Forwarded {
	/* given */
	const GatewayConf *conf; /* trust and request_id of it */
	const Head *request;
	const Peer *peer;
	bool secure; /* the request came over TLS */
	/* found by forwarded_begin */
	bool trusted; /* the peer is a proxy whose word counts */
	bool told;    /* and the client is another than the peer */
	Str client_ip; /* the rightmost address that is not a trusted proxy's; "unix" for a socket's peer */
	Str peer_ip;
	Str request_id;
	Str scheme;       /* "http" or "https", as the client used it */
	Str host;         /* and the host, with its port if it wrote one */
	Str port;         /* and the port */
	Str trace_parent; /* of the gateway's span, for the upstream; empty: traces are off, and pass */
	Str trace_id, span_id;
	/* for forwarded_request */
	Str claimed_for; /* X-Forwarded-For of a trusted peer, lines joined; or what its Forwarded says in that form */
	Str claimed_spec;  /* and Forwarded; empty when it is malformed */
	HeaderId id_known; /* of the id's header, when it is a known one */
	bool options;      /* does Connection name fields? */
	bool trailers;     /* TE: trailers */
	bool traced;       /* the client's trace goes on: tracestate passes */
} Forwarded;

/* Looks at the request's fields once. Fails with UPSTREAM "gateway.loop" (502: it went through this very process three
 * times) and INVALID "gateway.connection_options" (more than FORWARDED_OPTIONS of them). */
enum { FORWARDED_PASSES = 3, FORWARDED_OPTIONS = 16 };
Err *forwarded_begin(Forwarded *f, Arena *a) MUST_USE;

/* The fields for the upstream, in their order, ours after them. Left out: what the codec writes (Host, Content-Length,
 * Transfer-Encoding, Connection, Upgrade), Expect, Proxy-Authorization, what Connection names (never Authorization,
 * Cookie or what we vouch for), claims about the client by a peer without trust, and such fields spelt with "_", which
 * WSGI cannot tell from "-". Of TE only "trailers" stays. */
void forwarded_request(const Forwarded *f, Arena *a, Headers *out);

/* The fields for the client of an answer: hop-by-hop ones and what Connection names out, the request's id in. */
void forwarded_answer(const Forwarded *f, Arena *a, const Headers *in, Headers *out);

/* Is it one that the gateway says itself towards an upstream (Via, the id, X-Forwarded-For, -Host, -Port, -Proto, X-Real-IP,
 * Forwarded), in any case, with "_" for "-" too? */
bool forwarded_is_own(const RequestIdConf *id, Str name);

Str forwarded_via(void); /* how this process calls itself in Via: "banyan-1f0c99e2" */
