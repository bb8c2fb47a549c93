/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/nginx_read.c"

#include "base/buf.h"

#include "unit.h"

#include <stdio.h>

static void put_tree(Buf *b, const NginxNode *node)
{
	for (; node; node = node->next) {
		buf_put(b, node->name);
		for (size_t i = 0; i < node->count; i++)
			buf_fmt(b, "|%.*s", STR_ARG(node->words[i]));
		if (node->fault.len)
			buf_putc(b, '!');
		buf_putc(b, node->block ? '{' : ';');
		put_tree(b, node->first);
		if (node->block)
			buf_putc(b, '}');
	}
}

TEST(nginx_words_are_taken_apart_as_nginx_does)
{
	static const struct {
		const char *text, *tree;
	} cases[] = {
		{ "", "" },
		{ " \n\t# nothing ; { }\n", "" },
		{ "a;", "a;" },
		{ "a b  c\n d ;e;", "a|b|c|d;e;" },
		{ "a { b; } c;", "a{b;}c;" },
		{ "a {}", "a{}" },
		{ "a{b 1;}", "a{b|1;}" },
		{ "a # rest ; of line\n b;", "a|b;" },
		{ "a b#c;", "a|b#c;" },
		{ "a \"b c;{}#\";", "a|b c;{}#;" },
		{ "a 'b \"c\"' \"it's\";", "a|b \"c\"|it's;" },
		{ "a \"\" '';", "a||;" },
		{ "a \"x\\\"y\" 'x\\'y' \"x\\\\y\";", "a|x\"y|x'y|x\\y;" },
		{ "a \"1\\n2\\t3\\r4\";", "a|1\n2\t3\r4;" },
		{ "location ~ \\.php$ { }", "location|~|\\.php${}" },
		{ "location ~ ^/\\d+\\/x$ { }", "location|~|^/\\d+\\/x${}" },
		{ "a x\\;y \\ z;", "a|x\\;y|\\ z;" },
		{ "a b\"c d\";", "a|b\"c|d\";" },
		{ "a ${b}c $d{ e; }", "a|${b}c|$d{e;}" },
		{ "a $x${y};", "a|$x${y};" },
		{ "if ($a = \"b\") { c; }", "if|($a|=|b|){c;}" },
		{ "if ($a = 'b') { }", "if|($a|=|b|){}" },
		{ "\"a\" b;", "a|b;" },
		{ "content_by_lua_block { local t = { 'a;' } if x then y() end } b;",
		  "content_by_lua_block{}b;" },
		{ "x_by_lua_block { a('{'); b(\"\\\"{\") -- {\n c = 1 - 1 }", "x_by_lua_block{}" },
		{ "include x;", "include|x;" },
		{ "a \xe9\xc3\xa9 '\\t\xff';", "a|\xc3\xa9\xc3\xa9|\t\xc3\xbf;" },
		{ "map $a $b { default 1; ~^x 2; }", "map|$a|$b{default|1;~^x|2;}" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		NginxNode *first;

		NOTE("%s", cases[i].text);
		CHECK_OK(nginx_read_text(a, S("t"), str_of(cases[i].text), &first));
		put_tree(&b, first);
		CHECK_STR(buf_str(&b), str_of(cases[i].tree));
	}
}

TEST(nginx_mistakes_are_told_with_their_place)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{ "a", "t:1: the file ends where \";\" or \"{\" was expected" },
		{ "a;\nb c\n", "t:3: the file ends where \";\" or \"{\" was expected" },
		{ "a {\n b;\n", "t:3: the file ends where \"}\" was expected" },
		{ "a; }", "t:1: unexpected \"}\"" },
		{ "a\n;\n;", "t:3: unexpected \";\"" },
		{ "{ a; }", "t:1: unexpected \"{\"" },
		{ "a { b }", "t:1: unexpected \"}\"" },
		{ "\na \"b;", "t:2: a quote is not closed" },
		{ "a 'b\\';", "t:1: a quote is not closed" },
		{ "a \"b\"c;", "t:1: unexpected \"c\"" },
		{ "x_by_lua_block {\n {\n }", "t:1: a \"}\" is missing" },
	};
	NginxNode *first;

	for (size_t i = 0; i < COUNT(cases); i++) {
		Err *err = nginx_read_text(a, S("t"), str_of(cases[i].text), &first);

		NOTE("%s", cases[i].text);
		CHECK_ERR(err, "nginx.syntax");
		CHECK_STR(err->text, str_of(cases[i].sentence));
	}
	CHECK_ERR(nginx_read_text(a, S("t"), S("a \0b;"), &first), "nginx.syntax");
}

