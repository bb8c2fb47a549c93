/* SPDX-License-Identifier: Apache-2.0
 *
 * Files and functions as the page has them. A file's row has what every module knows of it, so that the page can colour, sort and filter by any of
 * that. Of a project with more files than a page can hold those stay that matter most: hotspots first, then by lines; the others are summed up by
 * the first two folders of their path, one row each kind, so that the whole keeps its size. */
#include "audit/html_int.h"

#include "base/arena.h"
#include "base/map.h"

#include <stdlib.h>

enum { RANKS = 6, FOLD_DEPTH = 2 };

typedef struct Row {
	const AuditFile *file;
	Str path;
	SourceKind kind;
	uint64_t folded; /* files summed up in it; 0: it is one file */
	uint64_t sloc, cc, cognitive, changes, recent, fixes, findings;
	double mi, minutes, score, main_share;
	uint32_t main, people;   /* main: index of names, and 1; 0: unknown */
	uint32_t package, group; /* index of --json's, and 1; 0: none */
	bool left;
} Row;

typedef struct Rows {
	Arena *arena;
	const Audit *audit;
	Row *at;
	size_t count;
} Rows;

/* --- totals --------------------------------------------------------------------------------------------------------------------------- */

typedef struct Totals {
	uint64_t files[SOURCE_KINDS], loc[SOURCE_KINDS], sloc[SOURCE_KINDS];
	uint64_t functions, classes, ranks[RANKS], broken, cut;
} Totals;

static void add_file(Totals *t, const AuditFile *file)
{
	t->files[file->kind]++;
	t->loc[file->kind] += file->measures.lines.loc;
	t->sloc[file->kind] += file->measures.lines.sloc;
	t->broken += file->errors != 0;
	t->cut += file->cut;
	for (uint32_t i = 0; i < file->measures.unit_count; i++) {
		const Unit *unit = &file->measures.units[i];

		if (unit->kind == UNIT_CLASS) {
			t->classes++;
			continue;
		}
		t->functions++;
		t->ranks[cc_rank(unit->cc) - 'A']++;
	}
}

