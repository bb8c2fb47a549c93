/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of the gateway's own. Who has no key in the configuration gets one that this process made, the same for all policies
 * and over all reloads. A token is made once for what somebody showed and was proved to be by it, for a session may change
 * hands, and used again while half its life is left, so that a signature is not paid for with every request. */
#include "gateway/auth_mint.h"

#include "auth/jws.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/time.h"
#include "gateway/identity.h"

#include <pthread.h>
#include <stdlib.h>

enum { PEM_BYTES = 64 << 10, TOKENS = 10000 };

struct Mint {
	const MintConf *conf;
	Arena *arena; /* of the keys */
	const Jwk *key;
	Str jwks;
	AuthCache *made;
};

/* --- keys --------------------------------------------------------------------------------------------------------------- */

static pthread_once_t own_once = PTHREAD_ONCE_INIT;
static const Jwk *own;

static void own_make(void)
{
	if (jwk_make(arena_new(0), JWS_ES256, &own))
		abort();
}

static void mint_drop(Mint **mint)
{
	mint_free(*mint);
}

static Err *read_keys(Mint *mint, const Jwk **at)
{
	Arena *a = mint->arena;

	for (size_t i = 0; i < mint->conf->keys.count; i++) {
		Str pem;

		TRY(file_read(a, mint->conf->keys.at[i], PEM_BYTES, &pem));
		TRY(jwk_read_pem(a, pem, S(""), 0, &at[i]));
	}
	if (!mint->conf->keys.count) {
		pthread_once(&own_once, own_make);
		at[0] = own;
	}
	return NULL;
}

Err *mint_new(Arena *a, const MintConf *conf, Str policy, Mint **out)
{
	AUTO(mint_drop) Mint *mint = calloc(1, sizeof *mint);
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	size_t count = MAX(conf->keys.count, (size_t)1);
	const Jwk **keys;

	if (!mint)
		abort();
	*mint = (Mint){ .conf = conf,
		        .arena = arena_new(0),
		        .made = auth_cache_new(TOKENS, policy) };
	keys = ARENA_ARRAY(mint->arena, const Jwk *, count);
	TRY(err_copy(a, read_keys(mint, keys)));
	mint->key = keys[0];
	jwks_put(&w, &(Jwks){ keys, count, 0 });
	mint->jwks = str_dup(mint->arena, buf_str(&b));
	*out = TAKE(mint);
	return NULL;
}

void mint_free(Mint *mint)
{
	if (!mint)
		return;
	auth_cache_free(mint->made);
	arena_free(mint->arena);
	free(mint);
}

Str mint_jwks(const Mint *mint)
{
	return mint->jwks;
}

/* --- tokens ------------------------------------------------------------------------------------------------------------- */

static void put_audience(JsonWriter *w, const MintConf *conf)
{
	if (!conf->audience.count)
		return;
	json_key(w, S("aud"));
	if (conf->audience.count > 1)
		json_begin_array(w);
	for (size_t i = 0; i < conf->audience.count; i++)
		json_add_str(w, conf->audience.at[i]);
	if (conf->audience.count > 1)
		json_end(w);
}

/* Registered ones are the gateway's own to say. */
static bool is_registered(Str name)
{
	static const Str registered[] = { S("iss"), S("aud"), S("sub"), S("iat"),
		                          S("exp"), S("nbf"), S("jti") };

	for (size_t i = 0; i < COUNT(registered); i++)
		if (str_eq(name, registered[i]))
			return true;
	return false;
}

/* All but its times. */
static void put_claims(JsonWriter *w, const MintConf *conf, Arena *a, const Json *claims)
{
	const Identity who = { .claims = claims };
	Str sub = identity_claim(&who, a, S("sub"));

	json_put_str(w, "iss", conf->issuer);
	put_audience(w, conf);
	if (sub.len)
		json_put_str(w, "sub", sub);
	for (size_t i = 0; i < conf->claims.count; i++) {
		Str name = conf->claims.at[i];
		const Json *value = identity_find(claims, name);

		if (json_kind(value) == JSON_KIND_NULL || is_registered(name))
			continue;
		json_key(w, name);
		json_put(w, value);
	}
}

static void put_times(JsonWriter *w, const MintConf *conf, int64_t now_us)
{
	json_put_i64(w, "iat", now_us / US_PER_S);
	json_put_i64(w, "exp", (now_us + conf->life_us) / US_PER_S);
}

static void remember(Mint *mint, Arena *a, AuthId id, Str token, int64_t now_us)
{
	const Json *kept;

	if (!json_read(a, str_fmt(a, "\"%.*s\"", STR_ARG(token)), 0, &kept))
		auth_cache_add(mint->made, id, 0, kept, now_us + mint->conf->life_us / 2);
}

Err *mint_token(Mint *mint, Arena *a, AuthId id, const Json *claims, int64_t now_us, Str *token)
{
	AUTO(buf_fini) Buf payload = { 0 };
	JsonWriter w = json_writer(&payload);
	const AuthEntry *entry;
	Str kept;

	json_begin_object(&w);
	put_claims(&w, mint->conf, a, claims);
	id = auth_id2((Str){ (const char *)id.at, sizeof id.at }, buf_str(&payload));
	entry = auth_cache_find(mint->made, id, 0, now_us);
	if (entry) {
		json_to_str(entry->claims, &kept);
		*token = str_dup(a, kept);
		auth_entry_unref(entry);
		return NULL;
	}
	put_times(&w, mint->conf, now_us);
	json_end(&w);
	TRY(jws_sign(a, mint->key, jwk_alg(mint->key), S("JWT"), buf_str(&payload), token));
	remember(mint, a, id, *token, now_us);
	return NULL;
}
