/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/ignore.c"

#include "unit.h"

TEST(ignore_reads_rules_and_why)
{
	static const struct {
		Str comment;
		bool is;
		Str rules; /* with + between */
		Str why;
		bool nosec;
	} cases[] = {
		{ S("# banyan: ignore god-class split in May"), true, S("god-class"),
		  S("split in May"), false },
		{ S("#banyan:ignore PY101,eval-call it is so"), true, S("PY101+eval-call"),
		  S("it is so"), false },
		{ S("# banyan: ignore a , b , c why"), true, S("a+b+c"), S("why"), false },
		{ S("# banyan: ignore bandit:B101 theirs"), true, S("bandit:B101"), S("theirs"),
		  false },
		{ S("# banyan: ignore x -- because"), true, S("x"), S("because"), false },
		{ S("# banyan: ignore x: because"), true, S("x"), S("because"), false },
		{ S("# banyan: ignore bandit:B101: theirs"), true, S("bandit:B101"), S("theirs"),
		  false },
		{ S("# banyan: ignore x"), true, S("x"), S(""), false },
		{ S("# banyan: ignore x # noqa"), true, S("x"), S(""), false },
		{ S("# noqa # banyan: ignore x why"), true, S("x"), S("why"), false },
		{ S("# banyan: ignore"), true, S(""), S(""), false },
		{ S("# banyan: ignored x"), false, S(""), S(""), false },
		{ S("# see banyan: ignore x"), false, S(""), S(""), false },
		{ S("# banyan: other x"), false, S(""), S(""), false },
		{ S("# nosec"), true, S(""), S("# nosec"), true },
		{ S("# nosec B101, B602 why"), true, S("B101+B602"), S("# nosec"), true },
		{ S("# nosec: B101"), true, S("B101"), S("# nosec"), true },
		{ S("# nosecond"), false, S(""), S(""), false },
		{ S("#"), false, S(""), S(""), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		Ignore ignore;

		CHECK_INT(ignore_read(a, cases[i].comment, &ignore), cases[i].is);
		if (!cases[i].is)
			continue;
		for (uint32_t k = 0; k < ignore.rule_count; k++)
			buf_fmt(&b, "%s%.*s", k ? "+" : "", STR_ARG(ignore.rules[k]));
		CHECK_STR(buf_str(&b), cases[i].rules);
		CHECK_STR(ignore.why, cases[i].why);
		CHECK_INT(ignore.nosec, cases[i].nosec);
	}
}

static const FileSmells *facts_of(Arena *a, SyntaxReader *reader, const char *text, AuditFile *file)
{
	const Syntax *s = syntax_read(reader, str_of(text));

	*file = (AuditFile){ .path = S("a.py") };
	measure(a, s, CC_RADON, &file->measures);
	return smells_facts()->extract(a, s, file);
}

static void readerp(SyntaxReader **reader)
{
	syntax_reader_free(*reader);
}

TEST(ignore_counts_where_it_stands)
{
	static const struct {
		const char *text;
		uint32_t from, to;
	} cases[] = {
		{ "import os\nx = 1  # banyan: ignore r w\n", 2, 2 },
		{ "import os\nx = f(\n  1,  # banyan: ignore r w\n  2)\n", 2, 4 },
		{ "import os\nx = f(\n  # banyan: ignore r w\n  2)\n", 2, 4 },
		{ "import os\n# banyan: ignore r w\nx = f(\n  2)\n", 3, 4 },
		{ "import os\n# banyan: ignore r w\ndef f():\n  pass\n  pass\n", 3, 5 },
		{ "import os\n# banyan: ignore r w\n@d\nclass C:\n  pass\n", 3, 5 },
		{ "import os\ndef f(a,  # banyan: ignore r w\n    b):\n  pass\n", 2, 3 },
		{ "import os\ndef f(a):\n  # banyan: ignore r w\n  x = 1\n", 4, 4 },
		{ "import os\nx = 1\n# banyan: ignore r w\n", 3, 0 },
		{ "# banyan: ignore r w\n\nimport os\n", 0, 0 },
		{ "'''doc'''\n# banyan: ignore r w\nimport os\n", 0, 0 },
		{ "# banyan: ignore r w\n\ndef f():\n  pass\n", 0, 0 },
		{ "# banyan: ignore r w\ndef f():\n  pass\n", 2, 3 },
		{ "# banyan: ignore r w\n", 0, 0 },
	};
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();

	for (size_t i = 0; i < COUNT(cases); i++) {
		AuditFile file;
		const FileSmells *facts = facts_of(a, reader, cases[i].text, &file);

		CHECK_INT(facts->ignore_count, 1);
		CHECK_INT(facts->ignores[0].from, cases[i].from);
		CHECK_INT(facts->ignores[0].to, cases[i].to);
	}
}

TEST(ignore_bears_a_file_of_comments_for_one_statement)
{
	enum { MANY = 3000 };
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	AUTO(buf_fini) Buf b = { 0 };
	AuditFile file;
	AuditConf conf = { 0 };
	const AuditRules rules = { .conf = &conf };
	const FileSmells *facts;
	Audit audit = { .project = { .files = &file, .count = 1 } };

	buf_put(&b, S("x = 1\n"));
	for (int i = 0; i < MANY; i++)
		buf_put(&b, S("# banyan: ignore no-such-rule, mutable-default so\n"));
	buf_put(&b, S("class A:\n    pass\n"));
	buf_putc(&b, '\0');
	facts = facts_of(a, reader, b.at, &file);
	file.facts[FACTS_SMELLS] = facts;
	CHECK_INT(facts->ignore_count, MANY);
	CHECK_OK(ignores_apply(a, &rules, &audit));
	CHECK(audit.findings.count && audit.findings.count <= 3 * (PLACE_MOST + 1));
}
