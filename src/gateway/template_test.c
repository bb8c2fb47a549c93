/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/template.c"
#include "unit.h"

static const UrlRules lax = { .encoded_slash = true, .keep_double = true };

static const Route *route_of(Arena *a, const char *path)
{
	RouteConf *conf = ARENA_NEW(a, RouteConf);

	conf->match.path = str_of(path);
	return route_table_at(route_table_new(a, conf, 1), 0);
}

static TemplateValues values_of(const Route *route, const char *path)
{
	static const UrlRules strict = { 0 };

	return (TemplateValues){
		.route = route,
		.paths = &strict,
		.path = str_of(path),
		.query = S("a=1&b=%20"),
		.host = S("shop.test"),
		.scheme = S("https"),
		.client_ip = S("2001:db8::1"),
		.request_id = S("id-1"),
	};
}

TEST(what_a_template_makes_of_a_request)
{
	static const struct {
		TemplateKind kind;
		const char *pattern, *path, *text, *want; /* want "!slug": an error */
	} cases[] = {
		{ TEMPLATE_FIELD, "/**", "/x", "", "" },
		{ TEMPLATE_FIELD, "/**", "/x", "plain", "plain" },
		{ TEMPLATE_FIELD, "/**", "/x", "{{a}} }}{{", "{a} }{" },
		{ TEMPLATE_FIELD, "/**", "/x%20y", "{path}?{query}", "/x%20y?a=1&b=%20" },
		{ TEMPLATE_FIELD, "/**", "/x", "{scheme}://{host} {client_ip} {request_id}",
		  "https://shop.test 2001:db8::1 id-1" },
		{ TEMPLATE_FIELD, "/u/{id}", "/u/7", "<{id}>", "<7>" },
		{ TEMPLATE_FIELD, "/{host}", "/mine", "{host}", "mine" },
		{ TEMPLATE_PATH, "/u/{id}", "/u/7", "/v2/users/{id}", "/v2/users/7" },
		{ TEMPLATE_PATH, "/u/{id}/o/{no}", "/u/7/o/9", "/{no}-{id}.json", "/9-7.json" },
		{ TEMPLATE_PATH, "/x", "/x", "/a//b/../c", "/a/c" },
		{ TEMPLATE_PATH, "/api/**", "/api/x/y", "/old{rest}", "/old/x/y" },
		{ TEMPLATE_PATH, "/api/**", "/api/x/y", "/old/{rest}", "/old/x/y" },
		{ TEMPLATE_PATH, "/api/**", "/api/x/y", "/old/{**}", "/old/x/y" },
		{ TEMPLATE_PATH, "/api/**", "/api", "/old{rest}", "/old" },
		{ TEMPLATE_PATH, "/api/**", "/api/", "/old{rest}", "/old/" },
		{ TEMPLATE_PATH, "/api/**", "/api", "{rest}", "/" },
		{ TEMPLATE_URL, "/api/**", "/api", "{rest}?a={path}", "/?a=/api" },
		{ TEMPLATE_URL, "/api/**", "/api", "{rest}x", "/x" },
		{ TEMPLATE_PATH, "/api/**", "/api/x", "{rest}", "/x" },
		{ TEMPLATE_PATH, "/**", "/a%2Fb", "/x/{rest}", "!url.encoded_slash" },
		{ TEMPLATE_PATH, "/a/{id}", "/a/..b", "/x/{id}", "/x/..b" },
		{ TEMPLATE_PATH, "/**", "/x", "/q/{query}", "/q/a=1&b=%20" },
		{ TEMPLATE_PATH, "/**", "/x", "/{host}/{client_ip}", "/shop.test/2001:db8::1" },
		{ TEMPLATE_URL, "/**", "/a/b", "https://{host}{path}", "https://shop.test/a/b" },
		{ TEMPLATE_URL, "/**", "/a/b", "{scheme}://{host}:8443{path}",
		  "https://shop.test:8443/a/b" },
		{ TEMPLATE_URL, "/old/**", "/old/b", "https://new.test{rest}",
		  "https://new.test/b" },
		{ TEMPLATE_URL, "/old/**", "/old", "https://new.test{rest}", "https://new.test" },
		{ TEMPLATE_URL, "/old/**", "/old/b", "//new.test{rest}", "//new.test/b" },
		{ TEMPLATE_URL, "/old/**", "/old//evil.test", "{rest}", "/evil.test" },
		{ TEMPLATE_URL, "/**", "//evil.test", "{path}", "/evil.test" },
		{ TEMPLATE_URL, "/**", "//evil.test", "/{rest}", "/evil.test" },
		{ TEMPLATE_URL, "/**", "/x", "{path}/?{query}#{path}", "/x/?a=1&b=%20#/x" },
		{ TEMPLATE_URL, "/u/{id}", "/u/a&b=c+d;e%20%41", "/find?id={id}",
		  "/find?id=a%26b%3Dc%2Bd%3Be%20%41" },
		{ TEMPLATE_URL, "/**", "/a%20b", "/login?next={path}?{query}&more=1",
		  "/login?next=/a%2520b?a%3D1%26b%3D%2520&more=1" },
		{ TEMPLATE_URL, "/**", "/a", "/in?{query}&x=1", "/in?a=1&b=%20&x=1" },
		{ TEMPLATE_URL, "/t/{t}", "/t/acme", "https://{t}.shop.test/",
		  "https://acme.shop.test/" },
		{ TEMPLATE_URL, "/t/{t}", "/t/evil.test@", "https://{t}.shop.test/",
		  "!gateway.template_host" },
		{ TEMPLATE_URL, "/t/{t}", "/t/a:b", "https://{t}.shop.test/",
		  "!gateway.template_host" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Route *route = route_of(a, cases[i].pattern);
		const MatchConf *match = &route->conf->match;
		TemplateValues v = values_of(route, cases[i].path);
		Str text = str_of(cases[i].text), got;
		Err *err;

		NOTE("%s of %s", cases[i].text, cases[i].path);
		CHECK_STR(template_mistake(a, cases[i].kind, text, match), S(""));
		err = template_expand(template_new(a, cases[i].kind, text, match), a, &v, &got);
		if (cases[i].want[0] == '!') {
			CHECK_ERR(err, cases[i].want + 1);
			continue;
		}
		CHECK_OK(err);
		CHECK_STR(got, str_of(cases[i].want));
	}
}

TEST(an_empty_query_leaves_no_question_mark)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{path}?{query}", "/x" },
		{ "{path}?a=1&{query}", "/x?a=1" },
		{ "{path}?next={query}", "/x?next=" },
	};
	const Route *route = route_of(a, "/**");
	TemplateValues v = values_of(route, "/x");

	v.query = S("");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const Template *t =
			template_new(a, TEMPLATE_URL, str_of(cases[i].text), &route->conf->match);
		Str got;

		CHECK_OK(template_expand(t, a, &v, &got));
		CHECK_STR(got, str_of(cases[i].want));
	}
}

