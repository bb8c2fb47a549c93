/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/compare_html.c"

#include "compare_base.h"
#include "unit.h"

typedef struct Case {
	Str old, new, want;
} Case;

static Comparison compare_pages(Arena *a, const CompareRules *rules, Str old, Str new)
{
	return compare_typed(a, rules, S("text/html; charset=utf-8"), old, new);
}

static void check_cases(Arena *a, const CompareRules *rules, const Case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Comparison found = compare_pages(a, rules, cases[i].old, cases[i].new);

		NOTE("%.*s against %.*s", STR_ARG(cases[i].old), STR_ARG(cases[i].new));
		CHECK_STR(compare_told(a, &found), cases[i].want);
		CHECK_INT(found.form, COMPARE_HTML);
	}
}

TEST(compare_html_does_not_see_how_it_is_written)
{
	static const Case cases[] = {
		{ S("<p>a  b\n c</p>"), S("<p> a b c </p>"), S("") },
		{ S("<P CLASS=\"b a\" id=x>t</P>"), S("<p id='x' class=\"a b\">t</p>"), S("") },
		{ S("<p>it&#x27;s &amp; &#39;so&#39; &lt;b&gt;</p>"),
		  S("<p>it's & 'so' &lt;b></p>"), S("") },
		{ S("<p>a&nbsp;b</p>"), S("<p>a b</p>"), S("") },
		{ S("<p>a<!-- one -->b</p>"), S("<p>ab</p>"), S("") },
		{ S("<!DOCTYPE html><p>a</p>"), S("<p>a</p>"), S("") },
		{ S("<script>var a = '<p>1</p>'</script><p>a</p>"),
		  S("<p>a</p><script src=x></script>"), S("") },
		{ S("<style>p { }</style><p>a</p>"), S("<p>a</p>"), S("") },
		{ S("<input checked=\"checked\" disabled>"), S("<input checked disabled=''/>"),
		  S("") },
		{ S("<ul><li>a<li>b</ul>"), S("<ul><li>a</li><li>b</li></ul>"), S("") },
		{ S("<p>a<p>b<div>c</div>"), S("<p>a</p><p>b</p><div>c</div>"), S("") },
		{ S("<table><tr><td>a<td>b<tr><td>c</table>"),
		  S("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"), S("") },
		{ S("<br><img src=a>"), S("<br/><img src=\"a\" />"), S("") },
		{ S("<textarea><p>a</textarea>"), S("<textarea>&lt;p>a</textarea>"), S("") },
		{ S("a < b"), S("a &lt; b"), S("") },
		{ S("<p>a</p></div></p>"), S("<p>a</p>"), S("") },
	};

	check_cases(a, NULL, cases, COUNT(cases));
}

TEST(compare_html_names_what_differs)
{
	static const Case cases[] = {
		{ S("<html><body><p>a</p></body></html>"), S("<html><body><p>b</p></body></html>"),
		  S("value /html/body/p") },
		{ S("<p>a</p>"), S("<div>a</div>"), S("missing /p; extra /div") },
		{ S("<p>a</p>"), S("<p>a</p><p>b</p>"), S("extra /p") },
		{ S("<p>a</p><p>b</p>"), S("<p>b</p>"), S("missing /p") },
		{ S("<p>a</p>"), S("<p></p>"), S("value /p") },
		{ S("<p class=a>x</p>"), S("<p class=b>x</p>"), S("value /p/@class") },
		{ S("<p class=a>x</p>"), S("<p>x</p>"), S("missing /p/@class") },
		{ S("<p>x</p>"), S("<p hidden>x</p>"), S("extra /p/@hidden") },
		{ S("<a href=/x>t</a>"), S("<a href=/y>u</a>"), S("value /a/@href; value /a") },
		{ S("<ul><li>a</li><li>b</li></ul>"), S("<ul><li>b</li><li>a</li></ul>"),
		  S("order /ul") },
		{ S("<ul><li>a<li>b<li>c</ul>"), S("<ul><li>a<li>x<li>b<li>c</ul>"),
		  S("extra /ul/li") },
		{ S("<ul><li>a<li>b<li>c</ul>"), S("<ul><li>a<li>x<li>c</ul>"), S("value /ul/li") },
		{ S("<h1>t</h1><p>a</p><hr>"), S("<h1>u</h1><p>a</p><br>"),
		  S("value /h1; missing /hr; extra /br") },
		{ S("text"), S("other"), S("value /") },
		{ S(""), S("<p>a</p>"), S("extra /p") },
	};

	check_cases(a, NULL, cases, COUNT(cases));
}

