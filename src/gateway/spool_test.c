/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/spool.c"

#include "base/rand.h"
#include "base/time.h"
#include "unit.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { TOTAL = 600 * 1000 };

static char pattern[TOTAL];

static void fill_pattern(void)
{
	for (size_t i = 0; i < TOTAL; i++)
		pattern[i] = (char)(i * 2654435761u >> 13);
}

static Str part(uint64_t at, size_t bytes)
{
	return str_sub((Str){ pattern, TOTAL }, (size_t)at, (size_t)at + bytes);
}

static void in_rt(RtMain *fn, void *arg)
{
	RtConf conf = { .loops = 1, .workers = 2 };

	fill_pattern();
	CHECK_OK(rt_run(&conf, fn, arg));
	CHECK_INT(counts.memory, 0);
	CHECK_INT(counts.file, 0);
}

static SpoolRules rules_of(size_t memory, uint64_t file)
{
	return (SpoolRules){ .dir = S("/tmp"), .memory = memory, .file = file };
}

static void put(Spool *s, Str piece)
{
	spool_add(s, piece);
	CHECK_OK(spool_settle(s));
}

/* --- what goes in comes out ------------------------------------------------------------------------------------------ */

typedef struct Flow {
	size_t memory;
	uint64_t file;
	size_t piece;      /* put at a time, at most */
	unsigned takes_of; /* one in so many turns the taker takes */
	Spool s;
	uint64_t put, taken;
	size_t most_memory;
	uint64_t most_file;
} Flow;

static Err *put_all(void *arg)
{
	Flow *flow = arg;
	Spool *s = &flow->s;

	while (flow->put < TOTAL) {
		Str piece = part(flow->put, 1 + rand_below(flow->piece));

		spool_add(s, piece);
		flow->put += piece.len;
		TRY(spool_settle(s));
		flow->most_memory = MAX(flow->most_memory, s->filling.len);
		flow->most_file = MAX(flow->most_file, s->end);
		TRY(spool_wait_room(s, 0, 0));
		TRY(fiber_yield());
	}
	spool_finish(s, NULL);
	return NULL;
}

static Err *flow_through(void *arg)
{
	Flow *flow = arg;
	SpoolRules rules = rules_of(flow->memory, flow->file);
	Child putter;
	Str piece;

	spool_begin(&flow->s, &rules, SPOOL_ANSWER);
	TRY(child_start(&putter, put_all, flow, "putter"));
	do {
		for (unsigned i = 0; i < flow->takes_of; i++)
			TRY(fiber_yield());
		TRY(spool_take(&flow->s, &piece));
		CHECK_STR(piece, part(flow->taken, piece.len));
		CHECK(piece.len <= SLICE_BYTES);
		flow->taken += piece.len;
		CHECK(flow->taken <= flow->put);
	} while (piece.len);
	TRY(child_join(&putter));
	CHECK_INT(flow->taken, TOTAL);
	spool_end(&flow->s);
	return NULL;
}

