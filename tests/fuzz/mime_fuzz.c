/* SPDX-License-Identifier: Apache-2.0
 *
 * Mails. Any bytes are taken apart within their bounds, and can be compared; what is built of any text is 7-bit, has no line that is too
 * long and none that the caller added, and comes back as it was. */
#include "base/arena.h"
#include "notification/bounce.h"
#include "notification/mail_compare.h"
#include "notification/mime.h"
#include "notification/mime_read.h"
#include "notification/smtp_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void check_reading(Arena *a, Str text)
{
	MimePart parts[MIME_PARTS];
	size_t count = mime_parts(a, text, parts, MIME_PARTS);
	MailCompare *compare = mail_compare_new(a);
	Bounce bounce;

	must(count <= MIME_PARTS);
	for (size_t i = 0; i < count; i++) {
		must(parts[i].depth <= MIME_DEPTH);
		mime_part_text(a, &parts[i]);
	}
	bounce_read(a, text, &bounce);
	must(bounce.count <= BOUNCE_ROWS);
	mail_compare_add_box(compare, true, text);
	mail_compare_add_box(compare, false, text);
	must(mail_compare_same(compare));
}

static void check_lines(Str mail)
{
	Str line;

	must(smtp_is_ascii(mail));
	while (mail.len && str_split(&mail, '\n', &line)) {
		must(line.len && line.at[line.len - 1] == '\r' && line.len <= 999);
		must(str_find_char(str_sub(line, 0, line.len - 1), '\r') < 0);
	}
}

static size_t fields_of(Str mail)
{
	Str head, body, name, value;
	size_t count = 0;

	mime_split(mail, &head, &body);
	while (mime_next(&head, &name, &value))
		count++;
	return count;
}

static void check_building(Arena *a, Str text)
{
	MailAddress to = { str_sub(text, 0, 40), S("ann@shop.test") };
	MailHeader header = { S("X-Shop"), str_sub(text, 0, 300) };
	MailDraft draft = { .from = { S("Shop"), S("shop@shop.test") },
		            .to = &to,
		            .to_count = 1,
		            .subject = header.value,
		            .text = text.len ? text : S("x"),
		            .html = S("<p>x"),
		            .message_id = S("1@shop.test"),
		            .headers = &header,
		            .header_count = 1 };
	Str mail, head, body;

	if (mime_build(a, &draft, 0, &mail))
		return;
	check_lines(mail);
	must(fields_of(mail) == 8);
	mime_split(mail, &head, &body);
	must(str_eq(mime_header_text(a, head, "Subject"), draft.subject));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = { (const char *)data, size };
	Arena *a = arena_new(0);

	check_reading(a, text);
	check_building(a, text);
	arena_free(a);
	return 0;
}
