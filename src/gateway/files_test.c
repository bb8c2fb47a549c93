/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/files.c"
#include "unit.h"

TEST(names_of_files)
{
	static const struct {
		const char *path, *want; /* want NULL: it cannot be one */
		bool hidden;
	} cases[] = {
		{ "/", "", false },
		{ "", "", false },
		{ "/a", "a", false },
		{ "/a/", "a/", false },
		{ "//a//b", "a/b", false },
		{ "/a%20b/%C3%A4", "a b/\xc3\xa4", false },
		{ "/a%2Fb", NULL, true },
		{ "/a%00b", NULL, true },
		{ "/%2E%2E/x", NULL, false },
		{ "/.git/config", NULL, false },
		{ "/.git/config", ".git/config", true },
		{ "/a/.env", NULL, false },
		{ "/a/.well-known/x", NULL, false },
		{ "/.well-known/acme-challenge/x", ".well-known/acme-challenge/x", false },
		{ "/a/b.c", "a/b.c", false },
		{ "/a/..b", NULL, false },
		{ "/a%5Cb", "a\\b", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str name = S("-");
		bool good = files_name(a, str_of(cases[i].path), cases[i].hidden, &name);

		NOTE("%s", cases[i].path);
		CHECK_INT(good, cases[i].want != NULL);
		if (!good)
			continue;
		CHECK_STR(name, str_of(cases[i].want));
		CHECK_INT(name.at[name.len], 0);
	}
}
