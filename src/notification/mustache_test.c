/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/mustache.c"

#include "unit.h"

static const Json *data(Arena *a, const char *text)
{
	const Json *json;

	CHECK_OK(json_read(a, str_of(text), 0, &json));
	return json;
}

typedef struct Case {
	const char *text, *data, *want; /* want NULL: it is refused */
} Case;

static void check_all(Arena *a, MustacheKind kind, const Case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Str out = S("");
		Err *err = mustache_render(a, str_of(cases[i].text), kind, data(a, cases[i].data),
		                           4096, &out);

		NOTE("%s with %s: %.*s", cases[i].text, cases[i].data,
		     STR_ARG(err ? err->text : S("")));
		CHECK_INT(err == NULL, cases[i].want != NULL);
		if (cases[i].want)
			CHECK_STR(out, str_of(cases[i].want));
	}
}

TEST(values_sections_and_lists)
{
	static const Case cases[] = {
		{ "", "{}", "" },
		{ "plain", "{}", "plain" },
		{ "Hi {{name}}!", "{\"name\":\"Ann\"}", "Hi Ann!" },
		{ "{{ name }}{{{name}}}{{&name}}", "{\"name\":\"<\"}", "<<<" },
		{ "{{a.b.c}}|{{a.x.c}}", "{\"a\":{\"b\":{\"c\":7}}}", "7|" },
		{ "{{n}} {{r}} {{t}} {{f}} {{z}}",
		  "{\"n\":12,\"r\":1.5,\"t\":true,\"f\":false,\"z\":null}", "12 1.5 true false " },
		{ "{{#l}}<{{.}}>{{/l}}", "{\"l\":[1,\"b\"]}", "<1><b>" },
		{ "{{#l}}{{x}}{{y}} {{/l}}",
		  "{\"y\":\"o\",\"l\":[{\"x\":1},{\"x\":2,\"y\":\"i\"}]}", "1o 2i " },
		{ "{{#o}}{{x}}{{/o}}{{^o}}no{{/o}}", "{\"o\":{\"x\":5}}", "5" },
		{ "{{#o}}{{x}}{{/o}}{{^o}}no{{/o}}", "{\"o\":[]}", "no" },
		{ "{{#o}}yes{{/o}}{{^o}}no{{/o}}", "{\"o\":0}", "no" },
		{ "{{#o}}yes{{/o}}{{^o}}no{{/o}}", "{\"o\":\"\"}", "no" },
		{ "{{#o}}{{.}}{{/o}}", "{\"o\":\"x\"}", "x" },
		{ "{{! a comment }}x", "{}", "x" },
		{ "{{=<% %>=}}<%x%>{{x}}<%={{ }}=%>{{x}}", "{\"x\":1}", "1{{x}}1" },
		{ "{{#a}}{{#b}}{{c}}{{/b}}{{/a}}", "{\"a\":{\"b\":{\"c\":3}}}", "3" },
		{ "{{o}}", "{\"o\":{\"x\":[1]}}", "{\"x\":[1]}" },
		{ "a\n{{#l}}\n- {{.}}\n{{/l}}\nz\n", "{\"l\":[1,2]}", "a\n- 1\n- 2\nz\n" },
		{ "a\n  {{! alone }}  \nb", "{}", "a\nb" },
		{ "{{#l}}\r\n{{.}}\r\n{{/l}}\r\n", "{\"l\":[1]}", "1\r\n" },
		{ "x {{#t}}y{{/t}}\nz", "{\"t\":true}", "x y\nz" },
		{ "{{missing}}", "{}", "" },
	};

	check_all(a, MUSTACHE_TEXT, cases, COUNT(cases));
}

