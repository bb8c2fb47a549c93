/* SPDX-License-Identifier: Apache-2.0
 *
 * Differences: what was found between the answers of two sides of one subject, counted by (path, kind).
 *
 * Of some requests the old side was asked twice; what differs between its own two answers is noise. A key that differs
 * between old and new no more often than between old and old is noise too, by a paired test that holds at any time. A key
 * that is neither noise nor accepted by a person makes the answer a mismatch.
 *
 * Not thread-safe: the caller locks. Nothing here parks. The number of keys is limited; what finds no place is counted, and is
 * a mismatch. */
#pragma once
#include "base/json.h"
#include "shift/compare.h"

enum { DIFFERENCES_KEYS_MAX = 512, DIFFERENCES_EXAMPLES = 5, DIFFERENCES_TEXT_MAX = 200 };

typedef struct Differences Differences;

typedef enum DifferencesVerdict {
	DIFFERENCES_OPEN,     /* not enough is known: a mismatch until it is */
	DIFFERENCES_MISMATCH, /* new differs more often than the old side from itself */
	DIFFERENCES_NOISE,    /* the old side differs from itself as often */
	DIFFERENCES_ACCEPTED, /* by a person */
	DIFFERENCES_VERDICTS
} DifferencesVerdict;
Str differences_verdict_name(DifferencesVerdict verdict);

/* alpha: how often, at most, noise may be called a mismatch (of all keys together); 0: 0.001. */
Differences *differences_new(double alpha) RETURNS_NONNULL;
void differences_free(Differences *d); /* NULL is fine */
void differences_freep(Differences **d);
Differences *differences_copy(const Differences *d) RETURNS_NONNULL;
/* Everything but what was accepted is forgotten: a new attempt begins. */
void differences_clear(Differences *d);

typedef struct DifferencesSeen {
	bool new_mismatch; /* old and new: at least one key that counts */
	bool old_mismatch; /* old and old, when it was measured */
} DifferencesSeen;

/* One request's answers. `noise`: the comparison of the old side with itself; NULL: not measured this time. The request line
 * is masked here. */
void differences_note(Differences *d, const MaskRules *mask, const Comparison *found,
                      const Comparison *noise, Str request, int64_t now_us, DifferencesSeen *out);

/* A person says that this difference is meant; a key that was not seen yet can be accepted too. Fails with LIMITED
 * "differences.full". */
Err *differences_accept(Differences *d, Arena *a, Str path, CompareKind kind, Str who,
                        int64_t now_us) MUST_USE;
bool differences_is_accepted(const Differences *d, Str path, CompareKind kind);
bool differences_unaccept(Differences *d, Str path,
                          CompareKind kind); /* false: it was not accepted */

typedef struct DifferencesAccepted {
	Str path, who;
	CompareKind kind;
	int64_t at_us; /* UTC */
} DifferencesAccepted;
/* All that people have accepted, copied into the arena. */
size_t differences_accepted(const Differences *d, Arena *a, DifferencesAccepted **out);

typedef struct DifferencesTotals {
	uint64_t compared, measured; /* requests; those of which noise was measured */
	uint64_t mismatches;         /* requests with a key that counted when it was seen */
	uint64_t dropped;            /* differences that found no place */
	uint32_t keys, open, mismatch, noise, accepted;
} DifferencesTotals;
DifferencesTotals differences_totals(const Differences *d);

/* {"compared":..,"keys":[..]} of the admin API: the worst first. */
void differences_put_json(const Differences *d, JsonWriter *w);
/* All of it, to be taken up again; adds to what is there. Fails with INVALID "differences.state". */
void differences_put_state(const Differences *d, JsonWriter *w);
Err *differences_read_state(Differences *d, Arena *a, const Json *state) MUST_USE;
