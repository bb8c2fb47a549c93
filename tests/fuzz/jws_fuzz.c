/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens and JWK sets: the first byte says which. A token that was made up is never proved; what a set has is written and
 * read again as the same keys. */
#include "auth/jwt.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static const Jwks *known(Arena *a)
{
	static const Str text = S(
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"e\",\"x\":"
		"\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"p\",\"x\":\"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY\","
		"\"y\":\"UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw\"}]}");
	const Jwks *keys = NULL;

	must(!jwks_read(a, text, JWK_TAKE_PUBLIC, &keys));
	return keys;
}

static void try_token(Arena *a, Str text)
{
	Jws jws;
	Jwt jwt;

	if (jws_open(a, text, &(JwsRules){ 0 }, &jws))
		return;
	must(str_eq(jws.signed_part, str_sub(text, 0, jws.signed_part.len)));
	must(jws_prove(a, &jws, known(a)) || jws.key);
	if (!jwt_check(a, jws.payload, &(JwtRules){ .issuer = S("i"), .skew_us = 1 }, 1000000,
	               &jwt))
		must(json_kind(jwt.claims) == JSON_KIND_OBJECT);
}

static void try_set(Arena *a, Str text, JwkTake take)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Jwks *keys, *again = NULL;
	Str out;

	if (jwks_read(a, text, take, &keys) || take == JWK_TAKE_SECRET)
		return;
	jwks_put(&w, keys);
	must(!json_done(&w, &out));
	must(!jwks_read(a, out, JWK_TAKE_PUBLIC, &again));
	must(again->count == keys->count);
	for (size_t i = 0; i < keys->count; i++)
		must(str_eq(jwk_thumbprint(a, keys->at[i]), jwk_thumbprint(a, again->at[i])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new(0);
	Str text = { (const char *)data + 1, size - 1 };

	if (size && data[0] == 't')
		try_token(a, text);
	else if (size)
		try_set(a, text,
		        data[0] == 's'   ? JWK_TAKE_SECRET
		        : data[0] == 'p' ? JWK_TAKE_PRIVATE
		                         : JWK_TAKE_PUBLIC);
	arena_free(a);
	return 0;
}
