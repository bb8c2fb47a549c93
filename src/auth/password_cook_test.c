/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/password_cook.c"

#include "password_rows.h"
#include "unit.h"

static const RecipeLimits limits = { 128 * 1024 };

static Recipe recipe_of(Arena *a, Str stored)
{
	PasswordFormat format;
	Recipe recipe;

	CHECK_OK(recipe_read(a, stored, &limits, &recipe, &format));
	return recipe;
}

static bool matches(Arena *a, Str stored, Str password)
{
	Recipe recipe = recipe_of(a, stored);
	bool match = false;

	CHECK_OK(recipe_match(a, &recipe, password, &match));
	return match;
}

static void kitchen_of(Arena *a)
{
	kitchen_enter(arena_alloc(a, 32 << 20), 32 << 20);
}

TEST(password_of_every_format_matches_and_another_does_not)
{
	kitchen_of(a);
	for (size_t i = 0; i < COUNT(password_rows); i++) {
		const PasswordRow *row = &password_rows[i];
		Str password = row->password.len ? row->password : S(USUAL_PASSWORD);
		Str other = str_fmt(a, "X%.*s", STR_ARG(str_sub(password, 1, password.len)));
		Mark mark = arena_mark(a);

		NOTE("%.*s", STR_ARG(row->stored));
		CHECK(matches(a, row->stored, password));
		CHECK(!matches(a, row->stored, other));
		CHECK(!matches(a, row->stored, S("")));
		arena_reset(a, mark);
	}
}

TEST(password_rows_know_every_format)
{
	bool seen[PASSWORD_FORMAT_COUNT] = {
		[PASSWORD_NONE] = true, [PASSWORD_UNKNOWN] = true, [PASSWORD_WRAPPED] = true
	};

	for (size_t i = 0; i < COUNT(password_rows); i++)
		seen[password_rows[i].format] = true;
	for (unsigned i = 0; i < PASSWORD_FORMAT_COUNT; i++) {
		NOTE("%s", password_format_name(i));
		CHECK(seen[i]);
	}
	(void)a;
}

TEST(password_wrapped_matches_and_holds_nothing_of_the_weak_digest)
{
	unsigned wrapped = 0;

	kitchen_of(a);
	for (size_t i = 0; i < COUNT(password_rows); i++) {
		const PasswordRow *row = &password_rows[i];
		Str password = row->password.len ? row->password : S(USUAL_PASSWORD), stored;
		Str piece = str_sub(row->stored, row->stored.len - 8, row->stored.len);
		Recipe recipe = recipe_of(a, row->stored);

		if (!recipe.weak)
			continue;
		wrapped++;
		NOTE("%.*s", STR_ARG(row->stored));
		CHECK_OK(recipe_wrap(a, row->stored, &recipe, 256, 1, &stored));
		NOTE("%.*s becomes %.*s", STR_ARG(row->stored), STR_ARG(stored));
		if (row->format == PASSWORD_LDAP_SHA)
			piece = str_sub(row->stored, 10, 18); /* the digest comes first */
		CHECK(str_find(stored, piece) < 0);
		CHECK(matches(a, stored, password));
		CHECK(!matches(a, stored, S("another")));
		CHECK(!recipe_of(a, stored).weak);
		CHECK(recipe_of(a, stored).format == (row->format == PASSWORD_WERKZEUG_PLAIN
		                                              ? PASSWORD_ARGON2
		                                              : PASSWORD_WRAPPED));
	}
	CHECK(wrapped >= 9);
}

TEST(password_blurred_takes_the_same_and_matches_nothing)
{
	kitchen_of(a);
	for (size_t i = 0; i < COUNT(password_rows); i++) {
		const PasswordRow *row = &password_rows[i];
		Str password = row->password.len ? row->password : S(USUAL_PASSWORD);
		Recipe recipe = recipe_of(a, row->stored), *blurred = recipe_blur(a, &recipe);
		bool match = true;

		NOTE("%.*s", STR_ARG(row->stored));
		CHECK_OK(recipe_match(a, blurred, password, &match));
		CHECK(!match);
		CHECK_INT(blurred->rounds, recipe.rounds);
		CHECK_INT(blurred->memory_kib, recipe.memory_kib);
	}
}

TEST(password_made_is_read_again)
{
	Str stored;

	kitchen_of(a);
	CHECK_OK(recipe_make(a, 7168, 1, S("correct horse"), &stored));
	CHECK(str_starts(stored, S("$argon2id$v=19$m=7168,t=1,p=1$")));
	CHECK(matches(a, stored, S("correct horse")));
	CHECK(!matches(a, stored, S("correct horsf")));
}

/* RFC 9106, 5.3. */
TEST(password_argon2_is_the_rfc_s)
{
	static uint8_t password[32], salt[16], secret[8], ad[12], tag[32];
	static const uint8_t want[32] = { 0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c,
		                          0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9,
		                          0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e,
		                          0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59 };
	argon2_context context = { .out = tag,
		                   .outlen = 32,
		                   .pwd = password,
		                   .pwdlen = 32,
		                   .salt = salt,
		                   .saltlen = 16,
		                   .secret = secret,
		                   .secretlen = 8,
		                   .ad = ad,
		                   .adlen = 12,
		                   .t_cost = 3,
		                   .m_cost = 32,
		                   .lanes = 4,
		                   .threads = 1,
		                   .version = 0x13,
		                   .allocate_cbk = give_memory,
		                   .free_cbk = take_memory };

	kitchen_of(a);
	memset(password, 1, sizeof password);
	memset(salt, 2, sizeof salt);
	memset(secret, 3, sizeof secret);
	memset(ad, 4, sizeof ad);
	CHECK_INT(argon2_ctx(&context, Argon2_id), ARGON2_OK);
	CHECK(!memcmp(tag, want, sizeof want));
}

TEST(password_beyond_the_kitchen_is_refused)
{
	Str stored;

	kitchen_enter(arena_alloc(a, 1 << 20), 1 << 20);
	CHECK_ERR(recipe_make(a, 7168, 1, S("x"), &stored), "auth.password_work");
}

TEST(password_with_a_nul_matches_nothing_of_crypt)
{
	CHECK(matches(a, S("$2x$04$abcdefghijklmnopqrstuuCi15uRb1eH7NAlJ/TgeJertyknQpYn2"),
	              S("abc")));
	CHECK(!matches(a, S("$2x$04$abcdefghijklmnopqrstuuCi15uRb1eH7NAlJ/TgeJertyknQpYn2"),
	               S("abc\0d")));
}
