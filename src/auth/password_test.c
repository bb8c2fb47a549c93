/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/password.c"

#include "password_rows.h"
#include "unit.h"

#include "rt/loop.h"

#include <string.h>

static const PasswordConf small = { .workers = 1,
	                            .queue = 2,
	                            .memory_bytes = 7 << 20,
	                            .passes = 1,
	                            .most_memory_bytes = 16 << 20 };

typedef struct Run {
	Err *(*fn)(PasswordPool *pool, Arena *a);
	PasswordConf conf;
	Arena *a;
} Run;

static Err *run_main(void *arg)
{
	AUTO(password_pool_closep) PasswordPool *pool = NULL;
	Run *run = arg;

	TRY(password_pool_open(run->a, &run->conf, &pool));
	return run->fn(pool, run->a);
}

static void with_pool(Arena *a, PasswordConf conf, Err *(*fn)(PasswordPool *pool, Arena *a))
{
	Run run = { fn, conf, a };

	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, run_main, &run));
}

static Err *verifies(PasswordPool *pool, Arena *a)
{
	PasswordOutcome out;
	Str stored, wrapped;

	for (size_t i = 0; i < COUNT(password_rows); i++) {
		const PasswordRow *row = &password_rows[i];

		NOTE("%.*s", STR_ARG(row->stored));
		TRY(password_verify(pool, a, row->stored,
		                    row->password.len ? row->password : S(USUAL_PASSWORD), &out));
		CHECK(out.match && out.outdated);
		CHECK_INT(out.format, row->format);
		CHECK_INT(out.truncated, row->password.len == 80); /* DES has 7 */
		TRY(password_verify(pool, a, row->stored, S("another"), &out));
		CHECK(!out.match);
	}
	TRY(password_make(pool, a, S("tb9Kf2-qqLm"), &stored));
	TRY(password_verify(pool, a, stored, S("tb9Kf2-qqLm"), &out));
	CHECK(out.match && !out.outdated && !out.weak);
	TRY(password_wrap(pool, a, S("b05568d1ac036f8b0027e58cfa8b8add"), &wrapped));
	TRY(password_verify(pool, a, wrapped, S(USUAL_PASSWORD), &out));
	CHECK(out.match && out.outdated && !out.weak);
	CHECK_INT(out.format, PASSWORD_WRAPPED);
	CHECK_ERR(password_wrap(pool, a, stored, &wrapped), "auth.password_format");
	return NULL;
}

TEST(password_pool_verifies_and_makes)
{
	with_pool(a, small, verifies);
}

static Err *nobody(PasswordPool *pool, Arena *a)
{
	char *long_one = arena_alloc(a, PASSWORD_MAX_BYTES + 1);
	PasswordOutcome out;
	Str stored;

	memset(long_one, 'x', PASSWORD_MAX_BYTES + 1);
	TRY(password_verify(pool, a, S(""), S(""), &out));
	CHECK(!out.match && out.format == PASSWORD_NONE && !out.outdated);
	TRY(password_verify(pool, a, S("!unusable"), S("!unusable"), &out));
	CHECK(!out.match);
	TRY(password_verify_nobody(pool, a, S("ann"), S("x")));
	CHECK_INT(metric_value(pool->cells_work[PASSWORD_NONE]), 3);
	CHECK_ERR(password_verify(pool, a, S("hunter2"), S("hunter2"), &out),
	          "auth.password_format");
	CHECK_ERR(password_verify(pool, a, S(""), (Str){ long_one, PASSWORD_MAX_BYTES + 1 }, &out),
	          "auth.password_too_long");
	CHECK_ERR(password_make(pool, a, (Str){ long_one, PASSWORD_MAX_BYTES + 1 }, &stored),
	          "auth.password_too_long");
	CHECK_ERR(password_verify_nobody(pool, a, S(""), (Str){ long_one, PASSWORD_MAX_BYTES + 1 }),
	          "auth.password_too_long");
	return NULL;
}

TEST(password_of_nobody_never_matches)
{
	with_pool(a, small, nobody);
}

/* Other samples of the same accounts: nearly every name costs what it did. */
static Err *samples(PasswordPool *pool, Arena *a)
{
	static const Str
		cheap = S("b05568d1ac036f8b0027e58cfa8b8add"),
		dear = S(
			"pbkdf2_sha256$1000$salt.with/raw$YOcJwFP60/JCq5kIPQDLW7kTicLDe2qZFsh15dHl95Q=");
	PasswordFormat before[400];
	Str sample[200];
	unsigned moved = 0;

	password_decoy_key(pool, 17);
	for (unsigned run = 0; run < 2; run++) {
		for (unsigned i = 0; i < COUNT(sample); i++)
			sample[i] = (i * 7 + run) % 10 < 4 ? cheap : dear;
		password_decoys(pool, sample, COUNT(sample) - run);
		for (unsigned i = 0; i < COUNT(before); i++) {
			const Recipe *decoy = pick_decoy(pool, a, str_fmt(a, "user%u", i));

			moved += run && decoy->format != before[i];
			before[i] = decoy->format;
		}
	}
	CHECK(moved <= 12);
	return NULL;
}

