/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes in the book: one row each, from the intent until both sides have it. The row's state is where it stands:
 *
 *   open      the side that the user is on is being asked, or the process that asked it is gone
 *   unknown   nobody knows what it did; it is to be asked again (`repeat`)
 *   due       it took it; the other side is to have it
 *   dead      a person must look: its reason is unknown, refused or given_up
 *   skipped   a person has looked, and those behind it go on
 *   differs   both have it, their answers were not alike; kept to be looked at
 *
 * A dead one holds up what comes after it in its key. Three things keep the order, whoever runs: a unique index on `gate`, which is the
 * key while a write is open or unknown, so that two of one key are never asked at the same time; the intent's condition, that the side it
 * goes to has all earlier ones of its key; and `turn`, given in the statement that opens the gate, by which the claim takes the
 * first of a key only. The row's number is no such order: PostgreSQL takes it before it looks at the gate, and who was held up in
 * between has a lower one than who was let through meanwhile.
 *
 * Who has claimed a row writes with the fence it got, so one who slept over its end changes nothing; and whoever has not beaten
 * for ten seconds is taken to be gone (shift_writers). */
#include "shift/dual_book.h"

#include "base/arena.h"
#include "base/time.h"

#include <signal.h>
#include <unistd.h>

#include <errno.h>

/* No pause is as long: where a row is to wait for longer, a clock was set back meanwhile. */
#define DUAL_FAR_US (120 * US_PER_S)
#define LOST "the gateway that asked the first side ended before it had an answer"

Err *dual_book_admit(Arena *a, const DualIntent *intent, DualAdmitted *out)
{
	const DualRules *rules = intent->rules;
	bool gated = rules->conf->overlap == OVERLAP_WAIT;
	WriteAdmitRow *row;

	TRY(db_one(dual_db(), a, write_admit, &row, .id = intent->id, .subject = rules->name,
	           .route = rules->route, .write_key = intent->key,
	           .gate = gated ? opt_str(intent->key) : (OptStr){ 0 },
	           .target = dual_side(intent->to_new), .method = intent->head->method,
	           .path = intent->head->target, .authority = intent->head->authority,
	           .fields = intent->fields, .body = intent->body,
	           .idempotency_key = intent->idempotency_key, .repeats = rules->conf->repeat,
	           .owner = dual_owner(), .now = time_utc_us(), .nothing = S("")));
	*out = !row ? DUAL_WAITS : row->behind ? DUAL_ADMITTED_BEHIND : DUAL_ADMITTED;
	return NULL;
}

Err *dual_book_in_way(Arena *a, const DualIntent *intent, DualInWay *out)
{
	WriteInWayRow *row;

	TRY(db_one(dual_db(), a, write_in_way, &row, .subject = intent->rules->name,
	           .write_key = intent->key, .side = dual_side(!intent->to_new)));
	*out = row ? (DualInWay){ row->gated, row->coming, row->stuck, row->lost }
	           : (DualInWay){ 0 };
	return NULL;
}

Err *dual_book_set_aside(Arena *a, const DualIntent *intent)
{
	return db_exec(dual_db(), a, write_set_aside, NULL, .subject = intent->rules->name,
	               .write_key = intent->key, .side = dual_side(!intent->to_new));
}

/* --- outcomes -------------------------------------------------------------------------------------------------------------- */

static void put_outcome(DbBatch *batch, const DualWrite *w)
{
	Str target = dual_side(w->to_new);
	int64_t now_us = time_utc_us();

	if (w->fate == DUAL_TAKEN)
		batch_exec(batch, write_taken, NULL, .id = w->id, .target = target,
		           .status = w->answer.status, .answer = w->kept, .now = now_us);
	else if (w->fate == DUAL_REFUSED)
		batch_exec(batch, write_refused, NULL, .id = w->id);
	else
		batch_exec(batch, write_lost, NULL, .id = w->id, .target = target, .now = now_us,
		           .said = w->said);
}

Err *dual_book_outcomes(Arena *a, DualWrite *const *writes, size_t count)
{
	DbBatch *batch = db_batch(a);

	for (size_t i = 0; i < count; i++)
		put_outcome(batch, writes[i]);
	TRY(db_batch_run(dual_db(), a, batch));
	return db_tell(dual_db(), a, DUAL_CHANNEL);
}

Err *dual_book_orphans(Arena *a, int64_t *found)
{
	return db_exec(dual_db(), a, write_orphans, found, .now = time_utc_us(),
	               .owner = dual_owner(), .said = S(LOST));
}

/* --- the other side -------------------------------------------------------------------------------------------------------- */

Err *dual_book_claim(Arena *a, Str subject, uint32_t most, WriteRow **rows, size_t *count)
{
	int64_t now_us = time_utc_us();

	return db_all(dual_db(), a, write_claim, rows, count, .subject = subject,
	              .owner = dual_owner(), .now = now_us, .far = now_us + DUAL_FAR_US,
	              .most = most);
}

Err *dual_book_claimed(Arena *a, WritesClaimedRow **rows, size_t *count)
{
	return db_all(dual_db(), a, writes_claimed, rows, count, .owner = dual_owner());
}

