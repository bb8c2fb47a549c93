/* SPDX-License-Identifier: Apache-2.0
 *
 * The outbox, a log in a table.
 *
 * The classic loss: readers remember the last number of a sequence they saw. A sequence gives its numbers before commits, so a
 * transaction that is long about it commits a number below one that was read, and nobody ever reads it. On SQLite this
 * cannot be: one writer, and rows' numbers are in the order of commits. On PostgreSQL an event has no place at all until
 * it is committed: whoever reads gives places first, to all that its snapshot shows and that have none, in the order of
 * their insertion. One at a time does so (the row of outbox_head is the lock), and what it saw is committed with the
 * new head, so places are given in the order of snapshots. A transaction that is open for an hour holds up nobody; its events come
 * when it commits.
 *
 * That also keeps an aggregate's order, which the usual cure (reading up to the oldest open transaction, by transaction id) does
 * not: ids are given at a transaction's first write, locks at any time. docs/decisions/0027 has the example.
 *
 * Not here: how events go on from the outbox (bus.h), and that they take effect once (consumer.h). */
#include "store/outbox.h"

#include "base/arena.h"
#include "base/time.h"

#include "store_outbox_sql.h"

enum { NUMBERED_AT_ONCE = 1000, PURGED_AT_ONCE = 500 };

Err *outbox_put(Db *tx, Arena *a, const Event *event, Uuid *id)
{
	Uuid own = uuid_is_nil(event->id) ? uuid_new() : event->id;
	OptStr trace = { .set = event->traceparent.len > 0, .v = event->traceparent };

	TRY(event_check(a, event));
	TRY(db_exec(tx, a, outbox_add, NULL, .id = own, .type = event->type,
	            .aggregate_type = event->aggregate_type, .aggregate_id = event->aggregate_id,
	            .data = event->data.len ? event->data : S("null"), .traceparent = trace,
	            .created_at = event->time_us ? event->time_us : time_utc_us()));
	TRY(db_tell(tx, a, OUTBOX_CHANNEL));
	if (id)
		*id = own;
	return NULL;
}

/* --- places --------------------------------------------------------------------------------------------------------- */

static Err *number_some(Db *tx, Arena *a, void *arg)
{
	int64_t *numbered = arg;
	OutboxHeadLockRow *head;

	TRY(db_one(tx, a, outbox_head_lock, &head));
	if (!head)
		return err_new(a, ERR_INTERNAL, "db.rows", "outbox_head has no row");
	TRY(db_exec(tx, a, outbox_number, numbered, .base = head->seq, .most = NUMBERED_AT_ONCE));
	if (*numbered == 0)
		return NULL;
	return db_exec(tx, a, outbox_head_set, NULL, .seq = head->seq + *numbered);
}

static Err *give_places(Db *db, Arena *a)
{
	OutboxWaitsRow *row;
	int64_t numbered = 0;

	if (db_engine(db) != SQL_POSTGRES)
		return NULL;
	TRY(db_one(db, a, outbox_waits, &row));
	if (!row || !row->waits)
		return NULL;
	return db_txn(db, a, DB_READ_COMMITTED, number_some, &numbered);
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

Err *outbox_read(Db *db, Arena *a, Str source, int64_t after, size_t most, Event **events,
                 size_t *count)
{
	OutboxRow *rows;
	size_t n;
	Event *made;

	TRY(give_places(db, a));
	TRY(db_all(db, a, outbox_after, &rows, &n, .after = after, .most = (int64_t)most));
	made = ARENA_ARRAY(a, Event, n);
	for (size_t i = 0; i < n; i++)
		made[i] = (Event){ .id = rows[i].id,
			           .source = source,
			           .type = rows[i].type,
			           .aggregate_type = rows[i].aggregate_type,
			           .aggregate_id = rows[i].aggregate_id,
			           .time_us = rows[i].created_at,
			           .traceparent = rows[i].traceparent.v,
			           .data = rows[i].data,
			           .seq = rows[i].seq };
	*events = made;
	*count = n;
	return NULL;
}

Err *outbox_last(Db *db, Arena *a, int64_t *seq)
{
	OutboxLastRow *row;

	TRY(give_places(db, a));
	TRY(db_one(db, a, outbox_last, &row));
	*seq = row ? row->seq : 0;
	return NULL;
}

Err *outbox_waits_since(Db *db, Arena *a, int64_t after, int64_t *us)
{
	OutboxNextTimeRow *row;

	TRY(db_one(db, a, outbox_next_time, &row, .after = after));
	*us = row ? row->created_at : 0;
	return NULL;
}

/* --- readers -------------------------------------------------------------------------------------------------------- */

Err *outbox_seen(Db *db, Arena *a, Str reader, int64_t seq)
{
	return db_exec(db, a, outbox_reader_set, NULL, .name = reader, .seq = seq,
	               .seen_at = time_utc_us());
}

Err *outbox_readers(Db *db, Arena *a, OutboxReader **readers, size_t *count)
{
	OutboxReadersAllRow *rows;
	size_t n;
	OutboxReader *made;

	TRY(db_all(db, a, outbox_readers_all, &rows, &n));
	made = ARENA_ARRAY(a, OutboxReader, n);
	for (size_t i = 0; i < n; i++)
		made[i] = (OutboxReader){ rows[i].name, rows[i].seq, rows[i].seen_at };
	*readers = made;
	*count = n;
	return NULL;
}

Err *outbox_loss(Db *db, Arena *a, const OutboxReader *reader, OutboxLoss *loss)
{
	OutboxUnreadRow *row;

	*loss = (OutboxLoss){ 0 };
	TRY(give_places(db, a));
	TRY(db_one(db, a, outbox_unread, &row, .name = reader->name, .after = reader->seq));
	if (!row)
		return NULL;
	loss->unread = row->unread;
	loss->alone = row->alone;
	return outbox_waits_since(db, a, reader->seq, &loss->since_us);
}

Err *outbox_forget(Db *db, Arena *a, Str reader, bool *known)
{
	int64_t changed;

	TRY(db_exec(db, a, outbox_reader_remove, &changed, .name = reader));
	*known = changed > 0;
	return NULL;
}

Err *outbox_purge(Db *db, Arena *a, int64_t keep_us, int64_t *gone)
{
	OutboxReadByAllRow *all;
	int64_t before = time_utc_us() - keep_us;
	int64_t changed;

	*gone = 0;
	TRY(db_one(db, a, outbox_read_by_all, &all));
	do {
		TRY(db_exec(db, a, outbox_purge, &changed,
		            .upto = all && all->readers ? all->seq : INT64_MAX, .before = before,
		            .most = PURGED_AT_ONCE));
		*gone += changed;
	} while (changed == PURGED_AT_ONCE);
	return NULL;
}
