/* SPDX-License-Identifier: Apache-2.0
 *
 * DKIM signatures (RFC 6376, relaxed/relaxed; rsa-sha256, and ed25519-sha256 of RFC 8463). Keys are immutable; any thread. */
#pragma once
#include "base/err.h"

typedef struct DkimKey DkimKey;

/* pem: a private key, RSA of 1024 bits at least or Ed25519. Lives as long as the arena. Fails with INVALID "mail.dkim_key". */
Err *dkim_key_new(Arena *a, Str domain, Str selector, Str pem, DkimKey **out) MUST_USE;
/* What stands in DNS at SELECTOR._domainkey.DOMAIN: "v=DKIM1; k=rsa; p=...". */
Str dkim_record(const DkimKey *key, Arena *a);
Str dkim_domain(const DkimKey *key);
Str dkim_place(const DkimKey *key, Arena *a); /* "s1._domainkey.shop.example" */

/* The field to put before the message, with its CR LF. The message has CR LF line ends and a From. RSA takes a millisecond: not for
 * a loop that has many. Fails with INVALID "mail.dkim_message", INTERNAL "mail.dkim". */
Err *dkim_sign(const DkimKey *key, Arena *a, Str message, int64_t now_us, Str *field) MUST_USE;
