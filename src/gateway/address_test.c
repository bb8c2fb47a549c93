/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/address.c"
#include "unit.h"

TEST(addresses_are_taken_apart)
{
	static const struct {
		Str text;
		bool good;
		Str host;
		uint16_t port;
		Str unix_path;
		bool local, loopback;
	} cases[] = {
		{ S("127.0.0.1:80"), true, S("127.0.0.1"), 80, S(""), true, true },
		{ S("10.0.0.1:65535"), true, S("10.0.0.1"), 65535, S(""), true, false },
		{ S(":8080"), true, S(""), 8080, S(""), true, false },
		{ S("[::1]:0"), true, S("::1"), 0, S(""), true, true },
		{ S("[2001:db8::1]:80"), true, S("2001:db8::1"), 80, S(""), true, false },
		{ S("db.internal:5432"), true, S("db.internal"), 5432, S(""), false, false },
		{ S("a_b-c:1"), true, S("a_b-c"), 1, S(""), false, false },
		{ S("unix:/run/x.sock"), true, S(""), 0, S("/run/x.sock"), true, true },
		{ S("unix:./x"), true, S(""), 0, S("./x"), true, true },
		{ S("unix:"), false, S(""), 0, S(""), false, false },
		{ S("unix:x"), false, S(""), 0, S(""), false, false },
		{ S("unix:/a\0b"), false, S(""), 0, S(""), false, false },
		{ S("::1:80"), false, S(""), 0, S(""), false, false },
		{ S("[::1]"), false, S(""), 0, S(""), false, false },
		{ S("[1.2.3.4]:80"), false, S(""), 0, S(""), false, false },
		{ S("host"), false, S(""), 0, S(""), false, false },
		{ S("host:"), false, S(""), 0, S(""), false, false },
		{ S("host:65536"), false, S(""), 0, S(""), false, false },
		{ S("host:-1"), false, S(""), 0, S(""), false, false },
		{ S("ho st:80"), false, S(""), 0, S(""), false, false },
		{ S("a..b:80"), false, S(""), 0, S(""), false, false },
		{ S("http://host:80"), false, S(""), 0, S(""), false, false },
		{ S(""), false, S(""), 0, S(""), false, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		AddressConf address = { 0 };

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_INT(address_split(cases[i].text, &address), cases[i].good);
		CHECK_STR(address.host, cases[i].host);
		CHECK_INT(address.port, cases[i].port);
		CHECK_STR(address.unix_path, cases[i].unix_path);
		if (!cases[i].good)
			continue;
		CHECK_INT(address_is_local_form(&address), cases[i].local);
		CHECK_INT(address_is_loopback(&address), cases[i].loopback);
	}
}

TEST(a_socket_path_that_the_kernel_would_cut_is_refused)
{
	char text[] =
		"unix:/23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
		"012345678";
	AddressConf address;

	CHECK_INT(sizeof text - 1, 5 + UNIX_PATH_MAX_BYTES + 1);
	CHECK(!address_split(str_of(text), &address));
	CHECK(address_split((Str){ text, sizeof text - 2 }, &address));
}

TEST(the_same_address_twice_is_seen)
{
	static const struct {
		const char *x, *y;
		bool same;
	} cases[] = {
		{ "h:80", "H:80", true },        { "h:80", "h:81", false },
		{ "h:80", "i:80", false },       { ":0", ":0", false },
		{ ":80", ":80", true },          { "unix:/a", "unix:/a", true },
		{ "unix:/a", "unix:/b", false }, { "unix:/a", "h:80", false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		AddressConf x, y;

		NOTE("%s %s", cases[i].x, cases[i].y);
		CHECK(address_split(str_of(cases[i].x), &x) &&
		      address_split(str_of(cases[i].y), &y));
		CHECK_INT(address_same(&x, &y), cases[i].same);
		CHECK_INT(address_same(&y, &x), cases[i].same);
	}
}
