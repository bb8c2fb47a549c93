/* SPDX-License-Identifier: Apache-2.0
 *
 * What texts of the past measure: each once, by its id, on all processors, as today's files are measured. Smells are those that a file tells by itself:
 * what takes other files to be seen (arguments that travel together, relations of models elsewhere, clones, circles) is not looked for in the past. */
#include "audit/trends_int.h"

#include "audit/audit_cache.h"
#include "audit/repo.h"
#include "audit/smells.h"
#include "base/arena.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MOST = 16, TELL_EACH = 64, COMPLEX = 15, LENGTHY = 60, NESTED = 4, WIDE = 7 };

typedef struct Pool {
	TrendWork *work;
	atomic_size_t next;
	pthread_mutex_t telling;
} Pool;

static void add_unit(TextMeasures *to, const Unit *unit)
{
	if (unit->kind == UNIT_CLASS) {
		to->classes++;
		to->scattered += unit->lcom4 > 1;
		return;
	}
	to->functions++;
	to->complex += unit->cognitive > COMPLEX;
	to->lengthy += unit->end_line - unit->line + 1 > LENGTHY;
	to->nested += unit->nesting > NESTED;
	to->wide += unit->arguments > WIDE;
}

static void add_findings(const AuditRules *rules, const Findings *found, TextMeasures *to)
{
	for (size_t i = 0; i < found->count; i++) {
		const Finding *f = &found->at[i];

		if (f->ignored_why.len || audit_rule_is_off(rules, f->rule->id, f->rule->name))
			continue;
		to->findings++;
		to->minutes += finding_minutes(f);
	}
}

/* The file as if it were the whole project. */
static void judge_text(Arena *scratch, const AuditRules *rules, const Syntax *s, AuditFile *file,
                       TextMeasures *to)
{
	Audit alone = { .project = { .files = file, .count = 1 } };

	file->facts[FACTS_SMELLS] = smells_facts()->extract(scratch, s, file);
	if (!smells_step(scratch, rules, &alone) && !ignores_apply(scratch, rules, &alone))
		add_findings(rules, &alone.findings, to);
}

static void measure_text(Arena *scratch, SyntaxReader *reader, const AuditRules *rules,
                         const TrendText *text, Str bytes, TextMeasures *to)
{
	const Syntax *s = syntax_read(reader, bytes);
	AuditFile file = { .path = text->path, .kind = text->kind, .bytes = (int64_t)bytes.len };
	const Measures *m = &file.measures;

	measure(scratch, s, rules->cc, &file.measures);
	to->generated = source_is_generated(bytes);
	to->broken = s->errors > 0;
	to->sloc = m->lines.sloc;
	to->comments = m->lines.comments;
	to->cc = m->cc;
	to->cognitive = m->cognitive;
	to->volume = m->volume;
	to->mi = m->mi;
	for (uint32_t i = 0; i < m->unit_count; i++)
		add_unit(to, &m->units[i]);
	if (file.kind == SOURCE_CODE && !to->generated)
		judge_text(scratch, rules, s, &file, to);
}

static void read_text(Arena *scratch, git_odb *odb, SyntaxReader *reader, const AuditRules *rules,
                      TrendText *text)
{
	git_odb_object *object = NULL;
	Str bytes;

	text->is.missing = true;
	if (!odb || git_odb_read(&object, odb, &text->id) != 0)
		return;
	bytes = (Str){ git_odb_object_data(object), git_odb_object_size(object) };
	if (git_odb_object_type(object) == GIT_OBJECT_BLOB && bytes.len <= SOURCE_BYTES &&
	    !(bytes.len && memchr(bytes.at, 0, bytes.len))) {
		text->is.missing = false;
		measure_text(scratch, reader, rules, text, bytes, &text->is);
	}
	git_odb_object_free(object);
}

/* The text, and all else that its measures hang on: its name, whose complexity, the limits, the rules that are off. */
static Str key_of(Arena *scratch, const TrendText *text, const AuditRules *rules)
{
	Str limits = { audit_section(rules, smells_table()), sizeof(SmellsConf) };
	uint64_t hash =
		hash_stable(text->path, 0x7472656e64, hash_stable(limits, 1, (uint64_t)rules->cc));

	for (size_t i = 0; i < rules->conf->off.count; i++)
		hash = hash_stable(rules->conf->off.at[i], hash, 2);
	return str_fmt(scratch, "%s %016" PRIx64, git_oid_tostr_s(&text->id), hash);
}

static void take_text(Pool *pool, Arena *scratch, git_odb *odb, SyntaxReader *reader,
                      TrendText *text)
{
	const AuditRules *rules = pool->work->rules;
	Str key = key_of(scratch, text, rules), value;

	if (audit_cache_find(rules->cache, "trend", key, &value) && value.len == sizeof(text->is)) {
		memcpy(&text->is, value.at, value.len);
		text->kept = true;
		return;
	}
	read_text(scratch, odb, reader, rules, text);
	if (!text->is.missing)
		audit_cache_put(rules->cache, "trend", key,
		                (Str){ (const char *)&text->is, sizeof(text->is) });
}

static void tell(Pool *pool, size_t at)
{
	const TrendWork *w = pool->work;

	if (at % TELL_EACH && at + 1 != w->text_count)
		return;
	pthread_mutex_lock(&pool->telling);
	audit_progress(w->rules, "old texts", at + 1, w->text_count);
	pthread_mutex_unlock(&pool->telling);
}

static void *work(void *arg)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	AUTO(repo_freep) git_repository *repo = NULL;
	Pool *pool = arg;
	TrendWork *w = pool->work;
	SyntaxReader *reader = syntax_reader_new();
	git_odb *odb = NULL;
	size_t i;
	Str base;

	if (repo_open(scratch, w->rules->root, &repo, &base, NULL) &&
	    git_repository_odb(&odb, repo) != 0)
		odb = NULL;
	while ((i = atomic_fetch_add(&pool->next, 1)) < w->text_count) {
		Mark mark = arena_mark(scratch);

		take_text(pool, scratch, odb, reader, &w->texts[i]);
		arena_reset(scratch, mark);
		tell(pool, i);
	}
	git_odb_free(odb);
	syntax_reader_free(reader);
	return NULL;
}

void trends_measure(TrendWork *w)
{
	Pool pool = { .work = w, .telling = PTHREAD_MUTEX_INITIALIZER };
	size_t count = MIN((size_t)MAX(1, sysconf(_SC_NPROCESSORS_ONLN)), (size_t)THREADS_MOST),
	       started = 0;
	pthread_t threads[THREADS_MOST];

	while (started + 1 < MIN(count, w->text_count) &&
	       pthread_create(&threads[started], NULL, work, &pool) == 0)
		started++;
	work(&pool);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < w->text_count; i++) {
		w->out->kept += w->texts[i].kept;
		w->out->broken += w->texts[i].is.broken;
	}
	w->out->blobs = w->text_count;
}
