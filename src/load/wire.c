/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of JSON, and what of a run goes in them. Counters are a table of names and places, so that one cannot be written
 * and forgotten when it is read. */
#include "load/wire.h"

#include "base/arena.h"

static Err gone = ERR_STATIC(CLOSED, "load.worker_gone", "the other process left the run");
static Err too_long = ERR_STATIC(TOO_LARGE, "load.line", "a message was too long");
static Err not_stats = ERR_STATIC(INVALID, "load.message", "a message was not what was expected");

void wire_fini(Wire *wire)
{
	buf_fini(&wire->in);
}

Err *wire_send(Wire *wire, Str line)
{
	TRY(stream_write(wire->stream, line));
	return stream_write(wire->stream, S("\n"));
}

Err *wire_receive(Wire *wire, Arena *a, const Json **out)
{
	enum { PIECE = 64 << 10 };
	ptrdiff_t end;
	size_t looked = 0;

	while ((end = str_find_char(str_sub(buf_str(&wire->in), looked, wire->in.len), '\n')) < 0) {
		char *room;
		size_t got;

		looked = wire->in.len;
		if (looked > WIRE_LINE_MAX)
			return &too_long;
		room = buf_room(&wire->in, PIECE);
		if (!room)
			return &too_long;
		TRY(stream_read(wire->stream, room, PIECE, &got));
		if (!got)
			return &gone;
		buf_wrote(&wire->in, got);
	}
	end += (ptrdiff_t)looked;
	TRY(json_read(a, str_dup(a, str_sub(buf_str(&wire->in), 0, (size_t)end)), 0, out));
	buf_drop(&wire->in, (size_t)end + 1);
	return NULL;
}

/* --- counters ------------------------------------------------------------------------------------------------------- */

typedef struct Field {
	const char *name;
	size_t offset;
} Field;

#define FIELD(type, member) \
	{ \
#member, offsetof(type, member) \
	}

static const Field run_fields[] = {
	FIELD(LoadStats, due),    FIELD(LoadStats, started), FIELD(LoadStats, begun),
	FIELD(LoadStats, ended),  FIELD(LoadStats, failed),  FIELD(LoadStats, warm),
	FIELD(LoadStats, opened), FIELD(LoadStats, refused), FIELD(LoadStats, answered),
};
static const Field step_fields[] = {
	FIELD(StepStats, count),
	FIELD(StepStats, bytes_in),
	FIELD(StepStats, bytes_out),
};

static void put_fields(JsonWriter *w, const Field *fields, size_t count, const void *at)
{
	for (size_t i = 0; i < count; i++)
		json_put_u64(w, fields[i].name,
		             *(const uint64_t *)((const char *)at + fields[i].offset));
}

static Err *add_fields(const Json *json, const Field *fields, size_t count, void *at)
{
	for (size_t i = 0; i < count; i++) {
		int64_t value;

		if (!json_to_i64(json_get(json, str_of(fields[i].name)), &value) || value < 0)
			return &not_stats;
		*(uint64_t *)((char *)at + fields[i].offset) += (uint64_t)value;
	}
	return NULL;
}

static void put_array(JsonWriter *w, const char *key, const uint64_t *at, size_t count)
{
	json_key(w, str_of(key));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		json_add_u64(w, at[i]);
	json_end(w);
}

static Err *add_array(const Json *array, uint64_t *at, size_t count)
{
	if (json_count(array) != count)
		return &not_stats;
	for (size_t i = 0; i < count; i++) {
		int64_t value;

		if (!json_to_i64(json_at(array, i), &value) || value < 0)
			return &not_stats;
		at[i] += (uint64_t)value;
	}
	return NULL;
}

static void put_hist(JsonWriter *w, const char *key, const Hist *hist)
{
	AUTO(buf_fini) Buf b = { 0 };

	hist_put_v2(&b, hist);
	json_put_str(w, key, buf_str(&b));
}

static Err *add_hist(const Json *text, Hist *into)
{
	Str encoded;

	return json_to_str(text, &encoded) ? hist_add_v2(into, encoded) : &not_stats;
}

