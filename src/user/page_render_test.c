/* SPDX-License-Identifier: Apache-2.0 */
#include "user/page_render.c"

#include "user_web.h"

#include "unit.h"

static Err *fill(Arena *a, Str text, Str *out)
{
	PageFile files[] = { { S("page"), text }, { S("part"), S("<i>{{x}}</i>") } };
	PageData *data = page_data(a), *row;
	AUTO(buf_fini) Buf b = { 0 };

	page_put(data, "x", S("<a href=\"1\">&'"));
	page_put(data, "empty", S(""));
	page_put(data, "script", S("javascript:alert(1)"));
	page_put(data, "path", S("/login?a=1&b=2"));
	page_put(data, "other", S("//evil.test"));
	page_put(data, "client", S("Shop <1>"));
	row = page_add(data, "rows");
	page_put(row, "n", S("1"));
	row = page_add(data, "rows");
	page_put(row, "n", S("2"));
	TRY(page_render(a, files, COUNT(files), "page", PAGE_EN, data, &b));
	*out = str_dup(a, buf_str(&b));
	return NULL;
}

TEST(a_value_is_written_for_the_place_it_stands_in)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S("<p>{{x}}</p>"), S("<p>&lt;a href=&quot;1&quot;&gt;&amp;&#39;</p>") },
		{ S("<p title=\"{{x}}\">"),
		  S("<p title=\"&lt;a href=&quot;1&quot;&gt;&amp;&#39;\">") },
		{ S("<a href=\"{{script}}\">"), S("<a href=\"about:invalid\">") },
		{ S("<a href=\"{{other}}\">"), S("<a href=\"about:invalid\">") },
		{ S("<a class=\"b\" href=\"{{path}}\">"),
		  S("<a class=\"b\" href=\"/login?a=1&amp;b=2\">") },
		{ S("<a href=\"/x?{{script}}\">"), S("<a href=\"/x?about:invalid\">") },
		{ S("{{#x}}yes{{/}}{{^x}}no{{/}}"), S("yes") },
		{ S("{{#empty}}yes{{/}}{{^empty}}no{{/}}"), S("no") },
		{ S("{{#nobody}}yes{{#x}}{{/}}{{/}}{{^nobody}}no{{/}}"), S("no") },
		{ S("{{#rows}}{{n}}{{empty}},{{/}}"), S("1,2,") },
		{ S("{{#nobody}}{{#rows}}{{n}}{{/}}{{/}}"), S("") },
		{ S("{{>part}}"), S("<i>&lt;a href=&quot;1&quot;&gt;&amp;&#39;</i>") },
		{ S("{{t consent.title}}"), S("Shop &lt;1&gt; asks for access") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str got;

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_OK(fill(a, cases[i].text, &got));
		CHECK_STR(got, cases[i].want);
	}
}

TEST(a_value_stands_nowhere_else)
{
	static const struct {
		Str text;
		const char *slug;
	} cases[] = {
		{ S("<p {{x}}>"), "page.context" },
		{ S("<p title={{x}}>"), "page.context" },
		{ S("<{{x}}>"), "page.context" },
		{ S("<script>{{x}}</script>"), "page.context" },
		{ S("<style>{{x}}</style>"), "page.context" },
		{ S("<!-- {{x}} -->"), "page.context" },
		{ S("<p onclick=\"{{x}}\">"), "page.context" },
		{ S("<p style=\"{{x}}\">"), "page.context" },
		{ S("{{#x}}"), "page.syntax" },
		{ S("{{/}}"), "page.syntax" },
		{ S("{{x"), "page.syntax" },
		{ S("{{>page}}"), "page.syntax" },
		{ S("{{>nothing}}"), "page.file" },
		{ S("{{nobody}}"), "page.name" },
		{ S("{{t no.such}}"), "page.text" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str got;

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_ERR(fill(a, cases[i].text, &got), cases[i].slug);
	}
}

/* Every name that stands in a file, with a value that would break out of anything. */
static void put_names(PageData *data, Str text)
{
	static const Str evil = S("\"><script>alert('1')</script>&{{x}}");
	ptrdiff_t open;

	while ((open = str_find(text, S("{{"))) >= 0) {
		ptrdiff_t shut = str_find(text, S("}}"));
		Str mark = str_sub(text, (size_t)open + 2, (size_t)shut);

		text = str_sub(text, (size_t)shut + 2, text.len);
		if (mark.at[0] == '#' || mark.at[0] == '^')
			mark = str_sub(mark, 1, mark.len);
		page_put(data, str_z(data->arena, mark), evil);
	}
}

TEST(every_page_renders_and_no_value_breaks_out_of_its_place)
{
	static const char *const of_texts[] = { "client", "user", "host",    "seconds",
		                                "when",   "name", "address", "request_id",
		                                "agent",  "why",  "field",   "least" };
	PageData *data = page_data(a);

	for (size_t i = 0; i < COUNT(user_pages); i++)
		put_names(data, user_pages[i].bytes);
	for (size_t i = 0; i < COUNT(of_texts); i++)
		page_put(data, of_texts[i], S("\"><script>"));
	for (size_t i = 0; i < COUNT(user_pages); i++)
		for (int language = 0; language < PAGE_LANGUAGES; language++) {
			AUTO(buf_fini) Buf out = { 0 };

			if (!str_ends(user_pages[i].name, S(".html")))
				continue;
			NOTE("%.*s", STR_ARG(user_pages[i].name));
			CHECK_OK(page_render(a, user_pages, COUNT(user_pages),
			                     str_z(a, user_pages[i].name), (PageLanguage)language,
			                     data, &out));
			CHECK(str_find(buf_str(&out), S("<script")) < 0);
			CHECK(str_find(buf_str(&out), S("\"\">")) < 0);
		}
}