TEST(nginx_input_that_grows_is_refused)
{
	AUTO(buf_fini) Buf deep = { 0 };
	AUTO(buf_fini) Buf word = { 0 };
	AUTO(buf_fini) Buf many = { 0 };
	NginxNode *first;

	for (int i = 0; i < 1000; i++)
		buf_put(&deep, S("a {"));
	for (int i = 0; i < 5000; i++)
		buf_put(&word, S("a"));
	for (int i = 0; i < NGINX_MAX_NODES + 1; i++)
		buf_put(&many, S("a;"));
	CHECK_ERR(nginx_read_text(a, S("t"), buf_str(&deep), &first), "nginx.too_large");
	CHECK_ERR(nginx_read_text(a, S("t"), buf_str(&word), &first), "nginx.too_large");
	CHECK_ERR(nginx_read_text(a, S("t"), buf_str(&many), &first), "nginx.too_large");
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

TEST(nginx_includes_stand_where_they_were_named)
{
	const char *folder = unit_dir();
	Str path = str_fmt(a, "%s/nginx.conf", folder);
	AUTO(buf_fini) Buf b = { 0 };
	NginxNode *first, *at;

	write_file(folder, "one.inc", "in1 x;\nin2;\n");
	write_file(folder, "two.inc", "\n\nin3 { include none/*.conf; include one.inc; }");
	write_file(folder, "self.inc", "s; include self.inc;");
	write_file(folder, "nginx.conf",
	           "a;\ninclude *e.inc;\nb { include two.inc; }\ninclude gone.inc;\n"
	           "include self.inc; include nginx.conf; include x y; c;");
	CHECK_OK(nginx_read_file(a, path, &first));
	put_tree(&b, first);
	CHECK_STR(buf_str(&b),
	          S("a;in1|x;in2;b{in3{in1|x;in2;}}include|gone.inc!;s;include|self.inc!;"
	            "include|nginx.conf!;include|x|y!;c;"));
	CHECK_STR(first->file, path);
	at = first->next->next; /* in2 */
	CHECK_STR(at->file, str_fmt(a, "%s/one.inc", folder));
	CHECK_INT(at->line, 2);
	at = at->next->first; /* in3 */
	CHECK_STR(at->file, str_fmt(a, "%s/two.inc", folder));
	CHECK_INT(at->line, 3);
	for (at = first; !str_eq(at->name, S("include")); at = at->next)
		;
	CHECK(str_find(at->fault, S("No such file")) > 0);
	CHECK_ERR(nginx_read_file(a, S("/nowhere/nginx.conf"), &first), "base.file");
}

TEST(nginx_mistakes_in_includes_name_their_file)
{
	const char *folder = unit_dir();
	NginxNode *first;
	Err *err;

	write_file(folder, "bad.inc", "x;\n}");
	write_file(folder, "nginx.conf", "a { include bad.inc; }");
	err = nginx_read_file(a, str_fmt(a, "%s/nginx.conf", folder), &first);
	CHECK_ERR(err, "nginx.syntax");
	CHECK_STR(err->text, str_fmt(a, "%s/bad.inc:2: unexpected \"}\"", folder));
}

TEST(nginx_quote_shows_a_directive)
{
	NginxNode *first;

	CHECK_OK(nginx_read_text(a, S("t"),
	                         S("gzip on; a 'x\ny'; "
	                           "b 0123456789012345678901234567890123456789 "
	                           "0123456789012345678901234567890123456789;"),
	                         &first));
	CHECK_STR(nginx_quote(a, first), S("gzip on"));
	CHECK_STR(nginx_quote(a, first->next), S("\"a x\\ny\""));
	CHECK_STR(nginx_quote(a, first->next->next),
	          S("b 0123456789012345678901234567890123456789 01234567890123..."));
}
