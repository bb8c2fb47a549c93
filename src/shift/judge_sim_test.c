/* SPDX-License-Identifier: Apache-2.0
 *
 * The judge on traffic that is made up, with seeds: how soon it finds what it should, how often it calls a side bad that is
 * just like the other. Small counts here, the full ones with BANYAN_PROOF=1. */
#include "shift/judge.h"

#include "shift/evidence.h"
#include "shift/paired.h"
#include "shift/plan.h"
#include "shift/sizes_sample.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

static void seed(uint64_t n)
{
	random_state = n * UINT64_C(0x2545f4914f6cdd1d) + 88172645463325252;
}

static uint64_t mixed(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t draw(void)
{
	return mixed(random_state += UINT64_C(0x9e3779b97f4a7c15));
}

static double unit_of(uint64_t bits)
{
	return ((double)(bits >> 11) + 0.5) / 9007199254740992.0;
}

static double uniform(void)
{
	return unit_of(draw());
}

/* Requests until and with the next event. */
static double wait_for(double ratio)
{
	return ceil(log(uniform()) / log1p(-ratio));
}

static bool is_proof(void)
{
	const char *proof = getenv("BANYAN_PROOF");

	return proof && *proof;
}

static int by_size(const void *x, const void *y)
{
	double one = *(const double *)x, other = *(const double *)y;

	return (one > other) - (one < other);
}

/* The quantile of what was found; sorts. */
static double quantile(double *found, size_t count, double at)
{
	qsort(found, count, sizeof *found, by_size);
	return found[(size_t)(at * (double)(count - 1))];
}

/* At most alpha, and as much more as chance gives in so few runs (three standard deviations; none in the proof). */
static void check_alarms(unsigned alarms, unsigned runs, double alpha)
{
	double expected = alpha * runs;

	NOTE("%u false alarms in %u runs at alpha %g", alarms, runs, alpha);
	CHECK(alarms <= expected + (is_proof() ? 0 : 3 * sqrt(expected)));
}

/* --- sample sizes --------------------------------------------------------------------------------------------------- */

static double requests_until_found(const SizeRow *row)
{
	Evidence e = evidence_new(EVIDENCE_WORSE, 0);
	double on_new = wait_for(row->to), on_old = wait_for(row->from);

	for (;;) {
		if (on_new / row->share < on_old / (1 - row->share)) {
			evidence_add(&e, row->share, 1, 0);
			if (e.peak >= log(row->limit))
				return on_new;
			on_new += wait_for(row->to);
		} else {
			evidence_add(&e, row->share, 0, 1);
			on_old += wait_for(row->from);
		}
	}
}

TEST(judge_sim_sizes_are_those_of_the_reference)
{
	static double found[2000];

	for (size_t i = 0; i < COUNT(sizes); i++) {
		const SizeRow *row = &sizes[i];
		double events = row->median * (row->to + row->from * (1 - row->share) / row->share);

		if (!is_proof() && events > 40)
			continue;
		seed(i);
		for (size_t run = 0; run < COUNT(found); run++)
			found[run] = requests_until_found(row);
		NOTE("%g -> %g at %g, limit %g", row->from, row->to, row->share, row->limit);
		CHECK_NEAR(quantile(found, COUNT(found), 0.5) / row->median, 1, 0.1);
		if (row->p90 > 0)
			CHECK_NEAR(quantile(found, COUNT(found), 0.9) / row->p90, 1, 0.1);
	}
}

static double requests_until_mismatch(double noise, double extra, double limit)
{
	Paired paired = { .number = 1 };
	double raw = 1 - (1 - noise) * (1 - extra);

	for (double requests = 1;; requests++) {
		paired_note(&paired, uniform() < raw, uniform() < noise);
		if (paired.peak >= log(limit))
			return requests;
	}
}

TEST(judge_sim_paired_test_is_as_quick_as_the_reference_says)
{
	static const struct {
		double noise, extra, median, p90;
	} cases[] = { { 0.001, 0.01, 1401, 2490 },
		      { 0.01, 0.05, 398, 741 },
		      { 0.01, 0.01, 5111, 8483 } };
	static double found[2000];

	for (size_t i = 0; i < (is_proof() ? COUNT(cases) : 2); i++) {
		double noise = cases[i].noise, extra = cases[i].extra;
		double raw_only = (1 - (1 - noise) * (1 - extra)) * (1 - noise);
		ShiftSize exact =
			shift_plan_size(noise * (1 - noise) * (1 - extra), raw_only, 0.5, 1000);
		double median, p90;

		seed(100 + i);
		for (size_t run = 0; run < COUNT(found); run++)
			found[run] = requests_until_mismatch(noise, extra, 1000);
		median = quantile(found, COUNT(found), 0.5);
		p90 = quantile(found, COUNT(found), 0.9);
		NOTE("noise %g, extra %g: %g (%g)", noise, extra, median, p90);
		CHECK(median < 1.1 * cases[i].median && p90 < 1.1 * cases[i].p90);
		CHECK_NEAR(median / exact.median, 1, 0.07);
		CHECK_NEAR(p90 / exact.p90, 1, 0.07);
	}
}

/* --- sides that are alike, looked at after every event ---------------------------------------------------------------- */

/* share(i): of new when the i-th event happens. */
typedef double ShareAt(unsigned event);

static double half(unsigned event)
{
	(void)event;
	return 0.5;
}

static double small(unsigned event)
{
	(void)event;
	return 0.01;
}

/* Steps of 1, 5, 25, 50 %, and within them a share that swings with the hour. */
static double stepped(unsigned event)
{
	static const double steps[] = { 0.01, 0.05, 0.25, 0.5 };

	return steps[event / 60 % 4] * (1 + 0.5 * sin(event * 0.13));
}

static unsigned alarms_of(ShareAt *share, unsigned runs, unsigned events, double alpha)
{
	unsigned alarms = 0;

	for (unsigned run = 0; run < runs; run++) {
		Evidence e = evidence_new(EVIDENCE_WORSE, 0);

		seed(1000 + run);
		for (unsigned i = 0; i < events && evidence_p(&e) > alpha; i++) {
			bool on_new = uniform() < share(i);

			evidence_add(&e, share(i), on_new, !on_new);
		}
		alarms += evidence_p(&e) <= alpha;
	}
	return alarms;
}

TEST(judge_sim_alike_sides_with_a_look_after_every_event)
{
	static ShareAt *const shares[] = { half, small, stepped };
	unsigned runs = is_proof() ? 100000 : 600;

	for (size_t i = 0; i < COUNT(shares); i++) {
		NOTE("share %zu", i);
		check_alarms(alarms_of(shares[i], runs, is_proof() ? 1000 : 240,
		                       is_proof() ? 0.001 : 0.01),
		             runs, is_proof() ? 0.001 : 0.01);
	}
}

/* While the share is constant the evidence hangs on two counts: their staircase makes long runs cheap. */
TEST(judge_sim_alike_sides_for_5000_errors_a_run)
{
	enum { EVENTS = 5000 };
	static uint32_t
		edge[EVENTS +
	             1]; /* so many of old are too many for x of new; 0: none are few enough */
	unsigned runs = is_proof() ? 100000 : 5000, alarms = 0;
	double alpha = 0.001;

	for (unsigned x = 1; x <= EVENTS; x++) {
		edge[x] = edge[x - 1];
		while (x + edge[x] <= EVENTS &&
		       evidence_log_of(EVIDENCE_WORSE, 0, 0.5, x, edge[x]) >= -log(alpha))
			edge[x]++;
	}
	for (unsigned run = 0; run < runs; run++) {
		unsigned x = 0, y = 0;

		seed(7000000 + run);
		while (x + y < EVENTS && !(x && y < edge[x])) {
			if (draw() >> 63)
				x++;
			else
				y++;
		}
		alarms += x && y < edge[x];
	}
	check_alarms(alarms, runs, alpha);
}

/* --- whole rollouts of sides that are alike -------------------------------------------------------------------------- */

typedef struct World {
	unsigned users, broken; /* broken: all their requests fail, on either side */
	unsigned bots;          /* users who ask a hundred times as much */
	double ratio;           /* of errors of everybody else */
	bool hours;             /* it changes by a factor of nine over the day */
	bool forgetful;         /* everything counts, not one a user: for comparison */
} World;

enum { ROLLOUT_REQUESTS = 3000 };
static const double rollout_steps[] = { 0.01, 0.05, 0.1, 0.25, 0.5 };

static uint64_t pick_user(const World *world)
{
	if (world->bots && uniform() < 0.5)
		return 1 + draw() % world->bots;
	return 1 + draw() % world->users;
}

static bool fails(const World *world, uint64_t user, unsigned request)
{
	double ratio = world->ratio;

	if (user > world->users - world->broken)
		return true;
	if (world->hours)
		ratio *= 1 + 0.8 * sin(request * 0.002);
	return uniform() < ratio;
}

static bool rollout_goes_back(const World *world, unsigned run, double alpha)
{
	static const JudgeRule rules[] = { { .name = "errors" } };
	AUTO(seen_fini) Seen seen = { 0 };
	Judge judge = judge_new(alpha, rules, 1);

	seed(run);
	seen_init(&seen, world->users);
	for (size_t step = 0; step < COUNT(rollout_steps); step++) {
		judge_begin(&judge, &seen, (JudgeStep){ .share = rollout_steps[step] });
		for (unsigned i = 0; i < ROLLOUT_REQUESTS && !judge.metrics[0].back; i++) {
			uint64_t user = pick_user(world);
			double place =
				unit_of(mixed(user * 1000003 + run * UINT64_C(0x9e3779b97f4a7c15)));
			JudgeSide side = place < rollout_steps[step] ? JUDGE_NEW : JUDGE_OLD;

			judge_note(&judge, world->forgetful ? NULL : &seen, side, user, 1,
			           fails(world, user, i));
		}
	}
	return judge.metrics[0].back;
}

static unsigned rollouts_back(const World *world, unsigned runs, double alpha)
{
	unsigned back = 0;

	for (unsigned run = 0; run < runs; run++)
		back += rollout_goes_back(world, run, alpha);
	return back;
}

static void check_world(World world)
{
	unsigned runs = is_proof() ? 100000 : 120;
	double alpha = is_proof() ? 0.001 : 0.05;

	check_alarms(rollouts_back(&world, runs, alpha), runs, alpha);
}

TEST(judge_sim_rollout_of_alike_sides)
{
	check_world((World){ .users = 500, .ratio = 0.01 });
}

TEST(judge_sim_rollout_with_rates_that_change_by_the_hour)
{
	check_world((World){ .users = 500, .ratio = 0.01, .hours = true });
}

TEST(judge_sim_rollout_with_one_broken_user)
{
	check_world((World){ .users = 300, .ratio = 0.0005, .broken = 1 });
}

TEST(judge_sim_rollout_with_broken_users)
{
	check_world((World){ .users = 500, .ratio = 0.001, .broken = 10 });
}

TEST(judge_sim_rollout_with_bots_that_do_half_of_the_requests)
{
	check_world((World){ .users = 500, .ratio = 0.005, .broken = 20, .bots = 2 });
}

/* The trap: were every error counted, broken users alone would send a good side back. */
TEST(judge_sim_errors_of_one_user_would_send_it_back_if_each_counted)
{
	World world = { .users = 300, .ratio = 0.0005, .broken = 3, .forgetful = true };

	CHECK(rollouts_back(&world, 60, 0.001) > 3);
}

/* --- the end of a step ------------------------------------------------------------------------------------------------ */

/* Whether a step of the planned length, with errors of this ratio on new, ends with ON; what is suspicious may take up to
 * three times as long. */
static JudgeSay end_of_step(Arena *a, double from, double to, uint64_t requests)
{
	static const JudgeRule rules[] = { { .name = "errors" } };
	Judge judge = judge_new(0.001, rules, 1);
	JudgeSay say = JUDGE_WAIT;

	judge_begin(&judge, NULL, (JudgeStep){ .share = 0.1, .requests = requests });
	while (say == JUDGE_WAIT && judge.requests[JUDGE_NEW] < 3 * requests) {
		bool on_new = uniform() < 0.1;

		judge_note(&judge, NULL, on_new ? JUDGE_NEW : JUDGE_OLD, 0, 1,
		           uniform() < (on_new ? to : from));
		if (judge.requests[JUDGE_NEW] >= requests || judge.metrics[0].back) {
			Mark mark = arena_mark(a);

			say = judge_look(&judge, 0, a).say;
			arena_reset(a, mark);
		}
	}
	return say;
}

TEST(judge_sim_a_planned_step_lets_hardly_any_target_regression_pass)
{
	unsigned runs = is_proof() ? 5000 : 100, on = 0, good = 0;
	uint64_t requests = (uint64_t)shift_plan_size(0.001, 0.01, 0.1, 1000).p90;

	seed(4);
	for (unsigned run = 0; run < runs; run++) {
		on += end_of_step(a, 0.001, 0.01, requests) == JUDGE_ON;
		good += end_of_step(a, 0.001, 0.001, requests) == JUDGE_ON;
	}
	NOTE("of %u: %u regressions and %u good sides went on", runs, on, good);
	CHECK(on <= 0.03 * runs);
	CHECK(good >= 0.98 * runs);
}

/* --- counters ------------------------------------------------------------------------------------------------------------- */

/* Requests of the new side until its counter sends it back; INFINITY: not within so many. */
static double requests_until_back(JudgeKind kind, double old_share, double new_share, double most,
                                  double alpha)
{
	const JudgeRule rule = { .name = "checkout_ok", .kind = kind };
	Judge judge = judge_new(alpha, &rule, 1);

	judge_begin(&judge, NULL, (JudgeStep){ .share = 0.1 });
	while ((double)judge.requests[JUDGE_NEW] < most) {
		bool on_new = uniform() < 0.1;
		bool with = uniform() < (on_new ? new_share : old_share);

		judge_note(&judge, NULL, on_new ? JUDGE_NEW : JUDGE_OLD, 0, 1,
		           with == (kind != JUDGE_WITHOUT));
		if (judge.metrics[0].back)
			return (double)judge.requests[JUDGE_NEW];
	}
	return INFINITY;
}

static double median_until_back(JudgeKind kind, double old_share, double new_share, double most)
{
	static double found[201];

	seed((uint64_t)kind + 10);
	for (size_t run = 0; run < (is_proof() ? COUNT(found) : 41u); run++)
		found[run] = requests_until_back(kind, old_share, new_share, most, 0.001);
	return quantile(found, is_proof() ? COUNT(found) : 41, 0.5);
}

/* Each by the kind that its share on the old side asks for, and within a few times what an error of that size takes. */
TEST(judge_sim_a_counter_that_changes_is_found)
{
	static const struct {
		double old_share, new_share, most;
		bool rise;
	} cases[] = {
		{ 0.95, 0.80, 400, false },  { 0.60, 0.40, 400, false },
		{ 0.30, 0.15, 1000, false }, { 0.02, 0.005, 5000, false },
		{ 0.05, 0, 1000, false },    { 0.01, 0.05, 1000, true },
		{ 0.30, 0.50, 800, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		JudgeKind kind =
			cases[i].rise ? JUDGE_RISE : judge_counter_kind(cases[i].old_share);
		double median = median_until_back(kind, cases[i].old_share, cases[i].new_share,
		                                  10 * cases[i].most);

		printf("a counter on %g %% of answers, then on %g %%: found after %g requests of "
		       "new\n",
		       100 * cases[i].old_share, 100 * cases[i].new_share, median);
		CHECK(median <= cases[i].most);
	}
}

/* What is rare has hardly fewer requests without it when it falls: counted so, nobody would see it. */
TEST(judge_sim_a_rare_counter_is_not_seen_by_what_lacks_it)
{
	CHECK(isinf(median_until_back(JUDGE_WITHOUT, 0.02, 0.005, 10000)));
}

TEST(judge_sim_counters_that_do_not_change_send_nobody_back)
{
	static const double shares[] = { 0.95, 0.5, 0.02 };
	unsigned runs = is_proof() ? 20000 : 300;
	double alpha = is_proof() ? 0.001 : 0.02;

	for (size_t i = 0; i < 2 * COUNT(shares); i++) {
		double share = shares[i / 2];
		JudgeKind kind = i % 2 ? JUDGE_RISE : judge_counter_kind(share);
		unsigned alarms = 0;

		seed(i + 100);
		for (unsigned run = 0; run < runs; run++)
			alarms += !isinf(requests_until_back(kind, share, share, 300, alpha));
		check_alarms(alarms, runs, alpha);
	}
}
