/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwks.c"

#include "unit.h"

#define ED(kid, alg) \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"" kid \
		alg "}"
#define EC(kid) \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY\"," \
	"\"y\":\"UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw\"" kid "}"
#define OCT "{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\",\"kid\":\"s\"}"
#define KID(kid) ",\"kid\":\"" kid "\""

TEST(sets_and_what_is_left_of_them)
{
	static const struct {
		Str text;
		JwkTake take;
		const char *slug;
		size_t count, left_out;
	} cases[] = {
		{ S("{\"keys\":[" EC(KID("a")) "," ED(KID("b"), "") "]}"), JWK_TAKE_PUBLIC, NULL, 2,
		  0 },
		{ S("{\"keys\":[" EC(KID("a")) ",{\"kty\":\"new\"}," OCT "]}"), JWK_TAKE_PUBLIC,
		  NULL, 1, 2 },
		{ S("{\"keys\":[" EC(KID("a")) "," ED(KID("a"), "") "," ED(KID("b"), "") "]}"),
		  JWK_TAKE_PUBLIC, NULL, 1, 2 },
		{ S("{\"keys\":[" EC("") "," ED("", "") "]}"), JWK_TAKE_PUBLIC, NULL, 2, 0 },
		{ S("{\"keys\":[" EC("") "," EC("") "]}"), JWK_TAKE_PUBLIC, "jwks.empty", 0, 0 },
		{ S("{\"keys\":[" EC(KID("a")) "," OCT "]}"), JWK_TAKE_SECRET, "jwks.mixed", 0, 0 },
		{ S("{\"keys\":[" OCT "]}"), JWK_TAKE_SECRET, NULL, 1, 0 },
		{ S("{\"keys\":[" OCT "]}"), JWK_TAKE_PUBLIC, "jwks.empty", 0, 0 },
		{ S(EC(KID("a"))), JWK_TAKE_PUBLIC, NULL, 1, 0 },
		{ S("{\"keys\":[]}"), JWK_TAKE_PUBLIC, "jwks.empty", 0, 0 },
		{ S("{\"keys\":{}}"), JWK_TAKE_PUBLIC, "jwks.invalid", 0, 0 },
		{ S("[]"), JWK_TAKE_PUBLIC, "jwks.invalid", 0, 0 },
		{ S("{\"keys\":[" EC("") ""), JWK_TAKE_PUBLIC, "json.syntax", 0, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Jwks *keys = NULL;
		Err *err = jwks_read(a, cases[i].text, cases[i].take, &keys);

		NOTE("row %zu", i);
		if (cases[i].slug) {
			CHECK_ERR(err, cases[i].slug);
			continue;
		}
		CHECK_OK(err);
		CHECK_INT(keys->count, cases[i].count);
		CHECK_INT(keys->left_out, cases[i].left_out);
	}
}

TEST(keys_are_found_by_kid_and_without_one_when_there_is_no_choice)
{
	const Jwks *keys;

	CHECK_OK(jwks_read(a,
	                   S("{\"keys\":[" EC(KID("a")) "," EC(KID("b")) "," ED(KID("c"), "") "]}"),
	                   JWK_TAKE_PUBLIC, &keys));
	CHECK(jwks_find(keys, S("b"), JWS_ES256) == keys->at[1]);
	CHECK_NULL(jwks_find(keys, S("b"), JWS_EDDSA));
	CHECK_NULL(jwks_find(keys, S("x"), JWS_ES256));
	CHECK_NULL(jwks_find(keys, S(""), JWS_ES256));
	CHECK(jwks_find(keys, S(""), JWS_EDDSA) == keys->at[2]);
}
