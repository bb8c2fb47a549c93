/* SPDX-License-Identifier: Apache-2.0
 *
 * Services that ask each other. Where the other is says the configuration, as it says it to the gateway: in this process, by the
 * socket that has no place in the file system, or at its `url`. Who asks is proved by a token that both can make: HMAC with a secret
 * that they share. In one process nobody else needs to know it, so without a configuration it is made when the process starts; a
 * command on the same machine, which is another process, needs `services.secret`. */
#include "service/peer_int.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "service/service.h"

#include <pthread.h>

enum { SECRET_BYTES = 32, TEXT_MOST = 300 };

/* --- the secret ----------------------------------------------------------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char made[SECRET_BYTES];

static void make(void)
{
	rand_bytes(made, sizeof made);
}

Err *peer_secret(Arena *a, bool elsewhere, const Jwk **out)
{
	Str secret = services_secret();

	if (!secret.len && elsewhere)
		return err_new(a, ERR_PRECONDITION, "peer.secret",
		               "services.secret is not set: a service elsewhere believes no other");
	if (!secret.len) {
		pthread_once(&once, make);
		secret = (Str){ made, sizeof made };
	}
	return jwk_of_secret(a, secret, S("peer"), JWS_BIT(JWS_HS256), out);
}

/* --- where ---------------------------------------------------------------------------------------------------------------- */

Err *peer_place(Arena *a, const char *service, Str *base, Str *via)
{
	Str address;
	bool tls;
	const char *mistake = services_peer_place(a, str_of(service), &address, &tls);

	if (mistake)
		return err_new(a, ERR_PRECONDITION, "peer.unknown", "service %s %s", service,
		               mistake);
	*via = str_starts(address, S("unix:")) ? address : S("");
	*base = str_fmt(a, "%s://%.*s", tls ? "https" : "http",
	                STR_ARG(via->len ? str_of(service) : address));
	return NULL;
}

bool service_peer_known(const ServiceHome *home, const char *service)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str address;
	bool tls;

	(void)home;
	return !services_peer_place(a, str_of(service), &address, &tls);
}

/* --- the call ------------------------------------------------------------------------------------------------------------- */

Err *service_peer_call(const ServiceHome *home, Arena *a, const PeerAsk *what, AskAnswer *out)
{
	Ask wish = { .method = what->method,
		     .body = what->body,
		     .type = what->type,
		     .traceparent = what->traceparent,
		     .timeout_us = what->timeout_us,
		     .body_max = what->body_max,
		     .repeatable = what->repeatable || what->idempotency_key.len };
	Str base = { 0 }, token;

	*out = (AskAnswer){ 0 };
	TRY(peer_place(a, what->service, &base, &wish.via));
	TRY(peer_token(a, home->service->name, what->service, !services_is_here(what->service),
	               &token));
	wish.url = str_fmt(a, "%.*s%.*s", STR_ARG(base), STR_ARG(what->target));
	for (uint32_t i = 0; i < what->headers.count; i++)
		headers_add(&wish.headers, a, what->headers.at[i].name, what->headers.at[i].value);
	headers_add_id(&wish.headers, a, HTTP_AUTHORIZATION,
	               str_fmt(a, "Bearer %.*s", STR_ARG(token)));
	if (what->idempotency_key.len)
		headers_add(&wish.headers, a, S("Idempotency-Key"), what->idempotency_key);
	return ask(service_ask_client(), a, &wish, out);
}

/* --- what it said --------------------------------------------------------------------------------------------------------- */

static ErrKind kind_of(unsigned status)
{
	static const struct {
		unsigned status;
		ErrKind kind;
	} kinds[] = {
		{ 401, ERR_DENIED },   { 403, ERR_DENIED },       { 404, ERR_NOT_FOUND },
		{ 405, ERR_INTERNAL }, { 408, ERR_BUSY },         { 409, ERR_CONFLICT },
		{ 410, ERR_GONE },     { 412, ERR_PRECONDITION }, { 425, ERR_BUSY },
		{ 429, ERR_BUSY },     { 402, ERR_CONFLICT },
	};

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kinds[i].status == status)
			return kinds[i].kind;
	return status >= 500 ? ERR_BUSY : ERR_INVALID;
}

Err *service_peer_refusal(Arena *a, const char *service, const AskAnswer *answer)
{
	const Json *problem = NULL;
	Str code = { 0 }, detail = { 0 };

	if (answer->status < 400)
		return NULL;
	if (!json_read(a, answer->body, 0, &problem)) {
		json_to_str(json_get(problem, S("code")), &code);
		json_to_str(json_get(problem, S("detail")), &detail);
	}
	return err_new(a, kind_of(answer->status), "peer.refused", "%s answered %u%s%.*s%s%.*s",
	               service, answer->status, code.len ? " " : "", STR_ARG(code),
	               detail.len ? ": " : "", STR_ARG(str_sub(detail, 0, TEXT_MOST)));
}

/* --- the client ----------------------------------------------------------------------------------------------------------- */

static struct {
	AskClient *client;
} shared;

Err *peer_begin(Arena *a)
{
	return shared.client ? NULL : ask_open(a, &(AskConf){ .name = "service" }, &shared.client);
}

void peer_end(void)
{
	ask_close(TAKE(shared.client));
}

AskClient *service_ask_client(void)
{
	return shared.client;
}
