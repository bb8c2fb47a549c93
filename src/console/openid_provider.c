/* SPDX-License-Identifier: Apache-2.0
 *
 * The provider's metadata (OpenID Connect Discovery 1.0) and its key set, asked for when somebody logs in and what is known is
 * an hour old, or has not the key of a token. Both together make one value that is never changed, and counted, for people on
 * other loops may be using it. Two that ask at once both ask: log-ins are rare. After a failure there is a pause, since
 * anybody who reaches the port can press the button. */
#include "console/openid_provider.h"

#include "base/arena.h"
#include "base/time.h"

#include <pthread.h>

enum { KEEP_S = 60 * 60, NEWER_S = 10, PAUSE_S = 1 };

static struct {
	pthread_mutex_t lock;
	OpenidProvider *now;
	int64_t failed_us;
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER };

static Err silent = ERR_STATIC(UPSTREAM, "openid.provider",
                               "the provider could not be asked a moment ago: try again");

static void provider_unref(void *arg)
{
	OpenidProvider *p = arg;

	if (p && !__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL))
		arena_free(p->arena);
}

static void provider_drop(OpenidProvider **p)
{
	provider_unref(*p);
}

/* --- asking ------------------------------------------------------------------------------------------------------------- */

/* Whoever stands before the door is told why: it is mostly they who can mend it. */
static Err *no_answer(Arena *a, const Err *why)
{
	return err_new(a, ERR_UPSTREAM, "openid.provider", "the provider could not be asked: %.*s",
	               STR_ARG(err_chain(a, why)));
}

static Err *ask_text(Arena *a, const AdminOpenidAsk *ask, unsigned *status, Str *text)
{
	unsigned got = 0;
	Err *err = admin_openid_fetch()(a, ask, &got, text);

	if (err && err->kind == ERR_CANCELLED)
		return err;
	if (err)
		return no_answer(a, err);
	if (status)
		*status = got;
	else if (got != 200)
		return err_new(a, ERR_UPSTREAM, "openid.provider", "the provider answered with %u",
		               got);
	return NULL;
}

Err *openid_ask(Arena *a, const AdminOpenidAsk *ask, unsigned *status, const Json **out)
{
	Str text;
	Err *err;

	TRY(ask_text(a, ask, status, &text));
	err = json_read(a, text, 0, out);
	if (err)
		return no_answer(a, err);
	if (json_kind(*out) != JSON_KIND_OBJECT)
		return err_new(a, ERR_UPSTREAM, "openid.provider",
		               "the provider's answer is not an object of JSON");
	return NULL;
}

/* --- metadata ----------------------------------------------------------------------------------------------------------- */

/* Empty when it is not there, and then it must not be needed. */
static Err *address(Arena *a, const Json *json, const char *key, bool needed, Str *out)
{
	Str found = { 0 };

	(void)json_to_str(json_get(json, str_of(key)), &found);
	if (found.len && !str_starts(found, S("https://")) && !str_starts(found, S("http://")))
		return err_new(a, ERR_UPSTREAM, "openid.provider",
		               "the provider's %s is no address", key);
	for (size_t i = 0; i < found.len; i++)
		if (found.at[i] <= ' ' || found.at[i] > '~' || found.at[i] == '#')
			return err_new(a, ERR_UPSTREAM, "openid.provider",
			               "the provider's %s is no address", key);
	if (needed && !found.len)
		return err_new(a, ERR_UPSTREAM, "openid.provider", "the provider tells no %s", key);
	*out = found;
	return NULL;
}

/* What stands nowhere is what the specification says: Basic. */
static bool secret_in_form(const Json *methods)
{
	bool basic = json_kind(methods) != JSON_KIND_ARRAY;
	Str method;

	for (size_t i = 0; i < json_count(methods); i++)
		basic |= json_to_str(json_at(methods, i), &method) &&
		         str_eq(method, S("client_secret_basic"));
	return !basic;
}

