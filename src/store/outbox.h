/* SPDX-License-Identifier: Apache-2.0
 *
 * Outbox: events written in the transaction of their cause, and read afterwards in one order, each by every reader.
 *
 *	static Err *place_order(Db *tx, Arena *a, void *arg)
 *	{
 *		TRY(db_exec(tx, a, order_add, NULL, ...));
 *		return outbox_put(tx, a, &(Event){ .type = S("order.placed"), .aggregate_type = S("order"),
 *		                                   .aggregate_id = id, .data = json }, NULL);
 *	}
 *
 * Order: every event has a place (`seq`, from 1, without gaps that matter), and what is read never gets an event before one
 * that was read already. Events of one aggregate are in the order in which their transactions wrote it, provided that these
 * held a lock on it when they put the event: its row, written before, or db_lock. Errors are those of db.h. */
#pragma once
#include "store/db.h"
#include "store/event.h"

#define OUTBOX_CHANNEL "outbox" /* db_watch: there may be something new */

/* Any transaction; id may be NULL, and gets the event's. Fails as event_check does. */
Err *outbox_put(Db *tx, Arena *a, const Event *event, Uuid *id) MUST_USE;

/* Up to `most` events after a place, oldest first, as told by `source`. Events still in an open transaction are not there, and
 * hold up nobody: once committed they come after those that were read. */
Err *outbox_read(Db *db, Arena *a, Str source, int64_t after, size_t most, Event **events,
                 size_t *count) MUST_USE;
/* The last place that was given, 0 before the first. */
Err *outbox_last(Db *db, Arena *a, int64_t *seq) MUST_USE;
/* When the first event after a place was put; 0: there is none. */
Err *outbox_waits_since(Db *db, Arena *a, int64_t after, int64_t *us) MUST_USE;

/* How far a reader has come: what is before the place of the slowest may be deleted. The name stays until it is removed. */
Err *outbox_seen(Db *db, Arena *a, Str reader, int64_t seq) MUST_USE;
typedef struct OutboxReader {
	Str name;
	int64_t seq, seen_us;
} OutboxReader;
Err *outbox_readers(Db *db, Arena *a, OutboxReader **readers, size_t *count) MUST_USE;
/* What forgetting a reader would lose: `unread`: events it has not read, `alone` of them: nobody else waits for these either, the
 * first of them put at since_us (0: none). */
typedef struct OutboxLoss {
	int64_t unread, alone, since_us;
} OutboxLoss;
Err *outbox_loss(Db *db, Arena *a, const OutboxReader *reader, OutboxLoss *loss) MUST_USE;
/* For ever gone: it holds up no purge any more. One that is not, comes back with the place it then says. */
Err *outbox_forget(Db *db, Arena *a, Str reader, bool *known) MUST_USE;

/* Deletes what every reader has read and what is older than that; without a reader what is older. In small steps; *gone: rows. */
Err *outbox_purge(Db *db, Arena *a, int64_t keep_us, int64_t *gone) MUST_USE;
