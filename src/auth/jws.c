/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures over text. The header's `alg` only picks among the algorithms that a key may be used with anyhow; what a header
 * could bring along beside it (keys, places to fetch keys from, extensions that change what is signed) is refused outright,
 * not ignored: whoever sends such a thing is lost or up to something. ES signatures are r and s, each as long as the order
 * (RFC 7518, 3.4); PSS salts are as long as the hash (3.5). */
#include "auth/jws.h"

#include "auth/b64.h"
#include "auth/jwk_int.h"
#include "base/arena.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <stdlib.h>

enum { SIGNATURE_MAX = 1024 };

static Err *refuse(Arena *a, const char *slug, const char *why)
{
	return err_new(a, ERR_UNAUTHENTICATED, slug, "%s", why);
}

/* --- taken apart -------------------------------------------------------------------------------------------------------- */

static Err *check_header(Arena *a, const Json *header)
{
	static const Str refused[] = {
		S("crit"), S("jwk"), S("jku"), S("x5u"), S("x5c"), S("b64")
	};

	for (size_t i = 0; i < COUNT(refused); i++)
		if (json_get(header, refused[i]))
			return err_new(a, ERR_UNAUTHENTICATED, "jws.header",
			               "the token's header has %.*s, which is not taken",
			               STR_ARG(refused[i]));
	return NULL;
}

static bool is_typ(Str typ, Str want)
{
	static const Str prefix = S("application/");

	if (typ.len > prefix.len && str_eq_nocase(str_sub(typ, 0, prefix.len), prefix))
		typ = str_sub(typ, prefix.len, typ.len);
	return str_eq_nocase(typ, want);
}

static Err *read_header(Arena *a, Str text, const JwsRules *rules, Jws *out)
{
	Str alg;

	if (json_read(a, text, JWS_HEADER_BYTES, &out->header) ||
	    json_kind(out->header) != JSON_KIND_OBJECT)
		return refuse(a, "jws.header", "the token's header is no JSON object");
	TRY(check_header(a, out->header));
	if (!json_to_str(json_get(out->header, S("alg")), &alg) || !jws_alg_read(alg, &out->alg) ||
	    (rules->algs && !(rules->algs & JWS_BIT(out->alg))))
		return refuse(a, "jws.algorithm",
		              "the token's algorithm is not one of those taken");
	if (json_get(out->header, S("kid")) &&
	    !json_to_str(json_get(out->header, S("kid")), &out->kid))
		return refuse(a, "jws.header", "the token's kid is not a string");
	if (json_get(out->header, S("typ")) &&
	    !json_to_str(json_get(out->header, S("typ")), &out->typ))
		return refuse(a, "jws.header", "the token's typ is not a string");
	if (rules->typ.len && !is_typ(out->typ, rules->typ))
		return err_new(a, ERR_UNAUTHENTICATED, "jws.header", "the token is no %.*s",
		               STR_ARG(rules->typ));
	return NULL;
}

Err *jws_open(Arena *a, Str token, const JwsRules *rules, Jws *out)
{
	ptrdiff_t first = str_find_char(token, '.'), last = str_rfind_char(token, '.');
	Str header;

	*out = (Jws){ 0 };
	if (token.len > (rules->max_bytes ? rules->max_bytes : (size_t)JWS_BYTES))
		return refuse(a, "jws.too_large", "the token is too large");
	if (first <= 0 || last <= first ||
	    !b64url_read(a, str_sub(token, 0, (size_t)first), &header) ||
	    !b64url_read(a, str_sub(token, (size_t)first + 1, (size_t)last), &out->payload) ||
	    !b64url_read(a, str_sub(token, (size_t)last + 1, token.len), &out->signature) ||
	    !out->signature.len)
		return refuse(a, "jws.malformed", "the token is not three parts of base64url");
	out->signed_part = str_sub(token, 0, (size_t)last);
	return read_header(a, header, rules, out);
}

