/* SPDX-License-Identifier: Apache-2.0
 *
 * Events on PostgreSQL: what SQLite does too, and what is about transactions that end in another order than they began. */
#include "store/outbox.c"

#include "events_suite.h"

#include "events_pg.h"

/* --- transactions that end in another order than they began ------------------------------------------------------------- */

/* A transaction on a fiber of its own, which writes something, waits until it is let go, puts an event of `late` and ends. */
typedef struct Slow {
	Db *db;
	Arena *a;
	const char *early, *late; /* an event at the beginning, one at the end; NULL: none */
	bool begun, go;
	Child child;
} Slow;

static Err *slow_body(Db *tx, Arena *a, void *arg)
{
	Slow *slow = arg;
	EffectsCountRow *row;

	TRY(db_exec(tx, a, job_entry_add, NULL, .job = uuid_new())); /* its id is given now */
	if (slow->early)
		TRY(cause(tx, a, (void *)(uintptr_t)slow->early));
	slow->begun = true;
	while (!slow->go)
		TRY(db_one(tx, a, effects_count, &row, .consumer = S("nobody")));
	return slow->late ? cause(tx, a, (void *)(uintptr_t)slow->late) : NULL;
}

static Err *slow_main(void *arg)
{
	Slow *slow = arg;

	return db_txn(slow->db, slow->a, DB_READ_COMMITTED, slow_body, slow);
}

static Err *slow_start(Slow *slow, Db *db)
{
	slow->db = db;
	slow->a = arena_new(0);
	TRY(child_start(&slow->child, slow_main, slow, "slow"));
	while (!slow->begun)
		TRY(fiber_sleep(US_PER_MS));
	return NULL;
}

static Err *slow_end(Slow *slow)
{
	slow->go = true;
	TRY(child_join(&slow->child));
	arena_freep(&slow->a);
	return NULL;
}

SUITE_TEST(what_is_committed_late_is_neither_lost_nor_holds_up_others)
{
	Taker taker = { .name = "all" };
	ConsumerConf conf = consumer_of(db, &taker);
	AUTO(part_fini) Part part = { 0 };
	Slow slow = { .early = "late" };

	TRY(slow_start(&slow, db)); /* its event was inserted before all others */
	part_init(&part, a, &conf, S("/test"), 0);
	TRY(part_claim(&part, a));
	TRY(cause_some(db, a, "a", 3));
	TRY(deliver_all(db, a, &part));
	TRY(check_effects(db, a, "all", "a1 a2 a3"));
	TRY(slow_end(&slow));
	TRY(cause_some(db, a, "b", 1));
	TRY(deliver_all(db, a, &part));
	return check_effects(db, a, "all", "a1 a2 a3 late1 b1");
}

/* By transaction ids "a2" would come first: its transaction is the older one, and the eldest keeps "a1" back. */
SUITE_TEST(an_aggregate_s_order_is_that_of_its_lock)
{
	Taker taker = { .name = "all" };
	ConsumerConf conf = consumer_of(db, &taker);
	AUTO(part_fini) Part part = { 0 };
	Slow older = { .late = "a" }, between = { 0 };

	TRY(slow_start(&older, db));
	TRY(slow_start(&between, db));
	TRY(cause_some(db, a, "a",
	               1)); /* the youngest transaction, and the first to have the lock */
	TRY(slow_end(&older));
	part_init(&part, a, &conf, S("/test"), 0);
	TRY(part_claim(&part, a));
	TRY(deliver_all(db, a, &part));
	TRY(check_effects(db, a, "all", "a1 a2"));
	TRY(slow_end(&between));
	return NULL;
}

/* Many readers give places at once: each place once, in one order. */
SUITE_TEST(places_are_given_once)
{
	Taker takers[4] = {
		{ .name = "r0" }, { .name = "r1" }, { .name = "r2" }, { .name = "r3" }
	};
	Consuming readers[4] = { 0 };
	Event *events;
	size_t count;

	for (size_t i = 0; i < COUNT(readers); i++)
		TRY(consume(&readers[i], db, a, &takers[i]));
	TRY(cause_some(db, a, "a", 100));
	TRY(cause_some(db, a, "b", 100));
	for (size_t i = 0; i < COUNT(readers); i++) {
		TRY(effects_reach(db, a, takers[i].name, 200));
		TRY(consume_end(&readers[i]));
		CHECK_INT(takers[i].calls, 200);
	}
	TRY(outbox_read(db, a, S("/test"), 0, 1000, &events, &count));
	CHECK_INT(count, 200);
	for (size_t i = 0; i < count; i++)
		CHECK_INT(events[i].seq, i + 1);
	return NULL;
}
