/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pg_pool.c"

#include "pg_server.h"
#include "rt/work.h"
#include "unit.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a play: fibers on two loops, and a pool ------------------------------------------------------------------------- */

typedef struct Play {
	Arena *a;
	Str url;
	PgPoolConf conf; /* what differs from limit 2, queue 100 */
	PgPool *pool;
	DbCells *cells;
	void (*run)(struct Play *play);
} Play;

static Err *stage(void *arg)
{
	Play *play = arg;

	play->cells = db_cells_new(S("play"));
	play->conf.name = S("play");
	play->conf.role = S("primary");
	play->conf.session = true;
	play->conf.cells = play->cells;
	play->conf.limit = play->conf.limit ? play->conf.limit : 2;
	play->conf.queue = play->conf.queue ? play->conf.queue : 100;
	CHECK_OK(pg_target_read(play->a, play->url, true, &play->conf.target));
	play->pool = pg_pool_new(&play->conf);
	play->run(play);
	pg_pool_free(play->pool);
	db_cells_free(play->cells);
	return NULL;
}

static void perform(Arena *a, Str url, PgPoolConf conf, void (*run)(Play *play))
{
	Play play = { .a = a, .url = url, .conf = conf, .run = run };

	CHECK_OK(rt_run(&(RtConf){ .loops = 2, .workers = 2 }, stage, &play));
}

#define PLAY(name_, ...) \
	static void name_##_(Play *play); \
	TEST(name_) \
	{ \
		perform(a, pg_server(a, "tester", ""), (PgPoolConf){ __VA_ARGS__ }, name_##_); \
	} \
	static void name_##_(Play *play)

static Str ask_on(PgConn *c, Arena *a, const char *text)
{
	PgAsk one = { .text = text };
	Str answer;

	CHECK_OK(pg_ask(c, a, &one, 1));
	CHECK_INT(PQresultStatus(one.result), PGRES_TUPLES_OK);
	answer = str_dup(a, str_of(PQgetvalue(one.result, 0, 0)));
	PQclear(one.result);
	return answer;
}

static int64_t number_on(PgConn *c, Arena *a, const char *text)
{
	int64_t n = -1;

	CHECK(str_to_i64(ask_on(c, a, text), &n));
	return n;
}

static int64_t counted(PgPool *pool, MetricCell cell)
{
	(void)pool;
	return metric_value(cell);
}

static void until(bool (*fn)(Play *play), Play *play)
{
	while (!fn(play))
		CHECK_OK(fiber_sleep(1000));
}

/* --- the limit and the line ------------------------------------------------------------------------------------------ */

enum { CROWD = 40, ROUNDS = 15 };

typedef struct Crowd {
	Play *play;
	unsigned left; /* atomic */
} Crowd;

static Crowd crowd;

static void crowd_fiber(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	PgPool *pool = crowd.play->pool;

	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		PgConn *c;
		int64_t there;

		CHECK_OK(pg_pool_take(pool, a, &c));
		there = number_on(c, a,
		                  "select count(*)::text from pg_stat_activity where "
		                  "application_name = 'limit'");
		CHECK(there >= 1 && there <= pool->conf.limit);
		pg_pool_give(pool, c);
		if (i % 4 == 0)
			CHECK_OK(fiber_yield());
	}
	__atomic_sub_fetch(&crowd.left, 1, __ATOMIC_RELEASE);
}

static void crowd_start(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < CROWD / 2; i++)
		CHECK_OK(fiber_start(crowd_fiber, NULL, "crowd"));
}

static bool crowd_is_over(Play *play)
{
	(void)play;
	return !__atomic_load_n(&crowd.left, __ATOMIC_ACQUIRE);
}

static void all_are_served(Play *play)
{
	crowd = (Crowd){ play, CROWD };
	loop_each(crowd_start, NULL);
	until(crowd_is_over, play);
	CHECK_INT(play->pool->waiting, 0);
	CHECK(play->pool->open <= play->pool->conf.limit);
	CHECK_INT(counted(play->pool, play->pool->cells.open), play->pool->open);
	CHECK_INT(counted(play->pool, play->pool->cells.resting), play->pool->open);
	CHECK_INT(counted(play->pool, play->cells->queued), 0);
}

TEST(pg_pool_never_has_more_than_its_limit)
{
	for (uint32_t limit = 1; limit < 5; limit += 3)
		perform(a, pg_server(a, "tester", "?application_name=limit"),
		        (PgPoolConf){ .limit = limit }, all_are_served);
}

