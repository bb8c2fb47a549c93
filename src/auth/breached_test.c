/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/breached.c"

#include "unit.h"

TEST(breached_common_ones_are_known_by_rule)
{
	static const Str common[] = {
		S(""),           S("password"),   S("Password123!"), S("P@ssw0rd"),
		S("passw0rd1"),  S("qwertzuiop"), S("qwerty123"),    S("1q2w3e4r"),
		S("aaaaaaaa"),   S("abababab"),   S("12345678"),     S("87654321"),
		S("0987654321"), S("19870412"),   S("iloveyou2"),    S("ILoveYou"),
		S("sommer2024"), S("!!admin!!"),  S("letmein1"),     S("abcdefgh"),
		S("zyxwvuts"),   S("hallohallo"), S("dragon99"),     S("monkeymonkey"),
		S("trustno1"),   S("abcd1234"),
	};
	static const Str fine[] = {
		S("tb9Kf2-qqLm"),
		S("a much longer phrase of mine"),
		S("xkcd-936-horse!"),
		S("Gr\xc3\xbcneWolkeLacht7"),
		S("password of the third floor"),
		S("pass\0word"),
		S("zwölf Boxkämpfer"),
		S("drag0nfly-on-9-ponds"),
	};

	for (size_t i = 0; i < COUNT(common); i++) {
		NOTE("%.*s", STR_ARG(common[i]));
		CHECK(breached_is_common(common[i]));
		CHECK(breached_has(NULL, common[i]));
	}
	for (size_t i = 0; i < COUNT(fine); i++) {
		NOTE("%.*s", STR_ARG(fine[i]));
		CHECK(!breached_is_common(fine[i]));
		CHECK(!breached_has(NULL, fine[i]));
	}
	(void)a;
}

TEST(breached_words_are_words)
{
	CHECK_STR(str_sub(str_of(common_words), 0, 1), S(" "));
	CHECK(str_ends(str_of(common_words), S(" ")));
	for (const char *at = common_words; *at; at++) {
		CHECK(*at == ' ' || (*at >= 'a' && *at <= 'z'));
		CHECK(*at != ' ' || at[1] != ' ');
	}
	CHECK(!is_word(S("pass word")) && !is_word(S("")) && is_word(S("zxcvbnm")));
	(void)a;
}

static Breached *built_of(Arena *a, const char *text, uint64_t seen, BreachedBuilt *built)
{
	Str path = str_fmt(a, "%s/list", unit_dir());
	FILE *lines = fmemopen((void *)text, strlen(text), "r");
	Breached *list = NULL;

	CHECK_OK(breached_build(a, lines, seen, path, built));
	fclose(lines);
	CHECK_OK(breached_open(a, path, &list));
	return list;
}

TEST(breached_lists_hold_words_and_hashes)
{
	BreachedBuilt built;
	/* SHA-1 of "third-floor" and of "seldom-seen-once" */
	Breached *list = built_of(a,
	                          "tb9Kf2-qqLm\r\n\nxkcd-936-horse!\ntb9Kf2-qqLm\n"
	                          "7E6C8B8B3E5F1B2F0D0B6E4B9F4E6C0A9B1C2D3E:17\n"
	                          "0000000000000000000000000000000000000000:3\n",
	                          10, &built);
	unsigned char digest[20] = { 0x7e, 0x6c, 0x8b, 0x8b, 0x3e, 0x5f }, nothing[20] = { 0 };

	CHECK_INT(built.lines, 6);
	CHECK_INT(built.entries, 3);
	CHECK_INT(built.skipped, 2);
	CHECK_INT(breached_count(list), 3);
	CHECK(breached_has(list, S("tb9Kf2-qqLm")));
	CHECK(breached_has(list, S("xkcd-936-horse!")));
	CHECK(!breached_has(list, S("xkcd-936-horse?")));
	CHECK(list_has(list, digest));
	CHECK(!list_has(list, nothing));
	breached_close(list);
	breached_close(NULL);
}

TEST(breached_list_of_many_finds_each)
{
	BreachedBuilt built;
	char *text = arena_alloc(a, 200000), *at = text;
	Breached *list;

	for (int i = 0; i < 10000; i++)
		at += sprintf(at, "Zq-%d-x\n", i * 7919);
	list = built_of(a, text, 0, &built);
	CHECK_INT(built.entries, 10000);
	for (int i = 0; i < 10000; i++) {
		CHECK(breached_has(list, str_fmt(a, "Zq-%d-x", i * 7919)));
		CHECK(!breached_has(list, str_fmt(a, "Zq-%d-y", i * 7919)));
	}
	breached_close(list);
}

TEST(breached_list_that_is_none_is_refused)
{
	static const Str contents[] = { S(""), S("short"),
		                        S("BANYAN-BREACHED\n\1\0\0\0\0\0\0\0abc"),
		                        S("BANYAN-BREACHED\n\2\0\0\0\0\0\0\0abcdef"),
		                        S("BANYAN-BREACHES\n\0\0\0\0\0\0\0\0") };
	const char *path = str_z(a, str_fmt(a, "%s/wrong", unit_dir()));
	Breached *list;

	CHECK_ERR(breached_open(a, str_of(path), &list), "base.file");
	for (size_t i = 0; i < COUNT(contents); i++) {
		FILE *file = fopen(path, "wb");

		fwrite(contents[i].at, 1, contents[i].len, file);
		fclose(file);
		CHECK_ERR(breached_open(a, str_of(path), &list), "auth.breached_list");
	}
}
