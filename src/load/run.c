/* SPDX-License-Identifier: Apache-2.0
 *
 * A run: on every loop a fiber that lets users arrive when they are due and one that starts those who stay; on loop 0 the
 * one that looks once a second. Nothing is shared between loops but the plan: each counts for itself, and the looks go
 * round (loop_each).
 *
 * After the last arrival what is in flight may end within the grace; then it is cut and counted as at least that long. */
#include "load/run_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "load/plan.h"
#include "rt/precise.h"
#include "rt/work.h"

#include <stdlib.h>
#include <string.h>

enum {
	TURN_ARRIVALS = 64, /* in one go before others get their turn */
	LEARN_MIN = 20,     /* answers from which the time of a step is learned */
	END_LOOK_US = 5000,
	BEHIND_US = 1000 *
	            1000, /* after the end: what was due and could not begin by then never does */
};

RunLoop *run_loop(LoadRun *run)
{
	return &run->loops[loop_index(loop_self())];
}

bool run_is_stopped(const LoadRun *run)
{
	return __atomic_load_n(&run->stop, __ATOMIC_RELAXED) != NULL;
}

bool run_is_over(const LoadRun *run)
{
	return run_is_stopped(run) || loop_now_us() >= run->end_us;
}

void load_stop(LoadRun *run, const char *why)
{
	int64_t never = INT64_MAX;

	__atomic_compare_exchange_n(&run->stop_us, &never, loop_now_us(), false, __ATOMIC_RELEASE,
	                            __ATOMIC_RELAXED);
	__atomic_store_n(&run->stop, why, __ATOMIC_RELAXED);
}

int64_t load_elapsed_us(const LoadRun *run)
{
	return loop_now_us() - run->start_us;
}

int64_t load_length_us(const ScenarioConf *conf)
{
	int64_t open_us = rate_length_us(conf->stages.at, conf->stages.count);

	if (conf->replay)
		return conf->replay->at[conf->replay->count - 1].at_us + US_PER_MS;
	return MAX(open_us, conf->has_users ? conf->users.for_us : INT64_C(0));
}

/* --- drivers -------------------------------------------------------------------------------------------------------- */

/* In small sleeps, so that a run that is stopped ends at once. */
static Err *wait_for(LoadRun *run, int64_t at_us)
{
	enum { LOOK_US = 100 * 1000 };

	while (loop_now_us() < at_us && !run_is_over(run))
		TRY(fiber_sleep_until(MIN(at_us, loop_now_us() + LOOK_US)));
	return NULL;
}

static void could_not_start(RunLoop *l, int64_t due_us)
{
	Sample sample = { .due_us = due_us, .done_us = loop_now_us(), .failure = LOAD_OVERLOAD };

	load_stats_record(&l->stats, 0, &sample, due_us <= l->run->warm_us);
}

/* Waits until it is due. *over: the run ended first. */
static Err *wait_for_turn(LoadRun *run, int64_t due_us, unsigned *turn, bool *over)
{
	if (due_us > loop_now_us()) {
		*turn = 0;
		TRY(wait_for(run, due_us));
	} else if (++*turn % TURN_ARRIVALS == 0)
		TRY(fiber_yield());
	*over = due_us > __atomic_load_n(&run->stop_us, __ATOMIC_ACQUIRE) ||
	        (run_is_over(run) && due_us > loop_now_us());
	return NULL;
}

/* One that should have begun before the run was stopped or was over, and did not, was asked for all the same. */
static void arrive(LoadRun *run, RunLoop *l, UserKind kind, int64_t due_us, uint32_t entry)
{
	l->stats.due += due_us > run->warm_us;
	if (run_is_stopped(run) || loop_now_us() > run->end_us + BEHIND_US)
		return;
	if (user_start(run, kind, due_us, entry)) {
		could_not_start(l, due_us);
		return;
	}
	l->last_us = loop_now_us();
	l->stats.begun++;
	l->stats.started += due_us > run->warm_us;
}

static unsigned own_part(const LoadRun *run)
{
	return run->ask->part * rt_loops() + loop_index(loop_self());
}