static Err *read_metadata(const AdminOpenidConf *conf, const Json *json, OpenidProvider *p,
                          Str *keys)
{
	Arena *a = p->arena;
	Str issuer = { 0 };

	(void)json_to_str(json_get(json, S("issuer")), &issuer);
	if (!str_eq(issuer, conf->issuer))
		return err_new(a, ERR_UPSTREAM, "openid.provider",
		               "the provider calls itself %.*s, not %.*s",
		               STR_ARG(str_quote(a, issuer)), STR_ARG(conf->issuer));
	TRY(address(a, json, "authorization_endpoint", true, &p->authorize));
	TRY(address(a, json, "token_endpoint", true, &p->token));
	TRY(address(a, json, "jwks_uri", true, keys));
	TRY(address(a, json, "userinfo_endpoint", false, &p->userinfo));
	TRY(address(a, json, "end_session_endpoint", false, &p->end_session));
	(void)json_to_bool(json_get(json, S("authorization_response_iss_parameter_supported")),
	                   &p->says_issuer);
	p->secret_in_form =
		secret_in_form(json_get(json, S("token_endpoint_auth_methods_supported")));
	return NULL;
}

static Err *load(const AdminOpenidConf *conf, OpenidProvider *p)
{
	Str base = conf->issuer, keys, text;
	const Json *json;
	Err *err;

	if (str_ends(base, S("/")))
		base.len--;
	TRY(openid_ask(p->arena,
	               &(AdminOpenidAsk){ .url = str_fmt(p->arena,
	                                                 "%.*s/.well-known/openid-configuration",
	                                                 STR_ARG(base)) },
	               NULL, &json));
	TRY(read_metadata(conf, json, p, &keys));
	TRY(ask_text(p->arena, &(AdminOpenidAsk){ .url = keys }, NULL, &text));
	err = jwks_read(p->arena, text, JWK_TAKE_PUBLIC, &p->keys);
	return err ? no_answer(p->arena, err) : NULL;
}

/* --- what is kept ------------------------------------------------------------------------------------------------------- */

/* What is known, if it is good enough; else NULL, and *pause: do not ask now. */
static OpenidProvider *find(bool newer, bool *pause)
{
	int64_t now_us = time_mono_us();
	OpenidProvider *p;

	pthread_mutex_lock(&cache.lock);
	p = cache.now;
	if (p && now_us - p->asked_us > (newer ? NEWER_S : KEEP_S) * US_PER_S)
		p = NULL;
	if (p)
		__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	*pause = cache.failed_us && now_us - cache.failed_us < PAUSE_S * US_PER_S;
	pthread_mutex_unlock(&cache.lock);
	return p;
}

static void keep(OpenidProvider *p)
{
	OpenidProvider *before;

	pthread_mutex_lock(&cache.lock);
	before = cache.now;
	cache.now = p;
	cache.failed_us = p ? 0 : time_mono_us();
	if (p)
		__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	else
		cache.now = before;
	pthread_mutex_unlock(&cache.lock);
	if (p)
		provider_unref(before);
}

static Err *ask_anew(Arena *a, const AdminOpenidConf *conf, OpenidProvider **out)
{
	Arena *own = arena_new(0);
	AUTO(provider_drop) OpenidProvider *p = ARENA_NEW(own, OpenidProvider);
	Err *err;

	*p = (OpenidProvider){ .refs = 1, .arena = own, .asked_us = time_mono_us() };
	err = err_copy(a, load(conf, p));
	if (!err || err->kind != ERR_CANCELLED)
		keep(err ? NULL : p);
	TRY(err);
	*out = TAKE(p);
	return NULL;
}

Err *openid_provider(Arena *a, const AdminOpenidConf *conf, bool newer, const OpenidProvider **out)
{
	bool pause;
	OpenidProvider *p = find(newer, &pause);

	if (!p && pause)
		return &silent;
	if (!p)
		TRY(ask_anew(a, conf, &p));
	arena_defer(a, provider_unref, p);
	*out = p;
	return NULL;
}
