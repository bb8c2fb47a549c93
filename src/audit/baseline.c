/* SPDX-License-Identifier: Apache-2.0
 *
 * What was found before. Both sides are lists of places (a print in a file), sorted alike and read side by side. Where one print has more places in
 * a file than before and fewer in another, code has moved; only what is left over after that is new, or gone. A finding that several files have a
 * part in (a clone, a circle) has a place in each, so one more copy is one place too many. Of several findings with the same print in one file
 * nobody can say which is the new one: it is the last. */
#include "audit/baseline.h"

#include "audit/baseline_int.h"
#include "audit/rules.h"
#include "base/arena.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

uint64_t baseline_print(const Finding *f)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (f->print)
		return f->print;
	for (size_t i = 0; i < f->text.len; i++)
		if (f->text.at[i] < '0' || f->text.at[i] > '9')
			buf_putc(&b, f->text.at[i]);
	return finding_print(f->rule, S(""), f->unit, buf_str(&b));
}

/* --- rows ------------------------------------------------------------------------------------------------------------------------------------ */

static int by_print(const void *x, const void *y)
{
	const Place *p = x, *q = y;
	int order = (p->print > q->print) - (p->print < q->print);

	if (!order)
		order = str_cmp(p->path, q->path);
	if (order || !p->finding)
		return order;
	return (p->finding > q->finding) - (p->finding < q->finding);
}

static bool same_place(const Place *x, const Place *y)
{
	return x->print == y->print && str_eq(x->path, y->path);
}

static void add_place(Baseline *out, BaselineFile *files, const Place *p, bool fresh, bool add)
{
	BaselineRow *row = &out->rows[out->count - 1];
	BaselineFile *file = &files[row->file_count];

	if (fresh) {
		*file = (BaselineFile){ p->path, p->count };
		row->file_count++;
	} else {
		file--;
		file->count = add ? file->count + p->count : MAX(file->count, p->count);
	}
	row->minutes = add ? row->minutes + p->minutes : MAX(row->minutes, p->minutes);
}

void rows_of(Arena *a, Place *places, size_t count, bool add, Baseline *out)
{
	BaselineFile *files = ARENA_ARRAY(a, BaselineFile, count + 1);

	*out = (Baseline){ .rows = ARENA_ARRAY(a, BaselineRow, count + 1) };
	if (count)
		qsort(places, count, sizeof(*places), by_print);
	for (size_t i = 0; i < count; i++) {
		const Place *p = &places[i];
		bool fresh = !i || !same_place(p, &places[i - 1]);

		if (!i || p->print != places[i - 1].print) {
			files += out->count ? out->rows[out->count - 1].file_count : 0;
			out->rows[out->count++] = (BaselineRow){
				.print = p->print, .rule = p->rule, .name = p->name, .files = files
			};
		}
		add_place(out, files, p, fresh, add);
	}
}

static size_t put_places(Place *at, const Finding *f)
{
	Place place = { .print = baseline_print(f),
		        .path = f->path,
		        .count = 1,
		        .finding = f,
		        .rule = str_of(f->rule->id),
		        .name = str_of(f->rule->name),
		        .minutes = finding_minutes(f) };
	size_t count = 0;

	at[count++] = place;
	place.minutes = 0;
	for (size_t i = 0; i < f->path_count; i++) {
		bool told = str_eq(f->paths[i], f->path);

		for (size_t k = 0; k < i && !told; k++)
			told = str_eq(f->paths[i], f->paths[k]);
		place.path = f->paths[i];
		if (!told)
			at[count++] = place;
	}
	return count;
}

/* A clone in more files than this is compared by the first of them. */
enum { PATHS_MOST = 200 };

static bool counts(const Finding *f, bool own)
{
	return !f->ignored_why.len && (!own || finding_has_past(f));
}

