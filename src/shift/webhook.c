/* SPDX-License-Identifier: Apache-2.0
 *
 * A fiber a webhook, on loop 0: it looks whether the journal has gone on, and tells its receiver, one entry after the other.
 * So a receiver that is slow or away holds up nobody else; what it has not got waits in the book, not in memory.
 *
 * Of the gateways that share the book one tells it, the holder of a lease that outlasts a try. It takes the lease when there is
 * something to tell, and drops it when there is not, or while it waits for the next try: another whose network is well may be
 * faster then. The cursor moves after the receiver has taken an entry. What is lost between is told again, under the same id.
 *
 * Tries go on for three days from when the entry was made, then the next has its turn. Who answers 410 is told nothing more
 * until the configuration of the webhook changes. */
#include "shift/webhook_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "rt/loop.h"

#define POLL_US US_PER_S /* hints of changes may be lost, and SQLite has none between processes */
#define LEASE_US (20 * US_PER_S) /* a try takes 15 s at most */
#define SETTLE_US (2 * US_PER_S) /* to note what came of it, at the end of all */
#define RETRY_US US_PER_S        /* then twice as long each time */
#define RETRY_MAX_US (600 * US_PER_S)
#define GIVE_UP_US (3 * 86400 * US_PER_S)

static struct {
	Webhook *at[WEBHOOKS_MAX];
	size_t count;
	bool begun; /* what comes now comes by a reload */
} webhooks;

/* --- one entry ------------------------------------------------------------------------------------------------------------ */

/* Doubled each time, and up to a quarter less, so that many do not come at once. */
static int64_t retry_after_us(uint32_t tries)
{
	int64_t us = tries < 11 ? RETRY_US << (tries - 1) : RETRY_MAX_US;

	us = MIN(us, RETRY_MAX_US);
	return us - (int64_t)rand_below((uint64_t)us / 4);
}

static void say_failure(Webhook *h, const WebhookPlace *place, Str why)
{
	if (place->gone)
		log_warn("webhook %.*s: %.*s: it is told nothing more until it is configured anew",
		         STR_ARG(h->conf.name), STR_ARG(why));
	else if (!h->failing)
		log_warn("webhook %.*s: %.*s of %.*s is not delivered: %.*s; it is tried again",
		         STR_ARG(h->conf.name), STR_ARG(place->entry.verb), STR_ARG(place->subject),
		         STR_ARG(why));
	h->failing = true;
}

/* True: the entry is done with. */
static bool judge_try(Webhook *h, WebhookPlace *place, WebhookResult result, Str why)
{
	int64_t now_us = time_utc_us();

	metric_add(h->results[result], 1);
	if (result == WEBHOOK_DELIVERED) {
		if (h->failing)
			log_info("webhook %.*s: it takes what it is told again",
			         STR_ARG(h->conf.name));
		h->failing = false;
		place->tries = 0;
		place->retry_at = 0;
		return true;
	}
	place->gone = result == WEBHOOK_GONE;
	place->tries++;
	place->retry_at = now_us + retry_after_us(place->tries);
	say_failure(h, place, why);
	if (place->gone || now_us - place->entry.at_us < GIVE_UP_US)
		return false;
	metric_add(h->results[WEBHOOK_GIVEN_UP], 1);
	log_warn("webhook %.*s: %.*s of %.*s is given up after three days: %.*s",
	         STR_ARG(h->conf.name), STR_ARG(place->entry.verb), STR_ARG(place->subject),
	         STR_ARG(why));
	place->tries = 0;
	place->retry_at = 0;
	return true;
}

/* Once it was told, that is noted, whoever wants this fiber to end. */
static Err *settle(const Webhook *h, Arena *a, const WebhookPlace *place, bool passed)
{
	AUTO(shield_end) Shield shield = shield_begin(SETTLE_US);

	return webhook_place_keep(h, a, place, passed);
}

static Err *tell(Webhook *h, Arena *a, WebhookPlace *place)
{
	WebhookResult result;
	Str why;

	h->hurries = false;
	if (!webhook_conf_wants(&h->conf, place->entry.verb, place->subject))
		return settle(h, a, place, true);
	TRY(webhook_send(h, a, place->subject, &place->entry, &result, &why));
	return settle(h, a, place, judge_try(h, place, result, why));
}

/* --- all of them ---------------------------------------------------------------------------------------------------------- */

/* Is there something to tell it now? *wait_us: when to look again, at the latest. */
static bool is_due(Webhook *h, const WebhookPlace *place, int64_t *wait_us)
{
	int64_t left_us = place->retry_at - time_utc_us();

	metric_set(h->waiting, (int64_t)place->waiting);
	*wait_us = POLL_US;
	if (!place->due || place->gone)
		return false;
	if (h->hurries)
		return true;
	if (left_us > 0)
		*wait_us = MIN(left_us, POLL_US);
	return left_us <= 0;
}

static void drop_lease(Webhook **h)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(shield_end) Shield shield = shield_begin(SETTLE_US);
	Err *err = (*h)->lease.held ? db_lease_drop((*h)->db, a, &(*h)->lease) : NULL;

	(void)err; /* it ends by itself */
}

static Err *tell_all(Webhook *h, Arena *a, int64_t *wait_us)
{
	AUTO(drop_lease) Webhook *holder = h;
	WebhookPlace place;

	for (;;) {
		TRY(db_lease_take(h->db, a, &holder->lease, LEASE_US));
		if (!holder->lease.held)
			return NULL;
		TRY(webhook_place_read(h, a, &place));
		if (!is_due(h, &place, wait_us))
			return NULL;
		TRY(tell(h, a, &place));
		arena_clear(a);
	}
}

