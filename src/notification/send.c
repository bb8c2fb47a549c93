/* SPDX-License-Identifier: Apache-2.0
 *
 * Sending one delivery: the job's body, top to bottom.
 *
 * What is known is always in the database before the next thing happens: the attempt before the wire, its outcome after it. So
 * whoever comes after a process that died sees which it was. An attempt that has begun and has no outcome means: the message may
 * have gone out; it is settled as `unknown`, and the rule of the class says what follows (delivery_domain.c). The fence of the job
 * keeps two processes from writing at once: an outcome is written together with the job's end, or not at all.
 *
 * A failure of the database after the wire is no attempt of the message: the outcome is then written by the next run, as unknown. */
#include "base/arena.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "notification/delivery.h"
#include "notification/figures.h"
#include "notification/inbox.h"
#include "notification/message.h"
#include "notification/notification_int.h"
#include "notification/person.h"
#include "notification/provider.h"
#include "rt/fiber.h"
#include "service/service.h"
#include "store/job.h"

#include "notification_delivery_sql.h"
#include "notification_inbox_sql.h"
#include "notification_recipient_sql.h"
#include "notification_sql.h"

#define WRITE_US (10 * US_PER_S)

typedef struct Sending {
	JobRun *run;
	const ServiceHome *home;
	NotificationState *state;
	Db *db;
	DeliveryRow *d;
	NotificationRow *n;
	WorkflowRow *workflow;
	Person person;
	Message message;
	Making making;
	const Provider *provider;
	SendResult result;
	DeliveryChange change; /* of `move` */
	bool again;            /* and a job at change.due_at_us */
} Sending;

static Str job_kind(Arena *a, const DeliveryRow *d)
{
	return str_fmt(a, JOB_PART("%.*s"), STR_ARG(d->channel));
}

/* --- changes --------------------------------------------------------------------------------------------------------------- */

static Err *put_again(Db *tx, Arena *a, const Sending *s)
{
	return job_put_id(tx, a, job_kind(a, s->d), s->d->id, s->d->priority, s->change.due_at_us,
	                  s->n->traceparent);
}

/* The job has done what it could: this state, and perhaps another job. */
static Err *move_txn(Db *tx, Arena *a, void *arg)
{
	Sending *s = arg;
	DeliveryRow row = *s->d; /* may be run again */

	TRY(delivery_change(tx, a, &row, &s->change));
	TRY(job_done(tx, a, s->run));
	return s->again ? put_again(tx, a, s) : NULL;
}

static Err *move(Sending *s, DeliveryState to, Str reason, int64_t due_at_us, Str detail)
{
	s->change = (DeliveryChange){ .to = to,
		                      .reason = reason,
		                      .detail = detail,
		                      .due_at_us = due_at_us,
		                      .traceparent = s->n->traceparent };
	s->again = due_at_us != 0;
	TRY(db_txn(s->db, job_arena(s->run), DB_READ_COMMITTED, move_txn, s));
	figures_delivery(delivery_channel(s->d), to);
	return NULL;
}

/* --- what came of an attempt ---------------------------------------------------------------------------------------------- */

static bool is_another(Sending *s, Str tried)
{
	int64_t wait_us;

	return provider_pick(s->state->providers, job_arena(s->run), &s->message, tried,
	                     &wait_us) != NULL;
}

static void decide(Sending *s, bool another, bool can_dedupe, Next *next)
{
	Tried tried = { .class = delivery_class(s->d),
		        .outcome = s->result.outcome,
		        .attempts = (uint32_t)s->d->attempts,
		        .can_dedupe = can_dedupe,
		        .another = another,
		        .now_us = time_utc_us(),
		        .retry_after_us = s->result.retry_after_us,
		        .expires_us = s->d->expires_at.set ? s->d->expires_at.v : 0,
		        .dice = rand_u64() };

	*next = delivery_next(&tried);
}

static void tried_after(Arena *a, DeliveryRow *d, const Next *next, Str provider)
{
	if (next->step == NEXT_SAME)
		d->tried = str_fmt(a, "=%.*s", STR_ARG(provider));
	else if (next->step == NEXT_ANOTHER)
		d->tried = str_fmt(a, "%.*s%.*s ", STR_ARG(d->tried), STR_ARG(provider));
	else
		d->tried = S("");
}

/* A device that was told anew since is another one, or back. */
static int64_t gone_before(const Sending *s)
{
	int64_t since_us = s->result.gone_us;

	return since_us ? MIN(since_us, s->d->created_at) : s->d->created_at;
}

