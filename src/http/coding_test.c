/* SPDX-License-Identifier: Apache-2.0 */
#include "http/coding.c"
#include "unit.h"

TEST(what_a_client_takes)
{
	static const struct {
		const char *value; /* NULL: no header; "|": two lines */
		Codings want;
	} cases[] = {
		{ NULL, { 0, 0, 1 } },
		{ "", { 0, 0, 1 } },
		{ "gzip", { 0, 1000, 1 } },
		{ "gzip, deflate, br", { 1000, 1000, 1 } },
		{ "GZIP;q=0.5 ,Br ; q=0.25", { 250, 500, 1 } },
		{ "br;q=0, gzip;q=1.0", { 0, 1000, 1 } },
		{ "*", { 1000, 1000, 1000 } },
		{ "*;q=0", { 0, 0, 0 } },
		{ "gzip, *;q=0", { 0, 1000, 0 } },
		{ "identity;q=0, br", { 1000, 0, 0 } },
		{ "*;q=0.1, br;q=0", { 0, 100, 100 } },
		{ "br;q=0.001", { 1, 0, 1 } },
		{ "br;q=x", { 1000, 0, 1 } },
		{ "br;level=1;q=0.7", { 700, 0, 1 } },
		{ "x-gzip", { 0, 1000, 1 } },
		{ "gzip|br", { 1000, 1000, 1 } },
		{ "zstd, compress", { 0, 0, 1 } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Headers headers = { 0 };
		Str rest = str_of(cases[i].value), line;
		Codings got;

		NOTE("%s", cases[i].value ? cases[i].value : "none");
		while (cases[i].value && str_split(&rest, '|', &line))
			headers_add(&headers, a, S("Accept-Encoding"), line);
		got = http_codings(&headers);
		CHECK_INT(got.br, cases[i].want.br);
		CHECK_INT(got.gzip, cases[i].want.gzip);
		CHECK_INT(got.identity, cases[i].want.identity);
	}
}
