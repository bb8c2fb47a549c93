/* SPDX-License-Identifier: Apache-2.0
 *
 * As the gateway's upstreams have it (gateway/queue.c), and simpler, because there is one server and every connection suits
 * everybody. A connection rests on the loop that used it last. Nobody is woken to look again: what becomes free is handed to
 * the first in line, and moves to that one's loop if need be. Who waits looks for what rests after it stands in line, who
 * brings something back looks for waiters after it lies there: one of the two sees the other.
 *
 * Connections are made by fibers of the pool's own, so that a caller's deadline does not end them halfway; as many at a time
 * as there are waiters and room. When one fails there is a pause, longer each time and jittered, and one fiber tries for all.
 * Without any connection left the server is away: that is said once in the log, and once that it is back. For the first
 * seconds callers wait, since a restart is over soon; after that they are told at once, and each that comes when a pause is
 * over has the server tried again in the background.
 *
 * A connection that came back dirty is cleaned by a fiber of its own; its place in the count is taken until then. */
#include "store/pg_pool.h"

#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_US (10 * US_PER_S)
#define IDLE_US (300 * US_PER_S)
#define AGE_US (3600 * US_PER_S)
#define PATIENCE_US (3 * US_PER_S) /* with a server that is away */
#define PAUSE_US (50 * US_PER_MS)
#define PAUSE_MAX_US (3 * US_PER_S)
#define CLEAN_US (3 * US_PER_S)

typedef struct PoolLoop {
	List resting;   /* the one used last first */
	List opening;   /* fibers that make connections */
	uint32_t count; /* of them; atomic, read by others */
} __attribute__((aligned(64))) PoolLoop;

typedef struct PgCells {
	MetricCell open, resting, connects, failures, cleaned, broken;
} PgCells;

struct PgPool {
	PgPoolConf conf;
	PgCells cells;
	pthread_mutex_t lock; /* of all below but what is atomic */
	List line;
	uint32_t waiting; /* atomic: in line */
	uint32_t open;    /* atomic: connections, and those being made */
	uint32_t busy;    /* atomic: fibers of the pool, and messages on their way */
	uint32_t opening;
	bool closing;
	bool down;
	unsigned fails;    /* in a row */
	int64_t failed_us; /* the first of them */
	int64_t next_us;   /* no connection is tried before */
	char why[200];
	PoolLoop loops[];
};

typedef struct Opener {
	Node node;
	Fiber *fiber;
} Opener;

/* What it gets is its own before it wakes. */
typedef struct Waiter {
	Node node;
	Loop *loop;
	Fiber *fiber;
	PgConn *conn; /* NULL: it is refused */
	bool served;  /* taken out of the line; under the lock */
	bool woken;   /* and knows it */
} Waiter;

/* --- metrics -------------------------------------------------------------------------------------------------------- */

static const MetricFamily families[] = {
	{ "banyan_postgres_connections",
	  METRIC_GAUGE,
	  "connections",
	  "Connections to a PostgreSQL, those being made too",
	  { "database", "role" } },
	{ "banyan_postgres_resting_connections",
	  METRIC_GAUGE,
	  "connections",
	  "Those of them that nobody uses",
	  { "database", "role" } },
	{ "banyan_postgres_connects_total",
	  METRIC_COUNTER,
	  "connections",
	  "Connections made",
	  { "database", "role" } },
	{ "banyan_postgres_connect_failures_total",
	  METRIC_COUNTER,
	  "connections",
	  "Connections that could not be made",
	  { "database", "role" } },
	{ "banyan_postgres_cleaned_total",
	  METRIC_COUNTER,
	  "connections",
	  "Connections used again after what ran on them was given up",
	  { "database", "role" } },
	{ "banyan_postgres_broken_total",
	  METRIC_COUNTER,
	  "connections",
	  "Connections that broke or could not be cleaned",
	  { "database", "role" } },
};

const MetricFamily *pg_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static void cells_take(PgPool *pool)
{
	MetricCell *cells[] = { &pool->cells.open,     &pool->cells.resting, &pool->cells.connects,
		                &pool->cells.failures, &pool->cells.cleaned, &pool->cells.broken };
	const Str labels[] = { pool->conf.name, pool->conf.role };

	for (size_t i = 0; i < COUNT(cells); i++)
		*cells[i] = metric_cell(&families[i], labels, COUNT(labels));
}

static void cells_give(PgPool *pool)
{
	metric_cell_free(pool->cells.open);
	metric_cell_free(pool->cells.resting);
	metric_cell_free(pool->cells.connects);
	metric_cell_free(pool->cells.failures);
	metric_cell_free(pool->cells.cleaned);
	metric_cell_free(pool->cells.broken);
}

