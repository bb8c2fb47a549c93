/* SPDX-License-Identifier: Apache-2.0
 *
 * Between webhook.c (fibers), webhook_book.c (how far each is), webhook_say.c (bodies and signatures), webhook_send.c (HTTP)
 * and webhook_metrics.c. */
#pragma once
#include "rt/fiber.h"
#include "rt/tls.h"
#include "shift/book.h"
#include "shift/webhook.h"
#include "store/db_lease.h"

typedef enum WebhookResult {
	WEBHOOK_DELIVERED,  /* 2xx */
	WEBHOOK_REFUSED,    /* any other answer */
	WEBHOOK_UNVERIFIED, /* its certificate */
	WEBHOOK_FAILED,     /* there was no answer */
	WEBHOOK_GONE,       /* 410 */
	WEBHOOK_GIVEN_UP,   /* one of the others, and the entry is three days old */
	WEBHOOK_RESULTS
} WebhookResult;

typedef struct Webhook {
	Arena *arena;
	WebhookConf conf; /* a copy, all of it in the arena */
	WebhookUrl url;
	Str print; /* changes when what is sent where does */
	uint8_t key[WEBHOOK_KEY_MAX];
	size_t key_bytes; /* 0: bodies are not signed */
	Db *db;
	Str gateway; /* who tells it */
	DbLease lease;
	TlsContext *tls; /* NULL: not made yet, or plain */
	MetricCell results[WEBHOOK_RESULTS], waiting;
	bool placed;  /* the book knows it */
	bool failing; /* and that was said */
	bool hurries; /* its configuration came just now: it tries once without waiting for its time */
	Child fiber;
} Webhook;

/* --- webhook_say.c: pure -------------------------------------------------------------------------------------------------- */

/* The same however often it is sent, and of no other entry of any book. */
Str webhook_id(Arena *a, Str subject, const BookEntry *entry);
/* In the webhook's format. gateway: who tells it. Fails with "base.buffer_full". */
Err *webhook_body(Arena *a, WebhookFormat format, Str subject, const BookEntry *entry, Str gateway,
                  Str *out) MUST_USE;
/* "v1,BASE64" of Standard Webhooks. */
Str webhook_sign(Arena *a, const uint8_t *key, size_t key_bytes, Str id, int64_t seconds, Str body);
/* Of all that changes what is sent where, the same on every gateway; secrets cannot be read from it. */
Str webhook_print(Arena *a, const WebhookConf *conf);

/* --- webhook_send.c ------------------------------------------------------------------------------------------------------- */

/* One try, 15 s at most. Parks. *why: what went wrong, for people; empty when delivered. Fails when the fiber is cancelled
 * only. */
Err *webhook_send(Webhook *h, Arena *a, Str subject, const BookEntry *entry, WebhookResult *result,
                  Str *why) MUST_USE;

/* --- webhook_book.c ------------------------------------------------------------------------------------------------------- */

typedef struct WebhookPlace {
	uint32_t tries;   /* of the entry, that failed */
	int64_t retry_at; /* UTC; 0: at once */
	bool gone;        /* its receiver wants nothing any more */
	bool due;         /* there is an entry */
	Str subject;
	BookEntry entry;
	uint64_t waiting; /* entries, this one included */
} WebhookPlace;

/* Parks; fail as db.h says. The first time of all a webhook begins behind what there is. */
Err *webhook_place_need(const Webhook *h, Arena *a) MUST_USE;
Err *webhook_place_read(const Webhook *h, Arena *a, WebhookPlace *out) MUST_USE;
/* Keeps tries, retry_at and gone; passed: the entry is done with. Fails with CONFLICT "db.lease_lost" too. */
Err *webhook_place_keep(const Webhook *h, Arena *a, const WebhookPlace *place, bool passed)
	MUST_USE;

/* --- webhook_metrics.c ---------------------------------------------------------------------------------------------------- */

void webhook_metrics_take(Webhook *h);
void webhook_metrics_free(Webhook *h);
