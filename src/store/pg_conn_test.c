/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pg_conn.c"

#include "pg_server.h"
#include "unit.h"

/* --- a play: one fiber with a connection ----------------------------------------------------------------------------- */

typedef struct Play {
	Arena *a;
	Str url;
	PgConn *c;
	bool pooled; /* as behind PgBouncer */
	void (*run)(struct Play *play);
} Play;

static Err *dial_url(Arena *a, Str url, bool session, PgConn **out, bool *full)
{
	PgTarget target;

	TRY(pg_target_read(a, url, session, &target));
	return pg_conn_open(a, &target, session, out, full);
}

static Err *stage(void *arg)
{
	Play *play = arg;

	CHECK_OK(dial_url(play->a, play->url, !play->pooled, &play->c, NULL));
	play->run(play);
	pg_conn_free(play->c);
	return NULL;
}

static void perform(Arena *a, Str url, bool pooled, void (*run)(Play *play))
{
	Play play = { a, url, NULL, pooled, run };

	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 2 }, stage, &play));
}

#define PLAY(name_) \
	static void name_##_(Play *play); \
	TEST(name_) \
	{ \
		perform(a, pg_server(a, "tester", ""), false, name_##_); \
	} \
	static void name_##_(Play *play)

static PGresult *ask_text(Play *play, const char *text, const void *key)
{
	PgAsk ask = { .text = text, .key = key };

	CHECK_OK(pg_ask(play->c, play->a, &ask, 1));
	CHECK(!play->c->dirty);
	return ask.result;
}

static Str one_text(Play *play, const char *text, const void *key)
{
	AUTO(pg_result_freep) PGresult *result = ask_text(play, text, key);

	NOTE("%s: %s", text, PQresultErrorMessage(result));
	CHECK_INT(PQresultStatus(result), PGRES_TUPLES_OK);
	return str_dup(play->a, str_of(PQgetvalue(result, 0, 0)));
}

static Err *failure(Play *play, const char *text, const void *key)
{
	AUTO(pg_result_freep) PGresult *result = ask_text(play, text, key);

	CHECK(is_error(result));
	return pg_error(play->a, NULL, result);
}

/* --- connecting ------------------------------------------------------------------------------------------------------ */

PLAY(pg_conn_speaks)
{
	CHECK_STR(one_text(play, "select 'word'", NULL), S("word"));
	CHECK_STR(one_text(play, "show timezone", NULL), S("UTC"));
	CHECK_STR(one_text(play, "show application_name", NULL), S("banyan"));
	CHECK_STR(one_text(play, "show client_connection_check_interval", NULL), S("2s"));
	CHECK_STR(one_text(play, "show idle_in_transaction_session_timeout", NULL), S("1min"));
	CHECK(pg_conn_usable(play->c));
	CHECK_OK(pg_command(play->c, play->a, "begin"));
	CHECK(!pg_conn_usable(play->c));
}

TEST(pg_conn_logs_in_with_a_password_and_over_tls)
{
	static const struct {
		const char *user, *more;
	} cases[] = {
		{ "secret", "" },
		{ "tls", "?sslmode=require" },
		{ "tls", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		perform(a, pg_server(a, cases[i].user, cases[i].more), false, pg_conn_speaks_);
}

static Err *refusals(void *arg)
{
	Arena *a = arg;
	unsigned port = (unsigned)atoi(str_z(a, str_sub(pg_server(a, "tester", ""), 30, 35)));
	const struct {
		Str url, said;
	} cases[] = {
		{ pg_server_url(a, port, "tls", "?sslmode=disable"), S("rejects connection") },
		{ str_fmt(a, "postgresql://secret:wrong@127.0.0.1:%u/postgres", port),
		  S("password authentication failed") },
		{ str_fmt(a, "postgresql://tester@127.0.0.1:%u/nowhere", port),
		  S("does not exist") },
		{ S("postgresql://127.0.0.1:1/x"), S("Connection refused") },
		{ S("postgresql:///x?host=/nowhere"), S("No such file") },
		{ S("postgresql://no.such.invalid/x"), S("no address of no.such.invalid/x") },
		{ str_fmt(a,
		          "postgresql://tester@localhost:%u/postgres?sslmode=verify-full"
		          "&sslrootcert=/dev/null",
		          port),
		  S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		PgConn *c = NULL;
		Err *err = dial_url(a, cases[i].url, true, &c, NULL);

		CHECK_ERR(err, "db.unavailable");
		NOTE("%.*s", STR_ARG(err->text));
		CHECK(str_find(err->text, cases[i].said) >= 0);
		CHECK_NULL(c);
	}
	return NULL;
}

TEST(pg_conn_that_is_refused_says_why)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 2 }, refusals, a));
}

