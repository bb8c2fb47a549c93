/* SPDX-License-Identifier: Apache-2.0
 *
 * The book over the store. A state is one JSON value, so that releases next to each other can read each other's; its revision
 * stands beside it, and numbers the journal. */
#include "shift/book.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "store/schema.h"

#include "shift_book_sql.h"
#include "shift_schema.h"

#define CHANNEL "shift"

struct Book {
	Arena *arena;
	Db *db;
	DbWatch watch;
	bool watching;
};

static Err *open_db(Book *book, Arena *a, Str url)
{
	DbConf conf = { .url = str_dup(book->arena, url), .name = S("shift"), .create = true };
	uint32_t applied;

	TRY(db_open(book->arena, &conf, &book->db));
	TRY(schema_apply(book->db, a, store_own_schema(), &applied));
	return schema_apply(book->db, a, &shift_schema, &applied);
}

Err *book_open(Arena *a, Str url, Book **out)
{
	Arena *own = arena_new(0);
	Book *book = ARENA_NEW(own, Book);
	Err *err;

	*book = (Book){ .arena = own };
	err = open_db(book, a, url);
	if (err) {
		err = err_new(a, err->kind, err->slug, "%.*s", STR_ARG(err_chain(a, err)));
		book_close(book);
		return err;
	}
	*out = book;
	return NULL;
}

void book_close(Book *book)
{
	if (!book)
		return;
	if (book->watching)
		db_watch_end(&book->watch);
	if (book->db)
		db_close(book->db);
	arena_free(book->arena);
}

Db *book_db(const Book *book)
{
	return book->db;
}

/* --- states ----------------------------------------------------------------------------------------------------------- */

Err *book_states(Book *book, Arena *a, BookState **out, size_t *count)
{
	StateRow *rows;
	size_t n;
	BookState *states;

	TRY(db_all(book->db, a, book_states, &rows, &n));
	states = ARENA_ARRAY(a, BookState, n + 1);
	for (size_t i = 0; i < n; i++) {
		const Json *json;

		TRY(json_read(a, rows[i].state, 0, &json));
		TRY(shift_state_read(a, json, &states[i].state));
		states[i].subject = rows[i].subject;
		states[i].state.revision = rows[i].revision;
	}
	*out = states;
	*count = n;
	return NULL;
}

typedef struct Change {
	Str subject, state;
	int64_t before, now_us;
	const BookEntry *entry;
} Change;

static Err *put_state(Db *tx, Arena *a, const Change *c)
{
	int64_t changed = 0;

	if (c->before)
		TRY(db_exec(tx, a, book_change, &changed, .subject = c->subject,
		            .before = c->before, .revision = c->before + 1, .state = c->state,
		            .now = c->now_us));
	else
		TRY(db_exec(tx, a, book_begin, &changed, .subject = c->subject, .revision = 1,
		            .state = c->state, .changed_at = c->now_us));
	if (!changed)
		return err_new(a, ERR_CONFLICT, "shift.changed",
		               "%.*s was changed by somebody else meanwhile: look again",
		               STR_ARG(c->subject));
	return NULL;
}

static Err *change(Db *tx, Arena *a, void *arg)
{
	const Change *c = arg;
	const BookEntry *e = c->entry;

	TRY(put_state(tx, a, c));
	TRY(db_exec(tx, a, book_enter, NULL, .subject = c->subject, .revision = c->before + 1,
	            .done_at = e->at_us, .who = e->who, .verb = e->verb, .from_phase = e->from,
	            .to_phase = e->to, .share_ppm = e->share_ppm, .why = e->why,
	            .evidence = e->evidence.len ? e->evidence : S("{}")));
	return db_tell(tx, a, CHANNEL);
}

Err *book_change(Book *book, Arena *a, Str subject, ShiftState *state, const BookEntry *entry)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	Change c = { .subject = subject,
		     .before = state->revision,
		     .now_us = time_utc_us(),
		     .entry = entry };

	shift_state_put(&w, state);
	TRY(json_done(&w, &c.state));
	TRY(db_txn(book->db, a, DB_READ_COMMITTED, change, &c));
	state->revision++;
	return NULL;
}

/* --- the journal ------------------------------------------------------------------------------------------------------ */

Err *book_history(Book *book, Arena *a, Str subject, int64_t before, uint32_t most, BookEntry **out,
                  size_t *count)
{
	EntryRow *rows;
	BookEntry *entries;
	size_t n;

	TRY(db_all(book->db, a, book_history, &rows, &n, .subject = subject,
	           .before = before ? before : INT64_MAX, .most = most));
	entries = ARENA_ARRAY(a, BookEntry, n + 1);
	for (size_t i = 0; i < n; i++)
		entries[i] = (BookEntry){ rows[i].revision,
			                  rows[i].done_at,
			                  rows[i].who,
			                  rows[i].verb,
			                  rows[i].from_phase,
			                  rows[i].to_phase,
			                  (uint32_t)rows[i].share_ppm,
			                  rows[i].why,
			                  rows[i].evidence };
	*out = entries;
	*count = n;
	return NULL;
}

