/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/fiber.c"

#include "unit.h"

#include <sys/resource.h>

/* Runs a test's body as the main fiber of a runtime with one loop. */
static void in_runtime(Err *(*body)(void *arg), void *arg)
{
	RtConf conf = { .loops = 1, .workers = 1 };

	CHECK_OK(rt_run(&conf, body, arg));
}

static void count_up(void *arg)
{
	++*(int *)arg;
}

static Err *start_many(void *arg)
{
	int *count = arg;

	for (int i = 0; i < 1000000; i++) {
		TRY(fiber_start(count_up, count, "count"));
		if (i % 100 == 99)
			TRY(fiber_yield());
	}
	while (*count < 1000000)
		TRY(fiber_yield());
	CHECK(loop_stats(loop_self()).fibers_peak <= 1 + 100);
	return NULL;
}

TEST(a_million_fibers_start_and_end_on_a_hundred_stacks)
{
	int count = 0;

	in_runtime(start_many, &count);
	CHECK_INT(count, 1000000);
}

static void park_for_good(void *arg)
{
	Err *err = fiber_park();

	CHECK_ERR(err, "rt.cancelled");
	++*(int *)arg;
}

static Err *start_too_many(void *arg)
{
	int started = 0;
	Err *err = NULL;

	while (!(err = fiber_start(park_for_good, arg, "parked")))
		started++;
	CHECK_ERR(err, "rt.fibers");
	CHECK_INT(started, 9);
	return NULL;
}

TEST(more_fibers_than_allowed_are_refused_and_the_end_cancels_the_parked)
{
	RtConf conf = { .loops = 1, .fibers_per_loop = 10 };
	int cancelled_count = 0;

	CHECK_OK(rt_run(&conf, start_too_many, &cancelled_count));
	CHECK_INT(cancelled_count, 9);
}

static Err *let_time_pass(void *arg)
{
	int64_t begun = loop_now_us();

	(void)arg;
	CHECK_OK(fiber_sleep(20000));
	CHECK(loop_now_us() - begun >= 20000);
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(10000);

		CHECK_ERR(fiber_park(), "rt.deadline");
		CHECK_ERR(fiber_sleep(1000000), "rt.deadline");
	}
	CHECK_INT(deadline_at(), INT64_MAX);
	CHECK_OK(fiber_sleep(1000));
	return NULL;
}

TEST(a_deadline_ends_waits_in_its_scope_only)
{
	in_runtime(let_time_pass, NULL);
}

static Err *nest_deadlines(void *arg)
{
	AUTO(deadline_end) Deadline outer = deadline_begin(10000);
	int64_t first = deadline_at();

	(void)arg;
	{
		AUTO(deadline_end) Deadline inner = deadline_begin(60000000);

		CHECK_INT(deadline_at(), first);
	}
	{
		AUTO(shield_end) Shield shield = shield_begin(30000);

		CHECK(deadline_at() > first);
		CHECK_OK(fiber_sleep(15000));
	}
	CHECK_ERR(fiber_park(), "rt.deadline");
	return NULL;
}

TEST(the_earliest_deadline_counts_and_a_shield_holds_it_off)
{
	in_runtime(nest_deadlines, NULL);
}

typedef struct Steps {
	int parked;
	int cleaned;
	bool shielded_done;
} Steps;

static Err *wait_with_cleanup(void *arg)
{
	Steps *steps = arg;
	Err *err;

	steps->parked++;
	err = fiber_park();
	CHECK_ERR(err, "rt.cancelled");
	CHECK(fiber_cancelled());
	CHECK_ERR(fiber_park(), "rt.cancelled");
	{
		AUTO(shield_end) Shield shield = shield_begin(1000000);

		CHECK(!fiber_cancelled());
		CHECK_OK(fiber_sleep(1000));
		steps->shielded_done = true;
	}
	steps->cleaned++;
	return err;
}

static Err *leave_a_child_behind(void *arg)
{
	AUTO(child_end) Child child = { 0 };

	CHECK_OK(child_start(&child, wait_with_cleanup, arg, "child"));
	CHECK_OK(fiber_yield());
	return NULL;
}