static Err *goes_on(void *arg)
{
	Arena *a = arg;
	unsigned port = (unsigned)atoi(str_z(a, str_sub(pg_server(a, "tester", ""), 30, 35)));
	PgConn *c = NULL;

	CHECK_OK(dial_url(a,
	                  str_fmt(a, "postgresql://tester@127.0.0.1:1,localhost:%u/postgres", port),
	                  true, &c, NULL));
	pg_conn_free(c);
	return NULL;
}

TEST(pg_conn_tries_one_host_after_another)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 2 }, goes_on, a));
}

static Err *given_up(void *arg)
{
	Str url = pg_server(arg, "secret", "");

	for (unsigned n = 1; n < 40; n++) {
		PgConn *c = NULL;
		Err *err;

		fiber_cancel_at_park(n);
		err = dial_url(arg, url, true, &c, NULL);
		pg_conn_free(c);
		if (!err) {
			CHECK(n > 5);
			fiber_cancel_at_park(0);
			return NULL;
		}
		CHECK(err_is(err, "rt.cancelled") || err_is(err->why, "rt.cancelled"));
		break;
	}
	return NULL;
}

TEST(pg_conn_that_is_given_up_leaves_nothing)
{
	for (unsigned i = 0; i < 3; i++)
		CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 2 }, given_up, a));
}

/* --- statements ------------------------------------------------------------------------------------------------------ */

static int64_t prepared(Play *play)
{
	Str count = one_text(play, "select count(*)::text from pg_prepared_statements", NULL);
	int64_t n = -1;

	CHECK(str_to_i64(count, &n));
	return n;
}

PLAY(pg_ask_prepares_once)
{
	static const char key_one[16], key_two[16];

	for (unsigned i = 0; i < 3; i++) {
		CHECK_STR(one_text(play, "select 'one'", key_one), S("one"));
		CHECK_STR(one_text(play, "select 'two'", key_two), S("two"));
		CHECK_INT(prepared(play), 2);
	}
	CHECK_STR(one_text(play, "select 'none'", NULL), S("none"));
	CHECK_INT(prepared(play), 2);
}

static void unnamed(Play *play)
{
	static const char key[16];

	for (unsigned i = 0; i < 2; i++)
		CHECK_STR(one_text(play, "select 'one'", key), S("one"));
	CHECK_INT(prepared(play), 0);
	CHECK_STR(one_text(play, "show client_connection_check_interval", key), S("0"));
}

TEST(pg_ask_prepares_nothing_behind_a_pooler)
{
	perform(a, pg_server(a, "tester", ""), true, unnamed);
}

PLAY(pg_ask_of_many_statements_prepares_them_all)
{
	char *keys = arena_alloc(play->a, 400 * 16);

	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 400; i++) {
			const char *text = str_fmt(play->a, "select '%u'", i).at;

			CHECK_STR(one_text(play, text, keys + 16 * i), str_fmt(play->a, "%u", i));
		}
	CHECK_INT(prepared(play), 400);
}

