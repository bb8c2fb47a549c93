/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.c"
#include "unit.h"

typedef struct PathCase {
	const char *name;
	Str target;
	const char *slug; /* NULL: path is the answer */
	Str path;
} PathCase;

static const PathCase paths[] = {
	{ "plain", S("/a/b.c"), NULL, S("/a/b.c") },
	{ "root", S("/"), NULL, S("/") },
	{ "all of pchar", S("/aZ09-._~!$&'()*+,;=:@"), NULL, S("/aZ09-._~!$&'()*+,;=:@") },
	{ "asterisk", S("*"), NULL, S("*") },
	{ "empty", S(""), "url.form", S("") },
	{ "no slash", S("a/b"), "url.form", S("") },
	{ "absolute-form", S("http://h/a"), "url.form", S("") },
	{ "asterisk and more", S("*a"), "url.form", S("") },
	{ "double slash", S("//a///b//"), NULL, S("/a/b/") },
	{ "dot", S("/a/./b/."), NULL, S("/a/b/") },
	{ "dot-dot", S("/a/b/../c"), NULL, S("/a/c") },
	{ "dot-dot at the end", S("/a/b/.."), NULL, S("/a/") },
	{ "dot-dot to the root", S("/a/.."), NULL, S("/") },
	{ "three dots are a name", S("/.../..a/b.."), NULL, S("/.../..a/b..") },
	{ "climb at once", S("/.."), "url.above_root", S("") },
	{ "climb later", S("/a/../../b"), "url.above_root", S("") },
	{ "climb with slashes", S("//../b"), "url.above_root", S("") },
	{ "escaped dots", S("/a/%2e%2E/b"), NULL, S("/b") },
	{ "half escaped dots", S("/a/.%2e/b/%2e/c"), NULL, S("/b/c") },
	{ "escaped climb", S("/%2e%2e/etc"), "url.above_root", S("") },
	{ "escaped letters", S("/%61%5A%7e%2D"), NULL, S("/aZ~-") },
	{ "mixed-case escapes", S("/%c3%A9%3a"), NULL, S("/%C3%A9%3A") },
	{ "escaped percent stays", S("/%252e%252e/%25"), NULL, S("/%252e%252e/%25") },
	{ "escaped blank stays", S("/a%20b"), NULL, S("/a%20b") },
	{ "escaped question mark stays", S("/a%3fb?c"), NULL, S("/a%3Fb") },
	{ "escaped hash stays", S("/a%23b"), NULL, S("/a%23b") },
	{ "escaped slash", S("/a%2fb"), "url.encoded_slash", S("") },
	{ "escaped slash, upper", S("/a%2Fb"), "url.encoded_slash", S("") },
	{ "escaped backslash", S("/a%5cb"), "url.encoded_slash", S("") },
	{ "dot-dot escaped slash", S("/a/..%2fb"), "url.encoded_slash", S("") },
	{ "backslash", S("/a\\..\\b"), "url.backslash", S("") },
	{ "fragment", S("/a#b"), "url.fragment", S("") },
	{ "fragment in the query", S("/a?b#c"), "url.fragment", S("") },
	{ "NUL", S("/a\0b"), "url.control", S("") },
	{ "escaped NUL", S("/a%00b"), "url.control", S("") },
	{ "escaped CR LF", S("/a%0d%0ab"), "url.control", S("") },
	{ "escaped DEL", S("/a%7f"), "url.control", S("") },
	{ "CR", S("/a\rb"), "url.control", S("") },
	{ "blank", S("/a b"), "url.control", S("") },
	{ "blank in the query", S("/a?b c"), "url.control", S("") },
	{ "DEL", S("/a\x7f"), "url.control", S("") },
	{ "bytes above ASCII", S("/\xc3\xa9"), "url.not_ascii", S("") },
	{ "and in the query", S("/?\xc3\xa9"), "url.not_ascii", S("") },
	{ "overlong slash", S("/a/..%c0%afb"), "url.overlong", S("") },
	{ "overlong dot", S("/%C0%AE%c0%ae/b"), "url.overlong", S("") },
	{ "overlong in three", S("/%e0%80%af"), "url.overlong", S("") },
	{ "overlong in four", S("/%f0%80%80%af"), "url.overlong", S("") },
	{ "Latin-1 is let be", S("/%c0bc/%E9t%E9"), NULL, S("/%C0bc/%E9t%E9") },
	{ "cut escape", S("/a%2"), "url.bad_escape", S("") },
	{ "lone percent", S("/a%"), "url.bad_escape", S("") },
	{ "not hexadecimal", S("/a%zz"), "url.bad_escape", S("") },
	{ "half hexadecimal", S("/a%2g"), "url.bad_escape", S("") },
	{ "of another system", S("/a%u002f"), "url.bad_escape", S("") },
	{ "escape across a slash", S("/a%2/f"), "url.bad_escape", S("") },
	{ "parameter on dot-dot", S("/a/..;/b"), "url.path_parameter", S("") },
	{ "parameter on dot-dot, named", S("/a/..;x=1/b"), "url.path_parameter", S("") },
	{ "parameter on dot", S("/a/.;/b"), "url.path_parameter", S("") },
	{ "parameter, dots escaped", S("/a/%2e%2e;/b"), "url.path_parameter", S("") },
	{ "parameter, itself escaped", S("/a/..%3b/b"), "url.path_parameter", S("") },
	{ "parameter on a name", S("/a;v=1/b..;c/...;d"), NULL, S("/a;v=1/b..;c/...;d") },
	{ "quoted bytes", S("/a\"<>^`{|}[]"), NULL, S("/a%22%3C%3E%5E%60%7B%7C%7D%5B%5D") },
	{ "the same, escaped", S("/a%22%3c%3e%5e%60%7b%7c%7d%5b%5d"), NULL,
	  S("/a%22%3C%3E%5E%60%7B%7C%7D%5B%5D") },
	{ "query untouched", S("/a?b=%2f..//\\&{x}|%zz"), NULL, S("/a") },
	{ "query of a path with dots", S("/a/..?/../x"), NULL, S("/") },
};

