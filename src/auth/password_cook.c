/* SPDX-License-Identifier: Apache-2.0
 *
 * The work that a recipe asks for: the same digest of a password made again and compared.
 *
 * Everything here burns and runs on a worker of the pool, whose memory argon2 gets (libargon2 asks an allocator, which knows
 * only its thread). Lanes run one after the other: a hash of eight lanes takes eight times as long as its author's did, but
 * one worker is one thread. Comparisons take the same time wherever the first difference is. A wrapped one makes the weak
 * digest of the password first, then argon2id of its hexadecimal text: what was stored before is nowhere any more.
 * libcrypt reads up to the first NUL and bcrypt 72 bytes: a password with a NUL matches nothing of theirs. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/rand.h"
#include "auth/password_int.h"

#include <argon2.h>
#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <string.h>

enum { SALT_BYTES = 16, TAG_BYTES = 32 };

static _Thread_local struct {
	void *memory;
	size_t bytes;
} kitchen;

void kitchen_enter(void *memory, size_t bytes)
{
	kitchen.memory = memory;
	kitchen.bytes = bytes;
}

static Err *no_work(Arena *a, const char *what)
{
	return err_new(a, ERR_IO, "auth.password_work", "%s could not be done", what);
}

static const EVP_MD *hash_md(PasswordHash hash)
{
	static const EVP_MD *(*const of[HASH_COUNT])(void) = {
		[HASH_MD5] = EVP_md5,       [HASH_SHA1] = EVP_sha1,     [HASH_SHA224] = EVP_sha224,
		[HASH_SHA256] = EVP_sha256, [HASH_SHA384] = EVP_sha384, [HASH_SHA512] = EVP_sha512,
	};

	return of[hash]();
}

static const unsigned char *bytes_of(Str str)
{
	return (const unsigned char *)(str.len ? str.at : "");
}

static Str hex_of(Arena *a, Str bytes)
{
	char *text = arena_alloc_raw(a, 2 * bytes.len + 1);

	for (size_t i = 0; i < bytes.len; i++)
		str_put_hex(text + 2 * i, (unsigned char)bytes.at[i], 2);
	return (Str){ text, 2 * bytes.len };
}

/* Standard base64; `padded` or not. */
static Str base64_of(Arena *a, Str bytes, bool padded)
{
	char *text = arena_alloc_raw(a, bytes.len / 3 * 4 + 5);
	int len = EVP_EncodeBlock((unsigned char *)text, bytes_of(bytes), (int)bytes.len);

	while (!padded && len && text[len - 1] == '=')
		len--;
	return (Str){ text, (size_t)len };
}

static bool same(Str x, Str y)
{
	return x.len == y.len && !CRYPTO_memcmp(bytes_of(x), bytes_of(y), x.len);
}

/* --- one digest ---------------------------------------------------------------------------------------------------- */

static Err *digest(Arena *a, const Recipe *r, Str password, Str *out)
{
	unsigned char *tag = arena_alloc_raw(a, EVP_MAX_MD_SIZE);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	Str first = r->salt_last ? password : r->salt, second = r->salt_last ? r->salt : password;
	unsigned len = 0;
	bool fine = ctx && EVP_DigestInit_ex(ctx, hash_md(r->hash), NULL) &&
	            EVP_DigestUpdate(ctx, bytes_of(first), first.len) &&
	            EVP_DigestUpdate(ctx, bytes_of(second), second.len) &&
	            EVP_DigestFinal_ex(ctx, tag, &len);

	EVP_MD_CTX_free(ctx);
	*out = (Str){ (char *)tag, len };
	return fine ? NULL : no_work(a, "a digest");
}

static Err *hmac(Arena *a, PasswordHash hash, Str key, Str text, Str *out)
{
	unsigned char *tag = arena_alloc_raw(a, EVP_MAX_MD_SIZE);
	unsigned len = 0;

	if (!HMAC(hash_md(hash), bytes_of(key), (int)key.len, bytes_of(text), text.len, tag, &len))
		return no_work(a, "an HMAC");
	*out = (Str){ (char *)tag, len };
	return NULL;
}

static Err *pbkdf2(Arena *a, const Recipe *r, uint64_t rounds, Str password, Str *out)
{
	unsigned char *tag = arena_alloc_raw(a, r->tag.len);

	if (!PKCS5_PBKDF2_HMAC((const char *)bytes_of(password), (int)password.len,
	                       bytes_of(r->salt), (int)r->salt.len, (int)rounds, hash_md(r->hash),
	                       (int)r->tag.len, tag))
		return no_work(a, "PBKDF2");
	*out = (Str){ (char *)tag, r->tag.len };
	return NULL;
}