/* A place for each file that has a part in a finding that counts. */
static Place *places_of(Arena *a, const Findings *findings, bool own, size_t *count)
{
	Place *places;
	size_t room = 1;

	for (size_t i = 0; i < findings->count; i++)
		room += 1 + MIN(findings->at[i].path_count, (size_t)PATHS_MOST);
	places = ARENA_ARRAY(a, Place, room);
	*count = 0;
	for (size_t i = 0; i < findings->count; i++) {
		Finding f = findings->at[i];
		size_t from = *count;

		if (!counts(&f, own))
			continue;
		f.path_count = MIN(f.path_count, (size_t)PATHS_MOST);
		*count += put_places(&places[*count], &f);
		for (size_t k = from; k < *count; k++)
			places[k].finding = &findings->at[i];
	}
	return places;
}

void baseline_of(Arena *a, const Findings *findings, Baseline *out)
{
	size_t count;
	Place *places = places_of(a, findings, false, &count);

	rows_of(a, places, count, true, out);
}

/* --- what differs ------------------------------------------------------------------------------------------------------------------------------- */

typedef struct Match {
	Delta *out;
	const Findings *now;
	bool *told; /* by finding: it is in out->fresh */
} Match;

/* How many places a file has of a print now, from *i on, which is brought behind them. */
static uint32_t run_of(const Place *at, size_t *i, size_t end)
{
	size_t from = *i;

	while (*i < end && str_eq(at[*i].path, at[from].path))
		(*i)++;
	return (uint32_t)(*i - from);
}

static void tell_fresh(Match *m, const Place *place)
{
	size_t index = (size_t)(place->finding - m->now->at);

	if (m->told[index])
		return;
	m->told[index] = true;
	m->out->fresh[m->out->fresh_count++] = (Fresh){ place->finding, place->path };
}

static void tell_gone(Match *m, const BaselineRow *row, const BaselineFile *file, uint32_t count,
                      size_t *moved)
{
	uint32_t forgiven = (uint32_t)MIN((size_t)count, *moved);

	*moved -= forgiven;
	count -= forgiven;
	m->out->fixed += count;
	if (count)
		m->out->gone[m->out->gone_count++] = (Gone){ row, file->path, count };
}

/* Both sides of one print, file by file. `more` and `less` are the places too many and too few; with `moved` given, those beyond them are told. */
static void walk(Match *m, const Place *at, size_t count, const BaselineRow *row, size_t moved,
                 bool tell, size_t *more, size_t *less)
{
	size_t i = 0, gone_moved = moved;
	uint32_t file = 0, files = row ? row->file_count : 0;

	*more = *less = 0;
	while (i < count || file < files) {
		int order = i == count      ? 1
		            : file == files ? -1
		                            : str_cmp(at[i].path, row->files[file].path);
		uint32_t was = order >= 0 ? row->files[file].count : 0;
		uint32_t is = order <= 0 ? run_of(at, &i, count) : 0;
		uint32_t plus = is > was ? is - was : 0, minus = was > is ? was - is : 0;

		*more += plus;
		*less += minus;
		for (uint32_t k = plus; tell && k > 0; k--) {
			if (moved)
				moved--;
			else
				tell_fresh(m, &at[i - k]);
		}
		if (tell && minus)
			tell_gone(m, row, &row->files[file], minus, &gone_moved);
		file += order >= 0;
	}
}

static void tell_grown(Match *m, const Place *at, size_t count, const BaselineRow *row)
{
	double now = 0;

	for (size_t i = 0; i < count; i++)
		now += at[i].minutes;
	if (row && now > row->minutes + 0.5)
		m->out->grown[m->out->grown_count++] = (Grown){ at[0].finding, row->minutes, now };
}

static void match_print(Match *m, const Place *at, size_t count, const BaselineRow *row)
{
	size_t more, less, moved;

	walk(m, at, count, row, 0, false, &more, &less);
	moved = MIN(more, less);
	m->out->moved += moved;
	walk(m, at, count, row, moved, true, &more, &less);
	if (count && more <= less)
		tell_grown(m, at, count, row);
}

