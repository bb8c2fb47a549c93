/* SPDX-License-Identifier: Apache-2.0
 *
 * The tests that every engine passes: suite.h with the sample schema. Whoever includes it has defined suite_open. */
#pragma once
#include "base/time.h"
#include "rt/loop.h"
#include "notification_delivery_sql.h"
#include "notification_fsck_sql.h"
#include "notification_inbox_sql.h"
#include "notification_mail_sql.h"
#include "notification_recipient_sql.h"
#include "notification_relay_sql.h"
#include "notification_schema.h"
#include "notification_sql.h"
#include "notification_template_sql.h"
#include "sample_schema.h"
#include "sample_sql.h"
#include "saga_schema.h"
#include "saga_sql.h"
#include "service_api_key_sql.h"
#include "service_hook_sql.h"
#include "service_idempotency_sql.h"
#include "service_schema.h"
#include "service_state_sql.h"
#include "shift_book_sql.h"
#include "shift_dual_sql.h"
#include "shift_schema.h"
#include "shift_webhook_sql.h"
#include "store/db_int.h"
#include "store/db_lease.h"
#include "store/schema.h"
#include "store_db_lease_sql.h"
#include "store_consumer_sql.h"
#include "store_job_sql.h"
#include "store_outbox_sql.h"
#include "store_schema_sql.h"
#include "statements.h"
#include "suite.h"
#include "user_access_sql.h"
#include "user_audit_sql.h"
#include "user_fsck_sql.h"
#include "user_import_sql.h"
#include "user_oidc_sql.h"
#include "user_schema.h"
#include "user_session_sql.h"
#include "user_sql.h"

#include <string.h>

static void suite_prepare(Arena *a)
{
	(void)a;
}

static Err *suite_schema(Db *db, Arena *a)
{
	uint32_t applied;

	TRY(schema_apply(db, a, &sample_schema, &applied));
	CHECK_INT(applied, sample_schema.count);
	return NULL;
}

static Uuid suite_uuid(uint8_t n)
{
	return (Uuid){ { 0x01, 0x8f, [6] = 0x70, [8] = 0x80, [15] = n } };
}

static Err *add_shopper(Db *db, Arena *a, uint8_t n)
{
	return db_exec(db, a, shopper_add, NULL, .id = suite_uuid(n),
	               .email = str_fmt(a, "s%u@shop.test", n),
	               .since = INT64_C(1700000000000000) + n);
}

/* --- statements -------------------------------------------------------------------------------------------------------- */

SUITE_TEST(a_row_is_written_and_read)
{
	int64_t changed = 0;
	ShopperRow *row;

	TRY(db_exec(db, a, shopper_add, &changed, .id = suite_uuid(1), .email = S("a@shop.test"),
	            .since = 7));
	CHECK_INT(changed, 1);
	TRY(db_one(db, a, shopper_by_id, &row, .id = suite_uuid(1)));
	CHECK(row != NULL);
	CHECK_STR(row->email, S("a@shop.test"));
	CHECK_INT(row->since, 7);
	CHECK(uuid_eq(row->id, suite_uuid(1)));
	TRY(db_one(db, a, shopper_by_id, &row, .id = suite_uuid(2)));
	CHECK_NULL(row);
	return NULL;
}

static const int64_t time_least = INT64_C(-62135596800000000); /* 0001-01-01 */
static const int64_t time_most = INT64_C(253402300799999999);  /* 9999-12-31 */

