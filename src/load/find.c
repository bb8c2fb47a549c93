/* SPDX-License-Identifier: Apache-2.0
 *
 * The search doubles the rate until a limit breaks, then takes the middle (of logarithms) between the highest that held
 * and the lowest that broke. A try that passes by luck, or fails by it, would lead it astray for good: so the edge is
 * tried again, both sides in turn, and what then comes out otherwise moves the edge. A rate holds when it held at every
 * try. */
#include "load/find.h"

#include "base/arena.h"
#include "base/json.h"
#include "load/report.h"

#include <math.h>

enum { TRIES_MAX = 60 };

static bool held_always(const FindResult *result, double rate, unsigned *times)
{
	bool held = true;

	*times = 0;
	for (size_t i = 0; i < result->try_count; i++)
		if (result->tries[i].rate == rate) {
			held = held && result->tries[i].holds;
			++*times;
		}
	return held && *times;
}

/* The lowest that ever broke, and the highest below it that always held. */
static void find_edge(FindResult *result)
{
	unsigned times;

	result->holds = result->breaks = 0;
	for (size_t i = 0; i < result->try_count; i++)
		if (!result->tries[i].holds &&
		    (!result->breaks || result->tries[i].rate < result->breaks))
			result->breaks = result->tries[i].rate;
	for (size_t i = 0; i < result->try_count; i++)
		if ((!result->breaks || result->tries[i].rate < result->breaks) &&
		    result->tries[i].rate > result->holds &&
		    held_always(result, result->tries[i].rate, &times))
			result->holds = result->tries[i].rate;
}

double find_next(const FindResult *result, const FindAsk *ask)
{
	unsigned held, broke;

	if (!result->try_count)
		return ask->from;
	if (result->try_count >= TRIES_MAX)
		return 0;
	if (!result->breaks)
		return result->holds >= ask->most ? 0 : fmin(result->holds * 2, ask->most);
	if (!result->holds)
		return result->breaks / 2 < 1 ? 0 : result->breaks / 2;
	if (result->breaks / result->holds > 1 + ask->precision)
		return sqrt(result->holds * result->breaks);
	held_always(result, result->holds, &held);
	held_always(result, result->breaks, &broke);
	if (held <= broke && held < ask->confirm)
		return result->holds;
	return broke < ask->confirm ? result->breaks : 0;
}

static FindTry judge(const FindAsk *ask, const LoadResult *run, double rate)
{
	double seconds = (double)run->measured_us / 1e6;
	FindTry one = { .rate = rate, .holds = true };
	uint64_t ended = 0;

	for (size_t i = 0; i < run->stats.step_count; i++)
		ended += run->stats.steps[i].count;
	one.got = seconds > 0 ? (double)ended / seconds : 0;
	for (size_t i = 0; i < ask->limit_count && one.holds; i++) {
		one.broken = verdict_of(&ask->limits[i], run);
		one.holds = one.broken.holds;
	}
	if (one.holds && run->got < 0.99 * run->asked) {
		one.holds = false;
		one.broken = (Verdict){ 0 };
	}
	return one;
}

static Err *try_rate(Arena *a, const FindAsk *ask, double rate, FindTry *out)
{
	ScenarioConf conf = *ask->load.conf;
	RateStage stage = { rate, rate, ask->step_us };
	LoadAsk load = ask->load;
	LoadResult run = { 0 };
	Err *err;

	conf.stages.at = &stage;
	conf.stages.count = 1;
	conf.has_users = false;
	load.conf = &conf;
	err = load_run(a, &load, &run);
	if (!err)
		*out = judge(ask, &run, rate);
	load_result_fini(&run);
	return err;
}

Err *find_run(Arena *a, const FindAsk *ask, FindResult *result)
{
	double rate;

	*result = (FindResult){ .tries = ARENA_ARRAY(a, FindTry, TRIES_MAX) };
	while ((rate = find_next(result, ask)) > 0 && !(ask->stop && *ask->stop)) {
		AUTO(arena_freep) Arena *own = arena_new(0);
		FindTry *one = &result->tries[result->try_count];
		Err *err = try_rate(own, ask, rate, one);

		if (err)
			return err_copy(a, err);
		result->try_count++;
		find_edge(result);
		if (ask->tried)
			ask->tried(ask->arg, one);
	}
	return NULL;
}

void find_put(Buf *out, const FindResult *result, const FindAsk *ask)
{
	unsigned held, broke;

	held_always(result, result->holds, &held);
	held_always(result, result->breaks, &broke);
	if (!result->breaks)
		buf_fmt(out, "it holds at %.0f/s, the highest rate that was tried\n",
		        result->holds);
	else if (!result->holds)
		buf_fmt(out, "it breaks even at %.0f/s\n", result->breaks);
	else
		buf_fmt(out,
		        "it holds up to %.0f/s (%u of %u tries), and breaks at %.0f/s (within %.0f%%)\n",
		        result->holds, held, held, result->breaks,
		        100 * (result->breaks / result->holds - 1));
	if (result->breaks && result->holds && (held < ask->confirm || broke < ask->confirm))
		buf_put(out,
		        S("the search ended before both sides were tried again: take it as a first guess\n"));
}

void find_put_json(Buf *out, const FindResult *result)
{
	JsonWriter w = json_writer(out);

	json_begin_object(&w);
	json_put_real(&w, "holds", result->holds);
	json_put_real(&w, "breaks", result->breaks);
	json_key(&w, S("tries"));
	json_begin_array(&w);
	for (size_t i = 0; i < result->try_count; i++) {
		const FindTry *one = &result->tries[i];

		json_begin_object(&w);
		json_put_real(&w, "rate", one->rate);
		json_put_real(&w, "got", one->got);
		json_put_bool(&w, "holds", one->holds);
		if (!one->holds) {
			json_put_str(&w, "broken", one->broken.threshold.text);
			json_put_real(&w, "was", one->broken.got);
		}
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_putc(out, '\n');
}
