/* SPDX-License-Identifier: Apache-2.0
 *
 * Between dual_admit.c and dual_outcome.c (a request), dual_deliver.c, dual_send.c and dual_compare.c (the other side), and
 * dual.c, which begins and ends them all. What the store has is in dual_book.h. */
#pragma once
#include "base/time.h"
#include "gateway/passage.h"
#include "rt/loop.h"
#include "shift/dual_book.h"
#include "shift/shadow_int.h"
#include "shift/subject.h"

#define DUAL_MARK S("X-Banyan-Write") /* on what goes to the other side */

enum { DUAL_SAID_MAX = 300, DUAL_IDEMPOTENCY_MAX = 255 };

/* --- dual_outcome.c -------------------------------------------------------------------------------------------------------- */

DualWrite *dual_write_new(const DualRules *rules, Uuid id, bool to_new);
void dual_write_free(DualWrite *w);
/* The request is over for it: goes to the book as soon as that takes it. Any loop. */
void dual_post(DualWrite *w, DualFate fate);
/* The book takes none, and so many wait for it that no more should be begun. Any loop. */
bool dual_outcomes_full(void);
void dual_outcomes_init(void);
void dual_outcomes_fini(void); /* those that the book never took are forgotten */
/* Writes what was posted, again and again; parks for ever. */
Err *dual_outcomes_run(void *arg) MUST_USE;
Err *dual_outcomes_flush(Arena *a) MUST_USE; /* what there is, once */

/* --- dual_deliver.c -------------------------------------------------------------------------------------------------------- */

void dual_deliver_init(void);
void dual_deliver_fini(void); /* awaits those on their way */
Err *dual_deliver_run(void *arg) MUST_USE;
void dual_deliver_hurry(Subject *s); /* something of it may be due; loop 0 */

/* dual_send.c: asks a side, one try. Parks. *reached: it may have got some of it. */
typedef struct DualSend {
	Arena *arena;
	const Target *target;
	const TimeoutsConf *times;
	const WriteRow *row;
	int64_t timeout_us;
	uint64_t body_bytes; /* of an answer that is kept */
	bool second;         /* it is marked as a write that the other side has had */
} DualSend;
Err *dual_send(const DualSend *ask, ShadowAnswer *out, bool *reached) MUST_USE;

/* dual_compare.c: are the two answers alike? Noted among the subject's differences. Parks. *said: what differs. */
typedef struct DualPair {
	Arena *arena;
	Snapshot *snap;
	const ShadowRules *rules;
	const WritesConf *conf;
	Subject *subject;
	const WriteRow *row;
	ShadowAnswer first, second; /* their bodies are taken */
} DualPair;
bool dual_is_alike(DualPair *pair, Str *said);
