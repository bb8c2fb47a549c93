/* SPDX-License-Identifier: Apache-2.0
 *
 * Outbox, consumers and the local bus on any engine: see events_base.h. */
#pragma once
#include "events_effects.h"

static Err *deliver_all(Db *db, Arena *a, Part *part)
{
	Event *events;
	size_t count;

	TRY(outbox_read(db, a, S("/test"), part->seq, 100, &events, &count));
	return count ? part_deliver(part, a, events, count, events[count - 1].seq) : NULL;
}

/* Until no held event is to be tried. */
static Err *retry_all(Part *part, Arena *a)
{
	int64_t wait_us;

	do {
		TRY(part_retry(part, a, US_PER_S, &wait_us));
		TRY(fiber_sleep(MIN(wait_us, US_PER_MS)));
	} while (wait_us < US_PER_S);
	return NULL;
}

/* --- the outbox ------------------------------------------------------------------------------------------------------- */

SUITE_TEST(events_are_read_as_they_were_put)
{
	Str trace = S("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	Event event = { .type = S("user.created"),
		        .aggregate_type = S("user"),
		        .aggregate_id = S("4/2"),
		        .time_us = 1769903999123456,
		        .traceparent = trace,
		        .data = S("{\"total\": 9007199254740993}") };
	Event *events;
	size_t count;
	Uuid id;

	TRY(outbox_put(db, a, &event, &id));
	event.data = event.traceparent = S("");
	TRY(outbox_put(db, a, &event, NULL));
	TRY(outbox_read(db, a, S("/test"), 0, 10, &events, &count));
	CHECK_INT(count, 2);
	CHECK(uuid_eq(events[0].id, id));
	CHECK_STR(events[0].source, S("/test"));
	CHECK_STR(events[0].type, S("user.created"));
	CHECK_STR(event_subject(a, &events[0]), S("user/4/2"));
	CHECK_STR(events[0].traceparent, trace);
	CHECK_STR(events[0].data, S("{\"total\": 9007199254740993}"));
	CHECK_INT(events[0].time_us, 1769903999123456);
	CHECK_STR(events[1].data, S("null"));
	CHECK_INT(events[1].traceparent.len, 0);
	CHECK(events[1].seq > events[0].seq);
	TRY(outbox_read(db, a, S("/test"), events[0].seq, 10, &events, &count));
	CHECK_INT(count, 1);
	TRY(outbox_read(db, a, S("/test"), events[0].seq, 10, &events, &count));
	CHECK_INT(count, 0);
	return NULL;
}

static Err *put_and_fail(Db *tx, Arena *a, void *arg)
{
	TRY(cause(tx, a, arg));
	return err_new(a, ERR_INVALID, "test.no", "rolled back");
}

SUITE_TEST(events_are_there_only_when_their_cause_is)
{
	Event *events;
	size_t count;

	CHECK_ERR(db_txn(db, a, DB_READ_COMMITTED, put_and_fail, (void *)(uintptr_t) "a"),
	          "test.no");
	TRY(outbox_read(db, a, S("/test"), 0, 10, &events, &count));
	CHECK_INT(count, 0);
	CHECK_ERR(outbox_put(db, a, &(Event){ .type = S("a b") }, NULL), "event.invalid");
	return NULL;
}

SUITE_TEST(events_stay_until_every_reader_has_them)
{
	OutboxLoss loss;
	Event *events;
	size_t count;
	int64_t gone;
	bool known;

	TRY(cause_some(db, a, "a", 4));
	TRY(outbox_read(db, a, S("/test"), 0, 10, &events, &count));
	TRY(outbox_seen(db, a, S("fast"), events[3].seq));
	TRY(outbox_seen(db, a, S("slow"), events[0].seq));
	TRY(outbox_purge(db, a, US_PER_S * 3600, &gone));
	CHECK_INT(gone, 0);
	TRY(outbox_purge(db, a, -US_PER_S, &gone));
	CHECK_INT(gone, 1);
	TRY(outbox_loss(db, a, &(OutboxReader){ S("slow"), events[0].seq, 0 }, &loss));
	CHECK_INT(loss.unread, 3);
	CHECK_INT(loss.alone, 3);
	CHECK(loss.since_us > 0);
	TRY(outbox_loss(db, a, &(OutboxReader){ S("fast"), events[3].seq, 0 }, &loss));
	CHECK_INT(loss.unread, 0);
	CHECK_INT(loss.since_us, 0);
	TRY(outbox_loss(db, a, &(OutboxReader){ S("fast"), 0, 0 }, &loss));
	CHECK_INT(loss.unread, 3);
	CHECK_INT(loss.alone, 0); /* the slow one waits for them too */
	TRY(outbox_forget(db, a, S("slow"), &known));
	CHECK(known);
	TRY(outbox_forget(db, a, S("slow"), &known));
	CHECK(!known);
	TRY(outbox_purge(db, a, -US_PER_S, &gone));
	CHECK_INT(gone, 3);
	TRY(cause_some(db, a, "a", 1)); /* places are never given again */
	TRY(outbox_read(db, a, S("/test"), events[3].seq, 10, &events, &count));
	CHECK_INT(count, 1);
	return NULL;
}