SUITE_TEST(every_type_comes_back_as_it_was_at_its_extremes)
{
	static const char zeros[] = "a\0b\xff";
	KindsRow rows[] = {
		{ .id = 1 },
		{ 2,
		  { true, INT64_MIN },
		  { true, 0x1p-1074 },
		  { true, false },
		  { true, S("") },
		  { true, S("") },
		  { true, S("{}") },
		  { true, time_least },
		  { true, { { 0 } } } },
		{ 3,
		  { true, INT64_MAX },
		  { true, -1.7976931348623157e308 },
		  { true, true },
		  { true, S("\xf0\x9f\x8c\xb3 \xc3\xa4\t\n'\"") },
		  { true, { zeros, 4 } },
		  { true, S("{\"b\": 1.0, \"a\":[9007199254740993]}") },
		  { true, time_most },
		  { true, suite_uuid(255) } },
		{ 4,
		  { true, 9007199254740993 },
		  { true, 3.0 },
		  { true, true },
		  { true, S("x") },
		  { true, S("x") },
		  { true, S("null") },
		  { true, -1 },
		  { true, suite_uuid(0) } },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		TRY(db_exec_with(db, a, kinds_put, &rows[i], NULL));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const KindsRow *want = &rows[i];
		KindsRow *got;

		NOTE("row %zu", i);
		TRY(db_one(db, a, kinds_get, &got, .id = want->id));
		CHECK(got->an_int.set == want->an_int.set && got->a_real.set == want->a_real.set);
		CHECK(got->a_bool.set == want->a_bool.set && got->a_text.set == want->a_text.set);
		CHECK(got->some_bytes.set == want->some_bytes.set &&
		      got->a_json.set == want->a_json.set);
		CHECK(got->a_time.set == want->a_time.set && got->a_uuid.set == want->a_uuid.set);
		CHECK_INT(got->an_int.v, want->an_int.v);
		CHECK(memcmp(&got->a_real.v, &want->a_real.v, sizeof(double)) == 0);
		CHECK_INT(got->a_bool.v, want->a_bool.v);
		CHECK_STR(got->a_text.v, want->a_text.v);
		CHECK_STR(got->some_bytes.v, want->some_bytes.v);
		CHECK_STR(got->a_json.v, want->a_json.v);
		CHECK_INT(got->a_time.v, want->a_time.v);
		CHECK(uuid_eq(got->a_uuid.v, want->a_uuid.v));
	}
	return NULL;
}

SUITE_TEST(null_where_the_row_does_not_allow_it_is_an_error)
{
	KindsStrictRow *row;

	TRY(db_exec(db, a, kinds_put, NULL, .id = 1));
	CHECK_ERR(db_one(db, a, kinds_strict, &row, .id = 1), "db.rows");
	return NULL;
}

SUITE_TEST(many_rows_come_in_order)
{
	ShopperRow *rows;
	size_t count;

	TRY(db_all(db, a, shoppers_all, &rows, &count));
	CHECK_INT(count, 0);
	for (uint8_t i = 0; i < 100; i++)
		TRY(add_shopper(db, a, i));
	TRY(db_all(db, a, shoppers_all, &rows, &count));
	CHECK_INT(count, 100);
	for (uint8_t i = 0; i < 100; i++) {
		CHECK(uuid_eq(rows[i].id, suite_uuid(i)));
		CHECK_STR(rows[i].email, str_fmt(a, "s%u@shop.test", i));
	}
	return NULL;
}

SUITE_TEST(constraints_have_their_own_names)
{
	TRY(add_shopper(db, a, 1));
	CHECK_ERR(add_shopper(db, a, 1), "db.unique");
	CHECK_ERR(db_exec(db, a, order_add, NULL, .id = suite_uuid(1), .shopper = suite_uuid(9),
	                  .qty = 1),
	          "db.foreign_key");
	CHECK_ERR(db_exec(db, a, order_add, NULL, .id = suite_uuid(1), .shopper = suite_uuid(1),
	                  .qty = 0),
	          "db.check");
	TRY(db_exec(db, a, order_add, NULL, .id = suite_uuid(1), .shopper = suite_uuid(1),
	            .qty = 1));
	return NULL;
}

SUITE_TEST(a_statement_that_does_not_fit_the_schema_says_so)
{
	NoSuchTableRow *row;
	EngineNameRow *engine;

	CHECK_ERR(db_one(db, a, no_such_table, &row), "db.sql");
	TRY(db_one(db, a, engine_name, &engine));
	CHECK_STR(engine->name, db_engine(db) == SQL_SQLITE ? S("sqlite") : S("postgres"));
	return NULL;
}