TEST(compare_html_ignores_what_rules_say)
{
	const CompareRules rules = { .ignore = STRS(S("//footer"), S("/p/@data-at"), S("//*/@id"),
		                                    S(".p")) };
	static const Case cases[] = {
		{ S("<div><footer>a</footer></div>"), S("<div><footer>b<p>c</p></footer></div>"),
		  S("") },
		{ S("<div><footer>a</footer></div>"), S("<div></div>"), S("") },
		{ S("<p data-at=1>a</p>"), S("<p data-at=2>b</p>"), S("value /p") },
		{ S("<p data-at=1 id=a>a</p>"), S("<p id=b>a</p>"), S("") },
		{ S("<div data-at=1></div>"), S("<div data-at=2></div>"),
		  S("value /div/@data-at") },
	};

	check_cases(a, &rules, cases, COUNT(cases));
}

TEST(compare_html_knows_the_noise_of_frameworks)
{
	static const Case quiet[] = {
		{ S("<input type=hidden name=csrfmiddlewaretoken value=a>"),
		  S("<input type=hidden name=csrfmiddlewaretoken value=b>"), S("") },
		{ S("<input name=_csrf_token value=a>"), S("<input name=_csrf_token value=b>"),
		  S("") },
		{ S("<meta name=csrf-token content=a>"), S("<meta name=csrf-token content=b>"),
		  S("") },
		{ S("<link nonce=a href=x>"), S("<link nonce=b href=x>"), S("") },
		{ S("<input name=other value=a>"), S("<input name=other value=b>"),
		  S("value /input/@value") },
		{ S("<input name=csrfmiddlewaretoken value=a>"), S("<br>"),
		  S("missing /input; extra /br") },
	};
	static const Case kept[] = {
		{ S("<input name=csrfmiddlewaretoken value=a>"),
		  S("<input name=csrfmiddlewaretoken value=b>"), S("value /input/@value") },
		{ S("<link nonce=a>"), S("<link nonce=b>"), S("") },
	};
	const CompareRules rules = { .keep = { .at = (uint32_t[]){ COMPARE_CSRF_FIELDS },
		                               .count = 1 } };
	Comparison found;

	check_cases(a, NULL, quiet, COUNT(quiet));
	check_cases(a, &rules, kept, COUNT(kept));
	found = compare_pages(a, NULL, quiet[0].old, quiet[0].new);
	CHECK_INT(found.known, COMPARE_CSRF_FIELDS);
	found = compare_pages(a, NULL, quiet[3].old, quiet[3].new);
	CHECK_INT(found.known, COMPARE_NONCES);
}

