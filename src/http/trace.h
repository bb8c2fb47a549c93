/* SPDX-License-Identifier: Apache-2.0
 *
 * W3C Trace Context (Recommendation of 2021, and what Level 2 adds to the flags): traceparent, read strictly and written
 * in version 00. Pure; text is lower-case hexadecimal. */
#pragma once
#include "base/str.h"

enum {
	TRACE_ID_TEXT = 32,
	SPAN_ID_TEXT = 16,
	TRACE_TEXT = 55, /* "00-" trace "-" span "-" flags */
	TRACE_SAMPLED = 1,
	TRACE_RANDOM = 2, /* the trace's id is random: kept, never claimed */
};

typedef struct Trace {
	Str id;   /* of the trace */
	Str span; /* of the caller's span */
	uint8_t flags;
} Trace;

/* A traceparent of version 00, or of a later one that begins like it. False: it is none, and the trace begins anew.
 * Views of the text. */
bool trace_read(Str text, Trace *out);
/* A new span of that trace, or of a new one where before is NULL (`flags` then): TRACE_TEXT bytes at `into`, and what is
 * in them in *out. */
void trace_write(char *into, const Trace *before, uint8_t flags, Trace *out);
