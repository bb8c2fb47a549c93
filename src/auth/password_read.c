/* SPDX-License-Identifier: Apache-2.0
 *
 * Stored strings of passwords taken apart into recipes: one row of a table for each beginning, one function for each shape.
 *
 * What the systems write is told apart by the beginning alone, with two exceptions: 32 hexadecimal digits by themselves are
 * Django's oldest, and "sha1$salt$hex" (md5 too) is Django's digest or old Werkzeug's HMAC, which nobody can tell: both
 * readings are tried. A stored string comes from another system's table, so it is input: what would take more memory, or more
 * than a few seconds, is refused here with a sentence, before any work. Sentences say what is wrong and never quote the string.
 * Salts of Django and Werkzeug are text as it stands; those of passlib are base64 with . for + and without padding. */
#include "base/arena.h"
#include "auth/password_int.h"

#include <string.h>

enum {
	MOST_PBKDF2_ROUNDS = 5000000,
	MOST_CRYPT_ROUNDS = 5000000,
	MOST_BCRYPT_COST = 15,
	MOST_ARGON2_KIB_PASSES = 1024 * 1024,
	MOST_SCRYPT_WORK = 4 * 1024 * 1024, /* N * r * p */
	MOST_LANES = 64,
	MOST_SALT = 512,
	LEAST_TAG = 16,
	MOST_TAG = 512,
};

typedef Err *RecipeReader(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out);

typedef struct Beginning {
	Str text;
	PasswordFormat format;
	RecipeReader *read; /* given what comes after the text */
	PasswordHash hash;
	bool weak;
} Beginning;

static Err *damaged(Arena *a, const char *what)
{
	return err_new(a, ERR_INVALID, "auth.password_format", "the stored password has %s", what);
}

static Err *too_costly(Arena *a, const char *what)
{
	return err_new(a, ERR_INVALID, "auth.password_format",
	               "the stored password asks for more than the limit: %s", what);
}

