/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/seal.c"

#include "unit.h"

#define KEY_A "2026:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B "old:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F"

static Seal *seal_of(Arena *a, const Str *rows, size_t count)
{
	Seal *seal = NULL;

	CHECK_OK(seal_new(a, rows, count, &seal));
	return seal;
}

TEST(seal_opens_what_it_closed)
{
	static const Str rows[] = { S(KEY_A) };
	Seal *seal = seal_of(a, rows, 1);
	static const Str plains[] = { S(""), S("x"), S("\0\1\2"),
		                      S("a longer secret than the block of the cipher") };
	Str sealed, again, plain;

	for (size_t i = 0; i < COUNT(plains); i++) {
		CHECK_OK(seal_close(seal, a, S("totp:usr_1"), plains[i], &sealed));
		CHECK_OK(seal_close(seal, a, S("totp:usr_1"), plains[i], &again));
		CHECK(!str_eq(sealed, again));
		CHECK(str_starts(sealed, S("v1.2026.")));
		CHECK_OK(seal_open(seal, a, S("totp:usr_1"), sealed, &plain));
		CHECK_STR(plain, plains[i]);
		CHECK_ERR(seal_open(seal, a, S("totp:usr_2"), sealed, &plain), "auth.seal_broken");
	}
}

TEST(seal_changed_anywhere_does_not_open)
{
	static const Str rows[] = { S(KEY_A), S(KEY_B) };
	Seal *seal = seal_of(a, rows, 2);
	Str sealed, plain;

	CHECK_OK(seal_close(seal, a, S("c"), S("secret"), &sealed));
	for (size_t i = 0; i < sealed.len; i++) {
		char *changed = (char *)str_dup(a, sealed).at;
		Str cut = str_sub(sealed, 0, i);

		NOTE("at %zu", i);
		CHECK(seal_open(seal, a, S("c"), cut, &plain));
		changed[i] ^= 4; /* in the last digit a bit that no byte has */
		CHECK(seal_open(seal, a, S("c"), (Str){ changed, sealed.len }, &plain));
	}
}

TEST(seal_keys_turn)
{
	static const Str before[] = { S(KEY_B) }, both[] = { S(KEY_A), S(KEY_B) },
			 after[] = { S(KEY_A) };
	Str sealed, plain;

	CHECK_OK(seal_close(seal_of(a, before, 1), a, S("c"), S("secret"), &sealed));
	CHECK_OK(seal_open(seal_of(a, both, 2), a, S("c"), sealed, &plain));
	CHECK_STR(plain, S("secret"));
	CHECK(!seal_is_stale(seal_of(a, before, 1), sealed));
	CHECK(seal_is_stale(seal_of(a, both, 2), sealed));
	CHECK_ERR(seal_open(seal_of(a, after, 1), a, S("c"), sealed, &plain),
	          "auth.seal_key_missing");
	/* The same bytes of a key under another name: the name is closed in. */
	CHECK_OK(seal_close(seal_of(a, after, 1), a, S("c"), S("secret"), &sealed));
	sealed = str_fmt(a, "v1.old.%.*s", STR_ARG(str_sub(sealed, 8, sealed.len)));
	CHECK_ERR(seal_open(seal_of(a, both, 2), a, S("c"), sealed, &plain), "auth.seal_broken");
}

TEST(seal_rows_are_checked_and_never_quoted)
{
	static const Str wrong[] = {
		S(""),
		S("x"),
		S(":AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
		S("a b:00"),
		S("k:AAECAw=="),
		S("k:zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
		S("k:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAA==")
	};
	Seal *seal = NULL;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		Err *err = seal_verify_row(a, wrong[i]);

		NOTE("%.*s", STR_ARG(wrong[i]));
		CHECK_ERR(err, "auth.seal_key");
		CHECK(str_find(err->text, S("AAEC")) < 0);
		CHECK_ERR(seal_new(a, &wrong[i], 1, &seal), "auth.seal_key");
	}
	CHECK_ERR(seal_new(a, NULL, 0, &seal), "auth.seal_key");
	CHECK_ERR(seal_new(a, (Str[]){ S(KEY_A), S(KEY_A) }, 2, &seal), "auth.seal_key");
	CHECK_OK(seal_verify_row(a, seal_make_row(a, S("new"))));
}

TEST(seal_numbers_are_shared_and_each_purpose_s_own)
{
	static const Str first[] = { S(KEY_A), S(KEY_B) }, second[] = { S(KEY_A) };
	Str other = seal_make_row(a, S("other"));
	uint64_t number = seal_number(seal_of(a, first, 2), S("decoys"));

	CHECK(number == seal_number(seal_of(a, second, 1), S("decoys")));
	CHECK(number != seal_number(seal_of(a, &other, 1), S("decoys")));
	CHECK(number != seal_number(seal_of(a, second, 1), S("other")));
}
