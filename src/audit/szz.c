/* SPDX-License-Identifier: Apache-2.0
 *
 * SZZ over a project: which files were ever mended, each of them followed by one thread or another, and what the links between fixes and writers add
 * up to. The links are put in order before anything is counted, so that the sums do not hang on which thread was first. */
#include "audit/szz.h"

#include "audit/audit_cache.h"
#include "audit/history_kept.h"
#include "audit/pack.h"
#include "audit/szz_int.h"
#include "base/arena.h"
#include "base/civil.h"
#include "base/hash.h"
#include "base/time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MOST = 16 };

typedef struct Wanted {
	uint32_t own, file; /* the walk's number of it, and the audit's */
	size_t versions;
} Wanted;

typedef struct Pool {
	const AuditRules *rules;
	const SzzWalk *walk;
	Wanted *files; /* those with most versions first */
	size_t count;
	atomic_size_t next;
	pthread_mutex_t telling;
} Pool;

typedef struct Worker {
	Pool *pool;
	Arena *arena;
	SzzLinks links;
	uint64_t versions, diffs;
	pthread_t thread;
} Worker;

/* --- which files -------------------------------------------------------------------------------------------------------------------------------------- */

static int longer_first(const void *x, const void *y)
{
	const Wanted *p = x, *q = y;

	if (p->versions != q->versions)
		return p->versions < q->versions ? 1 : -1;
	return (p->own > q->own) - (p->own < q->own);
}

/* Marks the commits that changed it; was one of them a fix? */
static bool was_mended(SzzWalk *w, size_t own)
{
	bool mended = false;

	for (size_t i = w->first[own]; i < w->first[own + 1]; i++) {
		SzzCommit *commit = &w->commits[w->versions[i].commit];

		commit->code = true;
		mended = mended || commit->fix;
	}
	return mended;
}

/* Files of code that are there now, by the name they have in both walks. */
static Wanted *choose_files(Arena *a, const Audit *audit, SzzWalk *w, size_t *count)
{
	Wanted *files = ARENA_ARRAY(a, Wanted, w->history.file_count + 1);

	*count = 0;
	for (size_t i = 0; i < w->history.file_count; i++) {
		Str path = w->history.files[i].path;
		const AuditFile *file = project_file(&audit->project, path);
		const HistoryFile *known = history_file(&audit->history, path);

		if (!file || file->kind != SOURCE_CODE || !known ||
		    history_file(&w->history, path) != &w->history.files[i] || !was_mended(w, i))
			continue;
		files[(*count)++] = (Wanted){ (uint32_t)i, (uint32_t)(known - audit->history.files),
			                      w->first[i + 1] - w->first[i] };
	}
	qsort(files, *count, sizeof(*files), longer_first);
	return files;
}

/* --- threads -------------------------------------------------------------------------------------------------------------------------------------------- */

static void *work(void *arg)
{
	Worker *worker = arg;
	Pool *pool = worker->pool;
	SzzReader *reader = szz_reader_new(pool->rules->root, pool->walk);
	size_t i;

	while ((i = atomic_fetch_add(&pool->next, 1)) < pool->count) {
		szz_follow(reader, pool->files[i].own, worker->arena, &worker->links);
		worker->versions += pool->files[i].versions;
		pthread_mutex_lock(&pool->telling);
		audit_progress(pool->rules, "mended files", i + 1, pool->count);
		pthread_mutex_unlock(&pool->telling);
	}
	worker->diffs = szz_reader_diffs(reader);
	szz_reader_free(reader);
	return NULL;
}

static size_t run(Pool *pool, Worker *workers)
{
	size_t most = (size_t)MAX(1, sysconf(_SC_NPROCESSORS_ONLN)), count = 0;

	most = MIN(most, (size_t)THREADS_MOST);
	most = MAX((size_t)1, MIN(most, pool->count));
	for (; count < most; count++)
		workers[count] = (Worker){ .pool = pool, .arena = arena_new(0) };
	for (size_t i = 1; i < count; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			workers[i].pool = NULL;
	work(&workers[0]);
	for (size_t i = 1; i < count; i++)
		if (workers[i].pool)
			pthread_join(workers[i].thread, NULL);
	return count;
}

static int by_link(const void *x, const void *y)
{
	const SzzLink *p = x, *q = y;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	if (p->fix != q->fix)
		return p->fix < q->fix ? -1 : 1;
	return (p->by > q->by) - (p->by < q->by);
}

static SzzLink *gather(Arena *a, Worker *workers, size_t count, size_t *links, Szz *out)
{
	SzzLink *all;
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += workers[i].links.count;
	all = ARENA_ARRAY(a, SzzLink, sum + 1);
	*links = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < workers[i].links.count; k++)
			all[(*links)++] = workers[i].links.at[k];
		out->versions += workers[i].versions;
		out->diffs += workers[i].diffs;
		arena_free(workers[i].arena);
	}
	qsort(all, *links, sizeof(*all), by_link);
	return all;
}

