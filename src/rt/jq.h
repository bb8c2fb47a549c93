/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters of the configuration in jq's language (libjq 1.6).
 *
 * Two ways to run one. In place, for values that our own side made (load's answers): a Jq. And for bodies that strangers
 * send, jq_run: in a process of its own, which a limit of time or memory ends and whose fall costs one answer. Numbers are
 * doubles in both: not for money, not for identifiers beyond 2^53; whoever has such a body asks before (gateway/reshape_text.h). */
#pragma once
#include "base/args.h"
#include "base/err.h"

typedef struct Jq Jq;

Err *jq_new(Arena *a, Str filter, Jq **out) MUST_USE; /* 40 ms. Fails with INVALID "rt.jq" */
void jq_free(Jq *jq);                                 /* NULL is fine */
/* The filter's first value of the JSON text, strings without quotes; false when there is none, or it is null or false.
 * One thread uses one; without a limit of time. */
bool jq_first(Jq *jq, Arena *a, Str json, Str *out);

/* Is it one? 40 ms, in this thread. Fails with INVALID "rt.jq", in the compiler's words. */
Err *jq_check(Arena *a, Str filter) MUST_USE;

typedef struct JqLimits {
	int64_t time_us; /* of a processor, for one run; looked at every 5 ms or so */
	uint64_t memory; /* bytes that one run may add to its process */
	uint64_t out;    /* bytes of the result's text */
} JqLimits;

/* The one value that the filter gives of this JSON text, as compact JSON, in the arena. Parks. Each loop has up to four
 * processes, started when they are first needed; each keeps the filters that it was asked for compiled. Filters must have
 * passed jq_check. Fails with INVALID "rt.jq_refused" (the filter's own error, no value or more than one, in words),
 * TIMEOUT "rt.jq_time", TOO_LARGE "rt.jq_memory" and "rt.jq_out", IO "rt.jq_lost" (the process fell, or could not be
 * started), BUSY "rt.jq_busy" (all were at work for 2 s). A client that leaves is noticed after the run. */
Err *jq_run(Arena *a, Str filter, const JqLimits *limits, Str json, Str *out) MUST_USE;
/* Has one process of this loop compile the filter, so that the first request need not wait for it. Parks. */
Err *jq_warm(Arena *a, Str filter) MUST_USE;

/* The process's side: "banyan jq", hidden. Standard input is the socket. */
const Command *jq_commands(size_t *count);
void jq_serve(void);