static Err *let_arrive(LoadRun *run, RunLoop *l)
{
	const ScenarioConf *conf = run->conf;
	Arrivals arrivals = arrivals_begin(conf->stages.at, conf->stages.count, conf->poisson,
	                                   own_part(run), run->ask->parts * rt_loops());
	unsigned turn = 0;
	double at_us;
	bool over;

	while (arrivals_next(&arrivals, &at_us)) {
		int64_t due_us = run->start_us + (int64_t)at_us;

		TRY(wait_for_turn(run, due_us, &turn, &over));
		if (over)
			return NULL;
		arrive(run, l, USER_ARRIVAL, due_us, 0);
	}
	return NULL;
}

static Err *let_replay(LoadRun *run, RunLoop *l)
{
	const Replay *replay = run->conf->replay;
	unsigned turn = 0;
	bool over;

	for (size_t i = own_part(run); i < replay->count; i += run->ask->parts * rt_loops()) {
		int64_t due_us = run->start_us + replay->at[i].at_us;

		TRY(wait_for_turn(run, due_us, &turn, &over));
		if (over)
			return NULL;
		arrive(run, l, USER_REPLAY, due_us, (uint32_t)i);
	}
	return NULL;
}

static void arrivals_main(void *arg)
{
	LoadRun *run = arg;
	RunLoop *l = run_loop(run);
	Err *cut = run->conf->replay ? let_replay(run, l) : let_arrive(run, l);

	(void)cut;
	l->fibers--;
}

/* User i of all begins when its part of the ramp is over. */
static Err *let_stay(LoadRun *run, RunLoop *l)
{
	const UsersConf *users = &run->conf->users;
	unsigned parts = run->ask->parts * rt_loops();
	unsigned part = own_part(run);
	unsigned turn = 0;

	for (uint32_t i = part; i < users->count; i += parts) {
		int64_t due_us = run->start_us + users->ramp_us * i / users->count;

		if (due_us > loop_now_us())
			TRY(wait_for(run, due_us));
		else if (++turn % TURN_ARRIVALS == 0)
			TRY(fiber_yield());
		if (run_is_over(run))
			return NULL;
		if (user_start(run, USER_STAYING, due_us, 0))
			could_not_start(l, due_us);
	}
	return NULL;
}

static void stay_main(void *arg)
{
	LoadRun *run = arg;
	RunLoop *l = run_loop(run);
	Err *cut = let_stay(run, l);

	(void)cut;
	l->fibers--;
}

static void start_driver(RunLoop *l, FiberMain *fn)
{
	l->fibers++;
	if (fiber_start(fn, l->run, "arrivals")) {
		l->fibers--;
		load_stop(l->run, "no fiber could be started");
	}
}

static void loop_begin(void *arg)
{
	LoadRun *run = arg;
	RunLoop *l = run_loop(run);

	list_init(&l->idle);
	list_init(&l->users);
	load_stats_init(&l->stats, run->conf->all.count);
	l->run = run;
	l->turn = run->ask->part * 7919u + loop_index(loop_self()) * 31u;
	if (run->conf->stages.count || run->conf->replay)
		start_driver(l, arrivals_main);
	if (run->conf->has_users && run->conf->users.count)
		start_driver(l, stay_main);
}

static void loop_cut(void *arg)
{
	users_cut(run_loop(arg));
}

void load_cut(LoadRun *run)
{
	loop_each(loop_cut, run);
}

static void loop_end(void *arg)
{
	RunLoop *l = run_loop(arg);

	idle_close(l);
	load_stats_fini(&l->stats);
}

/* --- looking -------------------------------------------------------------------------------------------------------- */

typedef struct Look {
	LoadRun *run;
	LoadStats *into; /* all of it, or NULL */
	Hist *interval;
	uint64_t begun, ended, failed;
	uint32_t in_flight, users, connections, fibers;
	uint64_t refused, answered;
	int64_t last_us; /* when the last arrival began */
} Look;

