/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/mime.c"

#include "notification/mime_read.h"
#include "unit.h"

static const MailAddress shop = { S("Pine & Anvil"), S("shop@pineandanvil.example") };
static const MailAddress ann = { S(""), S("ann@shop.test") };

static MailDraft usual(void)
{
	return (MailDraft){ .from = shop,
		            .to = &ann,
		            .to_count = 1,
		            .subject = S("Order A-1: thank you"),
		            .text = S("Thank you.\n"),
		            .message_id = S("018f3c1e-7a4b-7cc0-b1f2-0123456789ab@mail.shop.test"),
		            .date_us = INT64_C(1700000000000000) };
}

TEST(a_plain_mail)
{
	MailDraft draft = usual();
	Str out;

	CHECK_OK(mime_build(a, &draft, 0, &out));
	CHECK_STR(out, S("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
	                 "From: Pine & Anvil <shop@pineandanvil.example>\r\n"
	                 "To: ann@shop.test\r\n"
	                 "Subject: Order A-1: thank you\r\n"
	                 "Message-ID: <018f3c1e-7a4b-7cc0-b1f2-0123456789ab@mail.shop.test>\r\n"
	                 "MIME-Version: 1.0\r\n"
	                 "Content-Type: text/plain; charset=utf-8\r\n"
	                 "Content-Transfer-Encoding: 7bit\r\n"
	                 "\r\n"
	                 "Thank you.\r\n"));
}

/* Wherever a caller's text goes, a line break in it is refused. */
TEST(nobody_adds_a_header)
{
	static const Str evil[] = {
		S("a\r\nBcc: x@y.test"), S("a\nBcc: x@y.test"), S("a\rBcc: x"), S("a\0b"),
		S("a\xe2\x80\xa8 b"),    S("a\xc2\x85 b"),      S("\xff\xfe")
	};

	for (size_t i = 0; i < COUNT(evil); i++) {
		MailAddress named = { evil[i], S("ann@shop.test") },
			    addressed = { S("Ann"), evil[i] };
		MailHeader header = { S("X-Shop"), evil[i] }, name = { evil[i], S("x") };
		MailFile file = { .name = evil[i], .bytes = S("x") }, type = { .type = evil[i] },
			 id = { .id = evil[i] };
		MailDraft drafts[9];
		Str out;

		for (size_t j = 0; j < COUNT(drafts); j++)
			drafts[j] = usual();
		drafts[0].subject = evil[i];
		drafts[1].to = &named;
		drafts[2].to = &addressed;
		drafts[3].headers = &header, drafts[3].header_count = 1;
		drafts[4].headers = &name, drafts[4].header_count = 1;
		drafts[5].files = &file, drafts[5].file_count = 1;
		drafts[6].message_id = evil[i];
		drafts[7].files = &type, drafts[7].file_count = 1;
		drafts[8].files = &id, drafts[8].file_count = 1;
		for (size_t j = 0; j < COUNT(drafts); j++) {
			NOTE("text %zu in place %zu", i, j);
			CHECK_ERR(mime_build(a, &drafts[j], 0, &out),
			          j == 2 ? "mail.address" : "mail.header");
		}
	}
}

TEST(headers_that_are_ours_cannot_be_given)
{
	static const Str names[] = { S("From"), S("bcc"), S("Content-Type"), S("DKIM-Signature"),
		                     S("Received") };

	for (size_t i = 0; i < COUNT(names); i++) {
		MailHeader header = { names[i], S("x") };
		MailDraft draft = usual();
		Str out;

		draft.headers = &header, draft.header_count = 1;
		CHECK_ERR(mime_build(a, &draft, 0, &out), "mail.header");
	}
}

/* Headers of any text come back as that text, in lines of at most 78. */
TEST(headers_go_and_come_back)
{
	static const Str texts[] = {
		S("plain"),
		S("Gr\xc3\xbc\xc3\x9f"
		  "e aus K\xc3\xb6ln"),
		S("a very long subject that has to be folded because no line of a header should be longer than that, says RFC 5322"),
		S("\xe6\xb3\xa8\xe6\x96\x87\xe3\x81\xae\xe3\x81\x94\xe7\xa2\xba\xe8\xaa\x8d\xef\xbc\x9a\xe6\xb3\xa8\xe6\x96\x87\xe3\x81\xae\xe3\x81\x94\xe7\xa2\xba\xe8\xaa\x8d\xef\xbc\x9a"),
		S("=?utf-8?B?ZXZpbA==?="),
		S("two  blanks and one at the end "),
		S("\xf0\x9f\x8c\xb3 tree"),
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		Str rest, line;

		NOTE("text %zu", i);
		CHECK_OK(mime_put_header(&b, a, S("Subject"), texts[i]));
		CHECK_STR(mime_header_text(a, buf_str(&b), "subject"), texts[i]);
		CHECK(smtp_is_ascii(buf_str(&b)));
		rest = buf_str(&b);
		while (str_split(&rest, '\n', &line))
			CHECK(line.len <= 79);
	}
}

