/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys. What a key may be used with is settled here, once, out of its kind, its curve and what it says of itself, so that a
 * verifier has nothing left to choose. Coordinates are as long as their field (RFC 7518, 6.2.1.2); points off the curve are
 * refused by OpenSSL when the key is made. RSA keys below 2048 bits, with an exponent of 1 or an even one, or out of the
 * generator of CVE-2017-15361 (their primes are powers of 65537 modulo many small primes, and so is their product) are not
 * taken: such a set was written by a mistake or by somebody else. */
#include "auth/jwk.h"

#include "auth/b64.h"
#include "auth/jwk_int.h"
#include "base/arena.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 8192,
	SECRET_BYTES_MAX = 4096,
	PEM_BYTES_MAX = 64 << 10
};

static const Str alg_names[] = {
	[JWS_RS256] = S("RS256"), [JWS_RS384] = S("RS384"), [JWS_RS512] = S("RS512"),
	[JWS_PS256] = S("PS256"), [JWS_PS384] = S("PS384"), [JWS_PS512] = S("PS512"),
	[JWS_ES256] = S("ES256"), [JWS_ES384] = S("ES384"), [JWS_ES512] = S("ES512"),
	[JWS_EDDSA] = S("EdDSA"), [JWS_HS256] = S("HS256"), [JWS_HS384] = S("HS384"),
	[JWS_HS512] = S("HS512"),
};
_Static_assert(COUNT(alg_names) == JWS_ALGS, "an algorithm has no name");

#define RSA_ALGS (JWS_BIT(JWS_ES256) - 1)

typedef struct Curve {
	Str name;
	const char *group; /* as OpenSSL has it */
	JwsAlg alg;
	size_t bytes; /* of a coordinate */
} Curve;
static const Curve curves[] = {
	{ S("P-256"), "prime256v1", JWS_ES256, 32 },
	{ S("P-384"), "secp384r1", JWS_ES384, 48 },
	{ S("P-521"), "secp521r1", JWS_ES512, 66 },
};

enum { ED25519_BYTES = 32, COORDINATE_MAX = 66 };

Str jws_alg_name(JwsAlg alg)
{
	return alg_names[alg];
}

bool jws_alg_read(Str name, JwsAlg *out)
{
	for (JwsAlg alg = 0; alg < JWS_ALGS; alg++)
		if (str_eq(name, alg_names[alg])) {
			*out = alg;
			return true;
		}
	return false;
}

JwsAlg jwk_alg(const Jwk *key)
{
	return (JwsAlg)__builtin_ctz(key->algs);
}

/* --- OpenSSL's, fetched once -------------------------------------------------------------------------------------------- */

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static JwsEvp evp;

static void fetch(void)
{
	evp.sha[0] = EVP_MD_fetch(NULL, "SHA256", NULL);
	evp.sha[1] = EVP_MD_fetch(NULL, "SHA384", NULL);
	evp.sha[2] = EVP_MD_fetch(NULL, "SHA512", NULL);
	evp.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!evp.sha[0] || !evp.sha[1] || !evp.sha[2] || !evp.hmac)
		abort();
}

const JwsEvp *jws_evp(void)
{
	pthread_once(&fetched, fetch);
	return &evp;
}

/* --- what a key may be used with ---------------------------------------------------------------------------------------- */

static Err *invalid(Arena *a, const char *what)
{
	ERR_clear_error();
	return err_new(a, ERR_INVALID, "jwk.invalid", "%s", what);
}

static Err *weak(Arena *a, const char *what)
{
	return err_new(a, ERR_INVALID, "jwk.weak", "%s", what);
}

static const Curve *curve_of(const EVP_PKEY *pkey)
{
	char group[32];
	size_t len;

	if (EVP_PKEY_get_group_name((EVP_PKEY *)pkey, group, sizeof group, &len) != 1)
		return NULL;
	for (size_t i = 0; i < COUNT(curves); i++)
		if (!strcmp(group, curves[i].group))
			return &curves[i];
	return NULL;
}