/* --- the line ------------------------------------------------------------------------------------------------------- */

static void open_more(PgPool *pool);

static bool someone_waits(const PgPool *pool)
{
	return __atomic_load_n(&pool->waiting, __ATOMIC_SEQ_CST) > 0;
}

static void waiter_wake(void *arg)
{
	Waiter *waiter = arg;

	waiter->woken = true;
	fiber_wake(waiter->fiber);
}

/* Under the lock. */
static void take_out(PgPool *pool, Waiter *waiter)
{
	list_remove(&waiter->node);
	__atomic_sub_fetch(&pool->waiting, 1, __ATOMIC_SEQ_CST);
}

static void serve(PgPool *pool, Waiter *waiter, PgConn *c)
{
	take_out(pool, waiter);
	waiter->conn = c;
	waiter->served = true;
	if (waiter->loop == loop_self()) {
		waiter_wake(waiter);
		return;
	}
	if (c)
		pg_conn_leave(c);
	loop_post(waiter->loop, waiter_wake, waiter);
}

/* To the first in line; false: nobody waits. */
static bool hand_over(PgPool *pool, PgConn *c)
{
	Waiter *waiter;

	if (!someone_waits(pool))
		return false;
	pthread_mutex_lock(&pool->lock);
	waiter = LIST_FIRST(&pool->line, Waiter, node);
	if (waiter)
		serve(pool, waiter, c);
	pthread_mutex_unlock(&pool->lock);
	return waiter;
}

static void refuse_all(PgPool *pool)
{
	Waiter *waiter;

	pthread_mutex_lock(&pool->lock);
	while ((waiter = LIST_FIRST(&pool->line, Waiter, node)))
		serve(pool, waiter, NULL);
	pthread_mutex_unlock(&pool->lock);
}

/* --- resting -------------------------------------------------------------------------------------------------------- */

static PoolLoop *here(PgPool *pool)
{
	return &pool->loops[loop_index(loop_self())];
}

static void rest_count(PgPool *pool, int n)
{
	uint32_t *count = &here(pool)->count;

	__atomic_store_n(count, *count + (uint32_t)n, __ATOMIC_SEQ_CST);
	if (n > 0)
		metric_add(pool->cells.resting, 1);
	else
		metric_sub(pool->cells.resting, 1);
}

static void drop(PgPool *pool, PgConn *c)
{
	pg_conn_free(c);
	__atomic_sub_fetch(&pool->open, 1, __ATOMIC_SEQ_CST);
	metric_sub(pool->cells.open, 1);
	open_more(pool);
}

static void rouse(PgPool *pool, PgConn *c)
{
	list_remove(&c->node);
	timer_clear(&c->timer);
	c->ready.on_ready = NULL;
	rest_count(pool, -1);
}

static void rest_over(Timer *timer)
{
	PgConn *c = CONTAINER(timer, PgConn, timer);
	PgPool *pool = c->owner;

	timer_clear(timer);
	if (!node_linked(&c->node))
		return;
	rouse(pool, c);
	drop(pool, c);
}

static void spoken_to(Ready *ready)
{
	PgConn *c = CONTAINER(ready, PgConn, ready);
	PgPool *pool = c->owner;

	if (pg_conn_hear(c))
		return;
	metric_add(pool->cells.broken, 1);
	rouse(pool, c);
	drop(pool, c);
}

static PgConn *take_resting(PgPool *pool)
{
	PgConn *c = LIST_FIRST(&here(pool)->resting, PgConn, node);

	if (c)
		rouse(pool, c);
	return c;
}

/* On a loop that has some, for those who wait elsewhere. */
static void offer(PgPool *pool)
{
	while (someone_waits(pool)) {
		PgConn *c = take_resting(pool);

		if (!c)
			return;
		if (!hand_over(pool, c))
			pg_pool_give(pool, c);
	}
}

static void offer_asked(void *arg)
{
	PgPool *pool = arg;

	offer(pool);
	__atomic_sub_fetch(&pool->busy, 1, __ATOMIC_SEQ_CST);
}

static void ask_other_loops(PgPool *pool)
{
	for (unsigned i = 0; i < rt_loops(); i++) {
		if (rt_loop(i) == loop_self() ||
		    !__atomic_load_n(&pool->loops[i].count, __ATOMIC_SEQ_CST))
			continue;
		__atomic_add_fetch(&pool->busy, 1, __ATOMIC_SEQ_CST);
		loop_post(rt_loop(i), offer_asked, pool);
	}
}

