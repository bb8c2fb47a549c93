/* SPDX-License-Identifier: Apache-2.0
 *
 * What SZZ needs of a walk: every commit, and every version of every file of Python by its texts' ids. They come newest first and are put in order by file, the
 * oldest first. */
#include "audit/szz_int.h"

#include "base/arena.h"

#include <string.h>

static void *doubled(Arena *a, void *at, size_t count, size_t *room, size_t each)
{
	void *more;

	if (count < *room)
		return at;
	*room = *room ? *room * 2 : 1024;
	more = arena_alloc_array(a, each, *room);
	if (count)
		memcpy(more, at, count * each);
	return more;
}

static bool is_python(Str path)
{
	return str_ends(path, S(".py")) || str_ends(path, S(".pyw"));
}

static void take_version(void *arg, const WalkVersion *version)
{
	SzzWalk *w = arg;

	if (!is_python(w->history.files[version->file].path))
		return;
	w->versions = doubled(w->a, w->versions, w->version_count, &w->version_room,
	                      sizeof(*w->versions));
	w->versions[w->version_count++] = (SzzVersion){ .file = version->file,
		                                        .commit = (uint32_t)w->commit_count,
		                                        .was = version->was,
		                                        .is = version->is,
		                                        .other = version->other };
}

static void take_commit(void *arg, const WalkCommit *commit)
{
	SzzWalk *w = arg;

	w->commits =
		doubled(w->a, w->commits, w->commit_count, &w->commit_room, sizeof(*w->commits));
	w->commits[w->commit_count++] = (SzzCommit){ .time_s = commit->time_s,
		                                     .files = commit->files,
		                                     .fix = commit->fix,
		                                     .merge = commit->kind == SET_MERGE,
		                                     .ignored = commit->kind == SET_FORMAT };
}

static void order_versions(SzzWalk *w)
{
	SzzVersion *ordered = ARENA_ARRAY(w->a, SzzVersion, w->version_count + 1);
	size_t files = w->history.file_count, sum = 0;
	size_t *next = ARENA_ARRAY(w->a, size_t, files + 1);

	w->first = ARENA_ARRAY(w->a, size_t, files + 1);
	for (size_t i = 0; i < w->version_count; i++)
		next[w->versions[i].file]++;
	for (size_t i = 0; i < files; i++) {
		w->first[i] = sum;
		sum += next[i];
		next[i] = w->first[i];
	}
	w->first[files] = sum;
	for (size_t i = w->version_count; i-- > 0;)
		ordered[next[w->versions[i].file]++] = w->versions[i];
	w->versions = ordered;
}

void szz_walk(SzzWalk *w, const AuditRules *rules, Str *why_not)
{
	const WalkHooks hooks = { .arg = w,
		                  .version = take_version,
		                  .commit = take_commit,
		                  .progress = rules->progress,
		                  .progress_arg = rules->progress_arg };

	history_walk(w->a, rules->root, &hooks, &w->history);
	*why_not = w->history.why_not;
	if (!why_not->len)
		order_versions(w);
}