/* Werkzeug's default count at the time is not in the string: each that it ever had. */
static Err *pbkdf2_any(Arena *a, const Recipe *r, Str password, bool *match)
{
	static const uint64_t counts[] = { 1000, 50000, 150000, 260000, 600000, 1000000 };
	bool any = false;
	Str tag;

	for (size_t i = 0; i < COUNT(counts); i++) {
		TRY(pbkdf2(a, r, counts[i], password, &tag));
		any = same(tag, r->tag) || any;
	}
	*match = any;
	return NULL;
}

static Err *scrypt(Arena *a, const Recipe *r, Str password, Str *out)
{
	unsigned char *tag = arena_alloc_raw(a, r->tag.len);
	uint64_t memory = 128 * r->r * (r->n + r->p + 2) + 64 * 1024;

	if (!EVP_PBE_scrypt((const char *)bytes_of(password), password.len, bytes_of(r->salt),
	                    r->salt.len, r->n, r->r, r->p, memory, tag, r->tag.len))
		return no_work(a, "scrypt");
	*out = (Str){ (char *)tag, r->tag.len };
	return NULL;
}

static int give_memory(uint8_t **memory, size_t bytes)
{
	*memory = bytes <= kitchen.bytes ? kitchen.memory : NULL;
	return *memory ? ARGON2_OK : ARGON2_MEMORY_ALLOCATION_ERROR;
}

static void take_memory(uint8_t *memory, size_t bytes)
{
	OPENSSL_cleanse(memory, bytes);
}

static Err *argon2(Arena *a, const Recipe *r, Str password, Str *out)
{
	unsigned char *tag = arena_alloc_raw(a, r->tag.len);
	argon2_context context = {
		.out = tag,
		.outlen = (uint32_t)r->tag.len,
		.pwd = (uint8_t *)bytes_of(password),
		.pwdlen = (uint32_t)password.len,
		.salt = (uint8_t *)bytes_of(r->salt),
		.saltlen = (uint32_t)r->salt.len,
		.t_cost = (uint32_t)r->rounds,
		.m_cost = (uint32_t)r->memory_kib,
		.lanes = (uint32_t)r->p,
		.threads = 1,
		.version = r->version,
		.allocate_cbk = give_memory,
		.free_cbk = take_memory,
	};

	if (argon2_ctx(&context, (argon2_type)r->type) != ARGON2_OK)
		return no_work(a, "argon2");
	*out = (Str){ (char *)tag, r->tag.len };
	return NULL;
}

/* Empty when libcrypt does not know the setting. */
static Str crypt_text(Arena *a, const Recipe *r, Str password)
{
	struct crypt_data *data;
	const char *text;
	Str out;

	if (apr1_is(r->salt))
		return apr1_text(a, r->salt, password);
	data = ARENA_NEW(a, struct crypt_data);
	text = crypt_r(str_z(a, password), r->salt.at, data);
	out = text && text[0] != '*' ? str_dup(a, str_of(text)) : (Str){ 0 };
	OPENSSL_cleanse(data, sizeof *data);
	return out;
}

/* --- a recipe ------------------------------------------------------------------------------------------------------ */

static Err *prepare(Arena *a, const Recipe *r, Str password, Str *out)
{
	Recipe plain = { .hash = HASH_SHA256 };
	Str tag;

	*out = password;
	switch (r->first) {
	case FIRST_NOTHING:
		return NULL;
	case FIRST_HEX_SHA256:
		TRY(digest(a, &plain, password, &tag));
		*out = hex_of(a, tag);
		return NULL;
	case FIRST_BASE64_SHA256:
		TRY(digest(a, &plain, password, &tag));
		break;
	case FIRST_BASE64_HMAC: /* keyed with the 22 characters of the salt, as text */
		TRY(hmac(a, HASH_SHA256, str_sub(r->salt, 7, 29), password, &tag));
		break;
	}
	*out = base64_of(a, tag, true);
	return NULL;
}

/* The digest that the recipe makes of a prepared password; of crypt its whole text. */
static Err *cook(Arena *a, const Recipe *r, Str password, Str *out)
{
	switch (r->work) {
	case WORK_ARGON2:
		return argon2(a, r, password, out);
	case WORK_PBKDF2:
		return pbkdf2(a, r, r->rounds, password, out);
	case WORK_SCRYPT:
		return scrypt(a, r, password, out);
	case WORK_DIGEST:
		return digest(a, r, password, out);
	case WORK_HMAC:
		return hmac(a, r->hash, r->salt, password, out);
	case WORK_CRYPT:
		*out = crypt_text(a, r, password);
		return NULL;
	case WORK_PLAIN:
		*out = password;
		return NULL;
	case WORK_NONE:
		break;
	}
	*out = (Str){ 0 };
	return NULL;
}

/* What argon2id is made of when a weak digest is wrapped. */
static Str weak_text(Arena *a, const Recipe *weak, Str tag)
{
	return weak->work == WORK_CRYPT ? tag : hex_of(a, tag);
}

