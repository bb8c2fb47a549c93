/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/webpush_seal.c"

#include "unit.h"

#include <openssl/bn.h>
#include <openssl/param_build.h>

static Str bytes_of(Arena *a, const char *text)
{
	Str out = { 0 };

	CHECK(read_b64(a, str_of(text), &out));
	return out;
}

/* A pair from its private number. */
static EVP_PKEY *pair_of(Arena *a, const char *private, const char *public)
{
	Str d = bytes_of(a, private), q = bytes_of(a, public);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn((const unsigned char *)d.at, (int)d.len, NULL);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	OSSL_PARAM_BLD_push_utf8_string(bld, "group", "P-256", 0);
	OSSL_PARAM_BLD_push_BN(bld, "priv", n);
	OSSL_PARAM_BLD_push_octet_string(bld, "pub", q.at, q.len);
	params = OSSL_PARAM_BLD_to_param(bld);
	CHECK_INT(EVP_PKEY_fromdata_init(ctx), 1);
	CHECK_INT(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* RFC 8291, section 5 and appendix A. */
TEST(webpush_seals_as_the_rfc_s_example)
{
	AUTO(pkey_freep) EVP_PKEY *own = pair_of(
		a, "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
		"BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
	Str salt = bytes_of(a, "DGv6ra1nlYgDCS1FRnbzlw"), out;
	WebpushKeys keys;

	CHECK_OK(webpush_keys(
		a,
		S("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
		S("BTBZMqHH6r4Tts7J_aSIgg"), &keys));
	CHECK_OK(seal_with(a, &keys, S("When I grow up, I want to be a watermelon"), own,
	                   (const unsigned char *)salt.at, &out));
	CHECK_STR(
		b64url(a, out),
		S("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
	          "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"));
}

TEST(webpush_keys_are_looked_at)
{
	static const struct {
		const char *p256dh, *auth;
		bool fine;
	} cases[] = {
		{ "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
		  "BTBZMqHH6r4Tts7J_aSIgg==", true },
		{ "BCVxsr7N/eNgVRqvHtD0zTZsEc6+VV+JvLexhqUzORcxaOzi6+AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4=",
		  "BTBZMqHH6r4Tts7J/aSIgg==", true },
		{ "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw",
		  "BTBZMqHH6r4Tts7J_aSIgg", false },
		{ "ACVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
		  "BTBZMqHH6r4Tts7J_aSIgg", false },
		{ "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
		  "BTBZMqHH6r4Tts7J_aSI", false },
		{ "", "", false },
	};
	WebpushKeys keys;

	for (size_t i = 0; i < COUNT(cases); i++) {
		Err *err = webpush_keys(a, str_of(cases[i].p256dh), str_of(cases[i].auth), &keys);

		NOTE("%u", (unsigned)i);
		CHECK_INT(!err, cases[i].fine);
	}
}

TEST(webpush_refuses_a_point_beside_the_curve_and_what_is_too_long)
{
	char text[WEBPUSH_BYTES + 1] = { 0 };
	WebpushKeys keys;
	Str out;

	CHECK_OK(webpush_keys(
		a,
		S("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
		S("BTBZMqHH6r4Tts7J_aSIgg"), &keys));
	CHECK_OK(webpush_seal(a, &keys, (Str){ text, WEBPUSH_BYTES }, &out));
	CHECK_INT(out.len, 4096);
	CHECK_ERR(webpush_seal(a, &keys, (Str){ text, WEBPUSH_BYTES + 1 }, &out),
	          "webpush.too_large");
	keys.p256dh = str_dup(a, keys.p256dh);
	((char *)keys.p256dh.at)[40] ^= 1;
	CHECK_ERR(webpush_seal(a, &keys, S("x"), &out), "webpush.keys");
}

TEST(webpush_vapid_says_who_and_for_whom)
{
	const Jwk *key, *other;
	Jws jws;
	Str head, token, payload;

	CHECK_OK(jwk_make(a, JWS_ES256, &key));
	CHECK_OK(jwk_make(a, JWS_EDDSA, &other));
	CHECK_OK(webpush_vapid(a, key, S("https://push.test"), S("mailto:ops@shop.test"),
	                       1000 * US_PER_S, &head));
	CHECK(str_starts(head, S("vapid t=")));
	token = str_sub(head, 8, (size_t)str_find_char(head, ','));
	CHECK_OK(jws_open(a, token, &(JwsRules){ 0 }, &jws));
	payload =
		S("{\"aud\":\"https://push.test\",\"exp\":1000,\"sub\":\"mailto:ops@shop.test\"}");
	CHECK_STR(jws.payload, payload);
	CHECK_STR(jws.typ, S("JWT"));
	CHECK_ERR(webpush_vapid(a, other, S("https://push.test"), S("mailto:x"), 0, &head),
	          "webpush.vapid");
}
