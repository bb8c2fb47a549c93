/* SPDX-License-Identifier: Apache-2.0 */
#include "service/hook_store.c"

#include "store/schema.h"
#include "suite.h"

#include "service_schema.h"

#include <string.h>

static void suite_prepare(Arena *a)
{
	(void)a;
}

static Err *suite_open(Arena *a, Db **out)
{
	DbConf conf = { .url = str_fmt(a, "sqlite:%s/test.db", unit_dir()), .create = true };

	return db_open(a, &conf, out);
}

static Err *suite_schema(Db *db, Arena *a)
{
	uint32_t applied;

	TRY(schema_apply(db, a, store_own_schema(), &applied));
	return schema_apply(db, a, &service_schema, &applied);
}

static Err *body(Db *tx, Arena *a, const void *arg, Str *out)
{
	unsigned *made = (unsigned *)(uintptr_t)arg;

	(void)tx;
	(void)a;
	++*made;
	*out = S("{}");
	return NULL;
}

static Err *endpoint(Db *db, Arena *a, const char *types, Hook *hook)
{
	*hook = (Hook){ .url = S("https://shop.test/"), .types = str_of(types), .enabled = true };
	return hook_add(db, a, false, hook);
}

static Err *tell(Db *db, Arena *a, const char *id, unsigned *made)
{
	return hook_tell(db, a,
	                 &(HookEvent){ .id = str_of(id),
	                               .type = S("invoice.paid"),
	                               .body = body,
	                               .arg = made });
}

static Err *waiting(Db *db, Arena *a, const Hook *hook, const char *state, HookDelivery **rows,
                    size_t *count)
{
	Uuid last;

	memset(last.at, 0xff, sizeof last.at);
	return hook_deliveries(db, a, hook->id, str_of(state), last, 100, rows, count);
}

static Err *jobs(Db *db, Arena *a, size_t *count)
{
	Job *rows;

	return jobs_list(db, a, S(HOOK_JOB), S("ready"), (Uuid){ 0 }, 100, &rows, count);
}

SUITE_TEST(who_wants_an_event_is_told_once_and_its_body_is_made_once)
{
	Hook all, some, other, off;
	HookDelivery *rows;
	unsigned made = 0;
	size_t count;

	TRY(tell(db, a, "evt_0", &made));
	CHECK_INT(made, 0);
	TRY(endpoint(db, a, "[\"*\"]", &all));
	TRY(endpoint(db, a, "[\"invoice.*\"]", &some));
	TRY(endpoint(db, a, "[\"charge.*\"]", &other));
	TRY(endpoint(db, a, "[\"*\"]", &off));
	off.enabled = false;
	TRY(hook_change(db, a, false, &off));
	TRY(tell(db, a, "evt_1", &made));
	TRY(tell(db, a, "evt_1", &made));
	CHECK_INT(made, 2);
	TRY(jobs(db, a, &count));
	CHECK_INT(count, 2);
	TRY(waiting(db, a, &some, "waiting", &rows, &count));
	CHECK_INT(count, 1);
	CHECK_STR(rows[0].event, S("evt_1"));
	TRY(waiting(db, a, &other, "waiting", &rows, &count));
	CHECK_INT(count, 0);
	TRY(waiting(db, a, &off, "waiting", &rows, &count));
	CHECK_INT(count, 0);
	return NULL;
}

static Err *note(Db *db, Arena *a, Uuid delivery, HookOutcome outcome)
{
	HookTask *task;

	TRY(hook_task(db, a, delivery, &task));
	return hook_note(db, a, task, &outcome);
}