static Err *decoys(PasswordPool *pool, Arena *a)
{
	static const Str sample[] = {
		S("bcrypt$$2b$04$hnlxF2sRxSIipefy64PEuelZmReiAjfV4I55t/On0M6b6Okn0WLVe"),
		S("nobody's format"),
		S("pbkdf2_sha256$1000$salt.with/raw$YOcJwFP60/JCq5kIPQDLW7kTicLDe2qZFsh15dHl95Q="),
		S("")
	};
	unsigned counts[3] = { 0 };

	password_decoys(pool, sample, COUNT(sample));
	for (unsigned i = 0; i < 300; i++) {
		Str login = str_fmt(a, "user%u", i);
		const Recipe *first = pick_decoy(pool, a, login),
			     *second = pick_decoy(pool, a, login);

		CHECK_INT(first->format, second->format);
		counts[first->format == PASSWORD_DJANGO_BCRYPT ? 0
		       : first->format == PASSWORD_NONE        ? 1
		                                               : 2]++;
	}
	for (unsigned i = 0; i < 3; i++)
		CHECK(counts[i] > 50); /* a third each, about; less has a chance of 1e-10 */
	for (unsigned i = 0; i < 20; i++)
		TRY(password_verify_nobody(pool, a, str_fmt(a, "user%u", i), S(USUAL_PASSWORD)));
	CHECK_INT(metric_value(pool->cells_work[PASSWORD_NONE]) +
	                  metric_value(pool->cells_work[PASSWORD_DJANGO_BCRYPT]) +
	                  metric_value(pool->cells_work[PASSWORD_DJANGO_PBKDF2_SHA256]),
	          20);
	TRY(samples(pool, a));
	password_decoys(pool, NULL, 0);
	return password_verify_nobody(pool, a, S("x"), S("y"));
}

TEST(password_decoys_are_as_frequent_as_what_they_stand_for)
{
	with_pool(a, small, decoys);
}

typedef struct Storm {
	PasswordPool *pool;
	unsigned done, refused, cancelled;
	unsigned left;
	Fiber *parent;
	Fiber *fibers[8];
} Storm;

static void storm_fiber(void *arg)
{
	Storm *storm = arg;
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str stored;
	Err *err = password_make(storm->pool, a, S("x"), &stored);

	if (!err)
		storm->done++;
	else if (err_is(err, "auth.password_busy"))
		storm->refused++;
	else if (err_is(err, "rt.cancelled"))
		storm->cancelled++;
	if (!--storm->left)
		fiber_wake(storm->parent);
}

static Err *await_storm(Storm *storm)
{
	while (storm->left)
		TRY(fiber_park());
	return NULL;
}

/* One thread, held: two wait, all others are refused. */
static Err *full_queue(PasswordPool *pool, Arena *a UNUSED)
{
	Storm storm = { .pool = pool, .left = 8, .parent = fiber_self() };

	for (unsigned i = 0; i < 8; i++)
		TRY(fiber_start(storm_fiber, &storm, "storm"));
	TRY(await_storm(&storm));
	/* The thread takes at most one while the fibers begin. */
	CHECK(storm.done == 2 || storm.done == 3);
	CHECK_INT(storm.done + storm.refused, 8);
	CHECK_INT(metric_value(pool->cells_refused), storm.refused);
	CHECK_INT(metric_value(pool->cells_queued), 0);
	CHECK_INT(metric_value(pool->cells_busy), 0);
	return NULL;
}

TEST(password_queue_that_is_full_refuses_at_once)
{
	with_pool(a, small, full_queue);
}

static Err *cancelled(PasswordPool *pool, Arena *a)
{
	AUTO(deadline_end) Deadline limit = { 0 };
	PasswordOutcome out;
	Str stored;
	Err *err;

	fiber_cancel_at_park(1);
	err = password_make(pool, a, S("x"), &stored);
	/* Withdrawn, or the thread had it: then it is waited for, and the next park says so. */
	CHECK(!err || err_is(err, "rt.cancelled"));
	CHECK_INT(metric_value(pool->cells_queued), 0);
	err = password_verify(pool, a, S(""), S("x"), &out);
	CHECK_ERR(err, "rt.cancelled");
	CHECK(list_empty(&pool->queue));
	return NULL;
}

TEST(password_wait_can_be_cancelled)
{
	with_pool(a, small, cancelled);
}

TEST(password_settings_are_checked)
{
	static const struct {
		Str text;
		bool fine;
	} cases[] = {
		{ S("{}"), true },
		{ S("{ workers: 4, queue: 10, memory: 46MiB, passes: 1 }"), true },
		{ S("{ memory: 1MiB }"), false },
		{ S("{ memory: 256MiB }"), false },
		{ S("{ memory: 128MiB, passes: 9 }"), false },
	};
	PasswordConf conf;

	CHECK_OK(conf_check_table(a, password_conf_table()));
	for (size_t i = 0; i < COUNT(cases); i++) {
		Conf *reading = conf_new(a);

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_INT(!conf_read(reading, S("t"), cases[i].text,
		                     &(ConfPart){ password_conf_table(), &conf }, 1),
		          cases[i].fine);
	}
	for (size_t i = 0; i < COUNT(families); i++)
		CHECK_STR(metric_family_mistake(a, &families[i]), S(""));
}
