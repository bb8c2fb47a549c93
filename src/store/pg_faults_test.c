/* SPDX-License-Identifier: Apache-2.0
 *
 * The PostgreSQL engine where something goes wrong: servers that die, cables that are cut, processes that are killed,
 * transactions in each other's way. What is acknowledged is there afterwards, whatever happened. */
#include "base/log.h"
#include "base/time.h"
#include "pg_server.h"
#include "rt/work.h"
#include "sample_schema.h"
#include "sample_sql.h"
#include "store/pg_int.h"
#include "store/schema.h"

#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* --- a play: a database with the sample schema, dropped before --------------------------------------------------------- */

typedef struct Play {
	Arena *a;
	DbConf conf;
	Db *db;
	void (*run)(struct Play *play);
} Play;

static Err *stage(void *arg)
{
	Play *play = arg;
	AUTO(db_closep) Db *db = NULL;

	CHECK_OK(db_open(play->a, &play->conf, &db));
	play->db = db;
	play->run(play);
	return NULL;
}

static void perform(Arena *a, DbConf conf, void (*run)(Play *play))
{
	Play play = { .a = a, .conf = conf, .run = run };

	log_setup(LOG_NONE, LOG_TEXT);
	CHECK_OK(rt_run(&(RtConf){ .loops = 2, .workers = 2 }, stage, &play));
}

/* Before what goes wrong does; past whatever stands between. */
static void set_up(Play *play)
{
	uint32_t applied;

	CHECK_OK(play->db->engine->script(play->db, play->a,
	                                  "drop schema public cascade; create schema public"));
	CHECK_OK(schema_apply(play->db, play->a, &sample_schema, &applied));
}

static Str fresh(Arena *a, unsigned port)
{
	Str url = port ? pg_server_url(a, port, "tester", "") : pg_server(a, "tester", "");

	perform(a, (DbConf){ .url = url }, set_up);
	return url;
}

static unsigned port_of(Str url)
{
	return (unsigned)atoi(url.at + str_rfind_char(url, ':') + 1);
}

static int64_t marks(Db *db, Arena *a)
{
	MarksCountRow *row;

	CHECK_OK(db_one(db, a, marks_count, &row));
	return row->count;
}

static void do_verb(void *verb)
{
	pg_server_do(verb, "own");
}

static void server_does(const char *verb)
{
	CHECK_OK(work_run(do_verb, (void *)(uintptr_t)verb));
}

/* --- a proxy, a thread with one connection at a time or more ----------------------------------------------------------- */

typedef enum Mood {
	PASS,
	MUTE,       /* nothing comes back any more */
	CUT,        /* all are closed at the next word of a client, which is not passed on */
	CUT_ANSWER, /* passed on and done; the answer is not, then all are closed */
} Mood;

enum { LINKS = 16 };

static struct {
	int listening;
	unsigned port, to;
	Mood mood; /* atomic */
	struct Link {
		int client, server;
	} links[LINKS];
	unsigned count;
} proxy;

static void proxy_add(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)proxy.to) };
	int client = accept(proxy.listening, NULL, NULL);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (proxy.count == LINKS || connect(server, (struct sockaddr *)&to, sizeof to) != 0) {
		close(client);
		close(server);
		return;
	}
	proxy.links[proxy.count++] = (struct Link){ client, server };
}

static void proxy_drop(unsigned i)
{
	close(proxy.links[i].client);
	close(proxy.links[i].server);
	proxy.links[i] = proxy.links[--proxy.count];
}

/* False: the link has ended. */
static bool pass(int from, int to, bool forget)
{
	char bytes[65536];
	ssize_t n = recv(from, bytes, sizeof bytes, 0);

	return n > 0 && (forget || send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n);
}

static void cut_all(void)
{
	while (proxy.count)
		proxy_drop(0);
	__atomic_store_n(&proxy.mood, PASS, __ATOMIC_RELEASE);
}