/* --- proved ------------------------------------------------------------------------------------------------------------- */

static const EVP_MD *hash_of(JwsAlg alg)
{
	static const uint8_t which[] = {
		[JWS_RS256] = 0, [JWS_RS384] = 1, [JWS_RS512] = 2, [JWS_PS256] = 0, [JWS_PS384] = 1,
		[JWS_PS512] = 2, [JWS_ES256] = 0, [JWS_ES384] = 1, [JWS_ES512] = 2, [JWS_EDDSA] = 0,
		[JWS_HS256] = 0, [JWS_HS384] = 1, [JWS_HS512] = 2,
	};

	_Static_assert(COUNT(which) == JWS_ALGS, "an algorithm has no hash");
	return alg == JWS_EDDSA ? NULL : jws_evp()->sha[which[alg]];
}

static bool is_pss(JwsAlg alg)
{
	return alg >= JWS_PS256 && alg <= JWS_PS512;
}

static bool is_es(JwsAlg alg)
{
	return alg >= JWS_ES256 && alg <= JWS_ES512;
}

/* Of r and of s. */
static size_t es_bytes(JwsAlg alg)
{
	static const uint8_t bytes[] = { 32, 48, 66 };

	return bytes[alg - JWS_ES256];
}

static void free_sig(ECDSA_SIG **sig)
{
	ECDSA_SIG_free(*sig);
}

/* r and s as DER; 0: they are not as long as they must be. */
static size_t es_to_der(JwsAlg alg, Str rs, unsigned char *der)
{
	AUTO(free_sig) ECDSA_SIG *sig = ECDSA_SIG_new();
	const unsigned char *at = (const unsigned char *)rs.at;
	size_t half = es_bytes(alg);
	int len;

	if (!sig || rs.len != 2 * half)
		return 0;
	ECDSA_SIG_set0(sig, BN_bin2bn(at, (int)half, NULL), BN_bin2bn(at + half, (int)half, NULL));
	len = i2d_ECDSA_SIG(sig, &der);
	return len > 0 ? (size_t)len : 0;
}

static bool es_from_der(JwsAlg alg, const unsigned char *der, size_t len, unsigned char *rs)
{
	AUTO(free_sig) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	int half = (int)es_bytes(alg);

	return sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, half) == half &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + half, half) == half;
}

static void free_md(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

static bool set_pss(EVP_PKEY_CTX *ctx, JwsAlg alg)
{
	return !is_pss(alg) || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	                        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool verify_public(const Jwk *key, JwsAlg alg, Str text, Str signature)
{
	AUTO(free_md) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char der[SIGNATURE_MAX];
	const unsigned char *sig = (const unsigned char *)signature.at;
	size_t len = signature.len;
	EVP_PKEY_CTX *pctx;

	if (is_es(alg)) {
		len = es_to_der(alg, signature, der);
		sig = der;
	} else if (alg != JWS_EDDSA && len != (size_t)EVP_PKEY_get_size(key->pkey)) {
		return false;
	}
	return ctx && len && EVP_DigestVerifyInit(ctx, &pctx, hash_of(alg), NULL, key->pkey) == 1 &&
	       set_pss(pctx, alg) &&
	       EVP_DigestVerify(ctx, sig, len, (const unsigned char *)text.at, text.len) == 1;
}

static void free_mac(EVP_MAC_CTX **ctx)
{
	EVP_MAC_CTX_free(*ctx);
}

/* Gives the length of out; 0 is never. */
static size_t hmac(const Jwk *key, JwsAlg alg, Str text, unsigned char out[EVP_MAX_MD_SIZE])
{
	AUTO(free_mac) EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(jws_evp()->hmac);
	char *hash = (char *)EVP_MD_get0_name(hash_of(alg));
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash, 0),
		                OSSL_PARAM_construct_end() };
	size_t len = 0;

	if (!ctx ||
	    EVP_MAC_init(ctx, (const unsigned char *)key->secret.at, key->secret.len, params) !=
	            1 ||
	    EVP_MAC_update(ctx, (const unsigned char *)text.at, text.len) != 1 ||
	    EVP_MAC_final(ctx, out, &len, EVP_MAX_MD_SIZE) != 1)
		abort();
	return len;
}

