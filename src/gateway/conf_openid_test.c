/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf_openid.c"

#include "unit.h"

static Str mistakes(Arena *a, Str text)
{
	const ConfKey key = { "openid",
		              CONF_OBJECT,
		              .size = sizeof(AdminOpenidConf),
		              .span = sizeof(AdminOpenidConf),
		              .table = &admin_openid_table,
		              .help = "x" };
	const ConfTable table = { "file", .size = sizeof(AdminOpenidConf), .keys = &key, .count = 1,
		                  .help = "x" };
	AdminOpenidConf into;
	Conf *conf = conf_new(a);
	AUTO(buf_fini) Buf said = { 0 };

	CHECK(!conf_read(conf, S("f"), text, &(ConfPart){ &table, &into }, 1) ==
	      !conf_result(conf));
	conf_put_mistakes(conf, &said);
	return str_dup(a, buf_str(&said));
}

TEST(the_rows_are_in_order)
{
	CHECK_OK(conf_check_table(a, &admin_openid_table));
}

TEST(what_is_wrong_with_a_provider_is_said)
{
#define REST ", client_id: c, roles: { operate: sre } }\n"
	static const struct {
		Str text, said;
	} cases[] = {
		{ S("openid: { issuer: 'https://id.test'" REST), S("") },
		{ S("openid: { issuer: 'https://id.test/realms/x'" REST), S("") },
		{ S("openid: { issuer: 'http://127.0.0.1:9'" REST), S("") },
		{ S("openid: { issuer: 'http://localhost/x'" REST), S("") },
		{ S("openid: { issuer: 'http://localhost.evil.test'" REST),
		  S("expected https:// beyond this machine") },
		{ S("openid: { issuer: 'http://id.test'" REST),
		  S("expected https:// beyond this machine") },
		{ S("openid: { issuer: 'id.test'" REST), S("expected https://HOST[/PATH]") },
		{ S("openid: { issuer: 'https://id.test?x'" REST),
		  S("expected https://HOST[/PATH]") },
		{ S("openid: { issuer: 'https://a:b@id.test'" REST),
		  S("expected https://HOST[/PATH]") },
		{ S("openid: { issuer: 'https://id.test', scopes: [ email ]" REST),
		  S("openid must be among them") },
		{ S("openid: { issuer: 'https://id.test', name: nick" REST),
		  S("expected preferred_username, email or sub") },
		{ S("openid: { issuer: 'https://id.test', client_id: c, roles: {} }\n"),
		  S("nobody could come in") },
		{ S("openid: { issuer: 'http://127.0.0.1:9', ca: x.pem" REST),
		  S("is for https://") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str said = mistakes(a, cases[i].text);

		NOTE("row %zu: %.*s", i, STR_ARG(said));
		if (cases[i].said.len)
			CHECK(str_find(said, cases[i].said) >= 0);
		else
			CHECK_STR(said, S(""));
	}
}
