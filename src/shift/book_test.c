/* SPDX-License-Identifier: Apache-2.0
 *
 * What every kind of book does: in a file, and in a real Redis. */
#include "shift/book.c"

#include "base/time.h"
#include "rt/loop.h"

#include "redis_server.h"
#include "unit.h"

typedef void Body(Arena *a, Book *book);

typedef struct Setup {
	Arena *a;
	Body *body;
} Setup;

static void on(const Setup *setup, Str url)
{
	Book *book;

	CHECK_OK(book_open(setup->a, url, &book));
	CHECK_OK(book_ready(book, setup->a));
	setup->body(setup->a, book);
	book_close(book);
}

static Err *each_main(void *arg)
{
	const Setup *setup = arg;
	RedisServerProcess *server = redis_start(setup->a, NULL);

	on(setup, server->url);
	on(setup, str_fmt(setup->a, "sqlite:%s/book-%016" PRIx64 ".db", unit_dir(), rand_u64()));
	redis_kill(server);
	return NULL;
}

static void each_kind(Arena *a, Body *body)
{
	Setup setup = { a, body };
	RtConf rt = { .loops = 1 };

	CHECK_OK(rt_run(&rt, each_main, &setup));
}

static BookEntry entry_of(const char *verb)
{
	return (BookEntry){ .at_us = 17,
		            .who = S("ann"),
		            .verb = str_of(verb),
		            .from = S("old"),
		            .to = S("canary"),
		            .share_ppm = 5000,
		            .why = S("a \"word\"") };
}

static void changes(Arena *a, Book *book)
{
	ShiftState state = { .phase = SHIFT_CANARY, .share_ppm = 5000 }, late = state;
	BookEntry entry = entry_of("canary"), *entries;
	BookState *states;
	size_t count;

	CHECK_OK(book_change(book, a, S("users"), &state, &entry));
	CHECK_INT(state.revision, 1);
	CHECK_ERR(book_change(book, a, S("users"), &late, &entry), "shift.changed");
	late.revision = 2;
	CHECK_ERR(book_change(book, a, S("users"), &late, &entry), "shift.changed");
	CHECK_OK(book_change(book, a, S("users"), &state, &entry));
	CHECK_OK(book_states(book, a, &states, &count));
	CHECK_INT(count, 1);
	CHECK_STR(states[0].subject, S("users"));
	CHECK_INT(states[0].state.revision, 2);
	CHECK_INT(states[0].state.share_ppm, 5000);
	CHECK_OK(book_history(book, a, S("users"), 0, 10, &entries, &count));
	CHECK_INT(count, 2);
	CHECK_INT(entries[0].revision, 2);
	CHECK_INT(entries[1].at_us, 17);
	CHECK_STR(entries[1].why, S("a \"word\""));
	CHECK_STR(entries[1].evidence, S("{}"));
	CHECK_INT(entries[1].share_ppm, 5000);
	CHECK_OK(book_history(book, a, S("users"), 2, 10, &entries, &count));
	CHECK_INT(count, 1);
	CHECK_OK(book_history(book, a, S("users"), 0, 1, &entries, &count));
	CHECK_INT(entries[0].revision, 2);
}

TEST(book_takes_a_change_from_the_revision_that_was_seen)
{
	each_kind(a, changes);
}

static void puts_back(Arena *a, Book *book)
{
	ShiftState state = { .revision = 7, .phase = SHIFT_NEW }, next;
	BookEntry entry = entry_of("restore"), *entries;
	size_t count;

	CHECK_OK(book_put_back(book, a, S("users"), 0, &state, &entry));
	CHECK_ERR(book_put_back(book, a, S("users"), 0, &state, &entry), "shift.changed");
	next = state;
	CHECK_OK(book_change(book, a, S("users"), &next, &entry));
	CHECK_INT(next.revision, 8);
	CHECK_OK(book_history(book, a, S("users"), 0, 10, &entries, &count));
	CHECK_INT(count, 2);
	CHECK_INT(entries[1].revision, 7);
}

TEST(book_gets_back_a_revision_that_it_has_lost)
{
	each_kind(a, puts_back);
}

