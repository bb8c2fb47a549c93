/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading all files. Threads take the next file by a counter; the larger ones first, so that no thread is left alone with one at the end. */
#include "audit/project.h"

#include "audit/audit_cache.h"
#include "audit/clones.h"
#include "audit/links_file.h"
#include "audit/models.h"
#include "audit/smells.h"
#include "audit/stamp.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/time.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MOST = 16, PROGRESS_EACH = 64, LIST_MOST = 8 };

/* By FileFacts. */
static const FactsModule *(*const modules[FACTS_COUNT])(void) = {
	[FACTS_SMELLS] = smells_facts,
	[FACTS_LINKS] = links_facts,
	[FACTS_MODELS] = models_facts,
	[FACTS_TOKENS] = tokens_facts,
};

typedef struct Work {
	const ProjectRules *rules;
	Project *project;
	const uint32_t *order;
	uint64_t salt;
	SkipWhy *whys; /* one a file; SKIPS: read */
	atomic_size_t next, done, known;
	pthread_mutex_t telling;
} Work;

typedef struct Worker {
	Work *work;
	Arena *arena; /* of what stays */
	Arena *texts; /* of one file's text */
	SyntaxReader *reader;
	pthread_t thread;
} Worker;

void project_extract(Arena *a, SyntaxReader *reader, CcRules cc, Str text, AuditFile *file)
{
	const Syntax *s;

	if (file->kind == SOURCE_CODE && source_is_generated(text))
		file->kind = SOURCE_GENERATED;
	s = syntax_read(reader, text);
	file->errors = s->errors;
	file->error_line = s->error_line;
	file->cut = s->cut;
	measure(a, s, cc, &file->measures);
	for (uint32_t i = 0; i < file->measures.unit_count; i++)
		file->measures.units[i].name = str_dup(a, file->measures.units[i].name);
	for (size_t i = 0; i < FACTS_COUNT; i++)
		file->facts[i] = modules[i]()->extract(a, s, file);
}

/* --- kept facts ---------------------------------------------------------------------------------------------------------------------------------- */

/* What the cache has of a file, before the facts of the modules that have some. */
typedef struct Kept {
	uint32_t kind, errors, error_line, cut;
	uint32_t has; /* bits by FileFacts */
	Measures measures;
} Kept;
static const PackField unit_fields[] = { PACK_TEXT(Unit, name) };
static const PackType unit_type = { PACK_FIELDS(Unit, unit_fields) };
static const PackField kept_fields[] = { PACK_ARRAY(Kept, measures.units, measures.unit_count,
	                                            &unit_type) };
static const PackType kept_type = { PACK_FIELDS(Kept, kept_fields) };

static Str key_of(Arena *a, const Work *w, const AuditFile *file)
{
	char *at = arena_alloc_raw(a, SOURCE_OID + sizeof(w->salt) + file->path.len + 1);

	memcpy(at, file->oid, SOURCE_OID);
	memcpy(at + SOURCE_OID, &w->salt, sizeof(w->salt));
	at[SOURCE_OID + sizeof(w->salt)] = (char)file->kind;
	memcpy(at + SOURCE_OID + sizeof(w->salt) + 1, file->path.at, file->path.len);
	return (Str){ at, SOURCE_OID + sizeof(w->salt) + 1 + file->path.len };
}

/* Rules and versions by which the same text gives other facts. */
static uint64_t salt_of(CcRules cc)
{
	uint64_t salt = cc + 1;

	for (size_t i = 0; i < FACTS_COUNT; i++) {
		uint32_t row[2] = { (uint32_t)i, modules[i]()->version + 1 };

		salt = hash_stable((Str){ (const char *)row, sizeof(row) }, salt, 0x66616374);
	}
	return salt;
}

static void keep(const Work *w, Str key, const AuditFile *file)
{
	AUTO(buf_fini) Buf b = { 0 };
	Kept kept = { .kind = file->kind,
		      .errors = file->errors,
		      .error_line = file->error_line,
		      .cut = file->cut,
		      .measures = file->measures };
	Str value;

	if (!w->rules->cache)
		return;
	for (size_t i = 0; i < FACTS_COUNT; i++)
		kept.has |= (uint32_t)(file->facts[i] != NULL) << i;
	pack_write(&b, &kept_type, &kept);
	for (size_t i = 0; i < FACTS_COUNT; i++)
		if (file->facts[i])
			pack_write(&b, modules[i]()->type, file->facts[i]);
	if (!buf_done(&b, &value))
		audit_cache_put(w->rules->cache, "file", key, value);
}

