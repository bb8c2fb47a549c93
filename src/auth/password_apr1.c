/* SPDX-License-Identifier: Apache-2.0
 *
 * "$apr1$": MD5-crypt with a mark of its own, what htpasswd writes unless told otherwise. libcrypt does not know it. A thousand
 * rounds of MD5 over password, salt and the digest before, in an order that changes with the round; the digest is written in
 * crypt's digits, six bits each, its bytes shuffled. Weak: whoever has the file has its passwords soon. */
#include "auth/password_int.h"
#include "base/arena.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum { ROUNDS = 1000, MD5_BYTES = 16, TEXT = 22 };

static const char mark[] = "$apr1$";

typedef struct Md5 {
	EVP_MD_CTX *ctx;
	bool fine;
} Md5;

static void begin(Md5 *md5)
{
	md5->fine = md5->ctx && EVP_DigestInit_ex(md5->ctx, EVP_md5(), NULL) == 1;
}

static void put(Md5 *md5, const void *bytes, size_t len)
{
	md5->fine = md5->fine && EVP_DigestUpdate(md5->ctx, bytes, len) == 1;
}

static void put_str(Md5 *md5, Str text)
{
	if (text.len)
		put(md5, text.at, text.len);
}

static void end(Md5 *md5, unsigned char digest[MD5_BYTES])
{
	md5->fine = md5->fine && EVP_DigestFinal_ex(md5->ctx, digest, NULL) == 1;
}

static void first_digest(Md5 *md5, Str password, Str salt, unsigned char digest[MD5_BYTES])
{
	begin(md5);
	put_str(md5, password);
	put_str(md5, salt);
	put_str(md5, password);
	end(md5, digest);
	begin(md5);
	put_str(md5, password);
	put(md5, mark, sizeof mark - 1);
	put_str(md5, salt);
	for (size_t left = password.len; left; left -= MIN(left, (size_t)MD5_BYTES))
		put(md5, digest, MIN(left, (size_t)MD5_BYTES));
	for (size_t bits = password.len; bits; bits >>= 1)
		put(md5, bits & 1 ? "" : password.at, 1);
	end(md5, digest);
}

static void round_digest(Md5 *md5, unsigned round, Str password, Str salt,
                         unsigned char digest[MD5_BYTES])
{
	Str before = { (const char *)digest, MD5_BYTES };

	begin(md5);
	put_str(md5, round & 1 ? password : before);
	if (round % 3)
		put_str(md5, salt);
	if (round % 7)
		put_str(md5, password);
	put_str(md5, round & 1 ? before : password);
	end(md5, digest);
}

static char *put_digits(char *at, unsigned value, unsigned count)
{
	static const char digits[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (; count; count--, value >>= 6)
		*at++ = digits[value & 63];
	return at;
}

static Str text_of(Arena *a, Str setting, const unsigned char *d)
{
	char *text = arena_alloc_raw(a, setting.len + TEXT);
	char *at = text + setting.len;

	memcpy(text, setting.at, setting.len);
	for (unsigned i = 0; i < 5; i++) {
		unsigned last = i < 4 ? i + 12 : 5;

		at = put_digits(at, (unsigned)d[i] << 16 | (unsigned)d[i + 6] << 8 | d[last], 4);
	}
	put_digits(at, d[11], 2);
	return (Str){ text, setting.len + TEXT };
}

bool apr1_is(Str setting)
{
	return str_starts(setting, S("$apr1$"));
}

Str apr1_text(Arena *a, Str setting, Str password)
{
	Str salt = str_sub(setting, sizeof mark - 1, setting.len - 1);
	unsigned char digest[MD5_BYTES] = { 0 };
	Md5 md5 = { .ctx = EVP_MD_CTX_new() };
	Str out;

	first_digest(&md5, password, salt, digest);
	for (unsigned round = 0; round < ROUNDS; round++)
		round_digest(&md5, round, password, salt, digest);
	out = md5.fine ? text_of(a, setting, digest) : (Str){ 0 };
	OPENSSL_cleanse(digest, sizeof digest);
	EVP_MD_CTX_free(md5.ctx);
	return out;
}
