/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that a scenario's texts and thresholds use: each must be defined somewhere in it. What nothing defines would be
 * filled in as nothing, request after request, and look like a fault of the server. Whether it is defined in time (a step
 * before this one has extracted it) is not looked at: blocks run in any order. */
#include "load/scenario_int.h"

#include "base/arena.h"
#include "load/data.h"
#include "load/text.h"
#include "load/verdict.h"

typedef struct Names {
	Arena *arena;
	Conf *conf;
	const void *at; /* the text that is looked at */
	Str *known;
	size_t count, room;
	Str *open; /* sets of data whose columns nobody knows: a mistake has been told already */
	size_t open_count;
} Names;

typedef void StepVisit(Names *names, const StepConf *step);

static void visit_steps(Names *names, const StepConf *steps, size_t count, StepVisit *visit)
{
	for (size_t i = 0; i < count; i++)
		visit(names, &steps[i]);
}

static void each_step(Names *names, const ScenarioConf *s, StepVisit *visit)
{
	for (size_t i = 0; i < s->journeys.count; i++) {
		const JourneyConf *journey = &s->journeys.at[i];

		visit_steps(names, journey->once.at, journey->once.count, visit);
		visit_steps(names, journey->steps.at, journey->steps.count, visit);
	}
	for (size_t i = 0; i < s->blocks.count; i++)
		visit_steps(names, s->blocks.at[i].steps.at, s->blocks.at[i].steps.count, visit);
}

static void know(Names *names, Str name)
{
	if (names->count == names->room) {
		Str *more = ARENA_ARRAY(names->arena, Str, names->room * 2 + 32);

		for (size_t i = 0; i < names->count; i++)
			more[i] = names->known[i];
		names->known = more;
		names->room = names->room * 2 + 32;
	}
	names->known[names->count++] = name;
}

static bool is_known(const Names *names, Str name)
{
	for (size_t i = 0; i < names->count; i++)
		if (str_eq(names->known[i], name))
			return true;
	return false;
}

static void know_extracted(Names *names, const StepConf *step)
{
	for (size_t i = 0; i < step->extract.count; i++)
		if (!is_known(names, step->extract.at[i].variable))
			know(names, step->extract.at[i].variable);
}

static void know_columns(Names *names, const DataConf *conf)
{
	DataSet set;
	Err *err = data_columns(names->arena, conf, &set);

	if (err) {
		conf_mistake(names->conf, &conf->file, "%.*s", STR_ARG(err->text));
		names->open[names->open_count++] = conf->name;
		return;
	}
	for (size_t i = 0; i < set.column_count; i++)
		know(names, str_fmt(names->arena, "%.*s.%.*s", STR_ARG(conf->name),
		                    STR_ARG(set.columns[i])));
}

static void know_all(Names *names, const ScenarioConf *s)
{
	static const Str own[] = { S("user"), S("round"), S("random"), S("uuid") };

	for (size_t i = 0; i < COUNT(own); i++)
		know(names, own[i]);
	for (size_t i = 0; i < s->variables.count; i++)
		know(names, s->variables.at[i].name);
	names->open = ARENA_ARRAY(names->arena, Str, s->data.count + 1);
	for (size_t i = 0; i < s->data.count; i++)
		know_columns(names, &s->data.at[i]);
	each_step(names, s, know_extracted);
}

static bool is_of_open_data(const Names *names, Str name)
{
	ptrdiff_t dot = str_find_char(name, '.');

	for (size_t i = 0; dot > 0 && i < names->open_count; i++)
		if (str_eq(names->open[i], str_sub(name, 0, (size_t)dot)))
			return true;
	return false;
}

static void look_at_name(void *arg, Str name)
{
	Names *names = arg;
	Str near;

	if (is_known(names, name) || is_of_open_data(names, name) ||
	    (str_starts(name, S("cookie.")) && name.len > 7))
		return;
	near = str_nearest(name, names->known, names->count);
	if (near.len)
		conf_mistake(names->conf, names->at, "nothing defines {%.*s}: did you mean {%.*s}?",
		             STR_ARG(name), STR_ARG(near));
	else
		conf_mistake(
			names->conf, names->at,
			"nothing defines {%.*s}: no variable, extraction or column of data is called so",
			STR_ARG(name));
}

static void look_at(Names *names, const Str *text)
{
	names->at = text;
	if (text->len && !text_mistake(names->arena, *text))
		text_names(text_new(names->arena, *text), look_at_name, names);
}

static void look_at_all(Names *names, const NamedText *at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		look_at(names, &at[i].text);
}

static void look_at_step(Names *names, const StepConf *step)
{
	const Str *texts[] = { &step->get,   &step->post,       &step->put,
		               &step->patch, &step->delete,     &step->head,
		               &step->body,  &step->check.body, &step->websocket.path };

	for (size_t i = 0; i < COUNT(texts); i++)
		look_at(names, texts[i]);
	look_at_all(names, step->headers.at, step->headers.count);
	look_at_all(names, step->form.at, step->form.count);
	for (size_t i = 0; i < step->form.count; i++)
		look_at(names, &step->form.at[i].name);
	for (size_t i = 0; i < step->websocket.send.count; i++)
		look_at(names, &step->websocket.send.at[i]);
}

void scenario_check_names(Conf *conf, const ScenarioConf *s)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Names names = { .arena = a, .conf = conf };

	know_all(&names, s);
	look_at_all(&names, s->headers.at, s->headers.count);
	each_step(&names, s, look_at_step);
}

static void know_label(Names *names, const StepConf *step)
{
	if (step->kind == STEP_REQUEST || step->kind == STEP_WEBSOCKET)
		know(names, step_label(names->arena, step));
}

void scenario_check_thresholds(Conf *conf, const ScenarioConf *s)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Names labels = { .arena = a, .conf = conf };

	each_step(&labels, s, know_label);
	for (size_t i = 0; i < s->thresholds.count; i++) {
		Threshold threshold;
		Err *err = threshold_read(a, s->thresholds.at[i], &threshold);

		if (!err)
			err = threshold_check_step(a, &threshold, labels.known, labels.count);
		if (err)
			conf_mistake(conf, &s->thresholds.at[i], "%.*s", STR_ARG(err->text));
	}
}