/* --- sums ------------------------------------------------------------------------------------------------------------------------------------------------ */

typedef struct Age {
	double days;
	uint64_t lines;
} Age;

static int younger_first(const void *x, const void *y)
{
	const Age *p = x, *q = y;

	return (p->days > q->days) - (p->days < q->days);
}

static double median(Age *ages, size_t count)
{
	uint64_t all = 0, sum = 0;
	size_t i = 0;

	for (size_t k = 0; k < count; k++)
		all += ages[k].lines;
	qsort(ages, count, sizeof(*ages), younger_first);
	while (i < count && (sum += ages[i].lines) * 2 < all)
		i++;
	return i < count ? ages[i].days : -1;
}

static double days_between(const SzzWalk *w, const SzzLink *link)
{
	int64_t s = w->commits[link->fix].time_s - w->commits[link->by].time_s;

	return s > 0 ? (double)s / SECONDS_OF_DAY : 0;
}

static int rising(const void *x, const void *y)
{
	uint32_t p = *(const uint32_t *)x, q = *(const uint32_t *)y;

	return (p > q) - (p < q);
}

static uint32_t different(uint32_t *at, size_t count)
{
	uint32_t found = 0;

	qsort(at, count, sizeof(*at), rising);
	for (size_t i = 0; i < count; i++)
		found += !i || at[i - 1] != at[i];
	return found;
}

/* Of the links of one file; false: none leads anywhere. */
static bool sum_file(Arena *a, const SzzWalk *w, const SzzLink *links, size_t count, SzzFile *out)
{
	Age *ages = ARENA_ARRAY(a, Age, count + 1);
	uint32_t *by = ARENA_ARRAY(a, uint32_t, count + 1), last = SZZ_UNKNOWN;
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		if (links[i].by == SZZ_UNKNOWN)
			continue;
		ages[known] = (Age){ days_between(w, &links[i]), links[i].lines };
		by[known++] = links[i].by;
		out->lines += links[i].lines;
		out->traced += links[i].fix != last;
		last = links[i].fix;
	}
	out->brought = different(by, known);
	out->days = median(ages, known);
	return known > 0;
}

static int more_brought_first(const void *x, const void *y)
{
	const SzzFile *p = x, *q = y;

	if (p->brought != q->brought)
		return p->brought < q->brought ? 1 : -1;
	if (p->lines != q->lines)
		return p->lines < q->lines ? 1 : -1;
	return (p->file > q->file) - (p->file < q->file);
}

/* A fix is traced when any of its lines is, else lost when any is, else it only added. */
static void sum_fixes(Arena *a, const SzzWalk *w, const SzzLink *links, size_t count, Szz *out)
{
	enum { TRACED = 1, LOST = 2 };
	uint8_t *state = ARENA_ARRAY(a, uint8_t, w->commit_count + 1);
	bool *wrote = ARENA_ARRAY(a, bool, w->commit_count + 1);

	for (size_t i = 0; i < count; i++) {
		state[links[i].fix] |= links[i].by == SZZ_UNKNOWN ? LOST : TRACED;
		if (links[i].by != SZZ_UNKNOWN)
			wrote[links[i].by] = true;
	}
	for (size_t i = 0; i < w->commit_count; i++) {
		const SzzCommit *commit = &w->commits[i];

		out->of += commit->code && !commit->merge && !commit->ignored;
		out->commits += wrote[i];
		out->large += wrote[i] && commit->files > HISTORY_SET_FILES;
		if (!commit->fix || !commit->code)
			continue;
		out->fixes++;
		out->traced += (state[i] & TRACED) != 0;
		out->lost += state[i] == LOST;
		out->added += !state[i];
	}
}

