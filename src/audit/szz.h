/* SPDX-License-Identifier: Apache-2.0
 *
 * Who-brought-it-in, asked of mended lines (SZZ: Sliwerski, Zimmermann, Zeller 2005): a line that a fix takes away or rewrites is followed back to
 * the commit that wrote it. The variant: fixes by their message (history_is_fix), of code files that are there now; lines without code (blank,
 * comments) and such as only moved or changed their blanks are none (AG-SZZ); merges write no lines that one of their parents has (MA-SZZ); commits
 * of .git-blame-ignore-revs are looked through. No issue tracker is asked, so what was written after the report of a bug is not told apart; lines
 * that a fix only adds lead nowhere. What could not be traced is counted. */
#pragma once
#include "audit/audit.h"

typedef struct SzzFile {
	uint32_t file;    /* index of History.files */
	uint32_t traced;  /* fixes that led to a commit */
	uint32_t brought; /* different commits that wrote what had to be mended */
	uint32_t lines;   /* mended */
	double days;      /* median from writing to mending, of the lines */
} SzzFile;

typedef struct Szz {
	Str why_not;    /* not empty: it was not done, and why */
	SzzFile *files; /* most brought first */
	size_t count;
	uint64_t fixes;  /* change sets of code that say they mend something */
	uint64_t traced; /* of those, with a line that led to a commit */
	uint64_t added;  /* that only add lines, or touch none with code */
	uint64_t
		lost; /* whose lines lead to what is not known: not in this clone, too large, beyond the limits */
	uint64_t commits;         /* that wrote a line which was mended later, */
	uint64_t of;              /* of this many that changed code */
	uint64_t large;           /* of those commits: of more files than a change set may have */
	uint64_t versions, diffs; /* texts of files that were read and compared */
	double days;              /* median of all lines */
	int64_t taken_us;
} Szz;

/* Bounds: texts above this are passed over, and further versions of a file than this. */
enum { SZZ_BYTES = 1 << 20, SZZ_LINES = 50000, SZZ_VERSIONS = 20000 };

/* The same walk again, with contents. Never fails: why_not. Blocks and burns, on all processors. */
void szz_read(Arena *a, const AuditRules *rules, const Audit *audit, Szz *out);
void szz_screen(FILE *out, const Szz *z, const History *h);
/* An object: read, why_not, the counts by their names above, days (null: none), files [{path, traced, commits, lines, days}]. */
void szz_put(JsonWriter *w, const Szz *z, const History *h);
