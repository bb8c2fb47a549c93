/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/addr.c"

#include "unit.h"

TEST(addr_parse_and_text_go_round)
{
	static const struct {
		Str text, again;
		int family;
	} cases[] = {
		{ S("127.0.0.1:80"), S("127.0.0.1:80"), AF_INET },
		{ S(":8080"), S("0.0.0.0:8080"), AF_INET },
		{ S("0.0.0.0:0"), S("0.0.0.0:0"), AF_INET },
		{ S("[::1]:65535"), S("[::1]:65535"), AF_INET6 },
		{ S("[::]:1"), S("[::]:1"), AF_INET6 },
		{ S("[0:0:0:0:0:0:0:1]:80"), S("[::1]:80"), AF_INET6 },
		{ S("[fe80::1%lo]:80"), S("[fe80::1%lo]:80"), AF_INET6 },
		{ S("unix:/run/banyan.sock"), S("unix:/run/banyan.sock"), AF_UNIX },
		{ S("unix:a"), S("unix:a"), AF_UNIX },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Addr addr = { 0 }, again = { 0 };

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_OK(addr_parse(a, cases[i].text, &addr));
		CHECK_INT(addr.sa.sa_family, cases[i].family);
		CHECK_STR(addr_text(a, &addr), cases[i].again);
		CHECK_OK(addr_parse(a, cases[i].again, &again));
		CHECK(addr_eq(&addr, &again));
	}
}

TEST(addr_parse_refuses_what_is_no_address)
{
	static const Str cases[] = {
		S(""),
		S("80"),
		S("localhost:80"),
		S("1.2.3:80"),
		S("1.2.3.4:"),
		S("1.2.3.4:65536"),
		S("1.2.3.4:-1"),
		S("1.2.3.4:+1"),
		S("1.2.3.4: 1"),
		S("::1:80"),
		S("[::1]"),
		S("[::1:80"),
		S("[]:80"),
		S("[1.2.3.4]:80"),
		S("[::1%nosuchzone]:80"),
		S("1.2.3.4\0:80"),
		S("[::1\0]:80"),
		S("unix:"),
		S("unix:a\0b"),
		S("999999999999999999999999.1.1.1:80"),
		S("unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Addr addr = { .len = 77 };

		NOTE("%.*s", STR_ARG(cases[i]));
		CHECK_ERR(addr_parse(a, cases[i], &addr), "rt.address");
		CHECK_INT(addr.len, 77);
	}
}

TEST(addr_eq_looks_at_every_part)
{
	static const Str all[] = {
		S("127.0.0.1:80"), S("127.0.0.1:81"), S("127.0.0.2:80"), S("[::1]:80"),
		S("[::1]:81"),     S("[::2]:80"),     S("[::1%lo]:80"),  S("unix:/a"),
		S("unix:/b"),      S("unix:/ab"),
	};

	for (size_t i = 0; i < COUNT(all); i++) {
		for (size_t j = 0; j < COUNT(all); j++) {
			Addr x = { 0 }, y = { 0 };

			NOTE("%.*s %.*s", STR_ARG(all[i]), STR_ARG(all[j]));
			CHECK_OK(addr_parse(a, all[i], &x));
			CHECK_OK(addr_parse(a, all[j], &y));
			CHECK_INT(addr_eq(&x, &y), i == j);
		}
	}
}

TEST(peer_shows_one_client_as_one)
{
	static const struct {
		Str text, ip;
		int family, port;
	} cases[] = {
		{ S("10.0.0.1:8"), S("10.0.0.1"), AF_INET, 8 },
		{ S("[::ffff:10.0.0.1]:8"), S("10.0.0.1"), AF_INET, 8 },
		{ S("[2001:db8::1]:9"), S("2001:db8::1"), AF_INET6, 9 },
		{ S("unix:/x"), S("unix"), AF_UNIX, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Addr addr = { 0 };
		Peer peer;

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_OK(addr_parse(a, cases[i].text, &addr));
		peer = peer_of(&addr);
		CHECK_INT(peer.family, cases[i].family);
		CHECK_INT(peer.port, cases[i].port);
		CHECK_STR(peer_ip(a, &peer), cases[i].ip);
	}
}

TEST(unnamed_and_abstract_sockets_have_a_text)
{
	Addr unnamed = { .un.sun_family = AF_UNIX, .len = sizeof(sa_family_t) };
	Addr abstract = { .un = { .sun_family = AF_UNIX, .sun_path = "\0hidden" },
		          .len = PATH_AT + 7 };
	Addr other = { .sa.sa_family = AF_NETLINK };

	CHECK_STR(addr_text(a, &unnamed), S("unix:"));
	CHECK_STR(addr_text(a, &abstract), S("unix:@hidden"));
	CHECK_STR(addr_text(a, &other), S("unknown"));
}
