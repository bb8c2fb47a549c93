/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/judge.c"

#include "unit.h"

#define SECOND INT64_C(1000000)

static const JudgeRule only_errors[] = { { .name = "errors" } };
static const JudgeRule three[] = {
	{ .name = "errors" },
	{ .name = "p99", .kind = JUDGE_LATENCY, .threshold_us = 412500 },
	{ .name = "checkout_ok", .kind = JUDGE_WITH },
};

static Judge begun(const JudgeRule *rules, unsigned count, double share, uint64_t requests)
{
	Judge judge = judge_new(0.001, rules, count);

	judge_begin(&judge, NULL,
	            (JudgeStep){ .share = share,
	                         .since_us = 0,
	                         .hold_us = 60 * SECOND,
	                         .requests = requests });
	return judge;
}

static void note_many(Judge *judge, JudgeSide side, unsigned good, unsigned bad)
{
	for (unsigned i = 0; i < good; i++)
		judge_note(judge, NULL, side, 0, ~0u, 0);
	for (unsigned i = 0; i < bad; i++)
		judge_note(judge, NULL, side, 0, ~0u, 1);
}

TEST(judge_goes_back_with_a_line_that_can_be_checked)
{
	Judge judge = begun(three, 3, 0.05, 1000);
	JudgeVerdict verdict;

	CHECK_STR(judge_look(&judge, SECOND, a).line,
	          S("no request of the new side yet; without traffic nothing is judged"));
	judge_add(&judge, 0, (JudgeTally){ 10200, 12 }, (JudgeTally){ 531, 7 });
	CHECK_INT(judge_look(&judge, SECOND, a).say, JUDGE_WAIT);
	judge_add(&judge, 0, (JudgeTally){ 100, 0 }, (JudgeTally){ 10, 2 });
	verdict = judge_look(&judge, SECOND, a);
	CHECK_INT(verdict.say, JUDGE_BACK);
	CHECK_INT(verdict.metric, 0);
	CHECK_STR(
		verdict.line,
		S("errors: 9 of 541 on new (1.66 %), 12 of 10,300 on old (0.12 %); were both alike, 5 % of "
	          "errors would be new's; 9 of 21 were: evidence 152,597 against 3,000"));
}

/* What was proven once stays proven, however good it looks later. */
TEST(judge_does_not_forget_that_a_limit_was_reached)
{
	Judge judge = begun(only_errors, 1, 0.5, 10);

	judge_add(&judge, 0, (JudgeTally){ 1000, 0 }, (JudgeTally){ 1000, 20 });
	judge_add(&judge, 0, (JudgeTally){ 1000, 20 }, (JudgeTally){ 1000, 0 });
	CHECK_INT(judge_look(&judge, 0, a).say, JUDGE_BACK);
	CHECK(str_ends(judge_look(&judge, 0, a).line,
	               S("evidence 0.06 against 1,000 (it had reached 245,912)")));
}

TEST(judge_needs_events_of_three_users_to_go_back)
{
	Judge judge = judge_new(0.01, only_errors, 1);

	judge_begin(&judge, NULL, (JudgeStep){ .share = 0.0001 });
	judge_add(&judge, 0, (JudgeTally){ 1000000, 0 }, (JudgeTally){ 100, 2 });
	CHECK(judge_view(&judge, 0).evidence > 100);
	CHECK_INT(judge_look(&judge, 0, a).say, JUDGE_WAIT);
	judge_add(&judge, 0, (JudgeTally){ 100000, 0 }, (JudgeTally){ 100, 1 });
	CHECK_INT(judge_look(&judge, 0, a).say, JUDGE_BACK);
}

