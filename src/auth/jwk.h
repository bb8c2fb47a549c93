/* SPDX-License-Identifier: Apache-2.0
 *
 * Jwk: one key (RFC 7517, 7518, 8037), and the algorithms it may be used with. A key that names its algorithm is for that
 * one; one that does not is for those of its kind: an RSA key never for HS, a P-256 key for ES256 only. Immutable; may be
 * used by all threads at once; lives as long as the arena it was made in, which frees it. */
#pragma once
#include "base/json.h"

typedef struct evp_pkey_st EVP_PKEY;

typedef enum JwsAlg {
	JWS_RS256,
	JWS_RS384,
	JWS_RS512,
	JWS_PS256,
	JWS_PS384,
	JWS_PS512,
	JWS_ES256,
	JWS_ES384,
	JWS_ES512,
	JWS_EDDSA, /* Ed25519 */
	JWS_HS256,
	JWS_HS384,
	JWS_HS512,
	JWS_ALGS
} JwsAlg;
#define JWS_BIT(alg) (1u << (alg))
/* All that are verified with a public key, and those with a secret. */
#define JWS_PUBLIC (JWS_BIT(JWS_HS256) - 1)
#define JWS_SECRET (JWS_BIT(JWS_ALGS) - 1 - JWS_PUBLIC)

typedef struct Jwk {
	Str kid;        /* empty: it has none */
	uint32_t algs;  /* JWS_BIT()s: what it may be used with; never 0 */
	EVP_PKEY *pkey; /* NULL: a secret */
	Str secret;
	bool signs; /* the private half is there, or it is a secret */
} Jwk;

Str jws_alg_name(JwsAlg alg); /* "ES256" */
bool jws_alg_read(Str name, JwsAlg *out);
JwsAlg jwk_alg(const Jwk *key); /* the first of its algorithms, in the order above */

typedef enum JwkTake {
	JWK_TAKE_PUBLIC,  /* public keys; of a pair the public half only */
	JWK_TAKE_PRIVATE, /* pairs */
	JWK_TAKE_SECRET,  /* kty oct too: only for what an operator wrote down as a secret */
} JwkTake;

/* Fails with INVALID "jwk.kind" (a key of another kind or use: a set may have those beside), "jwk.weak" (RSA below 2048
 * bits or with a bad exponent, a secret shorter than its hash), "jwk.invalid". */
Err *jwk_read(Arena *a, const Json *value, JwkTake take, const Jwk **out) MUST_USE;
/* A public or private key, or a certificate, as PEM. kid empty: the thumbprint. algs 0: those of its kind. */
Err *jwk_read_pem(Arena *a, Str pem, Str kid, uint32_t algs, const Jwk **out) MUST_USE;
/* A secret as it is; `algs` of JWS_SECRET. Fails with "jwk.weak" when shorter than an algorithm's hash (RFC 7518, 3.2). */
Err *jwk_of_secret(Arena *a, Str secret, Str kid, uint32_t algs, const Jwk **out) MUST_USE;

/* A new key for one algorithm (RSA: 2048 bits; slow: on a worker). Its kid is the thumbprint. */
Err *jwk_make(Arena *a, JwsAlg alg, const Jwk **out) MUST_USE;

/* As a JSON object with kid, alg (when it is one) and use. of_private: the private half too, or the secret; without it a
 * secret is not written at all. */
void jwk_put(JsonWriter *w, const Jwk *key, bool of_private);
Str jwk_thumbprint(Arena *a, const Jwk *key); /* RFC 7638, SHA-256, base64url */