SUITE_TEST(rows_beyond_the_arena_are_refused)
{
	Arena *small = arena_new(64 << 10);
	MarksAllRow *rows;
	size_t count;

	TRY(db_exec(db, a, long_write, NULL, .writer = 1, .most = 20000));
	CHECK_ERR(db_all(db, small, marks_all, &rows, &count), "db.too_large");
	arena_free(small);
	return NULL;
}

typedef struct Seen {
	int64_t sum;
	size_t count, stop_at;
} Seen;

static Err *see_mark(const void *row, void *arg)
{
	const MarksAllRow *mark = row;
	Seen *seen = arg;
	static Err enough = ERR_STATIC(CANCELLED, "test.enough", "enough");

	seen->sum += mark->n;
	return ++seen->count == seen->stop_at ? &enough : NULL;
}

SUITE_TEST(a_large_result_comes_row_by_row_in_little_memory)
{
	Arena *small = arena_new(64 << 10);
	Seen seen = { 0 }, some = { .stop_at = 10 };

	TRY(db_exec(db, a, long_write, NULL, .writer = 1, .most = 20000));
	TRY(db_each(db, small, marks_all, see_mark, &seen));
	CHECK_INT(seen.count, 20000);
	CHECK_INT(seen.sum, INT64_C(20000) * 20001 / 2);
	CHECK_ERR(db_each(db, small, marks_all, see_mark, &some), "test.enough");
	CHECK_INT(some.count, 10);
	arena_free(small);
	return NULL;
}

SUITE_TEST(bulk_load_takes_all_or_nothing)
{
	enum { ROWS = 3000 };
	OrderRow *rows = ARENA_ARRAY(a, OrderRow, ROWS);
	KindsRow kinds[] = { { .id = 1 },
		             { .id = 2, .a_text = { true, S("") }, .a_time = { true, -5 } } };
	OrderRow *got;
	KindsRow *kind;
	size_t count;

	TRY(add_shopper(db, a, 1));
	for (size_t i = 0; i < ROWS; i++)
		rows[i] = (OrderRow){ .id = uuid_new(),
			              .shopper = suite_uuid(1),
			              .qty = (int64_t)i + 1,
			              .note = i % 2 ? opt_str(S("odd")) : (OptStr){ 0 } };
	TRY(db_load(db, a, order_load, rows, 0));
	TRY(db_load(db, a, order_load, rows, ROWS));
	TRY(db_all(db, a, orders_all, &got, &count));
	CHECK_INT(count, ROWS);
	CHECK(!got[0].note.set && got[1].note.set);
	CHECK_STR(got[1].note.v, S("odd"));
	TRY(db_exec(db, a, orders_clear, NULL));
	rows[ROWS - 1].id = rows[0].id;
	CHECK_ERR(db_load(db, a, order_load, rows, ROWS), "db.unique");
	TRY(db_all(db, a, orders_all, &got, &count));
	CHECK_INT(count, 0);
	TRY(db_load(db, a, kinds_load, kinds, COUNT(kinds)));
	TRY(db_one(db, a, kinds_get, &kind, .id = 2));
	CHECK(kind->a_text.set && !kind->some_bytes.set && kind->a_time.v == -5);
	return NULL;
}

