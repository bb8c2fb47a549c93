/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/problem.c"

#include "unit.h"

TEST(html_is_for_those_who_like_it_better_than_json)
{
	static const struct {
		Str accept;
		bool html;
	} cases[] = {
		{ S(""), false },
		{ S("*/*"), false },
		{ S("text/html"), true },
		{ S("application/json"), false },
		{ S("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"),
		  true },
		{ S("application/json, text/plain, */*"), false },
		{ S("text/html;q=0.5, application/json;q=0.9"), false },
		{ S("text/html;q=0.9, application/json;q=0.85"), true },
		{ S("text/*"), true },
		{ S("text/html;q=0, */*"), false },
		{ S("application/problem+json, text/html;q=0.1"), false },
		{ S("TEXT/HTML;Level=1;Q=0.7, */*;q=0.6"), true },
		{ S(",,;q=;text/html"), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].accept));
		CHECK_INT(problem_wants_html(cases[i].accept), cases[i].html);
	}
}

TEST(a_problem_document_tells_what_went_wrong_and_nothing_of_the_inside)
{
	AUTO(buf_fini) Buf out = { 0 };
	Err cause = ERR_STATIC(IO, "rt.secret", "the inside");
	Err err = ERR_STATIC(BUSY, "upstream.busy", "all connections are in \"use\"");
	Problem problem;

	err.why = &cause;
	problem = problem_of(&err, S("id-1"), S("/a"));
	problem_put_json(&out, &problem);
	CHECK_STR(
		buf_str(&out),
		S("{\"type\":\"urn:banyan:problem:upstream.busy\",\"title\":\"Service Unavailable\",\"status\":503,"
	          "\"detail\":\"all connections are in \\\"use\\\"\",\"instance\":\"/a\",\"request_id\":\"id-1\"}\n"));
	CHECK_INT(problem.retry_after_s, 1);
}

TEST(a_page_is_filled_in_and_escaped)
{
	static const struct {
		Str page, want;
	} cases[] = {
		{ S("{{status}} {{ detail }}"), S("404 &#60;b&#62; &#38; &#34;c&#34;") },
		{ S("{{unknown}}-{{request_id}}-{{slug}}-{{title}}"),
		  S("-r&#39;1-gateway.no_route-Not Found") },
		{ S("{{status"), S("{{status") },
		{ S("}}{{status}}{"), S("}}404{") },
	};
	Problem problem = { 404, "gateway.no_route", S("<b> & \"c\""), S("r'1"), S("/x"), 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf out = { 0 };

		problem_put_html(&out, &problem, cases[i].page);
		CHECK_STR(buf_str(&out), cases[i].want);
	}
	{
		AUTO(buf_fini) Buf out = { 0 };

		problem_put_html(&out, &problem, (Str){ 0 });
		CHECK(str_find(buf_str(&out), S("<h1>404 Not Found</h1>")) > 0);
		CHECK(str_find(buf_str(&out), S("{{")) < 0);
	}
}