TEST(judge_goes_on_only_with_time_and_requests)
{
	Judge judge = begun(only_errors, 1, 0.1, 100);

	CHECK_STR(judge_look(&judge, 3600 * SECOND, a).line,
	          S("no request of the new side yet; without traffic nothing is judged"));
	note_many(&judge, JUDGE_NEW, 99, 0);
	CHECK_STR(judge_look(&judge, 3600 * SECOND, a).line,
	          S("the old side has too few requests to compare with"));
	note_many(&judge, JUDGE_OLD, 900, 1);
	CHECK_INT(judge_look(&judge, 3600 * SECOND, a).say, JUDGE_WAIT);
	note_many(&judge, JUDGE_NEW, 1, 0);
	CHECK_INT(judge_look(&judge, 59 * SECOND, a).say, JUDGE_WAIT);
	CHECK_STR(
		judge_look(&judge, 59 * SECOND, a).line,
		S("100 of 100 requests of the new side, 59 s of 60 s; errors: 0 of 99 on new (0 %), 0 of 10 on "
	          "old (0 %); nothing to compare"));
	CHECK_INT(judge_look(&judge, 60 * SECOND, a).say, JUDGE_ON);
	CHECK(str_starts(
		judge_look(&judge, 60 * SECOND, a).line,
		S("100 of 100 requests of the new side, 60 s of 60 s, nothing suspicious; ")));
}

TEST(judge_does_not_go_on_while_something_is_suspicious)
{
	Judge judge = begun(three, 3, 0.1, 10);

	note_many(&judge, JUDGE_NEW, 20, 0);
	note_many(&judge, JUDGE_OLD, 20, 0);
	judge_add(&judge, 1, (JudgeTally){ 1000, 10 }, (JudgeTally){ 100, 6 });
	CHECK_INT(judge_look(&judge, 60 * SECOND, a).say, JUDGE_WAIT);
	CHECK_INT(judge_look(&judge, 60 * SECOND, a).metric, 1);
	CHECK(str_starts(judge_look(&judge, 60 * SECOND, a).line,
	                 S("suspicious, but not proven: p99 above 412.5 ms: 6 of 1")));
	judge_add(&judge, 1, (JudgeTally){ 1000, 20 }, (JudgeTally){ 100, 0 });
	CHECK_INT(judge_look(&judge, 60 * SECOND, a).say, JUDGE_ON);
}

TEST(judge_does_not_go_on_with_a_broken_split_or_a_full_table)
{
	Judge judge = begun(only_errors, 1, 0.1, 10);

	note_many(&judge, JUDGE_NEW, 20, 0);
	note_many(&judge, JUDGE_OLD, 20, 0);
	for (int i = 0; i < 100; i++)
		judge_note_user(&judge, i % 3 ? JUDGE_OLD : JUDGE_NEW);
	CHECK_INT(judge_look(&judge, 60 * SECOND, a).say, JUDGE_WAIT);
	CHECK(str_starts(
		judge_look(&judge, 60 * SECOND, a).line,
		S("the split is not what it should be: 34 of 100 users came to new (34 %), expected were "
	          "10 %: p ")));
	judge.ratio = ratio_new(0.1);
	CHECK_INT(judge_look(&judge, 60 * SECOND, a).say, JUDGE_ON);
	judge.full = true;
	CHECK_INT(judge_look(&judge, 60 * SECOND, a).say, JUDGE_WAIT);
}

TEST(judge_waits_for_the_proof_that_was_asked_for)
{
	static const JudgeRule proven[] = { { .name = "errors", .prove = 1 } };
	Judge judge = begun(proven, 1, 0.5, 10);

	note_many(&judge, JUDGE_NEW, 20, 0);
	note_many(&judge, JUDGE_OLD, 20, 0);
	judge_add(&judge, 0, (JudgeTally){ 1000, 10 }, (JudgeTally){ 1000, 10 });
	CHECK(str_starts(judge_look(&judge, 60 * SECOND, a).line,
	                 S("not yet proven to be at most 100 % worse (evidence ")));
	judge_add(&judge, 0, (JudgeTally){ 10000, 100 }, (JudgeTally){ 10000, 100 });
	CHECK_INT(judge_look(&judge, 60 * SECOND, a).say, JUDGE_ON);
}

