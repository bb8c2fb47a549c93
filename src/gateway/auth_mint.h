/* SPDX-License-Identifier: Apache-2.0
 *
 * Mint: short-lived tokens that tell servers who came, and the keys they are checked with. */
#pragma once
#include "auth/proved.h"
#include "gateway/conf_auth.h"

typedef struct Mint Mint;

/* Reads keys: blocks. Fails as file_read and jwk_read_pem do. */
Err *mint_new(Arena *a, const MintConf *conf, Str policy, Mint **out) MUST_USE;
void mint_free(Mint *mint); /* NULL is fine */
/* A token for these claims; of the same id the same, while half of its life is left. Burns when it is new (ES256: 30 us). */
Err *mint_token(Mint *mint, Arena *a, AuthId id, const Json *claims, int64_t now_us, Str *token)
	MUST_USE;
Str mint_jwks(const Mint *mint); /* a JWK set, as JSON */