static bool serve_link(unsigned i, short client, short server)
{
	struct Link *link = &proxy.links[i];
	Mood mood = __atomic_load_n(&proxy.mood, __ATOMIC_ACQUIRE);

	if (client && mood == CUT) {
		cut_all();
		return false;
	}
	if (server && mood == CUT_ANSWER) {
		cut_all();
		return false;
	}
	if ((client && !pass(link->client, link->server, false)) ||
	    (server && !pass(link->server, link->client, mood == MUTE))) {
		proxy_drop(i);
		return false;
	}
	return true;
}

static void *proxy_main(void *arg)
{
	(void)arg;
	for (;;) {
		struct pollfd fds[1 + 2 * LINKS] = { { proxy.listening, POLLIN, 0 } };
		unsigned count = proxy.count;

		for (unsigned i = 0; i < count; i++) {
			fds[1 + 2 * i] = (struct pollfd){ proxy.links[i].client, POLLIN, 0 };
			fds[2 + 2 * i] = (struct pollfd){ proxy.links[i].server, POLLIN, 0 };
		}
		if (poll(fds, 1 + 2 * count, -1) < 0)
			continue;
		for (unsigned i = 0; i < count; i++)
			if ((fds[1 + 2 * i].revents || fds[2 + 2 * i].revents) &&
			    !serve_link(i, fds[1 + 2 * i].revents, fds[2 + 2 * i].revents))
				break; /* places have changed */
		if (fds[0].revents)
			proxy_add();
	}
	return NULL;
}

static Str proxy_start(Arena *a, unsigned to)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof addr;
	pthread_t thread;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	proxy.to = to;
	proxy.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(bind(proxy.listening, (struct sockaddr *)&addr, sizeof addr), 0);
	CHECK_INT(listen(proxy.listening, 16), 0);
	CHECK_INT(getsockname(proxy.listening, (struct sockaddr *)&addr, &len), 0);
	CHECK_INT(pthread_create(&thread, NULL, proxy_main, NULL), 0);
	pthread_detach(thread);
	return pg_server_url(a, ntohs(addr.sin_port), "tester", "");
}

static void proxy_is(Mood mood)
{
	__atomic_store_n(&proxy.mood, mood, __ATOMIC_RELEASE);
}

/* --- cuts ------------------------------------------------------------------------------------------------------------- */

typedef struct Body {
	Mood mood;      /* from the end of the first run's statements on */
	Mood mood_amid; /* between its two statements */
	unsigned runs;
} Body;

static Err *two_marks(Db *tx, Arena *a, void *arg)
{
	Body *body = arg;

	TRY(db_exec(tx, a, mark_add, NULL, .writer = 1, .n = 1));
	if (!body->runs++)
		proxy_is(body->mood_amid);
	TRY(db_exec(tx, a, mark_add, NULL, .writer = 1, .n = 2));
	if (body->runs == 1)
		proxy_is(body->mood);
	return NULL;
}

static void cut_at_commit(Play *play)
{
	Body after = { .mood = CUT_ANSWER }, before = { .mood = CUT };

	CHECK_ERR(db_txn(play->db, play->a, DB_READ_COMMITTED, two_marks, &after), "db.unknown");
	CHECK_INT(after.runs, 1);
	CHECK_INT(marks(play->db, play->a), 2); /* it had happened */
	CHECK_OK(db_exec(play->db, play->a, orders_clear, NULL));
	CHECK_ERR(db_txn(play->db, play->a, DB_READ_COMMITTED, two_marks, &before), "db.unique");
	CHECK_OK(play->db->engine->script(play->db, play->a, "delete from marks"));
	before.runs = 0;
	CHECK_ERR(db_txn(play->db, play->a, DB_READ_COMMITTED, two_marks, &before), "db.unknown");
	CHECK_INT(marks(play->db, play->a), 0); /* it had not */
}