void html_put_totals(JsonWriter *w, const Audit *audit)
{
	Totals t = { 0 };

	for (size_t i = 0; i < audit->project.count; i++)
		add_file(&t, &audit->project.files[i]);
	json_key(w, S("totals"));
	json_begin_object(w);
	json_put_u64(w, "functions", t.functions);
	json_put_u64(w, "classes", t.classes);
	json_put_u64(w, "broken", t.broken);
	json_put_u64(w, "cut", t.cut);
	json_key(w, S("ranks"));
	json_begin_array(w);
	for (size_t i = 0; i < RANKS; i++)
		json_add_u64(w, t.ranks[i]);
	json_end(w);
	json_key(w, S("kinds"));
	json_begin_array(w);
	for (SourceKind kind = 0; kind < SOURCE_KINDS; kind++) {
		json_begin_object(w);
		json_put_str(w, "name", str_of(source_kind_name(kind)));
		json_put_u64(w, "files", t.files[kind]);
		json_put_u64(w, "lines", t.loc[kind]);
		json_put_u64(w, "code", t.sloc[kind]);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

/* --- files ---------------------------------------------------------------------------------------------------------------------------- */

static uint32_t part_number(const Parts *parts, size_t file)
{
	return parts->of && parts->of[file] != PART_NONE ? parts->of[file] + 1 : 0;
}

static Row row_of(const AuditFile *file)
{
	return (Row){ .file = file,
		      .path = file->path,
		      .kind = file->kind,
		      .sloc = file->measures.lines.sloc,
		      .cc = file->measures.cc,
		      .cognitive = file->measures.cognitive,
		      .mi = file->measures.mi };
}

static void add_history(Rows *rows)
{
	const History *h = &rows->audit->history;
	const HistoryFindings *told = &rows->audit->told;
	const Owners *owners = &told->owners;
	const AuditFile *first = rows->audit->project.files;
	uint32_t *own_of;

	if (h->why_not.len || !h->by_path)
		return;
	own_of = ARENA_ARRAY(rows->arena, uint32_t, h->file_count + 1);
	for (size_t i = 0; i < owners->count; i++)
		own_of[owners->files[i].file] = (uint32_t)i + 1;
	for (size_t i = 0; i < rows->count; i++) {
		const HistoryFile *seen = history_file(h, rows->at[i].path);
		const Ownership *own;

		if (!seen)
			continue;
		rows->at[i].changes = seen->revs;
		rows->at[i].recent = seen->recent;
		rows->at[i].fixes = seen->fixes;
		if (!own_of[seen - h->files])
			continue;
		own = &owners->files[own_of[seen - h->files] - 1];
		rows->at[i].main = own->main + 1;
		rows->at[i].main_share = seen->revs ? (double)own->main_sets / seen->revs : 0;
		rows->at[i].people = own->authors;
		rows->at[i].left = own->left;
	}
	for (size_t i = 0; i < told->hotspots.count; i++)
		rows->at[told->hotspots.at[i].file - first].score = told->hotspots.at[i].score;
}

static Row *row_by_path(const Rows *rows, Str path)
{
	size_t low = 0, high = rows->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (str_cmp(rows->at[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < rows->count && str_eq(rows->at[low].path, path) ? &rows->at[low] : NULL;
}

static void add_findings(Rows *rows)
{
	const Findings *findings = &rows->audit->findings;
	Row *row = NULL;

	for (size_t i = 0; i < findings->count; i++) {
		const Finding *f = &findings->at[i];

		if (f->ignored_why.len || !f->path.len)
			continue;
		if (!row || !str_eq(row->path, f->path))
			row = row_by_path(rows, f->path);
		if (!row)
			continue;
		row->findings++;
		row->minutes += finding_minutes(f);
	}
}

static int by_weight(const void *x, const void *y)
{
	const Row *p = x, *q = y;

	if (p->score != q->score)
		return p->score < q->score ? 1 : -1;
	if (p->sloc != q->sloc)
		return p->sloc < q->sloc ? 1 : -1;
	return str_cmp(p->path, q->path);
}

static int by_path(const void *x, const void *y)
{
	return str_cmp(((const Row *)x)->path, ((const Row *)y)->path);
}

/* "apps/shop/" of "apps/shop/orders/models.py". */
static Str fold_folder(Str path)
{
	size_t end = 0;
	int depth = 0;

	for (size_t i = 0; i < path.len && depth < FOLD_DEPTH; i++)
		if (path.at[i] == '/') {
			end = i + 1;
			depth++;
		}
	return str_sub(path, 0, end);
}

static void fold_into(Row *to, const Row *row)
{
	double whole = (double)(to->sloc + row->sloc);

	if (whole > 0)
		to->mi = (to->mi * (double)to->sloc + row->mi * (double)row->sloc) / whole;
	to->folded++;
	to->sloc += row->sloc;
	to->cc += row->cc;
	to->cognitive += row->cognitive;
	to->changes += row->changes;
	to->recent += row->recent;
	to->fixes += row->fixes;
	to->findings += row->findings;
	to->minutes += row->minutes;
	to->score = row->score > to->score ? row->score : to->score;
}

/* Sums up the rows from `most` on, in their place. */
static void fold_rows(Rows *rows, size_t most, Cuts *cuts)
{
	AUTO(map_fini) Map folds = { 0 };
	size_t count = most;

	if (rows->count <= most)
		return;
	cuts_add(rows->arena, cuts, S("files"), most, rows->count);
	for (size_t i = most; i < rows->count; i++) {
		Row row = rows->at[i], *to;
		Str folder = fold_folder(row.path);
		Str key = str_fmt(rows->arena, "%.*s(other %s files)", STR_ARG(folder),
		                  source_kind_name(row.kind));

		to = map_get(&folds, key);
		if (!to) {
			to = &rows->at[count++];
			*to = (Row){ .path = key, .kind = row.kind };
			map_put(&folds, key, to);
		}
		fold_into(to, &row);
	}
	rows->count = count;
}

/* --- as JSON -------------------------------------------------------------------------------------------------------------------------- */

typedef enum Column {
	COL_KIND,
	COL_FOLDED,
	COL_SLOC,
	COL_CC,
	COL_COGNITIVE,
	COL_CHANGES,
	COL_RECENT,
	COL_FIXES,
	COL_FINDINGS,
	COL_MAIN,
	COL_PEOPLE,
	COL_LEFT,
	COL_PACKAGE,
	COL_GROUP,
	COL_SCORE,
	COL_MI,
	COL_MINUTES,
	COL_MAIN_SHARE,
	COLUMNS
} Column;

static const char *const column_names[COLUMNS] = {
	[COL_KIND] = "kind",           [COL_FOLDED] = "folded",
	[COL_SLOC] = "sloc",           [COL_CC] = "cc",
	[COL_COGNITIVE] = "cognitive", [COL_CHANGES] = "changes",
	[COL_RECENT] = "recent",       [COL_FIXES] = "fixes",
	[COL_FINDINGS] = "findings",   [COL_MAIN] = "main",
	[COL_PEOPLE] = "people",       [COL_LEFT] = "left",
	[COL_SCORE] = "score",         [COL_MI] = "mi",
	[COL_MINUTES] = "minutes",     [COL_MAIN_SHARE] = "main_share",
	[COL_PACKAGE] = "package",     [COL_GROUP] = "group",
};

static double cell(const Row *row, Column column)
{
	const double cells[COLUMNS] = {
		[COL_KIND] = row->kind,
		[COL_FOLDED] = (double)row->folded,
		[COL_SLOC] = (double)row->sloc,
		[COL_CC] = (double)row->cc,
		[COL_COGNITIVE] = (double)row->cognitive,
		[COL_CHANGES] = (double)row->changes,
		[COL_RECENT] = (double)row->recent,
		[COL_FIXES] = (double)row->fixes,
		[COL_FINDINGS] = (double)row->findings,
		[COL_MAIN] = row->main,
		[COL_PEOPLE] = row->people,
		[COL_LEFT] = row->left,
		[COL_PACKAGE] = row->package,
		[COL_GROUP] = row->group,
		[COL_SCORE] = row->score,
		[COL_MI] = row->mi,
		[COL_MINUTES] = row->minutes,
		[COL_MAIN_SHARE] = row->main_share,
	};

	return cells[column];
}

/* Authors' numbers become those of the names that some row has. */
static void put_names(Rows *rows, JsonWriter *w)
{
	const History *h = &rows->audit->history;
	uint32_t *number = ARENA_ARRAY(rows->arena, uint32_t, h->author_count + 1), count = 0;

	json_key(w, S("names"));
	json_begin_array(w);
	for (size_t i = 0; i < rows->count; i++) {
		Row *row = &rows->at[i];

		if (!row->main)
			continue;
		if (!number[row->main - 1]) {
			json_add_str(w, h->authors[row->main - 1].name);
			number[row->main - 1] = ++count;
		}
		row->main = number[row->main - 1];
	}
	json_end(w);
}

static void put_column(const Rows *rows, JsonWriter *w, Column column)
{
	json_key(w, str_of(column_names[column]));
	json_begin_array(w);
	for (size_t i = 0; i < rows->count; i++) {
		double x = cell(&rows->at[i], column);

		/* Four digits are more than a colour or a table shows. */
		json_add_real(w, column < COL_SCORE ? x : (double)(int64_t)(x * 1e4 + 0.5) / 1e4);
	}
	json_end(w);
}

void html_put_files(Arena *a, JsonWriter *w, const Audit *audit, size_t most, Cuts *cuts)
{
	const Project *project = &audit->project;
	Rows rows = { .arena = a,
		      .audit = audit,
		      .at = ARENA_ARRAY(a, Row, project->count + 1),
		      .count = project->count };

	for (size_t i = 0; i < project->count; i++) {
		rows.at[i] = row_of(&project->files[i]);
		rows.at[i].package = part_number(&audit->packages, i);
		rows.at[i].group = part_number(&audit->groups, i);
	}
	add_history(&rows);
	add_findings(&rows);
	qsort(rows.at, rows.count, sizeof(*rows.at), by_weight);
	fold_rows(&rows, most, cuts);
	qsort(rows.at, rows.count, sizeof(*rows.at), by_path);
	json_key(w, S("files"));
	json_begin_object(w);
	json_key(w, S("path"));
	json_begin_array(w);
	for (size_t i = 0; i < rows.count; i++)
		json_add_str(w, rows.at[i].path);
	json_end(w);
	put_names(&rows, w);
	for (Column column = 0; column < COLUMNS; column++)
		put_column(&rows, w, column);
	json_end(w);
}

/* --- functions ------------------------------------------------------------------------------------------------------------------------ */

typedef struct Hard {
	const AuditFile *file;
	const Unit *unit;
} Hard;

static int by_hardness(const void *x, const void *y)
{
	const Hard *p = x, *q = y;

	if (p->unit->cognitive != q->unit->cognitive)
		return p->unit->cognitive < q->unit->cognitive ? 1 : -1;
	if (p->unit->cc != q->unit->cc)
		return p->unit->cc < q->unit->cc ? 1 : -1;
	return str_cmp(p->file->path, q->file->path);
}

static void put_function(JsonWriter *w, const Hard *hard)
{
	json_begin_object(w);
	json_put_str(w, "name", hard->unit->name);
	json_put_str(w, "path", hard->file->path);
	json_put_u64(w, "line", hard->unit->line);
	json_put_u64(w, "lines", hard->unit->end_line - hard->unit->line + 1);
	json_put_u64(w, "cognitive", hard->unit->cognitive);
	json_put_u64(w, "cc", hard->unit->cc);
	json_put_u64(w, "nesting", hard->unit->nesting);
	json_put_u64(w, "arguments", hard->unit->arguments);
	json_end(w);
}

void html_put_functions(Arena *a, JsonWriter *w, const Audit *audit, size_t most, Cuts *cuts)
{
	const Project *project = &audit->project;
	size_t room = 0, count = 0;
	Hard *all;

	for (size_t i = 0; i < project->count; i++)
		room += project->files[i].measures.unit_count;
	all = ARENA_ARRAY(a, Hard, room + 1);
	for (size_t i = 0; i < project->count; i++) {
		const AuditFile *file = &project->files[i];

		for (uint32_t u = 0; file->kind == SOURCE_CODE && u < file->measures.unit_count;
		     u++)
			if (file->measures.units[u].kind == UNIT_FUNCTION)
				all[count++] = (Hard){ file, &file->measures.units[u] };
	}
	qsort(all, count, sizeof(*all), by_hardness);
	if (count > most)
		cuts_add(a, cuts, S("functions"), most, count);
	json_key(w, S("functions"));
	json_begin_array(w);
	for (size_t i = 0; i < MIN(count, most); i++)
		put_function(w, &all[i]);
	json_end(w);
}