static void sees(Arena *a, Book *book)
{
	BookSeen one = { S("a#1"), 2, 100, S("{\"x\":1}") }, *seen;
	BookUsers users = { 1, 2, S("abc") }, *rows;
	BookSeen own = { S("a#2"), 2, 200, S("{\"x\":3}") }, stub = one;
	size_t count;
	bool done;

	CHECK_OK(book_see(book, a, S("users"), 4, &one, &users));
	CHECK_OK(book_see(book, a, S("users"), 4, &one, &users)); /* as after an answer was lost */
	users.seq = 2;
	CHECK_OK(book_see(book, a, S("users"), 4, &one, &users));
	CHECK_OK(book_see(book, a, S("users"), 4, &one, NULL));
	CHECK_OK(book_seen(book, a, S("users"), 4, &seen, &count));
	CHECK_INT(count, 1);
	CHECK_STR(seen[0].run, S("a#1"));
	CHECK_INT(seen[0].at_us, 100);
	CHECK_INT(seen[0].step, 2);
	CHECK_STR(seen[0].evidence, S("{\"x\":1}"));
	CHECK_OK(book_users(book, a, S("users"), 4, S("a#1"), 0, &rows, &count));
	CHECK_INT(count, 2);
	CHECK_STR(rows[0].users, S("abc"));
	CHECK_OK(book_users(book, a, S("users"), 4, S("a#1"), 1, &rows, &count));
	CHECK_INT(count, 1);
	CHECK_INT(rows[0].seq, 2);
	stub.evidence = S("{}");
	stub.at_us = 99;
	CHECK_OK(book_fold(book, a, S("users"), 4, &own, &stub, &done));
	CHECK(!done); /* it has said something since */
	stub.at_us = 100;
	CHECK_OK(book_fold(book, a, S("users"), 4, &own, &stub, &done));
	CHECK(done);
	CHECK_OK(book_seen(book, a, S("users"), 4, &seen, &count));
	CHECK_INT(count, 2);
	CHECK_OK(book_seen(book, a, S("users"), 5, &seen, &count));
	CHECK_INT(count, 0);
}

TEST(book_keeps_what_runs_see_and_folds_one_once)
{
	each_kind(a, sees);
}

static void forgets(Arena *a, Book *book)
{
	BookSeen one = { S("a#1"), 2, 100, S("{}") }, *seen;
	size_t count;

	CHECK_OK(book_see(book, a, S("users"), 4, &one, NULL));
	one.run = S("b#1");
	CHECK_OK(book_see(book, a, S("users"), 5, &one, NULL));
	CHECK_OK(book_forget(book, a, S("users"), 5));
	CHECK_OK(book_seen(book, a, S("users"), 5, &seen, &count));
	CHECK_INT(count, 1);
}

TEST(book_forgets_what_was_before_an_attempt)
{
	each_kind(a, forgets);
}

static void accepts(Arena *a, Book *book)
{
	BookAccepted one = { S(".a b"), S("value"), S("ann lee"), 9 }, other = one, *rows;
	BookDifferences found = { S("a"), S("{\"n\":1}") }, *all;
	size_t count;

	other.path = S(".c");
	other.at_us = 5;
	CHECK_OK(book_accept(book, a, S("users"), &one));
	CHECK_OK(book_accept(book, a, S("users"), &other));
	one.who = S("bob"); /* the last one has said it */
	CHECK_OK(book_accept(book, a, S("users"), &one));
	CHECK_OK(book_accepted(book, a, S("users"), &rows, &count));
	CHECK_INT(count, 2);
	CHECK_STR(rows[0].path, S(".c"));
	CHECK_STR(rows[1].path, S(".a b"));
	CHECK_STR(rows[1].kind, S("value"));
	CHECK_STR(rows[1].who, S("bob"));
	CHECK_INT(rows[1].at_us, 9);
	other.who = (Str){ 0 }; /* and takes it back */
	CHECK_OK(book_accept(book, a, S("users"), &other));
	CHECK_OK(book_accepted(book, a, S("users"), &rows, &count));
	CHECK_INT(count, 2);
	CHECK_STR(rows[0].path, S(".c"));
	CHECK_INT(rows[0].who.len, 0);
	CHECK_OK(book_keep_differences(book, a, S("users"), 3, &found));
	CHECK_OK(book_differences(book, a, S("users"), 3, &all, &count));
	CHECK_INT(count, 1);
	CHECK_STR(all[0].differences, S("{\"n\":1}"));
	CHECK_OK(book_differences(book, a, S("users"), 4, &all, &count));
	CHECK_INT(count, 0);
}

TEST(book_keeps_differences_and_what_people_accept)
{
	each_kind(a, accepts);
}

static void keys(Arena *a, Book *book)
{
	uint64_t first[2], again[2] = { 1, 2 }, known[2] = { 3, 4 };

	CHECK_OK(book_key(book, a, S("cookie"), BOOK_KEY_READ, first));
	CHECK_OK(book_key(book, a, S("cookie"), BOOK_KEY_KNOWN, again));
	CHECK(again[0] == first[0] && again[1] == first[1]);
	CHECK_OK(book_key(book, a, S("cookie"), BOOK_KEY_INSIST, known));
	CHECK_OK(book_key(book, a, S("cookie"), BOOK_KEY_READ, again));
	CHECK(again[0] == 3 && again[1] == 4);
	CHECK_OK(book_key(book, a, S("other"), BOOK_KEY_KNOWN, known));
	CHECK(known[0] == 3 && known[1] == 4);
}

TEST(book_has_one_key_for_all)
{
	each_kind(a, keys);
}
