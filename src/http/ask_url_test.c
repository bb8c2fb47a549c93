/* SPDX-License-Identifier: Apache-2.0 */
#include "http/ask_url.c"

#include "unit.h"

#include <stdio.h>

TEST(urls_are_taken_apart_or_refused)
{
	static const struct {
		Str text;
		bool good, tls;
		Str host, authority, target;
		uint16_t port;
	} cases[] = {
		{ S("http://a.test"), true, false, S("a.test"), S("a.test"), S("/"), 80 },
		{ S("https://A.test:443/x?y=1"), true, true, S("a.test"), S("a.test"), S("/x?y=1"),
		  443 },
		{ S("https://a.test:8443?y"), true, true, S("a.test"), S("a.test:8443"), S("/?y"),
		  8443 },
		{ S("http://[::1]:80/"), true, false, S("::1"), S("[::1]"), S("/"), 80 },
		{ S("ftp://a.test/"), false },
		{ S("http://"), false },
		{ S("http:///x"), false },
		{ S("http://u:p@a.test/"), false },
		{ S("http://a.test/#x"), false },
		{ S("http://a.test/\r\nX: y"), false },
		{ S("http://a b/"), false },
		{ S("http://a.test:99999/"), false },
		{ S("http://a.test\\@b.test/"), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AskUrl url = { 0 };
		const char *mistake = ask_url_read(a, cases[i].text, &url);

		CHECK_INT(!mistake, cases[i].good);
		if (mistake)
			continue;
		CHECK_INT(url.tls, cases[i].tls);
		CHECK_STR(url.host, cases[i].host);
		CHECK_STR(url.authority, cases[i].authority);
		CHECK_STR(url.target, cases[i].target);
		CHECK_INT(url.port, cases[i].port);
	}
}

TEST(only_addresses_of_the_open_internet_are_public)
{
	static const struct {
		const char *address;
		bool open;
	} cases[] = {
		{ "8.8.8.8:80", true },
		{ "1.1.1.1:80", true },
		{ "100.63.255.255:1", true },
		{ "100.128.0.1:1", true },
		{ "172.15.0.1:1", true },
		{ "172.32.0.1:1", true },
		{ "223.255.255.254:1", true },
		{ "[2606:4700::1]:80", true },
		{ "[::ffff:8.8.8.8]:80", true },
		{ "[2a00::5efe:8.8.8.8]:80", true },
		{ "0.0.0.0:80", false },
		{ "0.1.2.3:80", false },
		{ "10.0.0.1:80", false },
		{ "100.64.0.1:80", false },
		{ "127.0.0.1:80", false },
		{ "127.255.0.1:80", false },
		{ "169.254.169.254:80", false },
		{ "172.16.0.1:80", false },
		{ "172.31.255.255:80", false },
		{ "192.168.1.1:80", false },
		{ "192.0.0.1:80", false },
		{ "192.0.2.1:80", false },
		{ "198.18.0.1:80", false },
		{ "203.0.113.1:80", false },
		{ "224.0.0.1:80", false },
		{ "255.255.255.255:80", false },
		{ "[::]:80", false },
		{ "[::1]:80", false },
		{ "[::7f00:1]:80", false },
		{ "[::ffff:127.0.0.1]:80", false },
		{ "[::ffff:169.254.169.254]:80", false },
		{ "[64:ff9b::7f00:1]:80", false },
		{ "[64:ff9b:1::1]:80", false },
		{ "[2002:7f00:1::]:80", false },
		{ "[2001::1]:80", false },
		{ "[2001:db8::1]:80", false },
		{ "[fc00::1]:80", false },
		{ "[fd12::1]:80", false },
		{ "[fe80::1]:80", false },
		{ "[fec0::1]:80", false },
		{ "[ff02::1]:80", false },
		{ "[2a00::5efe:10.0.0.1]:80", false },
		{ "unix:/tmp/x", false },
		{ "unix:@x", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Addr addr;

		CHECK_OK(addr_parse(a, str_of(cases[i].address), &addr));
		if (ask_address_public(&addr) != cases[i].open)
			fprintf(stderr, "%s\n", cases[i].address);
		CHECK_INT(ask_address_public(&addr), cases[i].open);
	}
}
