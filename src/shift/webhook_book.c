/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a webhook has come, in the book. The journal is numbered by subject, so there is a cursor a subject; the next entry is
 * the earliest of all subjects' next. How the last try went is kept too, so that neither a restart nor another gateway begins
 * to knock from the start; it counts for the configuration that it was made with only.
 *
 * Whoever writes holds the webhook's lease, in the same transaction: one who slept over its end changes nothing any more. */
#include "shift/webhook_int.h"

#include "shift_webhook_sql.h"

static Err *add(Db *tx, Arena *a, void *arg)
{
	const Webhook *h = arg;
	int64_t added;

	TRY(db_exec(tx, a, webhook_add, &added, .webhook = h->conf.name, .then = 0, .gone = false));
	if (!added)
		return NULL;
	return db_exec(tx, a, webhook_begin, NULL, .webhook = h->conf.name);
}

Err *webhook_place_need(const Webhook *h, Arena *a)
{
	return db_txn(h->db, a, DB_READ_COMMITTED, add, (void *)h);
}

static void take_entry(WebhookPlace *place, const NextRow *row)
{
	place->due = true;
	place->subject = row->subject;
	place->entry = (BookEntry){
		.revision = row->revision,
		.at_us = row->done_at,
		.who = row->who,
		.verb = row->verb,
		.from = row->from_phase,
		.to = row->to_phase,
		.share_ppm = (uint32_t)row->share_ppm,
		.why = row->why,
		.evidence = row->evidence,
	};
}

Err *webhook_place_read(const Webhook *h, Arena *a, WebhookPlace *out)
{
	WebhookStateRow *state;
	WebhookWaitingRow *waiting;
	NextRow *next;

	*out = (WebhookPlace){ 0 };
	TRY(db_one(h->db, a, webhook_next, &next, .webhook = h->conf.name));
	TRY(db_one(h->db, a, webhook_state, &state, .webhook = h->conf.name));
	TRY(db_one(h->db, a, webhook_waiting, &waiting, .webhook = h->conf.name));
	if (next)
		take_entry(out, next);
	if (state && str_eq(state->conf, h->print)) {
		out->tries = (uint32_t)state->tries;
		out->retry_at = state->retry_at;
		out->gone = state->gone;
	}
	out->waiting = waiting ? (uint64_t)waiting->waiting : 0;
	return NULL;
}

typedef struct Keeping {
	const Webhook *h;
	const WebhookPlace *place;
	bool passed;
} Keeping;

static Err *keep(Db *tx, Arena *a, void *arg)
{
	const Keeping *k = arg;
	const WebhookPlace *p = k->place;

	TRY(db_lease_hold(tx, a, &k->h->lease));
	if (k->passed)
		TRY(db_exec(tx, a, webhook_advance, NULL, .webhook = k->h->conf.name,
		            .subject = p->subject, .revision = p->entry.revision));
	return db_exec(tx, a, webhook_tried, NULL, .webhook = k->h->conf.name, .conf = k->h->print,
	               .tries = p->tries, .retry_at = p->retry_at, .gone = p->gone);
}

Err *webhook_place_keep(const Webhook *h, Arena *a, const WebhookPlace *place, bool passed)
{
	Keeping keeping = { h, place, passed };

	return db_txn(h->db, a, DB_READ_COMMITTED, keep, &keeping);
}