/* --- parts --------------------------------------------------------------------------------------------------------- */

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '.')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Standard base64, or passlib's ('.' for '+'); padding may be there. */
static bool base64_read(Arena *a, Str text, Str *out)
{
	char *bytes;
	uint32_t bits = 0, held = 0;
	size_t len = 0;

	for (int i = 0; i < 2 && text.len && text.at[text.len - 1] == '='; i++)
		text.len--;
	if (text.len % 4 == 1)
		return false;
	bytes = arena_alloc_raw(a, text.len + 1);
	for (size_t i = 0; i < text.len; i++) {
		int value = base64_value(text.at[i]);

		if (value < 0)
			return false;
		held = held << 6 | (uint32_t)value;
		bits += 6;
		if (bits >= 8)
			bytes[len++] = (char)(held >> (bits -= 8));
	}
	*out = (Str){ bytes, len };
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool hex_read(Arena *a, Str text, Str *out)
{
	char *bytes = arena_alloc_raw(a, text.len / 2 + 1);

	for (size_t i = 0; i + 1 < text.len; i += 2) {
		int high = hex_value(text.at[i]), low = hex_value(text.at[i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i / 2] = (char)(high << 4 | low);
	}
	*out = (Str){ bytes, text.len / 2 };
	return text.len % 2 == 0;
}

static Err *tag_fits(Arena *a, Str tag)
{
	if (tag.len < LEAST_TAG || tag.len > MOST_TAG)
		return damaged(a, "a digest of a length that nothing writes");
	return NULL;
}

static Err *read_tag_base64(Arena *a, Str text, Recipe *out)
{
	if (!base64_read(a, text, &out->tag))
		return damaged(a, "a digest that is not base64");
	return tag_fits(a, out->tag);
}

static Err *read_tag_hex(Arena *a, Str text, Recipe *out)
{
	if (!hex_read(a, text, &out->tag))
		return damaged(a, "a digest that is not hexadecimal");
	return tag_fits(a, out->tag);
}

static Err *read_salt_text(Arena *a, Str text, Recipe *out)
{
	if (text.len > MOST_SALT)
		return damaged(a, "a salt longer than anything writes");
	out->salt = text;
	return NULL;
}

static Err *read_salt_base64(Arena *a, Str text, Recipe *out)
{
	if (text.len > MOST_SALT || !base64_read(a, text, &out->salt))
		return damaged(a, "a salt that is not base64");
	return NULL;
}

static const struct {
	Str name;
	size_t bytes;
} hashes[HASH_COUNT] = {
	[HASH_MD5] = { S("md5"), 16 },       [HASH_SHA1] = { S("sha1"), 20 },
	[HASH_SHA224] = { S("sha224"), 28 }, [HASH_SHA256] = { S("sha256"), 32 },
	[HASH_SHA384] = { S("sha384"), 48 }, [HASH_SHA512] = { S("sha512"), 64 },
};

static bool hash_find(Str name, PasswordHash *hash)
{
	for (unsigned i = 0; i < HASH_COUNT; i++)
		if (str_eq(name, hashes[i].name)) {
			*hash = i;
			return true;
		}
	return false;
}

static Err *read_rounds(Arena *a, Str text, uint64_t most, Recipe *out)
{
	if (!str_to_u64(text, &out->rounds) || !out->rounds)
		return damaged(a, "no number of rounds where it belongs");
	return out->rounds > most ? too_costly(a, "rounds") : NULL;
}

/* Exactly `count` parts, split at '$'. */
static Err *split(Arena *a, Str rest, Str *parts, size_t count)
{
	size_t got = 0;
	Str part;

	while (str_split(&rest, '$', &part)) {
		if (got == count)
			return damaged(a, "more parts than its format");
		parts[got++] = part;
	}
	return got == count ? NULL : damaged(a, "fewer parts than its format");
}

/* --- argon2 -------------------------------------------------------------------------------------------------------- */

static Err *argon2_numbers(Arena *a, Str text, Recipe *out)
{
	static const char *const names[] = { "m=", "t=", "p=" };
	uint64_t *const into[] = { &out->memory_kib, &out->rounds, &out->p };
	size_t at = 0;
	Str part;

	while (str_split(&text, ',', &part)) {
		if (at == COUNT(names) || !str_starts(part, str_of(names[at])) ||
		    !str_to_u64(str_sub(part, 2, part.len), into[at]))
			return damaged(a, "parameters of argon2 that are not m, t and p");
		at++;
	}
	return at == COUNT(names) ? NULL : damaged(a, "too few parameters of argon2");
}

static Err *argon2_limits(Arena *a, const RecipeLimits *limits, const Recipe *r)
{
	if (!r->rounds || !r->p || r->salt.len < 8 || r->memory_kib < 8 * r->p)
		return damaged(a, "parameters that argon2 does not allow");
	if (r->memory_kib > limits->most_memory_kib || r->p > MOST_LANES)
		return too_costly(a, "memory of argon2");
	if (r->rounds > MOST_ARGON2_KIB_PASSES / r->memory_kib)
		return too_costly(a, "passes of argon2");
	return NULL;
}

/* "id$v=19$m=19456,t=2,p=1$salt$tag"; the oldest have no version. */
static Err *read_argon2(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out)
{
	Str type, parts[3];

	out->work = WORK_ARGON2;
	out->version = 0x10;
	if (!str_split(&rest, '$', &type) || !rest.at)
		return damaged(a, "nothing after argon2");
	if (str_eq(type, S("id")))
		out->type = 2;
	else if (str_eq(type, S("i")))
		out->type = 1;
	else if (!str_eq(type, S("d")))
		return damaged(a, "a kind of argon2 that there is not");
	if (str_starts(rest, S("v=19$")) || str_starts(rest, S("v=16$"))) {
		out->version = rest.at[3] == '9' ? 0x13 : 0x10;
		rest = str_sub(rest, 5, rest.len);
	}
	TRY(split(a, rest, parts, 3));
	TRY(argon2_numbers(a, parts[0], out));
	TRY(read_salt_base64(a, parts[1], out));
	TRY(read_tag_base64(a, parts[2], out));
	return argon2_limits(a, limits, out);
}

/* --- pbkdf2 -------------------------------------------------------------------------------------------------------- */

static Err *read_django_pbkdf2(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	Str parts[3];

	out->work = WORK_PBKDF2;
	TRY(split(a, rest, parts, 3));
	TRY(read_rounds(a, parts[0], MOST_PBKDF2_ROUNDS, out));
	TRY(read_salt_text(a, parts[1], out));
	return read_tag_base64(a, parts[2], out);
}

static Err *read_passlib_pbkdf2(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	Str parts[3];

	out->work = WORK_PBKDF2;
	TRY(split(a, rest, parts, 3));
	TRY(read_rounds(a, parts[0], MOST_PBKDF2_ROUNDS, out));
	TRY(read_salt_base64(a, parts[1], out));
	return read_tag_base64(a, parts[2], out);
}

static Err *read_werkzeug_pbkdf2(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	Str parts[3], hash;

	out->work = WORK_PBKDF2;
	TRY(split(a, rest, parts, 3));
	str_split(&parts[0], ':', &hash);
	if (!hash_find(hash, &out->hash))
		return damaged(a, "the name of a hash that is not known");
	if (parts[0].at)
		TRY(read_rounds(a, parts[0], MOST_PBKDF2_ROUNDS, out));
	TRY(read_salt_text(a, parts[1], out));
	return read_tag_hex(a, parts[2], out);
}

/* --- scrypt -------------------------------------------------------------------------------------------------------- */

static Err *scrypt_limits(Arena *a, const RecipeLimits *limits, const Recipe *r)
{
	uint64_t lines;

	if (r->n < 2 || r->n & (r->n - 1) || !r->r || !r->p)
		return damaged(a, "parameters that scrypt does not allow");
	if (r->n > MOST_SCRYPT_WORK || r->r > MOST_SCRYPT_WORK || r->p > MOST_SCRYPT_WORK)
		return too_costly(a, "scrypt's parameters");
	lines = r->n * r->r;
	if (lines / 8 > limits->most_memory_kib || r->r * r->p > limits->most_memory_kib * 8)
		return too_costly(a, "memory of scrypt");
	return lines > MOST_SCRYPT_WORK / r->p ? too_costly(a, "work of scrypt") : NULL;
}

static Err *scrypt_numbers(Arena *a, Str n, Str r, Str p, Recipe *out)
{
	out->work = WORK_SCRYPT;
	if (!str_to_u64(n, &out->n) || !str_to_u64(r, &out->r) || !str_to_u64(p, &out->p))
		return damaged(a, "parameters of scrypt that are not numbers");
	return NULL;
}

/* "16384$salt$8$5$base64": the salt comes before the other two. */
static Err *read_django_scrypt(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out)
{
	Str parts[5];

	TRY(split(a, rest, parts, 5));
	TRY(scrypt_numbers(a, parts[0], parts[2], parts[3], out));
	TRY(read_salt_text(a, parts[1], out));
	TRY(read_tag_base64(a, parts[4], out));
	return scrypt_limits(a, limits, out);
}

static Err *read_werkzeug_scrypt(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out)
{
	Str parts[3], n, r;

	TRY(split(a, rest, parts, 3));
	str_split(&parts[0], ':', &n);
	if (!str_split(&parts[0], ':', &r) || !parts[0].at)
		return damaged(a, "too few parameters of scrypt");
	TRY(scrypt_numbers(a, n, r, parts[0], out));
	TRY(read_salt_text(a, parts[1], out));
	TRY(read_tag_hex(a, parts[2], out));
	return scrypt_limits(a, limits, out);
}

/* "ln=16,r=8,p=1$salt$digest": ln is the logarithm. */
static Err *read_passlib_scrypt(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out)
{
	Str parts[3], numbers[3] = { 0 };

	TRY(split(a, rest, parts, 3));
	for (size_t i = 0; i < 3; i++)
		str_split(&parts[0], ',', &numbers[i]);
	if (!str_starts(numbers[0], S("ln=")) || !str_starts(numbers[1], S("r=")) ||
	    !str_starts(numbers[2], S("p=")) || parts[0].at)
		return damaged(a, "parameters of scrypt that are not ln, r and p");
	TRY(scrypt_numbers(a, str_sub(numbers[0], 3, numbers[0].len),
	                   str_sub(numbers[1], 2, numbers[1].len),
	                   str_sub(numbers[2], 2, numbers[2].len), out));
	if (out->n > 22)
		return too_costly(a, "memory of scrypt");
	out->n = UINT64_C(1) << out->n;
	TRY(read_salt_base64(a, parts[1], out));
	TRY(read_tag_base64(a, parts[2], out));
	return scrypt_limits(a, limits, out);
}

/* --- digests ------------------------------------------------------------------------------------------------------- */

static Err *read_digest(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	Str parts[2];

	out->work = WORK_DIGEST;
	TRY(split(a, rest, parts, 2));
	out->or_hmac = parts[0].len > 0;
	if (!parts[0].len && out->format == PASSWORD_SALTED_MD5)
		out->format = PASSWORD_BARE_MD5;
	if (!parts[0].len && out->format == PASSWORD_SALTED_SHA1)
		out->format = PASSWORD_BARE_SHA1;
	TRY(read_salt_text(a, parts[0], out));
	TRY(read_tag_hex(a, parts[1], out));
	return out->tag.len == hashes[out->hash].bytes
	               ? NULL
	               : damaged(a, "a digest of another length than its hash");
}

static Err *read_hmac(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out)
{
	TRY(read_digest(a, rest, limits, out));
	if (!out->salt.len)
		return damaged(a, "no salt");
	out->work = WORK_HMAC;
	out->or_hmac = false;
	return NULL;
}

static Err *read_plain(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	out->work = WORK_PLAIN;
	out->tag = rest;
	return rest.len ? NULL : damaged(a, "no password in it");
}

/* "{SSHA}" and base64 of digest and salt. */
static Err *read_ldap(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	size_t bytes = hashes[out->hash].bytes;
	Str both;

	out->work = WORK_DIGEST;
	out->salt_last = true;
	if (!base64_read(a, rest, &both) || both.len < bytes || both.len > bytes + MOST_SALT)
		return damaged(a, "a digest that is not base64, or too short");
	out->tag = str_sub(both, 0, bytes);
	out->salt = str_sub(both, bytes, both.len);
	return NULL;
}

/* --- crypt(3) ------------------------------------------------------------------------------------------------------ */

static bool all_of(Str text, const char *extra)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    (!c || !strchr(extra, c)))
			return false;
	}
	return true;
}

