/* SPDX-License-Identifier: Apache-2.0
 *
 * The session bridge: who is logged in at the monolith is known to the services beside it.
 *
 * A session is a cookie that means something to the monolith alone. Where it is signed and the secret is known, it is read
 * here each time, as it ends by its age; else the monolith is asked once, and its answer counts for as long as `cache` says and no longer: an answer that is
 * over is not used because the monolith does not answer, or a log-out would not be one. A monolith of several hosts may know a
 * session at one of them alone, so an answer counts for the host that was asked about. That nobody is logged in is never
 * remembered, for the next request may be the one after the login. */
#include "auth/signed_session.h"
#include "base/arena.h"
#include "base/time.h"
#include "gateway/auth_flight.h"
#include "gateway/auth_int.h"
#include "gateway/fetch.h"
#include "http/cookie.h"

#include <stdlib.h>

enum { ANSWER_BYTES = 64 << 10 };

static Err twice =
	ERR_STATIC(UNAUTHENTICATED, "auth.twice", "there are two sessions in the request");
static Err cross_site = ERR_STATIC(DENIED, "auth.cross_site",
                                   "a page of another site may not do that with your session");
static Err unavailable =
	ERR_STATIC(BUSY, "auth.unavailable", "the server that knows the sessions does not answer");

struct Bridge {
	const BridgeConf *conf;
	FetchPlace place;
	AuthCache *cache;
	AuthFlights *flights;
};

static void bridge_drop(Bridge **bridge)
{
	bridge_free(*bridge);
}

Err *bridge_new(Arena *a, const BridgeConf *conf, Str policy, const Snapshot *snap, Bridge **out)
{
	AUTO(bridge_drop) Bridge *bridge = calloc(1, sizeof *bridge);

	if (!bridge)
		abort();
	*bridge = (Bridge){ .conf = conf,
		            .cache = auth_cache_new(conf->entries, policy),
		            .flights = auth_flights_new() };
	if (conf->whoami.len)
		TRY(auth_place(a, snap, conf->whoami, conf->ca, &bridge->place));
	*out = TAKE(bridge);
	return NULL;
}

void bridge_free(Bridge *bridge)
{
	if (!bridge)
		return;
	fetch_place_fini(&bridge->place);
	auth_cache_free(bridge->cache);
	auth_flights_free(bridge->flights);
	free(bridge);
}

/* --- claims ------------------------------------------------------------------------------------------------------------- */

/* A text or a number; 0, true and false are what some monoliths say of nobody. */
static bool is_user(const Json *value)
{
	JsonKind kind = json_kind(value);
	int64_t number;

	return kind == JSON_KIND_STR ||
	       (kind == JSON_KIND_INT && json_to_i64(value, &number) && number);
}

/* What the session or the answer says, with its user as `sub`. False: it names none. */
static bool make_claims(Arena *a, const Json *said, Str subject, const Json **claims)
{
	const Identity who = { .claims = said };
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str sub = identity_claim(&who, a, subject), name;
	const Json *value;
	void *at = NULL;

	if (!sub.len || !is_user(identity_find(said, subject)))
		return false;
	json_begin_object(&w);
	json_put_str(&w, "sub", sub);
	while (json_next(said, &at, &name, &value)) {
		if (str_eq(name, S("sub")))
			continue;
		json_key(&w, name);
		json_put(&w, value);
	}
	json_end(&w);
	return !json_read(a, str_dup(a, buf_str(&b)), 0, claims);
}

/* --- signed ------------------------------------------------------------------------------------------------------------- */

static bool read_signed(const BridgeConf *conf, Arena *a, Str cookie, int64_t now_us,
                        const Json **claims)
{
	const SignedConf *signs[] = { conf->has_django ? &conf->django : NULL,
		                      conf->has_flask ? &conf->flask : NULL };
	const Json *session;

	for (size_t i = 0; i < COUNT(signs); i++) {
		SignedRules rules;
		Err *err;

		if (!signs[i])
			continue;
		rules = (SignedRules){ .secrets = signs[i]->secrets.at,
			               .secret_count = signs[i]->secrets.count,
			               .salt = signs[i]->salt,
			               .max_age_us = signs[i]->max_age_us,
			               .sha1 = signs[i]->sha1 };
		err = i == 0 ? django_session_read(a, cookie, &rules, now_us, &session)
		             : flask_session_read(a, cookie, &rules, now_us, &session);
		if (!err)
			return make_claims(a, session, signs[i]->subject, claims);
	}
	return false;
}

/* --- asked -------------------------------------------------------------------------------------------------------------- */

static bool is_nobody(unsigned status)
{
	return status == 401 || status == 403 || status == 404 || (status >= 300 && status < 400) ||
	       status == 204;
}