static Err *need_place(Webhook *h, Arena *a)
{
	if (!h->placed)
		TRY(webhook_place_need(h, a));
	h->placed = true;
	return NULL;
}

static Err *look(Webhook *h, Arena *a, int64_t *wait_us)
{
	WebhookPlace place;

	*wait_us = POLL_US;
	TRY(need_place(h, a));
	TRY(webhook_place_read(h, a, &place));
	return is_due(h, &place, wait_us) ? tell_all(h, a, wait_us) : NULL;
}

static Err *pause_for(DbWatch *watch, Webhook *h, Arena *a, int64_t us)
{
	Err *err = watch->db ? NULL : db_watch_begin(watch, h->db, a, "shift");

	err = err ? err : db_watch_wait(watch, us);
	if (!err || err->kind == ERR_CANCELLED)
		return err;
	return fiber_sleep(us);
}

/* A book that is away is the keeper's to tell. */
static Err *follow(void *arg)
{
	Webhook *h = arg;
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(db_watch_end) DbWatch watch = { 0 };

	for (;;) {
		int64_t wait_us;
		Err *err = look(h, a, &wait_us);

		if (err && err->kind == ERR_CANCELLED)
			return err;
		TRY(pause_for(&watch, h, a, wait_us));
		arena_clear(a);
	}
}

/* --- begin and end -------------------------------------------------------------------------------------------------------- */

static void webhook_free(Webhook *h)
{
	child_end(&h->fiber);
	webhook_metrics_free(h);
	tls_unref(h->tls);
	arena_free(h->arena);
}

static void copy_conf(Webhook *h, const WebhookConf *conf)
{
	h->conf = *conf;
	h->conf.name = str_dup(h->arena, conf->name);
	h->conf.url = str_dup(h->arena, conf->url);
	h->conf.secret = str_dup(h->arena, conf->secret);
	h->conf.ca = str_dup(h->arena, conf->ca);
	h->conf.events.at = ARENA_ARRAY(h->arena, uint32_t, conf->events.count + 1);
	for (size_t i = 0; i < conf->events.count; i++)
		h->conf.events.at[i] = conf->events.at[i];
	h->conf.subjects.at = ARENA_ARRAY(h->arena, Str, conf->subjects.count + 1);
	for (size_t i = 0; i < conf->subjects.count; i++)
		h->conf.subjects.at[i] = str_dup(h->arena, conf->subjects.at[i]);
}

/* At once, so that it hears of all that is done after this; when the book is away it is done as soon as it can be. */
static void place_now(Webhook *h)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(deadline_end) Deadline limit = deadline_begin(SETTLE_US);
	Err *err = need_place(h, a);

	(void)err;
}

static Err *begin_one(const Book *book, Str gateway, const WebhookConf *conf, Webhook **out)
{
	Arena *arena = arena_new(0);
	Webhook *h = ARENA_NEW(arena, Webhook);
	Err *err;

	*h = (Webhook){ .arena = arena, .db = book_db(book), .hurries = webhooks.begun };
	copy_conf(h, conf);
	h->gateway = str_dup(arena, gateway);
	h->print = webhook_print(arena, &h->conf);
	h->lease = (DbLease){ .name = str_fmt(arena, "webhook:%.*s", STR_ARG(h->conf.name)),
		              .owner = uuid_new() };
	(void)webhook_url_read(arena, h->conf.url, &h->url); /* it was when it was checked */
	(void)webhook_secret_read(h->conf.secret, h->key, &h->key_bytes);
	webhook_metrics_take(h);
	place_now(h);
	err = child_start(&h->fiber, follow, h, "webhook");
	if (err)
		webhook_free(h);
	else
		*out = h;
	return err;
}

/* The one that is at work for this already, taken out of those; NULL: there is none. */
static Webhook *take_same(Webhook **at, size_t count, const WebhookConf *conf)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str print = webhook_print(a, conf);

	for (size_t i = 0; i < count; i++)
		if (at[i] && str_eq(at[i]->conf.name, conf->name) &&
		    str_eq(at[i]->conf.ca, conf->ca) && str_eq(at[i]->print, print))
			return TAKE(at[i]);
	return NULL;
}

static void end_all(void)
{
	for (size_t i = 0; i < webhooks.count; i++)
		if (webhooks.at[i])
			webhook_free(TAKE(webhooks.at[i]));
	webhooks.count = 0;
}

Err *webhooks_begin(const Book *book, Str gateway, const ShiftAllConf *conf)
{
	Webhook *kept[WEBHOOKS_MAX] = { 0 };
	size_t rows, count = book && book_db(book) ? conf->webhooks.count : 0;
	const MetricFamily *families = webhook_metrics(&rows);

	metrics_add(families, rows);
	for (size_t i = 0; i < count; i++)
		kept[i] = take_same(webhooks.at, webhooks.count, &conf->webhooks.at[i]);
	end_all();
	for (size_t i = 0; i < count; i++)
		if (kept[i])
			webhooks.at[webhooks.count++] = kept[i];
	for (size_t i = 0; i < count; i++)
		if (!kept[i]) {
			TRY(begin_one(book, gateway, &conf->webhooks.at[i],
			              &webhooks.at[webhooks.count]));
			webhooks.count++;
		}
	webhooks.begun = true;
	return NULL;
}

void webhooks_end(void)
{
	end_all();
	webhooks.begun = false;
}
