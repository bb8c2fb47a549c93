/* SPDX-License-Identifier: Apache-2.0
 *
 * The table from inside: for differences.c, which counts, and differences_print.c, which tells. */
#pragma once
#include "base/map.h"
#include "shift/differences.h"
#include "shift/paired.h"

enum { DIFFERENCES_WHO_MAX = 64, DIFFERENCES_PATH_ROOM = COMPARE_PATH_MAX + 8 };

typedef struct DifferencesText {
	uint8_t len;
	char at[DIFFERENCES_TEXT_MAX];
} DifferencesText;

typedef struct DifferencesExample {
	int64_t at_us;
	DifferencesText request, old, new;
} DifferencesExample;

typedef struct DifferencesKey {
	char id[DIFFERENCES_PATH_ROOM]; /* the kind as a byte, then the path */
	size_t id_len;
	uint64_t raw, noise; /* requests in which it was between old and new, between old and old */
	uint64_t both;       /* of the measured ones, those in which it was in both */
	Paired paired;
	int64_t first_us, last_us; /* between old and new; 0: not yet */
	bool accepted;
	int64_t accepted_us;
	char who[DIFFERENCES_WHO_MAX];
	size_t who_len;
	uint32_t example_count;
	uint64_t examples_seen;
	DifferencesExample examples[DIFFERENCES_EXAMPLES]; /* the first is the newest */
} DifferencesKey;

struct Differences {
	double alpha;
	uint64_t compared, measured, mismatches, dropped;
	uint32_t count;
	DifferencesKey *keys[DIFFERENCES_KEYS_MAX]; /* in the order in which they were met */
	Map by_id;
};

CompareKind differences_kind(const DifferencesKey *key);
Str differences_path(const DifferencesKey *key);
DifferencesVerdict differences_verdict(const Differences *d, const DifferencesKey *key);
double differences_p(const DifferencesKey *key);
/* The key of that name, made when it is not there; NULL: the table is full. */
DifferencesKey *differences_key(Differences *d, Str path, CompareKind kind);
void differences_set_text(DifferencesText *into, Str text);
