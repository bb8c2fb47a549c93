/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/subject.c"

#include "unit.h"

static uint8_t metrics[] = { JUDGE_ON_ERRORS, JUDGE_ON_P99 };
static uint32_t steps[] = { 100000, PPM_WHOLE };

static ShiftConf conf_of(void)
{
	ShiftConf conf = { .holdback_ppm = 20000, .objective_ppm = 999000 };

	conf.judge.alpha = 0.001;
	conf.judge.metrics.at = metrics;
	conf.judge.metrics.count = COUNT(metrics);
	conf.steps.at = steps;
	conf.steps.count = COUNT(steps);
	return conf;
}

static Subject *subject_of(const ShiftConf *conf)
{
	Subject *s = subject_need(SUBJECT_ROUTE, S("users"));

	subject_configure(s, NULL, conf, S("old"), S("new"));
	return s;
}

static void put(Subject *s, ShiftPhase phase, uint32_t share_ppm, uint32_t attempt)
{
	ShiftState next = s->state;

	next.revision++;
	next.phase = (uint8_t)phase;
	next.share_ppm = share_ppm;
	next.attempt = attempt;
	next.salt = attempt * 1000 + 1;
	next.slow_us[2] = 50000;
	CHECK(subject_apply(s, &next));
}

static unsigned count_new(Subject *s, unsigned users)
{
	unsigned count = 0;

	for (uint64_t i = 1; i <= users; i++) {
		SplitUser user = { .hash = i * 7919 };

		count += subject_draw(s, &user, false, false).is_new;
	}
	return count;
}

TEST(subject_draws_by_its_phase)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);
	static const struct {
		ShiftPhase phase;
		uint32_t share_ppm;
		unsigned least, most;
	} cases[] = {
		{ SHIFT_OLD, 500000, 0, 0 },           { SHIFT_SHADOW, 500000, 0, 0 },
		{ SHIFT_CANARY, 500000, 450, 550 },    { SHIFT_NEW, 980000, 960, 995 },
		{ SHIFT_RETIRED, 980000, 1000, 1000 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned got;

		put(s, cases[i].phase, cases[i].share_ppm, 1);
		got = count_new(s, 1000);
		CHECK(got >= cases[i].least && got <= cases[i].most);
	}
}

TEST(subject_takes_no_state_that_is_older)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);
	ShiftState before;

	put(s, SHIFT_CANARY, 100000, 1);
	before = s->state;
	put(s, SHIFT_OLD, 0, 1);
	CHECK(!subject_apply(s, &before));
	CHECK_INT(s->state.phase, SHIFT_OLD);
}

TEST(subject_a_halt_puts_everybody_back_at_once)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);

	put(s, SHIFT_NEW, 980000, 1);
	CHECK(count_new(s, 100) > 90);
	subject_halt(s, S("it is broken"), S(""));
	CHECK_INT(count_new(s, 100), 0);
	CHECK_INT(subject_share_ppm(s), 0);
	CHECK_STR(str_of(s->halted_line), S("it is broken"));
	put(s, SHIFT_OLD, 0, 1);
	CHECK(!s->halted);
}

TEST(subject_strangers_and_those_told_are_no_part_of_the_draw)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);
	SplitUser stranger = { .stranger = true }, known = { .hash = 5 };

	put(s, SHIFT_CANARY, 1000000 - 20000, 1);
	CHECK(!subject_draw(s, &stranger, false, false).is_new);
	CHECK_INT(s->strangers, 1);
	CHECK(subject_draw(s, &known, true, true).is_new);
	CHECK(!subject_draw(s, &known, true, true).drawn);
	CHECK(!subject_draw(s, &known, true, false).is_new);
}

TEST(subject_a_cap_lets_nobody_new_in)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);
	unsigned first;

	conf.cap = 20;
	put(s, SHIFT_CANARY, 500000, 1);
	first = count_new(s, 1000);
	CHECK_INT(first, 20);
	CHECK_INT(count_new(s, 1000), 20); /* the same */
	CHECK_INT(s->touched_count, 20);
	put(s, SHIFT_NEW, 980000, 1);
	CHECK(count_new(s, 1000) > 900);
}

static void ask(Subject *s, JudgeSide side, uint64_t user, TripwireFate fate, int64_t took_us)
{
	SubjectOutcome o = { .attempt = s->state.attempt,
		             .side = side,
		             .user = user,
		             .drawn = true,
		             .fate = fate,
		             .took_us = took_us };

	subject_note(s, &o, 1);
}

TEST(subject_one_broken_user_is_one_error)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);

	put(s, SHIFT_CANARY, 500000, 1);
	for (uint64_t i = 1; i <= 100; i++) {
		ask(s, JUDGE_OLD, i, TRIPWIRE_OK, 1000);
		ask(s, JUDGE_NEW, 1000 + i, TRIPWIRE_OK, 1000);
		ask(s, JUDGE_NEW, 5000, TRIPWIRE_FAILED, -1);
	}
	CHECK_INT(judge_view(&s->judge, 0).new_side.events, 1);
	CHECK_INT(s->sight.failed[JUDGE_NEW], 100);
}