TEST(judge_of_all_users_has_no_old_side_to_wait_for)
{
	Judge judge = begun(only_errors, 1, 1, 10);

	note_many(&judge, JUDGE_NEW, 20, 20);
	CHECK_INT(judge_look(&judge, 60 * SECOND, a).say, JUDGE_ON);
}

TEST(judge_counts_a_user_once)
{
	AUTO(seen_fini) Seen seen = { 0 };
	Judge judge = begun(only_errors, 1, 0.1, 10);

	seen_init(&seen, 1000);
	for (uint64_t i = 0; i < 1000; i++) {
		judge_note(&judge, &seen, JUDGE_OLD, 100 + i % 90, 1, 0);
		judge_note(&judge, &seen, JUDGE_NEW, 7, 1, 1);
	}
	CHECK_INT(judge.requests[JUDGE_NEW], 1000);
	CHECK_INT(judge.uncounted[JUDGE_NEW], 999);
	for (uint64_t i = 0; i < 9; i++)
		judge_note(&judge, &seen, JUDGE_NEW, 10 + i, 1, 0);
	CHECK_INT(judge.metrics[0].judged[JUDGE_NEW].requests, 10);
	CHECK_INT(judge.metrics[0].judged[JUDGE_NEW].events, 1);
	CHECK(judge_view(&judge, 0).evidence < 10);
	CHECK(str_find(judge_look(&judge, 0, a).line, S("(999 of them by users counted before")) >
	      0);
}

TEST(judge_forgets_users_of_old_with_the_step_and_keeps_the_evidence)
{
	AUTO(seen_fini) Seen seen = { 0 };
	Judge judge = begun(only_errors, 1, 0.1, 10);
	double before;

	seen_init(&seen, 1000);
	judge_note(&judge, &seen, JUDGE_OLD, 5, 1, 1);
	judge_note(&judge, &seen, JUDGE_NEW, 6, 1,
	           1); /* an open batch of one each: closed by the step */
	judge_begin(&judge, &seen, (JudgeStep){ .share = 0.25 });
	CHECK_INT(judge.metrics[0].worse.new_events, 1);
	CHECK_INT(judge.metrics[0].worse.old_events, 1);
	before = evidence_log(&judge.metrics[0].worse);
	CHECK(before != 0);
	for (int i = 0; i < 20; i++) {
		judge_note(&judge, &seen, JUDGE_OLD, 5, 1, 1);
		judge_note(&judge, &seen, JUDGE_NEW, 6, 1, 1);
	}
	CHECK_INT(judge.metrics[0].batch[JUDGE_OLD].events, 1);
	CHECK_INT(judge.metrics[0].batch[JUDGE_NEW].requests, 0);
	CHECK_NEAR(evidence_log(&judge.metrics[0].worse), before, 0);
}

TEST(judge_counts_nobody_once_the_table_is_full)
{
	AUTO(seen_fini) Seen seen = { 0 };
	Judge judge = begun(only_errors, 1, 0.5, 10);

	seen_init(&seen, 10);
	for (uint64_t i = 1; i < 100; i++)
		judge_note(&judge, &seen, i % 2 ? JUDGE_OLD : JUDGE_NEW, i, 1, 1);
	CHECK(judge.full);
	CHECK_INT(judge.metrics[0].judged[JUDGE_OLD].requests +
	                  judge.metrics[0].batch[JUDGE_OLD].requests +
	                  judge.metrics[0].judged[JUDGE_NEW].requests +
	                  judge.metrics[0].batch[JUDGE_NEW].requests,
	          seen_count(&seen));
	CHECK(str_find(judge_look(&judge, 0, a).line, S("the table of users is full")) >= 0);
}