SUITE_TEST(a_batch_is_all_or_nothing)
{
	ShopperRow *one = NULL, *all = NULL, *none = (ShopperRow *)a;
	size_t count = 0;
	int64_t changed = 0;
	DbBatch *batch = db_batch(a), *bad = db_batch(a), *reads = db_batch(a);

	for (uint8_t i = 1; i <= 10; i++)
		batch_exec(batch, shopper_add, &changed, .id = suite_uuid(i),
		           .email = str_fmt(a, "s%u@shop.test", i), .since = i);
	batch_one(batch, shopper_by_id, &one, .id = suite_uuid(3));
	batch_one(batch, shopper_by_id, &none, .id = suite_uuid(99));
	batch_all(batch, shoppers_all, &all, &count);
	TRY(db_batch_run(db, a, batch));
	CHECK_INT(changed, 1);
	CHECK_INT(count, 10);
	CHECK(one && one->since == 3 && !none);
	CHECK(all[9].since == 10);

	batch_exec(bad, shopper_add, NULL, .id = suite_uuid(11), .email = S("x"), .since = 1);
	batch_exec(bad, shopper_add, NULL, .id = suite_uuid(11), .email = S("y"), .since = 1);
	CHECK_ERR(db_batch_run(db, a, bad), "db.unique");
	batch_one(reads, shopper_by_id, &one, .id = suite_uuid(11));
	batch_all(reads, shoppers_all, &all, &count);
	TRY(db_batch_run(db, a, reads));
	CHECK(!one && count == 10);
	return db_batch_run(db, a, db_batch(a));
}

/* --- transactions ------------------------------------------------------------------------------------------------------ */

static Err *sold_out(Arena *a)
{
	return err_new(a, ERR_CONFLICT, "order.sold_out", "nothing was left");
}

static Err *add_two(Db *tx, Arena *a, void *arg)
{
	CHECK(db_in_txn(tx));
	TRY(add_shopper(tx, a, 1));
	TRY(add_shopper(tx, a, 2));
	return *(bool *)arg ? sold_out(a) : NULL;
}

static Err *count_shoppers(Db *db, Arena *a, size_t *count)
{
	ShopperRow *rows;

	return db_all(db, a, shoppers_all, &rows, count);
}

SUITE_TEST(a_transaction_is_rolled_back_unless_it_ends_well)
{
	bool fail = true;
	size_t count;

	CHECK_ERR(db_txn(db, a, DB_SERIALIZABLE, add_two, &fail), "order.sold_out");
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 0);
	fail = false;
	TRY(db_txn(db, a, DB_READ_COMMITTED, add_two, &fail));
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 2);
	return NULL;
}

static Err *swallow(Db *tx, Arena *a, void *arg)
{
	size_t count;
	(void)arg;

	TRY(add_shopper(tx, a, 1));
	CHECK_ERR(add_shopper(tx, a, 1), "db.unique");
	CHECK_ERR(count_shoppers(tx, a, &count), "db.aborted");
	return NULL;
}

SUITE_TEST(a_failed_statement_cannot_be_overlooked)
{
	size_t count;

	CHECK_ERR(db_txn(db, a, DB_READ_COMMITTED, swallow, NULL), "db.aborted");
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 0);
	return NULL;
}

static Err *add_third_twice(Db *tx, Arena *a, void *arg)
{
	(void)arg;
	TRY(add_shopper(tx, a, 3));
	return add_shopper(tx, a, 3);
}

static Err *add_fourth(Db *tx, Arena *a, void *arg)
{
	size_t count;
	(void)arg;

	CHECK_ERR(db_txn(tx, a, DB_SERIALIZABLE, add_third_twice, NULL), "db.unique");
	TRY(add_shopper(tx, a, 4));
	TRY(count_shoppers(tx, a, &count));
	CHECK_INT(count, 2);
	return NULL;
}

static Err *outer(Db *tx, Arena *a, void *arg)
{
	bool fail = true;
	(void)arg;

	TRY(add_shopper(tx, a, 9));
	CHECK_ERR(db_txn(tx, a, DB_SERIALIZABLE, add_two, &fail), "order.sold_out");
	return db_txn(tx, a, DB_SERIALIZABLE, add_fourth, NULL);
}

SUITE_TEST(savepoints_undo_their_own_part)
{
	size_t count;

	TRY(db_txn(db, a, DB_SERIALIZABLE, outer, NULL));
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 2);
	return NULL;
}

static Err *in_snapshot(Db *tx, Arena *a, void *arg)
{
	size_t count;
	(void)arg;

	TRY(count_shoppers(tx, a, &count));
	CHECK_INT(count, 1);
	CHECK_ERR(add_shopper(tx, a, 2), "db.misuse");
	return sold_out(a);
}

