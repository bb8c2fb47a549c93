/* SPDX-License-Identifier: Apache-2.0
 *
 * What `banyan audit` does with a project besides reporting it: the scorecard (--baseline) and the agenda of the review (--review). */
#pragma once
#include "audit/audit.h"

typedef struct AfterArgs {
	bool baseline, review;
	Str scorecard, load, metrics;
	CONF_LIST_OF(Str) scores;
	double capacity;
	uint32_t share; /* parts per million */
} AfterArgs;

/* Rows for the command's options; `type` has an AfterArgs `field`. */
#define AFTER_OPTIONS(type, field) \
	{ "baseline", CONF_BOOL, AT(type, field.baseline), \
	  .help = "record the scorecard, or compare with the one recorded" }, \
		{ "scorecard", \
		  CONF_PATH, \
		  AT(type, field.scorecard), \
		  .def = "banyan-scorecard.json", \
		  .value = "FILE", \
		  .help = "where --baseline records it" }, \
		{ "score", CONF_STR, AT_LIST(type, field.scores), .value = "KEY=VALUE", \
		  .help = "a figure that you know: users, deploy (minutes), availability, coverage, database, cost" }, \
		{ "load-report", CONF_PATH, AT(type, field.load), .value = "FILE", \
		  .help = "what banyan load --json wrote: the users held" }, \
		{ "metrics", CONF_PATH, AT(type, field.metrics), .value = "FILE", \
		  .help = "what the gateway's /metrics said: its availability" }, \
		{ "review", CONF_BOOL, AT(type, field.review), \
		  .help = "the agenda of the monthly review, in Markdown" }, \
		{ "capacity", \
		  CONF_REAL, \
		  AT(type, field.capacity), \
		  .value = "HOURS", \
		  .min = "0", \
		  .max = "1000000", \
		  .help = "the team's hours a month, for --review" }, \
	{ \
		"share", CONF_SHARE, AT(type, field.share), \
			.def = "20%", .help = "how much of them is for the debt" \
	}

/* Do they go together? Fails with INVALID "audit.after". */
Err *after_check(Arena *a, const AfterArgs *args) MUST_USE;
/* Does what was asked for and says so on cmd->out; *done: it was asked for something. Fails as scorecard.h's do, and as file_read does. */
Err *after_run(Cmd *cmd, const AfterArgs *args, const Audit *audit, const AuditRules *rules,
               bool *done) MUST_USE;