static Err *match_wrapped(Arena *a, const Recipe *r, Str password, bool *match)
{
	Recipe outer = *r, keyed = *r->under;
	bool first, second = false;
	Str tag;

	outer.under = NULL;
	keyed.work = WORK_HMAC;
	TRY(cook(a, r->under, password, &tag));
	TRY(recipe_match(a, &outer, weak_text(a, r->under, tag), &first));
	if (r->under->or_hmac) {
		TRY(cook(a, &keyed, password, &tag));
		TRY(recipe_match(a, &outer, weak_text(a, r->under, tag), &second));
	}
	*match = first || second;
	return NULL;
}

Err *recipe_match(Arena *a, const Recipe *r, Str password, bool *match)
{
	bool readable =
		r->work != WORK_CRYPT || r->first || !memchr(bytes_of(password), 0, password.len);
	bool first_fits, second_fits;
	Str first, tag, keyed = { 0 };

	if (r->under)
		return match_wrapped(a, r, password, match);
	TRY(prepare(a, r, password, &first));
	if (r->work == WORK_PBKDF2 && !r->rounds)
		return pbkdf2_any(a, r, first, match);
	TRY(cook(a, r, first, &tag));
	if (r->or_hmac)
		TRY(hmac(a, r->hash, r->salt, password, &keyed));
	first_fits = same(tag, r->tag);
	second_fits = keyed.len && same(keyed, r->tag);
	*match = (first_fits || second_fits) && readable && r->work != WORK_NONE && r->tag.len;
	return NULL;
}

/* --- new ones ------------------------------------------------------------------------------------------------------ */

Err *recipe_make(Arena *a, uint64_t memory_kib, uint64_t passes, Str password, Str *stored)
{
	char salt[SALT_BYTES];
	Recipe recipe = {
		.work = WORK_ARGON2,
		.type = Argon2_id,
		.version = ARGON2_VERSION_13,
		.memory_kib = memory_kib,
		.rounds = passes,
		.p = 1,
		.salt = { salt, sizeof salt },
		.tag = { NULL, TAG_BYTES },
	};
	Str salt_text, tag;

	rand_bytes(salt, sizeof salt);
	TRY(argon2(a, &recipe, password, &tag));
	salt_text = base64_of(a, recipe.salt, false);
	tag = base64_of(a, tag, false);
	*stored = str_fmt(a, "$argon2id$v=19$m=%" PRIu64 ",t=%" PRIu64 ",p=1$%.*s$%.*s", memory_kib,
	                  passes, STR_ARG(salt_text), STR_ARG(tag));
	return NULL;
}

/* Zeros where the digest stood; whoever reads it again gets the same recipe with another tag. */
static Str blot(Arena *a, Str weak, const Recipe *r)
{
	size_t hex = 2 * r->tag.len, digest_len = 11;
	char *zeros;

	if (r->format == PASSWORD_LDAP_SHA) {
		Str head = str_sub(weak, 0, (size_t)str_find_char(weak, '}') + 1), body;
		char *bytes = arena_alloc(a, r->tag.len + r->salt.len + 1);

		if (r->salt.len)
			memcpy(bytes + r->tag.len, r->salt.at, r->salt.len);
		body = base64_of(a, (Str){ bytes, r->tag.len + r->salt.len }, true);
		return str_fmt(a, "%.*s%.*s", STR_ARG(head), STR_ARG(body));
	}
	if (r->work == WORK_CRYPT && r->tag.len > 13)
		digest_len = 22; /* $1$; else DES */
	if (r->work != WORK_CRYPT)
		digest_len = hex;
	zeros = arena_alloc_raw(a, digest_len + 1);
	memset(zeros, '0', digest_len);
	return str_fmt(a, "%.*s%.*s", (int)(weak.len - digest_len), weak.at, (int)digest_len,
	               zeros);
}

Err *recipe_wrap(Arena *a, Str weak, const Recipe *r, uint64_t memory_kib, uint64_t passes,
                 Str *stored)
{
	Str over, head;

	if (r->work == WORK_PLAIN)
		return recipe_make(a, memory_kib, passes, r->tag, stored);
	TRY(recipe_make(a, memory_kib, passes, weak_text(a, r, r->tag), &over));
	head = blot(a, weak, r);
	*stored = str_fmt(a, "wrapped$%.*s%.*s", STR_ARG(head), STR_ARG(over));
	return NULL;
}

/* --- decoys -------------------------------------------------------------------------------------------------------- */

Recipe *recipe_blur(Arena *a, const Recipe *of)
{
	Recipe *out = ARENA_NEW(a, Recipe);
	char *salt = arena_alloc(a, of->salt.len + 1), *tag = arena_alloc(a, of->tag.len + 1);

	*out = *of;
	if (of->salt.len)
		memcpy(salt, of->salt.at, of->salt.len);
	out->salt = (Str){ salt, of->salt.len };
	out->tag = (Str){ tag, of->tag.len };
	if (of->under)
		out->under = recipe_blur(a, of->under);
	return out;
}