static uint32_t algs_of(const EVP_PKEY *pkey)
{
	const Curve *curve;

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		return RSA_ALGS;
	case EVP_PKEY_ED25519:
		return JWS_BIT(JWS_EDDSA);
	case EVP_PKEY_EC:
		curve = curve_of(pkey);
		return curve ? JWS_BIT(curve->alg) : 0;
	default:
		return 0;
	}
}

static void free_bn(BIGNUM **n)
{
	BN_free(*n);
}

static bool is_power_of_65537(unsigned n, unsigned prime)
{
	unsigned power = 1;

	do {
		if (power == n)
			return true;
		power = (unsigned)((uint64_t)power * 65537 % prime);
	} while (power != 1);
	return false;
}

/* CVE-2017-15361. By chance: one key of 100 million. */
static bool is_roca(const BIGNUM *modulus)
{
	static const uint8_t primes[] = { 3,   5,   7,   11,  13,  17,  19,  23,  29,  31,
		                          37,  41,  43,  47,  53,  59,  61,  67,  71,  73,
		                          79,  83,  89,  97,  101, 103, 107, 109, 113, 127,
		                          131, 137, 139, 149, 151, 157, 163, 167 };

	for (size_t i = 0; i < COUNT(primes); i++)
		if (!is_power_of_65537((unsigned)BN_mod_word(modulus, primes[i]), primes[i]))
			return false;
	return true;
}

static Err *check_rsa(Arena *a, const EVP_PKEY *pkey)
{
	AUTO(free_bn) BIGNUM *n = NULL;
	AUTO(free_bn) BIGNUM *e = NULL;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return invalid(a, "an RSA key has no modulus or exponent");
	if (BN_num_bits(n) < RSA_BITS_MIN)
		return weak(a, "an RSA key has fewer than 2048 bits");
	if (BN_num_bits(n) > RSA_BITS_MAX || BN_num_bits(e) > 64)
		return invalid(a, "an RSA key has more than 8192 bits, or a huge exponent");
	if (!BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e))
		return weak(a, "an RSA key has an even modulus, or an exponent that is even or 1");
	if (is_roca(n))
		return weak(a, "an RSA key is of the generator of CVE-2017-15361");
	return NULL;
}

/* --- made of --------------------------------------------------------------------------------------------------------------- */

static void free_pkey(void *pkey)
{
	EVP_PKEY_free(pkey);
}

