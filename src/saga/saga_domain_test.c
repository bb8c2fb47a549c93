/* SPDX-License-Identifier: Apache-2.0 */
#include "saga/saga_domain.c"

#include "unit.h"

static Err *nothing(SagaCall *call)
{
	(void)call;
	return NULL;
}

/* a can be undone, b leaves nothing behind, c can, p and what comes after can when people ask */
static const SagaStep steps[] = {
	{ "a", SAGA_COMPENSATABLE, nothing, nothing },
	{ "b", SAGA_COMPENSATABLE, nothing },
	{ "c", SAGA_COMPENSATABLE, nothing, nothing },
	{ "p", SAGA_PIVOT, nothing, nothing },
	{ "r", SAGA_RETRIABLE, nothing },
};
static const SagaType type = { "order", 1, steps, COUNT(steps) };

enum { A, B, C, P, R };
#define AT_(state_, step_) \
	{ \
		.state = SAGA_##state_, .step = (step_) \
	}
#define FRESH(state_, step_) \
	{ \
		.state = SAGA_##state_, .step = (step_), .fresh = true \
	}
#define STUCK_IN(state_, step_) \
	{ \
		.state = SAGA_STUCK, .stuck_in = SAGA_##state_, .step = (step_) \
	}

TEST(every_event_leads_where_the_table_says)
{
	static const struct {
		SagaAt at;
		SagaEvent event;
		SagaAt want;
	} cases[] = {
		{ AT_(RUNNING, A), SAGA_STEP_DONE, AT_(RUNNING, B) },
		{ AT_(RUNNING, C), SAGA_STEP_DONE, AT_(RUNNING, P) },
		{ AT_(RUNNING, P), SAGA_STEP_DONE, AT_(COMMITTING, R) },
		{ AT_(COMMITTING, R), SAGA_STEP_DONE, AT_(DONE, R) },
		{ AT_(RUNNING, A), SAGA_STEP_REFUSED, AT_(COMPENSATED, 0) },
		{ AT_(RUNNING, B), SAGA_STEP_REFUSED, AT_(COMPENSATING, A) },
		{ AT_(RUNNING, C), SAGA_STEP_REFUSED, AT_(COMPENSATING, A) },
		{ AT_(RUNNING, P), SAGA_STEP_REFUSED, AT_(COMPENSATING, C) },
		{ AT_(COMMITTING, R), SAGA_STEP_REFUSED, STUCK_IN(COMMITTING, R) },
		{ AT_(COMPENSATING, A), SAGA_STEP_REFUSED, STUCK_IN(COMPENSATING, A) },
		{ AT_(RUNNING, A), SAGA_STEP_SPENT, AT_(COMPENSATING, A) },
		{ AT_(RUNNING, B), SAGA_STEP_SPENT, AT_(COMPENSATING, A) },
		{ AT_(RUNNING, C), SAGA_STEP_SPENT, AT_(COMPENSATING, C) },
		{ AT_(RUNNING, P), SAGA_STEP_SPENT, STUCK_IN(RUNNING, P) },
		{ AT_(COMMITTING, R), SAGA_STEP_SPENT, STUCK_IN(COMMITTING, R) },
		{ AT_(COMPENSATING, C), SAGA_STEP_SPENT, STUCK_IN(COMPENSATING, C) },
		{ AT_(RUNNING, C), SAGA_LATE, AT_(COMPENSATING, C) },
		{ FRESH(RUNNING, C), SAGA_LATE, AT_(COMPENSATING, A) },
		{ FRESH(RUNNING, A), SAGA_LATE, AT_(COMPENSATED, 0) },
		{ FRESH(RUNNING, P), SAGA_LATE, AT_(COMPENSATING, C) },
		{ FRESH(COMMITTING, R), SAGA_UNDO, AT_(COMPENSATING, P) },
		{ FRESH(RUNNING, C), SAGA_STEP_SPENT, AT_(COMPENSATING, C) },
		{ AT_(COMMITTING, R), SAGA_LATE, AT_(COMMITTING, R) },
		{ AT_(COMPENSATING, C), SAGA_LATE, AT_(COMPENSATING, C) },
		{ AT_(COMPENSATING, C), SAGA_STEP_DONE, AT_(COMPENSATING, A) },
		{ AT_(COMPENSATING, A), SAGA_STEP_DONE, AT_(COMPENSATED, 0) },
		{ AT_(RUNNING, B), SAGA_UNDO, AT_(COMPENSATING, A) },
		{ AT_(RUNNING, P), SAGA_UNDO, AT_(COMPENSATING, P) },
		{ AT_(COMMITTING, R), SAGA_UNDO, AT_(COMPENSATING, P) },
		{ AT_(COMPENSATING, A), SAGA_UNDO, AT_(COMPENSATING, A) },
		{ STUCK_IN(RUNNING, P), SAGA_UNDO, AT_(COMPENSATING, P) },
		{ STUCK_IN(COMMITTING, R), SAGA_UNDO, AT_(COMPENSATING, P) },
		{ STUCK_IN(COMPENSATING, C), SAGA_UNDO, AT_(COMPENSATING, C) },
		{ STUCK_IN(RUNNING, P), SAGA_RETRY, AT_(RUNNING, P) },
		{ STUCK_IN(COMMITTING, R), SAGA_RETRY, AT_(COMMITTING, R) },
		{ STUCK_IN(COMPENSATING, C), SAGA_RETRY, AT_(COMPENSATING, C) },
		{ STUCK_IN(RUNNING, P), SAGA_LATE, STUCK_IN(RUNNING, P) },
		{ AT_(RUNNING, A), SAGA_RETRY, AT_(RUNNING, A) },
		{ AT_(COMMITTING, R), SAGA_RETRY, AT_(COMMITTING, R) },
		{ AT_(DONE, R), SAGA_UNDO, AT_(DONE, R) },
		{ AT_(COMPENSATED, 0), SAGA_STEP_DONE, AT_(COMPENSATED, 0) },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		SagaAt got = saga_after(&type, cases[i].at, cases[i].event);

		NOTE("case %zu", i);
		CHECK_STR(saga_state_name(got.state), saga_state_name(cases[i].want.state));
		CHECK_INT(got.step, cases[i].want.step);
		if (got.state == SAGA_STUCK)
			CHECK_INT(got.stuck_in, cases[i].want.stuck_in);
	}
	CHECK_INT(saga_first(&type).state, SAGA_RUNNING);
}

