/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/jws.c"

#include "base/file.h"

#include "unit.h"

#include <string.h>

/* --- vectors of others ------------------------------------------------------------------------------------------------- */

static Str as_text(Arena *a, const Json *value)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_put(&w, value);
	return str_dup(a, buf_str(&b));
}

/* Vectors whose verdict here is another than the one they name, and why. */
static const struct {
	const char *file;
	int64_t id;
	const char *why;
} exceptions[] = {
	{ "json_web_signature_test.json", 346, "the key is for PS256, the token is PS384" },
	{ "json_web_signature_test.json", 347, "the key is for ES521, which is no algorithm" },
	{ "json_web_signature_test.json", 350, "the key is for PS256, the token is PS384" },
	{ "json_web_signature_test.json", 351, "the key is for ES521, which is no algorithm" },
	{ "json_web_signature_test.json", 367, "byte for byte the token of 357, which is valid" },
	{ "json_web_signature_test.json", 370, "byte for byte the token of 357, which is valid" },
	{ "json_web_signature_test.json", 372,
	  "has a question mark, which is not in the alphabet" },
	{ "json_web_signature_test.json", 373,
	  "has a question mark, which is not in the alphabet" },
};

static bool is_exception(const char *file, int64_t id)
{
	for (size_t i = 0; i < COUNT(exceptions); i++)
		if (!strcmp(exceptions[i].file, file) && exceptions[i].id == id)
			return true;
	return false;
}

static bool accepts(Arena *a, const Json *group, Str token)
{
	const Json *open = json_get(group, S("public"));
	const Jwks *keys;
	Jws jws;

	if (jwks_read(a, as_text(a, open ? open : json_get(group, S("private"))),
	              open ? JWK_TAKE_PUBLIC : JWK_TAKE_SECRET, &keys))
		return false;
	return !jws_verify(a, token, keys, &(JwsRules){ 0 }, &jws);
}

static void try_vectors(Arena *a, const char *file, size_t least)
{
	const Json *top, *groups;
	size_t tried = 0, taken = 0;
	Str text;

	CHECK_OK(file_read(a, str_fmt(a, "tests/data/wycheproof/%s", file), 0, &text));
	CHECK_OK(json_read(a, text, 0, &top));
	groups = json_get(top, S("testGroups"));
	for (size_t i = 0; i < json_count(groups); i++) {
		const Json *tests = json_get(json_at(groups, i), S("tests"));

		for (size_t k = 0; k < json_count(tests); k++) {
			const Json *test = json_at(tests, k);
			Str token, result, comment;
			bool want, got;
			int64_t id;

			CHECK(json_to_str(json_get(test, S("jws")), &token));
			CHECK(json_to_str(json_get(test, S("result")), &result));
			CHECK(json_to_str(json_get(test, S("comment")), &comment));
			CHECK(json_to_i64(json_get(test, S("tcId")), &id));
			want = str_eq(result, S("valid")) != is_exception(file, id);
			got = accepts(a, json_at(groups, i), token);
			NOTE("%s %d: %.*s", file, (int)id, STR_ARG(comment));
			CHECK_INT(got, want);
			tried++;
			taken += got;
		}
	}
	CHECK(tried >= least && taken > 0);
}

TEST(vectors_of_signatures)
{
	try_vectors(a, "json_web_signature_test.json", 401);
}

TEST(vectors_of_keys)
{
	try_vectors(a, "json_web_key_test.json", 26);
}

/* --- both ways ---------------------------------------------------------------------------------------------------------- */

TEST(what_is_signed_is_proved_and_nothing_else_is)
{
	for (JwsAlg alg = 0; alg < JWS_ALGS; alg++) {
		const Jwk *key, *other;
		const Jwks *keys;
		Str token, changed;
		Jws jws;

		NOTE("%.*s", STR_ARG(jws_alg_name(alg)));
		if (JWS_BIT(alg) & JWS_SECRET) {
			Str secret = S(
				"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");

			CHECK_OK(jwk_of_secret(a, secret, S("k"), JWS_BIT(alg), &key));
			CHECK_OK(jwk_of_secret(a, str_lower(a, str_sub(secret, 0, 64)), S("k"),
			                       JWS_BIT(alg), &other));
			((char *)other->secret.at)[3]++;
		} else {
			CHECK_OK(jwk_make(a, alg, &key));
			CHECK_OK(jwk_make(a, alg, &other));
		}
		keys = jwks_of(a, key);
		CHECK_OK(jws_sign(a, key, alg, S("JWT"), S("{\"sub\":\"7\"}"), &token));
		CHECK_OK(jws_verify(a, token, keys,
		                    &(JwsRules){ .algs = JWS_BIT(alg), .typ = S("jwt") }, &jws));
		CHECK_STR(jws.payload, S("{\"sub\":\"7\"}"));
		CHECK_STR(jws.kid, key->kid);
		CHECK(jws.key == key);
		changed = str_dup(a, token);
		((char *)changed.at)[changed.len / 2] ^= 1;
		CHECK(jws_verify(a, changed, keys, &(JwsRules){ 0 }, &jws));
		((Jwk *)other)->kid = key->kid;
		CHECK_ERR(jws_verify(a, token, jwks_of(a, other), &(JwsRules){ 0 }, &jws),
		          "jws.signature");
		CHECK_ERR(jws_verify(a, token, keys,
		                     &(JwsRules){ .algs = JWS_BIT((alg + 1) % JWS_ALGS) }, &jws),
		          "jws.algorithm");
		CHECK_ERR(jws_verify(a, token, keys, &(JwsRules){ .typ = S("at+jwt") }, &jws),
		          "jws.header");
		CHECK_ERR(jws_verify(a, token, keys, &(JwsRules){ .max_bytes = 40 }, &jws),
		          "jws.too_large");
	}
}