TEST(what_is_no_template_is_refused)
{
	static const Case cases[] = {
		{ "{{x", "{}", NULL },
		{ "{{#x}}", "{}", NULL },
		{ "{{/x}}", "{}", NULL },
		{ "{{#x}}{{/y}}", "{}", NULL },
		{ "{{> part}}", "{}", NULL },
		{ "{{}}", "{}", NULL },
		{ "{{#}}{{/}}", "{}", NULL },
		{ "{{{x}}", "{}", NULL },
		{ "{{=x=}}", "{}", NULL },
		{ "{{a b}}", "{}", NULL },
		{ "{{#a}}{{#b}}{{/a}}{{/b}}", "{}", NULL },
		{ "{{={{ =}}", "{}", NULL },
	};

	check_all(a, MUSTACHE_TEXT, cases, COUNT(cases));
}

TEST(mistakes_have_a_place)
{
	const Mustache *m;
	Err *err = mustache_read(a, S("one\ntwo {{#x}}\n"), MUSTACHE_TEXT, &m);

	CHECK_ERR(err, "template.syntax");
	err = mustache_read(a, S("one\n  {{/x}}"), MUSTACHE_TEXT, &m);
	CHECK(str_starts(err->text, S("line 2, column 3: ")));
}

TEST(html_is_escaped_for_its_place)
{
	static const Case cases[] = {
		{ "<p>{{x}}</p>", "{\"x\":\"<b>&'\\\"\"}", "<p>&lt;b&gt;&amp;&#39;&quot;</p>" },
		{ "<p>{{{x}}}</p>", "{\"x\":\"<b>\"}", "<p><b></p>" },
		{ "<i title=\"{{x}}\">", "{\"x\":\"\\\" onclick=\\\"\"}",
		  "<i title=\"&quot; onclick=&quot;\">" },
		{ "<i title='{{x}}'>", "{\"x\":\"'\"}", "<i title='&#39;'>" },
		{ "<a href=\"{{x}}\">", "{\"x\":\"https://x/?a=1&b=2\"}",
		  "<a href=\"https://x/?a=1&amp;b=2\">" },
		{ "<a href=\"{{x}}\">", "{\"x\":\"javascript:alert(1)\"}", "<a href=\"#\">" },
		{ "<a href=\"{{x}}\">", "{\"x\":\"JaVaScRiPt:alert(1)\"}", "<a href=\"#\">" },
		{ "<a href=\"{{x}}\">", "{\"x\":\" javascript:alert(1)\"}", "<a href=\"#\">" },
		{ "<a href=\"{{x}}\">", "{\"x\":\"java\\tscript:alert(1)\"}", "<a href=\"#\">" },
		{ "<a href=\"{{x}}\">", "{\"x\":\"data:text/html,x\"}", "<a href=\"#\">" },
		{ "<a href=\"{{x}}\">", "{\"x\":\"/orders/7:8\"}", "<a href=\"/orders/7:8\">" },
		{ "<a href=\"{{x}}\">", "{\"x\":\"mailto:a@x\"}", "<a href=\"mailto:a@x\">" },
		{ "<a href=\"https://x/{{x}}?q={{y}}\">", "{\"x\":\"a/b\",\"y\":\"&<\"}",
		  "<a href=\"https://x/a%2Fb?q=%26%3C\">" },
		{ "<a href=\"{{b}}/{{x}}\">", "{\"b\":\"https://x\",\"x\":\"//evil\"}",
		  "<a href=\"https://x/%2F%2Fevil\">" },
		{ "<a\nHREF = '{{x}}' >", "{\"x\":\"vbscript:x\"}", "<a\nHREF = '#' >" },
		{ "<a href=\"javascript:go('{{x}}')\">", "{}", NULL },
		{ "<a href={{x}}>", "{}", NULL },
		{ "<a {{x}}>", "{}", NULL },
		{ "<{{x}}>", "{}", NULL },
		{ "<a {{x}}=\"1\">", "{}", NULL },
		{ "<b onclick=\"{{x}}\">", "{}", NULL },
		{ "<b style=\"color:{{x}}\">", "{}", NULL },
		{ "<iframe srcdoc=\"{{x}}\">", "{}", NULL },
		{ "<script>{{x}}</script>", "{}", NULL },
		{ "<style>{{x}}</style>", "{}", NULL },
		{ "<!-- {{x}} -->", "{}", NULL },
		{ "<!-- --!><script> -->{{x}}</script>", "{}", NULL },
		{ "<!--><script> -->{{x}}</script>", "{}", NULL },
		{ "<!---><script> -->{{x}}</script>", "{}", NULL },
		{ "<!-- -><script> -->{{x}}", "{\"x\":1}", "<!-- -><script> -->1" },
		{ "<!--!><i title=\"-->{{x}}", "{\"x\":1}", "<!--!><i title=\"-->1" },
		{ "<script>s = '</b>'; go({{x}})</script>", "{}", NULL },
		{ "<style>i::after{content:'</i>'} {{x}}</style>", "{}", NULL },
		{ "<script>x</scripts>{{x}}</script>", "{}", NULL },
		{ "<script>x</style>{{x}}</script>", "{}", NULL },
		{ "<textarea><i title=\"</textarea><script>{{x}}</script>", "{}", NULL },
		{ "<title>a</b>{{x}}</title>{{x}}", "{\"x\":\"<\"}",
		  "<title>a</b>&lt;</title>&lt;" },
		{ "<title></tit{{x}}", "{}", NULL },
		{ "<script>a<b</SCRIPT >{{x}}", "{\"x\":1}", "<script>a<b</SCRIPT >1" },
		{ "<a href=\"{{s}}:{{x}}\">", "{\"s\":\"javascript\",\"x\":\"alert(1)\"}", NULL },
		{ "<a href=\"java{{s}}:{{x}}\">", "{}", NULL },
		{ "<a href=\"{{#a}}/{{/a}}{{s}}:{{x}}\">", "{}", NULL },
		{ "<a href=\"{{#a}}{{.}}:{{/a}}\">", "{}", NULL },
		{ "<a href=\"{{b}}/{{x}}:{{y}}\">", "{\"b\":\"\",\"x\":1,\"y\":2}",
		  "<a href=\"/1:2\">" },
		{ "<a href=\"tel:{{x}}:1\">", "{\"x\":7}", "<a href=\"tel:7:1\">" },
		{ "<a href=\"{{x}}\" title=\"{{x}}: {{x}}\">", "{\"x\":\"/\"}",
		  "<a href=\"/\" title=\"/: /\">" },
		{ "<!-- a -- > -->{{x}}", "{\"x\":1}", "<!-- a -- > -->1" },
		{ "<title>{{x}}</title>", "{\"x\":\"</title>\"}", "<title>&lt;/title&gt;</title>" },
		{ "<script>1</script>{{x}}", "{\"x\":1}", "<script>1</script>1" },
		{ "<br/>{{x}}", "{\"x\":1}", "<br/>1" },
		{ "<br />{{x}}", "{\"x\":1}", "<br />1" },
		{ "<img alt=\"\" src=\"{{x}}\"/>", "{\"x\":\"x.png\"}",
		  "<img alt=\"\" src=\"x.png\"/>" },
		{ "a < b {{x}}", "{\"x\":1}", "a < b 1" },
		{ "<i title=\"{{{x}}}\">", "{}", NULL },
		{ "<p {{#x}}class=\"a\"{{/x}}>", "{\"x\":true}", "<p class=\"a\">" },
		{ "{{#x}}<p title=\"{{/x}}\">", "{}", NULL },
		{ "<i title={{#x}}\"{{/x}}>", "{}", NULL },
	};

	check_all(a, MUSTACHE_HTML, cases, COUNT(cases));
}

