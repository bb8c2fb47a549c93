/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of keys, as issuers publish them: with keys for encryption and of kinds still unknown here beside those that count.
 * What cannot be used is left out rather than refused, so that an issuer may begin with a new kind; what is ambiguous is left
 * out too, because the choice between two keys would be the attacker's. */
#include "auth/jwks.h"

#include "base/arena.h"

typedef struct Reading {
	const Jwk **at;
	size_t count, left_out;
	Str *broken; /* kids of keys that were meant for signatures and are not in order */
	size_t broken_count;
	bool secret, open; /* of which there are some */
	Err *first;
} Reading;

static bool is_ambiguous(const Reading *r, size_t i)
{
	for (size_t j = 0; j < r->broken_count; j++)
		if (r->at[i]->kid.len && str_eq(r->at[i]->kid, r->broken[j]))
			return true;
	for (size_t j = 0; j < r->count; j++)
		if (j != i && str_eq(r->at[i]->kid, r->at[j]->kid) &&
		    (r->at[i]->kid.len || r->at[i]->algs & r->at[j]->algs))
			return true;
	return false;
}

static void leave_out_ambiguous(Arena *a, Reading *r)
{
	bool *out = ARENA_ARRAY(a, bool, r->count);
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++)
		out[i] = is_ambiguous(r, i);
	for (size_t i = 0; i < r->count; i++)
		if (!out[i])
			r->at[kept++] = r->at[i];
	r->left_out += r->count - kept;
	if (kept < r->count && !r->first)
		r->first =
			err_new(a, ERR_INVALID, "jwks.ambiguous", "several keys have the same kid");
	r->count = kept;
}

static void take_key(Arena *a, Reading *r, const Json *value, JwkTake take)
{
	const Jwk *key;
	Err *err = jwk_read(a, value, take, &key);
	Str kid;

	if (err) {
		r->first = r->first ? r->first : err;
		r->left_out++;
		if (!err_is(err, "jwk.kind") && json_to_str(json_get(value, S("kid")), &kid))
			r->broken[r->broken_count++] = kid;
		return;
	}
	r->at[r->count++] = key;
	r->secret = r->secret || !key->pkey;
	r->open = r->open || key->pkey;
}

Err *jwks_read(Arena *a, Str text, JwkTake take, const Jwks **out)
{
	Reading r = { 0 };
	const Json *top, *keys;
	Jwks *set;
	size_t count;

	TRY(json_read(a, text, JWKS_BYTES, &top));
	keys = json_get(top, S("keys"));
	count = keys ? json_count(keys) : 1;
	if (json_kind(top) != JSON_KIND_OBJECT || (keys && json_kind(keys) != JSON_KIND_ARRAY))
		return err_new(a, ERR_INVALID, "jwks.invalid", "expected {\"keys\": [...]}");
	if (count > JWKS_KEYS)
		return err_new(a, ERR_INVALID, "jwks.invalid", "more than %d keys", JWKS_KEYS);
	r.at = ARENA_ARRAY(a, const Jwk *, count);
	r.broken = ARENA_ARRAY(a, Str, count);
	for (size_t i = 0; i < count; i++)
		take_key(a, &r, keys ? json_at(keys, i) : top, take);
	if (r.secret && r.open)
		return err_new(a, ERR_INVALID, "jwks.mixed", "secrets stand beside public keys");
	leave_out_ambiguous(a, &r);
	if (!r.count)
		return err_because(a, r.first, ERR_INVALID, "jwks.empty", "no key could be used");
	set = ARENA_NEW(a, Jwks);
	*set = (Jwks){ r.at, r.count, r.left_out };
	*out = set;
	return NULL;
}

const Jwks *jwks_of(Arena *a, const Jwk *key)
{
	const Jwk **at = ARENA_ARRAY(a, const Jwk *, 1);
	Jwks *set = ARENA_NEW(a, Jwks);

	at[0] = key;
	*set = (Jwks){ at, 1, 0 };
	return set;
}

const Jwk *jwks_find(const Jwks *keys, Str kid, JwsAlg alg)
{
	const Jwk *found = NULL;

	for (size_t i = 0; i < keys->count; i++) {
		const Jwk *key = keys->at[i];

		if (!(key->algs & JWS_BIT(alg)) ||
		    (kid.len && key->kid.len && !str_eq(kid, key->kid)))
			continue;
		if (kid.len && key->kid.len)
			return key;
		if (found)
			return NULL; /* which of them? */
		found = key;
	}
	return found;
}

void jwks_put(JsonWriter *w, const Jwks *keys)
{
	json_begin_object(w);
	json_key(w, S("keys"));
	json_begin_array(w);
	for (size_t i = 0; i < keys->count; i++)
		jwk_put(w, keys->at[i], false);
	json_end(w);
	json_end(w);
}
