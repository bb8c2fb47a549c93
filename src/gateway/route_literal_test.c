/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route_literal.c"
#include "unit.h"

#include "base/buf.h"

/* "^start|another|..." */
static Str found(Arena *a, const char *pattern)
{
	RouteLiteral out[ROUTE_LITERALS];
	AUTO(buf_fini) Buf b = { 0 };
	size_t count = route_literals(a, str_of(pattern), out);

	for (size_t i = 0; i < count; i++)
		buf_fmt(&b, "%s%s%.*s", i ? "|" : "", out[i].start ? "^" : "",
		        STR_ARG(out[i].text));
	return str_dup(a, buf_str(&b));
}

TEST(letters_that_every_match_holds)
{
	static const struct {
		const char *pattern, *want;
	} cases[] = {
		{ "", "" },
		{ "^", "" },
		{ "^/api/v\\d+", "^/api/v" },
		{ "\\A/api", "^/api" },
		{ "/api", "/api" },
		{ "\\.php$", ".php" },
		{ "^/a/(\\d+)/b/[^/]+/c$", "^/a/|/b/|/c" },
		{ "^/items-17/(?<id>\\d+)$", "^/items-17/" },
		{ "^/ab?c", "^/a|c" },
		{ "^/ab*c", "^/a|c" },
		{ "^/ab+c", "^/ab|c" },
		{ "^/ab{2}c", "^/a|c" },
		{ "^/ab{0,2}+c", "^/a|c" },
		{ "^/ab{x}c", "^/ab{x}c" },
		{ "^/ab{,3}c", "^/a|c" }, /* a quantifier in later versions of PCRE2 */
		{ "^a?b", "b" },
		{ "^/(a|b)/c", "^/|/c" },
		{ "^/(a|b)?/c", "^/|/c" },
		{ "a|b", "" },
		{ "^/a|^/b", "" },
		{ "^/a(x|(y|z)[)])b", "^/a|b" },
		{ "^/a[^]|]b", "^/a|b" },
		{ "^/a[[:alpha:](]b", "^/a|b" },
		{ "^/a[[:<:]]b", "" },
		{ "^/a\\|b", "^/a|b" },
		{ "^/a\\.b\\-c", "^/a.b-c" },
		{ "^/a\\x41", "" },
		{ "^/\\Qa|b\\E", "" },
		{ "^/a[\\Q]\\E]", "" },
		{ "(?i)^/api", "" },
		{ "^/a(?i)b", "" },
		{ "^/a(?i:b)c", "" },
		{ "^/a(b(?x)c # ) \n)d", "" },
		{ "^/a(?#)|)b", "" },
		{ "(*ACCEPT)abc", "" },
		{ "^/ab(*ACCEPT)cd", "" },
		{ "^/a(?:b)(?>c)(?=d)(?!e)(?<=f)(?<!g)h", "^/a|h" },
		{ "^/a(?P<n>b)(?P=n)(?1)(?-1)(?&n)(?R)h", "^/a|h" },
		{ "^/a(?C1)h", "" },
		{ "^/a(?(1)b|c)h", "^/a|h" },
		{ "^/a\\bb\\w+c\\Kd", "^/a|b|c|d" },
		{ "^/a\\N{U+41}", "" },
		{ "^/a.b^c$d", "^/a|b|c|d" },
		{ "^*ab", "" },
		{ "^{2}ab", "" },
		{ "a.b.c.d.e.f.g.h", "a|b|c|d|e|h" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].pattern);
		CHECK_STR(found(a, cases[i].pattern), str_of(cases[i].want));
	}
	CHECK_STR(route_literal_start(a, S("^/api/v\\d+")), S("/api/v"));
	CHECK_STR(route_literal_start(a, S("/api/")), S(""));
	CHECK_STR(route_literal_start(a, S("\\d")), S(""));
}