static void look_at_loop(void *arg)
{
	Look *look = arg;
	RunLoop *l = run_loop(look->run);
	LoadStats *s = &l->stats;

	if (look->into)
		load_stats_add(look->into, s);
	if (look->interval) {
		hist_add(look->interval, s->interval);
		hist_clear(s->interval);
	}
	look->begun += s->begun;
	look->ended += s->ended;
	look->failed += s->failed;
	look->in_flight += s->in_flight;
	look->users += s->users;
	look->connections += s->connections;
	look->fibers += l->fibers;
	look->refused += s->refused;
	look->answered += s->answered;
	look->last_us = MAX(look->last_us, l->last_us);
}

void load_look(LoadRun *run, LoadStats *stats)
{
	Look look = { .run = run, .into = stats };

	loop_each(look_at_loop, &look);
}

typedef struct Learning {
	LoadRun *run;
	size_t step;
	uint32_t times[4096];
	size_t count;
} Learning;

static void learn_from_loop(void *arg)
{
	Learning *learning = arg;
	const StepStats *s = &run_loop(learning->run)->stats.steps[learning->step];

	for (size_t i = 0; i < MIN((size_t)s->recent_count, COUNT(s->recent_us)); i++)
		if (learning->count < COUNT(learning->times))
			learning->times[learning->count++] = s->recent_us[i];
}

static int compare(const void *x, const void *y)
{
	uint32_t l = *(const uint32_t *)x, r = *(const uint32_t *)y;

	return (l > r) - (l < r);
}

/* What dependent steps go by from now on: the median of what was seen until now. */
static void learn(LoadRun *run)
{
	Learning *learning = calloc(1, sizeof *learning);

	if (!learning)
		abort();
	for (size_t i = 0; i < run->conf->all.count; i++) {
		learning->run = run;
		learning->step = i;
		learning->count = 0;
		if (run->expect_us[i] >= 0)
			continue;
		loop_each(learn_from_loop, learning);
		qsort(learning->times, learning->count, sizeof *learning->times, compare);
		if (learning->count >= LEARN_MIN)
			__atomic_store_n(&run->expect_us[i],
			                 (int64_t)learning->times[learning->count / 2],
			                 __ATOMIC_RELAXED);
	}
	free(learning);
}

typedef struct Watcher {
	LoadRun *run;
	LoadResult *result;
	Hist *interval;
	Look before;
	int64_t before_us;
	size_t room;
} Watcher;

static double per_second(uint64_t now, uint64_t before, int64_t us)
{
	return us > 0 ? (double)(now - before) * 1e6 / (double)us : 0;
}

static void note_moment(Watcher *w)
{
	LoadRun *run = w->run;
	Look now = { .run = run, .interval = w->interval };
	int64_t us, at_us;
	Moment *m;

	hist_clear(w->interval);
	loop_each(look_at_loop, &now);
	at_us = loop_now_us();
	us = at_us - w->before_us;
	if (w->result->moment_count == w->room)
		return;
	m = &w->result->moments[w->result->moment_count++];
	*m = (Moment){
		.at_us = at_us - run->start_us,
		.asked = rate_at(run->conf->stages.at, run->conf->stages.count,
		                 at_us - run->start_us - us / 2) /
		         run->ask->parts,
		.got = per_second(now.begun, w->before.begun, us),
		.ended = per_second(now.ended, w->before.ended, us),
		.failed = per_second(now.failed, w->before.failed, us),
		.in_flight = now.in_flight,
		.users = now.users,
		.connections = now.connections,
		.p50_us = hist_percentile_us(w->interval, 50),
		.p99_us = hist_percentile_us(w->interval, 99),
		.max_us = hist_max_us(w->interval),
		.warm = at_us < run->warm_us,
	};
	w->before = now;
	w->before_us = at_us;
	if (run->ask->watch)
		run->ask->watch(run->ask->watch_arg, run, m);
}

static Look look_at(LoadRun *run)
{
	Look look = { .run = run };

	loop_each(look_at_loop, &look);
	return look;
}

/* All that answers is the refusal of connections: nobody learns anything from more of it. */
static bool is_refused(const Watcher *w)
{
	return w->before.refused > 0 && !w->before.answered;
}

