/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets at rest: AES-256-GCM with a random nonce of 96 bits, the key's name in front, the context as additional data.
 *
 * A sealed value is text so that it survives every column, dump and export: "v1.KEY.base64url(nonce, ciphertext, tag)". With
 * random nonces a key may close some billions of values; a service closes one for each authenticator. The name of the key is
 * part of the additional data too, so that a value cannot be moved to another key's name. Keys live in one block that is wiped
 * when the arena goes. */
#include "auth/seal.h"

#include "base/arena.h"
#include "base/rand.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { KEY_BYTES = 32, NONCE_BYTES = 12, TAG_BYTES = 16, NAME_MAX_BYTES = 32, KEYS_MAX = 32 };

typedef struct SealKey {
	Str name;
	unsigned char key[KEY_BYTES];
} SealKey;

struct Seal {
	size_t count;
	SealKey keys[KEYS_MAX];
};

/* --- base64 and hexadecimal ---------------------------------------------------------------------------------------- */

static Str url64(Arena *a, const unsigned char *bytes, size_t len)
{
	char *text = arena_alloc_raw(a, len / 3 * 4 + 5);
	int n = EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);

	while (n && text[n - 1] == '=')
		n--;
	for (int i = 0; i < n; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	return (Str){ text, (size_t)n };
}

/* Base64 of either alphabet, with or without padding. */
static bool read64(Arena *a, Str text, Str *out)
{
	size_t padded;
	unsigned char *copy, *bytes;
	size_t missing;

	while (text.len && text.at[text.len - 1] == '=')
		text.len--;
	missing = (4 - text.len % 4) % 4;
	if (missing == 3 || text.len > (1 << 24))
		return false;
	padded = text.len + missing;
	copy = arena_alloc_raw(a, padded + 1);
	bytes = arena_alloc_raw(a, padded / 4 * 3 + 1);
	for (size_t i = 0; i < padded; i++) {
		char c = i < text.len ? text.at[i] : '=';

		if (c == '=' && i < text.len)
			return false;
		copy[i] = (unsigned char)(c == '-' ? '+' : c == '_' ? '/' : c);
	}
	if (padded && EVP_DecodeBlock(bytes, copy, (int)padded) < 0)
		return false;
	*out = (Str){ (char *)bytes, padded / 4 * 3 - missing };
	return true;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = memchr(digits, c | 0x20, 16);

	if (c >= '0' && c <= '9')
		return c - '0';
	return at && c > '9' ? (int)(at - digits) : -1;
}

static bool read_hex_key(Str text, unsigned char *key)
{
	for (size_t i = 0; i < KEY_BYTES; i++) {
		int high = hex_digit(text.at[2 * i]), low = hex_digit(text.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* --- keys ---------------------------------------------------------------------------------------------------------- */

static bool name_is(Str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    c != '-' && c != '_')
			return false;
	}
	return name.len && name.len <= NAME_MAX_BYTES;
}

static Err *bad_row(Arena *a, const char *what)
{
	return err_new(a, ERR_INVALID, "auth.seal_key", "a key for secrets is NAME:KEY; %s", what);
}

static Err *row_read(Arena *a, Str row, SealKey *key)
{
	Str name, bytes = { 0 };
	bool fine;

	str_split(&row, ':', &name);
	if (!name_is(name) || !row.at)
		return bad_row(a, "the name is 1 to 32 letters, digits, - and _");
	row = str_trim(row);
	fine = row.len == 2 * KEY_BYTES ? read_hex_key(row, key->key)
	                                : read64(a, row, &bytes) && bytes.len == KEY_BYTES;
	if (bytes.len == KEY_BYTES) {
		memcpy(key->key, bytes.at, KEY_BYTES);
		OPENSSL_cleanse((char *)bytes.at, bytes.len);
	}
	if (!fine)
		return bad_row(a, "the key is 32 bytes, as base64 or hexadecimal");
	key->name = str_dup(a, name);
	return NULL;
}

static void seal_wipe(void *arg)
{
	OPENSSL_cleanse(arg, sizeof(Seal));
}

static const SealKey *key_find(const Seal *seal, Str name)
{
	for (size_t i = 0; i < seal->count; i++)
		if (str_eq(seal->keys[i].name, name))
			return &seal->keys[i];
	return NULL;
}

Err *seal_new(Arena *a, const Str *rows, size_t count, Seal **out)
{
	Seal *seal = ARENA_NEW(a, Seal);

	arena_defer(a, seal_wipe, seal);
	if (!count || count > KEYS_MAX)
		return bad_row(a, "at least one is needed, and 32 are enough");
	for (size_t i = 0; i < count; i++) {
		TRY(row_read(a, rows[i], &seal->keys[i]));
		if (key_find(seal, seal->keys[i].name))
			return bad_row(a, "two have the same name");
		seal->count++;
	}
	*out = seal;
	return NULL;
}

Err *seal_verify_row(Arena *a, Str row)
{
	SealKey key;
	Err *err = row_read(a, row, &key);

	OPENSSL_cleanse(&key, sizeof key);
	return err;
}

Str seal_make_row(Arena *a, Str name)
{
	unsigned char key[KEY_BYTES];
	Str text, row;

	rand_bytes(key, sizeof key);
	text = url64(a, key, sizeof key);
	row = str_fmt(a, "%.*s:%.*s", STR_ARG(name), STR_ARG(text));
	OPENSSL_cleanse(key, sizeof key);
	return row;
}

/* --- closing and opening -------------------------------------------------------------------------------------------- */

static Str additional(Arena *a, Str key_name, Str context)
{
	return str_fmt(a, "v1.%.*s.%.*s", STR_ARG(key_name), STR_ARG(context));
}

static const unsigned char *at_of(Str str)
{
	return (const unsigned char *)(str.len ? str.at : "");
}

/* nonce, ciphertext, tag at `into`. */
static bool gcm_close(const SealKey *key, Str more, Str plain, unsigned char *into)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char *text = into + NONCE_BYTES;
	int len;
	bool fine;

	rand_bytes(into, NONCE_BYTES);
	fine = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->key, into) &&
	       EVP_EncryptUpdate(ctx, NULL, &len, at_of(more), (int)more.len) &&
	       (!plain.len || EVP_EncryptUpdate(ctx, text, &len, at_of(plain), (int)plain.len)) &&
	       EVP_EncryptFinal_ex(ctx, text + plain.len, &len) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, text + plain.len);
	EVP_CIPHER_CTX_free(ctx);
	return fine;
}