SUITE_TEST(a_snapshot_only_reads)
{
	TRY(add_shopper(db, a, 1));
	CHECK_ERR(db_txn(db, a, DB_SNAPSHOT, in_snapshot, NULL), "order.sold_out");
	return NULL;
}

static Err *lock_and_add(Db *tx, Arena *a, void *arg)
{
	CounterAddRow *row;

	TRY(db_lock(tx, a, S("counter")));
	TRY(db_one(tx, a, counter_add, &row, .name = S("one"), .by = 1));
	*(int64_t *)arg = row->value;
	return NULL;
}

SUITE_TEST(locks_are_for_transactions)
{
	int64_t value = 0;

	CHECK_ERR(db_lock(db, a, S("x")), "db.misuse");
	TRY(db_txn(db, a, DB_READ_COMMITTED, lock_and_add, &value));
	CHECK_INT(value, 1);
	return NULL;
}

/* --- many at once ------------------------------------------------------------------------------------------------------ */

enum { CROWD = 16, CROWD_ROUNDS = 12 };

static struct {
	Db *db;
	unsigned left; /* atomic */
	Fiber *waiter;
} crowd;

/* Reads, then writes what it has read and one more: nothing is lost only if they are serializable. */
static Err *read_then_write(Db *tx, Arena *a, void *arg)
{
	CounterGetRow *row;
	(void)arg;

	TRY(db_one(tx, a, counter_get, &row, .name = S("one")));
	return db_exec(tx, a, counter_set, NULL, .name = S("one"), .value = row->value + 1);
}

static void crowd_wake(void *arg)
{
	(void)arg;
	fiber_wake(crowd.waiter);
}

static void crowd_fiber(void *arg)
{
	Arena *a = arena_new(0);
	(void)arg;

	for (int i = 0; i < CROWD_ROUNDS; i++) {
		Err *err;

		do { /* tried as often as it may, in such a crowd */
			err = db_txn(crowd.db, a, DB_SERIALIZABLE, read_then_write, NULL);
		} while (err && (err_is(err, "db.serialization") || err_is(err, "db.deadlock")));
		CHECK_OK(err);
		arena_clear(a);
	}
	arena_free(a);
	__atomic_sub_fetch(&crowd.left, 1, __ATOMIC_RELEASE);
	loop_post(rt_loop(0), crowd_wake, NULL);
}

static void crowd_start(void *arg)
{
	(void)arg;
	for (int i = 0; i < CROWD / 2; i++)
		CHECK_OK(fiber_start(crowd_fiber, NULL, "crowd"));
}

SUITE_TEST(nothing_is_lost_in_a_crowd)
{
	CounterGetRow *row;

	crowd.db = db;
	crowd.left = CROWD;
	crowd.waiter = fiber_self();
	loop_each(crowd_start, NULL);
	while (__atomic_load_n(&crowd.left, __ATOMIC_ACQUIRE))
		TRY(fiber_park());
	TRY(db_one(db, a, counter_get, &row, .name = S("one")));
	CHECK_INT(row->value, CROWD * CROWD_ROUNDS);
	return NULL;
}

/* --- deadlines and cancellation ---------------------------------------------------------------------------------------- */

SUITE_TEST(a_deadline_ends_a_long_statement)
{
	LongReadRow *row;
	ShopperRow *shopper;

	{
		AUTO(deadline_end) Deadline limit = deadline_begin(50 * US_PER_MS);

		CHECK_ERR(db_one(db, a, long_read, &row, .most = INT64_C(1) << 40), "rt.deadline");
	}
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(50 * US_PER_MS);

		CHECK_ERR(db_exec(db, a, long_write, NULL, .writer = 1, .most = INT64_C(1) << 40),
		          "rt.deadline");
	}
	TRY(add_shopper(db, a, 1));
	TRY(db_one(db, a, shopper_by_id, &shopper, .id = suite_uuid(1)));
	CHECK(shopper != NULL);
	return NULL;
}