static Err *watch_until_end(Watcher *w)
{
	LoadRun *run = w->run;
	bool learned = false;

	for (int64_t next_us = run->start_us + US_PER_S;; next_us += US_PER_S) {
		TRY(wait_for(run, MIN(next_us, run->end_us)));
		note_moment(w);
		if (is_refused(w))
			load_stop(run, "nothing answers: all connections were refused");
		if (run_is_over(run))
			return NULL;
		if (!learned && loop_now_us() >= MAX(run->warm_us, run->start_us + US_PER_S)) {
			learn(run);
			learned = true;
		}
	}
}

static Err *see_to_the_end(Watcher *w)
{
	LoadRun *run = w->run;
	int64_t until_us = loop_now_us() + run->conf->grace_us;
	int64_t next_us = loop_now_us() + US_PER_S;

	for (Look now = look_at(run); now.fibers; now = look_at(run)) {
		bool only_thinkers = run_is_stopped(run) && !now.in_flight;

		if (only_thinkers || loop_now_us() >= until_us)
			loop_each(loop_cut, run);
		if (loop_now_us() >= next_us) {
			note_moment(w);
			next_us += US_PER_S;
		}
		TRY(fiber_sleep(END_LOOK_US));
	}
	return NULL;
}

/* --- before --------------------------------------------------------------------------------------------------------- */

static void compile_headers(Arena *a, Step *step, const NamedText *at, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		step->headers[step->header_count].name = at[i].name;
		step->headers[step->header_count++].text = text_new(a, at[i].text);
	}
}

static bool has_header(const Step *step, Str name)
{
	for (size_t i = 0; i < step->header_count; i++)
		if (str_eq_nocase(step->headers[i].name, name))
			return true;
	return false;
}

static void compile_form(Arena *a, Step *step, const StepConf *row)
{
	step->form = arena_alloc_array(a, sizeof *step->form, row->form.count + 1);
	for (size_t i = 0; i < row->form.count; i++) {
		step->form[i].name = text_new(a, row->form.at[i].name);
		step->form[i].value = text_new(a, row->form.at[i].text);
	}
	step->form_count = row->form.count;
}

static Err *compile(Arena *a, const ScenarioConf *conf, Step *step, const StepConf *row)
{
	static const NamedText form_type[] = { { S("Content-Type"),
		                                 S("application/x-www-form-urlencoded") } };
	static const NamedText own[] = { { S("User-Agent"), S("banyan-load") },
		                         { S("Accept"), S("*/*") } };

	step->conf = row;
	step->path = text_new(a, row->kind == STEP_WEBSOCKET ? row->websocket.path : row->path);
	step->messages = ARENA_ARRAY(a, Text *, row->websocket.send.count + 1);
	for (size_t i = 0; i < row->websocket.send.count; i++)
		step->messages[i] = text_new(a, row->websocket.send.at[i]);
	step->body = row->has_body ? text_new(a, row->body) : NULL;
	step->headers =
		arena_alloc_array(a, sizeof *step->headers,
	                          conf->headers.count + row->headers.count + COUNT(own) + 1);
	compile_headers(a, step, row->headers.at, row->headers.count);
	for (size_t i = 0; i < conf->headers.count; i++)
		if (!has_header(step, conf->headers.at[i].name))
			compile_headers(a, step, &conf->headers.at[i], 1);
	for (size_t i = 0; i < COUNT(own); i++)
		if (!has_header(step, own[i].name))
			compile_headers(a, step, &own[i], 1);
	compile_form(a, step, row);
	if (step->form_count && !has_header(step, form_type[0].name))
		compile_headers(a, step, form_type, 1);
	step->wanted = row->check.body.len ? text_new(a, row->check.body) : NULL;
	return seeker_new(a, row, rt_loops(), &step->seeker);
}

