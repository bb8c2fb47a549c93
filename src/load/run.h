/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of a scenario: arrivals and users on every loop, and what they counted. */
#pragma once
#include "load/scenario.h"
#include "load/stats.h"
#include "load/target.h"

/* One second of it (or what the last look covered). */
typedef struct Moment {
	int64_t at_us; /* its end, from the run's start */
	double asked;  /* arrivals a second, as planned; 0 without an open part */
	double got;    /* arrivals a second that began */
	double ended;  /* requests a second */
	double failed;
	uint32_t in_flight, users, connections;
	int64_t p50_us, p99_us, max_us; /* response times */
	bool warm;
} Moment;

typedef struct LoadResult {
	const ScenarioConf *conf;
	int64_t start_utc_us;
	int64_t took_us;     /* from the start to the last request's end */
	int64_t measured_us; /* of the plan, without the warm-up */
	LoadStats stats;     /* all loops */
	Moment *moments;
	size_t moment_count;
	double asked;        /* arrivals of the plan after the warm-up... */
	double got;          /* ...and those that began */
	const char *stopped; /* why it ended early; NULL: it did not */
	int64_t *expect_us;  /* by step: what dependent steps went by */
} LoadResult;

typedef struct LoadRun LoadRun;

/* Told each second, on loop 0 from a fiber; may look at the run as it stands. */
typedef void LoadWatch(void *arg, LoadRun *run, const Moment *now);

typedef struct LoadAsk {
	const ScenarioConf *conf;
	const Target *target;
	LoadWatch *watch; /* NULL: nobody */
	void *watch_arg;
	LoadRun **run;        /* told before it starts; NULL: nobody asks */
	unsigned part, parts; /* of a plan that several processes share: 0 of 1 */
} LoadAsk;

/* Runs it to its end (or until load_stop) and fills *result, whose memory but for the histograms is a's. Parks. Fails with BUSY "load.files" and
 * "load.ports" (too few for what was asked, with the number needed), UPSTREAM "load.refused" (nothing answers). */
Err *load_run(Arena *a, const LoadAsk *ask, LoadResult *result) MUST_USE;
/* All that can fail before the first request, and nothing else: files are read, filters compiled, needs compared with what there is. */
Err *load_prepare(Arena *a, const LoadAsk *ask) MUST_USE;
void load_result_fini(LoadResult *result); /* its histograms; fine when all zero */
void load_stop(LoadRun *run,
               const char *why); /* from its watch: it ends as if its time were over */

void load_cut(LoadRun *run); /* and what is in flight is given up. Parks */

/* What the run has counted so far, for its watch: all loops merged into *stats (inited with the scenario's steps). Parks. */
void load_look(LoadRun *run, LoadStats *stats);
int64_t load_elapsed_us(const LoadRun *run);
int64_t load_length_us(const ScenarioConf *conf); /* of the plan, warm-up included */
