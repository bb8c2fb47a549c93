/* SPDX-License-Identifier: Apache-2.0
 *
 * A virtual user: a fiber that reads like its journey. It asks, reads the answer to its last byte, notes how long that
 * was, thinks, and goes on.
 *
 * Each step has a moment at which it is due, and what is noted counts from there. A user who arrived (open model) has its
 * next step due after the expected time of the last one, however long that really took; one who stays (closed model) waits
 * for its answer first, as a person in front of a screen does. */
#include "load/user_int.h"

#include "base/rand.h"
#include "base/time.h"
#include "rt/precise.h"

#include <stdlib.h>

enum { TRIM_US = 100 * 1000 };

/* Who stays begins nothing after the end; who arrived before it goes on to the end of the journey, or of the grace. */
static bool is_over(const User *u)
{
	return u->kind == USER_STAYING ? run_is_over(u->run) : run_is_stopped(u->run);
}

static int64_t pick_span(const Span *span)
{
	return span->min_us + (int64_t)rand_below((uint64_t)(span->max_us - span->min_us) + 1);
}

/* Until the next step is due. Who stays begins to think when its answer is there. */
static Err *think(User *u, const Span *span, int64_t expected_us)
{
	int64_t think_us = pick_span(span);
	int64_t now_us = loop_now_us();

	u->due_us = u->kind == USER_ARRIVAL && expected_us >= 0 ? u->due_us + expected_us + think_us
	                                                        : now_us + think_us;
	if (u->due_us <= now_us)
		return NULL;
	if (u->due_us - now_us > TRIM_US)
		fiber_trim();
	return fiber_sleep_until(u->due_us);
}

static Err *walk(User *u, const StepConf *steps, size_t count);

static Err *walk_block(User *u, Str name)
{
	const ScenarioConf *conf = u->run->conf;

	for (size_t i = 0; i < conf->blocks.count; i++)
		if (str_eq(conf->blocks.at[i].name, name))
			return walk(u, conf->blocks.at[i].steps.at, conf->blocks.at[i].steps.count);
	return NULL;
}

static double unit(void)
{
	return (double)(rand_u64() >> 11) * 0x1p-53;
}

static Str choose(const StepConf *step)
{
	double all = 0, at;

	for (size_t i = 0; i < step->choose.count; i++)
		all += step->choose.at[i].weight;
	at = unit() * all;
	for (size_t i = 0; i + 1 < step->choose.count; i++) {
		at -= step->choose.at[i].weight;
		if (at < 0)
			return step->choose.at[i].name;
	}
	return step->choose.at[step->choose.count - 1].name;
}

static Err *walk_step(User *u, const StepConf *step)
{
	int64_t *expect = &u->run->expect_us[step->index];

	for (uint32_t i = 0; i < step->repeat && !is_over(u); i++) {
		int64_t expected_us = 0;

		if (step->kind == STEP_RUN)
			TRY(walk_block(u, step->run));
		else if (step->kind == STEP_CHOOSE)
			TRY(walk_block(u, choose(step)));
		else if (step->kind == STEP_REQUEST) {
			TRY(talk_request(u, &u->run->steps[step->index]));
			expected_us = __atomic_load_n(expect, __ATOMIC_RELAXED);
		} else if (step->kind == STEP_WEBSOCKET) {
			TRY(talk_websocket(u, &u->run->steps[step->index]));
			expected_us = -1;
		}
		TRY(think(u, &step->think, expected_us));
	}
	return NULL;
}

static Err *walk(User *u, const StepConf *steps, size_t count)
{
	for (size_t i = 0; i < count && !is_over(u); i++)
		TRY(walk_step(u, &steps[i]));
	return NULL;
}

static Err *live(User *u)
{
	const JourneyConf *journey = u->journey;

	TRY(fiber_sleep_until(u->due_us));
	if (is_over(u))
		return NULL;
	if (u->kind != USER_STAYING && u->due_us > u->run->warm_us)
		hist_record(u->l->stats.late, time_mono_us() - u->due_us);
	if (u->kind == USER_REPLAY)
		return talk_request(u, &u->run->steps[u->run->conf->replay->at[u->entry].step]);
	TRY(walk(u, journey->once.at, journey->once.count));
	do {
		TRY(walk(u, journey->steps.at, journey->steps.count));
		u->round++;
		if (u->kind == USER_STAYING && !is_over(u))
			TRY(think(u, &journey->think, 0));
	} while (u->kind == USER_STAYING && !is_over(u));
	return NULL;
}

static const JourneyConf *pick_journey(const ScenarioConf *conf)
{
	double all = 0, at;

	if (conf->journeys.count == 1)
		return &conf->journeys.at[0];
	for (size_t i = 0; i < conf->journeys.count; i++)
		all += conf->journeys.at[i].weight;
	at = unit() * all;
	for (size_t i = 0; i + 1 < conf->journeys.count; i++) {
		at -= conf->journeys.at[i].weight;
		if (at < 0)
			return &conf->journeys.at[i];
	}
	return &conf->journeys.at[conf->journeys.count - 1];
}

static void user_main(void *arg)
{
	User *u = arg;
	Err *cut;

	u->fiber = fiber_self();
	cut = live(u);
	(void)cut; /* what it was doing has been recorded */
	talk_end(u);
	jar_fini(&u->jar);
	variables_fini(&u->variables);
	list_remove(&u->node);
	u->l->stats.users--;
	u->l->fibers--;
	free(u);
}

Err *user_start(LoadRun *run, UserKind kind, int64_t due_us, uint32_t entry)
{
	RunLoop *l = run_loop(run);
	User *u = calloc(1, sizeof *u + run->conf->data.count * sizeof(uint32_t));
	Err *err;

	if (!u)
		abort();
	*u = (User){ .run = run,
		     .l = l,
		     .kind = kind,
		     .due_us = due_us,
		     .journey = pick_journey(run->conf),
		     .turn = l->turn++,
		     .entry = entry };
	u->number = __atomic_fetch_add(&run->users_made, 1, __ATOMIC_RELAXED);
	for (size_t i = 0; i < run->conf->data.count; i++)
		u->rows[i] = (uint32_t)data_row(&run->data[i], u->number);
	err = fiber_start(user_main, u, "user");
	if (err) {
		free(u);
		return err;
	}
	list_add(&l->users, &u->node);
	l->stats.users++;
	l->fibers++;
	return NULL;
}

void users_cut(RunLoop *l)
{
	LIST_EACH (&l->users, User, node, u)
		if (u->fiber)
			fiber_cancel(u->fiber);
}
