/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens have 256 random bits, so their plain SHA-256 is enough: there is nothing to guess that a slow hash would have to
 * protect. Recovery codes have 80, which is beyond guessing too, and are short enough to be typed. */
#include "user/secret.h"

#include "base/arena.h"
#include "base/rand.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static EVP_MD *sha256;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

Str secret_hash(Arena *a, Str secret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	unsigned char *out = arena_alloc(a, SECRET_HASH);
	unsigned len = 0;

	pthread_once(&once, fetch);
	if (!sha256 ||
	    EVP_Digest(secret.at ? secret.at : "", secret.len, out, &len, sha256, NULL) != 1)
		abort(); /* a library without SHA-256 */
	return (Str){ (const char *)out, len };
}

Str secret_hash_of(Arena *a, const Str *parts, size_t count)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < count; i++) {
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_putc(&b, (char)(((uint64_t)parts[i].len >> shift) & 0xff));
		buf_put(&b, parts[i]);
	}
	return secret_hash(a, buf_str(&b));
}

bool secret_eq(Str x, Str y)
{
	return x.len == y.len && CRYPTO_memcmp(x.at, y.at, x.len) == 0;
}

Str secret_token(Arena *a)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bytes[33] = {
		0
	}; /* 32, and one of zeros that the last digit takes two bits of */
	char *text = arena_alloc_raw(a, 44);

	rand_bytes(bytes, 32);
	for (size_t i = 0; i < 11; i++) {
		uint32_t bits = (uint32_t)bytes[3 * i] << 16 | (uint32_t)bytes[3 * i + 1] << 8 |
		                bytes[3 * i + 2];

		for (size_t j = 0; j < 4; j++)
			text[4 * i + j] = digits[bits >> (18 - 6 * j) & 63];
	}
	return (Str){ text, SECRET_TOKEN };
}

Str secret_hex(Arena *a, Str bytes)
{
	char *text = arena_alloc_raw(a, 2 * bytes.len + 1);

	for (size_t i = 0; i < bytes.len; i++)
		str_put_hex(text + 2 * i, (unsigned char)bytes.at[i], 2);
	return (Str){ text, 2 * bytes.len };
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool secret_unhex(Arena *a, Str text, Str *bytes)
{
	char *out = arena_alloc_raw(a, text.len / 2 + 1);

	if (text.len % 2)
		return false;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = hex_value(text.at[i]), low = hex_value(text.at[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (char)(high << 4 | low);
	}
	*bytes = (Str){ out, text.len / 2 };
	return true;
}

Str secret_csrf(Arena *a, Str token)
{
	const Str parts[] = { S("csrf"), token };

	return secret_hex(a, secret_hash_of(a, parts, COUNT(parts)));
}

/* --- recovery codes ----------------------------------------------------------------------------------------------------- */

static const char code_digits[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32: no l, o, 0, 1 */

Str secret_recovery_code(Arena *a)
{
	unsigned char bytes[16];
	char *text = arena_alloc_raw(a, 20);
	size_t n = 0;

	rand_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i && i % 4 == 0)
			text[n++] = '-';
		text[n++] = code_digits[bytes[i] & 31];
	}
	return (Str){ text, n };
}

Str secret_recovery_norm(Arena *a, Str typed)
{
	char *text = arena_alloc_raw(a, typed.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < typed.len; i++) {
		char c = typed.at[i];

		if (c == '-' || c == ' ')
			continue;
		text[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return (Str){ text, n };
}
