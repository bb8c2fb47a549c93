/* SPDX-License-Identifier: Apache-2.0
 *
 * A log in the order of its requests' ends is put in the order of their beginnings, which is the order they are due in.
 * Each route and method becomes a step of its own, so that reports tell them apart. */
#include "load/replay.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"

#include <stdlib.h>
#include <time.h>

enum { LOG_BYTES_MAX = 1 << 30, ROUTES_MAX = 1000 };

/* "2026-11-23T04:24:30.265226Z" */
static bool read_time(Arena *a, Str text, int64_t *us)
{
	struct tm tm = { 0 };
	const char *rest = strptime(str_z(a, text), "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = 0;

	if (!rest)
		return false;
	if (*rest == '.')
		for (int64_t unit = 100000; *++rest >= '0' && *rest <= '9'; unit /= 10)
			fraction += (*rest - '0') * unit;
	*us = (int64_t)timegm(&tm) * 1000000 + fraction;
	return *rest == 'Z';
}

typedef struct Reader {
	Arena *arena;
	Replay *replay;
	StepConf *steps;
	size_t step_count;
} Reader;

static bool is_safe(Str method)
{
	return str_eq(method, S("GET")) || str_eq(method, S("HEAD"));
}

static uint32_t find_step(Reader *r, Str method, Str route)
{
	Arena *a = r->arena;
	Str name = str_fmt(a, "%.*s %.*s", STR_ARG(method), STR_ARG(route));
	StepConf *step;

	for (size_t i = 0; i < r->step_count; i++)
		if (str_eq(r->steps[i].name, name))
			return (uint32_t)i;
	if (r->step_count == ROUTES_MAX)
		return ROUTES_MAX - 1;
	step = &r->steps[r->step_count];
	*step = (StepConf){ .name = name,
		            .kind = STEP_REQUEST,
		            .method = str_dup(a, method),
		            .path = S("{replay}"),
		            .expect_us = 0,
		            .repeat = 1,
		            .index = (uint32_t)r->step_count };
	step->check.status_min = 100;
	step->check.status_max = 499; /* what was 404 yesterday may be so today */
	return (uint32_t)r->step_count++;
}

static void read_line(Reader *r, Arena *scratch, Str line)
{
	Str time = { 0 }, method = { 0 }, path = { 0 }, query = { 0 }, route = S("?");
	Replay *replay = r->replay;
	ReplayEntry *entry = &replay->at[replay->count];
	const Json *json;

	if (json_read(scratch, line, 0, &json) ||
	    !json_to_str(json_get(json, S("@timestamp")), &time) ||
	    !json_to_str(json_get(json, S("http.request.method")), &method) ||
	    !json_to_str(json_get(json, S("url.path")), &path) || !path.len || path.at[0] != '/' ||
	    !read_time(scratch, time, &entry->at_us)) {
		replay->unusable++;
		return;
	}
	if (!is_safe(method)) {
		replay->unsafe++;
		return;
	}
	(void)json_to_str(json_get(json, S("url.query")), &query);
	(void)json_to_str(json_get(json, S("banyan.route")), &route);
	replay->redacted += str_find(query, S("REDACTED")) >= 0;
	entry->target = query.len ? str_fmt(r->arena, "%.*s?%.*s", STR_ARG(path), STR_ARG(query))
	                          : str_dup(r->arena, path);
	entry->step = find_step(r, method, route);
	replay->count++;
}

static int compare(const void *x, const void *y)
{
	const ReplayEntry *l = x, *r = y;

	return (l->at_us > r->at_us) - (l->at_us < r->at_us);
}

static void set_pace(Replay *replay, double speed)
{
	int64_t first_us;

	qsort(replay->at, replay->count, sizeof *replay->at, compare);
	first_us = replay->at[0].at_us;
	for (size_t i = 0; i < replay->count; i++)
		replay->at[i].at_us = (int64_t)((double)(replay->at[i].at_us - first_us) / speed);
}

Err *replay_read(Arena *a, Str name, Str text, Str target, double speed, ScenarioConf **out)
{
	ScenarioConf *conf = ARENA_NEW(a, ScenarioConf);
	JourneyConf *journey = ARENA_NEW(a, JourneyConf);
	Reader r = { .arena = a, .replay = ARENA_NEW(a, Replay) };
	size_t lines = 1;
	Str rest = text, line;

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	r.replay->at = ARENA_ARRAY(a, ReplayEntry, lines + 1);
	r.steps = ARENA_ARRAY(a, StepConf, ROUTES_MAX);
	while (str_split(&rest, '\n', &line)) {
		AUTO(arena_freep) Arena *scratch = arena_new(0);

		if (str_trim(line).len)
			read_line(&r, scratch, line);
	}
	if (!r.replay->count)
		return err_new(a, ERR_INVALID, "load.replay",
		               "%.*s has no GET or HEAD request of an access log of Banyan in it",
		               STR_ARG(name));
	set_pace(r.replay, speed);
	conf_defaults(a, scenario_table(), conf);
	*journey = (JourneyConf){ .name = S("replay"), .weight = 1 };
	journey->steps.at = r.steps;
	journey->steps.count = r.step_count;
	conf->journeys.at = journey;
	conf->journeys.count = 1;
	conf->target = target;
	conf->shared = true;
	conf->replay = r.replay;
	scenario_finish(a, conf);
	*out = conf;
	return NULL;
}

Err *replay_load(Arena *a, Str file, Str target, double speed, ScenarioConf **out)
{
	Str text;

	TRY(file_read(a, file, LOG_BYTES_MAX, &text));
	return replay_read(a, file, text, target, speed, out);
}
