/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests: a project of a few files that are texts, and what models_step makes of it. */
#pragma once
#include "audit/models_join.h"
#include "base/arena.h"

#include <stdlib.h>

typedef struct SampleFile {
	const char *path, *text;
} SampleFile;

static inline Err *sample_find(void *arg, Arena *a, const SourceRules *rules, Sources *out)
{
	const SampleFile *files = arg;

	(void)rules;
	*out = (Sources){ .root = S(".") };
	while (files[out->count].path)
		out->count++;
	out->files = ARENA_ARRAY(a, SourceFile, out->count);
	for (size_t i = 0; i < out->count; i++)
		out->files[i] = (SourceFile){ .path = str_of(files[i].path),
			                      .kind = source_kind(str_of(files[i].path)) };
	return NULL;
}

static inline Err *sample_bytes(void *arg, Arena *a, const SourceFile *file, Str *bytes)
{
	const SampleFile *files = arg;

	(void)a;
	while (!str_eq(str_of(files->path), file->path))
		files++;
	*bytes = str_of(files->text);
	return NULL;
}

/* Files by path; the last one's is NULL. NULL: none of them can be read. */
static inline const Models *sample(Arena *a, const SampleFile *files, Audit *audit)
{
	const ProjectSource from = { sample_find, sample_bytes, (void *)(uintptr_t)files };
	const ProjectRules reading = { .from = &from };
	AuditRules *rules = ARENA_NEW(a, AuditRules);

	rules->from = &from;
	if (project_read(a, S("."), &reading, &audit->project))
		return NULL;
	if (models_step(a, rules, audit))
		abort();
	return audit->models;
}

static inline void sample_finip(Audit *audit)
{
	project_fini(&audit->project);
}

/* What was found by a rule, a line each: "PY605 3 shop.order is dropped". */
static inline Str sample_findings(Arena *a, const Audit *audit)
{
	Str all = S("");

	for (size_t i = 0; i < audit->findings.count; i++) {
		const Finding *f = &audit->findings.at[i];

		all = str_fmt(a, "%.*s%s %u %.*s\n", STR_ARG(all), f->rule->id, f->line,
		              STR_ARG(f->text));
	}
	return all;
}
