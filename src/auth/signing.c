/* SPDX-License-Identifier: Apache-2.0
 *
 * Two ways to sign a webhook; both bind the time, so that what was overheard is worth nothing after a few minutes, and both let several
 * signatures stand side by side, so that a secret can follow another without a gap.
 *
 * What comes in is untrusted to the last byte: a header that is not as it must be is simply no signature. The time is looked at after
 * the signature, so that nobody learns anything from what is said about it. */
#include "auth/signing.h"

#include "auth/b64.h"
#include "base/arena.h"
#include "base/rand.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdlib.h>
#include <string.h>

enum { MAC_BYTES = 32, SECRET_BYTES = 32, SIGNATURES_MOST = 16 };

static Str mac_of(Arena *a, Str key, Str text)
{
	unsigned char *mac = arena_alloc(a, EVP_MAX_MD_SIZE);
	unsigned len = 0;

	if (!HMAC(EVP_sha256(), key.at ? key.at : "", (int)key.len, (const unsigned char *)text.at,
	          text.len, mac, &len))
		abort();
	return (Str){ (const char *)mac, len };
}

static Str hex_of(Arena *a, Str bytes)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < bytes.len; i++)
		buf_fmt(&b, "%02x", (unsigned char)bytes.at[i]);
	return str_dup(a, buf_str(&b));
}

static bool same(Str x, Str y)
{
	return x.len == y.len && CRYPTO_memcmp(x.at, y.at, x.len) == 0;
}

/* --- secrets -------------------------------------------------------------------------------------------------------------- */

Str signing_secret_new(Arena *a)
{
	unsigned char bytes[SECRET_BYTES];

	rand_bytes(bytes, sizeof bytes);
	return str_fmt(a, SIGNING_PREFIX "%.*s",
	               STR_ARG(b64(a, (Str){ (const char *)bytes, sizeof bytes })));
}

bool signing_key(Arena *a, Str secret, Str *key)
{
	Str prefix = S(SIGNING_PREFIX), bytes;

	if (str_starts(secret, prefix))
		secret = str_sub(secret, prefix.len, secret.len);
	if (!b64_read(a, secret, &bytes) || bytes.len < SIGNING_KEY_LEAST ||
	    bytes.len > SIGNING_KEY_MOST)
		return false;
	*key = bytes;
	return true;
}

/* --- signing -------------------------------------------------------------------------------------------------------------- */

static Str standard_mac(Arena *a, Str key, Str id, Str seconds, Str body)
{
	return mac_of(a, key,
	              str_fmt(a, "%.*s.%.*s.%.*s", STR_ARG(id), STR_ARG(seconds), STR_ARG(body)));
}

Str signing_standard(Arena *a, Str key, Str id, int64_t seconds, Str body)
{
	Str mac = standard_mac(a, key, id, str_fmt(a, "%" PRId64, seconds), body);

	return str_fmt(a, "v1,%.*s", STR_ARG(b64(a, mac)));
}

static Str stripe_mac(Arena *a, Str secret, Str seconds, Str body)
{
	return hex_of(a,
	              mac_of(a, secret, str_fmt(a, "%.*s.%.*s", STR_ARG(seconds), STR_ARG(body))));
}

Str signing_stripe_all(Arena *a, const Str *secrets, size_t count, int64_t seconds, Str body)
{
	Str text = str_fmt(a, "t=%" PRId64, seconds), when = str_sub(text, 2, text.len);

	for (size_t i = 0; i < count; i++)
		text = str_fmt(a, "%.*s,v1=%.*s", STR_ARG(text),
		               STR_ARG(stripe_mac(a, secrets[i], when, body)));
	return text;
}

Str signing_stripe(Arena *a, Str secret, int64_t seconds, Str body)
{
	return signing_stripe_all(a, &secret, 1, seconds, body);
}

/* --- checking ------------------------------------------------------------------------------------------------------------- */

static Err *missing(Arena *a)
{
	return err_new(a, ERR_UNAUTHENTICATED, "signing.missing", "it is not signed as it must be");
}

static Err *judge(Arena *a, bool right, uint64_t at_s, int64_t now_s)
{
	int64_t age;

	if (!right)
		return err_new(a, ERR_UNAUTHENTICATED, "signing.wrong",
		               "the signature is not of this text and secret");
	age = at_s > INT64_MAX / 2 ? INT64_MIN : now_s - (int64_t)at_s;
	if (age > SIGNING_WINDOW_S || age < -SIGNING_WINDOW_S)
		return err_new(a, ERR_UNAUTHENTICATED, "signing.stale",
		               "it was signed too long ago, or in the future");
	return NULL;
}

Err *signing_standard_check(Arena *a, Str key, Str id, Str timestamp, Str signatures, Str body,
                            int64_t now_s)
{
	Str want, one;
	uint64_t at_s;
	bool right = false;

	if (!id.len || !signatures.len || !str_to_u64(timestamp, &at_s))
		return missing(a);
	want = str_fmt(a, "v1,%.*s", STR_ARG(b64(a, standard_mac(a, key, id, timestamp, body))));
	for (size_t i = 0; i < SIGNATURES_MOST && str_split(&signatures, ' ', &one); i++)
		right |= same(one, want);
	return judge(a, right, at_s, now_s);
}

Err *signing_stripe_check(Arena *a, Str secret, Str header, Str body, int64_t now_s)
{
	Str found[SIGNATURES_MOST], when = { 0 }, part, want;
	size_t count = 0;
	uint64_t at_s;
	bool right = false;

	while (str_split(&header, ',', &part)) {
		part = str_trim(part);
		if (str_starts(part, S("t=")))
			when = str_sub(part, 2, part.len);
		else if (str_starts(part, S("v1=")) && count < COUNT(found))
			found[count++] = str_sub(part, 3, part.len);
	}
	if (!count || !str_to_u64(when, &at_s))
		return missing(a);
	want = stripe_mac(a, secret, when, body);
	for (size_t i = 0; i < count; i++)
		right |= same(found[i], want);
	return judge(a, right, at_s, now_s);
}