static Err *effects(Db *tx, Arena *a, const Sending *s, Str provider)
{
	const DeliveryRow *d = s->d;
	Channel channel = delivery_channel(d);
	Uuid device;

	(void)provider;
	if (channel == CHANNEL_PUSH && uuid_read(d->target, &device)) {
		if (s->result.outcome == SEND_GONE)
			return db_exec(tx, a, device_gone, NULL, .id = device,
			               .said_before = gone_before(s));
		if (s->result.outcome == SEND_ACCEPTED)
			return db_exec(tx, a, device_worked, NULL, .id = device,
			               .now = time_utc_us());
		return s->result.outcome == SEND_HARD
		               ? db_exec(tx, a, device_failed, NULL, .id = device)
		               : NULL;
	}
	if (s->result.outcome != SEND_HARD)
		return NULL;
	TRY(db_exec(tx, a, contacts_state, NULL,
	            .address_hash = address_hash(a, channel, d->address), .channel = d->channel,
	            .state = S("bounced"), .now = time_utc_us()));
	return suppress(tx, a, channel, d->address, S("*"), S("bounce"), s->result.code);
}

typedef struct Outcome {
	Sending *s;
	Str provider;
	Next next;
} Outcome;

static Err *outcome_txn(Db *tx, Arena *a, void *arg)
{
	const Outcome *o = arg;
	Sending *s = o->s;
	DeliveryRow row = *s->d;

	TRY(delivery_attempted(tx, a, &row, &s->result));
	tried_after(a, &row, &o->next, o->provider);
	TRY(delivery_change(tx, a, &row, &s->change));
	TRY(effects(tx, a, s, o->provider));
	TRY(job_done(tx, a, s->run));
	return o->next.step == NEXT_END ? NULL : put_again(tx, a, s);
}

static Str outcome_detail(Arena *a, const Sending *s, Str provider)
{
	const SendResult *r = &s->result;

	return str_fmt(a, "%.*s: %s%s%.*s%s%.*s", STR_ARG(provider), outcome_name(r->outcome),
	               r->code.len ? " " : "", STR_ARG(str_sub(r->code, 0, 100)),
	               r->detail.len ? ": " : "", STR_ARG(str_sub(r->detail, 0, 300)));
}

/* Written whatever becomes of the process: a client that is gone, a stop in order. */
static Err *write_outcome(Sending *s, Str provider, bool another, bool can_dedupe)
{
	AUTO(shield_end) Shield shield = shield_begin(WRITE_US);
	Arena *a = job_arena(s->run);
	Outcome o = { .s = s, .provider = provider };

	decide(s, another, can_dedupe, &o.next);
	s->change = (DeliveryChange){ .to = o.next.state,
		                      .reason = s->result.outcome == SEND_ACCEPTED
		                                        ? S("")
		                                        : str_of(outcome_name(s->result.outcome)),
		                      .detail = outcome_detail(a, s, provider),
		                      .provider = provider,
		                      .due_at_us = o.next.at_us,
		                      .traceparent = s->n->traceparent };
	TRY(db_txn(s->db, a, DB_READ_COMMITTED, outcome_txn, &o));
	figures_attempt(delivery_channel(s->d), s->result.outcome);
	figures_delivery(delivery_channel(s->d), o.next.state);
	return NULL;
}

/* --- the wire --------------------------------------------------------------------------------------------------------------- */

static Err *attempt_txn(Db *tx, Arena *a, void *arg)
{
	Sending *s = arg;
	DeliveryRow *row;
	Hold hold;

	TRY(db_one(tx, a, delivery_lock, &row, .id = s->d->id));
	if (!row || row->version != s->d->version)
		return err_new(a, ERR_CONFLICT, "delivery.changed", "it has changed since");
	TRY(person_hold(tx, a, &s->person, delivery_class(row), row->category,
	                delivery_channel(row), row->address, time_utc_us(), &hold));
	if (hold.state == DELIVERY_SUPPRESSED)
		return err_new(a, ERR_CONFLICT, "delivery.changed", "it is held back since");
	row->template_version = s->making.version ? opt_int(s->making.version) : (OptInt){ 0 };
	return delivery_attempt(tx, a, row, s->provider->name);
}