/* The whole stored string must come out; the setting is what it begins with. */
static void crypt_setting(Arena *a, Str whole, size_t setting, Recipe *out)
{
	out->work = WORK_CRYPT;
	out->salt = (Str){ str_z(a, str_sub(whole, 0, setting)), setting };
	out->tag = whole;
}

/* Up to the last '$'. */
static void crypt_setting_dollar(Arena *a, Str whole, Recipe *out)
{
	crypt_setting(a, whole, (size_t)str_rfind_char(whole, '$') + 1, out);
}

/* "$2b$12$" and 53 characters. */
static Err *read_bcrypt_whole(Arena *a, Str whole, Recipe *out)
{
	uint64_t cost;

	if (whole.len != 60 || !str_starts(whole, S("$2")) || !strchr("abxy", whole.at[2]) ||
	    whole.at[3] != '$' || whole.at[6] != '$' || !str_to_u64(str_sub(whole, 4, 6), &cost) ||
	    !all_of(str_sub(whole, 7, 60), "./"))
		return damaged(a, "something else than bcrypt's 60 characters");
	if (cost < 4)
		return damaged(a, "a cost below the least of bcrypt");
	if (cost > MOST_BCRYPT_COST)
		return too_costly(a, "bcrypt's cost");
	crypt_setting(a, whole, 29, out);
	return NULL;
}

