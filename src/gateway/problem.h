/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors as clients see them: a problem document (RFC 9457) or a small HTML page, by what the client accepts. Nothing of
 * the inside is told: the sentence of the error itself, not those of its causes. */
#pragma once
#include "base/err.h"
#include "http/message.h"

typedef struct Problem {
	unsigned status;
	const char *slug; /* type is "urn:banyan:problem:SLUG" */
	Str text;         /* one sentence */
	Str request_id;
	Str path;               /* canonical, or empty */
	unsigned retry_after_s; /* of Retry-After; 0: none */
} Problem;

Problem problem_of(const Err *err, Str request_id, Str path);

/* Does this Accept header prefer HTML to JSON? No header: no. RFC 9110 12.5.1, q-values and wildcards considered. */
bool problem_wants_html(Str accept);

#define PROBLEM_JSON_TYPE "application/problem+json"
#define PROBLEM_HTML_TYPE "text/html; charset=utf-8"
void problem_put_json(Buf *out, const Problem *problem);
/* page: the team's own page, with {{status}}, {{title}}, {{detail}}, {{slug}} and {{request_id}}; empty: the built-in. All
 * values are escaped. */
void problem_put_html(Buf *out, const Problem *problem, Str page);