TEST(a_line_stays_a_line)
{
	static const Case cases[] = {
		{ "Order {{x}}", "{\"x\":\"7\\r\\nBcc: all@x\"}", "Order 7 Bcc: all@x" },
		{ "a\nb", "{}", "a b" },
		{ " {{x}} ", "{\"x\":\"<&>\"}", "<&>" },
		{ "{{{x}}}", "{\"x\":\"\\n\"}", "" },
		{ "a{{x}}b", "{\"x\":\"\\u2028\\u0085\"}", "a  b" },
	};

	check_all(a, MUSTACHE_LINE, cases, COUNT(cases));
}

TEST(text_has_no_control_characters)
{
	static const Case cases[] = {
		{ "{{x}}", "{\"x\":\"a\\u001b[1mb\\tc\\nd\\u0007\"}", "a[1mb\tc\nd" },
	};

	check_all(a, MUSTACHE_TEXT, cases, COUNT(cases));
}

TEST(json_stays_json)
{
	static const Case cases[] = {
		{ "{\"a\":\"{{x}}\"}", "{\"x\":\"q\\\"}\\n\"}", "{\"a\":\"q\\\"}\\n\"}" },
		{ "{\"a\":{{x}}}", "{\"x\":\"q\\\"\"}", "{\"a\":\"q\\\"\"}" },
		{ "{\"a\":{{x}},\"b\":{{y}}}", "{\"x\":[1,{\"z\":2}]}",
		  "{\"a\":[1,{\"z\":2}],\"b\":null}" },
		{ "{\"a\":\"\\\"{{x}}\"}", "{\"x\":1}", "{\"a\":\"\\\"1\"}" },
		{ "{\"a\":{{{x}}}}", "{\"x\":1}", NULL },
		{ "{\"a\":\"\\{{x}}\"}", "{\"x\":1}", NULL },
	};

	check_all(a, MUSTACHE_JSON, cases, COUNT(cases));
}