static void sum_up(Arena *a, const SzzWalk *w, const Pool *pool, const SzzLink *links, size_t count,
                   Szz *out)
{
	Age *ages = ARENA_ARRAY(a, Age, count + 1);
	uint32_t *file_of = ARENA_ARRAY(a, uint32_t, w->history.file_count + 1);
	size_t known = 0, from = 0;

	for (size_t i = 0; i < pool->count; i++)
		file_of[pool->files[i].own] = pool->files[i].file;
	out->files = ARENA_ARRAY(a, SzzFile, pool->count + 1);
	while (from < count) {
		SzzFile *file = &out->files[out->count];
		size_t to = from;

		while (to < count && links[to].file == links[from].file)
			to++;
		*file = (SzzFile){ .file = file_of[links[from].file] };
		out->count += sum_file(a, w, links + from, to - from, file);
		from = to;
	}
	for (size_t i = 0; i < count; i++)
		if (links[i].by != SZZ_UNKNOWN)
			ages[known++] = (Age){ days_between(w, &links[i]), links[i].lines };
	out->days = median(ages, known);
	qsort(out->files, out->count, sizeof(*out->files), more_brought_first);
	sum_fixes(a, w, links, count, out);
}

static void walk_fini(SzzWalk *w)
{
	arena_free(w->a);
}

/* --- what was kept ----------------------------------------------------------------------------------------------------------------------------------- */

static const PackType file_type = { PACK_PLAIN(SzzFile) };
static const PackField szz_fields[] = { PACK_TEXT(Szz, why_not),
	                                PACK_ARRAY(Szz, files, count, &file_type) };
static const PackType szz_type = { PACK_FIELDS(Szz, szz_fields) };

/* The history, and which of its files are code now; empty: nothing is kept. */
static Str key_of(Arena *a, const AuditRules *rules, const Project *project)
{
	Str history = history_key(a, rules);
	uint64_t hash = 0;

	for (size_t i = 0; i < project->count && history.len; i++)
		if (project->files[i].kind == SOURCE_CODE)
			hash = hash_stable(project->files[i].path, hash, 0x737a7a);
	return history.len ? str_fmt(a, "%.*s %016" PRIx64, STR_ARG(history), hash) : S("");
}

static bool find_kept(Arena *a, const AuditRules *rules, const History *h, Str key, Szz *out)
{
	void *kept;
	Str bytes;

	if (!key.len || !audit_cache_find(rules->cache, "szz", key, &bytes) ||
	    !pack_read(a, &szz_type, &bytes, &kept))
		return false;
	for (size_t i = 0; i < ((const Szz *)kept)->count; i++)
		if (((const Szz *)kept)->files[i].file >= h->file_count)
			return false;
	*out = *(const Szz *)kept;
	return true;
}

static void keep(const AuditRules *rules, Str key, const Szz *z)
{
	AUTO(buf_fini) Buf bytes = { 0 };

	if (!key.len || z->why_not.len)
		return;
	pack_write(&bytes, &szz_type, z);
	audit_cache_put(rules->cache, "szz", key, buf_str(&bytes));
}

static void szz_trace(Arena *a, const AuditRules *rules, const Audit *audit, Szz *out)
{
	AUTO(walk_fini) SzzWalk walk = { .a = arena_new(0) };
	Pool pool = { .rules = rules, .walk = &walk, .telling = PTHREAD_MUTEX_INITIALIZER };
	Worker workers[THREADS_MOST];
	SzzLink *links;
	size_t count;

	szz_walk(&walk, rules, &out->why_not);
	out->why_not = str_dup(a, out->why_not);
	if (out->why_not.len)
		return;
	pool.files = choose_files(walk.a, audit, &walk, &pool.count);
	count = run(&pool, workers);
	links = gather(walk.a, workers, count, &count, out);
	sum_up(a, &walk, &pool, links, count, out);
}

void szz_read(Arena *a, const AuditRules *rules, const Audit *audit, Szz *out)
{
	int64_t from_us = time_mono_us();
	Str key;

	*out = (Szz){ .why_not = audit->history.why_not };
	if (out->why_not.len)
		return;
	key = key_of(a, rules, &audit->project);
	if (!find_kept(a, rules, &audit->history, key, out)) {
		szz_trace(a, rules, audit, out);
		keep(rules, key, out);
	}
	out->taken_us = time_mono_us() - from_us;
}
