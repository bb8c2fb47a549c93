/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures of webhooks: Standard Webhooks (standardwebhooks.com, 1.0.0: HMAC-SHA256 over "ID.SECONDS.BODY", Base64) and Stripe's
 * ("SECONDS.BODY", hexadecimal; the key is the secret's text as it stands). Pure; compared in constant time. */
#pragma once
#include "base/err.h"

#define SIGNING_PREFIX "whsec_"
enum { SIGNING_WINDOW_S = 300, SIGNING_KEY_LEAST = 16, SIGNING_KEY_MOST = 64 /* bytes of a key */ };

/* "whsec_BASE64", a new one of 32 random bytes. */
Str signing_secret_new(Arena *a);
/* Its bytes; without the prefix too. False: that is none. */
bool signing_key(Arena *a, Str secret, Str *key);

/* The value of webhook-signature: "v1,BASE64". key: bytes, of signing_key. */
Str signing_standard(Arena *a, Str key, Str id, int64_t seconds, Str body);
/* The value of Stripe-Signature: "t=SECONDS,v1=HEX". */
Str signing_stripe(Arena *a, Str secret, int64_t seconds, Str body);
/* As signing_stripe, with a signature of each secret: while one follows another. */
Str signing_stripe_all(Arena *a, const Str *secrets, size_t count, int64_t seconds, Str body);

/* What came. Fail with UNAUTHENTICATED "signing.missing", "signing.stale" (further from now than SIGNING_WINDOW_S), "signing.wrong". */
Err *signing_standard_check(Arena *a, Str key, Str id, Str timestamp, Str signatures, Str body,
                            int64_t now_s) MUST_USE;
Err *signing_stripe_check(Arena *a, Str secret, Str header, Str body, int64_t now_s) MUST_USE;
