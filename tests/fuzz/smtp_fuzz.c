/* SPDX-License-Identifier: Apache-2.0
 *
 * SMTP as text. Replies and commands of any bytes are read within their bounds; an address that is one has nothing in it that could end a
 * line; a message that was dotted comes back as the same lines, whatever the packets, and nothing behind its end is taken. */
#include "base/arena.h"
#include "notification/bounce.h"
#include "notification/smtp_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void check_replies(Arena *a, Str text)
{
	SmtpReply reply;
	size_t used;

	while (text.len && smtp_reply_read(a, text, &reply, &used) == SMTP_DONE) {
		must(used && used <= text.len && reply.code >= 200 && reply.code < 600);
		must(!reply.status.len || reply.status.at[0] == (char)('0' + reply.code / 100));
		bounce_of_status(reply.code, reply.status);
		text = str_sub(text, used, text.len);
	}
}

static void check_path(Str line, Str word)
{
	SmtpPath path;
	Str argument;

	smtp_verb_read(line, &argument);
	if (smtp_path_read(argument, word, &path))
		return;
	must(!path.address.len || smtp_address_is(path.address));
	for (size_t i = 0; i < path.address.len; i++)
		must((unsigned char)path.address.at[i] > ' ' && path.address.at[i] != '>' &&
		     path.address.at[i] != '<');
}

static void check_message(Str text, size_t pace)
{
	AUTO(buf_fini) Buf wire = { 0 }, back = { 0 }, again = { 0 };
	SmtpTaker t = { .into = &back };
	Str bytes;

	smtp_put_data(&wire, text);
	buf_put(&wire, S("QUIT\r\n"));
	bytes = buf_str(&wire);
	for (size_t at = 0; at < bytes.len && !t.done;)
		at += smtp_take(&t, str_sub(bytes, at, at + pace));
	must(t.done && !t.lone && t.bytes == back.len);
	smtp_put_data(&again, buf_str(&back));
	buf_put(&again, S("QUIT\r\n"));
	must(str_eq(buf_str(&again), bytes));
}

/* Bytes as they come. */
static void check_taking(Str text)
{
	AUTO(buf_fini) Buf back = { .limit = 1000 };
	SmtpTaker t = { .into = &back };
	size_t used = smtp_take(&t, text);

	must(used <= text.len && back.len <= 1000);
	must(!t.done || (used >= 3 && memcmp(text.at + used - 3, ".\r\n", 3) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = { (const char *)data, size };
	Arena *a = arena_new(0);
	Uuid id;

	check_replies(a, text);
	check_path(text, S("FROM:"));
	check_path(text, S("TO:"));
	check_message(text, 1 + size % 7);
	check_taking(text);
	verp_read(text, S("bounces@shop.test"), S("secret"), &id);
	arena_free(a);
	return 0;
}