/* *claims NULL: nobody is logged in. */
static Err *ask(const Bridge *bridge, const Passage *p, Str cookie, const Json **claims)
{
	Arena *a = p->x->arena;
	FetchAsk question = { .timeout_us = bridge->conf->timeout_us, .body_max = ANSWER_BYTES };
	const Json *said;
	FetchAnswer answer;
	Err *err;

	*claims = NULL;
	if (bridge->place.up)
		question.authority =
			p->x->request.authority; /* Django's ALLOWED_HOSTS knows that one */
	headers_add(&question.headers, a, S("Cookie"),
	            str_fmt(a, "%.*s=%.*s", STR_ARG(bridge->conf->cookie), STR_ARG(cookie)));
	headers_add(&question.headers, a, S("Accept"), S("application/json"));
	headers_add(&question.headers, a, S("User-Agent"), S("Banyan"));
	headers_add(&question.headers, a, p->snap->conf->request_id.header,
	            p->forwarded.request_id);
	err = fetch_ask(a, &bridge->place, &question, &answer);
	if (err && err->kind == ERR_CANCELLED)
		return err;
	if (err)
		return err_because(a, err, ERR_BUSY, unavailable.slug, "%.*s",
		                   STR_ARG(unavailable.text));
	if (is_nobody(answer.status))
		return NULL;
	if (answer.status != 200 || json_read(a, answer.body, ANSWER_BYTES, &said) ||
	    json_kind(said) != JSON_KIND_OBJECT)
		return err_new(a, ERR_BUSY, unavailable.slug, "%.*s", STR_ARG(unavailable.text));
	make_claims(a, said, bridge->conf->subject, claims);
	return NULL;
}

static void remember(const Bridge *bridge, AuthId id, const Json *claims)
{
	if (claims)
		auth_cache_add(bridge->cache, id, 0, claims,
		               time_utc_us() + bridge->conf->cache_us);
}

/* A cache of no time means that every request asks. */
static Err *ask_together(const Bridge *bridge, const Passage *p, Str cookie, AuthFound *found)
{
	AUTO(auth_flight_end)
	AuthFlight flight = { .flights = bridge->flights, .id = found->id };
	FlightAnswer answer = { 0 };
	Arena *a = p->x->arena;
	Err *err;

	if (!bridge->conf->cache_us)
		return ask(bridge, p, cookie, &found->claims);
	TRY(auth_flight_join(&flight, a, &answer));
	found->claims = answer.claims;
	if (!flight.leads)
		return answer.outcome == FLIGHT_FAILED ? &unavailable : NULL;
	if (auth_recall(bridge->cache, a, found->id, time_utc_us(), &found->claims))
		err = NULL; /* somebody was faster */
	else
		err = ask(bridge, p, cookie, &found->claims);
	if (err && err->kind == ERR_CANCELLED)
		return err;
	answer.outcome = err ? FLIGHT_FAILED : found->claims ? FLIGHT_YES : FLIGHT_NO;
	answer.claims = found->claims;
	remember(bridge, found->id, found->claims);
	auth_flight_tell(&flight, &answer);
	return err;
}

/* --- the way in --------------------------------------------------------------------------------------------------------- */

static Err *find_cookie(const BridgeConf *conf, const Headers *headers, Str *cookie)
{
	CookieAt at = { 0 };
	Str value;

	*cookie = (Str){ 0 };
	while (http_cookie_next(headers, conf->cookie, &at, &value)) {
		if (cookie->len && !str_eq(*cookie, value))
			return &twice; /* which of them does the monolith look at? */
		*cookie = value;
	}
	return NULL;
}

static AuthId id_of(const Bridge *bridge, const Passage *p, Str cookie)
{
	Str host = bridge->place.up ? p->x->request.authority : S("");

	return auth_id2(bridge->conf->cookie, str_fmt(p->x->arena, "%zu:%.*s%.*s", host.len,
	                                              STR_ARG(host), STR_ARG(cookie)));
}

Err *auth_try_bridge(const AuthPolicy *policy, Passage *p, AuthFound *found)
{
	const Bridge *bridge = policy->bridge;
	Arena *a = p->x->arena;
	int64_t now_us = time_utc_us();
	Str cookie;

	TRY(find_cookie(bridge->conf, &p->x->request.headers, &cookie));
	if (!cookie.len)
		return NULL;
	found->by = "session";
	found->id = id_of(bridge, p, cookie);
	found->known = auth_recall(bridge->cache, a, found->id, now_us, &found->claims);
	if (!found->known && !read_signed(bridge->conf, a, cookie, now_us, &found->claims) &&
	    bridge->conf->whoami.len)
		TRY(ask_together(bridge, p, cookie, found));
	if (!found->claims)
		return NULL;
	if (!bridge->conf->cross_site && auth_is_cross_site(p))
		return &cross_site;
	found->there = true;
	return NULL;
}
