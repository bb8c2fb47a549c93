/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a file on a worker. */
#include "rt/file_away.h"

#include "rt/work.h"

typedef struct Reading {
	Arena *a;
	Str path;
	size_t limit_bytes;
	Str text;
	Err *err;
} Reading;

static void read_it(void *arg)
{
	Reading *r = arg;

	r->err = file_read(r->a, r->path, r->limit_bytes, &r->text);
}

Err *file_read_away(Arena *a, Str path, size_t limit_bytes, Str *out)
{
	Reading r = { .a = a, .path = path, .limit_bytes = limit_bytes };

	TRY(work_run(read_it, &r));
	TRY(r.err);
	*out = r.text;
	return NULL;
}
