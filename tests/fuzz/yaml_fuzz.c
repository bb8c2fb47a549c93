/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text is either refused with mistakes that have their places in it, or gives a struct whose print reads back,
 * without mistakes, to the same print. Nothing is taken from files: texts with "file:" are left out. */
#include "base/conf_sample.h"

#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *what, Str text)
{
	fprintf(stderr, "%s:\n%.*s\n", what, STR_ARG(text));
	abort();
}

static size_t count_lines(Str text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n' || text.at[i] == '\r' || text.at[i] == '\x85' ||
		         text.at[i] == '\xa8' || text.at[i] == '\xa9';
	return lines;
}

static void check_mistakes(const Conf *conf, Str text)
{
	size_t count;
	const ConfMistake *m = conf_mistakes(conf, &count);
	size_t lines = count_lines(text);

	if (!count)
		die("refused without a mistake", text);
	for (size_t i = 0; i < count; i++)
		if (!m[i].text.len || m[i].line > lines + 1 || (i && m[i].line < m[i - 1].line))
			die("a mistake that is nowhere", m[i].text);
}

static bool read_text(Arena *a, Str text, Buf *out)
{
	Conf *conf = conf_new(a);
	Sample sample;
	Err *err = conf_read(conf, S("fuzz"), text, &(ConfPart){ &sample_table, &sample }, 1);

	if (err)
		check_mistakes(conf, text);
	else
		conf_put_yaml(out, &sample_table, &sample);
	return !err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = { (const char *)data, size };
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf first = { 0 };
	AUTO(buf_fini) Buf second = { 0 };

	if (str_find(text, S("file:")) >= 0)
		return 0;
	if (!read_text(a, text, &first))
		return 0;
	if (str_find(buf_str(&first), S("file:")) >= 0)
		return 0;
	if (!read_text(a, buf_str(&first), &second))
		die("the print was refused", buf_str(&first));
	if (!str_eq(buf_str(&first), buf_str(&second)))
		die("the print changed", buf_str(&second));
	return 0;
}
