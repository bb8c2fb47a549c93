/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.c"

#include "unit.h"

static void put_tree(Buf *b, const YamlNode *node)
{
	if (node->kind == YAML_SCALAR) {
		buf_fmt(b, node->plain ? "%.*s" : "'%.*s'", STR_ARG(node->text));
		return;
	}
	buf_putc(b, node->kind == YAML_LIST ? '[' : '{');
	for (size_t i = 0; i < node->count; i++) {
		buf_put(b, i ? S(",") : S(""));
		if (node->kind == YAML_MAP)
			buf_fmt(b, "%.*s:", STR_ARG(node->keys[i].text));
		put_tree(b, &node->items[i]);
	}
	buf_putc(b, node->kind == YAML_LIST ? ']' : '}');
}

TEST(yaml_becomes_a_tree)
{
	static const struct {
		const char *text, *tree;
	} cases[] = {
		{ "", "{}" },
		{ "# nothing\n", "{}" },
		{ "---\n", "{}" },
		{ "~", "{}" },
		{ "a: 1", "{a:1}" },
		{ "a: '1'\nb: \"x\\ty\"", "{a:'1',b:'x\ty'}" },
		{ "a:\n  - 1\n  - b: 2\n    c:\n", "{a:[1,{b:2,c:}]}" },
		{ "{a: [x, y], b: {}}", "{a:[x,y],b:{}}" },
		{ "z: 1\na: 2\nm: 3\n", "{z:1,a:2,m:3}" },
		{ "a: no\nb: 1.0\nc: 2026-01-01\n", "{a:no,b:1.0,c:2026-01-01}" },
		{ "a: |\n  x\n  y\n", "{a:'x\ny\n'}" },
		{ "servers: [ 127.0.0.1:8000, \"[::1]:80\" ]",
		  "{servers:[127.0.0.1:8000,'[::1]:80']}" },
		{ "path: /api/**", "{path:/api/**}" },
		{ "\xef\xbb\xbf"
		  "a: 1",
		  "{a:1}" },
		{ "--- \na: 1\n...\n", "{a:1}" },
		{ "plain", "plain" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		const YamlNode *root;

		NOTE("%s", cases[i].text);
		CHECK_OK(yaml_read(a, S("t"), str_of(cases[i].text), &root, NULL));
		put_tree(&b, root);
		CHECK_STR(buf_str(&b), str_of(cases[i].tree));
	}
}

TEST(yaml_knows_where_everything_stood)
{
	const YamlNode *root, *list;

	CHECK_OK(yaml_read(a, S("t"), S("a: 1\nb:\n  - x\n  - \xc3\xa4\xc3\xb6: {y: 2}\n"), &root,
	                   NULL));
	list = yaml_get(root, S("b"));
	CHECK_INT(root->keys[1].line * 100 + root->keys[1].column, 201);
	CHECK_INT(list->items[0].line * 100 + list->items[0].column, 305);
	CHECK_INT(list->items[1].items[0].line * 100 + list->items[1].items[0].column, 409);
	CHECK_NULL(yaml_get(root, S("c")));
	CHECK_NULL(yaml_get(list, S("c")));
}

TEST(yaml_refuses_with_a_place_and_a_sentence)
{
	static const struct {
		const char *text, *slug, *message;
	} cases[] = {
		{ "a: [1, 2\nb: 3\n", "yaml.syntax",
		  "t:2:2: did not find expected ',' or ']', while parsing a flow sequence that began in line 1" },
		{ "a:\n\tb: 1\n", "yaml.syntax", "t:2:1: a tab cannot indent YAML: use spaces" },
		{ "a: 1\n  b: 2\n", "yaml.syntax",
		  "t:2:4: mapping values are not allowed in this context" },
		{ "a: &x 1\nb: *x\n", "yaml.alias",
		  "t:1:4: anchors (&) and aliases (*) are not taken: write it out, or put it in quotes" },
		{ "host: *", "yaml.syntax", NULL },
		{ "a: @x", "yaml.syntax",
		  "t:1:4: a value that begins like this must stand in quotes" },
		{ "host: *.example.org", "yaml.syntax", NULL },
		{ "a: !!str 1", "yaml.tag",
		  "t:1:4: tags (!) are not taken: leave it away, or put it in quotes" },
		{ "a: !x {}", "yaml.tag", NULL },
		{ "a: 1\n---\nb: 2\n", "yaml.documents",
		  "t:2:1: a second document begins: put it into a file of its own" },
		{ "? [a]\n: 1\n", "yaml.key", "t:1:3: a key must be plain text" },
		{ "? {a: 1}\n: 1\n", "yaml.key", NULL },
		{ "a: 1\nb: 2\na: 3\n", "yaml.duplicate_key",
		  "t:3:1: the key \"a\" is there already, in line 1, column 1" },
		{ "x: {b: 1, 'b': 2}", "yaml.duplicate_key",
		  "t:1:11: the key \"b\" is there already, in line 1, column 5" },
		{ "a: \"\xff\"", "yaml.encoding", NULL },
		{ "a: \x01", "yaml.encoding", NULL },
		{ "a: 1\n\n\x07", "yaml.encoding",
		  "t:3:1: control characters are not allowed (0x07)" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const YamlNode *root = NULL;
		YamlFault fault = { 0 };
		Err *err = yaml_read(a, S("t"), str_of(cases[i].text), &root, &fault);

		NOTE("%s", cases[i].text);
		CHECK_ERR(err, cases[i].slug);
		CHECK_NULL(root);
		if (cases[i].message)
			CHECK_STR(err->text, str_of(cases[i].message));
		CHECK_STR(err->text, str_fmt(a, "t:%u:%u: %.*s", fault.line, fault.column,
		                             STR_ARG(fault.sentence)));
	}
}

TEST(yaml_star_alone_is_explained)
{
	const YamlNode *root;
	Err *err = yaml_read(a, S("t"), S("host: *\n"), &root, NULL);

	CHECK_STR(err->text, S("t:1:7: a value that begins with * or & must stand in quotes"));
}

static Str repeat(Arena *a, const char *before, int times, const char *after)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (int i = 0; i < times; i++)
		buf_put(&b, str_of(before));
	for (int i = 0; i < times; i++)
		buf_put(&b, str_of(after));
	return str_dup(a, buf_str(&b));
}

TEST(yaml_has_limits)
{
	const YamlNode *root;
	Str nested = repeat(a, "[", 64, "]");
	Str deep = repeat(a, "[", 65, "]");
	Str many = repeat(a, "- x\n", 199999, "");

	CHECK_OK(yaml_read(a, S("t"), nested, &root, NULL));
	CHECK_ERR(yaml_read(a, S("t"), deep, &root, NULL), "yaml.too_deep");
	CHECK_ERR(yaml_read(a, S("t"), repeat(a, "[", 100000, ""), &root, NULL), "yaml.too_deep");
	CHECK_ERR(yaml_read(a, S("t"), repeat(a, "- ", 100000, ""), &root, NULL), "yaml.too_deep");
	CHECK_OK(yaml_read(a, S("t"), many, &root, NULL));
	CHECK_INT(root->count, 199999);
	CHECK_ERR(yaml_read(a, S("t"), repeat(a, "- x\n", 200000, ""), &root, NULL),
	          "yaml.too_large");
	CHECK_ERR(yaml_read(a, S("t"), repeat(a, "#", YAML_MAX_BYTES + 1, ""), &root, NULL),
	          "yaml.too_large");
}

TEST(yaml_billion_laughs_is_not_funny)
{
	const YamlNode *root;

	CHECK_ERR(yaml_read(a, S("t"), S("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"), &root, NULL),
	          "yaml.alias");
}

TEST(yaml_load_file_names_the_file)
{
	Str path = str_fmt(a, "%s/bad.yaml", unit_dir());
	FILE *file = fopen(path.at, "w");
	const YamlNode *root;
	Err *err;

	fputs("a: [", file);
	fclose(file);
	err = yaml_load_file(a, path, &root, NULL);
	CHECK_ERR(err, "yaml.syntax");
	CHECK(str_starts(err->text, path));
	CHECK_ERR(yaml_load_file(a, S("/nowhere.yaml"), &root, NULL), "base.file");
}

TEST(yaml_scalars_read_back_as_they_were)
{
	static const struct {
		Str text;
		const char *written;
	} cases[] = {
		{ { "least_request", 13 }, "least_request" },
		{ { "127.0.0.1:8000", 14 }, "127.0.0.1:8000" },
		{ { "/healthz", 8 }, "/healthz" },
		{ { "a@b.c", 5 }, "a@b.c" },
		{ { "", 0 }, "\"\"" },
		{ { "*", 1 }, "\"*\"" },
		{ { "no", 2 }, "\"no\"" },
		{ { "NULL", 4 }, "\"NULL\"" },
		{ { "123", 3 }, "\"123\"" },
		{ { "a:", 2 }, "\"a:\"" },
		{ { "a: b", 4 }, "\"a: b\"" },
		{ { "a # b", 5 }, "\"a # b\"" },
		{ { "-", 1 }, "\"-\"" },
		{ { " a ", 3 }, "\" a \"" },
		{ { "a\"\\b", 4 }, "\"a\\\"\\\\b\"" },
		{ { "x\ny\tz\r", 6 }, "\"x\\ny\\x09z\\x0d\"" },
		{ { "\xc3\xa4", 2 }, "\"\xc3\xa4\"" },
		{ { "\xc2\x85\xe2\x80\xa8", 5 }, "\"\\x85\\U00002028\"" },
		{ { "\xf0\x9f\x8c\xb3", 4 }, "\"\\U0001f333\"" },
		{ { "\x7f", 1 }, "\"\\x7f\"" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		const YamlNode *root;

		NOTE("%s", cases[i].written);
		yaml_put_scalar(&b, cases[i].text);
		CHECK_STR(buf_str(&b), str_of(cases[i].written));
		CHECK_OK(yaml_read(a, S("t"), str_fmt(a, "k: [%.*s, 1]", STR_ARG(buf_str(&b))),
		                   &root, NULL));
		CHECK_STR(root->items[0].items[0].text, cases[i].text);
	}
}
