/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run counts. Each loop has its own, touched by nobody else; who reports merges them, on each loop in turn. */
#pragma once
#include "load/hist.h"

/* Why a request did not end well. The first five are known before it was sent. */
#define LOAD_FAILURES(X) \
	X(RESOLVE, "name not found") \
	X(REFUSED, "connection refused") \
	X(CONNECT, "no connection") \
	X(PORTS, "no free port") \
	X(TLS, "TLS") \
	X(RESET, "connection closed or reset") \
	X(PROTOCOL, "answer malformed") \
	X(TIMEOUT, "timed out") \
	X(UNFINISHED, "in flight at the end") \
	X(STATUS, "wrong status") \
	X(CHECK, "failed check") \
	X(EXTRACT, "nothing to extract") \
	X(OVERLOAD, "not started: the generator could not keep up")

typedef enum LoadFailure {
	LOAD_OK,
#define X(id, text) LOAD_##id,
	LOAD_FAILURES(X)
#undef X
		LOAD_FAILURE_KINDS
} LoadFailure;

const char *load_failure_text(LoadFailure failure); /* "timed out" */
const char *load_failure_name(LoadFailure failure); /* "TIMEOUT": for JSON */
/* Is it in the histograms, as at least that long? Answers that were wrong are, connections that never came are not. */
bool load_failure_is_timed(LoadFailure failure);

/* One request, as its fiber knows it. All moments on the loop's clock. */
typedef struct Sample {
	int64_t due_us;  /* when it should have begun */
	int64_t sent_us; /* when its first byte was written; 0: it never was */
	int64_t done_us;
	uint16_t status; /* 0: no answer */
	LoadFailure failure;
	uint64_t bytes_in, bytes_out; /* bodies */
} Sample;

typedef struct StepStats {
	Hist *response; /* from due to done */
	Hist *service;  /* from sent to done */
	uint64_t count; /* requests that ended, well or not */
	uint64_t failures[LOAD_FAILURE_KINDS];
	uint64_t statuses[6]; /* by class */
	uint64_t bytes_in, bytes_out;
	uint32_t recent_us[63]; /* service times of the last ones, for learning what to expect */
	uint32_t recent_count;  /* ever */
} StepStats;

typedef struct LoadStats {
	StepStats *steps; /* by StepConf.index */
	size_t step_count;
	Hist *late;       /* due to begun, of the first steps in the open model */
	Hist *interval;   /* response times since the last look */
	uint64_t due;     /* arrivals whose time has come */
	uint64_t started; /* of those, begun */
	uint64_t begun;   /* with the warm-up's */
	uint64_t ended;   /* requests, as in steps, with the warm-up's */
	uint64_t failed;
	uint64_t warm;     /* requests of the warm-up, which steps do not have */
	uint64_t refused;  /* requests that found their connection refused... */
	uint64_t answered; /* ...and those that were answered */
	uint64_t opened;   /* connections */
	uint32_t in_flight;
	uint32_t users;
	uint32_t connections;
} LoadStats;

void load_stats_init(LoadStats *stats, size_t steps);
void load_stats_fini(LoadStats *stats);
/* warm: it belongs to the warm-up and is only counted. */
void load_stats_record(LoadStats *stats, size_t step, const Sample *sample, bool warm);
void load_stats_add(LoadStats *into, const LoadStats *from); /* not the interval */
void step_stats_add(StepStats *into, const StepStats *from);
void step_stats_init(StepStats *stats);
void step_stats_fini(StepStats *stats);
uint64_t step_stats_failed(const StepStats *stats);
