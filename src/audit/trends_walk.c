/* SPDX-License-Identifier: Apache-2.0
 *
 * Where files stood. HEAD's first line of parents is read to its end (or to where this clone ends), samples are taken from it, and each one's tree is
 * listed: folders only, no texts. The samples are gone through from the newest to the oldest, so that a file's later names are known: a change of name
 * that is younger than a sample tells what the older name has become. */
#include "audit/trends_int.h"

#include "audit/history_int.h"
#include "audit/repo.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

typedef struct Moment {
	git_oid id;
	int64_t time_s;
} Moment;

typedef struct Line {
	Moment *at; /* the newest first */
	size_t count, room;
} Line;

static void *doubled(Arena *a, void *at, size_t count, size_t *room, size_t each)
{
	void *more;

	if (count < *room)
		return at;
	*room = *room ? *room * 2 : 256;
	more = arena_alloc_array(a, each, *room);
	if (count)
		memcpy(more, at, count * each);
	return more;
}

/* --- which samples ------------------------------------------------------------------------------------------------------------------------------- */

static void read_line_of_parents(Arena *a, git_repository *repo, const git_oid *head, Line *line)
{
	git_oid id = *head;
	git_commit *commit;

	while (line->count < HISTORY_COMMITS && git_commit_lookup(&commit, repo, &id) == 0) {
		unsigned parents = git_commit_parentcount(commit);

		line->at = doubled(a, line->at, line->count, &line->room, sizeof(*line->at));
		line->at[line->count++] = (Moment){ id, git_commit_time(commit) };
		if (parents)
			id = *git_commit_parent_id(commit, 0);
		git_commit_free(commit);
		if (!parents)
			break;
	}
}

typedef struct Choice {
	size_t at[TRENDS_MOST]; /* places in the line, rising: the newest first */
	uint32_t count;
} Choice;

/* Evenly in time; the oldest and HEAD always, none twice. Clocks may be wrong: a sample is the newest commit that says it is no later. */
static void choose_by_time(const Line *line, uint32_t wanted, Choice *out)
{
	size_t oldest = line->count - 1, k = 0;
	int64_t first = line->at[oldest].time_s, last = line->at[0].time_s;

	out->at[out->count++] = 0;
	for (uint32_t i = 1; i + 1 < wanted && last > first; i++) {
		int64_t due = last - (last - first) / (wanted - 1) * i;

		while (k < oldest && line->at[k].time_s > due)
			k++;
		if (k != out->at[out->count - 1] && k != oldest)
			out->at[out->count++] = k;
	}
	if (oldest)
		out->at[out->count++] = oldest;
}

/* When long times without commits have left some over: halves what has most commits, again and again. */
static void choose_more(uint32_t wanted, Choice *out)
{
	while (out->count < wanted) {
		uint32_t widest = 0;
		size_t width = 1;

		for (uint32_t i = 1; i < out->count; i++)
			if (out->at[i] - out->at[i - 1] > width) {
				width = out->at[i] - out->at[i - 1];
				widest = i;
			}
		if (width < 2)
			return;
		memmove(&out->at[widest + 1], &out->at[widest],
		        (out->count - widest) * sizeof(*out->at));
		out->at[widest] = out->at[widest - 1] + width / 2;
		out->count++;
	}
}

static uint32_t how_many(const TrendWork *w)
{
	uint32_t wanted = MIN(w->rules->trends, (uint32_t)TRENDS_MOST);

	return MAX((uint32_t)2, wanted);
}

/* --- names ----------------------------------------------------------------------------------------------------------------------------------------- */

static uint32_t name_of(TrendWork *w, TrendNames *names, Str path)
{
	uintptr_t known;
	Str name;

	if (!area_name(&names->by, path, &name))
		return AREA_NONE;
	known = (uintptr_t)map_get(&names->known, name);
	if (known)
		return (uint32_t)known - 1;
	names->at = doubled(w->a, names->at, names->count, &names->room, sizeof(*names->at));
	names->at[names->count] = str_dup(w->a, name);
	map_put(&names->known, names->at[names->count], (void *)(uintptr_t)(names->count + 1));
	return (uint32_t)names->count++;
}

/* Changes of name from *next on that are younger than the sample: what an older name became. */
static void rename_until(const History *h, int64_t time_s, size_t *next, Map *became)
{
	for (; *next < h->rename_count && h->renames[*next].time_s > time_s; ++*next) {
		const HistoryRename *row = &h->renames[*next];
		const Str *newest = map_get(became, row->newer);

		map_remove(became, row->newer);
		map_remove(became, row->older);
		map_put(became, row->older, (void *)(uintptr_t)(newest ? newest : &row->newer));
	}
}

/* --- one sample ------------------------------------------------------------------------------------------------------------------------------------ */

static bool is_wanted(const AuditRules *rules, Str path)
{
	bool inside = !rules->root_count;

	if (!str_ends(path, S(".py")) && !str_ends(path, S(".pyw")))
		return false;
	for (size_t i = 0; i < rules->root_count && !inside; i++) {
		Str root = rules->roots[i];

		inside = !root.len || (str_starts(path, root) && path.len > root.len &&
		                       path.at[root.len] == '/');
	}
	for (size_t i = 0; i < rules->exclude_count && inside; i++)
		inside = !path_matches(path, rules->exclude[i]);
	return inside;
}

static void name_text(const TrendWork *w, TrendText *text, Str path)
{
	text->path = str_dup(w->a, path);
	text->kind = source_kind(path);
}

