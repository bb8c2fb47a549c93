/* SPDX-License-Identifier: Apache-2.0
 *
 * What is due is done: periods begin, drafts are finalized, open invoices are collected. One loop does it for the world's time (each minute,
 * and whatever has become due meanwhile one after the other), and for a clock of tests when that is told to go on.
 *
 * One thing at a time, each in a transaction of its own, so a thing that fails holds up nobody else: it is tried again a minute later. A clock
 * does what is due in the order of its moments, and stands at each of them while it does it. */
#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "payment/billing_api.h"
#include "payment/billing_int.h"

enum { AT_ONCE = 100, STEPS_MOST = 20000 /* of a clock's advance: days for fifty years */ };

/* --- a subscription that is due ------------------------------------------------------------------------------------------ */

static Err *turn(Db *tx, Arena *a, void *arg)
{
	const Uuid *id = arg;
	SubscriptionRow *s;
	Bill bill;

	TRY(db_one(tx, a, subscription_by_id, &s, .id = *id));
	TRY(bill_begin(tx, a, NULL, s->customer_id, &bill));
	TRY(db_one(tx, a, subscription_by_id, &s,
	           .id = *id)); /* as it is now that nobody else may */
	return subscription_turn(&bill, s);
}

static Err *do_subscription(const ServiceHome *home, Arena *a, Uuid id)
{
	SubscriptionRow *s;
	const Zone *zone;

	TRY(db_one(home->db, a, subscription_by_id, &s, .id = id));
	if (!s)
		return NULL;
	TRY(bill_zone(a, s->zone, &zone));
	return db_txn(home->db, a, DB_READ_COMMITTED, turn, &id);
}

/* --- an invoice that is due ---------------------------------------------------------------------------------------------- */

static Err *finalize(Db *tx, Arena *a, void *arg)
{
	const Uuid *id = arg;
	InvoiceRow *invoice;
	Bill bill;

	TRY(db_one(tx, a, invoice_by_id, &invoice, .id = *id));
	TRY(bill_begin(tx, a, NULL, invoice->customer_id, &bill));
	TRY(db_one(tx, a, invoice_by_id, &invoice, .id = *id));
	return str_eq(invoice->status, S("draft")) ? invoice_finalize(&bill, invoice) : NULL;
}

static Err *do_invoice(const ServiceHome *home, Arena *a, Uuid id)
{
	InvoiceRow *invoice;
	Collect collected;

	TRY(db_one(home->db, a, invoice_by_id, &invoice, .id = id));
	if (!invoice)
		return NULL;
	if (str_eq(invoice->status, S("draft")))
		return db_txn(home->db, a, DB_READ_COMMITTED, finalize, &id);
	return invoice_collect(home, a, id, (OptUuid){ 0 }, &collected);
}

/* --- the world's time ---------------------------------------------------------------------------------------------------- */

/* Who ends the job ends it; all else is told, and waits for the next minute. */
static Err *or_later(const char *what, Err *err)
{
	if (!err || err->kind == ERR_CANCELLED || str_starts(str_of(err->slug), S("job.")))
		return err;
	log_warn("%s could not be done and is tried again: %s", what, err->slug);
	return NULL;
}

static Err *do_subscriptions(const ServiceHome *home, Arena *a, size_t *count)
{
	SubscriptionsDueRow *due;

	TRY(db_all(home->db, a, subscriptions_due, &due, count, .now = time_utc_us(),
	           .most = AT_ONCE));
	for (size_t i = 0; i < *count; i++)
		TRY(or_later("a subscription", do_subscription(home, a, due[i].id)));
	return NULL;
}

static Err *do_invoices(const ServiceHome *home, Arena *a, size_t *count)
{
	InvoicesDueRow *due;

	TRY(db_all(home->db, a, invoices_due, &due, count, .now = time_utc_us(), .most = AT_ONCE));
	for (size_t i = 0; i < *count; i++)
		TRY(or_later("an invoice", do_invoice(home, a, due[i].id)));
	return NULL;
}

/* *more: there may be. What could not be done is still due, so a round that was not full is the last. */
static Err *do_round(const ServiceHome *home, Arena *a, bool *more)
{
	AUTO(arena_freep) Arena *own = arena_new(0);
	size_t subscriptions = 0, invoices = 0;
	Err *err = do_subscriptions(home, own, &subscriptions);

	if (!err)
		err = do_invoices(home, own, &invoices);
	*more = subscriptions == AT_ONCE || invoices == AT_ONCE;
	return err_copy(a, err);
}

/* One more round than it seems to need: what was done may have made something else due. */
Err *billing_work(JobRun *run, void *arg)
{
	enum { ROUNDS = 1000 };
	bool more = true, once_more = true;

	for (int i = 0; i < ROUNDS && (more || once_more); i++) {
		once_more = more;
		TRY(do_round(arg, job_arena(run), &more));
	}
	return NULL;
}

/* --- a clock's time ------------------------------------------------------------------------------------------------------ */

static Err *move_to(const ServiceHome *home, Arena *a, const ClockRow *clock, int64_t us,
                    bool there)
{
	return db_exec(home->db, a, clock_move, NULL, .id = clock->id,
	               .status = there ? S("ready") : S("advancing"),
	               .frozen_at = MAX(us, clock->frozen_at),
	               .target_at = { !there, clock->target_at.v });
}

/* The next thing before its target; *done: there is none. */
static Err *clock_step(const ServiceHome *home, Arena *a, ClockRow *clock, bool *done)
{
	ClockNextRow *next;
	int64_t subscription, invoice, at;

	TRY(db_one(home->db, a, clock_next, &next, .clock_id = clock->id));
	subscription = next->subscription_at.set ? next->subscription_at.v : INT64_MAX;
	invoice = next->invoice_at.set ? next->invoice_at.v : INT64_MAX;
	at = MIN(subscription, invoice);
	*done = at > clock->target_at.v;
	if (*done)
		return NULL;
	TRY(move_to(home, a, clock, at, false));
	clock->frozen_at = MAX(at, clock->frozen_at);
	if (invoice <= subscription)
		return do_invoice(home, a, next->invoice_id.v);
	return do_subscription(home, a, next->subscription_id.v);
}

static Err *step_apart(const ServiceHome *home, Arena *a, ClockRow *clock, bool *done)
{
	AUTO(arena_freep) Arena *own = arena_new(0);

	return err_copy(a, clock_step(home, own, clock, done));
}

static Err *advance(const ServiceHome *home, Arena *a, ClockRow *clock)
{
	bool done = false;

	for (int i = 0; i < STEPS_MOST && !done; i++)
		TRY(step_apart(home, a, clock, &done));
	if (!done)
		return err_new(a, ERR_INTERNAL, "payment.clock", "too much happens on the way");
	return move_to(home, a, clock, clock->target_at.v, true);
}

Err *billing_clock(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	Arena *a = job_arena(run);
	const Json *data;
	ClockRow *clock;
	Str text;
	Uuid id;

	TRY(json_read(a, job_data(run), 0, &data));
	if (!json_to_str(data, &text) || !uuid_read(text, &id))
		return err_new(a, ERR_INVALID, "job.give_up", "this names no clock");
	TRY(db_one(home->db, a, clock_by_id, &clock, .id = id));
	if (!clock || !clock->target_at.set)
		return NULL;
	return advance(home, a, clock);
}
