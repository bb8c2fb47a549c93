/* SPDX-License-Identifier: Apache-2.0
 *
 * The states of a saga.
 *
 *   running ----pivot done----> committing ----last step done----> done
 *      |  refused, spent, late
 *      v
 *   compensating ----first step undone----> compensated
 *
 * What was refused at its first attempt had no effect: undoing begins with the step before it. What was given up may have had one, and
 * so may have the attempts before one that was refused: undoing begins with that step itself. That is why the undo of a step must be able to find nothing, and why it is written down before the
 * step is tried for the first time (saga_run.c).
 *
 * The pivot is the one step whose outcome decides. While it is unknown there is no way back, whatever the clock says: a charge
 * that may have happened is not given up, it is asked about. So a pivot whose attempts are spent is stuck, and a deadline counts
 * until its first attempt only. */
#include "saga/saga_domain.h"

#include "base/arena.h"
#include "base/time.h"

#include <string.h>

enum { ATTEMPTS = 8, STEPS_MOST = 64 };

static const Str state_names[SAGA_STATES] = {
	[SAGA_RUNNING] = S("running"),           [SAGA_COMMITTING] = S("committing"),
	[SAGA_COMPENSATING] = S("compensating"), [SAGA_DONE] = S("done"),
	[SAGA_COMPENSATED] = S("compensated"),   [SAGA_STUCK] = S("stuck"),
};

Str saga_state_name(SagaState state)
{
	return state_names[state];
}

bool saga_state_read(Str text, SagaState *out)
{
	for (size_t i = 0; i < COUNT(state_names); i++)
		if (str_eq(text, state_names[i])) {
			*out = (SagaState)i;
			return true;
		}
	return false;
}

bool saga_is_over(SagaState state)
{
	return state == SAGA_DONE || state == SAGA_COMPENSATED;
}

/* --- from where to where ------------------------------------------------------------------------------------------------ */

/* The next step that can be undone, from this one down. */
static SagaAt back_from(const SagaType *type, int64_t step)
{
	while (step >= 0 && !type->steps[step].undo)
		step--;
	return (SagaAt){ .state = step < 0 ? SAGA_COMPENSATED : SAGA_COMPENSATING,
		         .step = MAX(step, INT64_C(0)) };
}

/* From the step at hand, as far as that may have had an effect. */
static SagaAt back(const SagaType *type, SagaAt at)
{
	return back_from(type, at.fresh ? at.step - 1 : at.step);
}

static SagaAt stuck(SagaAt at)
{
	return (SagaAt){ .state = SAGA_STUCK, .stuck_in = at.state, .step = at.step };
}

static SagaAt forth_from(const SagaType *type, SagaAt at)
{
	if (type->steps[at.step].kind == SAGA_PIVOT)
		at.state = SAGA_COMMITTING;
	at.step++;
	at.fresh = true;
	if (at.step == (int64_t)type->count)
		at = (SagaAt){ .state = SAGA_DONE, .step = at.step - 1 };
	return at;
}

static SagaAt after_running(const SagaType *type, SagaAt at, SagaEvent event)
{
	switch (event) {
	case SAGA_STEP_DONE:
		return forth_from(type, at);
	case SAGA_STEP_REFUSED:
		return back_from(type, at.step - 1);
	case SAGA_STEP_SPENT:
		return type->steps[at.step].kind == SAGA_PIVOT ? stuck(at)
		                                               : back_from(type, at.step);
	case SAGA_LATE:
	case SAGA_UNDO:
		return back(type, at);
	case SAGA_RETRY:
	default:
		return at;
	}
}

static SagaAt after_committing(const SagaType *type, SagaAt at, SagaEvent event)
{
	switch (event) {
	case SAGA_STEP_DONE:
		return forth_from(type, at);
	case SAGA_STEP_REFUSED:
	case SAGA_STEP_SPENT:
		return stuck(at);
	case SAGA_UNDO:
		return back(type, at);
	case SAGA_LATE:
	case SAGA_RETRY:
	default:
		return at;
	}
}

static SagaAt after_compensating(const SagaType *type, SagaAt at, SagaEvent event)
{
	switch (event) {
	case SAGA_STEP_DONE:
		return back_from(type, at.step - 1);
	case SAGA_STEP_REFUSED:
	case SAGA_STEP_SPENT:
		return stuck(at);
	case SAGA_LATE:
	case SAGA_RETRY:
	case SAGA_UNDO:
	default:
		return at;
	}
}