static bool verify_secret(const Jwk *key, JwsAlg alg, Str text, Str signature)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	size_t len = hmac(key, alg, text, mac);

	return signature.len == len && CRYPTO_memcmp(mac, signature.at, len) == 0;
}

Err *jws_prove(Arena *a, Jws *jws, const Jwks *keys)
{
	const Jwk *key = jwks_find(keys, jws->kid, jws->alg);
	bool fine;

	if (!key)
		return refuse(a, "jws.key", "no key is known for the token");
	ERR_clear_error();
	fine = key->pkey ? verify_public(key, jws->alg, jws->signed_part, jws->signature)
	                 : verify_secret(key, jws->alg, jws->signed_part, jws->signature);
	ERR_clear_error();
	if (!fine)
		return refuse(a, "jws.signature", "the token's signature is not its key's");
	jws->key = key;
	return NULL;
}

Err *jws_verify(Arena *a, Str token, const Jwks *keys, const JwsRules *rules, Jws *out)
{
	TRY(jws_open(a, token, rules, out));
	return jws_prove(a, out, keys);
}

/* --- signed ------------------------------------------------------------------------------------------------------------- */

static bool sign_public(const Jwk *key, JwsAlg alg, Str text, unsigned char out[SIGNATURE_MAX],
                        size_t *len)
{
	AUTO(free_md) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char made[SIGNATURE_MAX];
	unsigned char *into = is_es(alg) ? made : out;
	EVP_PKEY_CTX *pctx;

	*len = SIGNATURE_MAX;
	if (!ctx || EVP_DigestSignInit(ctx, &pctx, hash_of(alg), NULL, key->pkey) != 1 ||
	    !set_pss(pctx, alg) ||
	    EVP_DigestSign(ctx, into, len, (const unsigned char *)text.at, text.len) != 1)
		return false;
	if (!is_es(alg))
		return true;
	if (!es_from_der(alg, made, *len, out))
		return false;
	*len = 2 * es_bytes(alg);
	return true;
}

static Str header_text(Arena *a, const Jwk *key, JwsAlg alg, Str typ)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_object(&w);
	json_put_str(&w, "alg", jws_alg_name(alg));
	if (typ.len)
		json_put_str(&w, "typ", typ);
	if (key->kid.len)
		json_put_str(&w, "kid", key->kid);
	json_end(&w);
	return b64url(a, buf_str(&b));
}

Err *jws_sign(Arena *a, const Jwk *key, JwsAlg alg, Str typ, Str payload, Str *token)
{
	unsigned char signature[SIGNATURE_MAX];
	Str header, text, body = b64url(a, payload);
	size_t len;

	if (key->algs == JWS_BIT(jwk_alg(key)))
		alg = jwk_alg(key);
	if (!key->signs || !(key->algs & JWS_BIT(alg)))
		return err_new(a, ERR_INVALID, "jws.key", "that key cannot sign with %.*s",
		               STR_ARG(jws_alg_name(alg)));
	header = header_text(a, key, alg, typ);
	text = str_fmt(a, "%.*s.%.*s", STR_ARG(header), STR_ARG(body));
	ERR_clear_error();
	if (!key->pkey)
		len = hmac(key, alg, text, signature);
	else if (!sign_public(key, alg, text, signature, &len))
		return err_new(a, ERR_INTERNAL, "jws.sign", "OpenSSL did not sign");
	*token = str_fmt(a, "%.*s.%.*s", STR_ARG(text),
	                 STR_ARG(b64url(a, (Str){ (char *)signature, len })));
	return NULL;
}
