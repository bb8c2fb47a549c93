/* SPDX-License-Identifier: Apache-2.0
 *
 * Delivery. A batch is one transaction: the fence is asked for and the place moved on, then each event is noted in the
 * inbox and its function run. When one of them fails the transaction is undone and done again with a savepoint around each event,
 * so that the one that fails is held and the others take effect: savepoints cost two trips to the server, and failures are rare.
 *
 * Held events of a subject form a line. Its first has a time at which it is tried again, the others have the end of days; when
 * the first leaves, by success or death, the next becomes due. While a subject has a line, new events of it join the
 * end. An event leaves the line in the transaction of its effect, as it would have come.
 *
 * Who may deliver: the owner of the part's lease. Leases go by clocks, and clocks are wrong: what keeps two owners apart is the fence,
 * a number that rises with each owner and stands in the condition of every transaction's first statement. */
#include "store/consumer.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/rand.h"
#include "base/time.h"
#include "rt/fiber.h"

#include "store_consumer_sql.h"

enum { RETRIED_AT_ONCE = 32, PURGED_AT_ONCE = 500, ERROR_BYTES = 500 };

static const int64_t end_of_days = INT64_C(253402300799) * US_PER_S; /* of the year 9999 */

enum { DELIVERED, REPEATED, FAILED, DIED };
_Static_assert(DIED + 1 == PART_COUNTS, "a counter has no cell");

static const MetricFamily families[PART_COUNTS] = {
	[DELIVERED] = { "banyan_events_delivered_total",
	                METRIC_COUNTER,
	                "events",
	                "that took effect",
	                { "consumer" } },
	[REPEATED] = { "banyan_events_repeated_total",
	               METRIC_COUNTER,
	               "events",
	               "delivered again, and passed over",
	               { "consumer" } },
	[FAILED] = { "banyan_events_failed_total",
	             METRIC_COUNTER,
	             "attempts",
	             "that failed, and are made again later",
	             { "consumer" } },
	[DIED] = { "banyan_events_dead_total",
	           METRIC_COUNTER,
	           "events",
	           "given up; see banyan events dead",
	           { "consumer" } },
};

const MetricFamily *consumer_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

/* --- leases --------------------------------------------------------------------------------------------------------- */

static int64_t lease_us(const ConsumerConf *conf)
{
	return conf->lease_us ? conf->lease_us : 10 * US_PER_S;
}

void part_init(Part *part, Arena *a, const ConsumerConf *conf, Str source, int64_t number)
{
	*part = (Part){
		.conf = conf, .source = source, .part = number, .owner = uuid_text(a, uuid_new())
	};
	for (unsigned i = 0; i < PART_COUNTS; i++)
		part->cells[i] = metric_cell(&families[i], &conf->name, 1);
}

void part_fini(Part *part)
{
	if (!part->conf)
		return;
	part_leave(part);
	for (unsigned i = 0; i < PART_COUNTS; i++)
		metric_cell_free(part->cells[i]);
	part->conf = NULL;
}

static void has_lease(Part *part)
{
	part->mine = true;
	part->renew_us = time_mono_us() + lease_us(part->conf) / 3;
}

Err *part_claim(Part *part, Arena *a)
{
	const ConsumerConf *conf = part->conf;
	int64_t now = time_utc_us();
	CursorClaimRow *row;

	part->mine = false;
	TRY(db_one(conf->db, a, cursor_claim, &row, .consumer = conf->name, .source = part->source,
	           .part = part->part, .owner = part->owner, .now = now,
	           .until = now + lease_us(conf)));
	if (!row) { /* somebody's, or new */
		TRY(db_exec(conf->db, a, cursor_add, NULL, .consumer = conf->name,
		            .source = part->source, .part = part->part, .then = 0));
		TRY(db_one(conf->db, a, cursor_claim, &row, .consumer = conf->name,
		           .source = part->source, .part = part->part, .owner = part->owner,
		           .now = now, .until = now + lease_us(conf)));
	}
	if (!row)
		return NULL;
	part->seq = row->seq;
	part->fence = row->fence;
	has_lease(part);
	return NULL;
}

static Err *advance(Part *part, Db *db, Arena *a, int64_t seq)
{
	int64_t changed;

	TRY(db_exec(db, a, cursor_advance, &changed, .consumer = part->conf->name,
	            .source = part->source, .part = part->part, .fence = part->fence, .seq = seq,
	            .until = time_utc_us() + lease_us(part->conf)));
	if (changed == 0)
		return err_new(a, ERR_CONFLICT, "event.lease_lost",
		               "another instance of %.*s has taken over %.*s",
		               STR_ARG(part->conf->name), STR_ARG(part->source));
	return NULL;
}