static void drop_pkey(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

/* Takes the key over, also when it fails. algs: what was asked for, 0: all of its kind. */
static Err *key_of(Arena *a, EVP_PKEY *pkey, bool signs, Str kid, uint32_t algs, const Jwk **out)
{
	AUTO(drop_pkey) EVP_PKEY *held = pkey;
	uint32_t may = algs_of(pkey);
	Jwk *key;

	if (!may)
		return err_new(a, ERR_INVALID, "jwk.kind",
		               "a key is neither RSA nor Ed25519 nor on P-256, P-384 or P-521");
	if (algs && (algs & may) != algs)
		return invalid(a, "a key's algorithm does not go with its kind");
	if (may == RSA_ALGS)
		TRY(check_rsa(a, pkey));
	key = ARENA_NEW(a, Jwk);
	*key = (Jwk){ .kid = kid, .algs = algs ? algs : may, .signs = signs, .pkey = TAKE(held) };
	arena_defer(a, free_pkey, key->pkey);
	*out = key;
	return NULL;
}

static void free_builder(OSSL_PARAM_BLD **b)
{
	OSSL_PARAM_BLD_free(*b);
}

static void free_params(OSSL_PARAM **params)
{
	OSSL_PARAM_free(*params);
}

static void free_ctx(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

static EVP_PKEY *from_params(const char *kind, OSSL_PARAM_BLD *b, bool pair)
{
	AUTO(free_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	AUTO(free_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *pkey = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, pair ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) !=
	            1)
		return NULL;
	return pkey;
}

/* Is the private half that of the public one? */
static bool is_pair(EVP_PKEY *pkey)
{
	AUTO(free_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	return ctx && EVP_PKEY_pairwise_check(ctx) == 1;
}

/* A member that is base64url; empty: it is not there, or no such thing. */
static Str member(Arena *a, const Json *value, const char *name)
{
	Str text, bytes = { 0 };

	if (!json_to_str(json_get(value, str_of(name)), &text) || !b64url_read(a, text, &bytes))
		return (Str){ 0 };
	return bytes;
}

static BIGNUM *number(Str bytes)
{
	return BN_bin2bn((const unsigned char *)bytes.at, (int)bytes.len, NULL);
}

typedef struct Numbers {
	BIGNUM *at[8];
} Numbers;

static void free_numbers(Numbers *numbers)
{
	for (size_t i = 0; i < COUNT(numbers->at); i++)
		BN_clear_free(numbers->at[i]);
}

static Err *read_rsa(Arena *a, const Json *value, bool pair, EVP_PKEY **out)
{
	static const struct {
		const char *member, *param;
	} parts[] = {
		{ "n", OSSL_PKEY_PARAM_RSA_N },          { "e", OSSL_PKEY_PARAM_RSA_E },
		{ "d", OSSL_PKEY_PARAM_RSA_D },          { "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
		{ "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },    { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
		{ "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 }, { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
	};
	AUTO(free_builder) OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	AUTO(free_numbers) Numbers numbers = { 0 };

	for (size_t i = 0; b && i < (pair ? COUNT(parts) : 2); i++) {
		Str bytes = member(a, value, parts[i].member);

		if (!bytes.len || bytes.len > 2 * RSA_BITS_MAX / 8)
			return invalid(a, "an RSA key lacks a number, or it is not base64url");
		numbers.at[i] = number(bytes);
		OSSL_PARAM_BLD_push_BN(b, parts[i].param, numbers.at[i]);
	}
	*out = b ? from_params("RSA", b, pair) : NULL;
	return *out ? NULL : invalid(a, "an RSA key does not hold together");
}

static Err *read_ec(Arena *a, const Json *value, bool pair, EVP_PKEY **out)
{
	AUTO(free_builder) OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	AUTO(free_numbers) Numbers numbers = { 0 };
	unsigned char point[1 + 2 * COORDINATE_MAX];
	Str x = member(a, value, "x"), y = member(a, value, "y"), d = member(a, value, "d");
	const Curve *curve = NULL;
	Str name = { 0 };

	json_to_str(json_get(value, S("crv")), &name);
	for (size_t i = 0; i < COUNT(curves); i++)
		if (str_eq(curves[i].name, name))
			curve = &curves[i];
	if (!curve)
		return err_new(a, ERR_INVALID, "jwk.kind", "a key's curve is not known here");
	if (x.len != curve->bytes || y.len != curve->bytes || (pair && d.len != curve->bytes))
		return invalid(a, "a coordinate is not as long as its curve wants it");
	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point + 1, x.at, x.len);
	memcpy(point + 1 + x.len, y.at, y.len);
	OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0);
	OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * x.len);
	if (pair) {
		numbers.at[0] = number(d);
		OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, numbers.at[0]);
	}
	*out = from_params("EC", b, pair);
	return *out ? NULL : invalid(a, "a point is not on its curve");
}

static Err *read_okp(Arena *a, const Json *value, bool pair, EVP_PKEY **out)
{
	Str x = member(a, value, "x"), d = member(a, value, "d"), crv = { 0 };
	unsigned char made[ED25519_BYTES];
	size_t len = sizeof made;

	json_to_str(json_get(value, S("crv")), &crv);
	if (!str_eq(crv, S("Ed25519")))
		return err_new(a, ERR_INVALID, "jwk.kind", "a key's curve is not known here");
	if (x.len != ED25519_BYTES || (pair && d.len != ED25519_BYTES))
		return invalid(a, "an Ed25519 key is not 32 bytes long");
	*out = pair ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
	                                           (const unsigned char *)d.at, d.len)
	            : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	                                          (const unsigned char *)x.at, x.len);
	if (!*out)
		return invalid(a, "an Ed25519 key does not hold together");
	if (pair && (EVP_PKEY_get_raw_public_key(*out, made, &len) != 1 ||
	             memcmp(made, x.at, sizeof made) != 0)) {
		EVP_PKEY_free(TAKE(*out));
		return invalid(a, "the halves of a key are not of the same");
	}
	return NULL;
}

