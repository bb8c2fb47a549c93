/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time codes by the clock: RFC 4226's truncated HMAC of the number of the step (RFC 6238).
 *
 * Checking makes the codes of all three steps that may count and compares each in constant time, whether or not an earlier one
 * fitted. Which step a code was of is told to the caller, who stores it: only what comes after counts the next time. */
#include "auth/totp.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/rand.h"
#include "base/time.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { SECRET_BYTES = 20, LEAST_SECRET = 10, MOST_SECRET = 128, URI_MAX = 2048 };

static const struct {
	Str name;
	const EVP_MD *(*md)(void);
} hashes[] = {
	[TOTP_SHA1] = { S("SHA1"), EVP_sha1 },
	[TOTP_SHA256] = { S("SHA256"), EVP_sha256 },
	[TOTP_SHA512] = { S("SHA512"), EVP_sha512 },
};

Totp totp_make(Arena *a)
{
	char *secret = arena_alloc(a, SECRET_BYTES);

	rand_bytes(secret, SECRET_BYTES);
	return (Totp){ .secret = { secret, SECRET_BYTES }, .digits = 6, .period_s = 30 };
}

Err *totp_verify(Arena *a, const Totp *t)
{
	const char *what = NULL;

	if (t->secret.len < LEAST_SECRET || t->secret.len > MOST_SECRET)
		what = "its secret has 10 to 128 bytes";
	else if (t->hash > TOTP_SHA512)
		what = "its hash is SHA1, SHA256 or SHA512";
	else if (t->digits < 6 || t->digits > 8)
		what = "it has 6 to 8 digits";
	else if (t->period_s < 15 || t->period_s > 120)
		what = "its period is 15 to 120 seconds";
	return what ? err_new(a, ERR_INVALID, "auth.totp",
	                      "an authenticator is not as it must be: %s", what)
	            : NULL;
}

int64_t totp_step(const Totp *totp, int64_t utc_us)
{
	return utc_us / US_PER_S / totp->period_s;
}

/* RFC 4226, 5.3. */
static void code_put(const Totp *totp, int64_t step, char out[8])
{
	unsigned char counter[8], tag[EVP_MAX_MD_SIZE];
	const unsigned char *cut;
	unsigned len = 0;
	uint32_t number;

	for (int i = 0; i < 8; i++)
		counter[i] = (unsigned char)((uint64_t)step >> (56 - 8 * i));
	HMAC(hashes[totp->hash].md(), totp->secret.at, (int)totp->secret.len, counter, 8, tag,
	     &len);
	cut = tag + (len ? tag[len - 1] & 15 : 0);
	number = (uint32_t)(cut[0] & 0x7f) << 24 | (uint32_t)cut[1] << 16 | (uint32_t)cut[2] << 8 |
	         cut[3];
	for (uint32_t i = totp->digits; i-- > 0; number /= 10)
		out[i] = (char)('0' + number % 10);
}

Str totp_code(Arena *a, const Totp *totp, int64_t step)
{
	char *code = arena_alloc(a, 8);

	code_put(totp, step, code);
	return (Str){ code, totp->digits };
}

/* The digits of what was typed; false when they are not as many as they must be. */
static bool typed_digits(const Totp *totp, Str code, char out[8])
{
	size_t len = 0;

	for (size_t i = 0; i < code.len; i++) {
		if (code.at[i] == ' ')
			continue;
		if (code.at[i] < '0' || code.at[i] > '9' || len == totp->digits)
			return false;
		out[len++] = code.at[i];
	}
	return len == totp->digits;
}

bool totp_check(const Totp *totp, int64_t utc_us, Str code, int64_t last_step, int64_t *step)
{
	int64_t now = totp_step(totp, utc_us), found = -1;
	char typed[8] = { 0 }, right[8] = { 0 };
	bool fine = typed_digits(totp, code, typed);

	for (int64_t at = now - 1; at <= now + 1; at++) {
		code_put(totp, at, right);
		if (!CRYPTO_memcmp(typed, right, totp->digits) && at > last_step && at >= 0 &&
		    found < 0)
			found = at;
	}
	if (!fine || found < 0)
		return false;
	*step = found;
	return true;
}

/* --- base32 -------------------------------------------------------------------------------------------------------- */

static const char digits32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

bool totp_secret_read(Arena *a, Str text, Str *secret)
{
	char *bytes = arena_alloc(a, text.len + 1);
	uint32_t held = 0, bits = 0;
	size_t len = 0;

	while (text.len && (text.at[text.len - 1] == '=' || text.at[text.len - 1] == ' '))
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		const char *at;

		if (c == ' ' || c == '-')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 32);
		at = memchr(digits32, c, 32);
		if (!at)
			return false;
		held = held << 5 | (uint32_t)(at - digits32);
		bits += 5;
		if (bits >= 8)
			bytes[len++] = (char)(held >> (bits -= 8));
	}
	if (!len || bits >= 5)
		return false;
	*secret = (Str){ bytes, len };
	return true;
}