TEST(nothing_a_value_holds_leaves_its_place)
{
	static const TemplateKind kinds[] = { TEMPLATE_FIELD, TEMPLATE_URL };
	static const char *const texts[] = { "/a/{query}/b", "/a?x={query}", "/a?{query}",
		                             "/a#{query}", "/a/{request_id}" };
	const Route *route = route_of(a, "/**");
	TemplateValues v = values_of(route, "/x");
	char all[255];

	for (int c = 1; c < 256; c++)
		all[c - 1] = (char)c;
	v.query = v.request_id = (Str){ all, sizeof all };
	for (size_t i = 0; i < COUNT(texts) * COUNT(kinds); i++) {
		const Template *t =
			template_new(a, kinds[i % 2], str_of(texts[i / 2]), &route->conf->match);
		Str got;

		NOTE("%s", texts[i / 2]);
		CHECK_OK(template_expand(t, a, &v, &got));
		for (size_t k = 0; k < got.len; k++)
			CHECK(got.at[k] >= ' ' && got.at[k] != 0x7f);
		if (kinds[i % 2] == TEMPLATE_FIELD)
			continue;
		for (size_t k = 0; k < got.len; k++)
			CHECK(!strchr(" \"<>\\^`{|}", got.at[k]));
		CHECK(str_find(str_sub(got, 4, got.len), S("#")) < 0);
	}
}

TEST(an_address_without_a_host_is_refused)
{
	const Route *route = route_of(a, "/**");
	TemplateValues v = values_of(route, "/evil.test/");
	const Template *t =
		template_new(a, TEMPLATE_URL, S("https://{host}{path}"), &route->conf->match);
	Str got;

	v.host = S("");
	CHECK_ERR(template_expand(t, a, &v, &got), "gateway.template_host");
}

TEST(what_comes_out_is_bounded)
{
	const Route *route = route_of(a, "/**");
	char *text = arena_alloc(a, 5000);
	TemplateValues v = values_of(route, "/x");
	const Template *t = template_new(a, TEMPLATE_FIELD, S("{query}{query}{query}{query}"),
	                                 &route->conf->match);
	Str got;

	memset(text, 'x', 5000);
	v.query = (Str){ text, 5000 };
	CHECK_ERR(template_expand(t, a, &v, &got), "gateway.template_long");
	v.query.len = 4096;
	CHECK_OK(template_expand(t, a, &v, &got));
	CHECK_INT(got.len, TEMPLATE_BYTES_MAX);
}

