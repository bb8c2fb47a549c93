/* SPDX-License-Identifier: Apache-2.0
 *
 * Between a stored string and its check: the recipe. password_read.c takes the string apart, password_cook.c does the work. */
#pragma once
#include "auth/password.h"

typedef enum PasswordWork {
	WORK_NONE, /* nothing matches */
	WORK_ARGON2,
	WORK_PBKDF2,
	WORK_SCRYPT,
	WORK_CRYPT,
	WORK_DIGEST, /* of salt and password, in the order that `salt_last` says */
	WORK_HMAC,   /* keyed with the salt */
	WORK_PLAIN,
} PasswordWork;

typedef enum PasswordHash {
	HASH_MD5,
	HASH_SHA1,
	HASH_SHA224,
	HASH_SHA256,
	HASH_SHA384,
	HASH_SHA512,
	HASH_COUNT
} PasswordHash;

/* What is done to the password before the work. */
typedef enum PasswordFirst {
	FIRST_NOTHING,
	FIRST_HEX_SHA256,    /* Django's bcrypt_sha256 */
	FIRST_BASE64_SHA256, /* passlib's, version 1 */
	FIRST_BASE64_HMAC,   /* passlib's, version 2: keyed with the salt */
} PasswordFirst;

typedef struct Recipe {
	PasswordFormat format;
	PasswordWork work;
	PasswordHash hash;
	PasswordFirst first;
	uint32_t type, version; /* argon2's */
	uint64_t rounds;        /* pbkdf2 (0: any that Werkzeug ever took); argon2: passes */
	uint64_t memory_kib;    /* argon2 */
	uint64_t n, r, p;       /* scrypt; argon2: p lanes */
	Str salt;               /* of crypt: the whole setting, ends in NUL */
	Str tag;                /* of crypt: text to compare with the end of what it gives */
	bool salt_last;
	bool or_hmac; /* sha1$ and md5$: two systems write the same; either reading will do */
	bool weak;
	const struct Recipe *under; /* WRAPPED: what argon2id was made of; its tag is not there */
} Recipe;

/* What a stored string may ask for; sizes of one hash. */
typedef struct RecipeLimits {
	uint64_t most_memory_kib;
} RecipeLimits;

/* Fails as password_look says; *format is set in any case. Views into `stored` or the arena. */
Err *recipe_read(Arena *a, Str stored, const RecipeLimits *limits, Recipe *out,
                 PasswordFormat *format) MUST_USE;
/* The memory argon2 takes for it; 0 for others. */
uint64_t recipe_memory_kib(const Recipe *recipe);
/* For decoys: a copy in this arena that nothing matches. */
Recipe *recipe_blur(Arena *a, const Recipe *of);

/* --- the work: on a worker, it burns -------------------------------------------------------------------------------- */

/* This thread's memory for argon2; anything that asks for more fails with "auth.password_work". */
void kitchen_enter(void *memory, size_t bytes);

/* Does the work and compares, in constant time. Fails with IO "auth.password_work" (no memory). */
Err *recipe_match(Arena *a, const Recipe *recipe, Str password, bool *match) MUST_USE;
/* crypt(3) for "$apr1$salt$": the setting and 22 digits; empty when MD5 is not to be had. (password_apr1.c) */
bool apr1_is(Str setting);
Str apr1_text(Arena *a, Str setting, Str password);
/* argon2id with a new salt. Fails as recipe_match. */
Err *recipe_make(Arena *a, uint64_t memory_kib, uint64_t passes, Str password, Str *stored)
	MUST_USE;
/* "wrapped$", the weak string with its digest blotted out, and recipe_make of the digest. */
Err *recipe_wrap(Arena *a, Str weak, const Recipe *recipe, uint64_t memory_kib, uint64_t passes,
                 Str *stored) MUST_USE;