Err *jwk_of_secret(Arena *a, Str secret, Str kid, uint32_t algs, const Jwk **out)
{
	static const uint8_t hash_bytes[] = { 32, 48, 64 };
	Jwk *key;

	for (unsigned i = 0; i < COUNT(hash_bytes); i++)
		if (algs & JWS_BIT(JWS_HS256 + i) && secret.len < hash_bytes[i])
			return err_new(a, ERR_INVALID, "jwk.weak",
			               "a secret for HS%u has fewer than %u bytes",
			               hash_bytes[i] * 8u, hash_bytes[i]);
	if (secret.len > SECRET_BYTES_MAX)
		return invalid(a, "a secret has more than 4096 bytes");
	key = ARENA_NEW(a, Jwk);
	*key = (Jwk){ .kid = kid, .algs = algs, .secret = secret, .signs = true };
	*out = key;
	return NULL;
}

/* What the key says of its use: `use`, `key_ops`, `alg`. *algs 0: it does not say. */
static Err *read_use(Arena *a, const Json *value, JwkTake take, uint32_t *algs)
{
	const Json *ops = json_get(value, S("key_ops")), *alg_value = json_get(value, S("alg"));
	bool fine = json_kind(ops) != JSON_KIND_ARRAY;
	JwsAlg alg;
	Str text;

	for (size_t i = 0; i < json_count(ops); i++)
		fine = fine || (json_to_str(json_at(ops, i), &text) &&
		                (str_eq(text, S("verify")) ||
		                 (take == JWK_TAKE_PRIVATE && str_eq(text, S("sign")))));
	if (json_kind(json_get(value, S("use"))) != JSON_KIND_NULL)
		fine = fine && json_to_str(json_get(value, S("use")), &text) &&
		       str_eq(text, S("sig"));
	if (!fine)
		return err_new(a, ERR_INVALID, "jwk.kind", "a key is not for signatures");
	*algs = 0;
	if (json_kind(alg_value) == JSON_KIND_NULL)
		return NULL;
	if (!json_to_str(alg_value, &text) || !jws_alg_read(text, &alg))
		return err_new(a, ERR_INVALID, "jwk.kind", "a key's algorithm is not known here");
	*algs = JWS_BIT(alg);
	return NULL;
}

static Err *read_secret(Arena *a, const Json *value, JwkTake take, Str kid, uint32_t algs,
                        const Jwk **out)
{
	Str secret = member(a, value, "k");

	if (take != JWK_TAKE_SECRET)
		return err_new(a, ERR_INVALID, "jwk.kind",
		               "a secret is taken only from who wrote it down as one");
	if (algs & JWS_PUBLIC)
		return invalid(a, "a key's algorithm does not go with its kind");
	return jwk_of_secret(a, secret, kid, algs ? algs : JWS_BIT(JWS_HS256), out);
}