static Err *parent_of_a_child(void *arg)
{
	CHECK_OK(leave_a_child_behind(arg));
	CHECK_INT(((Steps *)arg)->cleaned, 1);
	return NULL;
}

TEST(a_parent_leaves_only_after_its_child_was_cancelled_and_cleaned_up)
{
	Steps steps = { 0 };

	in_runtime(parent_of_a_child, &steps);
	CHECK_INT(steps.parked, 1);
	CHECK(steps.shielded_done);
}

static Err *give_an_error(void *arg)
{
	CHECK_OK(fiber_sleep(1000));
	return arg;
}

static Err *join_a_child(void *arg)
{
	AUTO(child_end) Child child = { 0 };

	CHECK_OK(child_start(&child, give_an_error, arg, "child"));
	CHECK(child_join(&child) == arg);
	return NULL;
}

TEST(joining_gives_what_the_child_returned)
{
	Err boom = ERR_STATIC(INTERNAL, "test.boom", "it went wrong");

	in_runtime(join_a_child, &boom);
}

typedef struct Line {
	WaitQueue queue;
	int order[8];
	int count;
} Line;

static void stand_in_line(void *arg)
{
	Line *line = arg;
	int place = line->count++;

	if (!wait_queue_park(&line->queue))
		line->order[place] = ++line->order[7];
}

static Err *serve_the_line(void *arg)
{
	Line *line = arg;

	wait_queue_init(&line->queue);
	for (int i = 0; i < 5; i++)
		CHECK_OK(fiber_start(stand_in_line, line, "waiter"));
	CHECK_OK(fiber_yield());
	CHECK(wait_queue_wake_one(&line->queue));
	fiber_cancel(CONTAINER(list_first(&line->queue.waiters), Fiber, wait));
	CHECK(wait_queue_wake_one(&line->queue));
	for (int i = 0; i < 3; i++)
		CHECK_OK(fiber_yield());
	wait_queue_wake_all(&line->queue);
	CHECK_OK(fiber_yield());
	CHECK(wait_queue_empty(&line->queue));
	return NULL;
}

TEST(waiters_are_served_in_order_and_a_cancelled_one_passes_its_turn_on)
{
	Line line = { 0 };
	static const int want[] = { 1, 0, 2, 3, 4 };

	in_runtime(serve_the_line, &line);
	for (size_t i = 0; i < COUNT(want); i++)
		CHECK_INT(line.order[i], want[i]);
}

static Err *many_parks(void *arg)
{
	int *passed = arg;

	for (int i = 0; i < 5; i++) {
		TRY(fiber_sleep(100));
		++*passed;
	}
	return NULL;
}

static Err *cancel_each(void *arg)
{
	(void)arg;
	for (unsigned n = 1; n <= 6; n++) {
		int passed = 0;
		Err *err;

		fiber_cancel_at_park(n);
		err = many_parks(&passed);
		if (n <= 5) {
			CHECK_ERR(err, "rt.cancelled");
			CHECK_INT(passed, n - 1);
			fiber_self()->cancelled = false;
		} else {
			CHECK_OK(err);
		}
	}
	fiber_cancel_at_park(0);
	return NULL;
}

TEST(a_fiber_can_be_cancelled_at_its_nth_park_for_every_n)
{
	in_runtime(cancel_each, NULL);
}

static void burn_stack(void *arg)
{
	char page[4096];

	memset(page, *(int *)arg, sizeof page);
	CHECK_OK(fiber_yield());
	CHECK_INT(page[4095], *(int *)arg);
}

static Err *peak_then_rest(void *arg)
{
	for (int i = 0; i < 2000; i++)
		CHECK_OK(fiber_start(burn_stack, arg, "burn"));
	CHECK_OK(fiber_yield());
	CHECK_OK(fiber_yield());
	CHECK_INT(loop_stats(loop_self()).stacks_kept, 2000);
	for (int i = 0; i < 2; i++) { /* as the timer does once a second */
		trim_stacks(&loop_self()->trim);
	}
	CHECK(loop_stats(loop_self()).stacks_kept < 1100);
	return NULL;
}