PLAY(pg_ask_errors_have_their_slugs)
{
	static const struct {
		const char *text, *slug;
	} cases[] = {
		{ "insert into e values (1, 1, 1)", "db.unique" },
		{ "insert into e values (2, 9, 1)", "db.foreign_key" },
		{ "insert into e values (2, 1, -1)", "db.check" },
		{ "insert into e values (2, 1, null)", "db.not_null" },
		{ "select 1 / 0", "db.check" },
		{ "select nothing from e", "db.sql" },
		{ "selec", "db.sql" },
		{ "select 99999999999999999999999::int8", "db.check" },
		{ "select (select id from e union all select 2)", "db.rows" },
		{ "rollback to savepoint nowhere", "db.misuse" },
	};
	static const char keys[COUNT(cases)][16];

	CHECK_OK(pg_command(play->c, play->a,
	                    "create temp table e (id int primary key, up int references e, "
	                    "n int not null check (n > 0)); insert into e values (1, 1, 1)"));
	for (unsigned round = 0; round < 2; round++)
		for (size_t i = 0; i < COUNT(cases); i++) {
			NOTE("%s", cases[i].text);
			CHECK_ERR(failure(play, cases[i].text, keys[i]), cases[i].slug);
			CHECK(pg_conn_usable(play->c));
		}
	CHECK_ERR(pg_command(play->c, play->a, "select 1; select 1 / 0; select 2"), "db.check");
	CHECK(pg_conn_usable(play->c));
}

PLAY(pg_ask_in_line_is_all_or_nothing)
{
	static const char keys[4][16];
	PgAsk good[] = {
		{ "insert into l values (1) returning id::text", keys[0], NULL, NULL },
		{ "select count(*)::text from l", keys[1], NULL, NULL },
		{ "select count(*)::text from l", keys[1], NULL, NULL },
	};
	PgAsk bad[] = {
		{ "insert into l values (2)", keys[2], NULL, NULL },
		{ "select 1 / 0", keys[3], NULL, NULL },
		{ "select count(*)::text from l", keys[1], NULL, NULL },
	};

	CHECK_OK(pg_command(play->c, play->a, "create temp table l (id int)"));
	CHECK_OK(pg_ask(play->c, play->a, good, 3));
	for (unsigned i = 0; i < 3; i++) {
		CHECK_STR(str_of(PQgetvalue(good[i].result, 0, 0)), S("1"));
		PQclear(good[i].result);
	}
	CHECK_OK(pg_ask(play->c, play->a, bad, 3));
	CHECK_INT(PQresultStatus(bad[0].result), PGRES_COMMAND_OK);
	CHECK_ERR(pg_error(play->a, NULL, bad[1].result), "db.check");
	CHECK_NULL(bad[2].result);
	PQclear(bad[0].result);
	PQclear(bad[1].result);
	CHECK_STR(one_text(play, "select count(*)::text from l", NULL), S("1"));
	CHECK(pg_conn_usable(play->c));
}

PLAY(pg_ask_again_after_the_table_changed)
{
	static const char key[16];

	CHECK_OK(pg_command(play->c, play->a,
	                    "create temp table s (a text); insert into s values ('x')"));
	CHECK_STR(one_text(play, "select * from s", key), S("x"));
	CHECK_OK(pg_command(play->c, play->a, "alter table s add b int"));
	for (unsigned i = 0; i < 2; i++) {
		AUTO(pg_result_freep) PGresult *result = ask_text(play, "select * from s", key);

		CHECK(pg_is_stale(result));
		pg_forget(play->c, key);
		CHECK_STR(one_text(play, "select * from s", key), S("x"));
		CHECK_OK(pg_command(play->c, play->a, "deallocate all"));
	}
}

typedef struct Rows {
	Arena *a;
	unsigned rows, ends;
	bool stops;
} Rows;

