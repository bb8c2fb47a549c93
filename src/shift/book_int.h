/* SPDX-License-Identifier: Apache-2.0
 *
 * What a kind of book has to do: book_sql.c, book_redis.c. Contracts are those of book.h; values come and go as text. */
#pragma once
#include "shift/book.h"

typedef struct BookChange {
	Str subject, state; /* JSON */
	int64_t before;     /* the revision that must be there; 0: none */
	int64_t revision;   /* that it has then */
	const BookEntry *entry;
} BookChange;

/* A row of a state, unread. */
typedef struct BookRow {
	Str subject, state;
	int64_t revision;
} BookRow;

typedef struct BookOps {
	bool far;
	void (*close)(Book *book);
	struct Db *(*db)(const Book *book);
	Err *(*ready)(Book *book, Arena *a);
	Err *(*states)(Book *book, Arena *a, BookRow **out, size_t *count);
	Err *(*change)(Book *book, Arena *a, const BookChange *change, bool *done);
	Err *(*history)(Book *book, Arena *a, Str subject, int64_t before, uint32_t most,
	                BookEntry **out, size_t *count);
	Err *(*see)(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *seen,
	            const BookUsers *users);
	Err *(*seen)(Book *book, Arena *a, Str subject, uint32_t attempt, BookSeen **out,
	             size_t *count);
	Err *(*users)(Book *book, Arena *a, Str subject, uint32_t attempt, Str run, int64_t after,
	              BookUsers **out, size_t *count);
	Err *(*fold)(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *own,
	             const BookSeen *ended, bool *done);
	Err *(*forget)(Book *book, Arena *a, Str subject, uint32_t attempt);
	Err *(*keep_differences)(Book *book, Arena *a, Str subject, uint32_t shadows,
	                         const BookDifferences *found);
	Err *(*differences)(Book *book, Arena *a, Str subject, uint32_t shadows,
	                    BookDifferences **out, size_t *count);
	Err *(*accept)(Book *book, Arena *a, Str subject, const BookAccepted *accepted);
	Err *(*accepted)(Book *book, Arena *a, Str subject, BookAccepted **out, size_t *count);
	/* The secret of that name, `offered` where there was none, or insists. */
	Err *(*key)(Book *book, Arena *a, Str name, Str offered, bool insist, Str *secret);
	Err *(*wait)(Book *book, Arena *a, int64_t most_us);
} BookOps;

/* The first member of each kind's own struct. */
struct Book {
	const BookOps *ops;
	Arena *arena;
};

enum { BOOK_USERS_ROWS = 256 };

/* In an arena of its own, which close gives back. */
Err *book_sql_open(Arena *a, Str url, Book **out) MUST_USE;
Err *book_redis_open(Arena *a, Str url, Book **out) MUST_USE;