static void cut_amid(Play *play)
{
	static const Mood moods[] = { CUT, CUT_ANSWER };

	for (size_t i = 0; i < COUNT(moods); i++) {
		Body body = { .mood_amid = moods[i] };

		CHECK_OK(db_txn(play->db, play->a, DB_SERIALIZABLE, two_marks, &body));
		CHECK_INT(body.runs, 2); /* again, on another connection */
		CHECK_INT(marks(play->db, play->a), 2);
		CHECK_OK(play->db->engine->script(play->db, play->a, "delete from marks"));
	}
}

static void cut_alone(Play *play)
{
	ShopperRow *row;

	CHECK_INT(marks(play->db, play->a), 0);
	proxy_is(CUT_ANSWER);
	CHECK_ERR(db_exec(play->db, play->a, mark_add, NULL, .writer = 1, .n = 1), "db.unknown");
	CHECK_INT(marks(play->db, play->a), 1);
	proxy_is(CUT_ANSWER);
	CHECK_INT(marks(play->db, play->a), 1); /* read again, on another connection */
	proxy_is(CUT);
	CHECK_OK(db_one(play->db, play->a, shopper_by_id, &row, .id = uuid_new()));
}

static void muted(Play *play)
{
	MarksCountRow *row;

	CHECK_INT(marks(play->db, play->a), 0);
	proxy_is(MUTE);
	for (unsigned i = 0; i < 3; i++) {
		AUTO(deadline_end) Deadline limit = deadline_begin(20 * US_PER_MS);

		CHECK_ERR(db_one(play->db, play->a, marks_count, &row), "rt.deadline");
	}
	proxy_is(PASS);
	CHECK_INT(marks(play->db, play->a), 0);
}

TEST(pg_cut_connections_are_told_by_what_is_known)
{
	void (*const plays[])(Play *) = { cut_at_commit, cut_amid, cut_alone, muted };
	unsigned port = port_of(pg_server(a, "tester", ""));
	Str url = proxy_start(a, port);

	for (size_t i = 0; i < COUNT(plays); i++) {
		NOTE("play %zu", i);
		fresh(a, 0);
		perform(a, (DbConf){ .url = url, .connections = 2 }, plays[i]);
	}
}

/* --- in each other's way ---------------------------------------------------------------------------------------------- */

typedef struct Rival {
	Play *play;
	Arena *a;
	Str first, second;
	unsigned runs;
	bool *other_has, *has;
} Rival;

static bool has_one, has_two;

static Err *cross(Db *tx, Arena *a, void *arg)
{
	Rival *rival = arg;
	CounterAddRow *row;

	rival->runs++;
	TRY(db_one(tx, a, counter_add, &row, .name = rival->first, .by = 1));
	*rival->has = true;
	while (!*rival->other_has) /* only here: what a test may, a program may not */
		TRY(fiber_sleep(1000));
	return db_one(tx, a, counter_add, &row, .name = rival->second, .by = 1);
}

static Err *run_rival(void *arg)
{
	Rival *rival = arg;

	return db_txn(rival->play->db, rival->a, DB_READ_COMMITTED, cross, rival);
}

static void in_the_way(Play *play)
{
	AUTO(arena_freep) Arena *own = arena_new(0);
	AUTO(child_end) Child child = { 0 };
	Rival one = { play, play->a, S("one"), S("two"), 0, &has_two, &has_one };
	Rival two = { play, own, S("two"), S("one"), 0, &has_one, &has_two };
	CounterGetRow *row;

	CHECK_OK(child_start(&child, run_rival, &two, "rival"));
	CHECK_OK(run_rival(&one));
	CHECK_OK(child_join(&child));
	CHECK(one.runs + two.runs >= 3); /* one of them again, and perhaps once more */
	CHECK_OK(db_one(play->db, play->a, counter_get, &row, .name = S("one")));
	CHECK_INT(row->value, 2);
	CHECK(metric_value(play->db->cells->retries) >= 1);
}

TEST(pg_deadlocked_transactions_both_come_through)
{
	fresh(a, 0);
	perform(a,
	        (DbConf){ .url = pg_server(a, "tester", "?options=-c%20deadlock_timeout%3D20ms") },
	        in_the_way);
}