static bool was_kept(const Work *w, Arena *a, Str key, AuditFile *file)
{
	void *value, *facts[FACTS_COUNT] = { NULL };
	const Kept *kept;
	Str in;

	if (!audit_cache_find(w->rules->cache, "file", key, &in) ||
	    !pack_read(a, &kept_type, &in, &value))
		return false;
	kept = value;
	for (size_t i = 0; i < FACTS_COUNT; i++)
		if (kept->has >> i & 1 && !pack_read(a, modules[i]()->type, &in, &facts[i]))
			return false;
	file->kind = kept->kind;
	file->errors = kept->errors;
	file->error_line = kept->error_line;
	file->cut = kept->cut;
	file->measures = kept->measures;
	for (size_t i = 0; i < FACTS_COUNT; i++)
		file->facts[i] = facts[i];
	return true;
}

/* --- reading --------------------------------------------------------------------------------------------------------------------------------------- */

static Err *bytes_of(const Work *w, Arena *a, const SourceFile *source, Str *bytes)
{
	const ProjectSource *from = w->rules->from;

	return from ? from->bytes(from->arg, a, source, bytes)
	            : source_bytes(a, w->project->sources.root, source, bytes);
}

static SkipWhy read_one(Work *w, Worker *worker, uint32_t index)
{
	const SourceFile *source = &w->project->sources.files[index];
	AuditFile *file = &w->project->files[index];
	Arena *texts = worker->texts;
	Str bytes = S(""), text, key;
	SkipWhy why;

	arena_clear(texts);
	*file = (AuditFile){ .path = source->path, .kind = source->kind, .bytes = source->bytes };
	if (source->has_oid)
		memcpy(file->oid, source->oid, SOURCE_OID);
	else if (bytes_of(w, texts, source, &bytes))
		return SKIP_UNREADABLE;
	else
		source_oid(bytes, file->oid);
	key = key_of(texts, w, file);
	if (was_kept(w, worker->arena, key, file)) {
		atomic_fetch_add(&w->known, 1);
		return SKIPS;
	}
	if (source->has_oid && bytes_of(w, texts, source, &bytes))
		return SKIP_UNREADABLE;
	if (source->has_oid && !w->rules->from) { /* it may have changed since it was looked at */
		source_oid(bytes, file->oid);
		key = key_of(texts, w, file);
	}
	why = source_decode(texts, bytes, &text);
	if (why != SKIPS)
		return why;
	project_extract(worker->arena, worker->reader, w->rules->cc, text, file);
	keep(w, key, file);
	return SKIPS;
}

static void tell(Work *w)
{
	size_t done = atomic_fetch_add(&w->done, 1) + 1, of = w->project->sources.count;

	if (!w->rules->progress || (done % PROGRESS_EACH && done != of))
		return;
	pthread_mutex_lock(&w->telling);
	w->rules->progress(w->rules->arg, done, of);
	pthread_mutex_unlock(&w->telling);
}

static void *work(void *arg)
{
	Worker *worker = arg;
	Work *w = worker->work;
	size_t i;

	worker->reader = syntax_reader_new();
	worker->texts = arena_new(0);
	while ((i = atomic_fetch_add(&w->next, 1)) < w->project->sources.count) {
		w->whys[w->order[i]] = read_one(w, worker, w->order[i]);
		tell(w);
	}
	syntax_reader_free(worker->reader);
	arena_free(worker->texts);
	return NULL;
}

static size_t thread_count(size_t files)
{
	cpu_set_t may;
	int processors = sched_getaffinity(0, sizeof(may), &may) == 0 ? CPU_COUNT(&may) : 1;
	size_t most = MIN((size_t)MAX(1, processors), (size_t)THREADS_MOST);

	return MAX((size_t)1, MIN(files, most));
}

typedef struct Sized {
	int64_t bytes;
	uint32_t index;
} Sized;

static int larger_first(const void *x, const void *y)
{
	const Sized *p = x, *q = y;

	return p->bytes != q->bytes ? (p->bytes < q->bytes ? 1 : -1)
	                            : (p->index > q->index) - (p->index < q->index);
}

