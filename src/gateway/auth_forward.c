/* SPDX-License-Identifier: Apache-2.0
 *
 * Forward auth: another server is asked whether a request may pass. It sees the headers it was promised and what X-Forwarded-*
 * fields say of the request, never its body. An answer counts for who would be told the same and nobody else. What it refuses,
 * and where it sends people to log in, is the client's answer. */
#include "base/arena.h"
#include "base/time.h"
#include "gateway/auth_flight.h"
#include "gateway/auth_int.h"
#include "gateway/fetch.h"
#include "gateway/reply.h"

#include <stdlib.h>

enum { ANSWER_BYTES = 64 << 10, SENT_MAX = 16 << 10 };

static Err refused =
	ERR_STATIC(UNAUTHENTICATED, "auth.refused", "the server that knows does not know you");
static Err denied = ERR_STATIC(DENIED, "auth.denied", "the server that knows does not let you");
static Err unavailable =
	ERR_STATIC(BUSY, "auth.unavailable", "the server that knows does not answer");

struct Forward {
	const ForwardConf *conf;
	FetchPlace place;
	AuthCache *cache;
	AuthFlights *flights;
};

static void forward_drop(Forward **forward)
{
	forward_free(*forward);
}

Err *forward_new(Arena *a, const ForwardConf *conf, Str policy, const Snapshot *snap, Forward **out)
{
	AUTO(forward_drop) Forward *forward = calloc(1, sizeof *forward);

	if (!forward)
		abort();
	*forward = (Forward){ .conf = conf,
		              .cache = auth_cache_new(conf->entries, policy),
		              .flights = auth_flights_new() };
	TRY(auth_place(a, snap, conf->url, conf->ca, &forward->place));
	*out = TAKE(forward);
	return NULL;
}

void forward_free(Forward *forward)
{
	if (!forward)
		return;
	fetch_place_fini(&forward->place);
	auth_cache_free(forward->cache);
	auth_flights_free(forward->flights);
	free(forward);
}

/* --- the question ------------------------------------------------------------------------------------------------------- */

/* As the server would get it: what is routed by is not what the client wrote, /public/../admin. */
static Str address(const Passage *p)
{
	return p->url.query.at ? str_fmt(p->x->arena, "%.*s?%.*s", STR_ARG(p->url.path),
	                                 STR_ARG(p->url.query))
	                       : p->url.path;
}

static AuthId id_of(Str authority, const Headers *question)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (uint32_t i = 0; i < question->count; i++)
		buf_fmt(&b, "%zu:%zu:%.*s%.*s", question->at[i].name.len, question->at[i].value.len,
		        STR_ARG(question->at[i].name), STR_ARG(question->at[i].value));
	return auth_id2(authority, buf_str(&b));
}

/* The answer is remembered by all of it but the request's id. */
static AuthId put_question(const Forward *forward, const Passage *p, FetchAsk *question)
{
	const Headers *in = &p->x->request.headers;
	Headers *out = &question->headers;
	Arena *a = p->x->arena;
	AuthId id;

	for (uint32_t i = 0; i < in->count; i++)
		for (size_t k = 0; k < forward->conf->send.count; k++)
			if (str_eq_nocase(in->at[i].name, forward->conf->send.at[k]))
				headers_add(out, a, in->at[i].name, in->at[i].value);
	headers_add(out, a, S("X-Forwarded-Method"), p->x->request.method);
	headers_add(out, a, S("X-Forwarded-Proto"), p->forwarded.scheme);
	headers_add(out, a, S("X-Forwarded-Host"), p->forwarded.host);
	headers_add(out, a, S("X-Forwarded-Uri"), address(p));
	headers_add(out, a, S("X-Forwarded-For"), p->forwarded.client_ip);
	if (forward->place.up)
		question->authority = p->x->request.authority;
	id = id_of(question->authority, out);
	headers_add(out, a, p->snap->conf->request_id.header, p->forwarded.request_id);
	return id;
}

/* --- the answer --------------------------------------------------------------------------------------------------------- */

static const Json *claims_of(const Forward *forward, Arena *a, const Headers *headers)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *claims = NULL;

	json_begin_object(&w);
	for (size_t i = 0; i < forward->conf->claims.count; i++) {
		Str value = headers_get_name(headers, forward->conf->claims.at[i].header);

		if (value.len)
			json_put_str(&w, str_z(a, forward->conf->claims.at[i].claim), value);
	}
	json_end(&w);
	return json_read(a, str_dup(a, buf_str(&b)), 0, &claims) ? NULL : claims;
}