static void times_out(Play *play)
{
	LongReadRow *row;

	CHECK_ERR(db_one(play->db, play->a, long_read, &row, .most = INT64_C(1) << 40),
	          "db.timeout");
	CHECK_INT(marks(play->db, play->a), 0);
}

TEST(pg_the_servers_own_limit_is_a_timeout)
{
	fresh(a, 0);
	perform(a,
	        (DbConf){ .url = pg_server(a, "tester", "?options=-c%20statement_timeout%3D30") },
	        times_out);
}

static void comes_too_late(Play *play)
{
	CHECK_INT(marks(play->db, play->a), 0);
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(-1);

		CHECK_ERR(db_exec(play->db, play->a, mark_add, NULL, .writer = 1, .n = 1),
		          "rt.deadline");
	}
	CHECK_INT(marks(play->db, play->a), 0);
	CHECK_INT(metric_value(play->db->cells->refused), 0);
}

TEST(pg_nothing_is_begun_after_the_deadline)
{
	fresh(a, 0);
	perform(a, (DbConf){ .url = pg_server(a, "tester", "") }, comes_too_late);
}

static void only_reads(Play *play)
{
	Body body = { .runs = 1 };

	CHECK_INT(marks(play->db, play->a), 0);
	CHECK_ERR(db_exec(play->db, play->a, mark_add, NULL, .writer = 1, .n = 1), "db.read_only");
	CHECK_ERR(db_txn(play->db, play->a, DB_SERIALIZABLE, two_marks, &body), "db.read_only");
}

TEST(pg_a_server_that_only_reads_is_told)
{
	fresh(a, 0);
	perform(a,
	        (DbConf){ .url = pg_server(a, "tester",
	                                   "?options=-c%20default_transaction_read_only%3Don") },
	        only_reads);
}

static Err *thousand_marks(Db *tx, Arena *a, void *arg)
{
	(void)arg;
	for (int64_t n = 0; n < 1000; n++)
		TRY(db_exec(tx, a, mark_add, NULL, .writer = 3, .n = n));
	return NULL;
}

/* What is written is refused and said so, what is there is read, and once there is room again all goes on. */
static void fills_the_disk(Play *play)
{
	const DbEngine *engine = play->db->engine;
	Body body = { .runs = 1 };

	CHECK_OK(engine->script(play->db, play->a, "alter table marks set tablespace small"));
	CHECK_OK(db_exec(play->db, play->a, mark_add, NULL, .writer = 1, .n = 1));
	CHECK_ERR(engine->script(play->db, play->a,
	                         "insert into marks select 2, n from generate_series(1, 100000) n"),
	          "db.full_disk");
	CHECK_ERR(db_txn(play->db, play->a, DB_SERIALIZABLE, thousand_marks, NULL), "db.full_disk");
	CHECK_INT(marks(play->db, play->a), 1);
	CHECK_OK(engine->script(play->db, play->a, "truncate marks"));
	CHECK_OK(db_txn(play->db, play->a, DB_SERIALIZABLE, two_marks, &body));
	CHECK_INT(marks(play->db, play->a), 2);
}

TEST(pg_a_full_disk_is_told_and_does_no_harm)
{
	unsigned port = pg_server_start("own", "");

	if (pg_server_small("own"))
		perform(a, (DbConf){ .url = fresh(a, port) }, fills_the_disk);
}

static Err *read_marks(Db *tx, Arena *a, void *arg)
{
	++*(unsigned *)arg;
	marks(tx, a);
	return db_exec(tx, a, mark_add, NULL, .writer = 2, .n = *(unsigned *)arg);
}

static Err *read_shopper(Db *tx, Arena *a, void *arg)
{
	ShopperRow *row;

	++*(unsigned *)arg;
	return db_one(tx, a, shopper_by_id, &row, .id = uuid_new());
}