static const uint32_t *order_of(Arena *a, const Sources *sources)
{
	Sized *sized = ARENA_ARRAY(a, Sized, sources->count + 1);
	uint32_t *order = ARENA_ARRAY(a, uint32_t, sources->count + 1);

	for (size_t i = 0; i < sources->count; i++)
		sized[i] = (Sized){ sources->files[i].bytes, (uint32_t)i };
	qsort(sized, sources->count, sizeof(*sized), larger_first);
	for (size_t i = 0; i < sources->count; i++)
		order[i] = sized[i].index;
	return order;
}

static void run(Work *w, Project *out)
{
	Worker workers[THREADS_MOST] = { 0 };
	size_t count = thread_count(out->sources.count);

	for (size_t i = 0; i < count; i++) {
		workers[i] = (Worker){ .work = w, .arena = arena_new(0) };
		out->arenas[out->arena_count++] = workers[i].arena;
	}
	for (size_t i = 1; i < count; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			workers[i].work = NULL;
	work(&workers[0]);
	for (size_t i = 1; i < count; i++)
		if (workers[i].work)
			pthread_join(workers[i].thread, NULL);
}

/* Those that could not be read go from the list, to what was left out. */
static void sort_out(Arena *a, const Work *w, Project *out)
{
	Sources *s = &out->sources;
	SkippedPath *examples =
		ARENA_ARRAY(a, SkippedPath, s->example_count + (size_t)SKIPS * LIST_MOST);
	size_t count = s->example_count;

	for (size_t i = 0; i < count; i++)
		examples[i] = s->examples[i];
	for (size_t i = 0; i < s->count; i++) {
		SkipWhy why = w->whys[i];

		if (why == SKIPS)
			out->files[out->count++] = out->files[i];
		else if (s->skipped[why]++ < LIST_MOST)
			examples[count++] = (SkippedPath){ s->files[i].path, why };
	}
	s->examples = examples;
	s->example_count = count;
}

static Err *nothing(Arena *a, const Sources *s)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < SKIPS; i++)
		if (s->skipped[i])
			buf_fmt(&b, "%s%" PRIu64 " %s", b.len ? ", " : "", s->skipped[i],
			        skip_why_text(i));
	if (s->others)
		buf_fmt(&b, "%s%" PRIu64 " file%s not Python", b.len ? ", " : "", s->others,
		        s->others == 1 ? " that is" : "s that are");
	return err_new(a, ERR_INVALID, "audit.empty",
	               "there is no Python to read in %.*s (%s%.*s): name the folder that has it",
	               STR_ARG(s->root), b.len ? "left out: " : "it is empty",
	               STR_ARG(buf_str(&b)));
}

Err *project_read(Arena *a, Str root, const ProjectRules *rules, Project *out)
{
	Work w = { .rules = rules, .project = out, .telling = PTHREAD_MUTEX_INITIALIZER };
	int64_t from_us = time_mono_us(), begun_us = time_utc_us();
	SourceRules sources = rules->sources;

	*out = (Project){ 0 };
	sources.cache = rules->cache;
	if (rules->from)
		TRY(rules->from->find(rules->from->arg, a, &sources, &out->sources));
	else
		TRY(sources_find(a, root, &sources, &out->sources));
	if (!rules->from)
		stamps_apply(a, rules->cache, &out->sources);
	out->files = ARENA_ARRAY(a, AuditFile, out->sources.count + 1);
	out->arenas = ARENA_ARRAY(a, Arena *, THREADS_MOST);
	w.whys = ARENA_ARRAY(a, SkipWhy, out->sources.count + 1);
	w.order = order_of(a, &out->sources);
	w.salt = salt_of(rules->cc);
	if (out->sources.count)
		run(&w, out);
	if (!rules->from)
		stamps_keep(rules->cache, &out->sources, out->files, w.whys, begun_us * 1000);
	sort_out(a, &w, out);
	out->known = atomic_load(&w.known);
	out->taken_us = time_mono_us() - from_us;
	return out->count ? NULL : nothing(a, &out->sources);
}

void project_fini(Project *project)
{
	for (size_t i = 0; i < project->arena_count; i++)
		arena_free(project->arenas[i]);
	*project = (Project){ 0 };
}

const AuditFile *project_file(const Project *project, Str path)
{
	size_t from = 0, to = project->count;

	while (from < to) {
		size_t middle = (from + to) / 2;
		int order = str_cmp(project->files[middle].path, path);

		if (!order)
			return &project->files[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}
