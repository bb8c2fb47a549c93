/* SPDX-License-Identifier: Apache-2.0
 *
 * Intake: events become durable, each once. What waits on one loop is written together: one transaction for as many requests as
 * came while the last one ran. */
#pragma once
#include "analytics/analytics_int.h"
#include "analytics/hit.h"

typedef enum IntakeFate {
	INTAKE_STORED,
	INTAKE_DUPLICATE, /* taken before, or twice in this batch */
	INTAKE_REFUSED,   /* for whoever keeps more fates than these */
} IntakeFate;

Intake *intakes_new(Arena *a, Analytics *s, unsigned loops) RETURNS_NONNULL;
void intakes_free(Intake *intakes, unsigned loops); /* NULL is fine; nobody is in them */

/* Parks until all are in the database, then says of each what became of it; shielded: who began it ends it. All or none of one
 * call. Hits that were checked (hit_check), of one or several projects; their numbers are set. Fails with BUSY
 * "analytics.busy" (too many wait), and as db.h says. */
Err *intake_take(Analytics *s, Arena *a, Hit *hits, size_t count, uint8_t *fates) MUST_USE;
/* Persons' numbers are looked up anew: some were erased or merged. Any loop's. */
void intake_forget(Analytics *s);
/* Has this loop met that name of an event (property: of a property) in this project? */
bool intake_knows(Analytics *s, int64_t project, Str name, bool property);
/* For commands and jobs, which have no loop's queue. */
Err *intake_take_alone(Db *db, Arena *a, Hit *hits, size_t count, uint8_t *fates) MUST_USE;