static void table_changes(Play *play)
{
	unsigned runs = 0;
	ShopperRow *row;

	CHECK_OK(db_txn(play->db, play->a, DB_READ_COMMITTED, read_marks, &runs));
	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(db_one(play->db, play->a, shopper_by_id, &row, .id = uuid_new()));
		CHECK_OK(play->db->engine
		                 ->script(play->db, play->a,
		                          i ? "alter table shoppers alter since type text using ''"
		                            : "alter table shoppers alter email type varchar(80)"));
		if (!i)
			CHECK_OK(db_one(play->db, play->a, shopper_by_id, &row, .id = uuid_new()));
	}
	CHECK_OK(play->db->engine->script(
		play->db, play->a,
		"alter table shoppers alter since type timestamptz using to_timestamp(0)"));
	runs = 0;
	CHECK_OK(db_txn(play->db, play->a, DB_READ_COMMITTED, read_shopper, &runs));
	CHECK_OK(play->db->engine->script(play->db, play->a,
	                                  "alter table shoppers alter email type text"));
	runs = 0;
	CHECK_OK(db_txn(play->db, play->a, DB_READ_COMMITTED, read_shopper, &runs));
	CHECK_INT(runs, 2); /* prepared for what the table was */
	CHECK_OK(play->db->engine->script(play->db, play->a, "deallocate all"));
	CHECK_OK(db_one(play->db, play->a, shopper_by_id, &row, .id = uuid_new()));
}

TEST(pg_statements_are_prepared_anew_when_a_table_changes)
{
	perform(a, (DbConf){ .url = fresh(a, 0), .connections = 1 }, table_changes);
}

/* --- killed in mid-load ----------------------------------------------------------------------------------------------- */

enum { WRITERS = 12 };

/* What each writer has been told is there; shared with the process that will be killed. */
typedef struct Acks {
	int64_t done[WRITERS]; /* atomic */
	int64_t total;         /* atomic */
	bool stop;             /* atomic */
	unsigned left;         /* atomic */
} Acks;

static Acks *acks;
static Db *load_db;

typedef struct Mark2 {
	int64_t writer, n;
} Mark2;

static Err *mark_and_count(Db *tx, Arena *a, void *arg)
{
	const Mark2 *mark = arg;
	CounterAddRow *row;

	TRY(db_exec(tx, a, mark_add, NULL, .writer = mark->writer, .n = mark->n));
	return db_one(tx, a, counter_add, &row, .name = S("one"), .by = 1);
}

/* Even writers in transactions, odd ones one statement at a time. What is not known is asked for. */
static Err *write_one(Arena *a, int64_t writer, int64_t n)
{
	Mark2 mark = { writer, n };

	return writer % 2 ? db_exec(load_db, a, mark_add, NULL, .writer = writer, .n = n)
	                  : db_txn(load_db, a, DB_READ_COMMITTED, mark_and_count, &mark);
}

static void writer_fiber(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	int64_t writer = (int64_t)(intptr_t)arg;

	while (!__atomic_load_n(&acks->stop, __ATOMIC_ACQUIRE)) {
		int64_t n = acks->done[writer] + 1;
		Err *err = write_one(a, writer, n);

		if (err && fiber_cancelled())
			break;
		if (err && !err_is(err, "db.unique")) { /* unique: it was there after all */
			CHECK(err_is(err, "db.unavailable") || err_is(err, "db.unknown") ||
			      err_is(err, "db.serialization"));
			if (fiber_sleep(5000))
				break;
		} else {
			__atomic_store_n(&acks->done[writer], n, __ATOMIC_RELEASE);
			__atomic_add_fetch(&acks->total, 1, __ATOMIC_ACQ_REL);
		}
		arena_clear(a);
	}
	__atomic_sub_fetch(&acks->left, 1, __ATOMIC_ACQ_REL);
}

static void start_writers(void *arg)
{
	(void)arg;
	for (unsigned i = loop_index(loop_self()); i < WRITERS; i += rt_loops())
		CHECK_OK(fiber_start(writer_fiber, (void *)(intptr_t)i, "writer"));
}

static void load_begin(Db *db)
{
	load_db = db;
	acks->left = WRITERS;
	loop_each(start_writers, NULL);
}

