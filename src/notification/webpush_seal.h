/* SPDX-License-Identifier: Apache-2.0
 *
 * A message for one browser that the push service in between cannot read (RFC 8291, over RFC 8188's aes128gcm), and the
 * application's proof of who it is (VAPID, RFC 8292). Burns: 100 us a message. Any thread. */
#pragma once
#include "auth/jwk.h"

enum {
	WEBPUSH_BYTES =
		3993, /* of the plain text: what every push service takes (RFC 8030, 7.2), less what sealing adds */
	WEBPUSH_POINT = 65, /* of a P-256 key, uncompressed */
	WEBPUSH_AUTH = 16,
};

typedef struct WebpushKeys { /* as the browser's subscription says them, decoded */
	Str p256dh;          /* WEBPUSH_POINT bytes */
	Str auth;            /* WEBPUSH_AUTH bytes */
} WebpushKeys;

/* From base64url, padded or not, as browsers and libraries send it. Fails with INVALID "webpush.keys". */
Err *webpush_keys(Arena *a, Str p256dh, Str auth, WebpushKeys *out) MUST_USE;

/* The body of the request, with Content-Encoding: aes128gcm. A key of its own and a salt are made for each. Fails with INVALID
 * "webpush.keys" (no point of the curve), TOO_LARGE "webpush.too_large", INTERNAL "webpush.crypto". */
Err *webpush_seal(Arena *a, const WebpushKeys *keys, Str plain, Str *out) MUST_USE;

/* "vapid t=..., k=..." for Authorization: `key` an ES256 pair, audience the endpoint's origin, subject "mailto:..." or
 * "https:...". Fails with INVALID "webpush.vapid" when the key is of another kind. */
Err *webpush_vapid(Arena *a, const Jwk *key, Str audience, Str subject, int64_t until_us, Str *out)
	MUST_USE;
/* The public half, for a page's applicationServerKey. */
Err *webpush_public(Arena *a, const Jwk *key, Str *out) MUST_USE;
