/* SPDX-License-Identifier: Apache-2.0
 *
 * Consumer: gives events to a function, each once for all that its database shows, those of one aggregate in order.
 *
 * The function runs in a transaction of the consumer's own database, together with the note that the event was taken (its
 * inbox) and with the place that was reached. So an event that is delivered twice, by whomever, takes effect once. On
 * SQLite the transaction is on the writer's thread and must not park: what takes long, or talks to others, becomes a job (job.h)
 * in that transaction.
 *
 * An event whose function fails is held and tried again, with growing pauses; those of the same aggregate wait behind it,
 * others go on. After so many attempts it is dead: kept aside until a person looks (banyan events dead, replay), and the ones behind it go
 * on. Errors of the database and the runtime are no attempts: nothing is lost or given up because a server is away. */
#pragma once
#include "obs/metric.h"
#include "store/db.h"
#include "store/event.h"

enum { PART_COUNTS = 4 };

/* Fails: nothing it did stays, and the event is tried again. May be run again for the same event (see db_txn). */
typedef Err *EventFn(Db *tx, Arena *a, const Event *event, void *arg);
/* Several at once, in order, for whom one write of many is cheaper than many writes: all of them or none. After a failure each of
 * them is given alone, so that only those that fail by themselves are held. */
typedef Err *EventsFn(Db *tx, Arena *a, const Event *const *events, size_t count, void *arg);

typedef struct ConsumerConf {
	Str name;                 /* "billing": what it is known by, for ever */
	Db *db;                   /* its own */
	const char *const *types; /* as event_type_in; none: all. Others are passed over */
	size_t type_count;
	EventFn *fn;
	EventsFn *many; /* in place of fn */
	void *arg;
	uint32_t attempts;      /* 0: 10 */
	int64_t backoff_us;     /* after the first; doubled each time, with jitter. 0: 1 s */
	int64_t backoff_max_us; /* 0: 10 min */
	int64_t lease_us;       /* how long an instance that is gone keeps its parts. 0: 10 s */
	uint32_t batch;         /* events in one transaction at most. 0: 64 */
} ConsumerConf;

/* One part of one source in the hands of one instance: filled in by part_init, then one fiber's. */
typedef struct Part {
	const ConsumerConf *conf;
	Str source;
	int64_t part;
	Str owner;   /* this instance */
	int64_t seq; /* the last event that was delivered */
	int64_t fence;
	int64_t renew_us; /* monotonic: when the lease is to be renewed */
	bool mine;
	MetricCell cells[PART_COUNTS];
} Part;
/* Everything it points to must outlive it; `a` holds its owner's name. */
void part_init(Part *part, Arena *a, const ConsumerConf *conf, Str source, int64_t number);

void part_fini(Part *part); /* parks as part_leave does; fine when all is zero */

/* Takes the part if nobody has it: part->mine. From then on other instances leave it alone until the lease is over, and what
 * an earlier owner may still try fails: each of its transactions asks for the fence. */
Err *part_claim(Part *part, Arena *a) MUST_USE;
/* The lease goes on; fails with CONFLICT "event.lease_lost", as part_deliver does: begin again with part_claim. */
Err *part_renew(Part *part, Arena *a) MUST_USE;
void part_leave(
	Part *part); /* others may have it at once; parks, shielded, for a moment; fine when not mine */

/* Delivers them, in order, and moves part->seq to `seq`: all of that or nothing. Known ones are passed over. */
Err *part_deliver(Part *part, Arena *a, const Event *events, size_t count, int64_t seq) MUST_USE;
/* Tries held events whose time has come. *wait_us: how long until the next is due, at most `most_us`. */
Err *part_retry(Part *part, Arena *a, int64_t most_us, int64_t *wait_us) MUST_USE;
/* Something that is no event: a dead letter at once. `id`: the same for the same. */
Err *part_bury(Part *part, Arena *a, Uuid id, Str text, const Err *why) MUST_USE;

/* For effects that come another way than by a part (a webhook): *fresh is false when that id was taken before. */
Err *inbox_take(Db *tx, Arena *a, Str consumer, Str source, Uuid id, bool *fresh) MUST_USE;
/* Deletes what was taken before that: a duplicate that comes later still takes effect again. */
Err *inbox_purge(Db *db, Arena *a, int64_t keep_us, int64_t *gone) MUST_USE;

typedef struct DeadLetter {
	int64_t pos; /* where it is in the list */
	Str consumer, source, subject, type, error;
	Str event; /* the CloudEvent */
	Uuid id;
	int64_t attempts, held_us, dead_us;
} DeadLetter;
/* Those after a place, oldest first. */
Err *dead_list(Db *db, Arena *a, int64_t after, size_t most, DeadLetter **out, size_t *count)
	MUST_USE;
/* Those of that id (one a consumer). */
Err *dead_find(Db *db, Arena *a, Uuid id, DeadLetter **out, size_t *count) MUST_USE;
Err *dead_replay(Db *db, Arena *a, int64_t pos, bool *done) MUST_USE; /* alive again, and due now */
Err *dead_remove(Db *db, Arena *a, int64_t pos) MUST_USE;
/* Deletes those that are dead for longer. */
Err *dead_purge(Db *db, Arena *a, int64_t keep_us, int64_t *gone) MUST_USE;

/* Moves a consumer back or forth in a source; its inbox still knows what was taken. *parts: how many it has. */
Err *consumer_rewind(Db *db, Arena *a, Str consumer, Str source, int64_t seq, int64_t *parts)
	MUST_USE;

MetricList consumer_metrics;