static int fresh_order(const void *x, const void *y)
{
	const Finding *p = ((const Fresh *)x)->finding, *q = ((const Fresh *)y)->finding;
	int order = str_cmp(p->path, q->path);

	if (!order)
		order = (p->line > q->line) - (p->line < q->line);
	if (!order)
		order = strcmp(p->rule->id, q->rule->id);
	return order ? order : (p > q) - (p < q);
}

static int gone_order(const void *x, const void *y)
{
	const Gone *p = x, *q = y;
	int order = str_cmp(p->path, q->path);

	if (!order)
		order = str_cmp(p->row->rule, q->row->rule);
	return order ? order : (p->row > q->row) - (p->row < q->row);
}

static int grown_order(const void *x, const void *y)
{
	const Grown *p = x, *q = y;
	double mine = p->now - p->before, other = q->now - q->before;

	if (mine < other || mine > other)
		return mine < other ? 1 : -1;
	return (p->finding > q->finding) - (p->finding < q->finding);
}

static void sort_delta(Delta *out)
{
	if (out->fresh_count)
		qsort(out->fresh, out->fresh_count, sizeof(*out->fresh), fresh_order);
	if (out->gone_count)
		qsort(out->gone, out->gone_count, sizeof(*out->gone), gone_order);
	if (out->grown_count)
		qsort(out->grown, out->grown_count, sizeof(*out->grown), grown_order);
}

static size_t files_of(const Baseline *b)
{
	size_t files = 0;

	for (size_t i = 0; i < b->count; i++)
		files += b->rows[i].file_count;
	return files;
}

void baseline_match(Arena *a, const Baseline *was, const Findings *now, bool own, Delta *out)
{
	Match m = { out, now, ARENA_ARRAY(a, bool, now->count + 1) };
	size_t count, i = 0, row = 0;
	Place *at = places_of(a, now, own, &count);

	*out = (Delta){ .fresh = ARENA_ARRAY(a, Fresh, now->count + 1),
		        .gone = ARENA_ARRAY(a, Gone, files_of(was) + 1),
		        .grown = ARENA_ARRAY(a, Grown, was->count + 1),
		        .own = own };
	if (count)
		qsort(at, count, sizeof(*at), by_print);
	while (i < count || row < was->count) {
		size_t from = i;
		uint64_t print = i < count ? at[i].print : UINT64_MAX;

		if (row < was->count)
			print = MIN(print, was->rows[row].print);
		while (i < count && at[i].print == print)
			i++;
		if (row < was->count && was->rows[row].print == print)
			match_print(&m, &at[from], i - from, &was->rows[row++]);
		else
			match_print(&m, &at[from], i - from, NULL);
	}
	for (size_t k = 0; k < now->count; k++)
		out->same += counts(&now->at[k], own) && !m.told[k];
	sort_delta(out);
}

/* --- budgets ---------------------------------------------------------------------------------------------------------------------------------- */

bool budget_measure(const Audit *audit, const AuditFigures *figures, Str name, double *out)
{
	FigureIn in;
	Str rule;

	if (audit_figure_find(name, &in) && audit_figure_is_debt(in)) {
		*out = figures->at[in];
		return true;
	}
	if (!str_starts(name, S("rule:")) || name.len == S("rule:").len)
		return false;
	rule = str_sub(name, S("rule:").len, name.len);
	if (str_find_char(rule, ':') < 0 && !rules_find(rule))
		return false;
	*out = 0;
	for (size_t i = 0; i < audit->findings.count; i++) {
		const Finding *f = &audit->findings.at[i];

		*out += !f->ignored_why.len &&
		        (str_eq(rule, str_of(f->rule->id)) || str_eq(rule, str_of(f->rule->name)));
	}
	return true;
}