static Err *undo_txn(Db *tx, Arena *a, void *arg)
{
	const Sending *s = arg;
	DeliveryRow row = *s->d;

	TRY(db_exec(tx, a, send_attempt_undo, NULL, .delivery_id = row.id, .n = row.attempts));
	row.attempts--;
	return delivery_change(tx, a, &row,
	                       &(DeliveryChange){ .to = DELIVERY_QUEUED,
	                                          .reason = S("not_begun") });
}

/* The wire was never reached: as if it had not begun. The job is given back with its error. */
static Err *undo(Sending *s, Err *why)
{
	AUTO(shield_end) Shield shield = shield_begin(WRITE_US);
	Err *err = db_txn(s->db, job_arena(s->run), DB_READ_COMMITTED, undo_txn, s);

	if (err)
		log_err(err, "an attempt that did not begin could not be taken back");
	return why;
}

/* When it was to go out: asked for, or the time that was named. */
static int64_t wanted_at(const Sending *s)
{
	return MAX(s->n->created_at, s->n->send_at.set ? s->n->send_at.v : 0);
}

static Err *over_the_wire(Sending *s)
{
	Arena *a = job_arena(s->run);
	Str tried = str_fmt(a, "%.*s%.*s ", STR_ARG(s->d->tried), STR_ARG(s->provider->name));
	Err *err;

	TRY(db_txn(s->db, a, DB_READ_COMMITTED, attempt_txn, s));
	TRY(db_one(s->db, a, delivery_by_id, &s->d, .id = s->d->id));
	if (!s->d)
		return err_new(a, ERR_CONFLICT, "delivery.changed", "it is gone");
	if (s->d->attempts == 1)
		figures_wire(delivery_class(s->d), time_utc_us() - wanted_at(s));
	err = s->provider->kind->send(s->provider->state, a, &s->message, &s->result);
	if (err)
		return undo(s, err);
	provider_told(s->state->providers, s->provider, &s->result);
	return write_outcome(s, s->provider->name, is_another(s, tried),
	                     s->provider->kind->can_dedupe);
}

/* --- into the inbox ------------------------------------------------------------------------------------------------------- */

static Err *inbox_txn(Db *tx, Arena *a, void *arg)
{
	Sending *s = arg;
	const Message *m = &s->message;
	DeliveryRow row = *s->d;

	row.template_version = s->making.version ? opt_int(s->making.version) : (OptInt){ 0 };
	TRY(db_lock(tx, a, str_fmt(a, "inbox/%.*s", STR_ARG(row.recipient))));
	TRY(db_exec(tx, a, item_add, NULL, .id = uuid_new(), .recipient = row.recipient,
	            .delivery_id = row.id, .category = row.category, .title = m->subject,
	            .text = m->text, .url = m->url, .icon = m->icon,
	            .data = m->data.len ? m->data : S("{}"), .now = time_utc_us()));
	TRY(delivery_change(tx, a, &row,
	                    &(DeliveryChange){ .to = DELIVERY_DELIVERED,
	                                       .traceparent = s->n->traceparent }));
	TRY(job_done(tx, a, s->run));
	return db_tell(tx, a, inbox_channel(row.recipient));
}

/* --- the job --------------------------------------------------------------------------------------------------------------- */

static Err *read_all(Sending *s, bool *over)
{
	Arena *a = job_arena(s->run);
	Uuid id;

	*over = true;
	TRY(job_read_id(s->run, &id));
	TRY(db_one(s->db, a, delivery_by_id, &s->d, .id = id));
	if (!s->d || (!delivery_unsent(delivery_state_of(s->d)) &&
	              delivery_state_of(s->d) != DELIVERY_SENDING))
		return NULL;
	TRY(db_one(s->db, a, notification_by_id, &s->n, .id = s->d->notification_id));
	if (!s->n)
		return NULL;
	TRY(db_one(s->db, a, workflow_by_name, &s->workflow, .name = s->d->workflow));
	s->person = (Person){ .zone = zone_utc(), .locale = s->d->locale };
	if (s->d->recipient.len)
		TRY(person_load(s->state->zones, s->db, a, s->d->recipient, &s->person));
	*over = false;
	return NULL;
}