TEST(stacks_are_given_back_after_a_peak)
{
	int value = 7;

	in_runtime(peak_then_rest, &value);
}

static Err *go_deep(unsigned depth)
{
	char page[4096];

	for (unsigned i = 0; i < sizeof page; i += 512)
		((volatile char *)page)[i] = (char)i;
	if (depth)
		TRY(go_deep(depth - 1));
	__asm__ volatile("" : : "r"(page) : "memory");
	return NULL;
}

static unsigned resident_pages(void)
{
	const Fiber *fiber = fiber_self();
	unsigned char pages[512];
	unsigned count = 0;

	CHECK(fiber->stack_bytes / PAGE <= sizeof pages);
	CHECK_INT(mincore(fiber->stack, fiber->stack_bytes, pages), 0);
	for (size_t i = 0; i < fiber->stack_bytes / PAGE; i++)
		count += pages[i] & 1;
	return count;
}

static Err *trim_between(void *arg)
{
	char kept[256];
	unsigned before;

	(void)arg;
	for (unsigned i = 0; i < sizeof kept; i++)
		kept[i] = (char)i;
	CHECK_OK(go_deep(8));
	before = resident_pages();
	fiber_trim();
	CHECK(resident_pages() + 7 <= before);
	for (unsigned i = 0; i < sizeof kept; i++)
		CHECK_INT(kept[i], (char)i);
	return go_deep(8);
}

/* Frames of every size on either side of a page's edge. */
static Err *trim_with_large_frames(void *arg)
{
	(void)arg;
	for (size_t size = 16; size < 8192; size += 16) {
		unsigned char *kept = __builtin_alloca(16);
		volatile unsigned char frame[3000];

		for (size_t i = 0; i < sizeof frame; i++)
			frame[i] = (unsigned char)i;
		memset(kept, 0x5a, 16);
		fiber_trim();
		for (size_t i = 0; i < sizeof frame; i++)
			CHECK_INT(frame[i], (unsigned char)i);
		CHECK_INT(kept[15], 0x5a);
	}
	return NULL;
}

TEST(a_trimmed_stack_keeps_a_large_frame_wherever_it_ends)
{
	in_runtime(trim_with_large_frames, NULL);
}

TEST(a_trimmed_stack_gives_its_pages_back_keeps_what_is_in_use_and_grows_again)
{
	in_runtime(trim_between, NULL);
}

/* --- the order of a turn --------------------------------------------------------------------------------------------- */

typedef struct Turn {
	char said[16];
	size_t count;
	Fiber *partner;
	uint64_t turns[3]; /* of the loop: when it was woken, had gathered, had yielded */
} Turn;

static void say(Turn *turn, char what)
{
	turn->said[turn->count++] = what;
}

static void partner_main(void *arg)
{
	Turn *turn = arg;

	turn->partner = fiber_self();
	CHECK_OK(fiber_park());
	turn->turns[0] = loop_stats(loop_self()).turns;
	say(turn, 'p');
}

static void waker_main(void *arg)
{
	Turn *turn = arg;

	fiber_wake(turn->partner);
	say(turn, 'w');
}

static Err *gather_then_yield(void *arg)
{
	Turn *turn = arg;
	uint64_t begun;

	TRY(fiber_start(partner_main, turn, "partner"));
	TRY(fiber_yield());
	TRY(fiber_start(waker_main, turn, "waker"));
	begun = loop_stats(loop_self()).turns;
	TRY(fiber_gather());
	say(turn, 'g');
	turn->turns[1] = loop_stats(loop_self()).turns;
	CHECK_INT(turn->turns[0], begun);
	CHECK_INT(turn->turns[1], begun);
	TRY(fiber_yield());
	CHECK_INT(loop_stats(loop_self()).turns, begun + 1);
	return NULL;
}

TEST(who_gathers_runs_after_those_who_are_woken_and_in_the_same_turn)
{
	Turn turn = { 0 };

	in_runtime(gather_then_yield, &turn);
	CHECK_STR(str_of(turn.said), S("wpg"));
}
