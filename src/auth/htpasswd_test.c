/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/htpasswd.c"

#include "unit.h"

TEST(a_file_of_users_is_taken_whole_or_not_at_all)
{
	static const struct {
		Str text;
		const char *why; /* NULL: it is taken */
	} cases[] = {
		{ S(""), NULL },
		{ S("# nobody\n\n"), NULL },
		{ S("ann:plain$$a:b\r\nbob:!\nZo\xc3\xab:plain$$z"), NULL },
		{ S("ann:plain$$a\nbob"), "line 2: there is no colon after a name" },
		{ S("ann:plain$$a\n\nann:plain$$b\n"), "line 3: that name is there already" },
		{ S("Zo\xc3\xab:!\nZoe\xcc\x88:!\n"), "line 2: that name is there already" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Htpasswd *set = ARENA_NEW(a, Htpasswd);
		Err *err = htpasswd_read(a, cases[i].text, 64 << 20, set);

		if (!cases[i].why) {
			CHECK_OK(err);
			continue;
		}
		CHECK_ERR(err, "htpasswd.invalid");
		CHECK_STR(err->text, str_of(cases[i].why));
	}
	for (size_t i = 0; i < 2; i++)
		CHECK_ERR(htpasswd_read(a, i ? S("a:secret") : S(":!"), 64 << 20,
		                        ARENA_NEW(a, Htpasswd)),
		          "htpasswd.invalid");
}

TEST(a_mistake_does_not_tell_the_password)
{
	Err *err = htpasswd_read(a, S("ann:sesame"), 64 << 20, ARENA_NEW(a, Htpasswd));

	CHECK_ERR(err, "htpasswd.invalid");
	CHECK_INT(str_find(err_chain(a, err), S("sesame")), -1);
}

TEST(a_name_ends_at_the_first_colon)
{
	Htpasswd *set = ARENA_NEW(a, Htpasswd);
	const HtpasswdUser *ann;

	CHECK_OK(htpasswd_read(a, S("ann:plain$$a:b\r\n"), 64 << 20, set));
	ann = htpasswd_find(set, S("ann"));
	CHECK(ann != NULL);
	CHECK_STR(ann->stored, S("plain$$a:b"));
	CHECK(!htpasswd_find(set, S("Ann")));
	CHECK(!htpasswd_find(set, S("an")));
}

TEST(credentials_are_base64_of_a_name_and_a_password)
{
	static const struct {
		Str text, name, password; /* empty name: refused */
	} cases[] = {
		{ S("YW5uOmE6Yg=="), S("ann"), S("a:b") },
		{ S("YW5uOg=="), S("ann"), S("") },
		{ S("Wm9lzIg6eA=="), S("Zo\xc3\xab"), S("x") },
		{ S(""), S(""), S("") },
		{ S("YW5u"), S(""), S("") },
		{ S("OmE="), S(""), S("") },
		{ S("YW5uOmE6Yg"), S(""), S("") },
		{ S("YW5uOgA="), S(""), S("") },
		{ S("Wm/rOng="), S(""), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str name, password;
		bool fine = basic_credentials_read(a, cases[i].text, &name, &password);

		CHECK_INT(fine, cases[i].name.len > 0);
		if (fine) {
			CHECK_STR(name, cases[i].name);
			CHECK_STR(password, cases[i].password);
		}
	}
}