TEST(subject_answers_above_the_threshold_are_slow)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);

	conf.judge.fast_us = 80000;
	put(s, SHIFT_CANARY, 500000, 1);
	for (uint64_t i = 1; i <= 50; i++) {
		ask(s, JUDGE_OLD, i, TRIPWIRE_OK, 70000); /* above p99, and fast all the same */
		ask(s, JUDGE_NEW, 100 + i, TRIPWIRE_OK, i <= 5 ? 90000 : 1000);
	}
	CHECK_INT(judge_view(&s->judge, 1).new_side.events, 5);
	CHECK_INT(judge_view(&s->judge, 1).old_side.events, 0);
}

TEST(subject_evidence_stays_over_steps_and_ends_with_the_attempt)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);

	put(s, SHIFT_CANARY, 100000, 1);
	for (uint64_t i = 1; i <= 40; i++) {
		ask(s, JUDGE_OLD, i, TRIPWIRE_OK, 1000);
		ask(s, JUDGE_NEW, 100 + i, i <= 4 ? TRIPWIRE_FAILED : TRIPWIRE_OK, 1000);
	}
	put(s, SHIFT_CANARY, 500000, 1);
	CHECK_INT(judge_view(&s->judge, 0).new_side.events, 4);
	CHECK(s->plan_due);
	put(s, SHIFT_OLD, 0, 1);
	put(s, SHIFT_CANARY, 100000, 2);
	CHECK_INT(judge_view(&s->judge, 0).new_side.events, 0);
	CHECK_INT(s->touched_count, 0);
}

static void ask_many(Subject *s)
{
	for (uint64_t i = 1; i <= 3000; i++)
		ask(s, i % 100 ? JUDGE_OLD : JUDGE_NEW, i, TRIPWIRE_OK, 1000);
}

TEST(subject_asks_for_more_where_a_user_may_have_been_counted_twice)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);
	Judge judge;

	put(s, SHIFT_CANARY, 10000, 1);
	ask_many(s);
	s->others = s->judge;
	for (uint64_t i = 1; i <= 4; i++)
		ask(s, JUDGE_NEW, 5000 + i, TRIPWIRE_FAILED, -1);
	ask_many(s);
	s->watchers = 1;
	judge = subject_judge(s);
	CHECK_INT(judge_view(&judge, 0).new_side.events, 4);
	CHECK(judge_look(&judge, 1, s->arena).say == JUDGE_BACK);
	s->watchers = 2; /* four events may be of two users */
	judge = subject_judge(s);
	CHECK(judge_look(&judge, 1, s->arena).say != JUDGE_BACK);
}

TEST(subject_a_split_that_is_broken_at_another_gateway_holds_the_step_here)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);
	JudgeVerdict verdict;
	Judge judge;

	put(s, SHIFT_CANARY, 500000, 1);
	for (uint64_t i = 1; i <= 100; i++)
		ask(s, i % 2 ? JUDGE_OLD : JUDGE_NEW, i, TRIPWIRE_OK, 1000);
	s->others = s->judge;
	s->others.ratio = ratio_new(0.5);
	for (int i = 0; i < 100; i++)
		ratio_note(&s->others.ratio, i % 10 == 0);
	judge = subject_judge(s);
	verdict = judge_look(&judge, 1, s->arena);
	CHECK(verdict.say == JUDGE_WAIT);
	CHECK(str_starts(verdict.line, S("the split is not what it should be: 10 of 100 users")));
}

TEST(subject_that_was_moved_without_a_configuration_has_a_judge_of_that_attempt)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);

	put(s, SHIFT_CANARY, 100000, 1);
	for (uint64_t i = 1; i <= 40; i++) {
		ask(s, JUDGE_OLD, i, TRIPWIRE_OK, 1000);
		ask(s, JUDGE_NEW, 100 + i, TRIPWIRE_FAILED, 1000);
	}
	CHECK_INT(judge_view(&s->judge, 0).new_side.events, 40);
	subject_configure(s, NULL, NULL, (Str){ 0 }, (Str){ 0 });
	put(s, SHIFT_OLD, 0, 1);
	put(s, SHIFT_CANARY, 500000, 2);
	ask(s, JUDGE_NEW, 5, TRIPWIRE_FAILED, -1); /* nobody judges it */
	subject_configure(s, NULL, &conf, S("old"), S("new"));
	CHECK_INT(judge_view(&s->judge, 0).new_side.events, 0);
	CHECK_NEAR(s->judge.step.share, 0.5, 0);
	CHECK(s->plan_due);
	subject_configure(s, NULL, &conf, S("old"), S("new"));
	ask(s, JUDGE_OLD, 6, TRIPWIRE_OK, 1000);
	subject_configure(s, NULL, &conf, S("old"),
	                  S("new")); /* the next one changes nothing of it */
	CHECK_INT(s->judge.requests[JUDGE_OLD], 1);
}

