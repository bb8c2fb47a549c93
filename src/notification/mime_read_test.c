/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/mime_read.c"

#include "unit.h"

TEST(heads_end_at_the_first_empty_line)
{
	static const struct {
		Str message, head, body;
	} cases[] = {
		{ S("a: b\r\n\r\ntext"), S("a: b\r\n"), S("text") },
		{ S("a: b\n\ntext"), S("a: b\n"), S("text") },
		{ S("a: b"), S("a: b"), S("") },
		{ S("\r\ntext"), S(""), S("text") },
		{ S(""), S(""), S("") },
	};
	Str head, body;

	for (size_t i = 0; i < COUNT(cases); i++) {
		mime_split(cases[i].message, &head, &body);
		CHECK_STR(head, cases[i].head);
		CHECK_STR(body, cases[i].body);
	}
}

TEST(fields)
{
	Str head = S(
		    " lost\r\nno field\r\nSubject: one\r\n two\r\nX-A:\r\n\tvalue\r\nsubject: again"),
	    value;

	CHECK(mime_header(a, head, "SUBJECT", &value));
	CHECK_STR(value, S("one two"));
	CHECK(mime_header(a, head, "x-a", &value));
	CHECK_STR(value, S("value"));
	CHECK(!mime_header(a, head, "x-b", &value));
}

/* A field of megabytes that begins a word at every eighth byte and ends none is read as fast as any other. */
TEST(words_that_never_end_cost_no_more_than_others)
{
	AUTO(buf_fini) Buf b = { 0 };

	while (b.len < 4 << 20)
		buf_put(&b, S("=?a?b?x "));
	CHECK(str_eq(mime_words(a, buf_str(&b)), buf_str(&b)));
}

TEST(encoded_words)
{
	static const struct {
		Str value, text;
	} cases[] = {
		{ S("plain"), S("plain") },
		{ S("=?utf-8?B?w7w=?="), S("\xc3\xbc") },
		{ S("=?utf-8?b?w7w?= x"), S("\xc3\xbc x") },
		{ S("=?iso-8859-1?q?=FC_x?="), S("\xc3\xbc x") },
		{ S("=?utf-8?q?a?=  =?utf-8?q?b?= c"), S("ab c") },
		{ S("=?utf-8*en?q?a?="), S("a") },
		{ S("=?koi8-r?B?w7w=?="), S("=?koi8-r?B?w7w=?=") },
		{ S("=?utf-8?x?a?="), S("=?utf-8?x?a?=") },
		{ S("=?utf-8?q?never ends"), S("=?utf-8?q?never ends") },
		{ S("=?"), S("=?") },
		{ S("a =?utf-8?q?=zz?="), S("a =zz") },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(mime_words(a, cases[i].value), cases[i].text);
}

TEST(parameters)
{
	Str value = S("multipart/mixed; boundary=\"a;b\\\"c\" ; x=y"), out;

	CHECK(mime_parameter(a, value, "Boundary", &out));
	CHECK_STR(out, S("a;b\"c"));
	CHECK(mime_parameter(a, value, "x", &out));
	CHECK_STR(out, S("y"));
	CHECK(!mime_parameter(a, value, "multipart/mixed", &out));
	CHECK(!mime_parameter(a, S("x; y=\"never ends"), "z", &out));
}

TEST(addresses)
{
	CHECK_STR(mime_address(S("Ann <ann@shop.test>, Bob <b@c.test>")), S("ann@shop.test"));
	CHECK_STR(mime_address(S("ann@shop.test, bob@shop.test")), S("ann@shop.test"));
	CHECK_STR(mime_address(S("Ann")), S(""));
	CHECK_STR(mime_address(S("<ann@shop.test")), S(""));
}

TEST(parts_in_parts)
{
	Str message = S(
		"Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\nContent-Type: multipart/alternative; "
		"boundary=\"b2\"\n\n--b2\n\none\n--b2\nContent-Type: text/html\n\n<p>\n--b2--\n--b\n"
		"Content-Type: text/x; name=a\nContent-Transfer-Encoding: base64\n\nd2\nVs\nbA==\n--b--\nepilogue");
	MimePart parts[MIME_PARTS];

	CHECK_INT(mime_parts(a, message, parts, MIME_PARTS), 3);
	CHECK_STR(parts[0].type, S("text/plain"));
	CHECK_STR(mime_part_text(a, &parts[0]), S("one"));
	CHECK_INT(parts[1].depth, 2);
	CHECK_STR(parts[2].name, S("a"));
	CHECK_STR(mime_part_bytes(a, &parts[2]), S("well"));
	CHECK_INT(mime_parts(a, message, parts, 1), 1);
}

/* A boundary that repeats its parent's, parts without an end, a thousand of them. */
TEST(ill_meant_ones)
{
	AUTO(buf_fini) Buf b = { 0 };
	MimePart parts[MIME_PARTS];

	for (int i = 0; i < 1000; i++)
		buf_put(&b, S("Content-Type: multipart/mixed; boundary=b\n\n--b\n"));
	CHECK(mime_parts(a, buf_str(&b), parts, MIME_PARTS) <= MIME_PARTS);
	buf_clear(&b);
	buf_put(&b, S("Content-Type: multipart/mixed; boundary=b\n\n"));
	for (int i = 0; i < 1000; i++)
		buf_put(&b, S("--b\n\nx\n"));
	CHECK_INT(mime_parts(a, buf_str(&b), parts, MIME_PARTS), MIME_PARTS);
	CHECK_INT(mime_parts(a, S("Content-Type: multipart/mixed; boundary=b\n\n--b"), parts,
	                     MIME_PARTS),
	          1);
	CHECK_INT(mime_parts(a, S(""), parts, MIME_PARTS), 1);
}

TEST(transfer_encodings)
{
	static const struct {
		Str part, text;
	} cases[] = {
		{ S("Content-Transfer-Encoding: quoted-printable\r\n\r\na=20b=\r\nc=\nd =3D"),
		  S("a bcd =") },
		{ S("Content-Transfer-Encoding: BASE64\r\n\r\n w7w"), S("\xc3\xbc") },
		{ S("Content-Type: text/plain; charset=latin1\r\n\r\n\xfc"), S("\xc3\xbc") },
		{ S("Content-Transfer-Encoding: 8bit\n\n\xc3\xbc\r\n"), S("\xc3\xbc\n") },
		{ S("\n\n\xfc"), S("\n\xc3\xbc") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		MimePart part;

		NOTE("row %zu", i);
		CHECK_INT(mime_parts(a, cases[i].part, &part, 1), 1);
		CHECK_STR(mime_part_text(a, &part), cases[i].text);
	}
}
