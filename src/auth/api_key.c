/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of programs. The id finds the row, the hash proves the secret; what is stored is worth nothing to who steals it. A key
 * that was revoked stays in the file with its time, so that a log can still be read. */
#include "auth/api_key.h"

#include "auth/b64.h"
#include "auth/jwk_int.h"
#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

static Err unknown = ERR_STATIC(UNAUTHENTICATED, "keys.unknown", "that key is not known");
static Err expired = ERR_STATIC(UNAUTHENTICATED, "keys.expired", "that key has expired");
static Err revoked = ERR_STATIC(UNAUTHENTICATED, "keys.revoked", "that key was revoked");

static void hash_text(Str text, uint8_t out[32])
{
	if (!EVP_Digest(text.at, text.len, out, NULL, jws_evp()->sha[0], NULL))
		abort();
}

static void put_hex(Buf *b, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_fmt(b, "%02x", bytes[i]);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hash(Str text, uint8_t out[32])
{
	if (text.len != 64)
		return false;
	for (size_t i = 0; i < 32; i++) {
		int high = digit_of(text.at[2 * i]), low = digit_of(text.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool is_id(Str id)
{
	if (id.len != API_KEY_ID || !str_starts(id, S("bk_")))
		return false;
	for (size_t i = 3; i < id.len; i++)
		if (digit_of(id.at[i]) < 0)
			return false;
	return true;
}

static bool read_time(const Json *value, int64_t *us)
{
	Str text;

	*us = 0;
	return json_kind(value) == JSON_KIND_NULL ||
	       (json_to_str(value, &text) && time_read_rfc3339(text, us));
}

static bool read_scopes(Arena *a, const Json *list, ApiKey *key)
{
	Str *scopes = ARENA_ARRAY(a, Str, json_count(list));

	if (list && (json_kind(list) != JSON_KIND_ARRAY || json_count(list) > API_KEY_SCOPES))
		return false;
	for (size_t i = 0; i < json_count(list); i++)
		if (!json_to_str(json_at(list, i), &scopes[i]))
			return false;
	key->scopes = scopes;
	key->scope_count = json_count(list);
	return true;
}

static Err *make_claims(Arena *a, ApiKey *key)
{
	AUTO(buf_fini) Buf b = { 0 };
	AUTO(buf_fini) Buf scope = { 0 };
	JsonWriter w = json_writer(&b);

	for (size_t i = 0; i < key->scope_count; i++)
		buf_fmt(&scope, "%s%.*s", i ? " " : "", STR_ARG(key->scopes[i]));
	json_begin_object(&w);
	json_put_str(&w, "sub", key->owner);
	json_put_str(&w, "key", key->id);
	json_put_str(&w, "scope", buf_str(&scope));
	json_end(&w);
	return json_read(a, str_dup(a, buf_str(&b)), 0, &key->claims);
}

static Err *read_key(Arena *a, const Json *row, size_t number, ApiKey *key)
{
	Str hash;

	if (!json_to_str(json_get(row, S("id")), &key->id) || !is_id(key->id) ||
	    !json_to_str(json_get(row, S("hash")), &hash) || !read_hash(hash, key->hash) ||
	    !json_to_str(json_get(row, S("owner")), &key->owner) ||
	    !read_time(json_get(row, S("created")), &key->created_us) ||
	    !read_time(json_get(row, S("expires")), &key->expires_us) ||
	    !read_time(json_get(row, S("revoked")), &key->revoked_us) ||
	    !read_scopes(a, json_get(row, S("scopes")), key))
		return err_new(a, ERR_INVALID, "keys.invalid",
		               "key %zu of the file is not in order", number + 1);
	return make_claims(a, key);
}

static void free_map(void *map)
{
	map_fini(map);
}

Err *api_keys_read(Arena *a, Str text, ApiKeySet *out)
{
	const Json *top = NULL, *rows;

	if (text.len)
		TRY(json_read(a, text, API_KEYS_FILE_BYTES, &top));
	rows = json_get(top, S("keys"));
	if (top && json_kind(rows) != JSON_KIND_ARRAY)
		return err_new(a, ERR_INVALID, "keys.invalid", "expected {\"keys\": [...]}");
	*out = (ApiKeySet){ .at = ARENA_ARRAY(a, ApiKey, json_count(rows)) };
	arena_defer(a, free_map, &out->by_id);
	for (size_t i = 0; i < json_count(rows); i++) {
		TRY(read_key(a, json_at(rows, i), i, &out->at[i]));
		if (map_put(&out->by_id, out->at[i].id, &out->at[i]))
			return err_new(a, ERR_INVALID, "keys.invalid", "%.*s is there twice",
			               STR_ARG(out->at[i].id));
		out->count++;
	}
	return NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------------ */

static void put_time(JsonWriter *w, const char *key, int64_t us)
{
	json_key(w, str_of(key));
	if (us)
		json_add_time(w, us);
	else
		json_add_null(w);
}

static void put_key(JsonWriter *w, const ApiKey *key)
{
	AUTO(buf_fini) Buf hash = { 0 };

	put_hex(&hash, key->hash, sizeof key->hash);
	json_begin_object(w);
	json_put_str(w, "id", key->id);
	json_put_str(w, "hash", buf_str(&hash));
	json_put_str(w, "owner", key->owner);
	json_key(w, S("scopes"));
	json_begin_array(w);
	for (size_t i = 0; i < key->scope_count; i++)
		json_add_str(w, key->scopes[i]);
	json_end(w);
	put_time(w, "created", key->created_us);
	put_time(w, "expires", key->expires_us);
	put_time(w, "revoked", key->revoked_us);
	json_end(w);
}

/* A line a key, so that a diff shows what changed. */
void api_keys_put(const ApiKeySet *set, Buf *b)
{
	buf_put(b, S("{\"keys\": [\n"));
	for (size_t i = 0; i < set->count; i++) {
		AUTO(buf_fini) Buf line = { 0 };
		JsonWriter w = json_writer(&line);

		put_key(&w, &set->at[i]);
		buf_put(b, buf_str(&line));
		buf_put(b, i + 1 < set->count ? S(",\n") : S("\n"));
	}
	buf_put(b, S("]}\n"));
}

Err *api_key_make(Arena *a, Str owner, const Str *scopes, size_t scope_count, int64_t now_us,
                  int64_t expires_us, ApiKey *out, Str *text)
{
	AUTO(buf_fini) Buf id = { 0 };
	uint8_t bytes[6 + 32];

	rand_bytes(bytes, sizeof bytes);
	buf_put(&id, S("bk_"));
	put_hex(&id, bytes, 6);
	*out = (ApiKey){ .id = str_dup(a, buf_str(&id)),
		         .owner = owner,
		         .scopes = scopes,
		         .scope_count = scope_count,
		         .created_us = now_us,
		         .expires_us = expires_us };
	*text = str_fmt(a, "%.*s_%.*s", STR_ARG(out->id),
	                STR_ARG(b64url(a, (Str){ (char *)bytes + 6, 32 })));
	OPENSSL_cleanse(bytes, sizeof bytes);
	hash_text(*text, out->hash);
	return make_claims(a, out);
}

/* --- looking ------------------------------------------------------------------------------------------------------------ */

Err *api_key_prove(const ApiKey *key, Str text, int64_t now_us)
{
	static const ApiKey nobody;
	bool is_key = key && text.len == API_KEY_BYTES;
	uint8_t hash[32];

	hash_text(text, hash);
	if (CRYPTO_memcmp(hash, (is_key ? key : &nobody)->hash, sizeof hash) != 0 || !is_key)
		return &unknown;
	if (key->revoked_us)
		return &revoked;
	return key->expires_us && now_us >= key->expires_us ? &expired : NULL;
}

Err *api_key_find(const ApiKeySet *set, Str text, int64_t now_us, const ApiKey **out)
{
	const ApiKey *key = map_get(&set->by_id, str_sub(text, 0, API_KEY_ID));

	TRY(api_key_prove(key, text, now_us));
	*out = key;
	return NULL;
}

bool api_key_has_scope(const ApiKey *key, Str scope)
{
	for (size_t i = 0; i < key->scope_count; i++)
		if (str_eq(key->scopes[i], scope))
			return true;
	return false;
}
