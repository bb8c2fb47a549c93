/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/mail_conf.c"

#include "unit.h"

#define SERVER "servers: { one: { host: mx.test } }\n"

TEST(files)
{
	static const struct {
		const char *text, *mistake; /* NULL: none */
	} cases[] = {
		{ "{}", NULL },
		{ SERVER, NULL },
		{ SERVER "intake: { listen: \"127.0.0.1:0\", mode: relay }\n", NULL },
		{ SERVER "intake: { listen: \"127.0.0.1:0\", mode: relay, server: one }\n", NULL },
		{ SERVER "intake: { listen: \"127.0.0.1:0\", server: two }\n",
		  "no mail server of that name" },
		{ "intake: { listen: \"127.0.0.1:0\", mode: relay }\n", "no servers" },
		{ "intake: { listen: \"127.0.0.1:0\" }\n", NULL },
		{ "intake: { listen: nowhere }\n", "listen" },
		{ "intake: { mode: capture }\n", "listen" },
		{ "intake: { listen: \":0\", certificate: x.pem }\n", "its key is missing" },
		{ "intake: { listen: \":0\", tls_first: true }\n", "there is no certificate" },
		{ "intake: { listen: \":0\", users: [ { name: a, password: short } ] }\n",
		  "password" },
		{ "from: \"Shop <shop@shop.test>\"\n", NULL },
		{ "from: shop\n", "no address" },
		{ "bounces: \"a@b.test\\r\\nx\"\n", "no address" },
		{ "servers: { one: { host: mx.test, tls: maybe } }\n", "tls" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Conf *conf = conf_new(a);
		MailConf mail;
		ConfPart part = { mail_conf_table(), &mail };
		Err *err = conf_read(conf, S("x.yaml"), str_of(cases[i].text), &part, 1);

		NOTE("row %zu", i);
		CHECK(!err == !cases[i].mistake);
		if (err)
			CHECK(str_find(err_chain(a, err), str_of(cases[i].mistake)) >= 0);
	}
}

TEST(what_we_call_ourselves)
{
	CHECK_STR(mail_hostname(&(MailConf){ .from = S("Shop <a@shop.test>") }), S("shop.test"));
	CHECK_STR(mail_hostname(&(MailConf){ .from = S("a@shop.test"), .hostname = S("mx.test") }),
	          S("mx.test"));
	CHECK_STR(mail_hostname(&(MailConf){ 0 }), S("localhost"));
}
