/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/nginx_carry_text.c"

#include "unit.h"

TEST(times_are_read_as_nginx_does)
{
	static const struct {
		const char *text;
		int64_t us; /* negative: it is none */
	} cases[] = {
		{ "0", 0 },
		{ "60", 60000000 },
		{ "90s", 90000000 },
		{ "1h30m", 5400000000 },
		{ "500ms", 500000 },
		{ "1d", 86400000000 },
		{ "1w", 604800000000 },
		{ "1M", 2592000000000 },
		{ "1m", 60000000 },
		{ "1y", 31536000000000 },
		{ "1m 30", -1 },
		{ "1h30", 3630000000 },
		{ "", -1 },
		{ "s", -1 },
		{ "-1", -1 },
		{ "10 s", -1 },
		{ "99999999999y", -1 },
		{ "18446744073709551616", -1 },
		{ "5x", -1 },
		{ "1 ", -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t us = -1;

		NOTE("%s", cases[i].text);
		CHECK_INT(text_read_time(str_of(cases[i].text), &us), cases[i].us >= 0);
		CHECK_INT(us, cases[i].us);
	}
	CHECK_STR(text_time(a, 5000, 10000, 20000), S("10ms"));
	CHECK_STR(text_time(a, 500000000, 1, 60000000), S("1m"));
}

TEST(sizes_are_read_as_nginx_does)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {
		{ "0", 0 },        { "512", 512 },         { "8k", 8192 }, { "8K", 8192 },
		{ "1m", 1048576 }, { "4G", 4294967296 },   { "", -1 },     { "k", -1 },
		{ "1.5m", -1 },    { "99999999999g", -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t bytes = (uint64_t)-1;

		NOTE("%s", cases[i].text);
		CHECK_INT(text_read_size(str_of(cases[i].text), &bytes), cases[i].bytes >= 0);
		CHECK_INT((int64_t)bytes, cases[i].bytes);
	}
}

TEST(paths_are_brought_into_the_form_of_routes)
{
	static const struct {
		const char *path, *want; /* NULL: it cannot be said */
	} cases[] = {
		{ "/", "/" },
		{ "/a/b.c/", "/a/b.c/" },
		{ "/a b/{c}", "/a%20b/%7Bc%7D" },
		{ "/\xc3\xa9", "/%C3%A9" },
		{ "/a*b", NULL },
		{ "/a//b", NULL },
		{ "/a/../b", NULL },
		{ "a", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str got;

		NOTE("%s", cases[i].path);
		CHECK_INT(text_path(a, str_of(cases[i].path), &got), cases[i].want != NULL);
		if (cases[i].want)
			CHECK_STR(got, str_of(cases[i].want));
	}
}

TEST(names_are_made_of_anything)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "/static/css/", "static-css" },
		{ "/", "none" },
		{ "\\.(jpg|css)$", "jpg-css" },
		{ ".well-known", "well-known" },
		{ "127.0.0.1:8000", "127.0.0.1-8000" },
		{ "0123456789012345678901234567890123456789012345678901234567890123456789",
		  "012345678901234567890123456789012345678901234567" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(text_name(a, str_of(cases[i].text), S("none")), str_of(cases[i].want));
	CHECK_STR(text_join(a, S("/a/"), S("/b/")), S("/a/b/"));
	CHECK_STR(text_join(a, S("/"), S("b")), S("/b"));
	CHECK_STR(text_join(a, S("/a"), S("")), S("/a"));
}

TEST(variables_become_places)
{
	Server server = { .name = S("s.org") };
	Vhost vhost = { .server = &server };
	Carry c = { .arena = a };
	Constant constant = { S("one"), S("1"), NULL };
	Place p = {
		.c = &c, .vhost = &vhost, .constants = &constant, .regex = S("^/(?<who>x)/(y)$")
	};
	static const struct {
		const char *text, *want, *bad;
	} cases[] = {
		{ "plain", "plain", NULL },
		{ "$scheme://$host$uri", "{scheme}://{host}{path}", NULL },
		{ "${host}x$remote_addr", "{host}x{client_ip}", NULL },
		{ "$one/$server_name", "1/s.org", NULL },
		{ "/$who/$2$1", "/{who}/{2}{1}", NULL },
		{ "$12", "{1}2", NULL },
		{ "a{b}$", "a{{b}}$", NULL },
		{ "$3", NULL, "$3" },
		{ "a$cookie_x.b", NULL, "$cookie_x" },
		{ "${none}", NULL, "${none}" },
		{ "$http_x_y$host", NULL, "$http_x_y" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str got = S(""), bad = S("");

		NOTE("%s", cases[i].text);
		CHECK_INT(template_of(&p, str_of(cases[i].text), &got, &bad),
		          cases[i].want != NULL);
		CHECK_STR(cases[i].want ? got : bad,
		          str_of(cases[i].want ? cases[i].want : cases[i].bad));
	}
}
