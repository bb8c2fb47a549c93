/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/compare_html_read.c"

#include "unit.h"

TEST(html_read_finds_its_tags)
{
	for (size_t i = 0; i < COUNT(tags); i++) {
		NOTE("%.*s", STR_ARG(tags[i].name));
		CHECK(find_tag(tags[i].name) == &tags[i]);
		CHECK(tags[i].group || tags[i].ends || tags[i].content);
	}
	CHECK_INT(find_tag(S("span"))->ends, 0);
}

static void put_node(Buf *b, const HtmlNode *node)
{
	if (node->text.len) {
		json_put_quoted(b, node->text);
		return;
	}
	buf_put(b, node->tag);
	for (size_t i = 0; i < node->attr_count; i++) {
		buf_fmt(b, " %.*s=", STR_ARG(node->attrs[i].name));
		json_put_quoted(b, node->attrs[i].value);
	}
	buf_putc(b, '(');
	for (const HtmlNode *child = node->child; child; child = child->next)
		put_node(b, child);
	buf_putc(b, ')');
}

TEST(html_read_makes_a_tree)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S(""), S("()") },
		{ S(" \n"), S("()") },
		{ S("a"), S("(\"a\")") },
		{ S("<p>a</p>b"), S("(p(\"a\")\"b\")") },
		{ S("<p>a<p>b"), S("(p(\"a\")p(\"b\"))") },
		{ S("<ul><li><p>a<li>b</ul>c"), S("(ul(li(p(\"a\"))li(\"b\"))\"c\")") },
		{ S("<table><thead><tr><th>a<tbody><tr><td>b</table>"),
		  S("(table(thead(tr(th(\"a\")))tbody(tr(td(\"b\")))))") },
		{ S("<dl><dt>a<dd>b<dt>c</dl>"), S("(dl(dt(\"a\")dd(\"b\")dt(\"c\")))") },
		{ S("<select><optgroup><option>a<option>b<optgroup><option>c</select>"),
		  S("(select(optgroup(option(\"a\")option(\"b\"))optgroup(option(\"c\"))))") },
		{ S("<b><i>a</b>c"), S("(b(i(\"a\"))\"c\")") },
		{ S("<p b='1' a=2 b=3 c>"), S("(p a=\"2\" b=\"1\" c=\"\"())") },
		{ S("<p class=' z  a'>"), S("(p class=\"a z\"())") },
		{ S("<svg><path d=1 /><g/></svg>"), S("(svg(path d=\"1\"()g()))") },
		{ S("<img alt=a>b"), S("(img alt=\"a\"()\"b\")") },
		{ S("<script>if (a < b) { '</p>' }</script >x"), S("(\"x\")") },
		{ S("<script>never closed"), S("()") },
		{ S("<title>a <b> c</title>"), S("(title(\"a <b> c\"))") },
		{ S("<!-- a > b -->c<!doctype x>d<?php e ?>"), S("(\"cd\")") },
		{ S("<!-- open"), S("()") },
		{ S("a &amp;&#65;&#x42;&euro; &unknown; &#xd800; &"),
		  S("(\"a &AB\xe2\x82\xac &unknown; &#xd800; &\")") },
		{ S("a<3 <"), S("(\"a<3 <\")") },
		{ S("<p"), S("(p())") },
		{ S("<p a"), S("(p a=\"\"())") },
		{ S("<p a='x"), S("(p a=\"x\"())") },
		{ S("</"), S("(\"</\")") },
		{ S("<x\x01y z@w a\xff>"), S("(* *=\"\"())") },
		{ S("<my-tag @click=a :b=c>"), S("(my-tag :b=\"c\" @click=\"a\"())") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		uint32_t seen = 0;

		NOTE("%.*s", STR_ARG(cases[i].text));
		put_node(&b, html_read(a, cases[i].text, 0, &seen));
		CHECK_STR(buf_str(&b), cases[i].want);
	}
}