SUITE_TEST(what_came_of_a_try_is_noted_and_failing_has_a_beginning)
{
	Hook hook, *seen;
	HookDelivery *rows;
	unsigned made = 0;
	int64_t since;
	size_t count;

	TRY(endpoint(db, a, "[\"*\"]", &hook));
	TRY(tell(db, a, "evt_1", &made));
	TRY(waiting(db, a, &hook, "waiting", &rows, &count));
	TRY(note(db, a, rows[0].id, (HookOutcome){ .status = 500, .error = S("it answered 500") }));
	TRY(hook_load(db, a, hook.id, &seen));
	since = seen->failing_since_us;
	CHECK(since > 0);
	TRY(note(db, a, rows[0].id, (HookOutcome){ .error = S("silence") }));
	TRY(hook_load(db, a, hook.id, &seen));
	CHECK_INT(seen->failing_since_us, since);
	TRY(note(db, a, rows[0].id, (HookOutcome){ .delivered = true, .status = 200 }));
	TRY(hook_load(db, a, hook.id, &seen));
	CHECK_INT(seen->failing_since_us, 0);
	TRY(waiting(db, a, &hook, "delivered", &rows, &count));
	CHECK_INT(count, 1);
	CHECK_INT(rows[0].tries, 3);
	CHECK(seen->enabled);
	TRY(note(db, a, rows[0].id,
	         (HookOutcome){ .last = true,
	                        .error = S("late") })); /* of another process: it stays told */
	TRY(waiting(db, a, &hook, "delivered", &rows, &count));
	CHECK_INT(count, 1);
	return NULL;
}

SUITE_TEST(the_dead_are_told_again_when_somebody_says_so)
{
	Hook hook, *seen;
	HookDelivery *rows;
	unsigned made = 0;
	int64_t told;
	size_t count;

	TRY(endpoint(db, a, "[\"*\"]", &hook));
	TRY(tell(db, a, "evt_1", &made));
	TRY(waiting(db, a, &hook, "waiting", &rows, &count));
	TRY(note(db, a, rows[0].id,
	         (HookOutcome){
			 .last = true, .status = 410, .error = S("gone"), .disable = "gone" }));
	TRY(hook_load(db, a, hook.id, &seen));
	CHECK(!seen->enabled);
	CHECK_STR(seen->reason, S("gone"));
	TRY(hook_replay_dead(db, a, hook.id, time_utc_us() + US_PER_S, &told));
	CHECK_INT(told, 0);
	TRY(hook_replay_dead(db, a, hook.id, 0, &told));
	CHECK_INT(told, 1);
	TRY(hook_load(db, a, hook.id, &seen));
	CHECK(seen->enabled && !seen->failing_since_us);
	TRY(waiting(db, a, &hook, "waiting", &rows, &count));
	CHECK_INT(count, 1);
	return NULL;
}

SUITE_TEST(what_waits_has_a_job_or_gets_one)
{
	Hook hook;
	Job *rows;
	unsigned made = 0;
	size_t count;
	bool done;

	TRY(endpoint(db, a, "[\"*\"]", &hook));
	TRY(tell(db, a, "evt_1", &made));
	TRY(tell(db, a, "evt_2", &made));
	TRY(jobs_list(db, a, S(HOOK_JOB), S(""), (Uuid){ 0 }, 100, &rows, &count));
	TRY(job_cancel(db, a, rows[0].id, &done));
	CHECK(done);
	TRY(jobs(db, a, &count));
	CHECK_INT(count, 1);
	TRY(hook_mend(db, a, time_utc_us() - US_PER_S));
	TRY(jobs(db, a, &count));
	CHECK_INT(count, 1); /* it is too young */
	TRY(hook_mend(db, a, time_utc_us() + US_PER_S));
	TRY(jobs(db, a, &count));
	CHECK_INT(count, 2);
	return NULL;
}

SUITE_TEST(an_endpoint_goes_with_what_it_was_told_and_there_are_not_many)
{
	Hook hook, more;
	HookDelivery *rows;
	unsigned made = 0;
	size_t count;
	bool removed;

	TRY(endpoint(db, a, "[\"*\"]", &hook));
	TRY(tell(db, a, "evt_1", &made));
	TRY(hook_remove(db, a, hook.id, &removed));
	CHECK(removed);
	TRY(waiting(db, a, &hook, "waiting", &rows, &count));
	CHECK_INT(count, 0);
	TRY(hook_remove(db, a, hook.id, &removed));
	CHECK(!removed);
	for (int i = 0; i < HOOKS_MOST; i++)
		TRY(endpoint(db, a, "[\"*\"]", &more));
	CHECK_ERR(endpoint(db, a, "[\"*\"]", &more), "webhook.many");
	return NULL;
}