static Err *lost_if(Part *part, Err *err)
{
	if (err_is(err, "event.lease_lost"))
		part->mine = false;
	return err;
}

Err *part_renew(Part *part, Arena *a)
{
	TRY(lost_if(part, advance(part, part->conf->db, a, part->seq)));
	has_lease(part);
	return NULL;
}

void part_leave(Part *part)
{
	AUTO(arena_freep) Arena *a = NULL;
	AUTO(shield_end) Shield shield = { 0 };

	if (!part->mine)
		return;
	part->mine = false;
	a = arena_new(0);
	shield = shield_begin(US_PER_S);
	if (db_exec(part->conf->db, a, cursor_leave, NULL, .consumer = part->conf->name,
	            .source = part->source, .part = part->part, .fence = part->fence, .then = 0))
		return; /* then its time runs out */
}

/* --- one event ------------------------------------------------------------------------------------------------------ */

/* Not the event's fault: a database, a deadline, a cancelled fiber. */
static bool is_the_worlds(const Err *err)
{
	return err->kind == ERR_BUSY || err->kind == ERR_TIMEOUT || err->kind == ERR_IO ||
	       err->kind == ERR_CANCELLED || err_is(err, "db.aborted") || err_is(err, "db.misuse");
}

static bool wanted(const ConsumerConf *conf, const Event *event)
{
	return !conf->type_count || event_type_in(event->type, conf->types, conf->type_count);
}

static int64_t pause_us(const ConsumerConf *conf, int64_t attempts)
{
	int64_t pause = conf->backoff_us ? conf->backoff_us : US_PER_S;
	int64_t most = conf->backoff_max_us ? conf->backoff_max_us : 600 * US_PER_S;

	for (int64_t i = 1; i < attempts && pause < most; i++)
		pause *= 2;
	pause = MIN(pause, most);
	return pause / 2 + (int64_t)rand_below((uint64_t)pause / 2 + 1);
}

static Str short_text(Arena *a, const Err *err)
{
	Str text = err_chain(a, err);
	Str rest = text;

	while (text.len - rest.len < ERROR_BYTES && rest.len) { /* characters, not bytes */
		uint32_t code;
		size_t n = str_utf8(rest, &code);

		rest = str_sub(rest, n ? n : 1, rest.len);
	}
	return str_fmt(a, "%s: %.*s", err->slug, (int)(text.len - rest.len), text.at);
}

static bool spent(const ConsumerConf *conf, int64_t attempts)
{
	return attempts >= (conf->attempts ? conf->attempts : 10);
}

typedef struct Work {
	Part *part;
	const Event *events;
	size_t count;
	int64_t seq;
	bool carefully;
	const Event *one; /* in a savepoint of its own */
	uint64_t counts[PART_COUNTS];
} Work;

/* At the end of its subject's line; `why`: it is the first, and failed; NULL: others are before it. */
static Err *hold(Work *work, Db *tx, Arena *a, const Event *event, const Err *why)
{
	AUTO(buf_fini) Buf b = { 0 };
	const ConsumerConf *conf = work->part->conf;
	int64_t now = time_utc_us();
	bool dead = why && spent(conf, 1);

	event_put(&b, event);
	if (why)
		work->counts[dead ? DIED : FAILED]++;
	return db_exec(tx, a, held_add, NULL, .consumer = conf->name, .source = work->part->source,
	               .part = work->part->part, .id = event->id,
	               .subject = event_subject(a, event), .type = event->type,
	               .event = buf_str(&b), .attempts = why ? 1 : 0,
	               .next_at = why ? now + pause_us(conf, 1) : end_of_days,
	               .dead_at = { .set = dead, .v = now },
	               .error = why ? short_text(a, why) : S(""), .held_at = now);
}

Err *inbox_take(Db *tx, Arena *a, Str consumer, Str source, Uuid id, bool *fresh)
{
	int64_t changed;

	TRY(db_exec(tx, a, inbox_add, &changed, .consumer = consumer, .source = source, .id = id,
	            .now = time_utc_us()));
	*fresh = changed > 0;
	return NULL;
}

static Err *give(const ConsumerConf *conf, Db *tx, Arena *a, const Event *const *events,
                 size_t count)
{
	if (conf->many)
		return count ? conf->many(tx, a, events, count, conf->arg) : NULL;
	for (size_t i = 0; i < count; i++)
		TRY(conf->fn(tx, a, events[i], conf->arg));
	return NULL;
}

static Err *take_one(Db *tx, Arena *a, void *arg)
{
	Work *work = arg;
	const ConsumerConf *conf = work->part->conf;
	bool fresh;

	TRY(inbox_take(tx, a, conf->name, work->part->source, work->one->id, &fresh));
	if (!fresh) {
		work->counts[REPEATED]++;
		return NULL;
	}
	TRY(give(conf, tx, a, &work->one, 1));
	work->counts[DELIVERED]++;
	return NULL;
}

