/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters, and how they are asked. A segment of a quarter of a million events has a few dozen names and some hundreds of values: those
 * are compared as text. The events then are: code, table, and.
 *
 * A property that is not there is equal to nothing and above nothing; "not" holds of it. Numbers are compared as numbers whether they
 * were sent as such or as text. */
#include "analytics/match.h"

#include "base/arena.h"

#include <string.h>

/* --- one value --------------------------------------------------------------------------------------------------------- */

static Str text_of(const Json *value, char room[32])
{
	Str text = S("");
	bool yes;
	int64_t n;
	double real;

	if (json_to_str(value, &text))
		return text;
	if (json_to_bool(value, &yes))
		return yes ? S("true") : S("false");
	if (json_to_i64(value, &n)) {
		Buf b = { .at = room, .cap = 32, .limit = 32 };

		buf_put_i64(&b, n);
		return buf_str(&b);
	}
	if (json_to_real(value, &real)) {
		AUTO(buf_fini) Buf b = { 0 };
		JsonWriter w = json_writer(&b);

		json_add_real(&w, real);
		memcpy(room, b.at, MIN(b.len, (size_t)31));
		return (Str){ room, MIN(b.len, (size_t)31) };
	}
	return text;
}

static bool is_equal(const Json *value, Cell cell)
{
	char room[32];
	double one, other;

	if (json_kind(value) == JSON_KIND_NULL)
		return cell.kind == CELL_NONE;
	if (json_to_real(value, &one) && cell_number(cell, &other))
		return one == other;
	return cell.kind != CELL_NONE && str_eq(text_of(value, room), cell.text);
}

static bool holds(uint8_t op, const Json *value, Cell cell)
{
	char room[32];
	double limit, n;

	if (op == FILTER_EQUALS || op == FILTER_NOT)
		return is_equal(value, cell);
	if (op == FILTER_CONTAINS)
		return cell.kind != CELL_NONE && str_find(cell.text, text_of(value, room)) >= 0;
	if (!cell_number(cell, &n) ||
	    !cell_number((Cell){ CELL_STR, text_of(value, room) }, &limit))
		return false;
	return op == FILTER_ABOVE ? n > limit : n < limit;
}

bool match_filter(const QueryFilter *filter, Cell cell)
{
	bool any = false;

	if (filter->op == FILTER_SET || filter->op == FILTER_NOT_SET)
		return (cell.kind != CELL_NONE) == (filter->op == FILTER_SET);
	if (json_kind(filter->value) != JSON_KIND_ARRAY)
		any = holds(filter->op, filter->value, cell);
	for (size_t i = 0; i < json_count(filter->value) && !any; i++)
		if (json_kind(filter->value) == JSON_KIND_ARRAY)
			any = holds(filter->op, json_at(filter->value, i), cell);
	return filter->op == FILTER_NOT ? !any : any;
}

/* --- columns ----------------------------------------------------------------------------------------------------------- */

static Str column_of(Arena *a, Str property)
{
	if (str_eq(property, SEGMENT_EVENT))
		return property;
	return str_fmt(a, "p:%.*s", STR_ARG(property));
}

static void want(Str *columns, size_t *count, Str name)
{
	for (size_t i = 0; i < *count; i++)
		if (str_eq(columns[i], name))
			return;
	columns[(*count)++] = name;
}

Str *match_columns(Arena *a, const Query *q, size_t *count)
{
	Str *columns = ARENA_ARRAY(a, Str, 3 + (q->step_count + 1) * QUERY_FILTERS);

	*count = 0;
	want(columns, count, SEGMENT_EVENT);
	for (size_t i = 0; i < q->in->filters.count; i++)
		want(columns, count, column_of(a, q->in->filters.at[i].property));
	for (size_t s = 0; s < q->step_count; s++)
		for (size_t i = 0; i < q->steps[s].filters.count; i++)
			want(columns, count, column_of(a, q->steps[s].filters.at[i].property));
	if (q->in->breakdown.len)
		want(columns, count, column_of(a, q->in->breakdown));
	if (q->in->property.len)
		want(columns, count, column_of(a, q->in->property));
	return columns;
}

/* --- masks ------------------------------------------------------------------------------------------------------------- */

static bool is_column(Str name, Str property)
{
	if (str_eq(property, SEGMENT_EVENT))
		return str_eq(name, SEGMENT_EVENT);
	return name.len == property.len + 2 && str_starts(name, SEGMENT_PROPERTY) &&
	       str_ends(name, property);
}

static bool is_asked(const QueryIn *in, Str event)
{
	for (size_t i = 0; i < in->events.count; i++)
		if (str_eq(in->events.at[i], event))
			return true;
	return !in->events.count;
}

/* What one value of one column leaves possible. */
static uint32_t mask_of(const Query *q, Str name, Cell cell)
{
	uint32_t mask = (1u << q->step_count) - 1;
	bool event = str_eq(name, SEGMENT_EVENT);

	if (event && !is_asked(q->in, cell.text))
		return 0;
	for (size_t i = 0; i < q->in->filters.count; i++)
		if (is_column(name, q->in->filters.at[i].property) &&
		    !match_filter(&q->in->filters.at[i], cell))
			return 0;
	for (size_t s = 0; s < q->step_count; s++) {
		const QueryStep *step = &q->steps[s];
		bool out = event && step->event.len && !str_eq(step->event, cell.text);

		for (size_t i = 0; i < step->filters.count; i++)
			out = out || (is_column(name, step->filters.at[i].property) &&
			              !match_filter(&step->filters.at[i], cell));
		mask &= ~((uint32_t)out << s);
	}
	return mask;
}

static void apply(const Words *w, const uint32_t *table, uint32_t events, uint32_t *masks)
{
	if (w->width == 1)
		for (uint32_t i = 0; i < events; i++)
			masks[i] &= table[((const uint8_t *)w->codes)[i]];
	else
		for (uint32_t i = 0; i < events; i++)
			masks[i] &= table[words_code(w, i)];
}

void match_segment(Arena *a, const Query *q, const MatchColumn *columns, size_t count,
                   uint32_t events, uint32_t *masks)
{
	uint32_t all = (1u << q->step_count) - 1;

	for (size_t c = 0; c < count; c++)
		if (!columns[c].there)
			all &= mask_of(q, columns[c].name, (Cell){ 0 });
	for (uint32_t i = 0; i < events; i++)
		masks[i] = all;
	for (size_t c = 0; c < count && all; c++) {
		const Words *w = &columns[c].words;
		uint32_t *table;

		if (!columns[c].there)
			continue;
		table = ARENA_ARRAY(a, uint32_t, MAX(w->count, 0x100u));
		for (uint32_t i = 0; i < w->count; i++)
			table[i] = mask_of(q, columns[c].name, w->cells[i]);
		apply(w, table, events, masks);
	}
}