TEST(url_paths)
{
	for (size_t i = 0; i < COUNT(paths); i++) {
		const PathCase *want = &paths[i];
		UrlRules strict = { 0 };
		Url url = { 0 };
		Url again = { 0 };

		NOTE("%s", want->name);
		CHECK_ERR(url_canonical(a, want->target, &strict, &url), want->slug);
		if (want->slug)
			continue;
		CHECK_STR(url.path, want->path);
		CHECK_INT(url.same, str_eq(url.path, str_sub(want->target, 0, want->path.len)) &&
		                            (want->target.len == want->path.len ||
		                             want->target.at[want->path.len] == '?'));
		CHECK_OK(url_canonical(a, url.path, &strict, &again));
		CHECK_STR(again.path, url.path);
		CHECK(again.same);
	}
}

TEST(url_rules_open_what_they_say)
{
	static const struct {
		UrlRules rules;
		Str target;
		const char *slug;
		Str path;
	} cases[] = {
		{ { .encoded_slash = true }, S("/a%2fb/%5c"), NULL, S("/a%2Fb/%5C") },
		{ { .encoded_slash = true }, S("/a/..%2fb"), "url.encoded_slash", S("") },
		{ { .encoded_slash = true }, S("/a/b%2f.."), "url.encoded_slash", S("") },
		{ { .encoded_slash = true }, S("/a/b%2f%2e%2f"), "url.encoded_slash", S("") },
		{ { .encoded_slash = true }, S("/a/%5c..%5c"), "url.encoded_slash", S("") },
		{ { .encoded_slash = true }, S("/a/b%2fc..%2f..d"), NULL, S("/a/b%2Fc..%2F..d") },
		{ { .encoded_slash = true }, S("/a/..;/b"), "url.path_parameter", S("") },
		{ { .keep_double = true }, S("//a///b//"), NULL, S("//a///b//") },
		{ { .keep_double = true }, S("//a//../b"), NULL, S("//a/b") },
		{ { .keep_double = true }, S("/a/../../b"), "url.above_root", S("") },
		{ { .semicolons = true }, S("/a/..;/b/.;x"), NULL, S("/a/..;/b/.;x") },
		{ { .semicolons = true }, S("/a/%2e.;/b"), NULL, S("/a/..;/b") },
		{ { .semicolons = true }, S("/a\\b"), "url.backslash", S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Url url = { 0 };

		NOTE("%.*s", STR_ARG(cases[i].target));
		CHECK_ERR(url_canonical(a, cases[i].target, &cases[i].rules, &url), cases[i].slug);
		if (!cases[i].slug)
			CHECK_STR(url.path, cases[i].path);
	}
}

TEST(url_query_is_apart)
{
	UrlRules strict = { 0 };
	Url url;

	CHECK_OK(url_canonical(a, S("/a?"), &strict, &url));
	CHECK(url.query.at != NULL && url.query.len == 0 && url.same);
	CHECK_OK(url_canonical(a, S("/a"), &strict, &url));
	CHECK_NULL(url.query.at);
	CHECK_OK(url_canonical(a, S("/a?b?c=d"), &strict, &url));
	CHECK_STR(url.query, S("b?c=d"));
}

/* Any short path of the bytes that matter: canonical twice is canonical once, and has no dot segment and no "//". */
TEST(url_canonical_is_idempotent)
{
	static const Str parts[] = { S("/"), S("."),   S("%2e"), S("a"), S("%2E."),
		                     S(";"), S("%41"), S("{"),   S("..") };
	size_t total = 1;

	for (unsigned len = 0; len < 6; len++)
		total *= COUNT(parts);
	for (size_t pick = 0; pick < total; pick++) {
		Mark mark = arena_mark(a);
		UrlRules strict = { 0 };
		char text[64] = "/";
		size_t len = 1;
		Url url, again;

		for (size_t rest = pick; rest; rest /= COUNT(parts)) {
			Str part = parts[rest % COUNT(parts)];

			memcpy(text + len, part.at, part.len);
			len += part.len;
		}
		if (!url_canonical(a, (Str){ text, len }, &strict, &url)) {
			NOTE("%.*s", (int)len, text);
			CHECK_OK(url_canonical(a, url.path, &strict, &again));
			CHECK_STR(again.path, url.path);
			CHECK(again.same);
			CHECK(str_find(url.path, S("//")) < 0 && str_find(url.path, S("/./")) < 0);
			CHECK(str_find(url.path, S("/../")) < 0 && !str_ends(url.path, S("/..")));
		}
		arena_reset(a, mark);
	}
}

TEST(url_decode_gives_bytes)
{
	Str out = { 0 };

	CHECK_OK(url_decode(a, S("a%20b%2Fc+%c3%a9"), &out));
	CHECK_STR(out, S("a b/c+\xc3\xa9"));
	CHECK_OK(url_decode(a, S("plain"), &out));
	CHECK_STR(out, S("plain"));
	CHECK_OK(url_decode(a, S(""), &out));
	CHECK_STR(out, S(""));
	CHECK_ERR(url_decode(a, S("a%0"), &out), "url.bad_escape");
	CHECK_ERR(url_decode(a, S("a%gg"), &out), "url.bad_escape");
	CHECK_ERR(url_decode(a, S("a%00b"), &out), "url.control");
	CHECK_ERR(url_decode(a, S("a\0b"), &out), "url.control");
}

TEST(url_encode_makes_one_segment)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S(""), S("") },
		{ S("a-b_c.d~e9"), S("a-b_c.d~e9") },
		{ S("upstream:shop"), S("upstream:shop") },
		{ S("a/b c?d#e%"), S("a%2Fb%20c%3Fd%23e%25") },
		{ S("x HTTP/1.1\r\n"), S("x%20HTTP%2F1.1%0D%0A") },
		{ S("\xc3\xbc"), S("%C3%BC") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = url_encode(a, cases[i].text), again;

		CHECK_STR(text, cases[i].want);
		CHECK_OK(url_decode(a, text, &again));
		CHECK_STR(again, cases[i].text);
	}
}

