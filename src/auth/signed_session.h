/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions that a monolith keeps in a signed cookie, read without asking it: Django's `signed_cookies` backend
 * (django.core.signing) and Flask's (itsdangerous). What is read was written by whoever has the secret key, which is all
 * that is proved: such a session cannot be ended before its time by anybody but the browser that holds it. */
#pragma once
#include "base/json.h"

typedef struct SignedRules {
	const Str *secrets; /* any of them; the oldest may be on its way out */
	size_t secret_count;
	Str salt;
	int64_t max_age_us; /* since it was signed */
	bool sha1;          /* Django: take SHA-1 too, as before 3.1 */
} SignedRules;

enum { SIGNED_BYTES = 8 << 10, SIGNED_TEXT_BYTES = 64 << 10 };

/* The session, an object. now_us: UTC. Fail with UNAUTHENTICATED "session.malformed", "session.signature", "session.expired". */
Err *django_session_read(Arena *a, Str cookie, const SignedRules *rules, int64_t now_us,
                         const Json **out) MUST_USE;
Err *flask_session_read(Arena *a, Str cookie, const SignedRules *rules, int64_t now_us,
                        const Json **out) MUST_USE;
