/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwk.c"

#include "unit.h"

static const Json *parsed(Arena *a, Str text)
{
	const Json *value;

	CHECK_OK(json_read(a, text, 0, &value));
	return value;
}

/* RFC 7638, section 3.1. */
TEST(the_thumbprint_of_the_rfc)
{
	const Jwk *key;

	CHECK_OK(jwk_read(
		a,
		parsed(a,
	               S("{\"kty\":\"RSA\",\"n\":"
	                 "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
	                 "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_"
	                 "RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbIS"
	                 "D08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\","
	                 "\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}")),
		JWK_TAKE_PUBLIC, &key));
	CHECK_STR(jwk_thumbprint(a, key), S("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
	CHECK_STR(key->kid, S("2011-04-29"));
	CHECK_INT(key->algs, JWS_BIT(JWS_RS256));
	CHECK(!key->signs);
}

TEST(keys_come_back_as_they_were_written)
{
	static const JwsAlg algs[] = { JWS_RS256, JWS_PS512, JWS_ES256,
		                       JWS_ES384, JWS_ES512, JWS_EDDSA };

	for (size_t i = 0; i < COUNT(algs); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		JsonWriter w = json_writer(&b);
		const Jwk *key, *again;
		Str text;

		NOTE("%.*s", STR_ARG(jws_alg_name(algs[i])));
		CHECK_OK(jwk_make(a, algs[i], &key));
		jwk_put(&w, key, true);
		CHECK_OK(json_done(&w, &text));
		CHECK_OK(jwk_read(a, parsed(a, text), JWK_TAKE_PRIVATE, &again));
		CHECK(again->signs && again->algs == key->algs);
		CHECK_STR(again->kid, key->kid);
		CHECK_STR(jwk_thumbprint(a, again), key->kid);
		CHECK_OK(jwk_read(a, parsed(a, text), JWK_TAKE_PUBLIC, &again));
		CHECK(!again->signs);
		buf_clear(&b);
		w = json_writer(&b);
		jwk_put(&w, key, false);
		CHECK_OK(json_done(&w, &text));
		CHECK_INT(str_find(text, S("\"d\"")), -1);
	}
}

TEST(a_secret_leaves_only_when_it_is_asked_for)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Jwk *key;

	CHECK_OK(jwk_of_secret(a, S("0123456789abcdef0123456789abcdef"), S("s"), JWS_BIT(JWS_HS256),
	                       &key));
	jwk_put(&w, key, false);
	CHECK_INT(b.len, 0);
	CHECK_ERR(jwk_of_secret(a, S("0123456789abcdef"), S("s"), JWS_BIT(JWS_HS256), &key),
	          "jwk.weak");
}

#define X256 "\"x\":\"04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY\""
#define Y256 "\"y\":\"UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw\""
#define P256 "\"kty\":\"EC\",\"crv\":\"P-256\"," X256 "," Y256

TEST(keys_that_are_not_taken)
{
	static const struct {
		Str text;
		const char *slug;
	} cases[] = {
		{ S("{" P256 "}"), NULL },
		{ S("{" P256 ",\"alg\":\"ES256\",\"use\":\"sig\",\"key_ops\":[\"verify\"]}"),
		  NULL },
		{ S("{" P256 ",\"alg\":\"ES384\"}"), "jwk.invalid" },
		{ S("{" P256 ",\"alg\":\"ES257\"}"), "jwk.kind" },
		{ S("{" P256 ",\"alg\":\"HS256\"}"), "jwk.invalid" },
		{ S("{" P256 ",\"use\":\"enc\"}"), "jwk.kind" },
		{ S("{" P256 ",\"key_ops\":[\"deriveKey\"]}"), "jwk.kind" },
		{ S("{" P256 ",\"kid\":5}"), "jwk.invalid" },
		{ S("{\"kty\":\"EC\",\"crv\":\"P-256\"," X256 "}"), "jwk.invalid" },
		{ S("{\"kty\":\"EC\",\"crv\":\"secp256k1\"," X256 "," Y256 "}"), "jwk.kind" },
		{ S("{\"kty\":\"EC\",\"crv\":\"P-384\"," X256 "," Y256 "}"), "jwk.invalid" },
		{ S("{\"kty\":\"EC\",\"crv\":\"P-256\"," X256
		    ",\"y\":\"UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgnw\"}"),
		  "jwk.invalid" },
		{ S("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}"), "jwk.invalid" },
		{ S("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AAAA\"}"), "jwk.kind" },
		{ S("{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}"),
		  "jwk.kind" },
		{ S("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"), "jwk.weak" },
		{ S("{\"kty\":\"RSA\",\"e\":\"AQAB\"}"), "jwk.invalid" },
		{ S("{\"kty\":\"new\"}"), "jwk.kind" },
		{ S("{}"), "jwk.invalid" },
		{ S("[]"), "jwk.invalid" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Jwk *key;
		Err *err = jwk_read(a, parsed(a, cases[i].text), JWK_TAKE_PUBLIC, &key);

		NOTE("row %zu", i);
		if (cases[i].slug)
			CHECK_ERR(err, cases[i].slug);
		else
			CHECK_OK(err);
	}
}

TEST(a_pem_key_is_one_too)
{
	static const Str pem = S("-----BEGIN PUBLIC KEY-----\n"
	                         "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
	                         "-----END PUBLIC KEY-----\n");
	const Jwk *key;

	CHECK_OK(jwk_read_pem(a, pem, S(""), 0, &key));
	CHECK_INT(key->algs, JWS_BIT(JWS_EDDSA));
	CHECK_STR(key->kid, S("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")); /* RFC 8037, A.3 */
	CHECK_ERR(jwk_read_pem(a, pem, S(""), JWS_BIT(JWS_RS256), &key), "jwk.invalid");
	CHECK_ERR(jwk_read_pem(a, S("no key"), S(""), 0, &key), "jwk.invalid");
}
