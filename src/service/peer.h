/* SPDX-License-Identifier: Apache-2.0
 *
 * Peers: who may ask a service beside people with a session, and how services ask each other.
 *
 * `.who = service_who_bearer` in a service's row makes `Authorization: Bearer ...` one of
 *   - an access token (a JWT) of the user service, of a policy of the gateway that mints, or of any issuer of `services.NAME.tokens`;
 *   - an API key of the service's own, "bk_...": `banyan NAME key add|list|revoke`, with scopes and an end, kept as its SHA-256;
 *   - a token that another service made for this one, by the secret they share (`services.secret`; in one process one that is made
 *     at the start). Such a peer may do everything: its scopes are not asked for.
 * A service with words of its own (a cookie, "sk_...") looks for those first and asks this for all others. What of this a service
 * calls itself is in call.h. */
#pragma once
#include "http/ask.h"
#include "service/call.h"

/* --- asking another service -------------------------------------------------------------------------------------------------- */

typedef struct PeerAsk {
	const char *service; /* "notification" */
	Str method;          /* empty: GET, or POST where there is a body */
	Str target;          /* "/v1/notifications" */
	Str body;
	Str type;            /* empty: application/json */
	Str idempotency_key; /* sent as such; then it may be sent again */
	Str traceparent;     /* of the request, or of the event that it follows from */
	Headers headers;     /* more */
	int64_t timeout_us;  /* 0: 10 s */
	size_t body_max;     /* 0: 1 MiB */
	bool repeatable;     /* as in Ask; GET always is */
} PeerAsk;

/* To where that service is: a socket of this process, or its `url` (or `listen`, for commands on the same machine), with a token
 * for it. A status is no error. Parks. *out as ask(). Fails as ask(); PRECONDITION "peer.unknown" (it is in no configuration),
 * "peer.secret" (elsewhere, and there is no services.secret). */
Err *service_peer_call(const ServiceHome *home, Arena *a, const PeerAsk *what, AskAnswer *out)
	MUST_USE;
/* Can it be asked at all? */
bool service_peer_known(const ServiceHome *home, const char *service);
/* What an answer of 400 and above says, as an Err: its kind by the status (408, 425, 429 and 5xx: BUSY, which may be tried again),
 * its text the problem document's. NULL below 400. */
Err *service_peer_refusal(Arena *a, const char *service, const AskAnswer *answer);

/* The client that all services of this process share for what is not a peer, without public_only; name of the metrics "service". */
AskClient *service_ask_client(void) RETURNS_NONNULL;
