/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of programs, "bk_" and an id that may be shown, "_" and a secret: 256 random bits, so their SHA-256 is all that is kept.
 * They live in a file, a JSON object {"keys": [...]}, which people may read and `banyan keys` writes. */
#pragma once
#include "base/json.h"
#include "base/map.h"

enum {
	API_KEY_ID = 15,
	API_KEY_BYTES = API_KEY_ID + 1 + 43,
	API_KEYS_FILE_BYTES = 64 << 20,
	API_KEY_SCOPES = 64
};

typedef struct ApiKey {
	Str id; /* "bk_0123456789ab" */
	Str owner;
	const Str *scopes;
	size_t scope_count;
	int64_t created_us, expires_us, revoked_us; /* UTC; 0: never */
	uint8_t hash[32];
	const Json *claims; /* what it proves: sub (the owner), key (the id), scope */
} ApiKey;

typedef struct ApiKeySet {
	ApiKey *at;
	size_t count;
	Map by_id; /* freed with the arena */
} ApiKeySet;

/* Fails with INVALID "keys.invalid", and as json_read does. */
Err *api_keys_read(Arena *a, Str text, ApiKeySet *out) MUST_USE;
void api_keys_put(const ApiKeySet *set, Buf *b);

/* A new one, its text for whoever is to have it: it cannot be had again. */
Err *api_key_make(Arena *a, Str owner, const Str *scopes, size_t scope_count, int64_t now_us,
                  int64_t expires_us, ApiKey *out, Str *text) MUST_USE;

/* Fails with UNAUTHENTICATED "keys.unknown", "keys.expired", "keys.revoked". Takes as long for a wrong secret as for the right one. */
Err *api_key_find(const ApiKeySet *set, Str text, int64_t now_us, const ApiKey **out) MUST_USE;
/* The same of one key; NULL: there is none of that id. */
Err *api_key_prove(const ApiKey *key, Str text, int64_t now_us) MUST_USE;
bool api_key_has_scope(const ApiKey *key, Str scope);
