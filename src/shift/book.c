/* SPDX-License-Identifier: Apache-2.0
 *
 * The book, whatever it is kept in (book_int.h). A state is one JSON value, so that releases next to each other can read each
 * other's; its revision stands beside it, and numbers the journal. */
#include "shift/book_int.h"

#include "base/arena.h"
#include "base/rand.h"
#include "gateway/conf_shift.h"

Err *book_open(Arena *a, Str url, Book **out)
{
	return shift_store_is_redis(url) ? book_redis_open(a, url, out)
	                                 : book_sql_open(a, url, out);
}

void book_close(Book *book)
{
	if (book)
		book->ops->close(book);
}

bool book_is_far(const Book *book)
{
	return book->ops->far;
}

struct Db *book_db(const Book *book)
{
	return book->ops->db ? book->ops->db(book) : NULL;
}

Err *book_ready(Book *book, Arena *a)
{
	return book->ops->ready(book, a);
}

/* --- states ----------------------------------------------------------------------------------------------------------- */

Err *book_states(Book *book, Arena *a, BookState **out, size_t *count)
{
	BookRow *rows;
	size_t n;
	BookState *states;

	TRY(book->ops->states(book, a, &rows, &n));
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

static Err *change(Book *book, Arena *a, Str subject, int64_t before, int64_t revision,
                   const ShiftState *state, const BookEntry *entry)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	BookChange c = {
		.subject = subject, .before = before, .revision = revision, .entry = entry
	};
	bool done = false;

	shift_state_put(&w, state);
	TRY(json_done(&w, &c.state));
	TRY(book->ops->change(book, a, &c, &done));
	if (done)
		return NULL;
	return err_new(a, ERR_CONFLICT, "shift.changed",
	               "%.*s was changed by somebody else meanwhile: look again", STR_ARG(subject));
}

Err *book_change(Book *book, Arena *a, Str subject, ShiftState *state, const BookEntry *entry)
{
	TRY(change(book, a, subject, state->revision, state->revision + 1, state, entry));
	state->revision++;
	return NULL;
}

Err *book_put_back(Book *book, Arena *a, Str subject, int64_t there, const ShiftState *state,
                   const BookEntry *entry)
{
	return change(book, a, subject, there, state->revision, state, entry);
}

Err *book_history(Book *book, Arena *a, Str subject, int64_t before, uint32_t most, BookEntry **out,
                  size_t *count)
{
	return book->ops->history(book, a, subject, before ? before : INT64_MAX, most, out, count);
}

/* --- evidence --------------------------------------------------------------------------------------------------------- */

Err *book_see(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *seen,
              const BookUsers *users)
{
	return book->ops->see(book, a, subject, attempt, seen, users);
}

Err *book_seen(Book *book, Arena *a, Str subject, uint32_t attempt, BookSeen **out, size_t *count)
{
	return book->ops->seen(book, a, subject, attempt, out, count);
}

Err *book_users(Book *book, Arena *a, Str subject, uint32_t attempt, Str run, int64_t after,
                BookUsers **out, size_t *count)
{
	return book->ops->users(book, a, subject, attempt, run, after, out, count);
}

Err *book_fold(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *own,
               const BookSeen *ended, bool *done)
{
	*done = false;
	return book->ops->fold(book, a, subject, attempt, own, ended, done);
}

Err *book_forget(Book *book, Arena *a, Str subject, uint32_t attempt)
{
	return book->ops->forget(book, a, subject, attempt);
}

/* --- differences ------------------------------------------------------------------------------------------------------ */

Err *book_keep_differences(Book *book, Arena *a, Str subject, uint32_t shadows,
                           const BookDifferences *found)
{
	return book->ops->keep_differences(book, a, subject, shadows, found);
}

Err *book_differences(Book *book, Arena *a, Str subject, uint32_t shadows, BookDifferences **out,
                      size_t *count)
{
	return book->ops->differences(book, a, subject, shadows, out, count);
}

Err *book_accept(Book *book, Arena *a, Str subject, const BookAccepted *accepted)
{
	return book->ops->accept(book, a, subject, accepted);
}

Err *book_accepted(Book *book, Arena *a, Str subject, BookAccepted **out, size_t *count)
{
	return book->ops->accepted(book, a, subject, out, count);
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

Err *book_key(Book *book, Arena *a, Str name, BookKeyHow how, uint64_t key[2])
{
	uint64_t offered[2] = { key[0], key[1] };
	Str secret = { 0 };

	if (how == BOOK_KEY_READ)
		rand_bytes(offered, sizeof offered);
	TRY(book->ops->key(book, a, name,
	                   str_fmt(a, "%016" PRIx64 "%016" PRIx64, offered[0], offered[1]),
	                   how == BOOK_KEY_INSIST, &secret));
	if (!read_hex(secret, key))
		return err_new(a, ERR_INTERNAL, "shift.key", "the key %.*s cannot be read",
		               STR_ARG(name));
	return NULL;
}

Err *book_wait(Book *book, Arena *a, int64_t most_us)
{
	return book->ops->wait(book, a, most_us);
}
