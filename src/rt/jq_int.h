/* SPDX-License-Identifier: Apache-2.0
 *
 * Between jq_run.c (who asks) and jq_serve.c (the process that answers): what goes over their socket. Both are the same
 * program on the same machine, so structs go as they are. */
#pragma once
#include "base/util.h"

typedef enum JqVerb { JQ_COMPILE, JQ_RUN } JqVerb;

typedef struct JqAsk {
	uint32_t verb; /* JqVerb */
	uint32_t slot; /* of the filter: the next free one, or one that is compiled */
	int64_t time_us;
	uint64_t memory, out;
	uint64_t bytes; /* of the filter's or the body's text, which follows */
} JqAsk;

typedef enum JqVerdict {
	JQ_DONE,    /* the value follows */
	JQ_FAILED,  /* the filter's words follow */
	JQ_NOTHING, /* no value */
	JQ_MORE,    /* more than one */
	JQ_LARGE,   /* the value is too large */
} JqVerdict;

typedef struct JqTell {
	uint32_t verdict; /* JqVerdict */
	uint32_t pad;
	uint64_t bytes; /* that follow */
} JqTell;

enum { JQ_FILTERS = 64 }; /* that one process keeps compiled */

/* How it ends when a run goes beyond its limits. */
enum { JQ_EXIT_TIME = 70, JQ_EXIT_MEMORY = 71 };