static void await_acks(int64_t more)
{
	int64_t until = __atomic_load_n(&acks->total, __ATOMIC_ACQUIRE) + more;

	while (__atomic_load_n(&acks->total, __ATOMIC_ACQUIRE) < until)
		CHECK_OK(fiber_sleep(1000));
}

/* All that was acknowledged, without a gap, at most one more a writer; and the counter has what the transactions added. */
static void verify(Play *play)
{
	AUTO(arena_freep) Arena *a = arena_new(0); /* of this round: there are hundreds */
	MarksAllRow *rows;
	CounterGetRow *counter;
	size_t count;
	int64_t seen[WRITERS] = { 0 }, in_txns = 0;

	CHECK_OK(db_all(play->db, a, marks_all, &rows, &count));
	for (size_t i = 0; i < count; i++)
		CHECK_INT(rows[i].n, ++seen[rows[i].writer]);
	for (unsigned i = 0; i < WRITERS; i++) {
		NOTE("writer %u", i);
		CHECK(seen[i] == acks->done[i] || seen[i] == acks->done[i] + 1);
		in_txns += i % 2 ? 0 : seen[i];
		acks->done[i] = seen[i]; /* the next round goes on from there */
	}
	CHECK_OK(db_one(play->db, a, counter_get, &counter, .name = S("one")));
	CHECK_INT(counter->value, in_txns);
}

static void server_killed(Play *play)
{
	bool proof = getenv("BANYAN_PROOF") != NULL;

	load_begin(play->db);
	for (unsigned i = 0; i < (proof ? 40u : 3u); i++) {
		await_acks(200);
		server_does(i % 2 ? "stop" : "kill");
		server_does("again");
	}
	await_acks(200);
	__atomic_store_n(&acks->stop, true, __ATOMIC_RELEASE);
	while (__atomic_load_n(&acks->left, __ATOMIC_ACQUIRE))
		CHECK_OK(fiber_sleep(1000));
	verify(play);
}

static void acks_begin(void)
{
	acks = mmap(NULL, sizeof *acks, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(acks != MAP_FAILED);
}

TEST(pg_what_was_acknowledged_survives_the_server)
{
	Str url;

	acks_begin();
	url = fresh(a, pg_server_start("own", "fsync=on"));
	perform(a, (DbConf){ .url = url, .connections = 6 }, server_killed);
}

static void write_for_ever(Play *play)
{
	load_begin(play->db);
	for (;;)
		CHECK_OK(fiber_sleep(US_PER_S));
}

static void client_killed(Arena *a, Str url)
{
	int64_t until = acks->total + 150;
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (child == 0) {
		perform(a, (DbConf){ .url = url, .connections = 6 }, write_for_ever);
		_exit(1);
	}
	while (__atomic_load_n(&acks->total, __ATOMIC_ACQUIRE) < until)
		CHECK_INT(waitpid(child, &status, WNOHANG), 0);
	kill(child, SIGKILL);
	CHECK_INT(waitpid(child, &status, 0), child);
}

/* The server may be at what it was asked last: it is waited for. */
static void await_the_end(Play *play)
{
	for (;;) {
		DbStatus status;
		PgConn *c;
		int64_t others;
		PgAsk one = { .text = "select count(*)::text from pg_stat_activity where pid <> "
			              "pg_backend_pid() and application_name = 'banyan'" };
		PgDb *pdb = CONTAINER(play->db, PgDb, db);

		CHECK_OK(pg_status(play->db, play->a, &status));
		CHECK_OK(pg_pool_take(pdb->primary, play->a, &c));
		CHECK_OK(pg_ask(c, play->a, &one, 1));
		CHECK(str_to_i64(str_of(PQgetvalue(one.result, 0, 0)), &others));
		PQclear(one.result);
		pg_pool_give(pdb->primary, c);
		if (!others)
			break;
	}
	verify(play);
}

TEST(pg_what_was_acknowledged_survives_the_client)
{
	bool proof = getenv("BANYAN_PROOF") != NULL;
	Str url;

	acks_begin();
	url = fresh(a, 0);
	for (unsigned i = 0; i < (proof ? 200u : 3u); i++) {
		client_killed(a, url);
		perform(a, (DbConf){ .url = url }, await_the_end);
	}
}

/* --- being told by others --------------------------------------------------------------------------------------------- */

static void tell_from_outside(void *arg)
{
	CHECK_INT(system(arg), 0);
}

static void told(Play *play)
{
	AUTO(db_watch_end) DbWatch watch = { 0 };
	unsigned port = port_of(play->conf.url);
	const char *tell =
		str_fmt(play->a,
	                "psql -q 'postgresql://tester@127.0.0.1:%u/postgres' -c 'notify orders'",
	                port)
			.at;
	const char *kill_it =
		str_fmt(play->a,
	                "psql -qAt 'postgresql://tester@127.0.0.1:%u/postgres' -c \"select "
	                "pg_terminate_backend(pid) from pg_stat_activity where query like "
	                "'listen%%'\" >/dev/null",
	                port)
			.at;

	CHECK_OK(db_watch_begin(&watch, play->db, play->a, "orders"));
	CHECK_OK(db_watch_wait(&watch, 10 * US_PER_MS)); /* it listens: perhaps that was told */
	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(work_run(tell_from_outside, (void *)(uintptr_t)tell));
		CHECK_OK(db_watch_wait(&watch, 600 * US_PER_S));
		CHECK_OK(work_run(tell_from_outside, (void *)(uintptr_t)kill_it));
		CHECK_OK(
			db_watch_wait(&watch, 600 * US_PER_S)); /* something may have been missed */
	}
	CHECK_ERR(db_watch_begin(&(DbWatch){ 0 }, play->db, play->a, "no channel"), "db.misuse");
}