static Err *read_bcrypt(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	/* The table cut "$2" off; it stands right before. */
	return read_bcrypt_whole(a, (Str){ rest.at - 2, rest.len + 2 }, out);
}

static Err *read_django_bcrypt(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	if (out->format == PASSWORD_DJANGO_BCRYPT_SHA256)
		out->first = FIRST_HEX_SHA256;
	return read_bcrypt_whole(a, rest, out);
}

static bool passlib_bcrypt_numbers(Str text, bool second, Str *ident, Str *cost)
{
	if (second) {
		if (!str_starts(text, S("v=2,t=")))
			return false;
		text = str_sub(text, 6, text.len);
	}
	str_split(&text, ',', ident);
	if (!text.at || ident->len != 2)
		return false;
	if (second && !str_starts(text, S("r=")))
		return false;
	*cost = second ? str_sub(text, 2, text.len) : text;
	return cost->len == 2 || cost->len == 1;
}

/* "v=2,t=2b,r=12$salt$digest"; the first version: "2b,12$salt$digest". */
static Err *read_passlib_bcrypt(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	bool second = str_starts(rest, S("v="));
	Str parts[3], ident, cost;

	TRY(split(a, rest, parts, 3));
	if (!passlib_bcrypt_numbers(parts[0], second, &ident, &cost) || parts[1].len != 22 ||
	    parts[2].len != 31)
		return damaged(a, "parts that passlib's bcrypt has not");
	TRY(read_bcrypt_whole(a,
	                      str_fmt(a, "$%.*s$%s%.*s$%.*s%.*s", STR_ARG(ident),
	                              cost.len == 1 ? "0" : "", STR_ARG(cost), STR_ARG(parts[1]),
	                              STR_ARG(parts[2])),
	                      out));
	out->first = second ? FIRST_BASE64_HMAC : FIRST_BASE64_SHA256;
	return NULL;
}

