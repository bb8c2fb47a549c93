/* SPDX-License-Identifier: Apache-2.0
 *
 * A few figures that tell before from after: what the product holds, how fast it ships, what it costs. Each with where it is from; those
 * that nobody knows stay unknown. Blocks on the disk. */
#pragma once
#include "audit/money.h"
#include "audit/project.h"

typedef enum ScoreIn {
	SCORE_USERS,
	SCORE_DEPLOY,
	SCORE_AVAILABILITY,
	SCORE_COVERAGE,
	SCORE_DATABASE,
	SCORE_COST,
	SCORE_HARD,
	SCORE_LINES,
	SCORES
} ScoreIn;

typedef struct Score {
	double value;
	MoneySource source; /* MONEY_UNKNOWN: the value means nothing */
	Str from;
} Score;

typedef struct Scorecard {
	int64_t taken_utc_us;
	Score rows[SCORES];
} Scorecard;

/* "users=15000", "availability=99.9%": what somebody says. Fails with INVALID "scorecard.key" or as money_read does. */
Err *scorecard_set(Arena *a, Scorecard *card, Str said) MUST_USE;
/* What `banyan load --json` wrote: the most users at once, if its thresholds held; else the row stays unknown. Fails as json_read does, and
 * with INVALID "scorecard.load" when it is no such report. */
Err *scorecard_take_load(Arena *a, Scorecard *card, Str report) MUST_USE;
/* What the gateway's /metrics said: the share of answers below 500. False: it has no requests in it, the row stays as it was. */
bool scorecard_take_metrics(Scorecard *card, Str metrics);
void scorecard_take_project(Scorecard *card,
                            const Project *project); /* lines; code that is hard to read */

/* What tests and CI left: the share of lines that tests reach, and how long half of the builds take; below 0: unknown, the row stays. */
void scorecard_take_ci(Scorecard *card, double coverage, double build_minutes);

void scorecard_put_json(Buf *b, const Scorecard *card);
/* The strings are the text's or the arena's. Fails as json_read does, and with INVALID "scorecard.file". */
Err *scorecard_read(Arena *a, Str text, Scorecard *out) MUST_USE;

void scorecard_put_screen(Buf *b, const Scorecard *card);
/* Both, and the difference where both are known. */
void scorecard_put_change(Buf *b, const Scorecard *before, const Scorecard *after);

/* The figures in the file are the before: without a file, writes it. Puts what there is to say, or JSON, to b. Fails as reading the file
 * does, and with IO "scorecard.write". */
Err *scorecard_keep(Arena *a, Str path, const Scorecard *now, bool json, Buf *b) MUST_USE;
