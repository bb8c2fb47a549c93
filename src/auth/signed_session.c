/* SPDX-License-Identifier: Apache-2.0
 *
 * Two formats of one idea, told apart by their separators and by how the key is made:
 *
 *   Django   payload ":" time, 62 digits ":" signature     HMAC, key = hash(salt "signer" secret)
 *   Flask    payload "." time, bytes      "." signature     HMAC-SHA1, key = HMAC-SHA1(secret, salt)
 *
 * The payload is base64url of JSON, and of zlib's bytes when it begins with a dot; those are unpacked up to a limit, and only
 * after the signature was found right. Pickled sessions of old Djangos are no JSON and are refused: nobody unpickles here. */
#include "auth/signed_session.h"

#include "auth/b64.h"
#include "auth/jwk_int.h"
#include "base/arena.h"
#include "base/time.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdlib.h>
#include <zlib.h>

#define SLACK_US (60 * US_PER_S) /* clocks may be apart */

static Err malformed = ERR_STATIC(UNAUTHENTICATED, "session.malformed",
                                  "the session's cookie is not of this kind");
static Err forged = ERR_STATIC(UNAUTHENTICATED, "session.signature",
                               "the session's cookie is not signed by the monolith");
static Err over = ERR_STATIC(UNAUTHENTICATED, "session.expired", "the session has ended");

typedef struct Mac {
	unsigned char at[EVP_MAX_MD_SIZE];
	unsigned len;
} Mac;

static Str mac_str(const Mac *mac)
{
	return (Str){ (const char *)mac->at, mac->len };
}

static Mac hmac(const EVP_MD *md, Str key, Str text)
{
	Mac mac;

	if (!HMAC(md, key.len ? key.at : "", (int)key.len, (const unsigned char *)text.at, text.len,
	          mac.at, &mac.len))
		abort();
	return mac;
}

static Mac digest(const EVP_MD *md, Str text)
{
	Mac mac;

	if (!EVP_Digest(text.at, text.len, mac.at, &mac.len, md, NULL))
		abort();
	return mac;
}

static bool same(Str got, const Mac *want)
{
	return got.len == want->len && CRYPTO_memcmp(got.at, want->at, want->len) == 0;
}

/* --- the cookie taken apart --------------------------------------------------------------------------------------------- */

typedef struct Parts {
	Str signed_part, payload, time, signature;
} Parts;

static bool split(Arena *a, Str cookie, char between, Parts *out)
{
	ptrdiff_t last = str_rfind_char(cookie, between), first;

	if (last <= 0 || cookie.len > SIGNED_BYTES)
		return false;
	out->signed_part = str_sub(cookie, 0, (size_t)last);
	first = str_rfind_char(out->signed_part, between);
	if (first <= 0)
		return false;
	out->payload = str_sub(cookie, 0, (size_t)first);
	out->time = str_sub(cookie, (size_t)first + 1, (size_t)last);
	return out->time.len &&
	       b64url_read(a, str_sub(cookie, (size_t)last + 1, cookie.len), &out->signature);
}

static Err *check_age(int64_t signed_s, const SignedRules *rules, int64_t now_us)
{
	int64_t age_us;

	if (signed_s < 0 || signed_s > INT64_C(253402300800))
		return &malformed;
	age_us = now_us - signed_s * US_PER_S;
	return age_us > rules->max_age_us || age_us < -SLACK_US ? &over : NULL;
}

static bool unpack(Arena *a, Str packed, Str *out)
{
	char *text = arena_alloc_raw(a, SIGNED_TEXT_BYTES);
	uLongf len = SIGNED_TEXT_BYTES;

	if (uncompress((Bytef *)text, &len, (const Bytef *)packed.at, packed.len) != Z_OK)
		return false;
	*out = (Str){ text, len };
	return true;
}

static Err *read_payload(Arena *a, Str payload, const Json **out)
{
	bool packed = payload.len && payload.at[0] == '.';
	Str text;

	if (!b64url_read(a, str_sub(payload, packed, payload.len), &text) ||
	    (packed && !unpack(a, text, &text)) || json_read(a, text, SIGNED_TEXT_BYTES, out) ||
	    json_kind(*out) != JSON_KIND_OBJECT)
		return &malformed;
	return NULL;
}

/* --- Django ------------------------------------------------------------------------------------------------------------- */

static bool is_django(Arena *a, const Parts *parts, const SignedRules *rules, const EVP_MD *md)
{
	for (size_t i = 0; i < rules->secret_count; i++) {
		Mac key = digest(md, str_fmt(a, "%.*ssigner%.*s", STR_ARG(rules->salt),
		                             STR_ARG(rules->secrets[i])));
		Mac mac = hmac(md, mac_str(&key), parts->signed_part);

		if (same(parts->signature, &mac))
			return true;
	}
	return false;
}

static bool read_62(Str text, int64_t *out)
{
	int64_t n = 0;

	if (!text.len || text.len > 9)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c >= '0' && c <= '9')
			n = n * 62 + (c - '0');
		else if (c >= 'A' && c <= 'Z')
			n = n * 62 + (c - 'A' + 10);
		else if (c >= 'a' && c <= 'z')
			n = n * 62 + (c - 'a' + 36);
		else
			return false;
	}
	*out = n;
	return true;
}

Err *django_session_read(Arena *a, Str cookie, const SignedRules *rules, int64_t now_us,
                         const Json **out)
{
	int64_t signed_s;
	Parts parts;

	if (!split(a, cookie, ':', &parts) || !read_62(parts.time, &signed_s))
		return &malformed;
	if (!is_django(a, &parts, rules, jws_evp()->sha[0]) &&
	    !(rules->sha1 && is_django(a, &parts, rules, EVP_sha1())))
		return &forged;
	TRY(check_age(signed_s, rules, now_us));
	return read_payload(a, parts.payload, out);
}

/* --- Flask -------------------------------------------------------------------------------------------------------------- */

static bool is_flask(const Parts *parts, const SignedRules *rules)
{
	for (size_t i = 0; i < rules->secret_count; i++) {
		Mac key = hmac(EVP_sha1(), rules->secrets[i], rules->salt);
		Mac mac = hmac(EVP_sha1(), mac_str(&key), parts->signed_part);

		if (same(parts->signature, &mac))
			return true;
	}
	return false;
}

Err *flask_session_read(Arena *a, Str cookie, const SignedRules *rules, int64_t now_us,
                        const Json **out)
{
	int64_t signed_s = 0;
	Parts parts;
	Str time;

	if (!split(a, cookie, '.', &parts) || !b64url_read(a, parts.time, &time) || time.len > 7)
		return &malformed;
	for (size_t i = 0; i < time.len; i++)
		signed_s = signed_s << 8 | (unsigned char)time.at[i];
	if (!is_flask(&parts, rules))
		return &forged;
	TRY(check_age(signed_s, rules, now_us));
	return read_payload(a, parts.payload, out);
}
