/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf_webhook.c"

#include "unit.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

TEST(a_webhook_url_is_taken_apart)
{
	static const struct {
		Str url, want; /* tls login authority host port target; empty: it is none */
	} cases[] = {
		{ S("https://hooks.test/a/b?c=d"), S("1 [] hooks.test hooks.test 443 /a/b?c=d") },
		{ S("http://hooks.test"), S("0 [] hooks.test hooks.test 80 /") },
		{ S("https://hooks.test:8443?x"), S("1 [] hooks.test:8443 hooks.test 8443 /?x") },
		{ S("https://ann:s%40t@hooks.test/"),
		  S("1 [ann:s%40t] hooks.test hooks.test 443 /") },
		{ S("http://[::1]:99/x"), S("0 [] [::1]:99 ::1 99 /x") },
		{ S("hooks.test/a"), S("") },
		{ S("ftp://hooks.test/a"), S("") },
		{ S("https:///a"), S("") },
		{ S("https://hooks.test/a b"), S("") },
		{ S("https://hooks.test/a\r\nX: y"), S("") },
		{ S("https://hooks.test/a#b"), S("") },
		{ S("https://hooks.test:70000/"), S("") },
		{ S("https://ann:%zz@hooks.test/"), S("") },
		{ S("https://ann@/"), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		WebhookUrl u = { 0 };
		const char *mistake = webhook_url_read(a, cases[i].url, &u);

		NOTE("%.*s", STR_ARG(cases[i].url));
		CHECK(!mistake == (cases[i].want.len > 0));
		if (!mistake)
			CHECK_STR(str_fmt(a, "%d [%.*s] %.*s %.*s %u %.*s", u.tls, STR_ARG(u.login),
			                  STR_ARG(u.authority), STR_ARG(u.host), u.port,
			                  STR_ARG(u.target)),
			          cases[i].want);
	}
}

TEST(a_webhook_secret_has_a_prefix_and_24_to_64_bytes)
{
	static const struct {
		Str text;
		size_t bytes; /* 0: it is none */
	} cases[] = {
		{ S(SECRET), 24 },
		{ S("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), 32 },
		{ S("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		    "AAAAAAAA=="),
		  64 },
		{ S("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		    "AAAAAAAAA="),
		  0 },
		{ S("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), 0 },
		{ S("whsec_"), 0 },
		{ S("whsec_AAAA"), 0 },
		{ S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"), 0 },
		{ S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa*w"), 0 },
		{ S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2==LaSw"), 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t key[WEBHOOK_KEY_MAX];
		size_t len = 0;

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_INT(webhook_secret_read(cases[i].text, key, &len), cases[i].bytes > 0);
		CHECK_INT(len, cases[i].bytes);
	}
}

static Str read_webhooks(Arena *a, const char *webhooks, GatewayConf **g)
{
	AUTO(buf_fini) Buf b = { 0 };
	Conf *conf = conf_new(a);
	Str text = str_fmt(
		a,
		"listen: [ 127.0.0.1:8080 ]\n"
		"upstreams: { shop: { servers: [ 127.0.0.1:8000 ] }, "
		"next: { servers: [ 127.0.0.1:8001 ] } }\n"
		"routes: [ { name: users, match: /**, old: shop, new: next, shift: { group: all } } ]\n"
		"shift:\n  webhooks:\n%s\n",
		webhooks);
	Err *err = gateway_conf_read(a, conf, S("b.yaml"), text, g);

	if (err)
		CHECK_ERR(err, "conf.invalid");
	conf_put_mistakes(conf, &b);
	return str_dup(a, buf_str(&b));
}

TEST(mistakes_of_webhooks_have_their_line_and_none_of_the_secret)
{
	static const struct {
		const char *webhooks, *want; /* one mistake, without the file's name */
	} cases[] = {
		{ "  - { url: https://h.test/x, secret: " SECRET " }", "" },
		{ "  - { url: https://h.test/x, secret: " SECRET
		  ", subjects: [ all, 'upstream:shop' ] }",
		  "" },
		{ "  - { url: https://h.test/x, format: slack }", "" },
		{ "  - { url: https://h.test/x }", "6:5: secret: `standard` is signed" },
		{ "  - { url: h.test/x, format: slack }", "6:12: url: expected https://HOST/PATH" },
		{ "  - url: https://h.test/x\n    secret: hunter2",
		  "7:13: secret: expected whsec_ and the Base64 of 24 to 64 bytes" },
		{ "  - { url: https://h.test/x, format: slack, subjects: users }",
		  "6:55: subjects: nothing that is moved is called \"users\"" },
		{ "  - { url: https://h.test/x, format: slack, events: [ backk ] }",
		  "6:55: events: \"backk\" is not known" },
		{ "  - { url: https://h.test/x, format: slack }\n"
		  "  - { url: https://ann:hunter2@h.test/y, format: slack }",
		  "7:5: name: \"h.test\" is taken already" },
		{ "  - { url: http://h.test/x, format: slack, ca: /dev/null }",
		  "6:48: ca: is for https://" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		GatewayConf *g;
		Str got = read_webhooks(a, cases[i].webhooks, &g);
		Str want = str_of(cases[i].want);

		NOTE("%s\n%.*s", cases[i].webhooks, STR_ARG(got));
		CHECK(str_find(got, S("hunter2")) < 0);
		CHECK_INT(got.len > 0, want.len > 0);
		if (want.len)
			CHECK(str_starts(got, str_fmt(a, "b.yaml:%s", cases[i].want)));
	}
}

TEST(a_webhook_wants_what_it_names_and_by_itself_all_that_moves)
{
	static const struct {
		const char *more;
		Str verb, subject;
		bool want;
	} cases[] = {
		{ "", S("back"), S("all"), true },
		{ "", S("step"), S("upstream:shop"), true },
		{ "", S("measure"), S("all"), false },
		{ "", S("accept"), S("all"), false },
		{ "", S("pause"), S("all"), false },
		{ "", S("dance"), S("all"), false },
		{ ", events: pause", S("pause"), S("all"), true },
		{ ", events: pause", S("back"), S("all"), false },
		{ ", subjects: all", S("back"), S("all"), true },
		{ ", subjects: all", S("back"), S("upstream:shop"), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		GatewayConf *g;
		Str mistakes =
			read_webhooks(a,
		                      str_z(a,
		                            str_fmt(a,
		                                    "  - { url: https://h.test, format: slack%s }",
		                                    cases[i].more)),
		                      &g);

		NOTE("%zu", i);
		CHECK_STR(mistakes, S(""));
		CHECK_INT(webhook_conf_wants(g->shift.webhooks.at, cases[i].verb, cases[i].subject),
		          cases[i].want);
		CHECK_STR(g->shift.webhooks.at[0].name, S("h.test"));
	}
}