static void lay_down(PgPool *pool, PgConn *c)
{
	timer_set(&c->timer, loop_now_us() + pool->conf.idle_us);
	if (ready_watch(&c->ready, spoken_to)) {
		drop(pool, c);
		return;
	}
	list_push(&here(pool)->resting, &c->node);
	rest_count(pool, 1);
	offer(pool);
}

/* --- giving back ---------------------------------------------------------------------------------------------------- */

static void give_whole(PgPool *pool, PgConn *c)
{
	if (loop_now_us() > c->old_us || __atomic_load_n(&pool->closing, __ATOMIC_ACQUIRE))
		drop(pool, c);
	else if (!hand_over(pool, c))
		lay_down(pool, c);
}

static void clean_main(void *arg)
{
	PgConn *c = arg;
	PgPool *pool = c->owner;

	if (pg_conn_clean(c, CLEAN_US)) {
		metric_add(pool->cells.cleaned, 1);
		give_whole(pool, c);
	} else {
		metric_add(pool->cells.broken, 1);
		drop(pool, c);
	}
	__atomic_sub_fetch(&pool->busy, 1, __ATOMIC_SEQ_CST);
}

void pg_pool_give(PgPool *pool, PgConn *c)
{
	if (!c)
		return;
	if (pg_conn_usable(c)) {
		give_whole(pool, c);
		return;
	}
	__atomic_add_fetch(&pool->busy, 1, __ATOMIC_SEQ_CST);
	if (!fiber_start(clean_main, c, "postgres-clean"))
		return;
	__atomic_sub_fetch(&pool->busy, 1, __ATOMIC_SEQ_CST);
	drop(pool, c);
}

/* --- opening -------------------------------------------------------------------------------------------------------- */

static int64_t with_jitter(int64_t us)
{
	return us - us / 4 + (int64_t)rand_below((uint64_t)us / 2 + 1);
}

/* Under the lock: may another be made, and is there somebody for it? Counts it. */
static bool place_take(PgPool *pool, bool wanted)
{
	uint32_t open = __atomic_load_n(&pool->open, __ATOMIC_SEQ_CST);

	if (pool->closing || open >= pool->conf.limit ||
	    (!wanted && pool->waiting <= pool->opening))
		return false;
	if (pool->fails && (pool->opening || loop_now_us() < pool->next_us))
		return false; /* one tries for all, after the pause */
	pool->opening++;
	__atomic_add_fetch(&pool->open, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&pool->busy, 1, __ATOMIC_SEQ_CST);
	metric_add(pool->cells.open, 1);
	return true;
}

static void place_give(PgPool *pool)
{
	pool->opening--;
	__atomic_sub_fetch(&pool->open, 1, __ATOMIC_SEQ_CST);
	metric_sub(pool->cells.open, 1);
}

static void note_success(PgPool *pool)
{
	int64_t away_us = 0;

	pthread_mutex_lock(&pool->lock);
	pool->opening--;
	if (pool->down)
		away_us = loop_now_us() - pool->failed_us;
	pool->fails = 0;
	__atomic_store_n(&pool->down, false, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&pool->lock);
	metric_add(pool->cells.connects, 1);
	if (away_us)
		log_info("database %.*s: PostgreSQL %.*s is back after %.1f s",
		         STR_ARG(pool->conf.name), STR_ARG(pool->conf.target.shown),
		         (double)away_us / 1e6);
}

static int64_t pause_after(unsigned fails)
{
	unsigned doubled = MIN(fails, 10u);

	return with_jitter(MIN(PAUSE_US << doubled, PAUSE_MAX_US));
}

/* Returns how long to pause. The line is told off once the server has been away for longer than one waits for it. */
static int64_t note_failure(PgPool *pool, const Err *err)
{
	int64_t pause_us, now_us = loop_now_us();
	bool first, away, few, told_off;

	pthread_mutex_lock(&pool->lock);
	place_give(pool);
	away = !__atomic_load_n(&pool->open, __ATOMIC_SEQ_CST);
	first = away && !pool->down;
	few = !away && !pool->fails;
	if (!pool->fails++)
		pool->failed_us = now_us;
	pause_us = pause_after(pool->fails - 1);
	pool->next_us = now_us + pause_us;
	__atomic_store_n(&pool->down, away, __ATOMIC_RELEASE);
	snprintf(pool->why, sizeof pool->why, "%.*s", STR_ARG(err->text));
	told_off = away && now_us - pool->failed_us >= pool->conf.patience_us;
	pthread_mutex_unlock(&pool->lock);
	metric_add(pool->cells.failures, 1);
	if (first || few)
		log_warn("database %.*s: PostgreSQL %.*s %s: %.*s", STR_ARG(pool->conf.name),
		         STR_ARG(pool->conf.target.shown),
		         first ? "is away" : "takes no more connections", STR_ARG(err->text));
	if (told_off)
		refuse_all(pool);
	return pause_us;
}

