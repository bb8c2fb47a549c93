/* SPDX-License-Identifier: Apache-2.0
 *
 * What shadows have found, kept and shared.
 *
 * Each gateway keeps its own table of differences in the book, a second after it changed; the sum of all is what people look at and
 * what a canary waits for. A row is of one shadowing (ShiftState.shadows): what was found before the new side was mended says
 * nothing any more. What a person accepts is durable at once, for all gateways and for good.
 *
 * A table is copied under the subject's lock and written without it, so that requests wait for a copy at most. */
#include "base/arena.h"
#include "base/time.h"
#include "shift/keeper.h"
#include "shift/shadow.h"

static bool is_looked_after(const Subject *s)
{
	return s->conf && (s->conf->shadow.effects == EFFECTS_NONE || s->differences);
}

static Differences *table_of(Subject *s)
{
	if (!s->differences)
		s->differences = differences_new(s->conf ? s->conf->judge.alpha : 0);
	return s->differences;
}

/* --- taking up -------------------------------------------------------------------------------------------------------- */

static Err *read_one(Differences *d, Arena *a, const BookDifferences *row)
{
	const Json *json;

	TRY(json_read(a, row->differences, 0, &json));
	return differences_read_state(d, a, json);
}

static Err *take_up(Subject *s, Arena *a, uint32_t shadows)
{
	BookDifferences *rows;
	size_t count;
	Err *err = NULL;

	TRY(book_differences(keeper_book(), a, s->name, shadows, &rows, &count));
	subject_lock(s);
	for (size_t i = 0; i < count && !err && s->state.shadows == shadows; i++)
		if (str_eq(rows[i].gateway, keeper_gateway()))
			err = read_one(table_of(s), a, &rows[i]);
	s->differences_taken_up = true;
	subject_unlock(s);
	return err;
}

static bool is_among(const BookAccepted *rows, size_t count, const DifferencesAccepted *one)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(rows[i].path, one->path) &&
		    str_eq(rows[i].kind, compare_kind_name(one->kind)))
			return true;
	return false;
}

/* A book that has lost what people accepted is told again. */
static Err *put_back_accepted(Subject *s, Arena *a, const BookAccepted *rows, size_t count)
{
	DifferencesAccepted *known;
	size_t known_count;

	subject_lock(s);
	known_count = differences_accepted(table_of(s), a, &known);
	subject_unlock(s);
	for (size_t i = 0; i < known_count && known_count > count; i++) {
		BookAccepted row = { known[i].path, compare_kind_name(known[i].kind), known[i].who,
			             known[i].at_us };

		if (!is_among(rows, count, &known[i]))
			TRY(book_accept(keeper_book(), a, s->name, &row));
	}
	return NULL;
}

static Err *take_accepted(Subject *s, Arena *a)
{
	BookAccepted *rows;
	size_t count;
	Err *err = NULL;

	TRY(book_accepted(keeper_book(), a, s->name, &rows, &count));
	subject_lock(s);
	for (size_t i = 0; i < count && !err; i++) {
		CompareKind kind;

		if (compare_kind_of(rows[i].kind, &kind))
			err = differences_accept(table_of(s), a, rows[i].path, kind, rows[i].who,
			                         rows[i].at_us);
	}
	subject_unlock(s);
	return err ? err : put_back_accepted(s, a, rows, count);
}

/* --- keeping ---------------------------------------------------------------------------------------------------------- */

/* A copy, when it has changed since it was kept; NULL else. */
static Differences *copy_changed(Subject *s, uint32_t *shadows)
{
	Differences *copy = NULL;

	subject_lock(s);
	*shadows = s->state.shadows;
	if (s->differences && s->differences_changed)
		copy = differences_copy(s->differences);
	s->differences_changed = false;
	subject_unlock(s);
	return copy;
}

static Err *write_down(Subject *s, Arena *a, const Differences *d, uint32_t shadows)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	BookDifferences row = { .gateway = keeper_gateway() };

	differences_put_state(d, &w);
	TRY(json_done(&w, &row.differences));
	return book_keep_differences(keeper_book(), a, s->name, shadows, &row);
}

static Err *keep(Subject *s, Arena *a)
{
	uint32_t shadows;
	AUTO(differences_freep) Differences *copy = copy_changed(s, &shadows);
	DifferencesTotals totals;
	Err *err;

	if (!copy)
		return NULL;
	totals = differences_totals(copy);
	err = write_down(s, a, copy, shadows);
	subject_lock(s);
	s->totals = totals;
	s->differences_changed |= err != NULL;
	subject_unlock(s);
	return err;
}

static Err *share(Subject *s, Arena *a)
{
	bool wanted, taken_up;
	uint32_t shadows;

	subject_lock(s);
	wanted = is_looked_after(s);
	taken_up = s->differences_taken_up;
	shadows = s->state.shadows;
	subject_unlock(s);
	if (!wanted)
		return NULL;
	if (!taken_up)
		TRY(take_up(s, a, shadows));
	TRY(take_accepted(s, a));
	return keep(s, a);
}

Err *shadow_share(Arena *a)
{
	Subject *s = NULL;

	if (!keeper_book())
		return NULL;
	while ((s = subject_next(s)))
		TRY(share(s, a));
	return NULL;
}

/* --- looking ---------------------------------------------------------------------------------------------------------- */

Err *shadow_differences(Subject *s, Arena *a, Differences **out)
{
	AUTO(differences_freep) Differences *sum = NULL;
	BookDifferences *rows = NULL;
	uint32_t shadows;
	size_t count = 0;

	subject_lock(s);
	shadows = s->state.shadows;
	sum = differences_copy(table_of(s));
	subject_unlock(s);
	if (keeper_book())
		TRY(book_differences(keeper_book(), a, s->name, shadows, &rows, &count));
	for (size_t i = 0; i < count; i++)
		if (!str_eq(rows[i].gateway, keeper_gateway()))
			TRY(read_one(sum, a, &rows[i]));
	*out = TAKE(sum);
	return NULL;
}

Err *shadow_accept(Subject *s, Arena *a, Str path, CompareKind kind, Str who)
{
	BookAccepted row = { path, compare_kind_name(kind), who, time_utc_us() };
	Err *err;

	subject_lock(s);
	err = differences_accept(table_of(s), a, path, kind, who, row.at_us);
	s->differences_changed = true;
	subject_unlock(s);
	TRY(err);
	return book_accept(keeper_book(), a, s->name, &row);
}
