/* SPDX-License-Identifier: Apache-2.0
 *
 * What a kept write is read back from: a key of the configuration (the first line), fields and an answer (the rest). Whatever is
 * read is written as the same again. */
#include "shift/dual_form.h"
#include "shift/dual_key.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void check_fields(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };
	AUTO(buf_fini) Buf again = { 0 };
	Headers headers, read;

	if (!dual_read_fields(a, text, &headers))
		return;
	dual_put_fields(&b, &headers);
	must(dual_read_fields(a, buf_str(&b), &read) && read.count == headers.count);
	dual_put_fields(&again, &read);
	must(str_eq(buf_str(&b), buf_str(&again)));
}

static void check_answer(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };
	ShadowAnswer answer, read;

	if (!dual_read_answer(a, text, &answer))
		return;
	dual_put_answer(&b, &answer);
	if (dual_read_answer(a, buf_str(&b), &read)) {
		must(read.field_count == answer.field_count);
		must(str_eq(buf_str(&read.body), buf_str(&answer.body)));
		buf_fini(&read.body);
	} else {
		must(answer.status < 100); /* two digits are no status */
	}
	buf_fini(&answer.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str rest = { (const char *)data, size }, line = { 0 }, shown;
	WritesKey key;

	if (size > 4096)
		return 0;
	(void)str_split(&rest, '\n', &line);
	if (!writes_key_read(a, line, &key) && key.by != WRITES_BY_PART) {
		Headers headers = { 0 };

		shown = dual_key(a, &key,
		                 &(DualKeyAsk){ .path = rest, .headers = &headers, .body = rest });
		must(shown.len && shown.len <= DUAL_KEY_MAX);
	}
	check_fields(a, rest);
	check_answer(a, rest);
	return 0;
}
