/* SPDX-License-Identifier: Apache-2.0
 *
 * TOML as the tree that it becomes. */
#include "audit/toml.c"

#include "unit.h"

static const Toml *read(Arena *a, const char *text)
{
	const Toml *root = NULL;

	CHECK_OK(toml_read(a, S("x"), str_of(text), &root));
	return root;
}

TEST(toml_tables_arrays_and_dotted_keys)
{
	const Toml *root = read(a, "title = 'x' # why\n"
	                           "a.b.\"c.d\" = 1\n"
	                           "[tool.poetry]\n"
	                           "name = \"shop\"\r\n"
	                           "deps = [\n  'a', # one\n  { n = 'b', v = 1.5, },\n]\n"
	                           "[[package]]\nname = 'p'\n[package.dependencies]\nq = '*'\n"
	                           "[[package]]\nname = 'r'\n");
	const Toml *packages = toml_get(root, S("package"));

	CHECK_STR(toml_text(root, S("title")), S("x"));
	CHECK_STR(toml_get(toml_path(root, S("a.b")), S("c.d"))->text, S("1"));
	CHECK_STR(toml_text(toml_path(root, S("tool.poetry")), S("name")), S("shop"));
	CHECK_INT(toml_path(root, S("tool.poetry.deps"))->count, 2);
	CHECK_STR(toml_text(toml_path(root, S("tool.poetry.deps"))->last, S("n")), S("b"));
	CHECK_INT(packages->count, 2);
	CHECK_STR(toml_text(toml_get(packages->first, S("dependencies")), S("q")), S("*"));
	CHECK_STR(toml_text(packages->last, S("name")), S("r"));
	CHECK_INT(packages->last->line, 13);
	CHECK_NULL(toml_get(root, S("nothing")));
	CHECK_NULL(toml_path(root, S("title.more")));
}

TEST(toml_texts_mean_what_their_escapes_say)
{
	static const struct {
		const char *raw, *want;
	} cases[] = {
		{ "\"a\\tb\\\"\\u00e9\\U0001F600\"", "a\tb\"\xc3\xa9\xf0\x9f\x98\x80" },
		{ "'a\\tb'", "a\\tb" },
		{ "\"\"\"\na\n\"b\" \\\n   c\"\"\"", "a\n\"b\" c" },
		{ "'''\r\na''b'''", "a''b" },
		{ "\"\"\"a\"\"\"\"\"", "a\"\"" },
		{ "\"\"", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(toml_text(read(a, str_fmt(a, "k = %s\n", cases[i].raw).at), S("k")),
		          str_of(cases[i].want));
}

TEST(toml_that_is_none_is_refused_with_its_line)
{
	static const struct {
		const char *text;
		uint32_t line;
	} cases[] = {
		{ "a = 1\nb", 2 },
		{ "a = \"x\nb = 1", 1 },
		{ "a = [1,\n2", 2 },
		{ "[a\n", 1 },
		{ "a = 1 2\nb = \"\\q\"", 2 },
		{ "a = 'x' 'y'", 1 },
		{ "a = \"\\ud800\"", 1 },
		{ "a = 1\n[a]\n", 2 },
		{ "a =\n", 1 },
		{ "= 1", 1 },
		{ "a = '''x", 1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Toml *root;
		Err *err = toml_read(a, S("x"), str_of(cases[i].text), &root);

		CHECK_ERR(err, "toml.syntax");
		CHECK(str_starts(err->text, str_fmt(a, "x:%u:", cases[i].line)));
	}
}

TEST(toml_is_not_read_deeper_than_it_may)
{
	AUTO(buf_fini) Buf b = { 0 };
	const Toml *root;

	buf_put(&b, S("a = "));
	for (int i = 0; i < 100000; i++)
		buf_putc(&b, '[');
	CHECK_ERR(toml_read(a, S("x"), buf_str(&b), &root), "toml.syntax");
}