static uint32_t text_of(TrendWork *w, const git_oid *id, Str path)
{
	Str key = { (const char *)id->id, sizeof(id->id) };
	uintptr_t known = (uintptr_t)map_get(&w->by_id, key);

	if (known && (w->texts[known - 1].kind == SOURCE_CODE || source_kind(path) != SOURCE_CODE))
		return (uint32_t)known - 1;
	if (known) {
		name_text(w, &w->texts[known - 1], path);
		return (uint32_t)known - 1;
	}
	w->texts = doubled(w->a, w->texts, w->text_count, &w->text_room, sizeof(*w->texts));
	w->texts[w->text_count].id = *id;
	name_text(w, &w->texts[w->text_count], path);
	map_put(&w->by_id, str_dup(w->a, key), (void *)(uintptr_t)(w->text_count + 1));
	return (uint32_t)w->text_count++;
}

static void take_files(TrendWork *w, const Changes *files, const Map *became, uint32_t sample)
{
	TrendRow *rows = ARENA_ARRAY(w->a, TrendRow, files->count + 1);
	uint32_t count = 0;

	for (size_t i = 0; i < files->count; i++) {
		Str path = files->at[i].path;
		const Str *newest = map_get(became, path);

		if (!is_wanted(w->rules, path))
			continue;
		rows[count++] =
			(TrendRow){ .text = text_of(w, &files->at[i].is, path),
			            .area = name_of(w, &w->areas, newest ? *newest : path),
			            .group = name_of(w, &w->groups, newest ? *newest : path),
			            .kind = source_kind(path) };
	}
	w->rows[sample] = rows;
	w->row_counts[sample] = count;
}

static bool list_files(Arena *scratch, git_repository *repo, git_odb *odb, const git_oid *id,
                       Str base, Changes *out)
{
	git_commit *commit = NULL;
	bool known = git_commit_lookup(&commit, repo, id) == 0 &&
	             tree_changes(scratch, odb, git_commit_tree_id(commit), NULL, base, out);

	git_commit_free(commit);
	return known;
}

/* Samples whose tree is not in this clone are dropped, and some when there are too many files. the choice is newest first, w->samples oldest first. */
static void take_samples(TrendWork *w, git_repository *repo, git_odb *odb, Str base,
                         const Line *line, const Choice *choice)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	AUTO(map_fini) Map became = { 0 };
	uint32_t at = choice->count, step = 1;
	size_t next = 0;

	for (uint32_t i = 0; i < choice->count; i++) {
		const Moment *moment = &line->at[choice->at[i]];
		Changes files = { 0 };
		char hex[GIT_OID_HEXSZ + 1];

		if (i % step && i + 1 != choice->count)
			continue;
		audit_progress(w->rules, "samples", i, choice->count);
		arena_clear(scratch);
		if (!list_files(scratch, repo, odb, &moment->id, base, &files))
			continue;
		rename_until(&w->audit->history, moment->time_s, &next, &became);
		at--;
		git_oid_tostr(hex, sizeof(hex), &moment->id);
		w->samples[at] = (TrendSample){ .commit = str_dup(w->a, str_of(hex)),
			                        .time_s = moment->time_s };
		take_files(w, &files, &became, at);
		if (i == 0)
			step = 1 +
			       (uint32_t)((size_t)choice->count * w->row_counts[at] / TREND_ROWS);
	}
	w->samples += at;
	w->rows += at;
	w->row_counts += at;
	w->out->sample_count = choice->count - at;
}

static void odb_freep(git_odb **odb)
{
	git_odb_free(*odb);
}

static void name_history(TrendWork *w)
{
	const History *h = &w->audit->history;

	w->file_area = ARENA_ARRAY(w->a, uint32_t, h->file_count + 1);
	w->file_group = ARENA_ARRAY(w->a, uint32_t, h->file_count + 1);
	for (size_t i = 0; i < h->file_count; i++) {
		bool wanted = is_wanted(w->rules, h->files[i].path);

		w->file_area[i] = wanted ? name_of(w, &w->areas, h->files[i].path) : AREA_NONE;
		w->file_group[i] = wanted ? name_of(w, &w->groups, h->files[i].path) : AREA_NONE;
	}
}

bool trends_walk(TrendWork *w)
{
	AUTO(repo_freep) git_repository *repo = NULL;
	AUTO(odb_freep) git_odb *odb = NULL;
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	Choice choice = { .count = 0 };
	Line line = { 0 };
	git_oid head;
	Str base;

	if (!repo_open(w->a, w->rules->root, &repo, &base, &w->out->why_not))
		return false;
	if (git_repository_odb(&odb, repo) == 0 &&
	    git_reference_name_to_id(&head, repo, "HEAD") == 0)
		read_line_of_parents(scratch, repo, &head, &line);
	if (!line.count) {
		w->out->why_not = S("the newest commit is not in this clone, or damaged");
		return false;
	}
	choose_by_time(&line, how_many(w), &choice);
	choose_more(how_many(w), &choice);
	w->samples = ARENA_ARRAY(w->a, TrendSample, choice.count);
	w->rows = ARENA_ARRAY(w->a, TrendRow *, choice.count);
	w->row_counts = ARENA_ARRAY(w->a, uint32_t, choice.count);
	take_samples(w, repo, odb, base, &line, &choice);
	name_history(w);
	if (!w->out->sample_count)
		w->out->why_not = S("the folders of old commits are not in this clone");
	return w->out->sample_count > 0;
}