/* --- consumers -------------------------------------------------------------------------------------------------------- */

SUITE_TEST(an_event_takes_effect_once_however_often_it_comes)
{
	Taker taker = { .name = "once" };
	ConsumerConf conf = consumer_of(db, &taker);
	AUTO(part_fini) Part part = { 0 };

	TRY(cause_some(db, a, "a", 2));
	TRY(cause_some(db, a, "b", 1));
	part_init(&part, a, &conf, S("/test"), 0);
	TRY(part_claim(&part, a));
	CHECK(part.mine);
	TRY(deliver_all(db, a, &part));
	part.seq = 0; /* as a relay that died before it wrote down where it was */
	TRY(deliver_all(db, a, &part));
	TRY(check_effects(db, a, "once", "a1 a2 b1"));
	CHECK_INT(metric_value(part.cells[0]), 3);
	CHECK_INT(metric_value(part.cells[1]), 3);
	return NULL;
}

SUITE_TEST(a_consumer_passes_over_what_it_does_not_want)
{
	static const char *const types[] = { "other.*" };
	Taker taker = { .name = "choosy" };
	ConsumerConf conf = consumer_of(db, &taker);
	AUTO(part_fini) Part part = { 0 };

	conf.types = types;
	conf.type_count = 1;
	TRY(cause_some(db, a, "a", 2));
	part_init(&part, a, &conf, S("/test"), 0);
	TRY(part_claim(&part, a));
	TRY(deliver_all(db, a, &part));
	TRY(check_effects(db, a, "choosy", ""));
	CHECK(part.seq > 0);
	return NULL;
}

SUITE_TEST(what_fails_holds_up_its_aggregate_only)
{
	Taker taker = { .name = "some", .refuses = "a", .refused = 2 };
	ConsumerConf conf = consumer_of(db, &taker);
	AUTO(part_fini) Part part = { 0 };
	DeadLetter *dead;
	size_t count;

	TRY(cause_some(db, a, "a", 3));
	TRY(cause_some(db, a, "b", 2));
	part_init(&part, a, &conf, S("/test"), 0);
	TRY(part_claim(&part, a));
	TRY(deliver_all(db, a, &part));
	TRY(check_effects(db, a, "some", "a1 b1 b2"));
	TRY(cause_some(db, a, "a", 1));
	TRY(cause_some(db, a, "b", 1));
	TRY(deliver_all(db, a, &part));
	TRY(check_effects(db, a, "some", "a1 b1 b2 b3"));
	taker.refuses = NULL;
	TRY(retry_all(&part, a));
	TRY(check_effects(db, a, "some", "a1 b1 b2 b3 a2 a3 a4"));
	TRY(dead_list(db, a, 0, 10, &dead, &count));
	CHECK_INT(count, 0);
	part.seq = 0; /* and all of it is known */
	TRY(deliver_all(db, a, &part));
	TRY(check_effects(db, a, "some", "a1 b1 b2 b3 a2 a3 a4"));
	return NULL;
}

/* As take, of as many as come; gives[n]: how often it was given n. */
typedef struct Eater {
	Taker taker; /* first: take's */
	unsigned gives[8];
} Eater;

static Err *eat(Db *tx, Arena *a, const Event *const *events, size_t count, void *arg)
{
	Eater *eater = arg;

	CHECK(count > 0 && count < COUNT(eater->gives));
	eater->gives[count]++;
	for (size_t i = 0; i < count; i++)
		TRY(take(tx, a, events[i], &eater->taker));
	return NULL;
}

static void eats(ConsumerConf *conf, Eater *eater)
{
	conf->fn = NULL;
	conf->many = eat;
	conf->arg = eater;
}

