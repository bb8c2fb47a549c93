/* SPDX-License-Identifier: Apache-2.0
 *
 * What git tells of a code base: its change sets, and what follows from them. A change set is one commit's list of files under the root that is
 * audited. Those that would spoil the figures (merges, bots, mass edits) are left out of all of them, and counted. */
#pragma once
#include "audit/project.h"
#include "base/map.h"

/* Why a commit is no change set; SET_COUNTS: it is one. The first that fits, in this order. */
typedef enum SetKind {
	SET_COUNTS,
	SET_SHALLOW,   /* where a shallow clone ends: what it changed cannot be known */
	SET_MERGE,     /* more than one parent */
	SET_MISSING,   /* its objects, or its parent's, are not in this clone */
	SET_BOT,       /* by its author's name or address */
	SET_FORMAT,    /* listed in .git-blame-ignore-revs */
	SET_ELSEWHERE, /* no file under the root */
	SET_BIG,       /* more than HISTORY_SET_FILES files: code-maat's limit */
	SET_KINDS
} SetKind;
const char *set_kind_text(SetKind kind); /* "merges" */

enum {
	HISTORY_SET_FILES = 30,
	HISTORY_COMMITS = 1000000, /* further ones are not walked, which History.cut says */
	HISTORY_RECENT_S = 365 * 86400
};

typedef struct HistoryAuthor {
	Str name, email; /* by .mailmap; the address in lower case is who it is */
	uint32_t sets;
	int64_t last_s; /* of the newest commit that is no merge */
	bool bot;
} HistoryAuthor;

typedef struct HistoryFile {
	Str path;        /* today's, or the last it had */
	uint32_t revs;   /* change sets that touch it */
	uint32_t recent; /* of those, in the year before the newest commit */
	uint32_t fixes;  /* of those (revs), that say they mend something */
	uint64_t soc;    /* sum of coupling: files beside it in those sets */
	uint32_t
		creator; /* index of the author who added it first, and 1; 0: before what was read */
	int64_t created_s; /* when that was */
} HistoryFile;

typedef struct ChangeSet {
	int64_t time_s; /* of the commit, not of its author */
	uint32_t author;
	uint32_t count;
	const uint32_t *files; /* ascending */
	bool fix;
} ChangeSet;

/* A file that got a new name, its text staying as it was. */
typedef struct HistoryRename {
	int64_t time_s;
	Str older, newer;
} HistoryRename;

typedef struct History {
	Str why_not; /* not empty: there is no history, and this says why */
	HistoryFile *files;
	size_t file_count;
	HistoryAuthor *authors;
	size_t author_count;
	ChangeSet *sets; /* those that count, newest first */
	size_t set_count;
	uint64_t commits, kinds[SET_KINDS];
	uint64_t missing;       /* commits that could not be read at all */
	HistoryRename *renames; /* that were followed, newest first */
	size_t rename_count;
	int64_t first_s,
		last_s; /* of the commits read, but for dates before 1970 and after now; 0: none */
	int64_t taken_us;
	bool shallow, cut;
	Map *by_path; /* of files by today's path; in the arena */
} History;

/* Walks all that HEAD stands on, newest first. A file that got a new name while its content stayed the same is one file under its newest name; one
 * that changed in the same commit is two (blobs are not read, so that partial clones are no slower). Never fails: what cannot be read is counted.
 * All is in the arena. Blocks and burns. */
void history_read(Arena *a, Str root, History *out);
const HistoryFile *history_file(const History *h, Str path); /* NULL: no change set touches it */

/* Does the first line of a message say that something was mended (fix, fixes, fixed, bug, defect, hotfix, regression, revert), or the whole of it
 * that it closes an issue? */
bool history_is_fix(Str message);
bool history_is_bot(Str name, Str email);

/* Hotspots: percent rank by changes in the last year x percent rank by cognitive complexity x 10, among the code files of the project. The rank is
 * the share of the other files that have less. Files that nobody touched in that year are left out. Worst first. */
typedef struct Hotspot {
	const AuditFile *file;
	uint32_t revs;
	double revs_rank, cognitive_rank, score;
} Hotspot;
typedef struct Hotspots {
	Hotspot *at;
	size_t count;
} Hotspots;
Hotspots history_hotspots(Arena *a, const History *h, const Project *p);

/* Change coupling as code-maat has it: degree = 100 x shared sets / average of both files' sets, rounded down. Kept from the limits on, and only when
 * Fisher's exact test (one-sided) finds so many shared sets unlikely among files that change independently. By degree and average, falling. */
typedef struct CouplingRules {
	uint32_t revs, shared, degree; /* at least */
	double p;                      /* below */
} CouplingRules;
#define COUPLING_RULES ((CouplingRules){ 5, 5, 30, 0.05 })
typedef struct Coupling {
	uint32_t one, other; /* indexes of History.files */
	uint32_t shared, degree;
	uint32_t average; /* rounded up */
	double p;
} Coupling;
typedef struct Couplings {
	Coupling *at;
	size_t count;
	uint64_t chance; /* pairs that only the test left out */
} Couplings;
Couplings history_couplings(Arena *a, const History *h, CouplingRules rules);

/* Who knows a file. The main author has most of its change sets. Fractal value = 1 - sum((sets of one / all)^2): 0 is one person's, near 1
 * everybody's. */
typedef struct Ownership {
	uint32_t file; /* index of History.files */
	uint32_t authors, main, main_sets;
	uint32_t experts; /* authors by degree of authorship, as Avelino's truck factor has them */
	bool left;        /* none of these made a commit in the last year */
	double fractal;
} Ownership;
/* Bus factor (truck factor, Avelino et al., ICPC 2016): how many of those who know most files must leave until more than half of the files that have
 * an author have none left. DOA = 3.293 + 1.098 x made it + 0.164 x own sets - 0.321 x ln(1 + others' sets); authors have at least 3.293 and more
 * than 0.75 of the file's best. */
typedef struct Owners {
	Ownership *files; /* the project's code files that have a history, by path */
	size_t count;
	uint32_t bus_factor; /* 0: unknown, no file has an author */
	uint32_t key[8];     /* the first of those whose leaving it counts */
	uint32_t orphans;    /* files whose authors have all left already */
} Owners;
Owners history_owners(Arena *a, const History *h, const Project *p);

/* Fix commits per 1,000 lines of code and year of history, over the project's code files. */
typedef struct BugDensity {
	uint64_t fixes; /* change sets */
	double years, kloc;
	double density; /* below 0: unknown, as the history is shorter than HISTORY_SHORT_S or there is no code */
} BugDensity;
enum { HISTORY_SHORT_S = 30 * 86400 };
BugDensity history_bugs(Arena *a, const History *h, const Project *p);
