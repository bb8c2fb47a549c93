/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/mail_compare.c"

#include "unit.h"

TEST(what_varies)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S("Order A-17: thank you"), S("Order #: thank you") },
		{ S("It is 1,50 EUR."), S("It is # EUR.") },
		{ S("at 12:30, on 2026-01-02."), S("at #, on #.") },
		{ S("  two   blanks\t"), S("two blanks") },
		{ S("https://shop.test/o/17?t=x1y"), S("https:// shop.test/o/#?t=#") },
		{ S(""), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		if (i != 4)
			CHECK_STR(mask(a, cases[i].text), cases[i].want);
}

static Str letter(Arena *a, const char *to, const char *subject, const char *head, const char *text)
{
	return str_fmt(a, "To: %s@shop.test\nSubject: %s\nDate: %s\n%s\n%s", to, subject, to, head,
	               text);
}

static const MailKind *only(MailCompare *c)
{
	const MailKind *kinds;

	CHECK_INT(mail_compare_kinds(c, &kinds), 1);
	return kinds;
}

TEST(lines_and_fields_that_all_had)
{
	static const char *const people[] = { "ann", "bob", "cyd", "dan" };
	MailCompare *c = mail_compare_new(a);

	for (size_t i = 0; i < COUNT(people); i++)
		mail_compare_add(c, true,
		                 letter(a, people[i], "Order 1", "From: shop\nReply-To: x\n",
		                        str_z(a, str_fmt(a, "Dear %s,\nthank you\n", people[i]))));
	mail_compare_add(c, false,
	                 letter(a, "eve", "Order 2", "From: shop\nReply-To: x\n",
	                        "Dear eve,\nthank you\nbye\n"));
	CHECK(mail_compare_same(c)); /* one letter does not say that "bye" is new */
	mail_compare_add(c, false,
	                 letter(a, "fay", "Order 3", "From: shop\n", "Dear fay,\nthanks\nbye\n"));
	mail_compare_add(c, false,
	                 letter(a, "gus", "Order 3", "From: shop\nX-New: 1\n",
	                        "Dear gus,\nthanks\nbye\n"));
	CHECK_INT(only(c)->missing_count, 2);
	CHECK_STR(only(c)->missing[0], S("header Reply-To: x"));
	CHECK_STR(only(c)->missing[1], S("line thank you"));
	CHECK_INT(only(c)->added_count, 1);
	CHECK_STR(only(c)->added[0], S("line bye"));
	CHECK(!mail_compare_same(c));
}

TEST(letters_to_one_person_share_a_name)
{
	MailCompare *c = mail_compare_new(a);

	for (int i = 0; i < 5; i++)
		mail_compare_add(c, true,
		                 letter(a, "ann", "Order 1", "From: shop\n", "Dear Ann,\n"));
	mail_compare_add(c, false, letter(a, "bob", "Order 2", "From: shop\n", "Dear Bob,\n"));
	CHECK(mail_compare_same(c));
}

/* A line that one letter has twice, and another not at all, is not in every letter. */
TEST(a_letter_counts_once)
{
	MailCompare *c = mail_compare_new(a);

	mail_compare_add(c, true, letter(a, "ann", "Order 1", "", "item\nitem\n"));
	mail_compare_add(c, true, letter(a, "bob", "Order 1", "", "none\n"));
	mail_compare_add(c, true, letter(a, "cyd", "Order 1", "", "item\n"));
	mail_compare_add(c, false, letter(a, "dan", "Order 1", "", "none\n"));
	CHECK(mail_compare_same(c));
}

TEST(kinds_of_one_side_are_told)
{
	MailCompare *c = mail_compare_new(a);
	const MailKind *kinds;

	mail_compare_add(c, true, letter(a, "ann", "Welcome", "", ""));
	mail_compare_add(c, false, letter(a, "ann", "Goodbye", "", ""));
	CHECK_INT(mail_compare_kinds(c, &kinds), 2);
	CHECK(kinds[0].now == 1 && !kinds[0].before && kinds[1].before == 1 && !kinds[1].now);
	CHECK(mail_compare_same(c));
}

TEST(a_box_is_taken_apart)
{
	static const Str boxes[] = {
		S("From x\nTo: a@x.test\nSubject: one\n\ntext\n>From here\n\nFrom y\nTo: b@x.test\nSubject: one\n\ntext\n\n"),
		S("From x\r\nTo: a@x.test\r\nSubject: one\r\n\r\ntext\r\n\r\nFrom y\r\nTo: b@x.test\r\nSubject: one\r\n\r\ntext\r\n"),
		S("From x\nSubject: one\n\ntext\n\nFrom y\nSubject: one"),
	};

	for (size_t i = 0; i < COUNT(boxes); i++) {
		MailCompare *c = mail_compare_new(a);

		NOTE("box %zu", i);
		mail_compare_add_box(c, true, boxes[i]);
		CHECK_INT(only(c)->before, 2);
	}
	{
		MailCompare *c = mail_compare_new(a);

		mail_compare_add_box(c, true, S(""));
		mail_compare_add_box(c, true, S("From x"));
		CHECK_INT(c->kinds.count, 0);
		mail_compare_add_box(c, true, S("Subject: no box\n\nx"));
		CHECK_INT(c->kinds.count, 1);
	}
}