SUITE_TEST(what_comes_together_is_given_at_once)
{
	Eater eater = { .taker = { .name = "many", .refuses = "a", .refused = 3 } };
	ConsumerConf conf = consumer_of(db, &eater.taker);
	AUTO(part_fini) Part part = { 0 };
	int64_t seq;

	eats(&conf, &eater);
	TRY(cause_some(db, a, "a", 2));
	TRY(cause_some(db, a, "b", 2));
	part_init(&part, a, &conf, S("/test"), 0);
	TRY(part_claim(&part, a));
	TRY(deliver_all(db, a, &part));
	CHECK_INT(eater.gives[4], 1);
	seq = part.seq;
	part.seq = 0; /* a relay that died: none of it is new */
	TRY(deliver_all(db, a, &part));
	CHECK_INT(eater.taker.calls, 4);
	CHECK_INT(part.seq, seq);

	TRY(cause_some(db, a, "b", 1));
	TRY(cause_some(db, a, "a", 2)); /* a3 fails: each is given alone, a4 waits */
	TRY(deliver_all(db, a, &part));
	TRY(check_effects(db, a, "many", "a1 a2 b1 b2 b3"));
	CHECK_INT(eater.gives[3], 1);
	CHECK_INT(eater.gives[1], 2);

	TRY(cause_some(db, a, "b", 2)); /* while it is held the others still come together */
	TRY(cause_some(db, a, "a", 1));
	TRY(cause_some(db, a, "c", 3));
	part.seq = 0;
	TRY(deliver_all(db, a, &part));
	CHECK_INT(eater.gives[5], 1);
	TRY(check_effects(db, a, "many", "a1 a2 b1 b2 b3 b4 b5 c1 c2 c3"));
	eater.taker.refuses = NULL;
	TRY(retry_all(&part, a));
	return check_effects(db, a, "many", "a1 a2 b1 b2 b3 b4 b5 c1 c2 c3 a3 a4 a5");
}

SUITE_TEST(of_what_comes_together_only_what_fails_for_good_is_a_dead_letter)
{
	Eater eater = { .taker = { .name = "glutton", .refuses = "a", .refused = 2 } };
	ConsumerConf conf = consumer_of(db, &eater.taker);
	AUTO(part_fini) Part part = { 0 };
	DeadLetter *dead;
	size_t count;

	eats(&conf, &eater);
	TRY(cause_some(db, a, "a", 3));
	TRY(cause_some(db, a, "b", 3));
	part_init(&part, a, &conf, S("/test"), 0);
	TRY(part_claim(&part, a));
	TRY(deliver_all(db, a, &part));
	TRY(retry_all(&part, a));
	TRY(check_effects(db, a, "glutton", "a1 b1 b2 b3 a3"));
	TRY(dead_list(db, a, 0, 10, &dead, &count));
	CHECK_INT(count, 1);
	CHECK_STR(dead[0].subject, S("thing/a"));
	CHECK_INT(dead[0].attempts, 3);
	return NULL;
}

SUITE_TEST(what_fails_for_good_is_a_dead_letter_until_a_person_looks)
{
	Taker taker = { .name = "strict", .refuses = "a", .refused = 1 };
	ConsumerConf conf = consumer_of(db, &taker);
	AUTO(part_fini) Part part = { 0 };
	DeadLetter *dead;
	size_t count;
	int64_t gone;
	bool done;

	TRY(cause_some(db, a, "a", 2));
	part_init(&part, a, &conf, S("/test"), 0);
	TRY(part_claim(&part, a));
	TRY(deliver_all(db, a, &part));
	TRY(retry_all(&part, a));
	TRY(check_effects(db, a, "strict", "a2"));
	CHECK_INT(taker.calls, 1 + 1 + 2 + 1); /* fast, careful, two more, and the one behind it */
	TRY(dead_list(db, a, 0, 10, &dead, &count));
	CHECK_INT(count, 1);
	CHECK_STR(dead[0].subject, S("thing/a"));
	CHECK_STR(dead[0].error, S("test.refused: not this one"));
	CHECK_INT(dead[0].attempts, 3);
	TRY(deliver_all(db, a, &part));
	TRY(dead_purge(db, a, US_PER_S * 3600, &gone));
	CHECK_INT(gone, 0);

	taker.refuses = NULL;
	TRY(dead_replay(db, a, dead[0].pos, &done));
	CHECK(done);
	TRY(retry_all(&part, a));
	TRY(check_effects(db, a, "strict", "a2 a1"));
	TRY(dead_find(db, a, dead[0].id, &dead, &count));
	CHECK_INT(count, 0);
	return NULL;
}

