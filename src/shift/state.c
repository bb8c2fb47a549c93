/* SPDX-License-Identifier: Apache-2.0
 *
 * The state of a move as JSON, for the book. Words that an older release does not know are left alone by it, words that are
 * missing read as zero: releases next to each other read each other's. */
#include "shift/state.h"

#include "base/arena.h"

#include <string.h>

static const char *const phases[] = {
	[SHIFT_OLD] = "old", [SHIFT_SHADOW] = "shadow",   [SHIFT_CANARY] = "canary",
	[SHIFT_NEW] = "new", [SHIFT_RETIRED] = "retired",
};
_Static_assert(COUNT(phases) == SHIFT_PHASES, "a phase has no name");

const char *shift_phase_name(ShiftPhase phase)
{
	return phases[phase];
}

bool shift_phase_of(Str name, ShiftPhase *out)
{
	for (size_t i = 0; i < COUNT(phases); i++)
		if (str_eq(name, str_of(phases[i]))) {
			*out = (ShiftPhase)i;
			return true;
		}
	return false;
}

static void copy_text(char *to, size_t room, Str text)
{
	size_t len = MIN(text.len, room - 1);

	while (len && len < text.len && ((unsigned char)text.at[len] & 0xc0) == 0x80)
		len--; /* not in the middle of a character */
	if (len)
		memcpy(to, text.at, len);
	to[len] = '\0';
}

void shift_state_say(ShiftState *state, Str line)
{
	copy_text(state->line, sizeof state->line, line);
}

void shift_state_ask(ShiftState *state, Str verb, Str who, uint32_t share_ppm)
{
	copy_text(state->asked_verb, sizeof state->asked_verb, verb);
	copy_text(state->asked_by, sizeof state->asked_by, who);
	state->asked_ppm = share_ppm;
}

/* --- counters ---------------------------------------------------------------------------------------------------------- */

const ShiftCounter *shift_state_counter(const ShiftState *state, Str name)
{
	for (size_t i = 0; i < COUNT(state->counters); i++)
		if (name.len && str_eq(str_of(state->counters[i].name), name))
			return &state->counters[i];
	return NULL;
}

void shift_state_freeze_counter(ShiftState *state, Str name, bool rare)
{
	if (!name.len || name.len >= sizeof state->counters->name ||
	    shift_state_counter(state, name))
		return;
	for (size_t i = 0; i < COUNT(state->counters); i++) {
		ShiftCounter *counter = &state->counters[i];

		if (counter->name[0])
			continue;
		copy_text(counter->name, sizeof counter->name, name);
		counter->rare = rare;
		return;
	}
}

/* --- servers that are taken out ---------------------------------------------------------------------------------------- */

static bool next_drained(const ShiftState *state, Str *rest, Str *server)
{
	ptrdiff_t end;

	if (!rest->at)
		*rest = str_of(state->drained);
	end = str_find_char(*rest, '\n');
	if (end < 0)
		return false;
	*server = str_sub(*rest, 0, (size_t)end);
	*rest = str_sub(*rest, (size_t)end + 1, rest->len);
	return true;
}

bool shift_state_is_drained(const ShiftState *state, Str server)
{
	Str rest = { 0 }, name;

	while (next_drained(state, &rest, &name))
		if (str_eq(name, server))
			return true;
	return false;
}

bool shift_state_drain(ShiftState *state, Str server)
{
	size_t len = str_of(state->drained).len;

	if (shift_state_is_drained(state, server) || !server.len ||
	    str_find_char(server, '\n') >= 0 || len + server.len + 2 > sizeof state->drained)
		return false;
	memcpy(state->drained + len, server.at, server.len);
	memcpy(state->drained + len + server.len, "\n", 2);
	return true;
}

bool shift_state_undrain(ShiftState *state, Str server)
{
	char kept[sizeof state->drained] = "";
	size_t len = 0;
	Str rest = { 0 }, name;

	if (!shift_state_is_drained(state, server))
		return false;
	while (next_drained(state, &rest, &name)) {
		if (str_eq(name, server))
			continue;
		memcpy(kept + len, name.at, name.len + 1);
		len += name.len + 1;
	}
	memcpy(state->drained, kept, sizeof kept);
	return true;
}

/* --- JSON -------------------------------------------------------------------------------------------------------------- */

static void put_counters(JsonWriter *w, const ShiftState *s)
{
	json_key(w, S("counters"));
	json_begin_object(w);
	for (size_t i = 0; i < COUNT(s->counters); i++)
		if (s->counters[i].name[0])
			json_put_str(w, s->counters[i].name,
			             s->counters[i].rare ? S("rare") : S("common"));
	json_end(w);
}

