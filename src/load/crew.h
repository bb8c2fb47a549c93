/* SPDX-License-Identifier: Apache-2.0
 *
 * Several processes, on one machine or more, that make one load: workers connect to a coordinator's port, get their part
 * of the plan, begin together, and send what they counted, which adds up exactly.
 *
 * Who reaches the port can make the workers load whatever they allow: it is loopback unless told otherwise, and then a
 * token is needed, the same on all sides. */
#pragma once
#include "load/run.h"

typedef struct CrewAsk {
	const ScenarioConf *conf;
	Str listen; /* address of the port; port 0: any, which is told on stderr */
	unsigned workers;
	Str token;        /* empty: none */
	LoadWatch *watch; /* each second, with all of them together; run is NULL */
	void *watch_arg;
	const bool *stop; /* ends it */
} CrewAsk;

/* Waits for the workers, lets them begin, gathers. Parks. Fails with "load.worker_gone" when one leaves, and DENIED "load.token" when one is needed. */
Err *crew_coordinate(Arena *a, const CrewAsk *ask, LoadResult *result) MUST_USE;

typedef Err *CrewMay(void *arg, const Target *target); /* may this process load that? */

/* A worker's whole life: one run for the coordinator at that address. Parks. */
Err *crew_work(Arena *a, Str coordinator, Str token, CrewMay *may, void *arg) MUST_USE;
