/* SPDX-License-Identifier: Apache-2.0 */
#include "service/trust.c"

#include "unit.h"

TEST(networks_are_read)
{
	static const struct {
		Str text;
		int bits; /* -1: it is none */
	} cases[] = {
		{ S("10.0.0.0/8"), 104 },
		{ S("192.0.2.1"), 128 },
		{ S("fd00::/8"), 8 },
		{ S("::1"), 128 },
		{ S("0.0.0.0/0"), 96 },
		{ S("::/0"), 0 },
		{ S("10.0.0.0/33"), -1 },
		{ S("fd00::/129"), -1 },
		{ S("10.0.0/8"), -1 },
		{ S("host/8"), -1 },
		{ S(""), -1 },
		{ S("10.0.0.0/"), -1 },
		{ S("10.0.0.0/-1"), -1 },
		{ S("10.0.0.1\0/8"), -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		TrustNet net;
		bool ok = trust_read(cases[i].text, &net);

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_INT(ok ? (int)net.bits : -1, cases[i].bits);
	}
}

static Peer peer(Arena *a, const char *text)
{
	Addr addr;

	CHECK_OK(addr_parse(a, str_of(text), &addr));
	return peer_of(&addr);
}

TEST(this_machine_and_the_networks_named_are_trusted)
{
	static const struct {
		const char *address;
		bool trusted;
	} cases[] = {
		{ "unix:/x", true },          { "127.0.0.1:1", true },   { "127.9.9.9:1", true },
		{ "[::1]:1", true },          { "10.1.2.3:1", true },    { "11.0.0.1:1", false },
		{ "9.255.255.255:1", false }, { "192.0.2.128:1", true }, { "192.0.2.127:1", false },
		{ "[fd12::1]:1", true },      { "[fe80::1]:1", false },  { "[::2]:1", false },
	};
	TrustNet nets[3];

	CHECK(trust_read(S("10.0.0.0/8"), &nets[0]));
	CHECK(trust_read(S("192.0.2.128/25"), &nets[1]));
	CHECK(trust_read(S("fd00::/8"), &nets[2]));
	for (size_t i = 0; i < COUNT(cases); i++) {
		Peer at = peer(a, cases[i].address);

		NOTE("%s", cases[i].address);
		CHECK_INT(trust_peer(nets, COUNT(nets), &at), cases[i].trusted);
	}
}
