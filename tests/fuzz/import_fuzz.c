/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of users. The first byte is the shape and how many bytes come at a time: rows and their mistakes do not depend on it. */
#include "base/arena.h"
#include "user/import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Given {
	Str left;
	size_t step;
} Given;

static Err *give(void *arg, Arena *a UNUSED, char *into, size_t room, size_t *got)
{
	Given *given = arg;

	*got = MIN(room, given->left.len);
	*got = MIN(*got, given->step);
	if (*got)
		memcpy(into, given->left.at, *got);
	given->left = str_sub(given->left, *got, given->left.len);
	return NULL;
}

static uint64_t rows_of(Arena *a, const ImportConf *conf, Str text, size_t step)
{
	Given given = { text, step };
	ImportReader *reader = import_reader_new(a, conf, give, &given);
	uint64_t sum = 0, line = 0;
	ImportRow *row;
	Err *err;

	while (!(err = import_reader_next(reader, a, &row)) && row) {
		if (row->line < line)
			abort();
		line = row->line;
		sum = sum * 31 + line * 4 + (row->wrong ? 1 : 0) + (row->other ? 2 : 0) +
		      row->draft.username.len;
	}
	return err ? ~sum : sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a;
	ImportConf conf = { .source = S("fuzz") };
	Str text = { (const char *)data + 1, size - 1 };

	if (size < 1)
		return 0;
	a = arena_new(0);
	conf.shape = data[0] & 3;
	if (rows_of(a, &conf, text, 1 + (data[0] >> 2)) != rows_of(a, &conf, text, SIZE_MAX))
		abort();
	arena_free(a);
	return 0;
}
