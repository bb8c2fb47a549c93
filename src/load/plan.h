/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run is going to need, computed before it begins. */
#pragma once
#include "load/run.h"

/* How long an answer is assumed to take when its step does not say (`expect`). */
#define PLAN_ANSWER_US (100 * INT64_C(1000))

typedef struct Plan {
	const ScenarioConf *conf;
	const Target *target;
	unsigned
		parts; /* processes that share it; what follows is of one of them, but for length and arrivals */
	int64_t length_us; /* warm-up included */
	double arrivals;
	double peak;        /* arrivals a second */
	int64_t journey_us; /* mean time of one round of one user, thinking included */
	double requests;    /* a second, at the peak */
	uint64_t users;     /* at a time */
	uint64_t connections;
	uint64_t files, files_limit;
	uint64_t ports, ports_there; /* those that closed connections still hold included */
} Plan;

/* Of a scenario that was read (scenario_finish), for one of so many processes. Blocks on /proc for a moment. */
Plan plan_of(const ScenarioConf *conf, const Target *target, unsigned parts);
/* Fails with BUSY "load.files" or "load.ports": the number needed, and the command that raises what there is. */
Err *plan_check(Arena *a, const Plan *plan) MUST_USE;
void plan_put(Buf *out, const Plan *plan);
void plan_put_json(Buf *out, const Plan *plan);
/* The soft limit of open files becomes the hard one: nobody else in this process minds. */
void plan_raise_files(void);
