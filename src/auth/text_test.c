/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/text.c"

#include "unit.h"

TEST(text_emails_have_one_form)
{
	static const struct {
		Str typed, shown, norm;
	} cases[] = {
		{ S("ann@shop.test"), S("ann@shop.test"), S("ann@shop.test") },
		{ S("Ann.Bee+x@SHOP.Test"), S("Ann.Bee+x@shop.test"), S("ann.bee+x@shop.test") },
		{ S("o'neil_1-2@a.b"), S("o'neil_1-2@a.b"), S("o'neil_1-2@a.b") },
		{ S("jose\xcc\x81@b\xc3\xbc"
		    "cher.test"),
		  S("jos\xc3\xa9@b\xc3\xbc"
		    "cher.test"),
		  S("jos\xc3\xa9@xn--bcher-kva.test") },
		{ S("\xef\xbd\x81nn@shop.test"), S("\xef\xbd\x81nn@shop.test"),
		  S("ann@shop.test") },
		{ S("STRASSE@x.de"), S("STRASSE@x.de"), S("strasse@x.de") },
		{ S("stra\xc3\x9f"
		    "e@x.de"),
		  S("stra\xc3\x9f"
		    "e@x.de"),
		  S("strasse@x.de") },
		{ S("a@sub_domain.x.de"), S("a@sub_domain.x.de"), S("a@sub_domain.x.de") },
	};
	TextEmail email;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].typed));
		CHECK_OK(text_email(a, cases[i].typed, &email));
		CHECK_STR(email.shown, cases[i].shown);
		CHECK_STR(email.norm, cases[i].norm);
		CHECK_OK(text_email(a, email.norm, &email));
	}
}

TEST(text_emails_that_are_none)
{
	static const Str cases[] = {
		S(""),
		S("ann"),
		S("@shop.test"),
		S("ann@"),
		S("ann@shop"),
		S("ann@shop..test"),
		S("ann@.test"),
		S(".ann@shop.test"),
		S("an..n@shop.test"),
		S("ann.@shop.test"),
		S("\"a n\"@shop.test"),
		S("a n@shop.test"),
		S("ann@sh op.test"),
		S("ann@127.0.0.1"),
		S("ann@[127.0.0.1]"),
		S("ann@-a.test"),
		S("ann\0@shop.test"),
		S("ann@shop.test\n"),
		S("a\xffn@shop.test"),
		S("a\xe2\x80\xaen@shop.test"),
		S("a@b@shop.test"),
		S("ann\xef\xbc\xa0x@shop.test"),
		S("ann<x@shop.test"),
		S("1234567890123456789012345678901234567890123456789012345678901234x@shop.test"),
	};
	TextEmail email;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i]));
		CHECK_ERR(text_email(a, cases[i], &email), "text.email");
	}
	char *million = arena_alloc(a, 1000000);
	memset(million, 'a', 1000000);
	CHECK_ERR(text_email(a, (Str){ million, 1000000 }, &email), "text.email");
}