TEST(judge_takes_the_share_that_is_careful)
{
	/* The split says 10 %; new has 30 % of the requests, then 3 %. */
	Judge more = begun(only_errors, 1, 0.1, 10), less = begun(only_errors, 1, 0.1, 10);
	Judge even = begun(only_errors, 1, 0.1, 10), unknown = begun(only_errors, 1, 0, 10);

	judge_add(&more, 0, (JudgeTally){ 700, 5 }, (JudgeTally){ 300, 5 });
	judge_add(&less, 0, (JudgeTally){ 970, 5 }, (JudgeTally){ 30, 5 });
	judge_add(&even, 0, (JudgeTally){ 890, 5 }, (JudgeTally){ 110, 5 });
	judge_add(&unknown, 0, (JudgeTally){ 890, 5 }, (JudgeTally){ 110, 5 });
	CHECK_NEAR(judge_view(&more, 0).share, 0.3, 1e-9);
	CHECK_NEAR(judge_view(&less, 0).share, 0.1, 1e-9);
	CHECK_NEAR(judge_view(&even, 0).share, 0.1, 1e-9);
	CHECK_NEAR(judge_view(&unknown, 0).share, 0.11, 1e-9);
}

TEST(judge_of_a_counter_goes_back_when_there_is_less_of_it)
{
	Judge judge = begun(three, 3, 0.1, 10);

	CHECK_INT(judge_counter_kind(0.03), JUDGE_WITH);
	CHECK_INT(judge_counter_kind(0.97), JUDGE_WITHOUT);
	judge_add(&judge, 2, (JudgeTally){ 9000, 270 }, (JudgeTally){ 1000, 30 });
	CHECK(!judge.metrics[2].back);
	judge_add(&judge, 2, (JudgeTally){ 18000, 540 }, (JudgeTally){ 2000, 6 });
	CHECK(judge.metrics[2].back);
	CHECK_STR(
		judge_metric_line(&judge, 2, a),
		S("checkout_ok: 36 of 3,000 with it on new (1.2 %), 810 of 27,000 with it on old (3 %); were "
	          "both alike, 10 % of those would be new's; 36 of 846 were: evidence more than a million against 3,000"));
}

TEST(judge_ignores_what_was_not_measured)
{
	Judge judge = begun(three, 3, 0.5, 10);

	for (int i = 0; i < 30; i++) {
		judge_note(&judge, NULL, JUDGE_OLD, 0, 1, 7);
		judge_note(&judge, NULL, JUDGE_NEW, 0, 1, ~0u);
	}
	CHECK_INT(judge.metrics[0].judged[JUDGE_NEW].events, 30);
	CHECK_INT(judge.metrics[1].judged[JUDGE_NEW].requests, 0);
}

TEST(judge_splits_alpha_by_weight)
{
	static const JudgeRule weighed[] = { { .name = "errors", .weight = 2 }, { .name = "p99" } };
	Judge judge = judge_new(0.003, weighed, 2);

	CHECK_NEAR(judge_view(&judge, 0).limit, 500, 1e-6);
	CHECK_NEAR(judge_view(&judge, 1).limit, 1000, 1e-6);
}

/* --- kept and merged ------------------------------------------------------------------------------------------------ */

static Str as_json(Arena *a, const Judge *judge)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	judge_put(&w, judge);
	CHECK_OK(json_done(&w, &text));
	return str_dup(a, text);
}

TEST(judge_is_kept_and_goes_on_as_if_nothing_had_been)
{
	Judge judge = begun(three, 3, 0.1, 10), back;
	const Json *json;

	judge_add(&judge, 0, (JudgeTally){ 1000, 5 }, (JudgeTally){ 100, 2 });
	judge_add(&judge, 1, (JudgeTally){ 5, 5 }, (JudgeTally){ 1, 1 });
	judge_note_user(&judge, JUDGE_NEW);
	CHECK_OK(json_read(a, as_json(a, &judge), 0, &json));
	CHECK_OK(judge_read(a, json, &back));
	CHECK_STR(as_json(a, &back), as_json(a, &judge));
	judge_add(&judge, 1, (JudgeTally){ 50, 5 }, (JudgeTally){ 10, 7 });
	judge_add(&back, 1, (JudgeTally){ 50, 5 }, (JudgeTally){ 10, 7 });
	CHECK_STR(as_json(a, &back), as_json(a, &judge));
	CHECK(back.metrics[1].worse.new_events == 8);
	CHECK_OK(json_read(a, S("{\"metrics\":[]}"), 0, &json));
	CHECK_ERR(judge_read(a, json, &back), "shift.state");
}