/* "rounds=5000$" may come first, then salt and digest. */
static Err *read_sha_crypt(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	size_t digits = out->format == PASSWORD_SHA256_CRYPT ? 43 : 86;
	Str whole = { rest.at - 3, rest.len + 3 }, parts[2], rounds;

	if (str_starts(rest, S("rounds="))) {
		str_split(&rest, '$', &rounds);
		TRY(read_rounds(a, str_sub(rounds, 7, rounds.len), MOST_CRYPT_ROUNDS, out));
	}
	TRY(split(a, rest, parts, 2));
	if (parts[0].len > 16 || parts[1].len != digits || !all_of(parts[1], "./"))
		return damaged(a, "a digest of another length than its hash");
	crypt_setting_dollar(a, whole, out);
	return NULL;
}

static Err *read_md5_crypt(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	size_t before = rest.at[-3] == 'r' ? 6 : 3; /* "$apr1$" */
	Str whole = { rest.at - before, rest.len + before }, parts[2];

	TRY(split(a, rest, parts, 2));
	if (parts[0].len > 8 || parts[1].len != 22 || !all_of(parts[1], "./"))
		return damaged(a, "a digest of another length than its hash");
	crypt_setting_dollar(a, whole, out);
	return NULL;
}

static Err *read_sha1_crypt(Arena *a, Str rest, const RecipeLimits *limits UNUSED, Recipe *out)
{
	Str whole = { rest.at - 6, rest.len + 6 }, parts[3];

	TRY(split(a, rest, parts, 3));
	TRY(read_rounds(a, parts[0], MOST_CRYPT_ROUNDS, out));
	if (parts[1].len > 64 || parts[2].len != 28 || !all_of(parts[2], "./"))
		return damaged(a, "a digest of another length than its hash");
	crypt_setting_dollar(a, whole, out);
	return NULL;
}

