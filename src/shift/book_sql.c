/* SPDX-License-Identifier: Apache-2.0
 *
 * The book in a database, SQLite or PostgreSQL: a change and its entry are one transaction, so that the journal has no gap, and
 * what a run saw and whom it counted are another. */
#include "shift/book_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "store/schema.h"

#include "shift_book_sql.h"
#include "shift_schema.h"

#define CHANNEL "shift"

typedef struct SqlBook {
	Book base;
	Db *db;
	DbWatch watch;
	bool watching;
} SqlBook;

static SqlBook *sql_of(const Book *book)
{
	return CONTAINER((Book *)(uintptr_t)book, SqlBook, base);
}

static Db *db_of(const Book *book)
{
	return sql_of(book)->db;
}

static void sql_close(Book *book)
{
	SqlBook *s = sql_of(book);

	if (s->watching)
		db_watch_end(&s->watch);
	db_close(s->db);
	arena_free(book->arena);
}

static Err *sql_ready(Book *book, Arena *a)
{
	uint32_t applied;

	TRY(schema_apply(db_of(book), a, store_own_schema(), &applied));
	return schema_apply(db_of(book), a, &shift_schema, &applied);
}

/* --- states and the journal ------------------------------------------------------------------------------------------- */

static Err *sql_states(Book *book, Arena *a, BookRow **out, size_t *count)
{
	StateRow *rows;

	TRY(db_all(db_of(book), a, book_states, &rows, count));
	*out = ARENA_ARRAY(a, BookRow, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = (BookRow){ rows[i].subject, rows[i].state, rows[i].revision };
	return NULL;
}

typedef struct Change {
	const BookChange *change;
	int64_t now_us;
	int64_t done;
} Change;

static Err *put_state(Db *tx, Arena *a, Change *c)
{
	const BookChange *is = c->change;

	if (is->before)
		return db_exec(tx, a, book_change, &c->done, .subject = is->subject,
		               .before = is->before, .revision = is->revision, .state = is->state,
		               .now = c->now_us);
	return db_exec(tx, a, book_begin, &c->done, .subject = is->subject,
	               .revision = is->revision, .state = is->state, .changed_at = c->now_us);
}

static Err *make_change(Db *tx, Arena *a, void *arg)
{
	Change *c = arg;
	const BookEntry *e = c->change->entry;

	TRY(put_state(tx, a, c));
	if (!c->done)
		return NULL;
	TRY(db_exec(tx, a, book_enter, NULL, .subject = c->change->subject,
	            .revision = c->change->revision, .done_at = e->at_us, .who = e->who,
	            .verb = e->verb, .from_phase = e->from, .to_phase = e->to,
	            .share_ppm = e->share_ppm, .why = e->why,
	            .evidence = e->evidence.len ? e->evidence : S("{}")));
	return db_tell(tx, a, CHANNEL);
}

static Err *sql_change(Book *book, Arena *a, const BookChange *change, bool *done)
{
	Change c = { .change = change, .now_us = time_utc_us() };

	TRY(db_txn(db_of(book), a, DB_READ_COMMITTED, make_change, &c));
	*done = c.done > 0;
	return NULL;
}

static Err *sql_history(Book *book, Arena *a, Str subject, int64_t before, uint32_t most,
                        BookEntry **out, size_t *count)
{
	EntryRow *rows;
	BookEntry *entries;

	TRY(db_all(db_of(book), a, book_history, &rows, count, .subject = subject, .before = before,
	           .most = most));
	*out = entries = ARENA_ARRAY(a, BookEntry, *count + 1);
	for (size_t i = 0; i < *count; i++)
		entries[i] = (BookEntry){ rows[i].revision,
			                  rows[i].done_at,
			                  rows[i].who,
			                  rows[i].verb,
			                  rows[i].from_phase,
			                  rows[i].to_phase,
			                  (uint32_t)rows[i].share_ppm,
			                  rows[i].why,
			                  rows[i].evidence };
	return NULL;
}

/* --- evidence --------------------------------------------------------------------------------------------------------- */

typedef struct Seeing {
	Str subject;
	uint32_t attempt;
	const BookSeen *seen, *ended;
	const BookUsers *users;
	int64_t folded;
} Seeing;

static Err *put_seen(Db *tx, Arena *a, const Seeing *s)
{
	return db_exec(tx, a, book_see, NULL, .subject = s->subject, .gateway = s->seen->run,
	               .attempt = s->attempt, .step = s->seen->step, .seen_at = s->seen->at_us,
	               .evidence = s->seen->evidence);
}

static Err *see(Db *tx, Arena *a, void *arg)
{
	const Seeing *s = arg;

	TRY(put_seen(tx, a, s));
	return db_exec(tx, a, book_users_add, NULL, .subject = s->subject, .attempt = s->attempt,
	               .gateway = s->seen->run, .seq = s->users->seq, .step = s->users->step,
	               .users = s->users->users);
}

static Err *sql_see(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *seen,
                    const BookUsers *users)
{
	Seeing s = { .subject = subject, .attempt = attempt, .seen = seen, .users = users };

	if (!users)
		return put_seen(db_of(book), a, &s);
	return db_txn(db_of(book), a, DB_READ_COMMITTED, see, &s);
}

static Err *sql_seen(Book *book, Arena *a, Str subject, uint32_t attempt, BookSeen **out,
                     size_t *count)
{
	SeenRow *rows;

	TRY(db_all(db_of(book), a, book_seen, &rows, count, .subject = subject,
	           .attempt = attempt));
	*out = ARENA_ARRAY(a, BookSeen, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = (BookSeen){ rows[i].gateway, (int32_t)rows[i].step, rows[i].seen_at,
			                rows[i].evidence };
	return NULL;
}

static Err *sql_users(Book *book, Arena *a, Str subject, uint32_t attempt, Str run, int64_t after,
                      BookUsers **out, size_t *count)
{
	UsersRow *rows;

	TRY(db_all(db_of(book), a, book_users, &rows, count, .subject = subject, .attempt = attempt,
	           .gateway = run, .after = after, .most = BOOK_USERS_ROWS));
	*out = ARENA_ARRAY(a, BookUsers, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = (BookUsers){ rows[i].seq, (int32_t)rows[i].step, rows[i].users };
	return NULL;
}

static Err *fold(Db *tx, Arena *a, void *arg)
{
	Seeing *s = arg;

	TRY(db_exec(tx, a, book_fold, &s->folded, .subject = s->subject, .gateway = s->ended->run,
	            .attempt = s->attempt, .seen_at = s->ended->at_us,
	            .evidence = s->ended->evidence));
	return s->folded ? put_seen(tx, a, s) : NULL;
}

static Err *sql_fold(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *own,
                     const BookSeen *ended, bool *done)
{
	Seeing s = { .subject = subject, .attempt = attempt, .seen = own, .ended = ended };

	TRY(db_txn(db_of(book), a, DB_READ_COMMITTED, fold, &s));
	*done = s.folded > 0;
	return NULL;
}

static Err *sql_forget(Book *book, Arena *a, Str subject, uint32_t attempt)
{
	TRY(db_exec(db_of(book), a, book_forget_seen, NULL, .subject = subject,
	            .attempt = attempt));
	return db_exec(db_of(book), a, book_forget_users, NULL, .subject = subject,
	               .attempt = attempt);
}

/* --- differences ------------------------------------------------------------------------------------------------------ */

static Err *sql_keep_differences(Book *book, Arena *a, Str subject, uint32_t shadows,
                                 const BookDifferences *found)
{
	return db_exec(db_of(book), a, book_keep_differences, NULL, .subject = subject,
	               .gateway = found->gateway, .shadows = shadows, .kept_at = time_utc_us(),
	               .differences = found->differences);
}

static Err *sql_differences(Book *book, Arena *a, Str subject, uint32_t shadows,
                            BookDifferences **out, size_t *count)
{
	DifferenceRow *rows;

	TRY(db_all(db_of(book), a, book_differences, &rows, count, .subject = subject,
	           .shadows = shadows));
	*out = ARENA_ARRAY(a, BookDifferences, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = (BookDifferences){ rows[i].gateway, rows[i].differences };
	return NULL;
}

static Err *sql_accept(Book *book, Arena *a, Str subject, const BookAccepted *accepted)
{
	return db_exec(db_of(book), a, book_accept, NULL, .subject = subject,
	               .path = accepted->path, .kind = accepted->kind, .who = accepted->who,
	               .accepted_at = accepted->at_us);
}

static Err *sql_accepted(Book *book, Arena *a, Str subject, BookAccepted **out, size_t *count)
{
	AcceptedRow *rows;

	TRY(db_all(db_of(book), a, book_accepted, &rows, count, .subject = subject));
	*out = ARENA_ARRAY(a, BookAccepted, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = (BookAccepted){ rows[i].path, rows[i].kind, rows[i].who,
			                    rows[i].accepted_at };
	return NULL;
}

/* --- the rest --------------------------------------------------------------------------------------------------------- */

static Err *sql_key(Book *book, Arena *a, Str name, Str offered, bool insist, Str *secret)
{
	BookKeyRow *row;

	TRY(db_exec(db_of(book), a, book_key_add, NULL, .name = name, .secret = offered));
	if (insist)
		TRY(db_exec(db_of(book), a, book_key_put, NULL, .name = name, .secret = offered));
	TRY(db_one(db_of(book), a, book_key, &row, .name = name));
	*secret = row ? row->secret : S("");
	return NULL;
}

static Err *sql_wait(Book *book, Arena *a, int64_t most_us)
{
	SqlBook *s = sql_of(book);

	if (!s->watching) {
		TRY(db_watch_begin(&s->watch, s->db, a, CHANNEL));
		s->watching = true;
	}
	return db_watch_wait(&s->watch, most_us);
}

#define OPS(far_) \
	{ \
		.far = (far_), .close = sql_close, .db = db_of, .ready = sql_ready, \
		.states = sql_states, .change = sql_change, .history = sql_history, \
		.see = sql_see, .seen = sql_seen, .users = sql_users, .fold = sql_fold, \
		.forget = sql_forget, .keep_differences = sql_keep_differences, \
		.differences = sql_differences, .accept = sql_accept, .accepted = sql_accepted, \
		.key = sql_key, .wait = sql_wait, \
	}
static const BookOps file_ops = OPS(false), server_ops = OPS(true);

Err *book_sql_open(Arena *a, Str url, Book **out)
{
	Arena *own = arena_new(0);
	SqlBook *s = ARENA_NEW(own, SqlBook);
	DbConf conf = { .url = str_dup(own, url), .name = S("shift"), .create = true };
	Err *err;

	*s = (SqlBook){ .base.arena = own };
	s->base.ops = str_starts(url, S("sqlite:")) ? &file_ops : &server_ops;
	err = err_copy(a, db_open(own, &conf, &s->db));
	if (err)
		arena_free(own);
	else
		*out = &s->base;
	return err;
}