Err *dual_book_unclaim(Arena *a, const WritesClaimedRow *row)
{
	return db_exec(dual_db(), a, write_unclaim, NULL, .id = row->id, .fence = row->fence,
	               .owner = dual_owner());
}

Err *dual_book_end(Arena *a, const WriteRow *row)
{
	TRY(db_exec(dual_db(), a, write_end, NULL, .id = row->id, .fence = row->fence));
	return db_tell(dual_db(), a, DUAL_CHANNEL);
}

Err *dual_book_differs(Arena *a, const WriteRow *row, Str said)
{
	TRY(db_exec(dual_db(), a, write_differs, NULL, .id = row->id, .fence = row->fence,
	            .said = said));
	TRY(db_exec(dual_db(), a, write_prune, NULL, .subject = row->subject,
	            .keep = DUAL_DIFFERS_KEPT));
	return db_tell(dual_db(), a, DUAL_CHANNEL);
}

Err *dual_book_again(Arena *a, const WriteRow *row, int64_t pause_us, Str said)
{
	return db_exec(dual_db(), a, write_again, NULL, .id = row->id, .fence = row->fence,
	               .tries = row->tries, .fails = row->fails,
	               .retry_at = time_utc_us() + pause_us, .said = said);
}

Err *dual_book_dies(Arena *a, const WriteRow *row, Str reason, Str said)
{
	return db_exec(dual_db(), a, write_dies, NULL, .id = row->id, .fence = row->fence,
	               .tries = row->tries, .fails = row->fails, .reason = reason, .said = said);
}

Err *dual_book_asked(Arena *a, const WriteRow *row, unsigned status, Str answer)
{
	TRY(db_exec(dual_db(), a, write_asked, NULL, .id = row->id, .fence = row->fence,
	            .status = status, .answer = answer, .now = time_utc_us()));
	return db_tell(dual_db(), a, DUAL_CHANNEL);
}

/* --- people ---------------------------------------------------------------------------------------------------------------- */

Err *dual_book_counts(Arena *a, WriteCountsRow **rows, size_t *count)
{
	return db_all(dual_db(), a, write_counts, rows, count);
}

Err *dual_book_page(Arena *a, Str subject, Str state, int64_t after, uint32_t most, WriteRow **rows,
                    size_t *count)
{
	return db_all(dual_db(), a, write_page, rows, count, .subject = subject, .state = state,
	              .after = after, .most = most);
}

Err *dual_book_by_seq(Arena *a, Str subject, int64_t seq, WriteRow **row)
{
	return db_one(dual_db(), a, write_by_seq, row, .subject = subject, .seq = seq);
}

static Err *retry(Arena *a, const DualRepair *ask, int64_t seq, int64_t *changed)
{
	int64_t now_us = time_utc_us();

	if (!seq)
		return db_exec(dual_db(), a, write_retry_all, changed, .subject = ask->subject,
		               .now = now_us);
	TRY(db_exec(dual_db(), a, write_retry, changed, .subject = ask->subject, .seq = seq,
	            .now = now_us));
	if (*changed)
		return NULL;
	return db_exec(dual_db(), a, write_hurry, changed, .subject = ask->subject, .seq = seq,
	               .now = now_us);
}

Err *dual_book_repair(Arena *a, const DualRepair *ask, int64_t seq, int64_t *changed)
{
	if (str_eq(ask->action, S("retry")))
		TRY(retry(a, ask, seq, changed));
	else if (str_eq(ask->action, S("skip")))
		TRY(db_exec(dual_db(), a, write_skip, changed, .subject = ask->subject,
		            .seq = seq));
	else
		TRY(db_exec(dual_db(), a, write_drop, changed, .subject = ask->subject,
		            .seq = seq));
	return db_tell(dual_db(), a, DUAL_CHANNEL);
}

/* --- being alive ----------------------------------------------------------------------------------------------------------- */

Err *dual_book_beat(Arena *a, Str place, int64_t for_us)
{
	int64_t now_us = time_utc_us();

	TRY(db_exec(dual_db(), a, writer_beat, NULL, .owner = dual_owner(),
	            .gateway = dual_gateway(), .place = place, .pid = getpid(),
	            .until = now_us + for_us));
	return db_exec(dual_db(), a, writers_purge, NULL, .before = now_us - 3600 * US_PER_S);
}

static bool is_gone(const WritersAllRow *row, Str place)
{
	return str_eq(row->place, place) && row->pid > 0 && !uuid_eq(row->owner, dual_owner()) &&
	       (row->pid == getpid() || (kill((pid_t)row->pid, 0) && errno == ESRCH));
}

Err *dual_book_bury(Arena *a, Str place)
{
	WritersAllRow *rows;
	size_t count;

	TRY(db_all(dual_db(), a, writers_all, &rows, &count));
	for (size_t i = 0; i < count; i++)
		if (is_gone(&rows[i], place))
			TRY(db_exec(dual_db(), a, writer_end, NULL, .owner = rows[i].owner));
	return NULL;
}

Err *dual_book_leave(Arena *a)
{
	TRY(db_exec(dual_db(), a, writer_gives_back, NULL, .owner = dual_owner()));
	TRY(db_exec(dual_db(), a, writer_end, NULL, .owner = dual_owner()));
	return db_tell(dual_db(), a, DUAL_CHANNEL);
}