static Err *count_row(const PGresult *result, void *arg)
{
	Rows *rows = arg;

	if (is_error(result))
		return pg_error(rows->a, NULL, result);
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		rows->ends++;
	rows->rows += (unsigned)PQntuples(result);
	return rows->stops && rows->rows == 5 ? err_new(rows->a, ERR_GONE, "test.enough", "enough")
	                                      : NULL;
}

PLAY(pg_ask_each_hands_out_rows)
{
	static const char key[16];
	Rows rows = { .a = play->a };
	const PgAsk all = { .text = "select generate_series(1, 5000)", .key = key };
	const PgAsk bad = { .text = "select 1 / (3 - n) from generate_series(1, 9) n" };

	CHECK_OK(pg_ask_each(play->c, play->a, &all, count_row, &rows));
	CHECK_INT(rows.rows, 5000);
	CHECK_INT(rows.ends, 1);
	CHECK_ERR(pg_ask_each(play->c, play->a, &bad, count_row, &rows), "db.check");
	CHECK_INT(rows.rows, 5002);
	CHECK(pg_conn_clean(play->c, US_PER_S));
	rows = (Rows){ .a = play->a, .stops = true };
	CHECK_ERR(pg_ask_each(play->c, play->a, &all, count_row, &rows), "test.enough");
	CHECK(play->c->dirty);
	CHECK(pg_conn_clean(play->c, 5 * US_PER_S));
	CHECK_STR(one_text(play, "select 'well'", NULL), S("well"));
}

/* --- what ends out of order ------------------------------------------------------------------------------------------ */

PLAY(pg_conn_is_cleaned_after_a_deadline)
{
	static const char key[16];
	PgAsk asks[] = {
		{ "select 'a'", NULL, NULL, NULL },
		{ "select pg_sleep(60)", key, NULL, NULL },
	};

	for (size_t count = 1; count <= 2; count++)
		for (unsigned in_txn = 0; in_txn < 2; in_txn++) {
			Deadline limit;

			if (in_txn)
				CHECK_OK(pg_command(play->c, play->a, "begin"));
			limit = deadline_begin(20 * US_PER_MS);
			CHECK_ERR(pg_ask(play->c, play->a, &asks[2 - count], count), "rt.deadline");
			deadline_end(&limit);
			PQclear(TAKE(asks[0].result));
			CHECK(play->c->dirty);
			CHECK(!pg_conn_usable(play->c));
			CHECK(pg_conn_clean(play->c, 5 * US_PER_S));
			CHECK_STR(one_text(play, "select 'well'", NULL), S("well"));
		}
}

PLAY(pg_conn_is_cleaned_wherever_it_was_cancelled)
{
	static const char keys[2][16];

	for (unsigned n = 1; n < 30; n++) {
		PgAsk asks[] = {
			{ "select repeat('x', 100000) from generate_series(1, 20)", keys[0], NULL,
			  NULL },
			{ "select repeat('x', 100000) from generate_series(1, 20)", keys[1], NULL,
			  NULL },
		};
		Err *err;

		fiber_cancel_at_park(n);
		err = pg_ask(play->c, play->a, asks, 2);
		PQclear(asks[0].result);
		PQclear(asks[1].result);
		if (!err)
			break;
		CHECK_ERR(err, "rt.cancelled");
		CHECK(pg_conn_clean(play->c, 5 * US_PER_S));
		return; /* cancelled for good: the fiber is of no more use */
	}
	CHECK(false);
}

static void *other_main(void *arg)
{
	pg_server_do(arg, "own");
	return NULL;
}

static void server_does(void *verb)
{
	other_main(verb);
}

static void dies(Play *play)
{
	PgAsk ask = { .text = "select 1" };

	CHECK_OK(work_run(server_does, (char *)(uintptr_t) "kill"));
	CHECK_ERR(pg_ask(play->c, play->a, &ask, 1), "db.unavailable");
	CHECK(!pg_conn_usable(play->c));
	CHECK(!pg_conn_clean(play->c, US_PER_S));
}