/* --- a batch -------------------------------------------------------------------------------------------------------- */

static const Event **wanted_of(const Work *work, Arena *a, size_t *count)
{
	const Event **events = ARENA_ARRAY(a, const Event *, work->count);

	*count = 0;
	for (size_t i = 0; i < work->count; i++)
		if (wanted(work->part->conf, &work->events[i]))
			events[(*count)++] = &work->events[i];
	return events;
}

/* All or nothing, without savepoints: one trip for all notes in the inbox, then the functions. */
static Err *take_all(Work *work, Db *tx, Arena *a, const Event **events, size_t count)
{
	const ConsumerConf *conf = work->part->conf;
	int64_t *changed = ARENA_ARRAY(a, int64_t, count);
	DbBatch *batch = db_batch(a);
	int64_t now = time_utc_us();
	size_t fresh = 0;

	for (size_t i = 0; i < count; i++)
		batch_exec(batch, inbox_add, &changed[i], .consumer = conf->name,
		           .source = work->part->source, .id = events[i]->id, .now = now);
	if (count)
		TRY(db_batch_run(tx, a, batch));
	for (size_t i = 0; i < count; i++)
		if (changed[i])
			events[fresh++] = events[i];
	work->counts[DELIVERED] += fresh;
	work->counts[REPEATED] += count - fresh;
	return give(conf, tx, a, events, fresh);
}

/* While some are held: those of their subjects go behind them, the others all at once. */
static Err *take_others(Work *work, Db *tx, Arena *a, const Event **events, size_t count)
{
	const ConsumerConf *conf = work->part->conf;
	HeldFirstOfRow **first = ARENA_ARRAY(a, HeldFirstOfRow *, count);
	InboxHasRow **taken = ARENA_ARRAY(a, InboxHasRow *, count);
	DbBatch *batch = db_batch(a);
	size_t others = 0;

	for (size_t i = 0; i < count; i++) {
		batch_one(batch, inbox_has, &taken[i], .consumer = conf->name,
		          .source = work->part->source, .id = events[i]->id);
		batch_one(batch, held_first_of, &first[i], .consumer = conf->name,
		          .source = work->part->source, .subject = event_subject(a, events[i]));
	}
	if (count)
		TRY(db_batch_run(tx, a, batch));
	for (size_t i = 0; i < count; i++) {
		if (first[i] && !taken[i])
			TRY(hold(work, tx, a, events[i], NULL));
		else
			events[others++] = events[i];
	}
	return take_all(work, tx, a, events, others);
}

/* Each on its own: behind its subject's line if there is one, held if it fails. */
static Err *take_each(Work *work, Db *tx, Arena *a, const Event **events, size_t count)
{
	const ConsumerConf *conf = work->part->conf;

	for (size_t i = 0; i < count; i++) {
		HeldFirstOfRow *first;
		InboxHasRow *taken;
		Err *err;

		TRY(db_one(tx, a, inbox_has, &taken, .consumer = conf->name,
		           .source = work->part->source, .id = events[i]->id));
		if (taken) {
			work->counts[REPEATED]++;
			continue;
		}
		TRY(db_one(tx, a, held_first_of, &first, .consumer = conf->name,
		           .source = work->part->source, .subject = event_subject(a, events[i])));
		if (first) {
			TRY(hold(work, tx, a, events[i], NULL));
			continue;
		}
		work->one = events[i];
		err = db_txn(tx, a, DB_READ_COMMITTED, take_one, work);
		if (err && is_the_worlds(err))
			return err;
		if (err)
			TRY(hold(work, tx, a, events[i], err));
	}
	return NULL;
}

static Err *deliver(Db *tx, Arena *a, void *arg)
{
	Work *work = arg;
	Part *part = work->part;
	const Event **events;
	HeldAnyRow *held;
	size_t count;

	for (size_t i = 0; i < PART_COUNTS; i++)
		work->counts[i] = 0;
	TRY(advance(part, tx, a, work->seq));
	events = wanted_of(work, a, &count);
	if (work->carefully)
		return take_each(work, tx, a, events, count);
	TRY(db_one(tx, a, held_any, &held, .consumer = part->conf->name, .source = part->source,
	           .part = part->part));
	return (held ? take_others : take_all)(work, tx, a, events, count);
}

static void count_all(const Work *work)
{
	for (unsigned i = 0; i < PART_COUNTS; i++)
		if (work->counts[i])
			metric_add(work->part->cells[i], work->counts[i]);
}