/* An attempt that began in a process that is gone. */
static Err *settle_lost(Sending *s)
{
	Arena *a = job_arena(s->run);
	SendAttemptRow *attempt;
	const Provider *provider;

	TRY(db_one(s->db, a, send_attempt_last, &attempt, .delivery_id = s->d->id));
	if (!attempt || attempt->ended_at.set)
		return move(s, DELIVERY_QUEUED, S("not_begun"), time_utc_us(), S(""));
	provider = provider_find(s->state->providers, delivery_channel(s->d), attempt->provider);
	s->result =
		(SendResult){ .outcome = SEND_UNKNOWN,
		              .detail =
		                      S("the process that sent it ended before it was answered") };
	return write_outcome(s, attempt->provider, false, provider && provider->kind->can_dedupe);
}

/* *held: it is held back, and that is written. */
static Err *look_whether_held(Sending *s, bool *held)
{
	const DeliveryRow *d = s->d;
	int64_t now_us = time_utc_us();
	Hold hold;

	*held = true;
	if (d->expires_at.set && now_us >= d->expires_at.v)
		return move(s, DELIVERY_EXPIRED, S("expired"), 0, S(""));
	TRY(person_hold(s->db, job_arena(s->run), &s->person, delivery_class(d), d->category,
	                delivery_channel(d), d->address, now_us, &hold));
	if (hold.state == DELIVERY_SUPPRESSED)
		return move(s, hold.state, hold.reason, 0, S(""));
	if (hold.state == DELIVERY_DEFERRED)
		return move(s, hold.state, hold.reason, hold.until_us, S(""));
	*held = false;
	return NULL;
}

/* Who was asked last in this round is asked again only when there is nobody else. */
static const Provider *pick_one(Sending *s, int64_t *wait_us)
{
	Providers *providers = s->state->providers;
	Arena *a = job_arena(s->run);
	Str tried = s->d->tried;
	const Provider *p;

	*wait_us = 0;
	if (str_starts(tried, S("=")))
		return provider_find(providers, delivery_channel(s->d),
		                     str_sub(tried, 1, tried.len));
	p = provider_pick(providers, a, &s->message, tried, wait_us);
	return p || *wait_us || !tried.len
	               ? p
	               : provider_pick(providers, a, &s->message, S(""), wait_us);
}

/* Thousands that wait for the same provider do not come back together, and each comes less often the longer it waits. */
static int64_t spread(const Sending *s, int64_t wait_us)
{
	int64_t doubled = MIN(s->d->version, INT64_C(10));
	int64_t most = MIN(wait_us << doubled, 60 * US_PER_S);

	return wait_us + (int64_t)rand_below((uint64_t)MAX(most - wait_us, INT64_C(1)));
}

static Err *pick(Sending *s)
{
	int64_t wait_us;

	s->provider = pick_one(s, &wait_us);
	if (s->provider) {
		provider_begin(s->state->providers, s->provider);
		return NULL;
	}
	if (wait_us)
		return move(s, DELIVERY_DEFERRED, S("no_provider"),
		            time_utc_us() + spread(s, wait_us),
		            S("every provider is to be left alone for a while"));
	return move(s, DELIVERY_FAILED, S("no_provider"), 0, S("no provider takes it"));
}

static Err *send_now(Sending *s)
{
	Arena *a = job_arena(s->run);
	Err *err;

	s->making =
		(Making){ .state = s->state,
		          .delivery = s->d,
		          .notification = s->n,
		          .workflow = s->workflow,
		          .person = &s->person,
		          .version = s->d->template_version.set ? s->d->template_version.v : 0 };
	err = message_make(s->db, a, &s->making, &s->message);
	if (err &&
	    (err->kind == ERR_INVALID || err->kind == ERR_NOT_FOUND || err->kind == ERR_TOO_LARGE))
		return move(s, DELIVERY_FAILED, str_of(err->slug), 0, err->text);
	TRY(err);
	if (s->message.channel == CHANNEL_INBOX) {
		TRY(db_txn(s->db, a, DB_READ_COMMITTED, inbox_txn, s));
		figures_delivery(CHANNEL_INBOX, DELIVERY_DELIVERED);
		return NULL;
	}
	TRY(pick(s));
	return s->provider ? over_the_wire(s) : NULL;
}

Err *send_job(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	Sending *s = ARENA_NEW(job_arena(run), Sending);
	bool over;

	*s = (Sending){
		.run = run, .home = home, .state = notification_state(home), .db = home->db
	};
	TRY(read_all(s, &over));
	if (over)
		return NULL;
	if (delivery_state_of(s->d) == DELIVERY_SENDING)
		return settle_lost(s);
	TRY(look_whether_held(s, &over));
	return over ? NULL : send_now(s);
}