static SagaAt after_stuck(const SagaType *type, SagaAt at, SagaEvent event)
{
	if (event == SAGA_RETRY)
		return (SagaAt){ .state = at.stuck_in, .step = at.step };
	if (event == SAGA_UNDO && at.stuck_in == SAGA_COMPENSATING)
		return (SagaAt){ .state = SAGA_COMPENSATING, .step = at.step };
	if (event == SAGA_UNDO)
		return back(type, at);
	return at;
}

SagaAt saga_after(const SagaType *type, SagaAt at, SagaEvent event)
{
	switch (at.state) {
	case SAGA_RUNNING:
		return after_running(type, at, event);
	case SAGA_COMMITTING:
		return after_committing(type, at, event);
	case SAGA_COMPENSATING:
		return after_compensating(type, at, event);
	case SAGA_STUCK:
		return after_stuck(type, at, event);
	case SAGA_DONE:
	case SAGA_COMPENSATED:
	case SAGA_STATES:
	default:
		return at;
	}
}

SagaAt saga_first(const SagaType *type)
{
	(void)type;
	return (SagaAt){ .state = SAGA_RUNNING, .fresh = true };
}

/* --- patience ----------------------------------------------------------------------------------------------------------- */

uint32_t saga_attempts(const SagaStep *step, bool undo)
{
	if (undo)
		return 0;
	return !step->attempts && step->kind == SAGA_COMPENSATABLE ? ATTEMPTS : step->attempts;
}

int64_t saga_pause_us(const SagaStep *step, int64_t failures)
{
	int64_t pause = step->backoff_us ? step->backoff_us : 500 * US_PER_MS;
	int64_t most = step->backoff_max_us ? step->backoff_max_us : 300 * US_PER_S;

	for (int64_t i = 1; i < failures && pause < most; i++)
		pause *= 2;
	return MIN(pause, most);
}

/* --- tables ------------------------------------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
	if (!name || !*name || strlen(name) > 40)
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static const char *step_mistake(Arena *a, const SagaType *type, size_t n, bool *passed)
{
	const SagaStep *step = &type->steps[n];

	if (!is_name(step->name))
		return str_fmt(a, "%s: step %zu has no name", type->name, n).at;
	for (size_t i = 0; i < n; i++)
		if (strcmp(type->steps[i].name, step->name) == 0)
			return str_fmt(a, "%s: two steps are called %s", type->name, step->name).at;
	if (!step->run)
		return str_fmt(a, "%s: step %s does nothing", type->name, step->name).at;
	if (step->kind == SAGA_PIVOT && *passed)
		return str_fmt(a, "%s: step %s is a second pivot", type->name, step->name).at;
	if ((step->kind == SAGA_RETRIABLE) != *passed && step->kind != SAGA_PIVOT)
		return str_fmt(a, "%s: step %s stands on the wrong side of the pivot", type->name,
		               step->name)
		        .at;
	*passed = *passed || step->kind == SAGA_PIVOT;
	return NULL;
}

static const char *type_mistake(Arena *a, const SagaType *type)
{
	const char *mistake = NULL;
	bool passed = false;

	if (!is_name(type->name))
		return "a saga has no name";
	if (!type->version || !type->count || type->count > STEPS_MOST)
		return str_fmt(a, "%s: a version from 1, 1 to %d steps", type->name, STEPS_MOST).at;
	for (size_t n = 0; !mistake && n < type->count; n++)
		mistake = step_mistake(a, type, n, &passed);
	return mistake;
}

const char *saga_types_mistake(Arena *a, const SagaType *types, size_t count)
{
	const char *mistake = NULL;

	for (size_t i = 0; !mistake && i < count; i++) {
		mistake = type_mistake(a, &types[i]);
		for (size_t k = 0; !mistake && k < i; k++)
			if (strcmp(types[k].name, types[i].name) == 0 &&
			    types[k].version == types[i].version)
				mistake = str_fmt(a, "%s: version %u is there twice", types[i].name,
				                  types[i].version)
				                  .at;
	}
	return mistake;
}