TEST(an_rsa_key_without_an_algorithm_is_for_those_of_its_kind)
{
	const Jwk *made, *key;
	Jwk any;
	Str token;
	Jws jws;

	CHECK_OK(jwk_make(a, JWS_RS256, &made));
	any = *made;
	any.algs = JWS_BIT(JWS_ES256) - 1;
	key = &any;
	CHECK_OK(jws_sign(a, key, JWS_PS384, S(""), S("x"), &token));
	CHECK_OK(jws_verify(a, token, jwks_of(a, key), &(JwsRules){ 0 }, &jws));
	CHECK_INT(jws.alg, JWS_PS384);
	CHECK_ERR(jws_verify(a, token, jwks_of(a, made), &(JwsRules){ 0 }, &jws), "jws.key");
	CHECK_ERR(jws_sign(a, key, JWS_HS256, S(""), S("x"), &token), "jws.key");
}

/* The public key's text as a secret: the oldest trick. */
TEST(a_public_key_is_no_secret)
{
	const Jwk *key, *secret;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str token;
	Jws jws;

	CHECK_OK(jwk_make(a, JWS_RS256, &key));
	jwk_put(&w, key, false);
	CHECK_OK(jwk_of_secret(a, buf_str(&b), key->kid, JWS_BIT(JWS_HS256), &secret));
	CHECK_OK(jws_sign(a, secret, JWS_HS256, S("JWT"), S("{}"), &token));
	CHECK_ERR(jws_verify(a, token, jwks_of(a, key), &(JwsRules){ 0 }, &jws), "jws.key");
}

static Str with_header(Arena *a, const char *header)
{
	return str_fmt(a, "%.*s.e30.AAAA", STR_ARG(b64url(a, str_of(header))));
}

TEST(headers_that_bring_something_along_are_refused)
{
	static const struct {
		const char *header, *slug;
	} cases[] = {
		{ "{\"alg\":\"none\"}", "jws.algorithm" },
		{ "{\"alg\":\"None\"}", "jws.algorithm" },
		{ "{\"alg\":\"rs256\"}", "jws.algorithm" },
		{ "{\"alg\":256}", "jws.algorithm" },
		{ "{}", "jws.algorithm" },
		{ "[]", "jws.header" },
		{ "{\"alg\":\"RS256\",\"alg\":\"HS256\"}", "jws.header" },
		{ "{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", "jws.header" },
		{ "{\"alg\":\"RS256\",\"crit\":[]}", "jws.header" },
		{ "{\"alg\":\"RS256\",\"b64\":false}", "jws.header" },
		{ "{\"alg\":\"RS256\",\"jku\":\"https://evil.example/\"}", "jws.header" },
		{ "{\"alg\":\"RS256\",\"x5u\":\"https://evil.example/\"}", "jws.header" },
		{ "{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\"}}", "jws.header" },
		{ "{\"alg\":\"RS256\",\"x5c\":[]}", "jws.header" },
		{ "{\"alg\":\"RS256\",\"kid\":7}", "jws.header" },
		{ "{\"alg\":\"RS256\"} x", "jws.header" },
	};
	Jws jws;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].header);
		CHECK_ERR(jws_open(a, with_header(a, cases[i].header), &(JwsRules){ 0 }, &jws),
		          cases[i].slug);
	}
}

TEST(texts_that_are_no_tokens)
{
	static const Str cases[] = { S(""),
		                     S("."),
		                     S(".."),
		                     S("a.b"),
		                     S("a..b"),
		                     S("e30.e30"),
		                     S("e30.e30."),
		                     S("e30.e30.e30.e30"),
		                     S("e30.e3 0.AAAA"),
		                     S("e30=.e30.AAAA"),
		                     S("e31.e30.AAAA") };
	Jws jws;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("row %zu", i);
		CHECK(jws_open(a, cases[i], &(JwsRules){ 0 }, &jws));
	}
}