typedef struct Errand {
	Db *db;
	Arena *a;
	bool begun;
} Errand;

static Err *long_txn(Db *tx, Arena *a, void *arg)
{
	Errand *errand = arg;

	TRY(add_shopper(tx, a, 7));
	__atomic_store_n(&errand->begun, true, __ATOMIC_RELEASE);
	return db_exec(tx, a, long_write, NULL, .writer = 1, .most = INT64_C(1) << 40);
}

static Err *run_long_txn(void *arg)
{
	Errand *errand = arg;

	return db_txn(errand->db, errand->a, DB_READ_COMMITTED, long_txn, errand);
}

SUITE_TEST(a_cancelled_fiber_ends_its_transaction)
{
	Arena *own = arena_new(0);
	Errand errand = { db, own, false };
	size_t count;

	{
		AUTO(child_end) Child child = { 0 };

		TRY(child_start(&child, run_long_txn, &errand, "long"));
		while (!__atomic_load_n(&errand.begun, __ATOMIC_ACQUIRE))
			TRY(fiber_yield());
		fiber_cancel(child.fiber);
		CHECK_ERR(child_join(&child), "rt.cancelled");
	}
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 0);
	TRY(add_shopper(db, a, 7));
	arena_free(own);
	return NULL;
}

/* --- being told -------------------------------------------------------------------------------------------------------- */

static Err *tell_and_fail(Db *tx, Arena *a, void *arg)
{
	TRY(add_shopper(tx, a, 1));
	TRY(db_tell(tx, a, "orders"));
	return *(bool *)arg ? sold_out(a) : NULL;
}

static Err *tell(void *arg)
{
	Errand *errand = arg;
	bool fail = false;

	return db_txn(errand->db, errand->a, DB_READ_COMMITTED, tell_and_fail, &fail);
}

SUITE_TEST(a_commit_wakes_who_watches)
{
	AUTO(db_watch_end) DbWatch watch = { 0 };
	AUTO(child_end) Child child = { 0 };
	Arena *own = arena_new(0);
	Errand errand = { db, own, false };
	bool fail = true;

	TRY(db_watch_begin(&watch, db, a, "orders"));
	CHECK_ERR(db_txn(db, a, DB_READ_COMMITTED, tell_and_fail, &fail), "order.sold_out");
	TRY(db_tell(db, a, "others"));
	TRY(db_watch_wait(&watch, 20 * US_PER_MS));
	TRY(child_start(&child, tell, &errand, "tell"));
	TRY(db_watch_wait(&watch, 60 * US_PER_S));
	TRY(child_join(&child));
	arena_free(own);
	return NULL;
}

/* --- every statement --------------------------------------------------------------------------------------------------- */

SUITE_TEST(every_statement_fits_the_schema_and_looks_up_what_it_can)
{
	uint32_t applied;

	TRY(schema_apply(db, a, store_own_schema(), &applied));
	TRY(schema_apply(db, a, &shift_schema, &applied));
	TRY(schema_apply(db, a, &service_schema, &applied));
	TRY(schema_apply(db, a, &user_schema, &applied));
	TRY(schema_apply(db, a, &saga_schema, &applied));
	suite_statements(db, a, &saga_sql);
	suite_statements(db, a, &sample_sql);
	suite_statements(db, a, &shift_book_sql);
	suite_statements(db, a, &service_api_key_sql);
	suite_statements(db, a, &service_hook_sql);
	suite_statements(db, a, &service_idempotency_sql);
	suite_statements(db, a, &service_state_sql);
	suite_statements(db, a, &shift_webhook_sql);
	suite_statements(db, a, &shift_dual_sql);
	suite_statements(db, a, &store_db_lease_sql);
	suite_statements(db, a, &store_schema_sql);
	suite_statements(db, a, &store_outbox_sql);
	suite_statements(db, a, &store_consumer_sql);
	suite_statements(db, a, &store_job_sql);
	suite_statements(db, a, &user_access_sql);
	suite_statements(db, a, &user_audit_sql);
	suite_statements(db, a, &user_fsck_sql);
	suite_statements(db, a, &user_import_sql);
	suite_statements(db, a, &user_oidc_sql);
	suite_statements(db, a, &user_session_sql);
	suite_statements(db, a, &user_sql);
	return NULL;
}