TEST(mistakes_are_named)
{
	static const struct {
		TemplateKind kind;
		const char *pattern, *text, *want; /* pattern NULL: none is known */
	} cases[] = {
		{ TEMPLATE_FIELD, "/u/{id}", "{idd}",
		  "there is no {idd} here: did you mean {id}?" },
		{ TEMPLATE_FIELD, "/**", "{hots}",
		  "there is no {hots} here: did you mean {host}?" },
		{ TEMPLATE_FIELD, "/**", "{quux}", "there is no {quux} here" },
		{ TEMPLATE_FIELD, "/u", "{rest}",
		  "there is no {rest} here: the route's path has no /** at its end" },
		{ TEMPLATE_FIELD, NULL, "{quux} {**}", "" },
		{ TEMPLATE_FIELD, NULL, "{qu ux}", "expected a name in braces: {{ is a brace" },
		{ TEMPLATE_FIELD, NULL, "{}", "expected a name in braces: {{ is a brace" },
		{ TEMPLATE_FIELD, NULL, "a{id", "a brace is not closed: {{ is a brace" },
		{ TEMPLATE_FIELD, NULL, "a}b", "a brace that closes nothing: }} is a brace" },
		{ TEMPLATE_FIELD, NULL, "a\nb", "control characters have no place in it" },
		{ TEMPLATE_FIELD, "~ ^/(?<id>\\d+)/(x)?", "{id}{1}{2}{0}", "" },
		{ TEMPLATE_FIELD, "~ ^/(?<id>\\d+)/(x)?", "{3}", "there is no {3} here" },
		{ TEMPLATE_PATH, NULL, "x",
		  "expected a path that begins with \"/\", or http:// or https://" },
		{ TEMPLATE_PATH, NULL, "", "it is empty" },
		{ TEMPLATE_PATH, NULL, "//h/x", "it must be a path that begins with \"/\"" },
		{ TEMPLATE_PATH, NULL, "{scheme}://h/x",
		  "it must be a path that begins with \"/\"" },
		{ TEMPLATE_PATH, NULL, "/x?y", "it is a path: the query stays as it came" },
		{ TEMPLATE_PATH, NULL, "/x y",
		  "blanks, \"<>\\^`{|} and letters beyond ASCII must be escaped" },
		{ TEMPLATE_PATH, NULL, "/%4", "an escape is \"%\" and two hexadecimal digits" },
		{ TEMPLATE_PATH, NULL, "/%2F", "the path held an escaped slash or backslash" },
		{ TEMPLATE_PATH, NULL, "/../x", "the path climbed above its root" },
		{ TEMPLATE_URL, NULL, "ftp://x",
		  "expected a path that begins with \"/\", or http:// or https://" },
		{ TEMPLATE_URL, NULL, "{host}/x",
		  "expected a path that begins with \"/\", or http:// or https://" },
		{ TEMPLATE_URL, NULL, "https://{path}",
		  "an address needs a host: https://{host}{path}" },
		{ TEMPLATE_URL, NULL, "https:///x",
		  "an address needs a host: https://{host}{path}" },
		{ TEMPLATE_URL, NULL, "https://", "an address needs a host: https://{host}{path}" },
		{ TEMPLATE_URL, NULL, "https://?x",
		  "an address needs a host: https://{host}{path}" },
		{ TEMPLATE_URL, NULL, "https://{query}",
		  "an address needs a host: https://{host}{path}" },
		{ TEMPLATE_URL, NULL, "{scheme}", "an address needs a host: https://{host}{path}" },
		{ TEMPLATE_URL, NULL, "{scheme}{host}", "{scheme} is followed by ://" },
		{ TEMPLATE_URL, NULL, "{scheme}/x", "{scheme} is followed by ://" },
		{ TEMPLATE_URL, NULL, "/\xc3\xa4",
		  "blanks, \"<>\\^`{|} and letters beyond ASCII must be escaped" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		MatchConf match = { .path = str_of(cases[i].pattern) };

		NOTE("%s", cases[i].text);
		CHECK_STR(template_mistake(a, cases[i].kind, str_of(cases[i].text),
		                           cases[i].pattern ? &match : NULL),
		          str_of(cases[i].want));
	}
}

TEST(escaped_slashes_pass_where_they_may)
{
	const Route *route = route_of(a, "/f/{name}");
	TemplateValues v = values_of(route, "/f/a%2Fb");
	const Template *t = template_new(a, TEMPLATE_PATH, S("/files/{name}"), &route->conf->match);
	Str got;

	CHECK_ERR(template_expand(t, a, &v, &got), "url.encoded_slash");
	v.paths = &lax;
	CHECK_OK(template_expand(t, a, &v, &got));
	CHECK_STR(got, S("/files/a%2Fb"));
}