Err *jwk_read(Arena *a, const Json *value, JwkTake take, const Jwk **out)
{
	static const struct {
		Str kty;
		Err *(*read)(Arena *a, const Json *value, bool pair, EVP_PKEY **out);
	} kinds[] = { { S("RSA"), read_rsa }, { S("EC"), read_ec }, { S("OKP"), read_okp } };
	bool pair = take == JWK_TAKE_PRIVATE;
	EVP_PKEY *pkey = NULL;
	uint32_t algs;
	Str kty, kid = { 0 };

	if (json_kind(value) != JSON_KIND_OBJECT || !json_to_str(json_get(value, S("kty")), &kty))
		return invalid(a, "a key has no kty");
	if (json_get(value, S("kid")) && !json_to_str(json_get(value, S("kid")), &kid))
		return invalid(a, "a kid is not a string");
	TRY(read_use(a, value, take, &algs));
	if (str_eq(kty, S("oct")))
		return read_secret(a, value, take, kid, algs, out);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (!str_eq(kty, kinds[i].kty))
			continue;
		TRY(kinds[i].read(a, value, pair, &pkey));
		if (pair && !is_pair(pkey)) {
			EVP_PKEY_free(pkey);
			return invalid(a, "the halves of a key are not of the same");
		}
		return key_of(a, pkey, pair, kid, algs, out);
	}
	return err_new(a, ERR_INVALID, "jwk.kind", "a key's kty is not known here");
}

/* --- files and new ones ------------------------------------------------------------------------------------------------- */

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void free_cert(X509 **cert)
{
	X509_free(*cert);
}

static EVP_PKEY *read_pem(Str pem, bool *is_private)
{
	AUTO(free_bio) BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
	AUTO(free_cert) X509 *cert = NULL;
	static char no_pass[] = "";
	EVP_PKEY *pkey;

	*is_private = str_find(pem, S("PRIVATE KEY-----")) >= 0;
	if (!bio)
		return NULL;
	if (*is_private)
		return PEM_read_bio_PrivateKey(bio, NULL, NULL, no_pass);
	if (str_find(pem, S("CERTIFICATE-----")) < 0)
		return PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	pkey = cert ? X509_get_pubkey(cert) : NULL;
	return pkey;
}

static Err *with_thumbprint(Arena *a, const Jwk *key, Str kid, const Jwk **out)
{
	Jwk *named = ARENA_NEW(a, Jwk);

	*named = *key;
	named->kid = kid.len ? kid : jwk_thumbprint(a, key);
	*out = named;
	return NULL;
}

Err *jwk_read_pem(Arena *a, Str pem, Str kid, uint32_t algs, const Jwk **out)
{
	EVP_PKEY *pkey;
	const Jwk *key;
	bool is_private;

	if (pem.len > PEM_BYTES_MAX)
		return invalid(a, "a PEM key is too large");
	ERR_clear_error();
	pkey = read_pem(pem, &is_private);
	ERR_clear_error();
	if (!pkey)
		return invalid(a, "expected a key or a certificate as PEM");
	TRY(key_of(a, pkey, is_private, kid, algs, &key));
	return with_thumbprint(a, key, kid, out);
}

Err *jwk_make(Arena *a, JwsAlg alg, const Jwk **out)
{
	EVP_PKEY *pkey = NULL;
	const Jwk *key;

	if (JWS_BIT(alg) & RSA_ALGS)
		pkey = EVP_RSA_gen(RSA_BITS_MIN);
	else if (alg == JWS_EDDSA)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else if (JWS_BIT(alg) & JWS_PUBLIC)
		pkey = EVP_EC_gen(curves[alg - JWS_ES256].group);
	if (!pkey)
		return invalid(a, "no key could be made for that algorithm");
	TRY(key_of(a, pkey, true, (Str){ 0 }, JWS_BIT(alg), &key));
	return with_thumbprint(a, key, (Str){ 0 }, out);
}

/* --- written ---------------------------------------------------------------------------------------------------------------- */