/* --- stats ---------------------------------------------------------------------------------------------------------- */

static void put_step(JsonWriter *w, const StepStats *s)
{
	json_begin_object(w);
	put_fields(w, step_fields, COUNT(step_fields), s);
	put_array(w, "failures", s->failures, COUNT(s->failures));
	put_array(w, "statuses", s->statuses, COUNT(s->statuses));
	put_hist(w, "response", s->response);
	put_hist(w, "service", s->service);
	json_end(w);
}

void wire_put_stats(JsonWriter *w, const LoadStats *stats)
{
	json_begin_object(w);
	put_fields(w, run_fields, COUNT(run_fields), stats);
	put_hist(w, "late", stats->late);
	json_key(w, S("steps"));
	json_begin_array(w);
	for (size_t i = 0; i < stats->step_count; i++)
		put_step(w, &stats->steps[i]);
	json_end(w);
	json_end(w);
}

static Err *add_step(const Json *json, StepStats *into)
{
	TRY(add_fields(json, step_fields, COUNT(step_fields), into));
	TRY(add_array(json_get(json, S("failures")), into->failures, COUNT(into->failures)));
	TRY(add_array(json_get(json, S("statuses")), into->statuses, COUNT(into->statuses)));
	TRY(add_hist(json_get(json, S("response")), into->response));
	return add_hist(json_get(json, S("service")), into->service);
}

Err *wire_add_stats(const Json *json, LoadStats *into)
{
	const Json *steps = json_get(json, S("steps"));

	if (json_count(steps) != into->step_count)
		return &not_stats;
	TRY(add_fields(json, run_fields, COUNT(run_fields), into));
	TRY(add_hist(json_get(json, S("late")), into->late));
	for (size_t i = 0; i < into->step_count; i++)
		TRY(add_step(json_at(steps, i), &into->steps[i]));
	return NULL;
}

/* --- moments -------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset;
	char type; /* real, int64, uint32 */
} moment_fields[] = {
	{ "at_us", offsetof(Moment, at_us), 'i' },
	{ "asked", offsetof(Moment, asked), 'r' },
	{ "got", offsetof(Moment, got), 'r' },
	{ "ended", offsetof(Moment, ended), 'r' },
	{ "failed", offsetof(Moment, failed), 'r' },
	{ "in_flight", offsetof(Moment, in_flight), 'u' },
	{ "users", offsetof(Moment, users), 'u' },
	{ "connections", offsetof(Moment, connections), 'u' },
	{ "p50_us", offsetof(Moment, p50_us), 'i' },
	{ "p99_us", offsetof(Moment, p99_us), 'i' },
	{ "max_us", offsetof(Moment, max_us), 'i' },
};

void wire_put_moment(JsonWriter *w, const Moment *moment)
{
	json_begin_object(w);
	for (size_t i = 0; i < COUNT(moment_fields); i++) {
		const void *at = (const char *)moment + moment_fields[i].offset;

		if (moment_fields[i].type == 'r')
			json_put_real(w, moment_fields[i].name, *(const double *)at);
		else
			json_put_i64(w, moment_fields[i].name,
			             moment_fields[i].type == 'i'
			                     ? *(const int64_t *)at
			                     : (int64_t) * (const uint32_t *)at);
	}
	json_put_bool(w, "warm", moment->warm);
	json_end(w);
}

void wire_read_moment(const Json *json, Moment *out)
{
	*out = (Moment){ 0 };
	for (size_t i = 0; i < COUNT(moment_fields); i++) {
		const Json *value = json_get(json, str_of(moment_fields[i].name));
		void *at = (char *)out + moment_fields[i].offset;
		int64_t whole = 0;

		if (moment_fields[i].type == 'r')
			(void)json_to_real(value, at);
		else if (json_to_i64(value, &whole) && moment_fields[i].type == 'i')
			*(int64_t *)at = whole;
		else if (moment_fields[i].type == 'u')
			*(uint32_t *)at = (uint32_t)whole;
	}
	(void)json_to_bool(json_get(json, S("warm")), &out->warm);
}