/* crypt's own digits, of which one stands for a small number. */
static int crypt_digit(char c)
{
	static const char digits[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static Err *yescrypt_limits(Arena *a, const RecipeLimits *limits, int log_n, int r)
{
	if (log_n < 1 || r < 1)
		return damaged(a, "parameters that yescrypt does not allow");
	if (log_n > 22 || (UINT64_C(1) << log_n) * (uint64_t)r / 8 > limits->most_memory_kib)
		return too_costly(a, "memory of yescrypt");
	return NULL;
}

/* "j9T$salt$digest": flavour, logarithm of N less one, r less one. What has more parameters is nobody's default. */
static Err *read_yescrypt(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out)
{
	size_t before = rest.at[-2] == 'y' && rest.at[-3] == 'g' ? 4 : 3;
	Str whole = { rest.at - before, rest.len + before }, parts[3];

	TRY(split(a, rest, parts, 3));
	if (parts[0].len != 3 || parts[1].len > 86 || parts[2].len != 43 ||
	    !all_of(parts[1], "./") || !all_of(parts[2], "./") ||
	    crypt_digit(parts[0].at[1]) > 47 || crypt_digit(parts[0].at[2]) > 47)
		return damaged(a, "parameters of yescrypt that are not read here");
	TRY(yescrypt_limits(a, limits, crypt_digit(parts[0].at[1]) + 1,
	                    crypt_digit(parts[0].at[2]) + 1));
	crypt_setting_dollar(a, whole, out);
	return NULL;
}

/* "C6..../....salt$digest": logarithm of N, then r and p in five digits each, the lowest first. */
static Err *read_scrypt_crypt(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out)
{
	Str whole = { rest.at - 3, rest.len + 3 }, parts[2];

	TRY(split(a, rest, parts, 2));
	if (parts[0].len < 11 || parts[0].len > 100 || parts[1].len != 43 ||
	    !all_of(parts[0], "./") || !all_of(parts[1], "./") ||
	    !str_eq(str_sub(parts[0], 2, 6), S("....")) ||
	    !str_eq(str_sub(parts[0], 6, 11), S("/....")))
		return damaged(a, "parameters of scrypt that are not read here");
	TRY(yescrypt_limits(a, limits, crypt_digit(parts[0].at[0]), crypt_digit(parts[0].at[1])));
	crypt_setting_dollar(a, whole, out);
	return NULL;
}

static const Beginning *beginning_find(Str stored);

/* "crypt$$" and what crypt(3) gave: DES' 13 characters, or one of the other shapes. */
static Err *read_django_crypt(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out)
{
	const Beginning *inner = beginning_find(rest);

	if (inner && inner->format >= PASSWORD_BCRYPT && inner->format <= PASSWORD_YESCRYPT) {
		out->format = inner->format;
		TRY(inner->read(a, str_sub(rest, inner->text.len, rest.len), limits, out));
		out->weak = inner->weak;
		out->format = PASSWORD_DJANGO_CRYPT;
		return NULL;
	}
	if (rest.len != 13 || !all_of(rest, "./"))
		return damaged(a, "something else than crypt's 13 characters");
	out->weak = true;
	crypt_setting(a, rest, 2, out);
	return NULL;
}

/* --- wrapped ------------------------------------------------------------------------------------------------------- */

static Err *read_wrapped(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out);

static const Beginning beginnings[] = {
	{ S("!"), PASSWORD_NONE, NULL, 0, false },
	{ S("argon2$argon2"), PASSWORD_DJANGO_ARGON2, read_argon2, 0, false },
	{ S("$argon2"), PASSWORD_ARGON2, read_argon2, 0, false },
	{ S("pbkdf2_sha256$"), PASSWORD_DJANGO_PBKDF2_SHA256, read_django_pbkdf2, HASH_SHA256,
	  false },
	{ S("pbkdf2_sha1$"), PASSWORD_DJANGO_PBKDF2_SHA1, read_django_pbkdf2, HASH_SHA1, false },
	{ S("bcrypt_sha256$"), PASSWORD_DJANGO_BCRYPT_SHA256, read_django_bcrypt, 0, false },
	{ S("bcrypt$"), PASSWORD_DJANGO_BCRYPT, read_django_bcrypt, 0, false },
	{ S("scrypt$"), PASSWORD_DJANGO_SCRYPT, read_django_scrypt, 0, false },
	{ S("crypt$$"), PASSWORD_DJANGO_CRYPT, read_django_crypt, 0, false },
	{ S("sha1$"), PASSWORD_SALTED_SHA1, read_digest, HASH_SHA1, true },
	{ S("md5$"), PASSWORD_SALTED_MD5, read_digest, HASH_MD5, true },
	{ S("scrypt:"), PASSWORD_WERKZEUG_SCRYPT, read_werkzeug_scrypt, 0, false },
	{ S("pbkdf2:"), PASSWORD_WERKZEUG_PBKDF2, read_werkzeug_pbkdf2, 0, false },
	{ S("sha224$"), PASSWORD_WERKZEUG_HMAC, read_hmac, HASH_SHA224, true },
	{ S("sha256$"), PASSWORD_WERKZEUG_HMAC, read_hmac, HASH_SHA256, true },
	{ S("sha384$"), PASSWORD_WERKZEUG_HMAC, read_hmac, HASH_SHA384, true },
	{ S("sha512$"), PASSWORD_WERKZEUG_HMAC, read_hmac, HASH_SHA512, true },
	{ S("plain$$"), PASSWORD_WERKZEUG_PLAIN, read_plain, 0, true },
	{ S("$pbkdf2$"), PASSWORD_PASSLIB_PBKDF2, read_passlib_pbkdf2, HASH_SHA1, false },
	{ S("$pbkdf2-sha256$"), PASSWORD_PASSLIB_PBKDF2, read_passlib_pbkdf2, HASH_SHA256, false },
	{ S("$pbkdf2-sha512$"), PASSWORD_PASSLIB_PBKDF2, read_passlib_pbkdf2, HASH_SHA512, false },
	{ S("$scrypt$"), PASSWORD_PASSLIB_SCRYPT, read_passlib_scrypt, 0, false },
	{ S("$bcrypt-sha256$"), PASSWORD_PASSLIB_BCRYPT_SHA256, read_passlib_bcrypt, HASH_SHA256,
	  false },
	{ S("$2"), PASSWORD_BCRYPT, read_bcrypt, 0, false },
	{ S("$5$"), PASSWORD_SHA256_CRYPT, read_sha_crypt, 0, false },
	{ S("$6$"), PASSWORD_SHA512_CRYPT, read_sha_crypt, 0, false },
	{ S("$1$"), PASSWORD_MD5_CRYPT, read_md5_crypt, 0, true },
	{ S("$apr1$"), PASSWORD_MD5_CRYPT, read_md5_crypt, 0, true },
	{ S("$sha1$"), PASSWORD_SHA1_CRYPT, read_sha1_crypt, 0, false },
	{ S("$y$"), PASSWORD_YESCRYPT, read_yescrypt, 0, false },
	{ S("$gy$"), PASSWORD_YESCRYPT, read_yescrypt, 0, false },
	{ S("$7$"), PASSWORD_YESCRYPT, read_scrypt_crypt, 0, false },
	{ S("{SSHA}"), PASSWORD_LDAP_SHA, read_ldap, HASH_SHA1, true },
	{ S("{SHA}"), PASSWORD_LDAP_SHA, read_ldap, HASH_SHA1, true },
	{ S("{SSHA256}"), PASSWORD_LDAP_SHA, read_ldap, HASH_SHA256, true },
	{ S("{SSHA512}"), PASSWORD_LDAP_SHA, read_ldap, HASH_SHA512, true },
	{ S("wrapped$"), PASSWORD_WRAPPED, read_wrapped, 0, false },
};

static const Beginning *beginning_find(Str stored)
{
	for (size_t i = 0; i < COUNT(beginnings); i++)
		if (str_starts(stored, beginnings[i].text))
			return &beginnings[i];
	return NULL;
}

/* 32 hexadecimal digits and nothing else. */
static bool bare_md5(Arena *a, Str stored, Recipe *out)
{
	if (stored.len != 32 || !hex_read(a, stored, &out->tag))
		return false;
	out->format = PASSWORD_BARE_MD5;
	out->work = WORK_DIGEST;
	out->hash = HASH_MD5;
	out->weak = true;
	return true;
}

/* The weak string with its digest blotted out, then argon2id of the digest. */
static Err *read_wrapped(Arena *a, Str rest, const RecipeLimits *limits, Recipe *out)
{
	ptrdiff_t at = str_find(rest, S("$argon2id$"));
	Recipe *under = ARENA_NEW(a, Recipe);
	PasswordFormat format;

	if (at < 0 || str_starts(rest, S("wrapped$")))
		return damaged(a, "no argon2id in what was wrapped");
	TRY(read_argon2(a, str_sub(rest, (size_t)at + 7, rest.len), limits, out));
	TRY(recipe_read(a, str_sub(rest, 0, (size_t)at), limits, under, &format));
	if (!under->weak || under->work == WORK_PLAIN)
		return damaged(a, "something wrapped that is not weak");
	out->under = under;
	return NULL;
}

static Err *recipe_fill(Arena *a, Str stored, const RecipeLimits *limits, Recipe *out)
{
	const Beginning *row = beginning_find(stored);

	if (!stored.len || (row && row->format == PASSWORD_NONE)) {
		out->format = PASSWORD_NONE;
		return NULL;
	}
	out->format = row ? row->format : PASSWORD_UNKNOWN;
	if (stored.len > PASSWORD_STORED_MAX_BYTES)
		return damaged(a, "more bytes than anything writes");
	if (memchr(stored.at, 0, stored.len))
		return damaged(a, "a NUL in it");
	if (!row)
		return bare_md5(a, stored, out) ? NULL
		                                : damaged(a, "a beginning that nobody writes");
	out->hash = row->hash;
	out->weak = row->weak;
	return row->read(a, str_sub(stored, row->text.len, stored.len), limits, out);
}

Err *recipe_read(Arena *a, Str stored, const RecipeLimits *limits, Recipe *out,
                 PasswordFormat *format)
{
	Recipe recipe = { 0 };
	Err *err = recipe_fill(a, stored, limits, &recipe);

	*format = recipe.format;
	if (!err)
		*out = recipe;
	return err;
}

uint64_t recipe_memory_kib(const Recipe *recipe)
{
	return recipe->work == WORK_ARGON2 ? recipe->memory_kib : 0;
}

Err *password_look(Arena *a, Str stored, uint64_t most_memory_bytes, PasswordLook *out)
{
	RecipeLimits limits = { most_memory_bytes / 1024 };
	Recipe recipe = { 0 };

	*out = (PasswordLook){ 0 };
	TRY(recipe_read(a, stored, &limits, &recipe, &out->format));
	out->weak = recipe.weak;
	return NULL;
}

static const struct {
	const char *name, *help;
} names[] = {
#define X(format, name, help) { name, help },
	PASSWORD_FORMATS(X)
#undef X
};

const char *password_format_name(PasswordFormat format)
{
	return names[format].name;
}

const char *password_format_help(PasswordFormat format)
{
	return names[format].help;
}