SUITE_TEST(who_slept_over_its_lease_changes_nothing)
{
	Taker taker = { .name = "two" };
	ConsumerConf conf = consumer_of(db, &taker), quick = conf;
	AUTO(part_fini) Part first = { 0 };
	AUTO(part_fini) Part second = { 0 };

	quick.lease_us = 1;
	TRY(cause_some(db, a, "a", 2));
	part_init(&first, a, &quick, S("/test"), 0);
	part_init(&second, a, &conf, S("/test"), 0);
	TRY(part_claim(&first, a));
	CHECK(first.mine);
	do {
		TRY(fiber_sleep(10));
		TRY(part_claim(&second, a));
	} while (!second.mine);
	CHECK_ERR(deliver_all(db, a, &first), "event.lease_lost");
	CHECK(!first.mine);
	TRY(check_effects(db, a, "two", ""));
	TRY(deliver_all(db, a, &second));
	TRY(part_claim(&first, a));
	CHECK(!first.mine);
	part_leave(&second);
	TRY(part_claim(&first, a));
	CHECK(first.mine);
	CHECK_INT(first.seq, second.seq);
	TRY(deliver_all(db, a, &first));
	TRY(check_effects(db, a, "two", "a1 a2"));
	return NULL;
}

SUITE_TEST(an_inbox_without_a_bus)
{
	Uuid id = uuid_new();
	int64_t gone;
	bool fresh;

	TRY(inbox_take(db, a, S("hooks"), S("/psp"), id, &fresh));
	CHECK(fresh);
	TRY(inbox_take(db, a, S("hooks"), S("/psp"), id, &fresh));
	CHECK(!fresh);
	TRY(inbox_take(db, a, S("others"), S("/psp"), id, &fresh));
	CHECK(fresh);
	TRY(inbox_purge(db, a, US_PER_S, &gone));
	CHECK_INT(gone, 0);
	TRY(inbox_purge(db, a, -US_PER_S, &gone));
	CHECK_INT(gone, 2);
	return NULL;
}

/* --- the local bus ---------------------------------------------------------------------------------------------------- */

typedef struct Consuming {
	Bus *bus;
	ConsumerConf conf;
	BusSource source;
	Child child;
} Consuming;

static Err *consume_main(void *arg)
{
	Consuming *c = arg;

	return bus_consume(c->bus, &c->conf, &c->source);
}

static Err *consume(Consuming *c, Db *db, Arena *a, Taker *taker)
{
	*c = (Consuming){ .bus = bus_new(a, &(BusConf){ 0 }),
		          .conf = consumer_of(db, taker),
		          .source = { S("/test"), db } };
	return child_start(&c->child, consume_main, c, "consumer");
}

static Err *consume_end(Consuming *c)
{
	fiber_cancel(c->child.fiber);
	CHECK_ERR(child_join(&c->child), "rt.cancelled");
	return NULL;
}

SUITE_TEST(a_local_bus_gives_everything_to_every_consumer)
{
	Taker one = { .name = "one" }, two = { .name = "two" };
	Consuming first = { 0 }, second = { 0 }, again = { 0 };
	OutboxReader *readers;
	size_t count;

	TRY(cause_some(db, a, "a", 70));
	TRY(consume(&first, db, a, &one));
	TRY(consume(&second, db, a, &two));
	TRY(effects_reach(db, a, "one", 70));
	TRY(cause_some(db, a, "b", 30));
	TRY(effects_reach(db, a, "one", 100));
	TRY(effects_reach(db, a, "two", 100));
	TRY(consume_end(&first));
	TRY(cause_some(db, a, "c", 10));
	TRY(consume(&again, db, a, &one)); /* goes on where the other was */
	TRY(effects_reach(db, a, "one", 110));
	TRY(effects_reach(db, a, "two", 110));
	TRY(consume_end(&again));
	TRY(consume_end(&second));
	CHECK_INT(one.calls, 110);
	CHECK_INT(two.calls, 110);
	TRY(outbox_readers(db, a, &readers, &count));
	CHECK_INT(count, 2);
	CHECK_STR(readers[0].name, S("one"));
	return NULL;
}

SUITE_TEST(a_local_bus_tries_again_what_failed)
{
	Taker taker = { .name = "again", .refuses = "a", .refused = 1 };
	Consuming c = { 0 };
	DeadLetter *dead;
	size_t count;

	TRY(cause_some(db, a, "a", 2));
	TRY(consume(&c, db, a, &taker));
	TRY(effects_reach(db, a, "again", 1)); /* a2, once a1 was given up */
	TRY(check_effects(db, a, "again", "a2"));
	TRY(consume_end(&c));
	TRY(dead_list(db, a, 0, 10, &dead, &count));
	CHECK_INT(count, 1);
	return NULL;
}

SUITE_TEST(a_local_bus_needs_the_outbox)
{
	Taker taker = { .name = "x" };
	ConsumerConf conf = consumer_of(db, &taker);

	CHECK_ERR(bus_consume(bus_new(a, &(BusConf){ 0 }), &conf, &(BusSource){ S("/x"), NULL }),
	          "bus.no_outbox");
	return NULL;
}