/* Each in a database of its own: names of tables are theirs alone. */
SUITE_TEST(every_statement_of_notifications_fits_their_schema_and_looks_up_what_it_can)
{
	uint32_t applied;

	TRY(schema_apply(db, a, store_own_schema(), &applied));
	TRY(schema_apply(db, a, &notification_schema, &applied));
	suite_statements(db, a, &notification_delivery_sql);
	suite_statements(db, a, &notification_fsck_sql);
	suite_statements(db, a, &notification_inbox_sql);
	suite_statements(db, a, &notification_recipient_sql);
	suite_statements(db, a, &notification_sql);
	suite_statements(db, a, &notification_template_sql);
	suite_statements(db, a, &notification_mail_sql);
	suite_statements(db, a, &notification_relay_sql);
	return NULL;
}

/* --- leases ------------------------------------------------------------------------------------------------------------ */

static Err *hold(Db *tx, Arena *a, void *arg)
{
	TRY(db_lease_hold(tx, a, arg));
	return add_shopper(tx, a, 1);
}

SUITE_TEST(a_lease_has_one_holder_and_the_late_one_is_fenced_off)
{
	DbLease one = { .name = S("relay"), .owner = suite_uuid(1) };
	DbLease two = { .name = S("relay"), .owner = suite_uuid(2) };
	DbLease late;
	uint32_t applied;

	TRY(schema_apply(db, a, store_own_schema(), &applied));
	TRY(db_lease_take(db, a, &one, 60 * US_PER_S));
	CHECK(one.held && one.token == 1);
	TRY(db_lease_take(db, a, &two, 60 * US_PER_S));
	CHECK(!two.held);
	TRY(db_lease_take(db, a, &one, 60 * US_PER_S));
	CHECK(one.held && one.token == 1);
	TRY(db_lease_renew(db, a, &one, -1));
	CHECK(one.held);
	late = one;
	TRY(db_lease_renew(db, a, &one, 60 * US_PER_S));
	CHECK(!one.held); /* it was over */
	TRY(db_lease_take(db, a, &two, 60 * US_PER_S));
	CHECK(two.held && two.token == 2);
	CHECK_ERR(db_txn(db, a, DB_READ_COMMITTED, hold, &late), "db.lease_lost");
	TRY(db_txn(db, a, DB_READ_COMMITTED, hold, &two));
	TRY(db_lease_renew(db, a, &two, 60 * US_PER_S));
	CHECK(two.held);
	TRY(db_lease_drop(db, a, &late));
	TRY(db_lease_take(db, a, &one, 60 * US_PER_S));
	CHECK(!one.held);
	TRY(db_lease_drop(db, a, &two));
	TRY(db_lease_take(db, a, &one, 60 * US_PER_S));
	CHECK(one.held && one.token == 3);
	return NULL;
}

/* --- schemas ----------------------------------------------------------------------------------------------------------- */

static Err *apply_again(void *arg)
{
	Errand *errand = arg;
	uint32_t applied;

	return schema_apply(errand->db, errand->a, store_own_schema(), &applied);
}

SUITE_TEST(many_instances_may_set_up_a_schema_at_once)
{
	enum { INSTANCES = 6 };
	Child children[INSTANCES] = { 0 };
	Errand errands[INSTANCES];
	StepLine *lines;
	size_t count;

	for (size_t i = 0; i < INSTANCES; i++) {
		errands[i] = (Errand){ db, arena_new(0), false };
		TRY(child_start(&children[i], apply_again, &errands[i], "instance"));
	}
	for (size_t i = 0; i < INSTANCES; i++) {
		CHECK_OK(child_join(&children[i]));
		arena_free(errands[i].a);
	}
	TRY(schema_look(db, a, store_own_schema(), &lines, &count));
	CHECK_INT(count, store_own_schema()->count);
	for (size_t i = 0; i < count; i++)
		CHECK_INT(lines[i].state, STEP_APPLIED);
	return schema_ready(db, a, store_own_schema());
}