TEST(compare_html_shows_examples)
{
	static const struct {
		Str old, new, was, is;
	} cases[] = {
		{ S("<p>one</p>"), S("<p>two</p>"), S("one"), S("two") },
		{ S("<p>one</p>"), S("<br>"), S("<p> one"), S("") },
		{ S("<a href='/x?page=1&amp;token=abc'>t</a>"), S("<a href=/y>t</a>"),
		  S("/x?page=1&token=***"), S("/y") },
		{ S("<p>to ann@example.org</p>"), S("<p>x</p>"), S("to ***"), S("x") },
		{ S("<ul><li>a<li>b</ul>"), S("<ul><li>b<li>a</ul>"), S("2 nodes"),
		  S("2 nodes, in another order") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Comparison found = compare_pages(a, NULL, cases[i].old, cases[i].new);

		NOTE("%.*s", STR_ARG(cases[i].old));
		CHECK(found.count > 0);
		CHECK_STR(found.at[0].old, cases[i].was);
		CHECK_STR(found.at[0].new, cases[i].is);
	}
}

TEST(compare_html_keeps_no_secret)
{
	const CompareRules rules = { .mask = { .names = STRS(S("nick")),
		                               .paths = STRS(S("//b")) } };
	static const Str pages[] = {
		S("<p>S3CRET@example.org</p>"),
		S("<p>Your password: S3CRET</p>"),
		S("<p>S3CRET is your token</p>"),
		S("<table><tr><th>Name<th>Token</tr><tr><td>a<td>S3CRET</tr></table>"),
		S("<dl><dt>Password<dd>S3CRET</dl>"),
		S("<div><span>API key</span><span>S3CRET</span></div>"),
		S("<div><div><span>Secret</span></div><div><span>S3CRET</span></div></div>"),
		S("<html><body><h2>Recovery token</h2><p>S3CRET</p></body></html>"),
		S("<html><body><h2>Recovery token</h2><div><div><p>S3CRET</p></div></div></body></html>"),
		S("<input name=password value=S3CRET>"),
		S("<label>Token <input value=S3CRET></label>"),
		S("<form><label>Token</label><div><div><div><div><div><input value=S3CRET></div></div></div></div></div></form>"),
		S("<input type=hidden name=csrfmiddlewaretoken value=S3CRET><p>a</p>"),
		S("<a href='/x?token=S3CRET'>x</a>"),
		S("<a href='https://u:S3CRET@example.org/'>x</a>"),
		S("<div data-token=S3CRET>x</div>"),
		S("<div data-props='{\"password\":\"S3CRET\"}'>x</div>"),
		S("<b>S3CRET</b>"),
		S("<p>nick S3CRET</p>"),
		S("<script>password='S3CRET'</script><p>x</p>"),
		S("<!-- token S3CRET --><p>x</p>"),
		S("<p password=S3CRET <p>"),
		S("<p S3CRET@example.org>x</p>"),
		S("<S3CRET@example.org>x"),
	};
	static const Str others[] = {
		S(""),
		S("<p>y</p>"),
		S("<div>y</div><p>z"),
		S("<a href=z>x</a><b>n</b>"),
		S("<table><tr><th>Name<th>Token</tr><tr><td>a<td>b</tr></table>"),
		S("<html><body><h2>Recovery token</h2><p>y</p></body></html>"),
		S("<input name=password value=y>")
	};

	for (size_t i = 0; i < COUNT(pages); i++) {
		for (size_t k = 0; k < COUNT(others); k++) {
			Comparison found = compare_pages(a, &rules, pages[i], others[k]);

			NOTE("%.*s against %.*s", STR_ARG(pages[i]), STR_ARG(others[k]));
			CHECK(!compare_keeps(&found, S("S3CRET")));
			found = compare_pages(a, &rules, others[k], pages[i]);
			CHECK(!compare_keeps(&found, S("S3CRET")));
		}
	}
}

TEST(compare_html_looks_for_names_in_the_whole_form)
{
	static const char page[] =
		"<form><div><div><div><div><div><input value=%s></div></div></div></div></div>%s</form>";
	static const Str labels[] = { S("<p>Token</p>"), S("<p>Name</p>") };

	for (size_t i = 0; i < COUNT(labels); i++) {
		Comparison found = compare_pages(a, NULL, str_fmt(a, page, "one", labels[i].at),
		                                 str_fmt(a, page, "two", labels[i].at));

		CHECK_INT(found.count, 1);
		CHECK_STR(found.at[0].old, i ? S("one") : MASKED);
		CHECK_STR(found.at[0].new, i ? S("two") : MASKED);
	}
}

TEST(compare_html_is_bounded)
{
	AUTO(buf_fini) Buf old = { 0 };
	AUTO(buf_fini) Buf new = { 0 };
	const CompareRules rules = { .body_max = 1 << 24 };
	Comparison found;

	for (int i = 0; i < 3000; i++) {
		buf_put(&old, S("<div>"));
		buf_put(&new, S("<div>"));
	}
	buf_put(&new, S("x"));
	found = compare_pages(a, NULL, buf_str(&old), buf_str(&new));
	CHECK_INT(found.count, 1);
	CHECK_INT(found.at[0].kind, COMPARE_VALUE);

	buf_clear(&old);
	buf_clear(&new);
	for (int i = 0; i < 1000; i++) {
		buf_fmt(&old, "<p>%d</p>", i);
		buf_fmt(&new, "<p>%d</p>", i + 5000);
	}
	found = compare_pages(a, NULL, buf_str(&old), buf_str(&new));
	CHECK_STR(compare_told(a, &found), S("size /"));

	for (int i = 0; i < HTML_NODES_MAX; i++)
		buf_put(&old, S("<br>"));
	found = compare_pages(a, &rules, buf_str(&old), buf_str(&new));
	CHECK_STR(compare_told(a, &found), S("body ."));
	CHECK_INT(found.form, COMPARE_TEXT);
}