/* --- evidence --------------------------------------------------------------------------------------------------------- */

Err *book_see(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *seen)
{
	return db_exec(book->db, a, book_see, NULL, .subject = subject, .gateway = seen->gateway,
	               .attempt = attempt, .step = seen->step, .seen_at = seen->at_us,
	               .evidence = seen->evidence);
}

Err *book_seen(Book *book, Arena *a, Str subject, uint32_t attempt, BookSeen **out, size_t *count)
{
	SeenRow *rows;
	BookSeen *seen;
	size_t n;

	TRY(db_all(book->db, a, book_seen, &rows, &n, .subject = subject, .attempt = attempt));
	seen = ARENA_ARRAY(a, BookSeen, n + 1);
	for (size_t i = 0; i < n; i++)
		seen[i] = (BookSeen){ rows[i].gateway, (int32_t)rows[i].step, rows[i].seen_at,
			              rows[i].evidence };
	*out = seen;
	*count = n;
	return NULL;
}

/* --- differences ------------------------------------------------------------------------------------------------------ */

Err *book_keep_differences(Book *book, Arena *a, Str subject, uint32_t shadows,
                           const BookDifferences *found)
{
	return db_exec(book->db, a, book_keep_differences, NULL, .subject = subject,
	               .gateway = found->gateway, .shadows = shadows, .kept_at = time_utc_us(),
	               .differences = found->differences);
}

Err *book_differences(Book *book, Arena *a, Str subject, uint32_t shadows, BookDifferences **out,
                      size_t *count)
{
	DifferenceRow *rows;
	BookDifferences *found;
	size_t n;

	TRY(db_all(book->db, a, book_differences, &rows, &n, .subject = subject,
	           .shadows = shadows));
	found = ARENA_ARRAY(a, BookDifferences, n + 1);
	for (size_t i = 0; i < n; i++)
		found[i] = (BookDifferences){ rows[i].gateway, rows[i].differences };
	*out = found;
	*count = n;
	return NULL;
}

Err *book_accept(Book *book, Arena *a, Str subject, const BookAccepted *accepted)
{
	return db_exec(book->db, a, book_accept, NULL, .subject = subject, .path = accepted->path,
	               .kind = accepted->kind, .who = accepted->who,
	               .accepted_at = accepted->at_us);
}

Err *book_accepted(Book *book, Arena *a, Str subject, BookAccepted **out, size_t *count)
{
	AcceptedRow *rows;
	BookAccepted *accepted;
	size_t n;

	TRY(db_all(book->db, a, book_accepted, &rows, &n, .subject = subject));
	accepted = ARENA_ARRAY(a, BookAccepted, n + 1);
	for (size_t i = 0; i < n; i++)
		accepted[i] = (BookAccepted){ rows[i].path, rows[i].kind, rows[i].who,
			                      rows[i].accepted_at };
	*out = accepted;
	*count = n;
	return NULL;
}

/* --- keys ------------------------------------------------------------------------------------------------------------- */

static bool read_hex(Str text, uint64_t key[2])
{
	if (text.len != 32)
		return false;
	key[0] = key[1] = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		unsigned digit = c <= '9' ? (unsigned)c - '0' : ((unsigned)c | 32) - 'a' + 10;

		if (digit > 15)
			return false;
		key[i / 16] = key[i / 16] << 4 | digit;
	}
	return true;
}

Err *book_key(Book *book, Arena *a, Str name, uint64_t key[2])
{
	uint64_t fresh[2];
	BookKeyRow *row;

	rand_bytes(fresh, sizeof fresh);
	TRY(db_exec(book->db, a, book_key_add, NULL, .name = name,
	            .secret = str_fmt(a, "%016" PRIx64 "%016" PRIx64, fresh[0], fresh[1])));
	TRY(db_one(book->db, a, book_key, &row, .name = name));
	if (!row || !read_hex(row->secret, key))
		return err_new(a, ERR_INTERNAL, "shift.key", "the key %.*s cannot be read",
		               STR_ARG(name));
	return NULL;
}

Err *book_wait(Book *book, Arena *a, int64_t most_us)
{
	if (!book->watching) {
		TRY(db_watch_begin(&book->watch, book->db, a, CHANNEL));
		book->watching = true;
	}
	return db_watch_wait(&book->watch, most_us);
}