TEST(addresses_go_as_they_must)
{
	static const struct {
		MailAddress who;
		Str line;
	} cases[] = {
		{ { S(""), S("ann@shop.test") }, S("To: ann@shop.test\r\n") },
		{ { S("Ann Bee"), S("ann@shop.test") }, S("To: Ann Bee <ann@shop.test>\r\n") },
		{ { S("Bee, Ann \"A\""), S("ann@shop.test") },
		  S("To: \"Bee, Ann \\\"A\\\"\" <ann@shop.test>\r\n") },
		{ { S("J\xc3\xb6rg"), S("j@k\xc3\xb6ln.test") },
		  S("To: =?utf-8?B?SsO2cmc=?= <j@xn--kln-sna.test>\r\n") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };

		CHECK_OK(put_addresses(&b, a, S("To"), &cases[i].who, 1));
		CHECK_STR(buf_str(&b), cases[i].line);
	}
}

/* Texts and files of any kind come back as they were. */
TEST(bodies_go_and_come_back)
{
	static const Str texts[] = {
		S("plain\n"),
		S("Gr\xc3\xbc\xc3\x9f"
		  "e = 1\n.\n.dot\nblank at the end \n"),
		S("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\n"),
		S("a line that is much too long to be sent as it is, for it has more than seventy-eight bytes in it\n")
	};
	MailFile files[] = { { .name = S("Rechnung \xe2\x82\xac.pdf"),
		               .type = S("application/pdf"),
		               .bytes = S("\0\1\2\xff\r\n.\r\n") },
		             { .name = S("logo.png"),
		               .type = S("image/png"),
		               .bytes = S("png"),
		               .id = S("logo@shop.test") } };

	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t count = 0; count <= COUNT(files); count++) {
			MimePart parts[MIME_PARTS];
			MailDraft draft = usual();
			Str out;

			NOTE("text %zu with %zu files", i, count);
			draft.text = texts[i];
			draft.html = S("<p>hello <img src=\"cid:logo@shop.test\">\n");
			draft.files = files, draft.file_count = count;
			CHECK_OK(mime_build(a, &draft, 0, &out));
			CHECK(smtp_is_ascii(out));
			CHECK_INT(mime_parts(a, out, parts, MIME_PARTS), 2 + count);
			CHECK_STR(mime_part_text(a, &parts[0]), texts[i]);
			CHECK_STR(parts[1].type, S("text/html"));
			CHECK_STR(mime_part_text(a, &parts[1]), draft.html);
			if (count == 2) {
				CHECK_STR(parts[2].name, S("logo.png"));
				CHECK_STR(mime_part_bytes(a, &parts[3]), files[0].bytes);
			}
		}
}

TEST(unsubscribing_is_one_click)
{
	MailDraft draft = usual();
	Str out;

	draft.unsubscribe_url = S("https://shop.test/u/abc");
	CHECK_OK(mime_build(a, &draft, 0, &out));
	CHECK(str_find(out, S("\r\nList-Unsubscribe: <https://shop.test/u/abc>\r\n")) > 0);
	CHECK(str_find(out, S("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")) > 0);
	draft.unsubscribe_url = S(
		"https://shop.test/u/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
	CHECK_OK(mime_build(a, &draft, 0, &out));
	CHECK(str_find(out, S("\r\nList-Unsubscribe: <https://shop.test/u/abc")) > 0);
	draft.unsubscribe_url = S("javascript:alert(1)");
	CHECK_ERR(mime_build(a, &draft, 0, &out), "mail.header");
	draft.unsubscribe_url = S("https://shop.test/u/a b");
	CHECK_ERR(mime_build(a, &draft, 0, &out), "mail.header");
}

TEST(limits)
{
	MailDraft draft = usual();
	Str out;

	CHECK_ERR(mime_build(a, &draft, 100, &out), "base.buffer_full");
	draft.text = S("");
	CHECK_ERR(mime_build(a, &draft, 0, &out), "mail.empty");
}
