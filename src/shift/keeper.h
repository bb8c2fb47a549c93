/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper: looks at every subject twenty times a second, acts on what the judge says, tells the book and listens to it. And
 * changes of state, by whoever. */
#pragma once
#include "shift/book.h"
#include "shift/subject.h"

typedef struct Snapshot Snapshot;       /* gateway/snapshot.h */
typedef struct GatewayConf GatewayConf; /* gateway/conf.h */

/* Opens the book if it is not open and this configuration needs it, and reads where its subjects stand. On the gateway's own
 * fiber of loop 0; parks. */
Err *keeper_begin(Arena *a, Snapshot *snap) MUST_USE;
/* It is in force: its subjects, which know of it, are looked after by it. The same fiber. */
void keeper_take(Snapshot *snap);
void keeper_end(void); /* the same fiber; parks */
/* hooks.h: the book, its copy and the gateway's name are those that it began with. */
size_t keeper_waiting(const GatewayConf *conf, Str out[]);

Book *keeper_book(void); /* NULL: no configuration has moved anything yet */
const SplitKey *keeper_key(
	void); /* any loop, good until keeper_end; NULL: not known yet, and nobody is anywhere but on the old side */
Str keeper_gateway(void); /* what this gateway is called */
Snapshot *keeper_snapshot(
	void); /* of the configuration in force, a reference: snapshot_unref it; any loop; NULL: nothing is moved */

int64_t keeper_away_us(void); /* UTC: since when the book does not answer; 0: it does. Any loop */
int64_t keeper_known_at_us(void); /* UTC: of the copy that is gone by; 0: by none */
Str keeper_away_line(Arena *a);   /* what that means, a sentence; empty: it is there */

/* Who does something, and why. */
typedef struct ChangeBy {
	Str who, verb, why;
	Str evidence; /* JSON, or empty */
} ChangeBy;
/* Makes next the state of s, if nobody was faster: next->revision is the one that was seen. Users go to the new side after
 * the book has it, and to the old one before. Parks; any loop. Fails as book_change does, and as "shift.away", with a sentence
 * that says what was done all the same. */
Err *keeper_change(Subject *s, Arena *a, const ShiftState *next, const ChangeBy *by) MUST_USE;

/* An error of the book, as keeper_change has it; others unchanged. */
Err *keeper_explain(Arena *a, Err *err, const Subject *s) MUST_USE;

/* What the book says now is what is known of all subjects. Parks; any loop. */
Err *keeper_listen(Arena *a) MUST_USE;

/* The metrics' evidence as JSON, and the verdict in words. */
void keeper_put_evidence(JsonWriter *w, const Judge *judge, Str line);
/* What a step needs, at the traffic seen now. Does not park; a few milliseconds. */
struct ShiftStepPlan;
void keeper_plan(Subject *s, Arena *a, uint32_t share_ppm, struct ShiftStepPlan *out);
