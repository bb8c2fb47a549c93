/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/markdown.c"

#include "unit.h"

TEST(names_from_code_do_nothing_in_a_comment)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S("plain.py:3"), S("plain.py:3") },
		{ S("__init__ | `x`"), S("\\_\\_init\\_\\_ \\| \\`x\\`") },
		{ S("@all #12 <img> &amp;"), S("&#64;all &#35;12 &#60;img&#62; &#38;amp;") },
		{ S("a\nb\tc\x01"), S("a b c") },
		{ S("[x](http://y) ![z] $e$ ~n~"),
		  S("\\[x\\]\\(http://y\\) \\!\\[z\\] \\$e\\$ \\~n\\~") },
		{ S("gr\xc3\xbc\xc3\x9f"), S("gr\xc3\xbc\xc3\x9f") },
		{ S("lat\xe9in.py\xe9"), S("lat\xef\xbf\xbdin.py\xef\xbf\xbd") },
		{ S("a\xe2\x80\xae"
		    "b\xc2\x9b"),
		  S("a\xef\xbf\xbd"
		    "b\xef\xbf\xbd") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };

		markdown_text(&b, cases[i].text);
		CHECK_STR(buf_str(&b), cases[i].want);
	}
}

static const FindingRule rule = {
	.id = "t:@1", .name = "rule", .level = FINDING_ERROR, .base_minutes = 7
};

static Str report_of(Arena *a, Buf *b, size_t findings, size_t words)
{
	AuditRules rules = { 0 };
	Audit audit = { .project.sources.root = S("shop") };
	Gate gate = { .rules.against = S("main") };
	Baseline was = { 0 };
	char *text = arena_alloc(a, words + 1);

	memset(text, '<', words);
	for (size_t i = 0; i < findings; i++)
		finding_add(a, &audit.findings,
		            &(Finding){ .rule = &rule,
		                        .path = S("a.py"),
		                        .line = (uint32_t)i + 1,
		                        .print = i + 1,
		                        .text = { text, words } });
	gate_judge(a, &was, &audit, &gate);
	audit.gate = &gate;
	CHECK_OK(markdown_report(a, &audit, &rules, b));
	return buf_str(b);
}

TEST(a_comment_says_the_verdict_and_is_never_too_long)
{
	AUTO(buf_fini) Buf b = { 0 }, none = { 0 };
	Str text = report_of(a, &b, 4000, 5000);

	CHECK(text.len < 65536 && text.len > BYTES);
	CHECK(str_starts(text, S("## The gate is shut: 4000 new findings\n")));
	CHECK(str_find(text, S("\nand 39")) > 0);
	CHECK(str_find(text, S("**error t:&#64;1** rule")) > 0 && str_find(text, S("@1")) < 0);
	CHECK(str_find(text, S("| time to mend all findings | 467 h |")) > 0);
	text = report_of(a, &none, 0, 0);
	CHECK(str_starts(text, S("## The gate is open\n")));
}