TEST(bytes_come_out_in_order_whoever_is_slow)
{
	static const Flow cases[] = {
		{ 64 << 10, 1 << 30, 64 << 10, 0 },
		{ 64 << 10, 1 << 30, 64 << 10, 8 },
		{ 4 << 10, 1 << 30, 100, 3 },
		{ 4 << 10, 1 << 30, 100 << 10, 8 },
		{ 4 << 10, 16 << 10, 3000, 2 },
		{ 4 << 10, 16 << 10, 3000, 40 },
		{ 4 << 10, 0, 3000, 5 },
		{ 1 << 20, 0, 64 << 10, 20 },
		{ 300 << 10, 1 << 30, 64 << 10, 20 },
		{ 4 << 10, 20 << 10, 30000, 4 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Flow flow = cases[i];

		NOTE("row %zu", i);
		in_rt(flow_through, &flow);
		CHECK(flow.most_memory <= flow.memory + flow.piece);
		CHECK(flow.most_file <= flow.file);
	}
}

/* --- what is looked at stays ------------------------------------------------------------------------------------------ */

static Err *look_around(void *arg)
{
	SpoolRules rules = rules_of(15000, 1 << 30);
	Spool s;
	Str piece;
	(void)arg;

	spool_begin(&s, &rules, SPOOL_REQUEST);
	for (uint64_t at = 0; at < TOTAL; at += 7000)
		put(&s, part(at, 7000));
	CHECK_INT(spool_bytes(&s), TOTAL);
	CHECK(spool_memory(&s).len && spool_memory(&s).len <= 15000);
	for (int again = 0; again < 2; again++) {
		uint64_t at = 0;

		for (; at < TOTAL; at += piece.len) {
			TRY(spool_look(&s, at, &piece));
			CHECK(piece.len);
			CHECK_STR(piece, part(at, piece.len));
		}
		CHECK_INT(at, TOTAL);
		CHECK_INT(spool_bytes(&s), TOTAL);
	}
	TRY(spool_look(&s, TOTAL, &piece));
	CHECK_INT(piece.len, 0);
	for (int i = 0; i < 200; i++) {
		uint64_t at = rand_below(TOTAL);

		TRY(spool_look(&s, at, &piece));
		CHECK_STR(piece, part(at, piece.len));
	}
	spool_end(&s);
	return NULL;
}

TEST(a_held_body_can_be_read_again_from_anywhere)
{
	in_rt(look_around, NULL);
}

/* --- what the file does not take --------------------------------------------------------------------------------------- */

typedef struct Short {
	SpoolRules rules;
	Refusal why;
	rlim_t file_limit; /* 0: none */
	uint64_t filed;    /* bytes that went to the file before */
} Short;

static Err *run_short(void *arg)
{
	const Short *row = arg;
	uint64_t at = 0, held;
	Spool s;
	Str piece;

	spool_begin(&s, &row->rules, SPOOL_REQUEST);
	for (; !spool_is_full(&s); at += 10000)
		put(&s, part(at, 10000));
	CHECK_INT(s.end, row->filed);
	CHECK_INT(counts.refused[row->why], 1);
	put(&s, part(at, 1000)); /* is held nevertheless, and counted no more */
	CHECK_INT(counts.refused[row->why], 1);
	held = at + 1000;
	CHECK_INT(spool_bytes(&s), held);
	spool_finish(&s, NULL);
	for (at = 0; at < held; at += piece.len) {
		TRY(spool_take(&s, &piece));
		CHECK(piece.len);
		CHECK_STR(piece, part(at, piece.len));
	}
	spool_end(&s);
	return NULL;
}

TEST(a_file_that_takes_no_more_loses_nothing)
{
	static const Short cases[] = {
		{ { S("/tmp"), 30000, 0, 0 }, TOO_LARGE, 0, 0 },
		{ { S("/tmp"), 30000, 100000, 0 }, TOO_LARGE, 0, 80000 },
		{ { S("/tmp"), 30000, 1 << 30, 130000 }, LIMIT, 0, 120000 },
		{ { S("/tmp"), 30000, 1 << 30, 0 }, DISK_FULL, 100000, 80000 },
		{ { S("/nowhere"), 30000, 1 << 30, 0 }, INPUT_OUTPUT, 0, 0 },
		{ { S("/proc"), 30000, 1 << 30, 0 }, INPUT_OUTPUT, 0, 0 },
	};
	struct rlimit before;

	getrlimit(RLIMIT_FSIZE, &before);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rlimit limit = { cases[i].file_limit, before.rlim_max };
		Short row = cases[i];

		NOTE("row %zu", i);
		memset(counts.refused, 0, sizeof counts.refused);
		if (row.file_limit)
			setrlimit(RLIMIT_FSIZE, &limit);
		in_rt(run_short, &row);
		setrlimit(RLIMIT_FSIZE, &before);
	}
}

static Err *run_two(void *arg)
{
	SpoolRules rules = { S("/tmp"), 10000, 1 << 30, 50000 };
	Spool one, two;
	(void)arg;

	spool_begin(&one, &rules, SPOOL_ANSWER);
	spool_begin(&two, &rules, SPOOL_ANSWER);
	put(&one, part(0, 40000));
	put(&two, part(0, 20000));
	CHECK_INT(one.end, 40000);
	CHECK(spool_is_full(&two) && !two.end);
	spool_end(&one);
	CHECK_INT(counts.file, 0);
	put(&two, part(20000, 20000)); /* there is room again */
	CHECK_INT(two.end, 40000);
	spool_end(&two);
	return NULL;
}

TEST(the_limit_is_for_all_files_together)
{
	in_rt(run_two, NULL);
}

/* --- the end ------------------------------------------------------------------------------------------------------------ */

