/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealing for Web Push. The names of the values are those of RFC 8291, 3.3 and 3.4: an agreement between a key made for this one
 * message and the browser's, mixed with the browser's secret, gives the input of RFC 8188; one record holds all of it. */
#include "notification/webpush_seal.h"

#include "auth/b64.h"
#include "auth/jws.h"
#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
	SALT = 16,
	HASH = 32,
	CEK = 16,
	NONCE = 12,
	TAG = 16,
	RECORD = 4096,
	HEAD = SALT + 4 + 1 + WEBPUSH_POINT
};

static Err odd_keys =
	ERR_STATIC(INVALID, "webpush.keys",
                   "the subscription's keys are no P-256 point and 16 bytes in base64url");
static Err too_large =
	ERR_STATIC(TOO_LARGE, "webpush.too_large",
                   "the message is longer than the 3993 bytes that every push service takes");
static Err failed = ERR_STATIC(INTERNAL, "webpush.crypto", "sealing failed");
static Err odd_key = ERR_STATIC(INVALID, "webpush.vapid", "the key is no private P-256 key");

static void pkey_freep(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void pkey_ctx_freep(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

static void cipher_freep(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

/* Libraries write these with either alphabet and with padding or not. */
static bool read_b64(Arena *a, Str text, Str *out)
{
	char *at = arena_alloc_raw(a, text.len + 1);
	size_t len = text.len;

	while (len && text.at[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++)
		at[i] = text.at[i] == '+' ? '-' : text.at[i] == '/' ? '_' : text.at[i];
	return b64url_read(a, (Str){ at, len }, out);
}

Err *webpush_keys(Arena *a, Str p256dh, Str auth, WebpushKeys *out)
{
	WebpushKeys keys;

	if (!read_b64(a, p256dh, &keys.p256dh) || !read_b64(a, auth, &keys.auth) ||
	    keys.p256dh.len != WEBPUSH_POINT || keys.p256dh.at[0] != 4 ||
	    keys.auth.len != WEBPUSH_AUTH)
		return &odd_keys;
	*out = keys;
	return NULL;
}

/* HKDF with one block of output (RFC 5869): all that is asked for fits in one. */
static void hkdf(Str salt, Str ikm, Str info, size_t bytes, unsigned char *out)
{
	unsigned char prk[HASH], block[HASH];
	char last[256];

	HMAC(EVP_sha256(), salt.at, (int)salt.len, (const unsigned char *)ikm.at, ikm.len, prk,
	     NULL);
	memcpy(last, info.at, info.len);
	last[info.len] = 1;
	HMAC(EVP_sha256(), prk, HASH, (const unsigned char *)last, info.len + 1, block, NULL);
	memcpy(out, block, bytes);
	OPENSSL_cleanse(prk, sizeof prk);
	OPENSSL_cleanse(block, sizeof block);
}

static Err *point_of(const EVP_PKEY *key, unsigned char *out)
{
	size_t len = 0;

	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out, WEBPUSH_POINT,
	                                    &len) != 1 ||
	    len != WEBPUSH_POINT || out[0] != 4)
		return &failed;
	return NULL;
}

static Err *agree(EVP_PKEY *own, Str theirs, unsigned char *secret)
{
	AUTO(pkey_freep) EVP_PKEY *peer = EVP_PKEY_new();
	AUTO(pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	size_t len = HASH;

	if (!peer || !ctx || EVP_PKEY_copy_parameters(peer, own) != 1)
		return &failed;
	if (EVP_PKEY_set1_encoded_public_key(peer, (const unsigned char *)theirs.at, theirs.len) !=
	    1)
		return &odd_keys;
	if (EVP_PKEY_derive_init(ctx) != 1)
		return &failed;
	/* It is asked whether the point is one of the curve. */
	if (EVP_PKEY_derive_set_peer(ctx, peer) != 1)
		return &odd_keys;
	return EVP_PKEY_derive(ctx, secret, &len) == 1 && len == HASH ? NULL : &failed;
}

/* RFC 8291, 3.4. */
static Err *input_key(EVP_PKEY *own, const unsigned char *point, const WebpushKeys *keys,
                      unsigned char *ikm)
{
	static const Str label = S("WebPush: info\0");
	unsigned char secret[HASH];
	char info[14 + 2 * WEBPUSH_POINT];

	TRY(agree(own, keys->p256dh, secret));
	memcpy(info, label.at, label.len);
	memcpy(info + label.len, keys->p256dh.at, WEBPUSH_POINT);
	memcpy(info + label.len + WEBPUSH_POINT, point, WEBPUSH_POINT);
	hkdf(keys->auth, (Str){ (const char *)secret, HASH }, (Str){ info, sizeof info }, HASH,
	     ikm);
	OPENSSL_cleanse(secret, sizeof secret);
	return NULL;
}

/* The one record: the text and the byte that ends it (RFC 8188, 2). */
static Err *encrypt(const unsigned char *cek, const unsigned char *nonce, Str plain,
                    unsigned char *out)
{
	AUTO(cipher_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	static const unsigned char end = 2;
	int n = 0, m = 0, last = 0;

	if (!ctx || EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, cek, nonce) != 1 ||
	    EVP_EncryptUpdate(ctx, out, &n, (const unsigned char *)plain.at, (int)plain.len) != 1 ||
	    EVP_EncryptUpdate(ctx, out + n, &m, &end, 1) != 1 ||
	    EVP_EncryptFinal_ex(ctx, out + n + m, &last) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, out + n + m + last) != 1)
		return &failed;
	return NULL;
}

static Err *seal_with(Arena *a, const WebpushKeys *keys, Str plain, EVP_PKEY *own,
                      const unsigned char *salt, Str *out)
{
	unsigned char ikm[HASH], cek[CEK], nonce[NONCE];
	unsigned char *at;
	size_t bytes = HEAD + plain.len + 1 + TAG;
	Str salted = { (const char *)salt, SALT }, input = { (const char *)ikm, HASH };

	if (plain.len > WEBPUSH_BYTES)
		return &too_large;
	at = arena_alloc(a, bytes);
	memcpy(at, salt, SALT);
	at[SALT + 2] = RECORD >> 8;
	at[SALT + 4] = WEBPUSH_POINT;
	TRY(point_of(own, at + SALT + 5));
	TRY(input_key(own, at + SALT + 5, keys, ikm));
	hkdf(salted, input, S("Content-Encoding: aes128gcm\0"), CEK, cek);
	hkdf(salted, input, S("Content-Encoding: nonce\0"), NONCE, nonce);
	TRY(encrypt(cek, nonce, plain, at + HEAD));
	OPENSSL_cleanse(ikm, sizeof ikm);
	OPENSSL_cleanse(cek, sizeof cek);
	*out = (Str){ (const char *)at, bytes };
	return NULL;
}

Err *webpush_seal(Arena *a, const WebpushKeys *keys, Str plain, Str *out)
{
	AUTO(pkey_freep) EVP_PKEY *own = EVP_EC_gen("P-256");
	unsigned char salt[SALT];

	if (!own)
		return &failed;
	rand_bytes(salt, SALT);
	return seal_with(a, keys, plain, own, salt, out);
}

Err *webpush_public(Arena *a, const Jwk *key, Str *out)
{
	unsigned char point[WEBPUSH_POINT];

	if (!key->pkey || !key->signs || !(key->algs & JWS_BIT(JWS_ES256)) ||
	    point_of(key->pkey, point))
		return &odd_key;
	*out = b64url(a, (Str){ (const char *)point, WEBPUSH_POINT });
	return NULL;
}

Err *webpush_vapid(Arena *a, const Jwk *key, Str audience, Str subject, int64_t until_us, Str *out)
{
	AUTO(buf_fini) Buf claims = { 0 };
	JsonWriter w = json_writer(&claims);
	Str point, payload, token;

	TRY(webpush_public(a, key, &point));
	json_begin_object(&w);
	json_put_str(&w, "aud", audience);
	json_put_i64(&w, "exp", until_us / US_PER_S);
	json_put_str(&w, "sub", subject);
	json_end(&w);
	TRY(json_done(&w, &payload));
	TRY(jws_sign(a, key, JWS_ES256, S("JWT"), payload, &token));
	*out = str_fmt(a, "vapid t=%.*s, k=%.*s", STR_ARG(token), STR_ARG(point));
	return NULL;
}