TEST(pg_conn_breaks_when_the_server_is_killed)
{
	perform(a, pg_server_url(a, pg_server_start("own", ""), "tester", ""), false, dies);
}

static void leaves(Play *play)
{
	PgAsk ask = { .text = "select pg_terminate_backend(pg_backend_pid())" };

	Err *err = pg_ask(play->c, play->a, &ask, 1);

	CHECK_ERR(err ? err : pg_error(play->a, NULL, ask.result), "db.unavailable");
	PQclear(ask.result);
	CHECK(!pg_conn_hear(play->c));
	CHECK(!pg_conn_usable(play->c));
}

TEST(pg_conn_that_the_server_ends_says_so)
{
	perform(a, pg_server(a, "tester", ""), false, leaves);
	perform(a, pg_server(a, "tls", ""), false, leaves);
}

/* --- COPY ------------------------------------------------------------------------------------------------------------ */

static void copies(Play *play)
{
	AUTO(buf_fini) Buf big = { 0 };
	AUTO(pg_buffer_freep) char *buffer = NULL;
	int64_t rows = 0, seen = 0;
	Str row;

	for (int i = 0; i < 100000; i++)
		buf_fmt(&big, "%d\tsome text of row %d\n", i, i);
	CHECK_OK(pg_command(play->c, play->a, "create temp table c (id int, t text)"));
	CHECK_OK(pg_copy_in(play->c, play->a, "copy c from stdin"));
	CHECK_OK(pg_copy_put(play->c, play->a, buf_str(&big)));
	CHECK_OK(pg_copy_end(play->c, play->a, &rows));
	CHECK_INT(rows, 100000);
	CHECK_OK(pg_copy_out(play->c, play->a, "copy (select * from c order by id) to stdout"));
	do {
		CHECK_OK(pg_copy_get(play->c, play->a, &buffer, &row));
		if (row.at && seen++ == 12345)
			CHECK_STR(row, S("12345\tsome text of row 12345\n"));
	} while (row.at);
	CHECK_INT(seen, 100000);
	CHECK(pg_conn_usable(play->c));
}

TEST(pg_copy_goes_in_and_out)
{
	perform(a, pg_server(a, "tester", ""), false, copies);
	perform(a, pg_server(a, "tls", ""), false, copies);
}

PLAY(pg_copy_that_fails_or_is_given_up)
{
	AUTO(pg_buffer_freep) char *buffer = NULL;
	Str row;

	CHECK_OK(pg_command(play->c, play->a, "create temp table f (id int)"));
	CHECK_ERR(pg_copy_in(play->c, play->a, "copy nowhere from stdin"), "db.sql");
	CHECK(pg_conn_usable(play->c));
	CHECK_OK(pg_copy_in(play->c, play->a, "copy f from stdin"));
	CHECK_OK(pg_copy_put(play->c, play->a, S("1\nno number\n")));
	CHECK_ERR(pg_copy_end(play->c, play->a, NULL), "db.check");
	CHECK(pg_conn_usable(play->c));
	CHECK_ERR(pg_copy_in(play->c, play->a, "select 1"), "db.misuse");
	CHECK(pg_conn_clean(play->c, 5 * US_PER_S));
	CHECK_OK(pg_copy_in(play->c, play->a, "copy f from stdin"));
	CHECK_OK(pg_copy_put(play->c, play->a, S("1\n2\n")));
	CHECK(pg_conn_clean(play->c, 5 * US_PER_S)); /* given up in the middle */
	CHECK_STR(one_text(play, "select count(*)::text from f", NULL), S("0"));
	CHECK_OK(pg_copy_out(play->c, play->a,
	                     "copy (select generate_series(1, 1000000)) to stdout"));
	CHECK_OK(pg_copy_get(play->c, play->a, &buffer, &row));
	CHECK_STR(row, S("1\n"));
	CHECK(pg_conn_clean(play->c, 5 * US_PER_S));
	CHECK_STR(one_text(play, "select 'well'", NULL), S("well"));
}
