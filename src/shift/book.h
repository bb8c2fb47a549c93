/* SPDX-License-Identifier: Apache-2.0
 *
 * The book: where each move stands, and the journal of what was done to it, in a database that gateways may share. A state is
 * changed only from the revision that was seen, together with its entry, in one transaction; so two gateways never undo each
 * other, and the journal has no gap. All park. Fail as db.h says, and with CONFLICT "shift.changed". */
#pragma once
#include "shift/state.h"

typedef struct Book Book;

/* sqlite:PATH, postgresql://, redis:// and its kin. A file is opened, a server is not asked anything yet. Fails with INVALID
 * "db.url" and "redis.url" too. */
Err *book_open(Arena *a, Str url, Book **out) MUST_USE;
void book_close(Book *book);        /* NULL is fine */
bool book_is_far(const Book *book); /* on a server, which may be away */
struct Db *book_db(
	const Book
		*book); /* for what else is kept in it: webhook_book.c; NULL: it is no database */

/* Brings its schema up: before that was done once the others fail. */
Err *book_ready(Book *book, Arena *a) MUST_USE;

typedef struct BookState {
	Str subject;
	ShiftState state;
} BookState;
Err *book_states(Book *book, Arena *a, BookState **out, size_t *count) MUST_USE;

typedef struct BookEntry {
	int64_t revision; /* that it made */
	int64_t at_us;    /* UTC */
	Str who, verb;
	Str from, to; /* phases */
	uint32_t share_ppm;
	Str why;
	Str evidence; /* JSON */
} BookEntry;
/* state->revision is the one that was seen, and is one higher after. entry->revision is not looked at. */
Err *book_change(Book *book, Arena *a, Str subject, ShiftState *state, const BookEntry *entry)
	MUST_USE;
/* A book that has lost what was known, restored from a backup or emptied: the state is put back with the revision that it has,
 * where the book has the revision `there` (0: nothing). */
Err *book_put_back(Book *book, Arena *a, Str subject, int64_t there, const ShiftState *state,
                   const BookEntry *entry) MUST_USE;
/* Newest first, below `before` (0: from the newest). */
Err *book_history(Book *book, Arena *a, Str subject, int64_t before, uint32_t most, BookEntry **out,
                  size_t *count) MUST_USE;

/* What a run of a gateway (a process) has seen of a subject's attempt, for the others and for the run after it. */
typedef struct BookSeen {
	Str run; /* keeper_int.h */
	int32_t step;
	int64_t at_us; /* UTC */
	Str evidence;  /* JSON */
} BookSeen;
/* And users who have had an event, as that run counted them, so that no other counts them once more; numbered from 1. */
typedef struct BookUsers {
	int64_t seq;
	int32_t step;
	Str users; /* seen.h */
} BookUsers;
/* Both at once. users: NULL: none are new. */
Err *book_see(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *seen,
              const BookUsers *users) MUST_USE;
Err *book_seen(Book *book, Arena *a, Str subject, uint32_t attempt, BookSeen **out, size_t *count)
	MUST_USE;
/* Of one run, those after that number, in order; a few hundred rows at most. */
Err *book_users(Book *book, Arena *a, Str subject, uint32_t attempt, Str run, int64_t after,
                BookUsers **out, size_t *count) MUST_USE;
/* own has what `ended` had seen: both rows are written if that of ended->run is still of ended->at_us. *done: it was. */
Err *book_fold(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *own,
               const BookSeen *ended, bool *done) MUST_USE;
/* What was seen in attempts before this one. */
Err *book_forget(Book *book, Arena *a, Str subject, uint32_t attempt) MUST_USE;

/* What a gateway found by comparing the sides, since shadowing began for the `shadows`th time. */
typedef struct BookDifferences {
	Str gateway;
	Str differences; /* JSON (differences.h) */
} BookDifferences;
Err *book_keep_differences(Book *book, Arena *a, Str subject, uint32_t shadows,
                           const BookDifferences *found) MUST_USE;
Err *book_differences(Book *book, Arena *a, Str subject, uint32_t shadows, BookDifferences **out,
                      size_t *count) MUST_USE;

/* What people have accepted, of all gateways; for good. who empty: it was taken back. */
typedef struct BookAccepted {
	Str path, kind, who;
	int64_t at_us; /* UTC */
} BookAccepted;
Err *book_accept(Book *book, Arena *a, Str subject, const BookAccepted *accepted) MUST_USE;
Err *book_accepted(Book *book, Arena *a, Str subject, BookAccepted **out, size_t *count) MUST_USE;

/* A secret that all who share the book have. Where there is none it is made: *key when `known`, else a new one. insist: what is
 * known takes the place of what is there. */
typedef enum BookKeyHow { BOOK_KEY_READ, BOOK_KEY_KNOWN, BOOK_KEY_INSIST } BookKeyHow;
Err *book_key(Book *book, Arena *a, Str name, BookKeyHow how, uint64_t key[2]) MUST_USE;

/* Parks until somebody changed a state, or the time is over. One fiber. */
Err *book_wait(Book *book, Arena *a, int64_t most_us) MUST_USE;