/* One connection, made or not; then *pause_us is how long to pause. False: the pool is being closed. */
static bool connect_once(PgPool *pool, int64_t *pause_us)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(deadline_end) Deadline limit = deadline_begin(pool->conf.target.connect_us);
	PgConn *c = NULL;
	Err *err = pg_conn_open(a, &pool->conf.target, pool->conf.session, &c, NULL);

	if (err_is(err, "rt.deadline"))
		err = db_err(a, DB_UNAVAILABLE, NULL, "no connection came about in %.1f s",
		             (double)pool->conf.target.connect_us / 1e6);
	*pause_us = 0;
	if (err && fiber_cancelled()) {
		pthread_mutex_lock(&pool->lock);
		place_give(pool);
		pthread_mutex_unlock(&pool->lock);
		return false;
	}
	if (err) {
		*pause_us = note_failure(pool, err);
		return true;
	}
	c->owner = pool;
	c->timer = (Timer)TIMER_INIT(rest_over);
	c->old_us = loop_now_us() + with_jitter(pool->conf.age_us);
	note_success(pool);
	give_whole(pool, c);
	return true;
}

static bool place_take_again(PgPool *pool)
{
	bool taken;

	pthread_mutex_lock(&pool->lock);
	taken = place_take(pool, false);
	pthread_mutex_unlock(&pool->lock);
	if (taken) /* it is this fiber's, which is counted */
		__atomic_sub_fetch(&pool->busy, 1, __ATOMIC_SEQ_CST);
	return taken;
}

/* Goes on as long as somebody waits. */
static void open_main(void *arg)
{
	PgPool *pool = arg;
	Opener opener = { .fiber = fiber_self() };
	int64_t pause_us;

	list_add(&here(pool)->opening, &opener.node);
	while (connect_once(pool, &pause_us) && pause_us && !fiber_sleep(pause_us) &&
	       place_take_again(pool))
		continue;
	list_remove(&opener.node);
	__atomic_sub_fetch(&pool->busy, 1, __ATOMIC_SEQ_CST);
}

static void open_one(PgPool *pool, bool wanted)
{
	bool taken;

	pthread_mutex_lock(&pool->lock);
	taken = place_take(pool, wanted);
	pthread_mutex_unlock(&pool->lock);
	if (!taken || !fiber_start(open_main, pool, "postgres-open"))
		return;
	pthread_mutex_lock(&pool->lock);
	place_give(pool);
	pthread_mutex_unlock(&pool->lock);
	__atomic_sub_fetch(&pool->busy, 1, __ATOMIC_SEQ_CST);
}

/* A place was given up, or somebody came: one more connection, if somebody waits for it. */
static void open_more(PgPool *pool)
{
	if (someone_waits(pool))
		open_one(pool, false);
}

/* --- taking --------------------------------------------------------------------------------------------------------- */

static Err *busy(const PgPool *pool, Arena *a, const char *why)
{
	metric_add(pool->conf.cells->refused, 1);
	return db_err(a, DB_BUSY, NULL, "all %u connections to %.*s are in use: %s",
	              pool->conf.limit, STR_ARG(pool->conf.target.shown), why);
}

static Err *unavailable(PgPool *pool, Arena *a)
{
	Err *err;

	pthread_mutex_lock(&pool->lock);
	err = db_err(a, DB_UNAVAILABLE, NULL, "%s",
	             pool->closing ? "the database is being closed" : pool->why);
	pthread_mutex_unlock(&pool->lock);
	return err;
}

static bool is_hopeless(PgPool *pool)
{
	bool hopeless;

	pthread_mutex_lock(&pool->lock);
	hopeless = pool->closing ||
	           (pool->down && loop_now_us() - pool->failed_us >= pool->conf.patience_us);
	pthread_mutex_unlock(&pool->lock);
	return hopeless;
}

static bool join_line(PgPool *pool, Waiter *waiter)
{
	bool joined;

	pthread_mutex_lock(&pool->lock);
	joined = pool->waiting < pool->conf.queue && !pool->closing;
	if (joined) {
		list_add(&pool->line, &waiter->node);
		__atomic_add_fetch(&pool->waiting, 1, __ATOMIC_SEQ_CST);
	}
	pthread_mutex_unlock(&pool->lock);
	return joined;
}