Err *part_deliver(Part *part, Arena *a, const Event *events, size_t count, int64_t seq)
{
	Work work = { .part = part, .events = events, .count = count, .seq = seq };
	Db *db = part->conf->db;
	Err *err = db_txn(db, a, DB_READ_COMMITTED, deliver, &work);

	if (err && !is_the_worlds(err) && !err_is(err, "event.lease_lost")) {
		work.carefully = true;
		err = db_txn(db, a, DB_READ_COMMITTED, deliver, &work);
	}
	TRY(lost_if(part, err));
	part->seq = seq;
	has_lease(part);
	count_all(&work);
	return NULL;
}

/* --- held events ---------------------------------------------------------------------------------------------------- */

typedef struct Again {
	Work work;
	const HeldRow *row;
	Event event;
	Err *bad; /* it is no event */
} Again;

static Err *next_in_line(Db *tx, Arena *a, const HeldRow *gone)
{
	HeldFirstOfRow *first;

	TRY(db_one(tx, a, held_first_of, &first, .consumer = gone->consumer, .source = gone->source,
	           .subject = gone->subject));
	if (first && first->next_at == end_of_days)
		return db_exec(tx, a, held_due_now, NULL, .pos = first->pos, .now = time_utc_us());
	return NULL;
}

static Err *try_again(Db *tx, Arena *a, void *arg)
{
	Again *again = arg;
	Work *work = &again->work;
	const HeldRow *row = again->row;
	const ConsumerConf *conf = work->part->conf;
	int64_t now = time_utc_us(), attempts = row->attempts + 1;
	bool dead;
	Err *err;

	for (size_t i = 0; i < PART_COUNTS; i++)
		work->counts[i] = 0;
	TRY(advance(work->part, tx, a, work->part->seq));
	work->one = &again->event;
	err = again->bad ? again->bad : db_txn(tx, a, DB_READ_COMMITTED, take_one, work);
	if (err && is_the_worlds(err))
		return err;
	if (!err) {
		TRY(db_exec(tx, a, held_remove, NULL, .pos = row->pos));
		return next_in_line(tx, a, row);
	}
	dead = again->bad || spent(conf, attempts);
	work->counts[dead ? DIED : FAILED]++;
	TRY(db_exec(tx, a, held_put_off, NULL, .pos = row->pos, .attempts = attempts,
	            .next_at = now + pause_us(conf, attempts), .dead_at = { .set = dead, .v = now },
	            .error = short_text(a, err)));
	return dead ? next_in_line(tx, a, row) : NULL;
}

Err *part_retry(Part *part, Arena *a, int64_t most_us, int64_t *wait_us)
{
	const ConsumerConf *conf = part->conf;
	int64_t now = time_utc_us();
	HeldNextTimeRow *next;
	HeldRow *rows;
	size_t count;

	TRY(db_all(conf->db, a, held_due, &rows, &count, .consumer = conf->name,
	           .source = part->source, .part = part->part, .now = now,
	           .most = RETRIED_AT_ONCE));
	for (size_t i = 0; i < count; i++) {
		Again again = { .work = { .part = part }, .row = &rows[i] };

		again.bad = event_read(a, rows[i].event, &again.event);
		TRY(lost_if(part, db_txn(conf->db, a, DB_READ_COMMITTED, try_again, &again)));
		has_lease(part);
		count_all(&again.work);
	}
	TRY(db_one(conf->db, a, held_next_time, &next, .consumer = conf->name,
	           .source = part->source, .part = part->part));
	*wait_us = next ? MAX(0, MIN(most_us, next->next_at - time_utc_us())) : most_us;
	return NULL;
}

typedef struct Burial {
	Part *part;
	Uuid id;
	Str text;
	const Err *why;
} Burial;

static Err *bury(Db *tx, Arena *a, void *arg)
{
	AUTO(buf_fini) Buf b = { 0 };
	const Burial *burial = arg;
	Part *part = burial->part;
	int64_t now = time_utc_us();

	json_put_quoted(&b, burial->text);
	TRY(advance(part, tx, a, part->seq));
	return db_exec(tx, a, held_add, NULL, .consumer = part->conf->name, .source = part->source,
	               .part = part->part, .id = burial->id, .subject = S(""), .type = S(""),
	               .event = buf_str(&b), .attempts = 1, .next_at = now, .dead_at = opt_int(now),
	               .error = short_text(a, burial->why), .held_at = now);
}

Err *part_bury(Part *part, Arena *a, Uuid id, Str text, const Err *why)
{
	Burial burial = { part, id, text, why };

	TRY(lost_if(part, db_txn(part->conf->db, a, DB_READ_COMMITTED, bury, &burial)));
	metric_add(part->cells[DIED], 1);
	return NULL;
}