TEST(pg_others_tell_and_a_broken_ear_heals)
{
	perform(a, (DbConf){ .url = fresh(a, 0) }, told);
}

/* --- replicas --------------------------------------------------------------------------------------------------------- */

typedef struct PortRow {
	int64_t port;
} PortRow;

static const SqlField port_out[] = { { "port", SQL_INT, 0, SQL_NEVER_NULL } };
static const Sql port_lags = {
	.name = "port_lags",
	.kind = SQL_ONE,
	.reads = true,
	.lags = true,
	.text = { [SQL_POSTGRES] = "select current_setting('port')::int" },
	.out = port_out,
	.out_count = 1,
	.out_bytes = sizeof(PortRow),
};

static int64_t port_asked(Db *db, Arena *a, bool lags)
{
	Sql *sql = ARENA_NEW(a, Sql);
	void *row;

	*sql = port_lags;
	sql->lags = lags;
	CHECK_OK(db_run_one(db, a, lags ? &port_lags : sql, NULL, &row));
	return ((PortRow *)row)->port;
}

static Err *asked_in_txn(Db *tx, Arena *a, void *arg)
{
	*(int64_t *)arg = port_asked(tx, a, true);
	return NULL;
}

static void replicated(Play *play)
{
	int64_t primary = port_of(play->conf.url), replica = port_of(play->conf.replicas[0]), got;

	CHECK_INT(port_asked(play->db, play->a, true), replica);
	CHECK_INT(port_asked(play->db, play->a, false), primary);
	CHECK_OK(db_txn(play->db, play->a, DB_SNAPSHOT, asked_in_txn, &got));
	CHECK_INT(got, primary);
	server_does("stop");
	for (unsigned i = 0; i < 3; i++)
		CHECK_INT(port_asked(play->db, play->a, true), primary);
	server_does("again");
	while (port_asked(play->db, play->a, true) != replica)
		CHECK_OK(fiber_sleep(5000));
}

TEST(pg_what_may_lag_goes_to_a_replica_while_there_is_one)
{
	Str url = pg_server(a, "tester", "");
	Str replica = pg_server_url(a, pg_server_start("own", ""), "tester", "");

	perform(a, (DbConf){ .url = url, .replicas = &replica, .replica_count = 1 }, replicated);
}