/* Gone after a time-out or a cancel. What it was given meanwhile arrives first, and goes to the next. */
static void leave_line(PgPool *pool, Waiter *waiter)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);
	bool served;

	pthread_mutex_lock(&pool->lock);
	served = waiter->served;
	if (!served)
		take_out(pool, waiter);
	pthread_mutex_unlock(&pool->lock);
	while (served && !waiter->woken)
		if (fiber_park())
			break; /* cannot be: shielded */
	pg_pool_give(pool, waiter->conn);
}

static Err *await_turn(PgPool *pool, Arena *a, Waiter *waiter)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(pool->conf.wait_us);
	int64_t late_us = loop_now_us() + pool->conf.wait_us;
	Err *err = NULL;

	open_more(pool);
	offer(pool);
	if (!waiter->woken)
		ask_other_loops(pool);
	while (!waiter->woken && !err)
		err = fiber_park();
	if (!err)
		return waiter->conn ? NULL : unavailable(pool, a);
	leave_line(pool, waiter);
	if (!err_is(err, "rt.deadline") || loop_now_us() < late_us)
		return err;
	return pg_pool_is_down(pool) ? unavailable(pool, a)
	                             : busy(pool, a, "waiting for one took too long");
}

static Err *stand_in_line(PgPool *pool, Arena *a, PgConn **out)
{
	Waiter waiter = { .loop = loop_self(), .fiber = fiber_self() };
	int64_t since_us = loop_now_us();
	Err *err;

	if (is_hopeless(pool)) {
		open_one(pool, true); /* in the background */
		return unavailable(pool, a);
	}
	if (!join_line(pool, &waiter))
		return busy(pool, a, "and as many wait as may");
	metric_add(pool->conf.cells->queued, 1);
	err = await_turn(pool, a, &waiter);
	metric_sub(pool->conf.cells->queued, 1);
	metric_observe_us(pool->conf.cells->wait, loop_now_us() - since_us);
	*out = waiter.conn;
	return err;
}

Err *pg_pool_take(PgPool *pool, Arena *a, PgConn **out)
{
	PgConn *c = someone_waits(pool) ? NULL : take_resting(pool);

	if (!c)
		TRY(stand_in_line(pool, a, &c));
	*out = c;
	return NULL;
}

/* --- the whole ------------------------------------------------------------------------------------------------------ */

PgPool *pg_pool_new(const PgPoolConf *conf)
{
	PgPool *pool = NULL;
	size_t bytes = sizeof *pool + rt_loops() * sizeof(PoolLoop);

	if (posix_memalign((void **)&pool, _Alignof(PgPool), bytes) != 0)
		abort();
	memset(pool, 0, bytes);
	pool->conf = *conf;
	pool->conf.limit = MAX(conf->limit, 1u);
	pool->conf.wait_us = conf->wait_us ? conf->wait_us : WAIT_US;
	pool->conf.patience_us = conf->patience_us ? conf->patience_us : PATIENCE_US;
	pool->conf.idle_us = conf->idle_us ? conf->idle_us : IDLE_US;
	pool->conf.age_us = conf->age_us ? conf->age_us : AGE_US;
	pthread_mutex_init(&pool->lock, NULL);
	list_init(&pool->line);
	for (unsigned i = 0; i < rt_loops(); i++)
		list_init(&pool->loops[i].resting), list_init(&pool->loops[i].opening);
	cells_take(pool);
	return pool;
}

static void empty_here(void *arg)
{
	PgPool *pool = arg;
	PgConn *c;

	while ((c = take_resting(pool)))
		drop(pool, c);
	LIST_EACH (&here(pool)->opening, Opener, node, opener)
		fiber_cancel(opener->fiber);
}

static bool is_used(const PgPool *pool)
{
	return __atomic_load_n(&pool->open, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&pool->busy, __ATOMIC_SEQ_CST);
}

void pg_pool_free(PgPool *pool)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	__atomic_store_n(&pool->closing, true, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&pool->lock);
	refuse_all(pool);
	do {
		loop_each(empty_here, pool);
		if (is_used(pool) && fiber_sleep(PAUSE_US / 10))
			break; /* cannot be: shielded */
	} while (is_used(pool));
	cells_give(pool);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void pg_pool_revive(PgPool *pool)
{
	if (pg_pool_is_down(pool))
		open_one(pool, true);
}

bool pg_pool_is_down(const PgPool *pool)
{
	return __atomic_load_n(&pool->down, __ATOMIC_ACQUIRE);
}

const PgTarget *pg_pool_target(const PgPool *pool)
{
	return &pool->conf.target;
}
