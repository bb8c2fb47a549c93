/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read and written is read again as the same; and any bytes become a string that reads back as valid UTF-8,
 * unchanged when they were. */
#include "base/arena.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *what, Str text)
{
	fprintf(stderr, "%s:\n%.*s\n", what, STR_ARG(text));
	abort();
}

static Str write_again(const Json *value, Buf *b)
{
	JsonWriter w = json_writer(b);
	Str text = { 0 };

	json_put(&w, value);
	if (json_done(&w, &text))
		die("not written", text);
	return text;
}

static void check_value(Arena *a, Str text)
{
	AUTO(buf_fini) Buf first = { 0 };
	AUTO(buf_fini) Buf second = { 0 };
	const Json *value;

	if (json_read(a, text, 0, &value))
		return;
	write_again(value, &first);
	if (json_read(a, buf_str(&first), 0, &value))
		die("what was written is refused", buf_str(&first));
	write_again(value, &second);
	if (!str_eq(buf_str(&first), buf_str(&second)))
		die("what was written changed", buf_str(&second));
}

static bool is_text(Str text)
{
	while (text.len) {
		uint32_t code = 0;
		size_t len = str_utf8(text, &code);

		if (!len || !code)
			return false;
		text = str_sub(text, len, text.len);
	}
	return true;
}

static void check_string(Arena *a, Str bytes)
{
	AUTO(buf_fini) Buf b = { 0 };
	const Json *value;
	Str text = { 0 };

	json_put_quoted(&b, bytes);
	if (json_read(a, buf_str(&b), 0, &value)) {
		if (str_find_char(bytes, '\0') < 0)
			die("a string is refused", buf_str(&b));
		return;
	}
	if (!json_to_str(value, &text) || !is_text(text))
		die("a string is none", buf_str(&b));
	if (is_text(bytes) && !str_eq(bytes, text))
		die("a string changed", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str text = { (const char *)data, size };

	check_value(a, text);
	check_string(a, text);
	return 0;
}
