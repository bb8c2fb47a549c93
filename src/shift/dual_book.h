/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes in the book, and what all parts of dual writes share: dual_book.c, dual.c (begin, end, being alive), dual_repair.c,
 * dual_metrics.c. */
#pragma once
#include "base/list.h"
#include "shift/dual.h"
#include "shift/dual_form.h"
#include "shift/dual_key.h"
#include "store/db.h"

#include "shift_dual_sql.h"

#define DUAL_CHANNEL "shift_writes"

enum { DUAL_DIFFERS_KEPT = 100 };

struct DualRules {
	const WritesConf *conf;
	WritesKey key;
	Subject *subject;
	Str name, route; /* the subject's */
};

/* One request's, from its intent until the book has its outcome. */
struct DualWrite {
	Node node; /* among outcomes that the book does not have yet */
	Arena *arena;
	const DualRules *rules; /* not after it was posted: the configuration may go */
	Subject *subject;
	Uuid id;
	bool to_new;  /* the side that lacks it */
	bool rescued; /* the other one was asked instead */
	bool may_rescue;
	bool keeps_answer;
	uint64_t limit;
	ShadowAnswer answer;
	DualFate fate;
	Str kept; /* the answer, made ready */
	Str said;
};
/* --- dual.c ---------------------------------------------------------------------------------------------------------------- */

Db *dual_db(void);          /* NULL: there is none */
Uuid dual_owner(void);      /* this process, as the book knows it */
Str dual_gateway(void);     /* and as people call it */
bool dual_is_closing(void); /* nothing is begun any more */
Str dual_side(bool is_new); /* "new", "old" */

/* --- dual_book.c: all park, and fail as db.h says ------------------------------------------------------------------------------ */

typedef struct DualIntent {
	const DualRules *rules;
	Uuid id;
	Str key, fields, body, idempotency_key;
	bool to_new; /* the side that is to have it later */
	const Head *head;
} DualIntent;
typedef enum DualAdmitted {
	DUAL_ADMITTED,
	DUAL_ADMITTED_BEHIND, /* others of its key have not reached that side either */
	DUAL_WAITS            /* nothing was written: another of its key is in its way */
} DualAdmitted;
Err *dual_book_admit(Arena *a, const DualIntent *intent, DualAdmitted *out) MUST_USE;
/* Of its key: being done; not at the side that it goes to yet; in need of help; of these, those that nobody knows of. */
typedef struct DualInWay {
	int64_t gated, coming, stuck, lost;
} DualInWay;
Err *dual_book_in_way(Arena *a, const DualIntent *intent, DualInWay *out) MUST_USE;
/* Those that nobody knows of are skipped. */
Err *dual_book_set_aside(Arena *a, const DualIntent *intent) MUST_USE;
/* In one go, all or none. */
Err *dual_book_outcomes(Arena *a, DualWrite *const *writes, size_t count) MUST_USE;
/* What was open when its process ended is unknown, or dead; *found: how many. */
Err *dual_book_orphans(Arena *a, int64_t *found) MUST_USE;
/* Takes at most so many, the first of each key, for this process. */
Err *dual_book_claim(Arena *a, Str subject, uint32_t most, WriteRow **rows, size_t *count) MUST_USE;

/* All that this process has claimed; and one of them is nobody's again, if it still is. */
Err *dual_book_claimed(Arena *a, WritesClaimedRow **rows, size_t *count) MUST_USE;
Err *dual_book_unclaim(Arena *a, const WritesClaimedRow *row) MUST_USE;

/* Of a row that was claimed: nothing happens when another process has it since. */
Err *dual_book_end(Arena *a, const WriteRow *row) MUST_USE; /* it is gone */
Err *dual_book_differs(Arena *a, const WriteRow *row, Str said) MUST_USE;
Err *dual_book_again(Arena *a, const WriteRow *row, int64_t pause_us, Str said) MUST_USE;
Err *dual_book_dies(Arena *a, const WriteRow *row, Str reason, Str said) MUST_USE;
Err *dual_book_asked(Arena *a, const WriteRow *row, unsigned status, Str answer) MUST_USE;

Err *dual_book_counts(Arena *a, WriteCountsRow **rows, size_t *count) MUST_USE; /* of all */
/* In order, behind `after`; state empty: all. */
Err *dual_book_page(Arena *a, Str subject, Str state, int64_t after, uint32_t most, WriteRow **rows,
                    size_t *count) MUST_USE;
Err *dual_book_by_seq(Arena *a, Str subject, int64_t seq, WriteRow **row) MUST_USE; /* or NULL */
/* seq 0: all of them, of retry only. *changed: how many it was done to. */
Err *dual_book_repair(Arena *a, const DualRepair *ask, int64_t seq, int64_t *changed) MUST_USE;

Err *dual_book_beat(Arena *a, Str place, int64_t for_us) MUST_USE; /* this process is alive */
Err *dual_book_bury(Arena *a, Str place) MUST_USE; /* processes of this place that are gone */
Err *dual_book_leave(Arena *a) MUST_USE; /* this one is, and gives back what it has claimed */