static void read_counters(const Json *from, ShiftState *s)
{
	const Json *object = json_get(from, S("counters")), *value;
	void *at = NULL;
	Str name, kind;

	while (json_next(object, &at, &name, &value))
		if (json_to_str(value, &kind))
			shift_state_freeze_counter(s, name, str_eq(kind, S("rare")));
}

static void put_drained(JsonWriter *w, const ShiftState *s)
{
	Str rest = { 0 }, name;

	json_key(w, S("drained"));
	json_begin_array(w);
	while (next_drained(s, &rest, &name))
		json_add_str(w, name);
	json_end(w);
}

static void read_drained(const Json *from, ShiftState *s)
{
	const Json *list = json_get(from, S("drained"));
	Str name;

	for (size_t i = 0; i < json_count(list); i++)
		if (json_to_str(json_at(list, i), &name))
			(void)shift_state_drain(s, name);
}

void shift_state_put(JsonWriter *w, const ShiftState *s)
{
	json_begin_object(w);
	json_put_str(w, "phase", str_of(phases[s->phase]));
	json_put_bool(w, "paused", s->paused);
	json_put_i64(w, "step", s->step);
	json_put_u64(w, "share_ppm", s->share_ppm);
	json_put_u64(w, "attempt", s->attempt);
	json_put_u64(w, "shadows", s->shadows);
	json_put_i64(w, "salt", (int64_t)s->salt);
	json_put_i64(w, "since_us", s->since_us);
	json_put_i64(w, "paused_us", s->paused_us);
	json_key(w, S("slow_us"));
	json_begin_array(w);
	for (size_t i = 0; i < COUNT(s->slow_us); i++)
		json_add_i64(w, s->slow_us[i]);
	json_end(w);
	json_put_str(w, "asked_verb", str_of(s->asked_verb));
	json_put_str(w, "asked_by", str_of(s->asked_by));
	json_put_u64(w, "asked_ppm", s->asked_ppm);
	json_put_str(w, "target", str_of(s->target));
	json_put_str(w, "line", str_of(s->line));
	if (s->counters[0].name[0])
		put_counters(w, s);
	if (s->drained[0])
		put_drained(w, s);
	json_end(w);
}

static int64_t number(const Json *from, const char *key, int64_t max)
{
	int64_t n = 0;

	return json_to_i64(json_get(from, str_of(key)), &n) && n <= max ? n : 0;
}

static void read_text(const Json *from, const char *key, char *to, size_t room)
{
	Str text = { 0 };

	if (json_to_str(json_get(from, str_of(key)), &text))
		copy_text(to, room, text);
}

Err *shift_state_read(Arena *a, const Json *from, ShiftState *out)
{
	ShiftState s = { 0 };
	ShiftPhase phase;
	Str name;

	if (!json_to_str(json_get(from, S("phase")), &name) || !shift_phase_of(name, &phase))
		return err_new(a, ERR_INVALID, "shift.state",
		               "the stored state has no phase that this release knows");
	s.phase = (uint8_t)phase;
	(void)json_to_bool(json_get(from, S("paused")), &s.paused);
	s.step = (int32_t)number(from, "step", 1000);
	s.share_ppm = (uint32_t)MAX(0, number(from, "share_ppm", 1000000));
	s.attempt = (uint32_t)MAX(0, number(from, "attempt", UINT32_MAX));
	s.shadows = (uint32_t)MAX(0, number(from, "shadows", UINT32_MAX));
	s.salt = (uint64_t)number(from, "salt", INT64_MAX);
	s.since_us = number(from, "since_us", INT64_MAX);
	s.paused_us = number(from, "paused_us", INT64_MAX);
	for (size_t i = 0; i < COUNT(s.slow_us); i++)
		(void)json_to_i64(json_at(json_get(from, S("slow_us")), i), &s.slow_us[i]);
	read_text(from, "asked_verb", s.asked_verb, sizeof s.asked_verb);
	read_text(from, "asked_by", s.asked_by, sizeof s.asked_by);
	s.asked_ppm = (uint32_t)MAX(0, number(from, "asked_ppm", 1000000));
	read_text(from, "target", s.target, sizeof s.target);
	read_text(from, "line", s.line, sizeof s.line);
	read_drained(from, &s);
	read_counters(from, &s);
	*out = s;
	return NULL;
}