/* Where people log in. */
static Err *pass_redirect(Passage *p, const FetchAnswer *answer)
{
	Head head = { .status = answer->status };

	for (uint32_t i = 0; i < answer->headers.count; i++) {
		const Header *h = &answer->headers.at[i];

		if (str_eq_nocase(h->name, S("Location")) ||
		    str_eq_nocase(h->name, S("Set-Cookie")))
			headers_add(&head.headers, p->x->arena, h->name, h->value);
	}
	headers_add(&head.headers, p->x->arena, S("Cache-Control"), S("no-store"));
	return reply_whole(p, &head, (Str){ 0 });
}

static Err *refuse(Passage *p, const FetchAnswer *answer)
{
	if (answer->status >= 300 && answer->status < 400)
		return pass_redirect(p, answer);
	if (answer->status == 401)
		p->challenge = headers_get_name(&answer->headers, S("WWW-Authenticate"));
	if (answer->status == 401)
		return &refused;
	if (answer->status == 403)
		return &denied;
	return err_new(p->x->arena, ERR_BUSY, "auth.unavailable",
	               "the server that knows answered %u", answer->status);
}

/* With the flight's end the others know. A refusal is one client's alone: it may set a cookie. */
static Err *ask(const Forward *forward, Passage *p, const FetchAsk *question, AuthFound *found,
                AuthFlight *flight, FetchAnswer *answer)
{
	Arena *a = p->x->arena;
	FlightAnswer told = { .outcome = FLIGHT_OWN };
	Err *err = fetch_ask(a, &forward->place, question, answer);

	if (err && err->kind == ERR_CANCELLED)
		return err;
	if (!err && answer->status >= 200 && answer->status < 300) {
		found->claims = claims_of(forward, a, &answer->headers);
		told = (FlightAnswer){ FLIGHT_YES, found->claims };
	}
	if (err)
		told.outcome = FLIGHT_FAILED;
	if (forward->conf->cache_us && found->claims)
		auth_cache_add(forward->cache, found->id, 0, found->claims,
		               time_utc_us() + forward->conf->cache_us);
	if (flight->leads)
		auth_flight_tell(flight, &told);
	return err ? err_because(a, err, ERR_BUSY, unavailable.slug, "%.*s",
	                         STR_ARG(unavailable.text))
	           : NULL;
}

/* Waits for another's answer, or asks. A cache of no time means that every request asks. */
static Err *ask_together(const Forward *forward, Passage *p, const FetchAsk *question,
                         AuthFound *found, FetchAnswer *answer)
{
	AUTO(auth_flight_end)
	AuthFlight flight = { .flights = forward->flights, .id = found->id };
	FlightAnswer told = { 0 };
	Arena *a = p->x->arena;

	if (forward->conf->cache_us)
		TRY(auth_flight_join(&flight, a, &told));
	found->claims = told.claims;
	if (told.outcome == FLIGHT_FAILED)
		return &unavailable;
	if (told.outcome != FLIGHT_YES && forward->conf->cache_us &&
	    auth_recall(forward->cache, a, found->id, time_utc_us(), &found->claims))
		told.outcome = FLIGHT_YES; /* somebody was faster */
	if (told.outcome != FLIGHT_YES)
		return ask(forward, p, question, found, &flight, answer);
	answer->status = 200;
	if (flight.leads)
		auth_flight_tell(&flight, &(FlightAnswer){ FLIGHT_YES, found->claims });
	return NULL;
}

Err *auth_try_forward(const AuthPolicy *policy, Passage *p, AuthFound *found)
{
	const Forward *forward = policy->forward;
	Arena *a = p->x->arena;
	FetchAsk question = { .timeout_us = forward->conf->timeout_us, .body_max = ANSWER_BYTES };
	FetchAnswer answer = { 0 };

	found->there = true;
	found->by = "forward";
	found->id = put_question(forward, p, &question);
	found->known = auth_recall(forward->cache, a, found->id, time_utc_us(), &found->claims);
	if (found->known)
		return NULL;
	TRY(ask_together(forward, p, &question, found, &answer));
	return answer.status < 200 || answer.status >= 300 ? refuse(p, &answer) : NULL;
}