/* bytes 0: as many as it takes. */
static Str number_text(Arena *a, const EVP_PKEY *pkey, const char *param, size_t bytes)
{
	AUTO(free_bn) BIGNUM *n = NULL;
	unsigned char at[2 * RSA_BITS_MAX / 8];
	size_t len;
	Str text;

	if (EVP_PKEY_get_bn_param(pkey, param, &n) != 1)
		return S("");
	len = bytes ? bytes : (size_t)BN_num_bytes(n);
	if (len > sizeof at || BN_bn2binpad(n, at, (int)len) < 0)
		return S("");
	text = b64url(a, (Str){ (char *)at, len });
	OPENSSL_cleanse(at, sizeof at);
	return text;
}

static Str raw_text(Arena *a, const EVP_PKEY *pkey, bool of_private)
{
	unsigned char at[ED25519_BYTES];
	size_t len = sizeof at;
	int fine = of_private ? EVP_PKEY_get_raw_private_key(pkey, at, &len)
	                      : EVP_PKEY_get_raw_public_key(pkey, at, &len);

	return fine == 1 ? b64url(a, (Str){ (char *)at, len }) : S("");
}

/* The members that make the key, in the order that RFC 7638 wants. */
static void put_public(JsonWriter *w, Arena *a, const Jwk *key)
{
	const Curve *curve = key->pkey ? curve_of(key->pkey) : NULL;

	if (!key->pkey) {
		json_put_str(w, "k", b64url(a, key->secret));
		json_put_str(w, "kty", S("oct"));
	} else if (curve) {
		json_put_str(w, "crv", curve->name);
		json_put_str(w, "kty", S("EC"));
		json_put_str(w, "x",
		             number_text(a, key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, curve->bytes));
		json_put_str(w, "y",
		             number_text(a, key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, curve->bytes));
	} else if (key->algs & JWS_BIT(JWS_EDDSA)) {
		json_put_str(w, "crv", S("Ed25519"));
		json_put_str(w, "kty", S("OKP"));
		json_put_str(w, "x", raw_text(a, key->pkey, false));
	} else {
		json_put_str(w, "e", number_text(a, key->pkey, OSSL_PKEY_PARAM_RSA_E, 0));
		json_put_str(w, "kty", S("RSA"));
		json_put_str(w, "n", number_text(a, key->pkey, OSSL_PKEY_PARAM_RSA_N, 0));
	}
}

static void put_private(JsonWriter *w, Arena *a, const Jwk *key)
{
	static const struct {
		const char *member, *param;
	} parts[] = {
		{ "d", OSSL_PKEY_PARAM_RSA_D },          { "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
		{ "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },    { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
		{ "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 }, { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
	};
	const Curve *curve = curve_of(key->pkey);

	if (curve)
		json_put_str(w, "d",
		             number_text(a, key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, curve->bytes));
	else if (key->algs & JWS_BIT(JWS_EDDSA))
		json_put_str(w, "d", raw_text(a, key->pkey, true));
	else
		for (size_t i = 0; i < COUNT(parts); i++)
			json_put_str(w, parts[i].member,
			             number_text(a, key->pkey, parts[i].param, 0));
}

static void free_arena(Arena **a)
{
	arena_free(*a);
}

void jwk_put(JsonWriter *w, const Jwk *key, bool of_private)
{
	AUTO(free_arena) Arena *a = arena_new(0);

	if (!key->pkey && !of_private)
		return;
	json_begin_object(w);
	put_public(w, a, key);
	if (key->pkey && of_private && key->signs)
		put_private(w, a, key);
	json_put_str(w, "use", S("sig"));
	if (key->algs == JWS_BIT(jwk_alg(key)))
		json_put_str(w, "alg", jws_alg_name(jwk_alg(key)));
	if (key->kid.len)
		json_put_str(w, "kid", key->kid);
	json_end(w);
	ERR_clear_error();
}

Str jwk_thumbprint(Arena *a, const Jwk *key)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	unsigned char digest[32];

	json_begin_object(&w);
	put_public(&w, a, key);
	json_end(&w);
	if (!EVP_Digest(b.at, b.len, digest, NULL, jws_evp()->sha[0], NULL))
		abort();
	return b64url(a, (Str){ (char *)digest, sizeof digest });
}
