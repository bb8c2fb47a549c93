/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files an audit reads, and which it does not, and why: nothing is left out without a word. Blocks on the disk. */
#pragma once
#include "base/err.h"

typedef enum SourceKind {
	SOURCE_CODE,
	SOURCE_TEST,      /* test_x.py, x_test.py, conftest.py, anything under tests/ */
	SOURCE_MIGRATION, /* migrations/0001_x.py, alembic's versions/ */
	SOURCE_GENERATED, /* it says so at its top, or by its name (x_pb2.py) */
	SOURCE_VENDORED,  /* under vendor/, _vendor/, third_party/, site-packages/ */
	SOURCE_KINDS
} SourceKind;
const char *source_kind_name(SourceKind kind);

typedef enum SkipWhy {
	SKIP_IGNORED,  /* by .gitignore */
	SKIP_EXCLUDED, /* by the configuration or --exclude */
	SKIP_NOTEBOOK,
	SKIP_LARGE,       /* more than SOURCE_BYTES */
	SKIP_UNREADABLE,  /* the system refused */
	SKIP_ENCODING,    /* neither UTF-8 nor what it says it is */
	SKIP_BINARY,      /* NUL bytes */
	SKIP_SYMLINK,     /* links to folders are not followed, so there are no circles */
	SKIP_ENVIRONMENT, /* a virtual environment, node_modules, caches */
	SKIP_DEEP,        /* folders within folders beyond SOURCE_DEPTH */
	SKIP_MANY,        /* files beyond SOURCE_FILES, and in a revision folders */
	SKIPS
} SkipWhy;
const char *skip_why_text(SkipWhy why); /* "in .gitignore" */

/* What was changed so shortly before it was looked at could change again and look the same: clocks have ticks. */
#define SOURCE_TICK_NS INT64_C(2000000000)
enum { SOURCE_BYTES = 8 << 20, SOURCE_DEPTH = 200, SOURCE_FILES = 4000000, BESIDE_FILES = 100000 };

enum { SOURCE_OID = 20 };

typedef struct SourceFile {
	Str path; /* from the root, with / */
	SourceKind kind;
	int64_t bytes;
	int64_t changed_ns, touched_ns; /* its content; that, its name or its rights */
	uint64_t inode;
	bool has_oid; /* it is known before the text is: from git's tree, or as nothing changed */
	uint8_t oid[SOURCE_OID];
} SourceFile;
SourceKind source_kind(Str path); /* by its path alone */

typedef struct SkippedPath {
	Str path;
	SkipWhy why;
} SkippedPath;

/* What is not Python, but names what is in it. */
typedef enum BesideKind {
	BESIDE_NONE,
	BESIDE_TEMPLATE,
	BESIDE_ENTRY, /* it starts programs, or configures them: setup.cfg, a Procfile, *.service */
	BESIDE_PROGRAM /* it has no ending, and may be Python all the same */
} BesideKind;
BesideKind source_beside(Str name); /* by a file's name */
typedef struct BesideFile {
	Str path;
	BesideKind kind;
} BesideFile;

typedef struct Sources {
	Str root;          /* as it was given */
	SourceFile *files; /* by path */
	size_t count;
	uint64_t skipped[SKIPS]; /* how many of each */
	SkippedPath *examples;   /* the first few of each */
	size_t example_count;
	uint64_t others;    /* files that are not Python */
	BesideFile *beside; /* those of them that name it; the first BESIDE_FILES */
	size_t beside_count;
	bool git; /* it is in a repository, whose rules of ignoring count */
} Sources;

typedef struct SourceRules {
	const Str *roots; /* folders of the root that are read: "apps/shop"; none: all of it */
	size_t root_count;
	const Str *exclude; /* patterns of paths: "legacy/", "*_old.py" */
	size_t exclude_count;
	bool all; /* ignored ones and environments too */
	struct AuditCache *
		cache; /* what folders held, so that one that did not change is not read; NULL: none */
} SourceRules;

/* In the arena. Fails with NOT_FOUND "audit.root", INVALID "audit.root" (no folder and no Python file), IO "base.file". */
Err *sources_find(Arena *a, Str root, const SourceRules *rules, Sources *out) MUST_USE;

/* The bytes of one. Fails as file_read does. */
Err *source_bytes(Arena *a, Str root, const SourceFile *file, Str *bytes) MUST_USE;
/* What they say, as UTF-8 (by their byte order mark or the coding that the first lines name; a copy when that is another). What is none: why;
 * SKIPS otherwise. */
SkipWhy source_decode(Arena *a, Str bytes, Str *text);
/* Both. *why when it has no text that can be read: SKIPS otherwise. */
void source_text(Arena *a, Str root, const SourceFile *file, Str *text, SkipWhy *why);
void source_oid(Str bytes, uint8_t oid[SOURCE_OID]); /* SHA-1, as git names a blob */
/* By the name alone: "x.py"; "venv", "node_modules". */
bool source_is_python(Str name);
bool source_is_environment(Str name);
/* Does it say at its top that a program wrote it? */
bool source_is_generated(Str text);
bool path_matches(
	Str path,
	Str pattern); /* *, ? within a part, ** over parts; a pattern without / is for names at any depth */
