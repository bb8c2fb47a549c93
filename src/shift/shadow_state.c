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

/* Accepted, or taken back: *news when it was not known so. */
static Err *apply_accepted(Differences *d, Arena *a, const BookAccepted *row, bool *news)
{
	CompareKind kind;

	if (!compare_kind_of(row->kind, &kind))
		return NULL;
	*news |= differences_is_accepted(d, row->path, kind) != (row->who.len > 0);
	if (row->who.len)
		return differences_accept(d, a, row->path, kind, row->who, row->at_us);
	(void)differences_unaccept(d, row->path, kind);
	return NULL;
}

/* What somebody has said here while the book was read is newer than what it gave. */
static Err *take_accepted(Subject *s, Arena *a)
{
	BookAccepted *rows;
	uint32_t said;
	size_t count;
	Err *err = NULL;

	subject_lock(s);
	said = s->accepted_said;
	subject_unlock(s);
	TRY(book_accepted(keeper_book(), a, s->name, &rows, &count));
	subject_lock(s);
	for (size_t i = 0; i < count && !err && said == s->accepted_said; i++)
		err = apply_accepted(table_of(s), a, &rows[i], &s->differences_changed);
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
	BookAccepted *accepted = NULL;
	BookDifferences *rows = NULL;
	bool news = false;
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
	count = 0;
	if (keeper_book()) /* what the others have kept may be older */
		TRY(book_accepted(keeper_book(), a, s->name, &accepted, &count));
	for (size_t i = 0; i < count; i++)
		TRY(apply_accepted(sum, a, &accepted[i], &news));
	*out = TAKE(sum);
	return NULL;
}

static Err *accept_here(Subject *s, Arena *a, const BookAccepted *row, CompareKind kind)
{
	Err *err;

	subject_lock(s);
	err = differences_accept(table_of(s), a, row->path, kind, row->who, row->at_us);
	s->differences_changed = true;
	s->accepted_said++;
	subject_unlock(s);
	return err;
}

/* Here first, where there may be no room for it; and again, for the book may have been read before it was in there. */
Err *shadow_accept(Subject *s, Arena *a, Str path, CompareKind kind, Str who)
{
	BookAccepted row = { path, compare_kind_name(kind), who, time_utc_us() };

	TRY(accept_here(s, a, &row, kind));
	TRY(book_accept(keeper_book(), a, s->name, &row));
	return accept_here(s, a, &row, kind);
}

/* A row of nobody: gateways that still take it for accepted learn that it is not, which an absent one would not tell. */
Err *shadow_unaccept(Subject *s, Arena *a, Str path, CompareKind kind)
{
	BookAccepted row = { .path = path,
		             .kind = compare_kind_name(kind),
		             .at_us = time_utc_us() };

	TRY(book_accept(keeper_book(), a, s->name, &row));
	subject_lock(s);
	(void)differences_unaccept(table_of(s), path, kind);
	s->differences_changed = true;
	s->accepted_said++;
	subject_unlock(s);
	return NULL;
}

bool shadow_is_accepted(Subject *s, Str path, CompareKind kind)
{
	bool yes;

	subject_lock(s);
	yes = s->differences && differences_is_accepted(s->differences, path, kind);
	subject_unlock(s);
	return yes;
}