TEST(judge_adds_up_what_gateways_saw)
{
	Judge one = begun(three, 3, 0.05, 100), other = one,
	      stranger = begun(only_errors, 1, 0.05, 1);

	judge_add(&one, 0, (JudgeTally){ 5000, 6 }, (JudgeTally){ 270, 5 });
	judge_add(&other, 0, (JudgeTally){ 5000, 6 }, (JudgeTally){ 270, 5 });
	note_many(&one, JUDGE_NEW, 20, 0);
	note_many(&other, JUDGE_OLD, 30, 0);
	CHECK(!one.metrics[0].back && !other.metrics[0].back);
	CHECK(judge_merge(&one, &other));
	CHECK_INT(one.requests[JUDGE_NEW], 20);
	CHECK_INT(one.requests[JUDGE_OLD], 30);
	CHECK_INT(one.metrics[0].worse.new_events, 10);
	CHECK_INT(judge_look(&one, 0, a).say, JUDGE_BACK);
	CHECK(!judge_merge(&one, &stranger));
}

TEST(judge_what_a_run_that_ended_had_seen_is_taken_over_to_the_last_request)
{
	JudgeRule rules[] = { { .name = "errors", .kind = JUDGE_ERRORS } };
	JudgeStep step = { .share = 0.5 };
	Judge one = judge_new(0.001, rules, 1), ended = one, all = one;

	judge_begin(&one, NULL, step);
	judge_begin(&ended, NULL, step);
	judge_begin(&all, NULL, step);
	for (unsigned i = 0; i < 26; i++) { /* a batch closed on neither side, another begun */
		JudgeSide side = i % 2 ? JUDGE_NEW : JUDGE_OLD;

		judge_note(i < 13 ? &ended : &one, NULL, side, 0, 1, i % 5 == 0);
		judge_note(&all, NULL, side, 0, 1, i % 5 == 0);
	}
	CHECK(judge_take_over(&one, &ended));
	for (unsigned s = 0; s < JUDGE_SIDES; s++) {
		const JudgeMetric *x = &one.metrics[0], *y = &all.metrics[0];

		CHECK_INT(x->judged[s].requests + x->batch[s].requests,
		          y->judged[s].requests + y->batch[s].requests);
		CHECK_INT(x->judged[s].events + x->batch[s].events,
		          y->judged[s].events + y->batch[s].events);
		CHECK_INT(one.requests[s], all.requests[s]);
	}
}

TEST(judge_gives_up_what_another_gateway_counts)
{
	JudgeRule rules[] = { { .name = "errors", .kind = JUDGE_ERRORS } };
	Judge judge = judge_new(0.001, rules, 1), want;

	judge_begin(&judge, NULL, (JudgeStep){ .share = 0.5 });
	want = judge;
	for (unsigned i = 0; i < 40; i++) {
		JudgeSide side = i % 2 ? JUDGE_NEW : JUDGE_OLD;

		judge_note(&judge, NULL, side, 0, 1, i == 7 || i == 9 || i == 39);
		judge_note(&want, NULL, side, 0, 1, i == 9);
	}
	judge_note(&judge, NULL, JUDGE_NEW, 0, 1, 1);
	judge_give_up(&judge, 0, JUDGE_NEW); /* of the batch that is open */
	judge_give_up(&judge, 0, JUDGE_NEW);
	judge_give_up(&judge, 0, JUDGE_NEW);
	judge_give_up(&judge, 0, JUDGE_OLD);
	CHECK_INT(judge_view(&judge, 0).new_side.events, 1);
	CHECK_NEAR(judge_view(&judge, 0).evidence, judge_view(&want, 0).evidence, 1e-9);
}