Str totp_secret_text(Arena *a, Str secret)
{
	char *text = arena_alloc(a, secret.len * 8 / 5 + 2);
	uint32_t held = 0, bits = 0;
	size_t len = 0;

	for (size_t i = 0; i < secret.len; i++) {
		held = held << 8 | (unsigned char)secret.at[i];
		for (bits += 8; bits >= 5;)
			text[len++] = digits32[held >> (bits -= 5) & 31];
	}
	if (bits)
		text[len++] = digits32[held << (5 - bits) & 31];
	return (Str){ text, len };
}

/* --- addresses of authenticators ----------------------------------------------------------------------------------- */

static void put_escaped(Buf *b, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c && strchr("-._~@", c)))
			buf_putc(b, c);
		else
			buf_fmt(b, "%%%02X", (unsigned char)c);
	}
}

Str totp_uri(Arena *a, const Totp *totp, Str issuer, Str account)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, S("otpauth://totp/"));
	if (issuer.len) {
		put_escaped(&b, issuer);
		buf_putc(&b, ':');
	}
	put_escaped(&b, account);
	buf_put(&b, S("?secret="));
	buf_put(&b, totp_secret_text(a, totp->secret));
	if (issuer.len) {
		buf_put(&b, S("&issuer="));
		put_escaped(&b, issuer);
	}
	if (totp->hash != TOTP_SHA1)
		buf_fmt(&b, "&algorithm=%s", hashes[totp->hash].name.at);
	if (totp->digits != 6)
		buf_fmt(&b, "&digits=%u", totp->digits);
	if (totp->period_s != 30)
		buf_fmt(&b, "&period=%u", totp->period_s);
	return str_dup(a, buf_str(&b));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool unescape(Arena *a, Str text, Str *out)
{
	char *bytes = arena_alloc(a, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++, len++) {
		bytes[len] = text.at[i];
		if (text.at[i] != '%')
			continue;
		if (i + 2 >= text.len || hex_digit(text.at[i + 1]) < 0 ||
		    hex_digit(text.at[i + 2]) < 0)
			return false;
		bytes[len] = (char)(hex_digit(text.at[i + 1]) << 4 | hex_digit(text.at[i + 2]));
		i += 2;
	}
	*out = (Str){ bytes, len };
	return true;
}

static bool read_hash(Str value, TotpHash *hash)
{
	for (unsigned i = 0; i < COUNT(hashes); i++)
		if (str_eq_nocase(value, hashes[i].name)) {
			*hash = i;
			return true;
		}
	return false;
}

static bool read_number(Str value, uint32_t *out)
{
	uint64_t number;

	if (!str_to_u64(value, &number) || number > 1000)
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool read_pair(Arena *a, Str pair, Totp *totp, Str *issuer)
{
	Str key, value;

	str_split(&pair, '=', &key);
	if (!pair.at || !unescape(a, pair, &value))
		return false;
	if (str_eq(key, S("secret")))
		return totp_secret_read(a, value, &totp->secret);
	if (str_eq(key, S("algorithm")))
		return read_hash(value, &totp->hash);
	if (str_eq(key, S("digits")))
		return read_number(value, &totp->digits);
	if (str_eq(key, S("period")))
		return read_number(value, &totp->period_s);
	if (str_eq(key, S("issuer")))
		*issuer = value;
	return true; /* image=, color=: nothing that counts */
}

Err *totp_uri_read(Arena *a, Str uri, Totp *out, Str *issuer, Str *account)
{
	Totp totp = { .digits = 6, .period_s = 30 };
	Str label, pair, who = { 0 }, name = { 0 }, shown;
	bool fine = uri.len <= URI_MAX && str_starts(uri, S("otpauth://totp/"));

	uri = str_sub(uri, 15, uri.len);
	str_split(&uri, '?', &label);
	fine = fine && unescape(a, label, &name);
	if (str_find_char(name, ':') >= 0)
		str_split(&name, ':', &who);
	shown = str_trim(name);
	while (fine && str_split(&uri, '&', &pair))
		fine = !pair.len || read_pair(a, pair, &totp, &who);
	if (!fine)
		return err_new(a, ERR_INVALID, "auth.totp",
		               "this is not an authenticator's otpauth://totp/ address");
	TRY(totp_verify(a, &totp));
	*out = totp;
	if (issuer)
		*issuer = who;
	if (account)
		*account = shown;
	return NULL;
}