/* Whatever happens, in whatever order: a saga that ends as done has passed its pivot, and one that goes back without a person has
 * not. */
TEST(nothing_but_a_person_leads_back_over_the_pivot)
{
	for (unsigned seed = 0; seed < 4096; seed++) {
		SagaAt at = saga_first(&type);
		bool passed = false;
		unsigned n = seed;

		for (unsigned i = 0; i < 12; i++, n = n * 5 + 3) {
			SagaEvent event = (SagaEvent)(n / 7 % (SAGA_RETRY + 1));
			SagaAt next = saga_after(&type, at, event);

			passed = passed || next.state == SAGA_COMMITTING;
			CHECK(next.step >= 0 && next.step < (int64_t)type.count);
			CHECK(!passed ||
			      (next.state != SAGA_COMPENSATING && next.state != SAGA_RUNNING));
			CHECK(passed || next.state != SAGA_DONE);
			at = next;
		}
	}
}

TEST(pauses_grow_to_their_limit)
{
	SagaStep step = { "a", SAGA_PIVOT, nothing, .backoff_us = 10, .backoff_max_us = 65 };

	CHECK_INT(saga_pause_us(&step, 1), 10);
	CHECK_INT(saga_pause_us(&step, 3), 40);
	CHECK_INT(saga_pause_us(&step, 4), 65);
	CHECK_INT(saga_pause_us(&step, 1000), 65);
	CHECK_INT(saga_attempts(&step, false), 0);
	step.kind = SAGA_COMPENSATABLE;
	CHECK_INT(saga_attempts(&step, false), ATTEMPTS);
	CHECK_INT(saga_attempts(&step, true), 0);
	step.attempts = 3;
	CHECK_INT(saga_attempts(&step, false), 3);
}

TEST(states_have_names)
{
	for (unsigned i = 0; i < SAGA_STATES; i++) {
		SagaState state = SAGA_STATES;

		CHECK(saga_state_read(saga_state_name((SagaState)i), &state));
		CHECK_INT(state, i);
	}
	CHECK(!saga_state_read(S("gone"), &(SagaState){ 0 }));
	CHECK(saga_is_over(SAGA_DONE) && saga_is_over(SAGA_COMPENSATED));
	CHECK(!saga_is_over(SAGA_STUCK));
}

TEST(tables_that_make_no_sense_are_told)
{
	static const SagaStep two_pivots[] = { { "a", SAGA_PIVOT, nothing },
		                               { "b", SAGA_PIVOT, nothing } };
	static const SagaStep late[] = { { "a", SAGA_PIVOT, nothing },
		                         { "b", SAGA_COMPENSATABLE, nothing } };
	static const SagaStep early[] = { { "a", SAGA_RETRIABLE, nothing } };
	static const SagaStep same[] = { { "a", SAGA_COMPENSATABLE, nothing },
		                         { "a", SAGA_PIVOT, nothing } };
	static const SagaStep idle[] = { { "a", SAGA_PIVOT } };
	static const SagaStep odd[] = { { "A b", SAGA_PIVOT, nothing } };
	static const struct {
		SagaType type;
		const char *want;
	} cases[] = {
		{ { "order", 1, steps, COUNT(steps) }, NULL },
		{ { "order", 0, steps, COUNT(steps) }, "order: a version from 1, 1 to 64 steps" },
		{ { "order", 1, steps, 0 }, "order: a version from 1, 1 to 64 steps" },
		{ { "", 1, steps, 1 }, "a saga has no name" },
		{ { "x", 1, two_pivots, 2 }, "x: step b is a second pivot" },
		{ { "x", 1, late, 2 }, "x: step b stands on the wrong side of the pivot" },
		{ { "x", 1, early, 1 }, "x: step a stands on the wrong side of the pivot" },
		{ { "x", 1, same, 2 }, "x: two steps are called a" },
		{ { "x", 1, idle, 1 }, "x: step a does nothing" },
		{ { "x", 1, odd, 1 }, "x: step 0 has no name" },
	};
	const SagaType twice[] = { type, type };

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *got = saga_types_mistake(a, &cases[i].type, 1);

		NOTE("case %zu", i);
		CHECK_STR(str_of(got), str_of(cases[i].want));
	}
	CHECK_STR(str_of(saga_types_mistake(a, twice, 2)), S("order: version 1 is there twice"));
}
