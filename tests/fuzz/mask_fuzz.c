/* SPDX-License-Identifier: Apache-2.0
 *
 * What is hidden stays hidden, whatever stands around it: an e-mail address, a card number, all of a text that names a
 * password, the value of a parameter. And what is shown is printable, valid UTF-8, and not too long. */
#include "base/arena.h"
#include "shift/mask.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 200 };

static void must(bool fine, const char *what, Str text)
{
	if (fine)
		return;
	fprintf(stderr, "%s:\n%.*s\n", what, STR_ARG(text));
	abort();
}

static void check_shown(Str text)
{
	must(text.len <= LIMIT + 3, "too long", text);
	for (Str rest = text; rest.len;) {
		uint32_t code = 0;
		size_t len = str_utf8(rest, &code);

		must(len && code >= ' ' && code != 0x7f && (code < 0x202a || code > 0x202e),
		     "not printable", text);
		rest = str_sub(rest, len, rest.len);
	}
}

static void check(Arena *a, Str before, Str secret, Str after, bool target)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str text = str_fmt(a, "%.*s%.*s%.*s", STR_ARG(before), STR_ARG(secret), STR_ARG(after));

	if (target)
		mask_put_target(&b, NULL, text, LIMIT);
	else
		mask_put_text(&b, NULL, text, LIMIT);
	check_shown(buf_str(&b));
	must(str_find(buf_str(&b), S("s3cr3tzq")) < 0, "a secret is shown", buf_str(&b));
	must(str_find(buf_str(&b), S("4111 1111 1111 1111")) < 0, "a card is shown", buf_str(&b));
	must(str_find(buf_str(&b), S("4111%201111%201111%201111")) < 0, "a card is shown",
	     buf_str(&b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str text = { (const char *)data, size }, before = str_sub(text, 0, size / 2);
	Str after = str_sub(text, size / 2, size);

	if (size > 4096 || str_find(text, S("s3cr3t")) >= 0 || str_find(text, S("111")) >= 0)
		return 0;
	for (int target = 0; target < 2; target++) {
		check(a, text, S(""), S(""), target);
		check(a, before, S(" s3cr3tzq@example.org "), after, target);
		check(a, before, S(" 4111 1111 1111 1111 "), after, target);
	}
	check(a, before, S(" password s3cr3tzq "), after, false);
	check(a, before, S(" s3cr3tzq password "), after, false);
	check(a, before, S("?token=s3cr3tzq&"), after, true);
	check(a, before, S("?q=4111%201111%201111%201111&"), after, true);
	check(a, before, S("/reset-password/s3cr3tzq/"), after, true);
	return 0;
}
