/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time codes by the clock (RFC 6238 over RFC 4226). A code is good for its step and the one before and after; that no step
 * is used twice is the caller's: store the step that totp_check gives where the last one was, in the login's transaction, with
 * a condition that it is later. Nothing here parks. */
#pragma once
#include "base/err.h"

typedef enum TotpHash { TOTP_SHA1, TOTP_SHA256, TOTP_SHA512 } TotpHash;

typedef struct Totp {
	Str secret; /* bytes: 10 to 128 */
	TotpHash hash;
	uint32_t digits;   /* 6 to 8 */
	uint32_t period_s; /* 15 to 120 */
} Totp;

/* SHA-1, 6 digits, 30 s, a random secret of 20 bytes: what every authenticator takes. */
Totp totp_make(Arena *a);
/* INVALID "auth.totp" when a field is outside its range. */
Err *totp_verify(Arena *a, const Totp *totp) MUST_USE;

/* Is `code` (spaces are ignored) that of a step later than last_step (-1: none was used)? *step: which. In constant time. */
bool totp_check(const Totp *totp, int64_t utc_us, Str code, int64_t last_step, int64_t *step);
/* The code of a step, digits with leading zeros. */
Str totp_code(Arena *a, const Totp *totp, int64_t step);
int64_t totp_step(const Totp *totp, int64_t utc_us);

/* Base32 (RFC 4648) as people type it: any case, spaces, hyphens, padding or none. False: it is not. */
bool totp_secret_read(Arena *a, Str text, Str *secret);
Str totp_secret_text(Arena *a, Str secret); /* upper case, no padding */
/* "otpauth://totp/ISSUER:ACCOUNT?secret=...&issuer=..." with defaults left out, for a QR code; and back: INVALID "auth.totp"
 * (a HOTP too). Account and issuer may be NULL. */
Str totp_uri(Arena *a, const Totp *totp, Str issuer, Str account);
Err *totp_uri_read(Arena *a, Str uri, Totp *out, Str *issuer, Str *account) MUST_USE;
