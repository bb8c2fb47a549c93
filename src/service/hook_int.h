/* SPDX-License-Identifier: Apache-2.0
 *
 * Between hook.c (endpoints), hook_tell.c (who is told, deliveries), hook_deliver.c (tries) and hook_routes.c (their API). */
#pragma once
#include "service/hook.h"

/* Tries of a delivery: with a pause of 1 s, doubled each time up to 6 h, three days. */
enum { HOOK_TRIES = 27 };

/* Fails with INVALID "webhook.url", "webhook.types". */
Err *hook_check(Arena *a, const Hook *hook, bool development) MUST_USE;

typedef struct HookTask { /* what a try needs */
	HookDelivery delivery;
	Str body;
	Hook *hook; /* NULL: it is gone */
} HookTask;
Err *hook_task(Db *db, Arena *a, Uuid delivery, HookTask **out) MUST_USE;
/* What came of a try, noted in the transaction; disable: with that reason, or NULL. */
typedef struct HookOutcome {
	bool delivered, last;
	int64_t status;
	Str error;
	const char *disable;
} HookOutcome;
Err *hook_note(Db *tx, Arena *a, const HookTask *task, const HookOutcome *outcome) MUST_USE;
/* Each delivery that waits since before that has a job: one whose job ended without it (given up, cancelled by hand) gets another. */
Err *hook_mend(Db *db, Arena *a, int64_t before_us) MUST_USE;
Err *hook_purge(Db *db, Arena *a, int64_t before_us) MUST_USE;
