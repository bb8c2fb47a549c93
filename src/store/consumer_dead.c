/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person does with a consumer: looks at the events it has given up, has it try them again, moves it back. And what is
 * kept for how long. */
#include "store/consumer.h"

#include "base/arena.h"
#include "base/time.h"

#include "store_consumer_sql.h"

enum { PURGED_AT_ONCE = 500 };

static DeadLetter letter_of(const HeldRow *row)
{
	return (DeadLetter){ .pos = row->pos,
		             .consumer = row->consumer,
		             .source = row->source,
		             .subject = row->subject,
		             .type = row->type,
		             .error = row->error,
		             .event = row->event,
		             .id = row->id,
		             .attempts = row->attempts,
		             .held_us = row->held_at,
		             .dead_us = row->dead_at.v };
}

Err *dead_list(Db *db, Arena *a, int64_t after, size_t most, DeadLetter **out, size_t *count)
{
	HeldRow *rows;
	size_t n;
	DeadLetter *letters;

	TRY(db_all(db, a, held_dead, &rows, &n, .after = after, .most = (int64_t)most));
	letters = ARENA_ARRAY(a, DeadLetter, n);
	for (size_t i = 0; i < n; i++)
		letters[i] = letter_of(&rows[i]);
	*out = letters;
	*count = n;
	return NULL;
}

Err *dead_find(Db *db, Arena *a, Uuid id, DeadLetter **out, size_t *count)
{
	HeldRow *rows;
	size_t n;
	DeadLetter *letters;

	TRY(db_all(db, a, held_dead_of, &rows, &n, .id = id));
	letters = ARENA_ARRAY(a, DeadLetter, n);
	for (size_t i = 0; i < n; i++)
		letters[i] = letter_of(&rows[i]);
	*out = letters;
	*count = n;
	return NULL;
}

Err *dead_replay(Db *db, Arena *a, int64_t pos, bool *done)
{
	int64_t changed;

	TRY(db_exec(db, a, held_revive, &changed, .pos = pos, .now = time_utc_us()));
	*done = changed > 0;
	return NULL;
}

Err *dead_remove(Db *db, Arena *a, int64_t pos)
{
	return db_exec(db, a, held_remove, NULL, .pos = pos);
}

Err *dead_purge(Db *db, Arena *a, int64_t keep_us, int64_t *gone)
{
	int64_t before = time_utc_us() - keep_us, changed;

	*gone = 0;
	do {
		TRY(db_exec(db, a, held_dead_purge, &changed, .before = before,
		            .most = PURGED_AT_ONCE));
		*gone += changed;
	} while (changed == PURGED_AT_ONCE);
	return NULL;
}

Err *inbox_purge(Db *db, Arena *a, int64_t keep_us, int64_t *gone)
{
	int64_t before = time_utc_us() - keep_us, changed;

	*gone = 0;
	do {
		TRY(db_exec(db, a, inbox_purge, &changed, .before = before,
		            .most = PURGED_AT_ONCE));
		*gone += changed;
	} while (changed == PURGED_AT_ONCE);
	return NULL;
}

Err *consumer_rewind(Db *db, Arena *a, Str consumer, Str source, int64_t seq, int64_t *parts)
{
	return db_exec(db, a, cursor_rewind, parts, .consumer = consumer, .source = source,
	               .seq = seq, .then = 0);
}
