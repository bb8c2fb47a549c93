/* SPDX-License-Identifier: Apache-2.0
 *
 * A file as an answer. */
#pragma once
#include "gateway/files_cache.h"
#include "gateway/passage.h"

typedef struct FileAnswer {
	const File *file;
	uint16_t
		status; /* 200: conditions and ranges count, for GET and HEAD; else the whole file */
	Str type;       /* Content-Type; empty: by the file's name */
	Str coding;     /* of Content-Encoding; empty: none */
	bool varies;    /* by Accept-Encoding */
	Str cache;      /* Cache-Control; empty: none */
	const Headers *
		more; /* of an upstream's answer, the id among them, instead of our own; NULL: none */
} FileAnswer;

/* Answers the exchange: 200, 206, 304; fails with PRECONDITION "gateway.precondition" and RANGE "gateway.range". Parks. */
Err *files_answer(Passage *p, const FileAnswer *answer) MUST_USE;

/* A canonical path as names of files: decoded, without the slashes at its front, ended by NUL. False: it cannot be one (a
 * slash or a zero byte within a name), or, unless `hidden`, a name begins with a dot (".well-known" at the front may). */
bool files_name(Arena *a, Str path, bool hidden, Str *name);
