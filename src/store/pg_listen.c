/* SPDX-License-Identifier: Apache-2.0
 *
 * LISTEN: one connection of its own for the whole process, past PgBouncer where there is one, since it needs a session. A
 * fiber, on the loop that asked first, hears what is told and passes it on. The connection is beyond the pool's limit.
 *
 * When it breaks it is made again, with longer and longer pauses; what was told meanwhile is lost, so everybody is woken once
 * it listens again. */
#include "base/rand.h"
#include "base/time.h"
#include "store/pg_int.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdlib.h>

enum { CHANNELS = 32, NAME_MAX_BYTES = 63 };
#define PAUSE_US (100 * US_PER_MS)
#define PAUSE_MAX_US (5 * US_PER_S)
#define LOOK_US (2 * US_PER_MS)
#define PATIENCE_US US_PER_S /* of those who begin to watch; it is a hint, after all */

struct PgListener {
	Db *db;
	const PgTarget *target;
	pthread_mutex_t lock; /* of all below, but what is the fiber's */
	const char *channels[CHANNELS];
	unsigned count;
	unsigned heard; /* atomic: of them, those that are listened to now */
	Loop *loop;     /* the fiber's; NULL: it was never started */
	bool closing;
	bool done;      /* atomic */
	Fiber *fiber;   /* its loop only */
	unsigned pokes; /* atomic: messages on their way */
};

PgListener *pg_listener_new(Db *db, const PgTarget *target)
{
	PgListener *l = calloc(1, sizeof *l);

	if (!l)
		abort();
	*l = (PgListener){ .db = db, .target = target };
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

static const char *channel_at(PgListener *l, unsigned i, bool *closing)
{
	const char *channel;

	pthread_mutex_lock(&l->lock);
	channel = i < l->count ? l->channels[i] : NULL;
	*closing = l->closing;
	pthread_mutex_unlock(&l->lock);
	return channel;
}

static void tell(PgListener *l, const char *name)
{
	bool closing;
	const char *channel;

	for (unsigned i = 0; (channel = channel_at(l, i, &closing)); i++)
		if (!name || strcmp(channel, name) == 0)
			db_told(l->db, db_channel(l->db, channel));
}

/* --- the fiber ------------------------------------------------------------------------------------------------------ */

static Err *listen_to_new(PgListener *l, PgConn *c, Arena *a, unsigned *heard)
{
	const char *channel;
	bool closing;

	while ((channel = channel_at(l, *heard, &closing))) {
		TRY(pg_command(c, a, str_fmt(a, "listen \"%s\"", channel).at));
		++*heard;
	}
	return NULL;
}

static void pass_on(PgListener *l, PgConn *c)
{
	PGnotify *told;

	while ((told = PQnotifies(c->pg))) {
		tell(l, told->relname);
		PQfreemem(told);
	}
}

/* Until the connection breaks, or the fiber is cancelled. */
static Err *session(PgListener *l, Arena *a, int64_t *pause_us)
{
	AUTO(pg_conn_freep) PgConn *c = NULL;
	unsigned heard = 0;

	TRY(pg_conn_open(a, l->target, true, &c, NULL));
	*pause_us = PAUSE_US;
	TRY(listen_to_new(l, c, a, &heard));
	tell(l, NULL);
	for (;;) {
		__atomic_store_n(&l->heard, heard, __ATOMIC_RELEASE);
		pass_on(l, c);
		TRY(ready_wait(&c->ready, true, false));
		if (!pg_conn_hear(c))
			return NULL;
		TRY(listen_to_new(l, c, a, &heard));
	}
}

static void listen_main(void *arg)
{
	PgListener *l = arg;
	int64_t pause_us = PAUSE_US;
	bool closing = false;

	l->fiber = fiber_self();
	while (!closing && !fiber_cancelled()) {
		AUTO(arena_freep) Arena *a = arena_new(0);

		if (session(l, a, &pause_us))
			pause_us = MIN(2 * pause_us, PAUSE_MAX_US);
		__atomic_store_n(&l->heard, 0, __ATOMIC_RELEASE);
		channel_at(l, 0, &closing);
		if (closing || fiber_sleep(pause_us / 2 + (int64_t)rand_below((uint64_t)pause_us)))
			break;
	}
	l->fiber = NULL;
	__atomic_store_n(&l->done, true, __ATOMIC_RELEASE);
}

/* --- those who ask -------------------------------------------------------------------------------------------------- */

static void poked(void *arg)
{
	PgListener *l = arg;

	if (l->fiber && l->closing)
		fiber_cancel(l->fiber);
	else if (l->fiber)
		fiber_wake(l->fiber);
	__atomic_sub_fetch(&l->pokes, 1, __ATOMIC_ACQ_REL);
}

static void poke(PgListener *l)
{
	__atomic_add_fetch(&l->pokes, 1, __ATOMIC_ACQ_REL);
	loop_post(l->loop, poked, l);
}

/* The channel's place, or -1: there is none. The first that asks starts the fiber, on its own loop. */
static int add(PgListener *l, const char *channel, bool *starts)
{
	unsigned i = 0;

	pthread_mutex_lock(&l->lock);
	while (i < l->count && strcmp(l->channels[i], channel) != 0)
		i++;
	*starts = !l->loop;
	if (*starts)
		l->loop = loop_self();
	if (i == l->count && i < CHANNELS)
		l->channels[l->count++] = channel;
	pthread_mutex_unlock(&l->lock);
	return i < CHANNELS ? (int)i : -1;
}

static bool is_name(const char *channel)
{
	Str name = str_of(channel);

	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_'))
			return false;
	}
	return name.len && name.len <= NAME_MAX_BYTES;
}

Err *pg_listener_add(PgListener *l, Arena *a, const char *channel)
{
	int64_t until_us = loop_now_us() + PATIENCE_US;
	bool starts;
	int place = is_name(channel) ? add(l, channel, &starts) : -1;

	if (place < 0)
		return db_err(a, DB_MISUSE, NULL, "\"%s\" is no channel, or one too many", channel);
	if (starts)
		TRY(fiber_start(listen_main, l, "postgres-listen"));
	else if (__atomic_load_n(&l->heard, __ATOMIC_ACQUIRE) <= (unsigned)place)
		poke(l);
	while (__atomic_load_n(&l->heard, __ATOMIC_ACQUIRE) <= (unsigned)place &&
	       loop_now_us() < until_us)
		TRY(fiber_sleep(LOOK_US));
	return NULL;
}

void pg_listener_free(PgListener *l)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	pthread_mutex_lock(&l->lock);
	l->closing = true;
	pthread_mutex_unlock(&l->lock);
	if (l->loop)
		poke(l);
	while ((l->loop && !__atomic_load_n(&l->done, __ATOMIC_ACQUIRE)) ||
	       __atomic_load_n(&l->pokes, __ATOMIC_ACQUIRE))
		if (fiber_sleep(LOOK_US))
			break; /* cannot be: shielded */
	pthread_mutex_destroy(&l->lock);
	free(l);
}