typedef struct InLine {
	Play *play;
	unsigned number;
	Err *err;
} InLine;

static unsigned order[8], served;

static void stand(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	InLine line = *(const InLine *)arg; /* once it is served its frame may be gone */
	PgConn *c;

	CHECK_OK(pg_pool_take(line.play->pool, a, &c));
	order[__atomic_fetch_add(&served, 1, __ATOMIC_ACQ_REL)] = line.number;
	CHECK_STR(ask_on(c, a, "select 'x'"), S("x"));
	pg_pool_give(line.play->pool, c);
}

static void stand_here(void *arg)
{
	CHECK_OK(fiber_start(stand, arg, "in line"));
}

static unsigned wanted;

static bool stands(Play *play)
{
	return __atomic_load_n(&play->pool->waiting, __ATOMIC_SEQ_CST) == wanted;
}

static bool all_served(Play *play)
{
	(void)play;
	return __atomic_load_n(&served, __ATOMIC_ACQUIRE) == COUNT(order) &&
	       !__atomic_load_n(&play->pool->loops[0].count, __ATOMIC_SEQ_CST) !=
	               !__atomic_load_n(&play->pool->loops[1].count, __ATOMIC_SEQ_CST);
}

PLAY(pg_pool_serves_in_order_across_loops, .limit = 1)
{
	InLine lines[COUNT(order)];
	PgConn *c;

	CHECK_OK(pg_pool_take(play->pool, play->a, &c));
	for (unsigned i = 0; i < COUNT(order); i++) {
		lines[i] = (InLine){ play, i, NULL };
		loop_post(rt_loop(i % 2), stand_here, &lines[i]);
		wanted = i + 1;
		until(stands, play);
	}
	pg_pool_give(play->pool, c);
	until(all_served, play);
	for (unsigned i = 0; i < COUNT(order); i++)
		CHECK_INT(order[i], i);
}

static void take_other(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Play *play = arg;
	PgConn *c;

	CHECK_OK(pg_pool_take(play->pool, a, &c));
	CHECK_STR(ask_on(c, a, "select 'y'"), S("y"));
	pg_pool_give(play->pool, c);
	__atomic_store_n(&served, 1, __ATOMIC_RELEASE);
}

static void take_there(void *arg)
{
	CHECK_OK(fiber_start(take_other, arg, "other"));
}

static bool one_served(Play *play)
{
	(void)play;
	return __atomic_load_n(&served, __ATOMIC_ACQUIRE);
}

PLAY(pg_pool_takes_what_rests_on_another_loop, .limit = 1)
{
	PgConn *c;

	CHECK_OK(pg_pool_take(play->pool, play->a, &c));
	pg_pool_give(play->pool, c);
	CHECK_INT(play->pool->loops[0].count, 1);
	loop_post(rt_loop(1), take_there, play);
	until(one_served, play);
	CHECK_INT(counted(play->pool, play->pool->cells.connects), 1);
}

PLAY(pg_pool_refuses_when_the_line_is_full_or_slow, .limit = 1, .queue = 1)
{
	InLine line = { play, 0, NULL };
	PgConn *c, *none = NULL;

	CHECK_OK(pg_pool_take(play->pool, play->a, &c));
	play->pool->conf.wait_us = 20000;
	CHECK_ERR(pg_pool_take(play->pool, play->a, &none), "db.busy"); /* waited */
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(1000);

		CHECK_ERR(pg_pool_take(play->pool, play->a, &none), "rt.deadline");
	}
	CHECK_INT(play->pool->waiting, 0);
	play->pool->conf.wait_us = 60 * US_PER_S;
	loop_post(rt_loop(1), stand_here, &line);
	wanted = 1;
	until(stands, play);
	CHECK_ERR(pg_pool_take(play->pool, play->a, &none), "db.busy"); /* full */
	CHECK_INT(counted(play->pool, play->cells->refused), 2);
	pg_pool_give(play->pool, c);
	while (__atomic_load_n(&served, __ATOMIC_ACQUIRE) != 1)
		CHECK_OK(fiber_sleep(1000));
}

static Err *take_and_hold(void *arg)
{
	Play *play = arg;
	PgConn *c;

	TRY(pg_pool_take(play->pool, play->a, &c));
	pg_pool_give(play->pool, c);
	return NULL;
}

