/* SPDX-License-Identifier: Apache-2.0
 *
 * A run while it runs, once a second: on a terminal a few lines that are written over, elsewhere a line each time. */
#pragma once
#include "load/run.h"

#include <stdio.h>

typedef struct Live {
	FILE *out;
	bool terminal;
	unsigned lines; /* that the last picture took */
	int64_t length_us;
	int64_t p99_us[48]; /* of the last moments */
	size_t count;       /* ever */
	uint64_t failed;
} Live;

Live live_new(FILE *out, bool terminal, const ScenarioConf *conf);
void live_show(Live *live, const Moment *now);
void live_end(Live *live);                                    /* the cursor is below the picture */
void live_put(Buf *out, const Live *live, const Moment *now); /* the picture's text */