/* Filters take their time to compile, and files to be read: before the clock starts. */
static Err *run_new(Arena *a, const LoadAsk *ask, LoadRun **out)
{
	const ScenarioConf *conf = ask->conf;
	LoadRun *run = ARENA_NEW(a, LoadRun);

	*run = (LoadRun){
		.conf = conf, .target = ask->target, .ask = ask, .arena = a, .stop_us = INT64_MAX
	};
	run->loops = ARENA_ARRAY(a, RunLoop, rt_loops());
	run->steps = ARENA_ARRAY(a, Step, conf->all.count);
	run->expect_us = ARENA_ARRAY(a, int64_t, conf->all.count);
	for (size_t i = 0; i < conf->all.count; i++) {
		TRY(compile(a, conf, &run->steps[i], conf->all.at[i]));
		run->expect_us[i] = conf->all.at[i]->expect_us;
	}
	run->data = ARENA_ARRAY(a, DataSet, conf->data.count + 1);
	for (size_t i = 0; i < conf->data.count; i++)
		TRY(data_load(a, &conf->data.at[i], &run->data[i]));
	run->start_us = time_mono_us() + 10 * US_PER_MS;
	run->warm_us = conf->warmup_us ? run->start_us + conf->warmup_us : INT64_MIN;
	run->end_us = run->start_us + load_length_us(conf);
	*out = run;
	return NULL;
}

typedef struct Preparing {
	Arena *arena;
	const LoadAsk *ask;
	LoadRun *run;
	Err *err;
} Preparing;

static void new_work(void *arg)
{
	Preparing *p = arg;

	p->err = run_new(p->arena, p->ask, &p->run);
}

/* By a worker: what users are to say may be large files. */
static Err *prepare(Arena *a, const LoadAsk *ask, LoadRun **out)
{
	Plan plan = plan_of(ask->conf, ask->target, ask->parts);
	Preparing p = { .arena = a, .ask = ask };

	TRY(plan_check(a, &plan));
	TRY(work_run(new_work, &p));
	*out = p.run;
	return p.err;
}

Err *load_prepare(Arena *a, const LoadAsk *ask)
{
	LoadRun *run;

	return prepare(a, ask, &run);
}

static void sum_up(Watcher *w)
{
	LoadRun *run = w->run;
	LoadResult *result = w->result;
	const ScenarioConf *conf = run->conf;
	int64_t until_us;

	load_stats_init(&result->stats, conf->all.count);
	load_look(run, &result->stats);
	result->took_us = loop_now_us() - run->start_us;
	until_us = MIN(run->end_us, loop_now_us());
	until_us = MAX(until_us, look_at(run).last_us);
	result->measured_us = MAX(until_us - run->start_us - conf->warmup_us, INT64_C(0));
	result->asked =
		(rate_area(conf->stages.at, conf->stages.count, run->end_us - run->start_us) -
	         rate_area(conf->stages.at, conf->stages.count, conf->warmup_us)) /
		run->ask->parts;
	if (conf->replay || conf->poisson ||
	    run->stop) /* what was drawn, not its mean; until the stop */
		result->asked = (double)result->stats.due;
	result->got = (double)result->stats.started;
	result->stopped = run->stop;
	result->expect_us = run->expect_us;
}

void load_result_fini(LoadResult *result)
{
	load_stats_fini(&result->stats);
}

Err *load_run(Arena *a, const LoadAsk *ask, LoadResult *result)
{
	AUTO(hist_freep) Hist *interval = hist_new();
	Watcher w = { .result = result, .interval = interval };
	Err *err;

	TRY(prepare(a, ask, &w.run));
	if (ask->run)
		*ask->run = w.run;
	w.before_us = w.run->start_us;
	w.room = (size_t)((load_length_us(ask->conf) + ask->conf->grace_us) / US_PER_S) + 16;
	*result = (LoadResult){ .conf = ask->conf,
		                .start_utc_us = time_utc_us(),
		                .moments = ARENA_ARRAY(a, Moment, w.room) };
	loop_each(loop_begin, w.run);
	err = watch_until_end(&w);
	if (err) {
		load_stop(w.run, "interrupted");
		loop_each(loop_cut, w.run);
	}
	{
		AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

		err = see_to_the_end(&w);
		sum_up(&w);
		loop_each(loop_end, w.run);
	}
	return err;
}