SUITE_TEST(a_schema_goes_forward_only)
{
	SchemaStep steps[3];
	Schema less = { "sample", steps, 1 }, more = { "sample", steps, 3 },
	       changed = { "sample", steps, 2 };
	StepLine *lines;
	uint32_t applied;
	size_t count;

	memcpy(steps, sample_schema.steps, 2 * sizeof *steps);
	steps[2] = (SchemaStep){
		.number = 3,
		.name = "broken",
		.text = { "create table x (n int); nonsense", "create table x (n int); nonsense" },
		.checksum = "c",
		.file = "x.sql",
	};
	CHECK_ERR(schema_ready(db, a, &less), "db.schema_newer");
	CHECK_ERR(schema_apply(db, a, &less, &applied), "db.schema_newer");
	CHECK_ERR(schema_ready(db, a, &more), "db.schema_behind");
	CHECK_ERR(schema_apply(db, a, &more, &applied), "db.sql");
	CHECK_INT(applied, 0);
	TRY(schema_look(db, a, &more, &lines, &count));
	CHECK(count == 3 && lines[1].state == STEP_APPLIED && lines[2].state == STEP_PENDING);
	/* nothing of the broken step is left */
	steps[2].text[SQL_SQLITE] = steps[2].text[SQL_POSTGRES] = "create table x (n int)";
	steps[2].expands = true;
	TRY(schema_apply(db, a, &more, &applied));
	CHECK_INT(applied, 1);
	/* an older program runs on a step that only expands */
	TRY(schema_ready(db, a, &sample_schema));
	TRY(schema_look(db, a, &sample_schema, &lines, &count));
	CHECK(count == 3 && lines[2].state == STEP_EXPANDS);
	steps[1].checksum = "other";
	CHECK_ERR(schema_apply(db, a, &changed, &applied), "db.schema_changed");
	return NULL;
}

/* An index that PostgreSQL builds beside everything else; the first attempt fails and leaves half of one. */
SUITE_TEST(a_step_may_run_in_no_transaction)
{
	static const char *const text =
		"create unique index concurrently if not exists notes on orders (note)";
	SchemaStep steps[3];
	Schema more = { "sample", steps, 3 };
	uint32_t applied;

	memcpy(steps, sample_schema.steps, 2 * sizeof *steps);
	steps[2] =
		(SchemaStep){ .number = 3,
		              .name = "notes",
		              .alone = true,
		              .checksum = "c",
		              .file = "x.sql",
		              .text = { "create unique index if not exists notes on orders (note)",
		                        text } };
	TRY(schema_apply(db, a, store_own_schema(), &applied));
	TRY(add_shopper(db, a, 1));
	for (uint8_t i = 1; i <= 2; i++)
		TRY(db_exec(db, a, order_add, NULL, .id = suite_uuid(i), .shopper = suite_uuid(1),
		            .qty = 1, .note = opt_str(S("same"))));
	CHECK_ERR(schema_apply(db, a, &more, &applied), "db.unique");
	TRY(db_exec(db, a, orders_clear, NULL));
	TRY(schema_apply(db, a, &more, &applied));
	CHECK_INT(applied, 1);
	TRY(db_exec(db, a, order_add, NULL, .id = suite_uuid(1), .shopper = suite_uuid(1), .qty = 1,
	            .note = opt_str(S("one"))));
	CHECK_ERR(db_exec(db, a, order_add, NULL, .id = suite_uuid(2), .shopper = suite_uuid(1),
	                  .qty = 1, .note = opt_str(S("one"))),
	          "db.unique");
	return schema_ready(db, a, &more);
}
