/* SPDX-License-Identifier: Apache-2.0
 *
 * A project as it was read: every file with its measures. Files are read by as many threads as there are processors, each with a parser
 * and an arena of its own; the result is the same whatever their order. */
#pragma once
#include "audit/measure.h"
#include "audit/pack.h"
#include "audit/source.h"

/* What else is taken from a file while its syntax is there, each by a module of its own (project.c has the table). */
typedef enum FileFacts {
	FACTS_SMELLS, /* smells.h: findings of one file */
	FACTS_LINKS,  /* links.h: imports, definitions, calls */
	FACTS_TOKENS, /* clones.h: what is compared with other files */
	FACTS_MODELS, /* models.h: models, routes, tasks, tables */
	FACTS_COUNT
} FileFacts;

typedef struct AuditFile {
	Str path;
	SourceKind kind;
	int64_t bytes;
	uint8_t oid[SOURCE_OID]; /* of its bytes, as git names a blob */
	Measures measures;
	uint32_t errors, error_line; /* places that are not Python */
	bool cut;
	const void *facts[FACTS_COUNT]; /* in the reading thread's arena; NULL: nothing */
} AuditFile;

/* In a reading thread, once a file; text and syntax go away after it, so what stays is copied into the arena. */
typedef const void *FileExtract(Arena *a, const Syntax *s, const AuditFile *file);

/* What a module takes from files, and how that is kept in the cache; a row of project.c's table, given by smells_facts(), links_facts(),
 * tokens_facts(), models_facts(). `version` changes when the same text gives other facts. */
typedef struct FactsModule {
	FileExtract *extract;
	const PackType *type;
	uint32_t version;
} FactsModule;

typedef struct Project {
	Sources sources;
	AuditFile *files; /* by path; those that could be read */
	size_t count;
	Arena **arenas; /* what the files' texts and units live in */
	size_t arena_count;
	size_t known;     /* of the files: out of the cache */
	int64_t taken_us; /* of the clock on the wall */
} Project;

/* Where files come from, when that is not the disk: a commit's tree. `bytes` is called by several threads at once, each with an arena of its own,
 * and not at all for a file whose oid is known and in the cache. */
typedef struct ProjectSource {
	Err *(*find)(void *arg, Arena *a, const SourceRules *rules, Sources *out);
	Err *(*bytes)(void *arg, Arena *a, const SourceFile *file, Str *bytes);
	void *arg;
} ProjectSource;

typedef struct AuditCache AuditCache;
typedef struct ProjectRules {
	SourceRules sources;
	CcRules cc;
	const ProjectSource *from; /* NULL: the disk */
	AuditCache *cache;         /* NULL: none */
	void (*progress)(void *arg, size_t done,
	                 size_t of); /* now and then, from one thread at a time; NULL: none */
	void *arg;
} ProjectRules;

/* Blocks and burns. Fails as sources_find does; INVALID "audit.empty" when there is not one Python file to read (the sentence says what was
 * left out, and why). */
Err *project_read(Arena *a, Str root, const ProjectRules *rules, Project *out) MUST_USE;
void project_fini(Project *project);
const AuditFile *project_file(const Project *project, Str path); /* NULL: there is no such file */

/* One text on its own, from anywhere, as project_read treats it: for versions of the past. `file` has path and kind; measures and facts are
 * filled, in the arena, and borrow nothing from the text. Any thread. */
void project_extract(Arena *a, SyntaxReader *reader, CcRules cc, Str text, AuditFile *file);
