/* SPDX-License-Identifier: Apache-2.0
 *
 * What no row of a scenario can say alone: that a step is one thing and not two, that a block exists, that blocks do not
 * run each other in circles, that there is a load at all. The same walk derives what a run wants to have ready. */
#include "load/scenario_int.h"

#include "base/arena.h"

#include <unistd.h>

enum { STEPS_MAX = 4096, DEPTH_MAX = 16 };

static const BlockConf *find_block(const ScenarioConf *s, Str name)
{
	for (size_t i = 0; i < s->blocks.count; i++)
		if (str_eq(s->blocks.at[i].name, name))
			return &s->blocks.at[i];
	return NULL;
}

static void mistake_unknown(Conf *conf, const ScenarioConf *s, const void *at, Str name)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str *names = ARENA_ARRAY(a, Str, s->blocks.count + 1);
	Str near;

	for (size_t i = 0; i < s->blocks.count; i++)
		names[i] = s->blocks.at[i].name;
	near = str_nearest(name, names, s->blocks.count);
	if (near.len)
		conf_mistake(conf, at, "there is no block \"%.*s\": did you mean %.*s?",
		             STR_ARG(name), STR_ARG(near));
	else
		conf_mistake(conf, at, "there is no block \"%.*s\"", STR_ARG(name));
}

static unsigned derive_method(StepConf *step)
{
	const struct {
		Str method, path;
	} rows[] = {
		{ S("GET"), step->get },       { S("POST"), step->post },
		{ S("PUT"), step->put },       { S("PATCH"), step->patch },
		{ S("DELETE"), step->delete }, { S("HEAD"), step->head },
	};
	unsigned count = 0;

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].path.len) {
			step->method = rows[i].method;
			step->path = rows[i].path;
			count++;
		}
	return count;
}

static void check_extract(Conf *conf, const ExtractConf *extract)
{
	unsigned count = (extract->pattern.len > 0) + (extract->header.len > 0) +
	                 (extract->cookie.len > 0) + (extract->jq.len > 0);

	if (count != 1)
		conf_mistake(conf, extract,
		             "%.*s: exactly one of pattern, header, cookie and jq is needed",
		             STR_ARG(extract->variable));
}

static void check_spans(Span *span)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Err *err = span_split(a, span->text, &span->min_us, &span->max_us);

	if (err) /* the row has said so */
		span->min_us = span->max_us = 0;
}

static void check_step(Conf *conf, const ScenarioConf *s, StepConf *step)
{
	unsigned requests = derive_method(step);
	unsigned kinds = (requests > 0) + (step->run.len > 0) + (step->choose.count > 0) +
	                 step->has_websocket;

	step->kind = step->run.len         ? STEP_RUN
	             : step->choose.count  ? STEP_CHOOSE
	             : step->has_websocket ? STEP_WEBSOCKET
	             : requests            ? STEP_REQUEST
	                                   : STEP_WAIT;
	check_spans(&step->think);
	load_status_split(step->check.status, &step->check.status_min, &step->check.status_max);
	if (!step->has_expect)
		step->expect_us = -1;
	if (kinds > 1 || requests > 1)
		conf_mistake(conf, step,
		             "a step is one thing: one request, run, choose or websocket");
	else if (!kinds && !step->think.max_us)
		conf_mistake(
			conf, step,
			"a step needs get, post, put, patch, delete, head, run, choose, websocket or think");
	if (step->has_body && step->form.count)
		conf_mistake(conf, &step->form, "form: there is a body already");
	for (size_t i = 0; i < step->extract.count; i++)
		check_extract(conf, &step->extract.at[i]);
	if (step->run.len && !find_block(s, step->run))
		mistake_unknown(conf, s, &step->run, step->run);
	for (size_t i = 0; i < step->choose.count; i++)
		if (!find_block(s, step->choose.at[i].name))
			mistake_unknown(conf, s, &step->choose.at[i], step->choose.at[i].name);
}

static void check_steps(Conf *conf, const ScenarioConf *s, StepConf *steps, size_t count,
                        uint32_t *index)
{
	for (size_t i = 0; i < count; i++) {
		check_step(conf, s, &steps[i]);
		steps[i].index = (*index)++;
	}
}