/* RFC 8265, 3.5, and what the other rules say. */
TEST(text_usernames_of_the_profile)
{
	static const struct {
		Str typed, norm; /* empty: refused */
	} cases[] = {
		{ S("juliet@example.com"), S("juliet@example.com") },
		{ S("fussball"), S("fussball") },
		{ S("fu\xc3\x9f"
		    "ball"),
		  S("fu\xc3\x9f"
		    "ball") },
		{ S("\xcf\x80"), S("\xcf\x80") },
		{ S("\xce\xa3"), S("\xcf\x83") },
		{ S("\xcf\x83"), S("\xcf\x83") },
		{ S("\xcf\x82"), S("\xcf\x82") },
		{ S("\xef\xbc\xa1nn"), S("ann") },
		{ S("Ann_1"), S("ann_1") },
		{ S("jose\xcc\x81"), S("jos\xc3\xa9") },
		{ S("\xe3\x81\x82\xe6\xbc\xa2\xe3\x82\xab"
		    "abc"),
		  S("\xe3\x81\x82\xe6\xbc\xa2\xe3\x82\xab"
		    "abc") },
		{ S("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"), S("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d") },
		{ S("pa\xc2\xb7"
		    "el"),
		  S("") },
		{ S("paral\xc2\xb7"
		    "lel"),
		  S("paral\xc2\xb7"
		    "lel") },
		{ S("foo bar"), S("") },
		{ S(""), S("") },
		{ S("henry\xe2\x85\xa3"), S("") }, /* roman four */
		{ S("\xe2\x99\xa5"), S("") },      /* a heart */
		{ S("\xef\xac\x81x"), S("") },     /* the ligature fi */
		{ S("p\xd0\xb0ypal"), S("") },     /* a Cyrillic a among Latin */
		{ S("a\xe2\x80\x8b"
		    "b"),
		  S("") },                 /* zero width */
		{ S("a\xd7\xa9"), S("") }, /* both directions */
		{ S("\xd7\xa9"
		    "a"),
		  S("") },
		{ S("1\xd7\xa9"), S("") },
		{ S("a\0b"), S("") },
		{ S("a\x7f"), S("") },
		{ S("\xf3\xa0\x80\x81"), S("") },
		{ S("\xed\xa0\x80"), S("") },
		{ S("\xf0\x9f\x98\x80"), S("") },
	};
	TextName name;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%zu %.*s", i, STR_ARG(cases[i].typed));
		if (!cases[i].norm.len) {
			CHECK_ERR(text_username(a, cases[i].typed, &name), "text.username");
			continue;
		}
		CHECK_OK(text_username(a, cases[i].typed, &name));
		CHECK_STR(name.norm, cases[i].norm);
	}
}

TEST(text_logins_of_other_systems_stay_usable)
{
	static const struct {
		Str typed, norm;
	} cases[] = {
		{ S("Ann Bee"), S("ann bee") },
		{ S("ann+bee@x.-_"), S("ann+bee@x.-_") },
		{ S("p\xd0\xb0ypal"), S("p\xd0\xb0ypal") },
		{ S("\xef\xac\x81x"), S("fix") },
		{ S("\xf0\x9f\x98\x80"), S("\xf0\x9f\x98\x80") },
	};
	TextName name;

	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_OK(text_login(a, cases[i].typed, &name));
		CHECK_STR(name.norm, cases[i].norm);
	}
	CHECK_ERR(text_login(a, S("a\nb"), &name), "text.login");
	CHECK_ERR(text_login(a, S("   "), &name), "text.login");
}

TEST(text_names_are_shown_in_one_line)
{
	Str name;

	CHECK_OK(text_display(a, S("  Ann \xc2\xa0 Bee  "), 20, &name));
	CHECK_STR(name, S("Ann Bee"));
	CHECK_OK(text_display(a, S("jose\xcc\x81"), 4, &name));
	CHECK_STR(name, S("jos\xc3\xa9"));
	CHECK_ERR(text_display(a, S("12345"), 4, &name), "text.name");
	CHECK_ERR(text_display(a, S(" "), 4, &name), "text.name");
	CHECK_ERR(text_display(a,
	                       S("a\xe2\x80\xa8"
	                         "b"),
	                       4, &name),
	          "text.name");
	CHECK_ERR(text_display(a,
	                       S("a\xe2\x80\xae"
	                         "b"),
	                       4, &name),
	          "text.name");
}

TEST(text_that_looks_alike_has_one_skeleton)
{
	static const Str pairs[][2] = {
		{ S("paypal"), S("p\xd0\xb0yp\xd0\xb0l") },
		{ S("modern"), S("rnodern") },
		{ S("admin"), S("adm1n") },
		{ S("bill"), S("bi11") },
		{ S("root"), S("r00t") },
		{ S("wiki"), S("vv\xd1\x96k\xd1\x96") },
		{ S("scope"), S("\xd1\x95\xd1\x81\xd0\xbe\xd1\x80\xd0\xb5") },
		{ S("ann"), S("ann\xe2\x80\x8d") },
	};

	for (size_t i = 0; i < COUNT(pairs); i++)
		CHECK_STR(text_skeleton(a, pairs[i][0]), text_skeleton(a, pairs[i][1]));
	CHECK(!str_eq(text_skeleton(a, S("ann")), text_skeleton(a, S("anna"))));
	CHECK_STR(text_skeleton(a, S("")), S(""));
}
