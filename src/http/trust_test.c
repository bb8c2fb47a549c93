/* SPDX-License-Identifier: Apache-2.0 */
#include "http/trust.c"
#include "unit.h"

TEST(addresses_have_one_form)
{
	static const struct {
		Str text, want; /* want "": refused */
	} cases[] = {
		{ S("192.0.2.10"), S("192.0.2.10") },
		{ S("0.0.0.0"), S("0.0.0.0") },
		{ S("255.99.100.9"), S("255.99.100.9") },
		{ S("::ffff:192.0.2.1"), S("192.0.2.1") },
		{ S("2001:DB8:0:0::1"), S("2001:db8::1") },
		{ S("[::1]"), S("::1") },
		{ S("[1.2.3.4]"), S("") },
		{ S("1.2.3"), S("") },
		{ S("1.2.3.4.5"), S("") },
		{ S("01.2.3.4"), S("") },
		{ S("1.2.3.256"), S("") },
		{ S("fe80::1%eth0"), S("") },
		{ S(""), S("") },
		{ S("unknown"), S("") },
		{ S("1.2.3.4\0"), S("") },
		{ S("[::1"), S("") },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[IP_TEXT] = "";
		size_t len = 0;
		Ip ip;

		NOTE("row %zu", i);
		if (ip_parse(cases[i].text, &ip))
			len = ip_text(&ip, text);
		CHECK_STR(((Str){ text, len }), cases[i].want);
	}
}

TEST(networks_hold_what_is_in_them)
{
	static const struct {
		const char *items, *in, *out; /* separated by blanks */
	} cases[] = {
		{ "10.0.0.0/8", "10.0.0.0 10.255.255.255 ::ffff:10.1.2.3",
		  "9.255.255.255 11.0.0.0 ::1 ::10.0.0.1" },
		{ "192.0.2.1", "192.0.2.1", "192.0.2.2 192.0.2.0" },
		{ "192.0.2.128/25", "192.0.2.128 192.0.2.255", "192.0.2.127" },
		{ "2001:db8::/32", "2001:db8:ffff::1", "2001:db9:: 1.2.3.4" },
		{ "2001:db8:1:2:8000::/65", "2001:db8:1:2:ffff::1",
		  "2001:db8:1:2:7fff::1 2001:db8:1:3:8000::" },
		{ "::1", "::1", "::2 127.0.0.1" },
		{ "0.0.0.0/0", "1.2.3.4", "::1" },
		{ "::/0", "1.2.3.4 ::1", "" },
		{ "loopback", "127.9.9.9 ::1", "10.0.0.1" },
		{ "private", "10.0.0.1 172.31.255.255 192.168.0.1 fd00::1 127.0.0.1 100.64.0.1",
		  "172.32.0.0 8.8.8.8 2001::1" },
		{ "10.0.0.0/8 ::1", "10.1.1.1 ::1", "1.1.1.1" },
		{ "unix", "", "127.0.0.1" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str items[4], rest = str_of(cases[i].items), one;
		size_t count = 0;
		Trust trust;
		Ip ip;

		while (str_split(&rest, ' ', &items[count])) {
			CHECK_NULL(trust_mistake(items[count]));
			count++;
		}
		trust = trust_new(a, items, count);
		CHECK_INT(trust.unix_peers, str_eq(items[0], S("unix")));
		rest = str_of(cases[i].in);
		while (str_split(&rest, ' ', &one) && one.len) {
			NOTE("%s has %.*s", cases[i].items, STR_ARG(one));
			CHECK(ip_parse(one, &ip) && trust_has(&trust, &ip));
		}
		rest = str_of(cases[i].out);
		while (str_split(&rest, ' ', &one) && one.len) {
			NOTE("%s has not %.*s", cases[i].items, STR_ARG(one));
			CHECK(ip_parse(one, &ip) && !trust_has(&trust, &ip));
		}
	}
}

TEST(networks_that_are_slips_are_refused)
{
	static const char *const bad[] = {
		"10.0.0.1/8", "10.0.0.0/33", "::/129", "2001:db8::1/64", "10.0.0.0/",
		"10.0.0.0/x", "example.org", "",       "10/8",           "privat"
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		NOTE("%s", bad[i]);
		CHECK(trust_mistake(str_of(bad[i])) != NULL);
	}
	CHECK(trust_mistake(S("0.0.0.0/0")) == NULL);
}