TEST(urls_are_whole_or_parts)
{
	static const Case cases[] = {
		{ "{{x}}", "{\"x\":\"https://x/a b\"}", "https://x/a%20b" },
		{ "{{x}}", "{\"x\":\"javascript:1\"}", "#" },
		{ "https://x/{{x}}", "{\"x\":\"a/\\u00e9\"}", "https://x/a%2F%C3%A9" },
		{ "{{x}}:{{y}}", "{\"x\":\"javascript\",\"y\":\"alert(1)\"}", NULL },
		{ "{{x}}{{y}}", "{\"x\":\"https://x/\",\"y\":\"?\"}", "https://x/%3F" },
	};

	check_all(a, MUSTACHE_URL, cases, COUNT(cases));
}

TEST(what_gives_too_much_is_stopped)
{
	AUTO(buf_fini) Buf deep = { 0 };
	const Json *json = data(a, "{\"l\":[1,2,3,4,5,6,7,8,9,0]}");
	const Mustache *m;
	Str out;

	CHECK_ERR(
		mustache_render(
			a,
			S("{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}x{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}"),
			MUSTACHE_TEXT, json, 0, &out),
		"template.output");
	CHECK_ERR(mustache_render(a, S("{{#l}}xxxxxxxxxxxxxxxx{{/l}}"), MUSTACHE_TEXT, json, 100,
	                          &out),
	          "template.output");
	for (int i = 0; i < 40; i++)
		buf_put(&deep, S("{{#x}}"));
	CHECK_ERR(mustache_read(a, buf_str(&deep), MUSTACHE_TEXT, &m), "template.syntax");
}

/* Values of which nothing is put are work all the same. */
TEST(what_gives_nothing_for_much_is_stopped)
{
	AUTO(buf_fini) Buf text = { 0 };
	Str out;

	buf_put(&text, S("{\"x\":\""));
	for (int i = 0; i < 64 << 10; i++)
		buf_put(&text, S("\\u0001"));
	buf_put(&text, S("\",\"l\":[1"));
	for (int i = 0; i < 999; i++)
		buf_put(&text, S(",1"));
	buf_put(&text, S("]}"));
	CHECK_ERR(mustache_render(a, S("{{#l}}{{x}}{{/l}}"), MUSTACHE_TEXT,
	                          data(a, str_z(a, buf_str(&text))), 1 << 20, &out),
	          "template.output");
}

TEST(names_are_told_once_each)
{
	const Mustache *m;
	size_t count;
	Str *names;

	CHECK_OK(mustache_read(a, S("{{a}} {{#b}}{{a}}{{c.d}}{{/b}}"), MUSTACHE_TEXT, &m));
	names = mustache_names(m, a, &count);
	CHECK_INT(count, 3);
	CHECK_STR(names[0], S("a"));
	CHECK_STR(names[1], S("b"));
	CHECK_STR(names[2], S("c.d"));
}
