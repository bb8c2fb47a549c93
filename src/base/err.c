/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors as values. The table at the top is the edge's: what a kind means to an HTTP client, to a shell and to the log. */
#include "base/err.h"

#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	uint16_t status;
	uint8_t exit;
	uint8_t level;
} kinds[] = {
#define X(kind, http, code, lvl) [ERR_##kind] = { #kind, http, code, lvl },
	ERR_KINDS(X)
#undef X
};

static Err *make(Arena *a, ErrKind kind, const char *slug, const Err *why, Str text)
{
	Err *err = ARENA_NEW(a, Err);

	*err = (Err){ .kind = kind, .slug = slug, .text = text, .why = why };
	return err;
}

static Str format(Arena *a, const char *fmt, va_list args)
{
	char line[1024];
	int len = vsnprintf(line, sizeof line, fmt, args);

	return str_dup(a, (Str){ line, (size_t)MIN(MAX(len, 0), (int)sizeof line - 1) });
}

Err *err_make(Arena *a, ErrKind kind, const char *slug, const Err *why, const char *file, int line,
              const char *fmt, ...)
{
	va_list args;
	Err *err;

	va_start(args, fmt);
	err = make(a, kind, slug, why, format(a, fmt, args));
	va_end(args);
	err->file = file;
	err->line = line;
	return err;
}

static ErrKind kind_of_errno(int errnum)
{
	static const struct {
		int errnum;
		ErrKind kind;
	} rows[] = {
		{ ENOENT, ERR_NOT_FOUND },      { EACCES, ERR_DENIED },
		{ EPERM, ERR_DENIED },          { EADDRINUSE, ERR_CONFLICT },
		{ ECONNRESET, ERR_CLOSED },     { EPIPE, ERR_CLOSED },
		{ ECONNREFUSED, ERR_UPSTREAM }, { ETIMEDOUT, ERR_TIMEOUT },
		{ EMFILE, ERR_BUSY },           { ENFILE, ERR_BUSY },
		{ EAGAIN, ERR_BUSY },           { EEXIST, ERR_CONFLICT },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].errnum == errnum)
			return rows[i].kind;
	return ERR_IO;
}

Err *err_errno(Arena *a, int errnum, const char *slug, const char *fmt, ...)
{
	va_list args;
	Str text;
	char words[128];

	va_start(args, fmt);
	text = format(a, fmt, args);
	va_end(args);
	return make(a, kind_of_errno(errnum), slug, NULL,
	            str_fmt(a, "%.*s: %s", STR_ARG(text), strerror_r(errnum, words, sizeof words)));
}

bool err_is(const Err *err, const char *slug)
{
	return err && strcmp(err->slug, slug) == 0;
}

int err_status(const Err *err)
{
	return err ? kinds[err->kind].status : 200;
}

int err_exit(const Err *err)
{
	return err ? kinds[err->kind].exit : 0;
}

int err_level(const Err *err)
{
	return err ? kinds[err->kind].level : 0;
}

const char *err_kind_name(ErrKind kind)
{
	return kinds[kind].name;
}

Err *err_copy(Arena *a, const Err *err)
{
	Err *copy;

	if (!err)
		return NULL;
	copy = ARENA_NEW(a, Err);
	*copy = *err;
	copy->text = str_dup(a, err->text);
	copy->why = err_copy(a, err->why);
	return copy;
}

Str err_chain(Arena *a, const Err *err)
{
	Str text = err ? err->text : S("no error");

	for (const Err *why = err ? err->why : NULL; why; why = why->why)
		text = str_fmt(a, "%.*s: %.*s", STR_ARG(text), STR_ARG(why->text));
	return text;
}