PLAY(pg_pool_passes_on_what_a_cancelled_waiter_got, .limit = 1)
{
	PgConn *c;

	CHECK_OK(pg_pool_take(play->pool, play->a, &c));
	for (unsigned i = 0; i < 2; i++) {
		AUTO(child_end) Child child = { 0 };

		CHECK_OK(child_start(&child, take_and_hold, play, "taker"));
		wanted = 1;
		until(stands, play);
		if (i)
			pg_pool_give(play->pool, TAKE(c));
		fiber_cancel(child.fiber);
		CHECK_ERR(child_join(&child), "rt.cancelled");
		CHECK_INT(play->pool->waiting, 0);
	}
	CHECK_OK(pg_pool_take(play->pool, play->a, &c));
	CHECK_STR(ask_on(c, play->a, "select 'z'"), S("z"));
	pg_pool_give(play->pool, c);
	CHECK_INT(counted(play->pool, play->pool->cells.connects), 1);
}

/* --- the life of a connection ---------------------------------------------------------------------------------------- */

static bool none_is_left(Play *play)
{
	return !__atomic_load_n(&play->pool->open, __ATOMIC_SEQ_CST);
}

PLAY(pg_pool_closes_what_rests_too_long, .idle_us = 1000)
{
	PgConn *c;

	CHECK_OK(pg_pool_take(play->pool, play->a, &c));
	pg_pool_give(play->pool, c);
	until(none_is_left, play);
	CHECK_INT(counted(play->pool, play->pool->cells.broken), 0);
}

PLAY(pg_pool_replaces_what_is_old, .age_us = 1)
{
	PgConn *c;

	for (unsigned i = 1; i < 4; i++) {
		CHECK_OK(pg_pool_take(play->pool, play->a, &c));
		CHECK_INT(counted(play->pool, play->pool->cells.connects), i);
		CHECK_OK(fiber_sleep(
			1000)); /* a turn of the loop is one moment: it was made in this one */
		pg_pool_give(play->pool, c);
	}
}

PLAY(pg_pool_lets_go_of_what_the_server_ends)
{
	PgConn *c, *other;

	CHECK_OK(pg_pool_take(play->pool, play->a, &c));
	CHECK_OK(pg_pool_take(play->pool, play->a, &other));
	pg_pool_give(play->pool, c);
	CHECK_STR(ask_on(other, play->a,
	                 str_fmt(play->a, "select pg_terminate_backend(%d)::text",
	                         PQbackendPID(c->pg))
	                         .at),
	          S("true"));
	while (__atomic_load_n(&play->pool->open, __ATOMIC_SEQ_CST) > 1)
		CHECK_OK(fiber_sleep(1000));
	CHECK_INT(play->pool->loops[0].count, 0);
	CHECK_INT(counted(play->pool, play->pool->cells.broken), 1);
	pg_pool_give(play->pool, other);
	CHECK(!pg_pool_is_down(play->pool));
}

PLAY(pg_pool_cleans_what_comes_back_dirty, .limit = 1)
{
	PgAsk sleep = { .text = "select pg_sleep(60)" };
	PgConn *c;
	int pid;

	for (unsigned i = 0; i < 2; i++) {
		Deadline limit;

		CHECK_OK(pg_pool_take(play->pool, play->a, &c));
		pid = PQbackendPID(c->pg);
		CHECK_OK(pg_command(c, play->a, "begin"));
		limit = deadline_begin(20000);
		if (i)
			CHECK_ERR(pg_ask(c, play->a, &sleep, 1), "rt.deadline");
		deadline_end(&limit);
		pg_pool_give(play->pool, c);
		CHECK_OK(pg_pool_take(play->pool, play->a, &c));
		CHECK_INT(PQbackendPID(c->pg), pid);
		CHECK(pg_conn_usable(c));
		pg_pool_give(play->pool, c);
		CHECK_INT(counted(play->pool, play->pool->cells.cleaned), i + 1);
	}
}

/* --- a server that is away, or full ---------------------------------------------------------------------------------- */

static int log_pipe[2];

static void log_begin(void)
{
	CHECK_INT(pipe2(log_pipe, O_NONBLOCK | O_CLOEXEC), 0);
	log_setup(LOG_INFO, LOG_TEXT);
	log_to(log_pipe[1]);
}

static Str log_text(Arena *a)
{
	char *text = arena_alloc(a, 16 << 10);
	ssize_t len = read(log_pipe[0], text, 16 << 10);

	return (Str){ text, len < 0 ? 0 : (size_t)len };
}

static unsigned times(Str text, Str what)
{
	unsigned n = 0;
	ptrdiff_t at;

	for (; (at = str_find(text, what)) >= 0; n++)
		text = str_sub(text, (size_t)at + what.len, text.len);
	return n;
}