TEST(subject_without_a_configuration_draws_by_what_it_knows)
{
	ShiftConf conf = conf_of();
	Subject *s = subject_of(&conf);

	put(s, SHIFT_CANARY, 500000, 1);
	subject_configure(s, NULL, NULL, (Str){ 0 }, (Str){ 0 });
	CHECK(count_new(s, 1000) >
	      400); /* requests of the configuration before are still under way */
	ask(s, JUDGE_NEW, 5, TRIPWIRE_FAILED, -1);
}

/* --- counters ------------------------------------------------------------------------------------------------------------- */

static void count(Subject *s, JudgeSide side, uint64_t user, bool with)
{
	SubjectCounted c = { .conf = s->conf,
		             .side = side,
		             .user = user,
		             .drawn = true,
		             .attempt = s->state.attempt,
		             .measured = 1,
		             .with = with };

	subject_count(s, &c);
}

static void check_counter(double share, JudgeKind want)
{
	CounterConf row = { .name = S("checkout_ok"), .header = S("X-Ok"), .has_header = true };
	ShiftConf conf = conf_of();
	Subject *s = subject_need(SUBJECT_ROUTE, S("shop"));
	ShiftState next;

	conf.judge.counters.at = &row;
	conf.judge.counters.count = 1;
	row.equals = want == JUDGE_WITH ? S("rare")
	                                : S("common"); /* another counter: nothing is known */
	subject_configure(s, NULL, &conf, S("old"), S("new"));
	put(s, SHIFT_CANARY, 100000, s->state.attempt + 1);
	CHECK_INT(s->metrics.counters[0], -1);
	for (uint64_t i = 0; i < SIGHT_ENOUGH; i++) {
		next = s->state;
		CHECK(!subject_knows_counters(s) && !subject_freeze_counters(s, &next));
		count(s, JUDGE_OLD, i + 1, (double)(i % 100) < share * 100);
	}
	CHECK(subject_knows_counters(s) && subject_freeze_counters(s, &next));
	CHECK(!subject_freeze_counters(s, &next));
	next.revision++;
	CHECK(subject_apply(s, &next));
	CHECK(s->metrics.counters[0] >= 0);
	CHECK_INT(s->judge.metrics[s->metrics.counters[0]].rule.kind, want);
	count(s, JUDGE_NEW, 1, true);
	count(s, JUDGE_NEW, 2, false);
	CHECK_INT(s->judge.metrics[s->metrics.counters[0]].batch[JUDGE_NEW].requests, 2);
	CHECK_INT(s->judge.metrics[s->metrics.counters[0]].batch[JUDGE_NEW].events, 1);
	next = s->state;
	next.revision++;
	memset(next.counters, 0, sizeof next.counters);
	CHECK(subject_apply(s, &next));
	subject_configure(s, NULL, NULL, (Str){ 0 }, (Str){ 0 });
}

TEST(subject_learns_which_kind_a_counter_is)
{
	check_counter(0.97, JUDGE_WITHOUT);
	check_counter(0.03, JUDGE_WITH);
}

TEST(subject_finds_a_counter_in_another_configuration)
{
	CounterConf rows[] = { { .name = S("a"), .worse = COUNTER_MORE },
		               { .name = S("b"), .worse = COUNTER_MORE } };
	CounterConf swapped[] = { rows[1], rows[0] };
	ShiftConf conf = conf_of(), other = conf_of();
	Subject *s = subject_need(SUBJECT_ROUTE, S("swapped"));

	conf.judge.counters.at = rows;
	other.judge.counters.at = swapped;
	conf.judge.counters.count = other.judge.counters.count = 2;
	subject_configure(s, NULL, &conf, S("old"), S("new"));
	put(s, SHIFT_CANARY, 100000, 1);
	CHECK_STR(str_of(s->judge.metrics[s->metrics.counters[0]].rule.name), S("a"));
	CHECK_INT(s->judge.metrics[s->metrics.counters[0]].rule.kind, JUDGE_RISE);
	count(s, JUDGE_OLD, 1, true);
	CHECK_INT(s->ratios[0].requests, 1);
	subject_configure(s, NULL, &other, S("old"), S("new"));
	CHECK_STR(str_of(s->judge.metrics[s->metrics.counters[0]].rule.name), S("b"));
	CHECK_INT(s->ratios[0].requests, 0);
	CHECK_INT(s->ratios[1].requests, 1);
	subject_configure(s, NULL, NULL, (Str){ 0 }, (Str){ 0 });
}
