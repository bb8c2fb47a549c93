/* SPDX-License-Identifier: Apache-2.0
 *
 * The local bus: a consumer reads the source's outbox, where it left off. Its place is in its own database and moves in the
 * transaction of the effects; the source's database is told of it now and then, so that it knows what may be deleted.
 *
 * It is woken by the outbox where the engine can do that; other processes' events on SQLite are found by looking, five times
 * a second. */
#include "base/log.h"
#include "base/time.h"
#include "store/bus_int.h"
#include "store/outbox.h"

enum { BATCH = 64, SAID_EVERY = 1000 };

static const int64_t look_us[SQL_ENGINES] = {
	[SQL_SQLITE] = 200 * US_PER_MS, [SQL_POSTGRES] = US_PER_S
};

typedef struct Local {
	const ConsumerConf *conf;
	const BusSource *source;
	Part part;
	int64_t said; /* the place that the source's database was told */
	bool checked; /* since the part is ours */
} Local;

/* A database that was put back to an earlier state gives places that were given before. What the inbox knows is passed over. */
static Err *check_place(Local *l, Arena *a)
{
	int64_t last;

	if (l->checked)
		return NULL;
	TRY(outbox_last(l->source->db, a, &last));
	if (l->part.seq > last) {
		log_warn("the outbox of %.*s is at %" PRId64 ", %.*s was at %" PRId64
		         ": it begins again",
		         STR_ARG(l->source->name), last, STR_ARG(l->conf->name), l->part.seq);
		l->part.seq = 0;
		TRY(part_renew(&l->part, a));
	}
	l->said = -1;
	l->checked = true;
	return NULL;
}

static Err *say_place(Local *l, Arena *a)
{
	if (l->said == l->part.seq)
		return NULL;
	TRY(outbox_seen(l->source->db, a, l->conf->name, l->part.seq));
	l->said = l->part.seq;
	return NULL;
}

/* One look; *wait_us: how long until the next, unless woken. */
static Err *turn(void *arg, Arena *a, int64_t *wait_us)
{
	Local *l = arg;
	size_t most = l->conf->batch ? l->conf->batch : BATCH;
	Part *part = &l->part;
	Event *events;
	size_t count;

	*wait_us = look_us[db_engine(l->source->db)];
	if (!part->mine) {
		l->checked = false;
		TRY(part_claim(part, a));
		if (!part->mine)
			return NULL;
	}
	TRY(check_place(l, a));
	TRY(part_retry(part, a, *wait_us, wait_us));
	TRY(outbox_read(l->source->db, a, l->source->name, part->seq, most, &events, &count));
	if (count) {
		TRY(part_deliver(part, a, events, count, events[count - 1].seq));
		*wait_us = 0;
	} else if (time_mono_us() >= part->renew_us) {
		l->checked = false;
		TRY(part_renew(part, a));
	}
	if (count < most || part->seq - l->said >= SAID_EVERY)
		TRY(say_place(l, a));
	return NULL;
}

static void local_fini(Local *l)
{
	part_fini(&l->part);
}

Err *local_consume(const ConsumerConf *conf, const BusSource *source)
{
	AUTO(arena_freep) Arena *lasting = arena_new(0);
	AUTO(local_fini) Local l = { .conf = conf, .source = source };

	part_init(&l.part, lasting, conf, source->name, 0);
	return outbox_follow(source->db, "the consumer", conf->name, turn, &l);
}
