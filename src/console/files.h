/* SPDX-License-Identifier: Apache-2.0
 *
 * The console's page: the files of web/, which scripts/web has put into the program. */
#pragma once
#include "base/err.h"

typedef struct Exchange Exchange;

typedef struct ConsoleFile {
	Str path; /* below /console/: "index.html", or "v/HASH/app.js", where HASH is of all files */
	Str type;
	Str etag; /* with its quotes */
	Str bytes;
	Str gzip; /* the same, compressed */
} ConsoleFile;

const ConsoleFile *console_files(size_t *count);
const ConsoleFile *console_file(Str path); /* empty: index.html; NULL when there is none */

/* The file, compressed for those who take that, or 304; with the headers that keep a page to itself. Parks. */
Err *console_file_answer(Exchange *x, const ConsoleFile *file) MUST_USE;
