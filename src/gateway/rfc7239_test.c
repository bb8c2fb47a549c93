/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rfc7239.c"
#include "unit.h"

/* "for host proto" of each element, one a line; "-" for what was not said. */
static Str read_all(Arena *a, Str field, size_t max)
{
	Hop hops[8];
	size_t count = rfc7239_read(a, field, hops, max);
	Str text = S("");

	for (size_t i = 0; i < count; i++) {
		const Str parts[] = { hops[i].node, hops[i].host, hops[i].proto };

		for (size_t k = 0; k < COUNT(parts); k++) {
			Str part = parts[k].len ? parts[k] : S("-");

			text = str_fmt(a, "%.*s%.*s%s", STR_ARG(text), STR_ARG(part),
			               k == 2 ? "\n" : " ");
		}
	}
	return text;
}

TEST(elements_are_read_as_the_grammar_says)
{
	static const struct {
		Str field, want;
	} cases[] = {
		{ S("for=192.0.2.60;proto=http;by=203.0.113.43"), S("192.0.2.60 - http\n") },
		{ S("For=\"[2001:db8:cafe::17]:4711\""), S("[2001:db8:cafe::17]:4711 - -\n") },
		{ S("for=192.0.2.43, for=198.51.100.17"),
		  S("192.0.2.43 - -\n198.51.100.17 - -\n") },
		{ S("for=a;host=\"x:80\" , ,\tfor=b ;proto=https;"), S("a x:80 -\nb - https\n") },
		{ S("for=\"a\\\"b\\\\c\""), S("a\"b\\c - -\n") },
		{ S("secret=egah2CGj55fSJFs, for=_hidden"), S("_hidden - -\n") },
		{ S(";;for=a;;"), S("a - -\n") },
		{ S("host=\"\""), S("- - -\n") },
		{ S(""), S("") },
		{ S(" , ,"), S("") },
		/* malformed: nothing counts */
		{ S("for=1.1.1.1, for"), S("") },
		{ S("for=1.1.1.1, for="), S("") },
		{ S("for=1.1.1.1, =x"), S("") },
		{ S("for =a"), S("") },
		{ S("for= a"), S("") },
		{ S("for=a b"), S("") },
		{ S("for=[::1]"), S("") },
		{ S("for=a:80"), S("") },
		{ S("for=\"a"), S("") },
		{ S("for=\"a\\\""), S("") },
		{ S("for=\"a\\"), S("") },
		{ S("for=\"a\"b"), S("") },
		{ S("for=a;for=b"), S("") },
		{ S("proto=a;PROTO=b"), S("") },
		{ S("for=a\x01"), S("") },
		{ S("for=\"a\x01\""), S("") },
		{ S("for=\"a\\\x7f\""), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("row %zu", i);
		CHECK_STR(read_all(a, cases[i].field, 8), cases[i].want);
	}
}

TEST(of_too_many_elements_the_last_ones_count)
{
	CHECK_STR(read_all(a, S("for=a,for=b,for=c,for=d"), 2), S("c - -\nd - -\n"));
	CHECK_STR(read_all(a, S("for=a,for=b,for=c,for=\""), 2), S(""));
}

TEST(what_is_written_can_be_read)
{
	static const struct {
		Hop hop;
		Str want;
	} cases[] = {
		{ { S("192.0.2.1"), S("http"), S("a.example") },
		  S("for=192.0.2.1;host=a.example;proto=http") },
		{ { S("[2001:db8::1]"), S("https"), S("a:81") },
		  S("for=\"[2001:db8::1]\";host=\"a:81\";proto=https") },
		{ { S("unknown"), S(""), S("") }, S("for=unknown") },
		{ { S("unknown"), S("http"), S("a\"b") }, S("for=unknown;proto=http") },
		{ { S("unknown"), S("http"), S("a\\") }, S("for=unknown;proto=http") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = rfc7239_element(a, &cases[i].hop);
		Hop hop;

		CHECK_STR(text, cases[i].want);
		CHECK_INT(rfc7239_read(a, text, &hop, 1), 1);
		CHECK_STR(hop.node, cases[i].hop.node);
		CHECK_STR(hop.proto, cases[i].hop.proto);
	}
}

TEST(addresses_become_nodes)
{
	static const struct {
		Str address, want;
	} cases[] = {
		{ S("192.0.2.1"), S("192.0.2.1") },
		{ S("::ffff:192.0.2.1"), S("192.0.2.1") },
		{ S("2001:DB8::0:1"), S("[2001:db8::1]") },
		{ S("unix"), S("unknown") },
		{ S(""), S("unknown") },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(rfc7239_node(a, cases[i].address), cases[i].want);
}
