/* SPDX-License-Identifier: Apache-2.0
 *
 * Yesterday's traffic again: requests of the gateway's access log (JSON lines), at the pace they were recorded at or a
 * multiple of it. Safe methods only: a log holds no bodies, and what changes something must not happen twice. */
#pragma once
#include "load/scenario.h"

typedef struct ReplayEntry {
	int64_t at_us; /* from the first */
	Str target;    /* path and query */
	uint32_t step; /* one a route and method: StepConf.index */
} ReplayEntry;

typedef struct Replay {
	ReplayEntry *at;
	size_t count;
	size_t unsafe;   /* lines left out: another method */
	size_t unusable; /* lines left out: no request in them */
	size_t redacted; /* requests whose query has values hidden by the log */
} Replay;

/* A scenario of that log. speed 2: twice as fast. Blocks on the disk. Fails with "base.file" or INVALID "load.replay" (no
 * request in it that can be replayed). */
Err *replay_load(Arena *a, Str file, Str target, double speed, ScenarioConf **out) MUST_USE;
/* The same from the text of a log. */
Err *replay_read(Arena *a, Str name, Str text, Str target, double speed, ScenarioConf **out)
	MUST_USE;