static bool goes_too_deep(const ScenarioConf *s, const BlockConf *block, unsigned depth);

static bool leads_too_deep(const ScenarioConf *s, Str name, unsigned depth)
{
	const BlockConf *block = find_block(s, name);

	return block && goes_too_deep(s, block, depth + 1);
}

static bool goes_too_deep(const ScenarioConf *s, const BlockConf *block, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return true;
	for (size_t i = 0; i < block->steps.count; i++) {
		const StepConf *step = &block->steps.at[i];

		if (step->run.len && leads_too_deep(s, step->run, depth))
			return true;
		for (size_t k = 0; k < step->choose.count; k++)
			if (leads_too_deep(s, step->choose.at[k].name, depth))
				return true;
	}
	return false;
}

static void check_load(Conf *conf, const ScenarioConf *s)
{
	double weights = 0;

	if (!s->load.count && !s->has_users)
		conf_mistake(conf, NULL,
		             "there is no load: say load (rates) or users (a number of them)");
	for (size_t i = 0; i < s->journeys.count; i++)
		weights += s->journeys.at[i].weight;
	if (s->journeys.count && weights <= 0)
		conf_mistake(conf, &s->journeys, "journeys: all of them have weight 0");
}

static void check_file(Conf *conf, const Str *path)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	if (path->len && access(str_z(a, *path), R_OK) != 0)
		conf_mistake(conf, path, "%.*s: %m", STR_ARG(*path));
}

void scenario_check(Conf *conf, void *object)
{
	ScenarioConf *s = object;
	uint32_t index = 0;

	check_load(conf, s);
	check_file(conf, &s->connections.tls.ca);
	for (size_t i = 0; i < s->journeys.count; i++) {
		JourneyConf *journey = &s->journeys.at[i];

		check_spans(&journey->think);
		check_steps(conf, s, journey->once.at, journey->once.count, &index);
		check_steps(conf, s, journey->steps.at, journey->steps.count, &index);
	}
	for (size_t i = 0; i < s->blocks.count; i++)
		check_steps(conf, s, s->blocks.at[i].steps.at, s->blocks.at[i].steps.count, &index);
	for (size_t i = 0; i < s->blocks.count; i++)
		if (goes_too_deep(s, &s->blocks.at[i], 0))
			conf_mistake(conf, &s->blocks.at[i],
			             "block %.*s runs blocks more than %d deep, or itself",
			             STR_ARG(s->blocks.at[i].name), (int)DEPTH_MAX);
	scenario_check_names(conf, s);
	scenario_check_thresholds(conf, s);
	if (index > STEPS_MAX)
		conf_mistake(conf, NULL, "%u steps: %d at most", index, (int)STEPS_MAX);
}

static void list_steps(ScenarioConf *s, const StepConf *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		s->all.at[s->all.count++] = &steps[i];
}

static size_t count_steps(const ScenarioConf *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->journeys.count; i++)
		count += s->journeys.at[i].once.count + s->journeys.at[i].steps.count;
	for (size_t i = 0; i < s->blocks.count; i++)
		count += s->blocks.at[i].steps.count;
	return count;
}

void scenario_finish(Arena *a, ScenarioConf *conf)
{
	conf->all.at = ARENA_ARRAY(a, const StepConf *, count_steps(conf) + 1);
	conf->all.count = 0;
	for (size_t i = 0; i < conf->journeys.count; i++) {
		list_steps(conf, conf->journeys.at[i].once.at, conf->journeys.at[i].once.count);
		list_steps(conf, conf->journeys.at[i].steps.at, conf->journeys.at[i].steps.count);
	}
	for (size_t i = 0; i < conf->blocks.count; i++)
		list_steps(conf, conf->blocks.at[i].steps.at, conf->blocks.at[i].steps.count);
	conf->stages.at = ARENA_ARRAY(a, RateStage, conf->load.count + 1);
	conf->stages.count = conf->load.count;
	for (size_t i = 0; i < conf->load.count; i++) {
		const StageConf *stage = &conf->load.at[i];

		conf->stages.at[i] =
			(RateStage){ stage->rate, stage->has_to ? stage->to : stage->rate,
			             stage->for_us };
	}
}