static void do_verb(void *verb)
{
	pg_server_do(verb, "own");
}

static void server_does(const char *verb)
{
	CHECK_OK(work_run(do_verb, (void *)(uintptr_t)verb));
}

static void outage(Play *play)
{
	Str text;
	PgConn *c;

	log_begin();
	CHECK_OK(pg_pool_take(play->pool, play->a, &c));
	pg_pool_give(play->pool, c);
	for (unsigned i = 0; i < 2; i++) {
		server_does(i ? "stop" : "kill");
		until(none_is_left, play);
		CHECK_ERR(pg_pool_take(play->pool, play->a, &c), "db.unavailable"); /* waited */
		for (unsigned k = 0; k < 20;
		     k++) /* are told at once, and bring no line into the log */
			CHECK_ERR(pg_pool_take(play->pool, play->a, &c), "db.unavailable");
		CHECK(pg_pool_is_down(play->pool));
		server_does("again");
		while (pg_pool_take(play->pool, play->a, &c))
			CHECK_OK(fiber_sleep(5000));
		CHECK_STR(ask_on(c, play->a, "select 'back'"), S("back"));
		CHECK(!pg_pool_is_down(play->pool));
		pg_pool_give(play->pool, c);
		text = log_text(play->a);
		NOTE("%.*s", STR_ARG(text));
		CHECK_INT(times(text, S("is away")), 1);
		CHECK_INT(times(text, S("is back")), 1);
	}
}

TEST(pg_pool_outlives_the_server_and_says_so_once)
{
	perform(a, pg_server_url(a, pg_server_start("own", ""), "tester", ""),
	        (PgPoolConf){ .patience_us = 200 * US_PER_MS }, outage);
}

static Err *wait_through(void *arg)
{
	Play *play = arg;
	PgConn *c;

	TRY(pg_pool_take(play->pool, play->a, &c));
	pg_pool_give(play->pool, c);
	return NULL;
}

static void short_outage(Play *play)
{
	AUTO(child_end) Child child = { 0 };
	PgConn *c;

	log_begin();
	CHECK_OK(pg_pool_take(play->pool, play->a, &c));
	pg_pool_give(play->pool, c);
	server_does("stop");
	until(none_is_left, play);
	CHECK_OK(child_start(&child, wait_through, play, "waits"));
	while (!pg_pool_is_down(play->pool))
		CHECK_OK(fiber_sleep(1000));
	server_does("again");
	CHECK_OK(child_join(&child)); /* nobody noticed a thing */
}

TEST(pg_pool_callers_wait_through_a_restart)
{
	perform(a, pg_server_url(a, pg_server_start("own", ""), "tester", ""),
	        (PgPoolConf){ .patience_us = 50 * US_PER_S, .wait_us = 50 * US_PER_S },
	        short_outage);
}

static void few_places(Play *play)
{
	Str text;

	log_begin();
	all_are_served(play);
	text = log_text(play->a);
	NOTE("%.*s", STR_ARG(text));
	CHECK(counted(play->pool, play->pool->cells.failures) > 0);
	CHECK(times(text, S("takes no more connections")) >= 1);
	CHECK_INT(times(text, S("is away")), 0);
	CHECK(play->pool->open <= 4);
}

TEST(pg_pool_makes_do_with_what_the_server_has)
{
	unsigned port = pg_server_start("own", "max_connections=4 superuser_reserved_connections=0 "
	                                       "max_wal_senders=0 wal_level=minimal");

	perform(a, pg_server_url(a, port, "tester", "?application_name=limit"),
	        (PgPoolConf){ .limit = 12 }, few_places);
}

/* Accepts and says nothing. */
static void silence(Play *play)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(50000);
	PgConn *c;

	CHECK_ERR(pg_pool_take(play->pool, play->a, &c), "rt.deadline");
}

TEST(pg_pool_callers_keep_their_deadline_with_a_server_that_is_mute)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof addr;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_INT(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	CHECK_INT(listen(fd, 8), 0);
	CHECK_INT(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	perform(a, pg_server_url(a, ntohs(addr.sin_port), "tester", "?connect_timeout=300"),
	        (PgPoolConf){ .limit = 1 }, silence);
	close(fd);
}

TEST(pg_metrics_are_well_named)
{
	size_t count;
	const MetricFamily *rows = pg_metrics(&count);

	for (size_t i = 0; i < count; i++)
		CHECK_STR(metric_family_mistake(a, &rows[i]), S(""));
}