static bool gcm_open(const SealKey *key, Str more, Str bytes, unsigned char *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const unsigned char *nonce = at_of(bytes), *text = nonce + NONCE_BYTES;
	int text_len = (int)bytes.len - NONCE_BYTES - TAG_BYTES, len;
	bool fine = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->key, nonce) &&
	            EVP_DecryptUpdate(ctx, NULL, &len, at_of(more), (int)more.len) &&
	            (!text_len || EVP_DecryptUpdate(ctx, plain, &len, text, text_len)) &&
	            EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES,
	                                (void *)(text + text_len)) &&
	            EVP_DecryptFinal_ex(ctx, plain + text_len, &len) > 0;

	EVP_CIPHER_CTX_free(ctx);
	return fine;
}

Err *seal_close(const Seal *seal, Arena *a, Str context, Str plain, Str *sealed)
{
	const SealKey *key = &seal->keys[0];
	size_t len = NONCE_BYTES + plain.len + TAG_BYTES;
	unsigned char *bytes = arena_alloc_raw(a, len);
	Str text;

	if (!gcm_close(key, additional(a, key->name, context), plain, bytes))
		return err_new(a, ERR_INTERNAL, "auth.seal", "a secret could not be closed");
	text = url64(a, bytes, len);
	*sealed = str_fmt(a, "v1.%.*s.%.*s", STR_ARG(key->name), STR_ARG(text));
	return NULL;
}

static Err *broken(Arena *a)
{
	return err_new(a, ERR_INVALID, "auth.seal_broken",
	               "a closed secret was changed, cut, or belongs elsewhere");
}

/* "v1", name, the rest. */
static bool sealed_parts(Str sealed, Str *name, Str *text)
{
	Str version;

	str_split(&sealed, '.', &version);
	if (!str_eq(version, S("v1")) || !str_split(&sealed, '.', name) || !sealed.at)
		return false;
	*text = sealed;
	return name_is(*name);
}

Err *seal_open(const Seal *seal, Arena *a, Str context, Str sealed, Str *plain)
{
	const SealKey *key;
	unsigned char *into;
	Str name, text, bytes;

	if (!sealed_parts(sealed, &name, &text))
		return broken(a);
	key = key_find(seal, name);
	if (!key)
		return err_new(a, ERR_PRECONDITION, "auth.seal_key_missing",
		               "the key %.*s, with which a secret was closed, is not configured",
		               STR_ARG(name));
	if (!read64(a, text, &bytes) || bytes.len < NONCE_BYTES + TAG_BYTES ||
	    !str_eq(url64(a, (const unsigned char *)bytes.at, bytes.len), text)) /* one form only */
		return broken(a);
	into = arena_alloc_raw(a, bytes.len);
	if (!gcm_open(key, additional(a, key->name, context), bytes, into))
		return broken(a);
	*plain = (Str){ (char *)into, bytes.len - NONCE_BYTES - TAG_BYTES };
	return NULL;
}

bool seal_is_stale(const Seal *seal, Str sealed)
{
	Str name, text;

	return !sealed_parts(sealed, &name, &text) || !str_eq(name, seal->keys[0].name);
}

uint64_t seal_number(const Seal *seal, Str purpose)
{
	unsigned char tag[EVP_MAX_MD_SIZE] = { 0 };
	uint64_t number;

	HMAC(EVP_sha256(), seal->keys[0].key, KEY_BYTES, at_of(purpose), purpose.len, tag, NULL);
	memcpy(&number, tag, sizeof number);
	return number;
}