static Err *run_error(void *arg)
{
	static Err cut = ERR_STATIC(UPSTREAM, "test.cut", "cut");
	SpoolRules rules = rules_of(1000, 1 << 20);
	Spool s;
	Str piece;
	(void)arg;

	spool_begin(&s, &rules, SPOOL_ANSWER);
	put(&s, part(0, 3000));
	put(&s, part(3000, 500));
	spool_finish(&s, &cut);
	TRY(spool_take(&s, &piece));
	CHECK_STR(piece, part(0, 3000));
	CHECK(spool_has(&s));
	TRY(spool_take(&s, &piece));
	CHECK_STR(piece, part(3000, 500));
	CHECK(!spool_has(&s));
	CHECK_ERR(spool_take(&s, &piece), "test.cut");
	spool_end(&s);
	spool_end(&s); /* fine: it is over */
	return NULL;
}

TEST(an_error_is_heard_after_the_last_byte)
{
	in_rt(run_error, NULL);
}

static Err *run_unreadable(void *arg)
{
	SpoolRules rules = rules_of(1000, 1 << 20);
	Spool s;
	Str piece;
	(void)arg;

	spool_begin(&s, &rules, SPOOL_ANSWER);
	put(&s, part(0, 3000));
	CHECK(ftruncate(s.fd, 0) == 0);
	CHECK_ERR(spool_take(&s, &piece), "gateway.spool");
	spool_end(&s);
	return NULL;
}

TEST(a_file_that_lost_its_bytes_is_an_error)
{
	in_rt(run_unreadable, NULL);
}

static Err *run_file(void *arg)
{
	SpoolRules rules = rules_of(1000, 1 << 30);
	struct stat st;
	Spool s;
	(void)arg;

	spool_begin(&s, &rules, SPOOL_ANSWER);
	for (uint64_t at = 0; at < TOTAL; at += 100000)
		put(&s, part(at, 100000));
	for (int more = 0; more < 10; more++)
		put(&s, part(0, TOTAL));
	CHECK(fstat(s.fd, &st) == 0);
	CHECK_INT(st.st_nlink, 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK_INT(st.st_size, s.size);
	CHECK_INT(counts.file, s.size);
	CHECK(s.size > QUICK_BYTES); /* a worker closes it */
	CHECK_INT(counts.filed[SPOOL_ANSWER], 1);
	spool_end(&s);
	return NULL;
}

TEST(a_file_has_no_name_and_is_for_nobody_else)
{
	in_rt(run_file, NULL);
	CHECK_INT(counts.held[SPOOL_ANSWER], 1);
}

/* --- leaving at any moment ------------------------------------------------------------------------------------------- */

static Err *flow_cancelled(void *arg)
{
	Flow *flow = arg;
	SpoolRules rules = rules_of(flow->memory, flow->file);
	AUTO(child_end) Child putter = { 0 };
	Str piece;

	spool_begin(&flow->s, &rules, SPOOL_ANSWER);
	TRY(child_start(&putter, put_all, flow, "putter"));
	do
		TRY(spool_take(&flow->s, &piece));
	while (piece.len);
	return child_join(&putter);
}

typedef struct Leaver {
	unsigned park; /* at which it is cancelled */
	bool got_through;
} Leaver;

static Err *leave_at_park(void *arg)
{
	Leaver *leaver = arg;
	Flow flow = { .memory = 50000, .file = 120000, .piece = 60000 };

	fiber_cancel_at_park(leaver->park);
	leaver->got_through = !flow_cancelled(&flow);
	fiber_cancel_at_park(0);
	spool_end(&flow.s);
	CHECK_INT(counts.memory, 0);
	CHECK_INT(counts.file, 0);
	return NULL;
}

static Err *leave_at_every_park(void *arg)
{
	Leaver leaver = { 0 };
	(void)arg;

	do {
		AUTO(child_end) Child child = { 0 };

		leaver.park++;
		TRY(child_start(&child, leave_at_park, &leaver, "leaver"));
		TRY(child_join(&child));
	} while (!leaver.got_through);
	CHECK(leaver.park > 3);
	return NULL;
}

TEST(a_taker_that_is_cancelled_leaves_nothing_behind)
{
	in_rt(leave_at_every_park, NULL);
}

/* --- metrics ---------------------------------------------------------------------------------------------------------- */

TEST(the_families_are_in_order)
{
	size_t count;
	const MetricFamily *rows = spool_metrics(&count);

	for (size_t i = 0; i < count; i++)
		CHECK_STR(metric_family_mistake(a, &rows[i]), S(""));
}
