/* SPDX-License-Identifier: Apache-2.0
 *
 * Being told of commits. A database has a hub: up to 32 channels, each a bit, and for each loop the watches of its fibers and
 * the bits that were told and not yet handed out. Telling is one atomic OR for each loop that has watches, and a message to it
 * when nothing was on the way already: a thousand commits wake a watcher once. Lists are touched by their own loop only.
 *
 * More channels than bits share the last one: a watcher then looks in vain now and then, which it must bear anyway. */
#include "base/arena.h"
#include "base/time.h"
#include "rt/loop.h"
#include "store/db_int.h"

#include <pthread.h>
#include <stdlib.h>

enum { CHANNELS = 32 };

typedef struct HubLoop {
	List watches;
	unsigned watching; /* atomic */
	uint32_t pending;  /* atomic: told, not handed out */
} HubLoop;

struct DbHub {
	pthread_mutex_t lock; /* of the names */
	const char *names[CHANNELS];
	unsigned channels;
	unsigned loops;
	HubLoop at[];
};

DbHub *db_hub_new(void)
{
	unsigned loops = rt_loops();
	DbHub *hub = calloc(1, sizeof *hub + loops * sizeof hub->at[0]);

	if (!hub)
		abort();
	pthread_mutex_init(&hub->lock, NULL);
	hub->loops = loops;
	for (unsigned i = 0; i < loops; i++)
		list_init(&hub->at[i].watches);
	return hub;
}

static void nothing(void *arg)
{
	(void)arg;
}

void db_hub_free(DbHub *hub)
{
	if (!hub)
		return;
	loop_each(nothing, NULL); /* what is on its way arrives before */
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

uint32_t db_channel(Db *root, const char *channel)
{
	DbHub *hub = root->hub;
	unsigned i = 0;

	pthread_mutex_lock(&hub->lock);
	while (i < hub->channels && strcmp(hub->names[i], channel) != 0)
		i++;
	if (i == hub->channels && i < CHANNELS)
		hub->names[hub->channels++] = channel;
	pthread_mutex_unlock(&hub->lock);
	return UINT32_C(1) << MIN(i, (unsigned)CHANNELS - 1);
}

static void hand_out(void *arg)
{
	HubLoop *at = arg;
	uint32_t told = __atomic_exchange_n(&at->pending, 0, __ATOMIC_ACQ_REL);

	LIST_EACH (&at->watches, DbWatch, node, watch) {
		if (!(watch->channel & told))
			continue;
		watch->told = true;
		if (watch->fiber)
			fiber_wake(watch->fiber);
	}
}

void db_told(Db *root, uint32_t channels)
{
	DbHub *hub = root->hub;

	for (unsigned i = 0; channels && i < hub->loops; i++) {
		HubLoop *at = &hub->at[i];

		if (!__atomic_load_n(&at->watching, __ATOMIC_SEQ_CST))
			continue;
		if (!__atomic_fetch_or(&at->pending, channels, __ATOMIC_ACQ_REL))
			loop_post(rt_loop(i), hand_out, at);
	}
}

/* --- fibers --------------------------------------------------------------------------------------------------------- */

static HubLoop *own(const DbWatch *watch)
{
	return &watch->db->hub->at[loop_index(loop_self())];
}

Err *db_watch_begin(DbWatch *watch, Db *db, Arena *a, const char *channel)
{
	if (db->depth)
		return db_err(a, DB_MISUSE, NULL, "a transaction cannot wait to be told");
	if (db->engine->listen)
		TRY(db->engine->listen(db, a, channel));
	*watch = (DbWatch){ .db = db, .channel = db_channel(db, channel) };
	list_add(&own(watch)->watches, &watch->node);
	__atomic_add_fetch(&own(watch)->watching, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

void db_watch_end(DbWatch *watch)
{
	if (!watch->db)
		return;
	list_remove(&watch->node);
	__atomic_sub_fetch(&own(watch)->watching, 1, __ATOMIC_SEQ_CST);
	watch->db = NULL;
}

static Err *wait_until_told(DbWatch *watch, int64_t most_us)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(most_us);

	while (!watch->told)
		TRY(fiber_park());
	return NULL;
}

Err *db_watch_wait(DbWatch *watch, int64_t most_us)
{
	Err *err;

	watch->fiber = fiber_self();
	err = wait_until_told(watch, most_us);
	watch->fiber = NULL;
	watch->told = false;
	if (err && err_is(err, "rt.deadline") && deadline_at() > loop_now_us())
		return NULL; /* our own limit */
	return err;
}