TEST(url_authorities)
{
	static const struct {
		Str authority;
		bool good;
		Str host;
		uint16_t port;
	} cases[] = {
		{ S("example.com"), true, S("example.com"), 0 },
		{ S("Example.COM:8080"), true, S("example.com"), 8080 },
		{ S("example.com."), true, S("example.com."), 0 },
		{ S("my_service-1:80"), true, S("my_service-1"), 80 },
		{ S("127.0.0.1:65535"), true, S("127.0.0.1"), 65535 },
		{ S("h:00080"), true, S("h"), 80 },
		{ S("[::1]"), true, S("[::1]"), 0 },
		{ S("[2001:DB8:0::1]:443"), true, S("[2001:db8::1]"), 443 },
		{ S("[::ffff:1.2.3.4]:1"), true, S("[::ffff:1.2.3.4]"), 1 },
		{ S(""), false, S(""), 0 },
		{ S(":80"), false, S(""), 0 },
		{ S("h:"), false, S(""), 0 },
		{ S("h:65536"), false, S(""), 0 },
		{ S("h:000080"), false, S(""), 0 },
		{ S("h:+80"), false, S(""), 0 },
		{ S("h:-1"), false, S(""), 0 },
		{ S("h:80:80"), false, S(""), 0 },
		{ S("h:8 0"), false, S(""), 0 },
		{ S("h:http"), false, S(""), 0 },
		{ S("user@h"), false, S(""), 0 },
		{ S("user:pass@h"), false, S(""), 0 },
		{ S("a,b"), false, S(""), 0 },
		{ S("a b"), false, S(""), 0 },
		{ S("a/b"), false, S(""), 0 },
		{ S("a?b"), false, S(""), 0 },
		{ S("a\\b"), false, S(""), 0 },
		{ S("a%41"), false, S(""), 0 },
		{ S("a..b"), false, S(""), 0 },
		{ S(".a"), false, S(""), 0 },
		{ S("a\0b"), false, S(""), 0 },
		{ S("h\xc3\xa9"), false, S(""), 0 },
		{ S("::1"), false, S(""), 0 },
		{ S("["), false, S(""), 0 },
		{ S("[]"), false, S(""), 0 },
		{ S("[::1"), false, S(""), 0 },
		{ S("[::1]x"), false, S(""), 0 },
		{ S("[::1]80"), false, S(""), 0 },
		{ S("[::1%25eth0]"), false, S(""), 0 },
		{ S("[1.2.3.4]"), false, S(""), 0 },
		{ S("[v1.fe80]"), false, S(""), 0 },
		{ S("[:::]"), false, S(""), 0 },
		{ S("[::1\0]"), false, S(""), 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str host = { 0 };
		uint16_t port = 7;

		NOTE("%.*s", STR_ARG(cases[i].authority));
		CHECK_ERR(url_authority(a, cases[i].authority, &host, &port),
		          cases[i].good ? NULL : "url.authority");
		if (cases[i].good) {
			CHECK_STR(host, cases[i].host);
			CHECK_INT(port, cases[i].port);
		}
		CHECK_INT(url_is_authority(cases[i].authority, &port), cases[i].good);
	}
}

TEST(url_a_name_has_a_length)
{
	char host[HOST_MAX + 1];
	uint16_t port;

	memset(host, 'a', sizeof host);
	CHECK(url_is_authority((Str){ host, HOST_MAX }, &port));
	CHECK(!url_is_authority((Str){ host, HOST_MAX + 1 }, &port));
}

TEST(url_query_values)
{
	static const struct {
		Str query, name;
		const char *value; /* NULL: none */
	} cases[] = {
		{ S("a=1&b=2"), S("b"), "2" },     { S("a=1&b=2"), S("c"), NULL },
		{ S("a=1&a=2"), S("a"), "1" },     { S("a"), S("a"), "" },
		{ S("a="), S("a"), "" },           { S("ab=1"), S("a"), NULL },
		{ S("x&a=b=c&y"), S("a"), "b=c" }, { S(""), S("a"), NULL },
		{ S("%61=1"), S("a"), NULL },      { S("a=1"), S("A"), NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str value = { 0 };

		NOTE("%.*s", STR_ARG(cases[i].query));
		CHECK_INT(url_query_get(cases[i].query, cases[i].name, &value),
		          cases[i].value != NULL);
		if (cases[i].value) {
			CHECK(value.at != NULL);
			CHECK_STR(value, str_of(cases[i].value));
		}
	}
	CHECK(!url_query_get((Str){ 0 }, S("a"), &(Str){ 0 }));
}
