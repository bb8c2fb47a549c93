/* SPDX-License-Identifier: Apache-2.0
 *
 * The head that goes upstream, made of the one that came: RFC 9110 7.6 (hop-by-hop fields, Via), X-Forwarded-* rebuilt
 * from what is known rather than from what is claimed, the request's id. Pure. */
#pragma once
#include "gateway/conf.h"
#include "http/message.h"
#include "rt/stream.h"

typedef struct Forwarding {
	const Head *request;
	const Trust *trust;
	const RequestIdConf *id;
	Peer peer;
	bool secure;       /* the client came over TLS */
	uint16_t port;     /* it came to; 0: not known */
	/* results */
	Str client_ip;  /* the rightmost address that is no trusted proxy */
	Str request_id; /* taken from a trusted peer, or made */
} Forwarding;

/* Fills client_ip and request_id. */
void hop_begin(Forwarding *f, Arena *a);

/* Adds to `out` the request's header lines, in their order and case, without those that are for this hop only, those that
 * claim what only we can know, their `_` twins (WSGI makes the two spellings one), Host, framing; then our own. Fails with
 * CONFLICT "gateway.loop" when the request has been here too often (Via). */
Err *hop_request(const Forwarding *f, Arena *a, Headers *out) MUST_USE;

/* The same for an answer: hop-by-hop fields out, `id` in (when not empty). */
void hop_answer(const Headers *in, const RequestIdConf *conf, Str id, Arena *a, Headers *out);
