/* SPDX-License-Identifier: Apache-2.0
 *
 * Err: the result of everything that can fail. NULL is success.
 *
 * Kinds are a closed set; HTTP status, exit code and log level come from the one table below, read at the edge only.
 * Nobody in between logs, matches or translates: add context with err_because(), or pass on with TRY. An Err lives in
 * the arena it was made in, or is one of the static ones (err_static): those of the runtime, which has no arena. */
#pragma once
#include "base/str.h"

/* kind, HTTP status, exit code of a command, log level at the edge (0 debug, 1 info, 2 warning, 3 error) */
#define ERR_KINDS(X) \
	X(INVALID, 400, 2, 1) \
	X(UNAUTHENTICATED, 401, 4, 1) \
	X(DENIED, 403, 4, 1) \
	X(NOT_FOUND, 404, 5, 1) \
	X(METHOD, 405, 2, 1) \
	X(SLOW_CLIENT, 408, 6, 1) \
	X(CONFLICT, 409, 7, 1) \
	X(GONE, 410, 5, 1) \
	X(LENGTH, 411, 2, 1) \
	X(PRECONDITION, 412, 2, 1) \
	X(TOO_LARGE, 413, 2, 1) \
	X(URI_TOO_LONG, 414, 2, 1) \
	X(RANGE, 416, 2, 1) \
	X(EXPECTATION, 417, 2, 1) \
	X(MISDIRECTED, 421, 2, 1) \
	X(LIMITED, 429, 8, 1) \
	X(HEAD_TOO_LARGE, 431, 2, 1) \
	X(CANCELLED, 499, 9, 0) \
	X(VERDICT, 500, 3, 1) /* a measurement did not come out as it must */ \
	X(INTERNAL, 500, 1, 3) \
	X(UNSUPPORTED, 501, 2, 1) \
	X(UPSTREAM, 502, 6, 2) \
	X(BUSY, 503, 8, 2) \
	X(TIMEOUT, 504, 6, 2) \
	X(VERSION, 505, 2, 1) \
	X(IO, 500, 1, 3)     /* the machine refused: a file, a socket, a limit */ \
	X(CLOSED, 502, 6, 0) /* the other side ended the conversation */

typedef enum ErrKind {
#define X(kind, status, exit, level) ERR_##kind,
	ERR_KINDS(X)
#undef X
} ErrKind;

typedef struct Err Err;
struct Err {
	ErrKind kind;
	const char *slug; /* stable, for clients and tests: "upstream.busy" */
	Str text;         /* one line, for people, past tense, no "failed to" */
	const Err *why;   /* what the callee said; NULL at the origin */
	const char *file;
	int line;
};

/* The only macro in the tree that hides a return. */
#define TRY(call) \
	do { \
		Err *err_ = (call); \
		if (UNLIKELY(err_ != NULL)) \
			return err_; \
	} while (0)

#define err_new(a, kind, slug, ...) \
	err_make((a), (kind), (slug), NULL, __FILE__, __LINE__, __VA_ARGS__)
/* As err_new, with the callee's error as its cause; kind and slug are the caller's. */
#define err_because(a, why, kind, slug, ...) \
	err_make((a), (kind), (slug), (why), __FILE__, __LINE__, __VA_ARGS__)
/* A row for a static Err: `static Err gone = ERR_STATIC(CLOSED, "rt.closed", "the peer closed the connection");` */
#define ERR_STATIC(kind_, slug_, text_) \
	{ \
		.kind = ERR_##kind_, .slug = (slug_), .text = { "" text_, sizeof(text_) - 1 }, \
		.file = __FILE__, .line = __LINE__ \
	}

Err *err_make(Arena *a, ErrKind kind, const char *slug, const Err *why, const char *file, int line,
              const char *fmt, ...) PRINTF(7, 8) MUST_USE RETURNS_NONNULL;

/* errno as an Err with the system's own words; kind IO, or what the number says (CLOSED, BUSY, NOT_FOUND, DENIED). */
Err *err_errno(Arena *a, int errnum, const char *slug, const char *fmt, ...) PRINTF(4, 5)
	MUST_USE RETURNS_NONNULL;

bool err_is(const Err *err, const char *slug); /* this error's own slug; NULL err is never */
int err_status(const Err *err);                /* HTTP status */
int err_exit(const Err *err);                  /* exit code; 0 for NULL */
int err_level(const Err *err);
const char *err_kind_name(ErrKind kind);

/* The error and its causes in another arena, for those that outlive the one they were made in; NULL gives NULL. */
Err *err_copy(Arena *a, const Err *err);

/* "text: cause: its cause", in the arena. */
Str err_chain(Arena *a, const Err *err);
