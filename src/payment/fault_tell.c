/* SPDX-License-Identifier: Apache-2.0
 *
 * A fiber a webhook, so none waits for another and their order is nobody's promise. The id is that of the event and stays the same over
 * tries and duplicates. What a dying process has not told is never told: that is one of the things receivers must live with, and why
 * they ask. */
#include "payment/fault_tell.h"

#include "auth/signing.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/list.h"
#include "base/rand.h"
#include "base/time.h"
#include "base/uuid.h"
#include "http/ask.h"
#include "rt/fiber.h"

enum { TRIES = 8, AT_ONCE = 512 };
#define FIRST_WAIT_US (50 * US_PER_MS)
#define CLOSE_US (5 * US_PER_S)

struct FaultTeller {
	Arena *lasting;
	Str url, key;
	AskClient *client;
	List running; /* of Telling */
	unsigned running_count;
	int64_t told;
	bool closing;
};

typedef struct Telling {
	Node node;
	Fiber *fiber; /* NULL: it has not begun */
	FaultTeller *teller;
	Arena *arena;
	Str id, body;
	int64_t wait_us;
	unsigned times;
} Telling;

Err *fault_teller_open(Arena *lasting, Str url, Str secret, FaultTeller **out)
{
	FaultTeller *teller = ARENA_NEW(lasting, FaultTeller);

	*teller = (FaultTeller){ .lasting = lasting, .url = str_dup(lasting, url) };
	list_init(&teller->running);
	if (url.len && secret.len && !signing_key(lasting, secret, &teller->key))
		return err_new(lasting, ERR_INVALID, "fault.secret",
		               "a webhook's secret is whsec_ and Base64 of 16 to 64 bytes");
	if (url.len)
		TRY(ask_open(lasting, &(AskConf){ .name = "fault-provider" }, &teller->client));
	*out = teller;
	return NULL;
}

void fault_teller_close(FaultTeller *teller)
{
	AUTO(shield_end) Shield shield = shield_begin(CLOSE_US);

	if (!teller)
		return;
	teller->closing = true;
	LIST_EACH (&teller->running, Telling, node, t)
		if (t->fiber)
			fiber_cancel(t->fiber);
	while (teller->running_count && !fiber_yield())
		;
	ask_close(teller->client);
}

int64_t fault_told(const FaultTeller *teller)
{
	return teller->told;
}

static Str body_of(Arena *a, const FaultPayment *p, const FaultRefund *r, const char *type, Str id)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_object(&w);
	json_put_str(&w, "id", id);
	json_put_str(&w, "type", str_of(type));
	json_key(&w, S("timestamp"));
	json_add_time(&w, time_utc_us());
	json_key(&w, S("data"));
	json_begin_object(&w);
	json_put_str(&w, "payment", p->id);
	json_put_str(&w, "key", p->key);
	json_put_str(&w, "refund", r ? r->id : S(""));
	json_end(&w);
	json_end(&w);
	return str_dup(a, buf_str(&b));
}

static Err *try_once(const Telling *t, bool *taken)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	int64_t now_s = time_utc_us() / US_PER_S;
	Ask what = { .method = S("POST"), .url = t->teller->url, .body = t->body };
	AskAnswer answer;
	Err *err;

	headers_add(&what.headers, a, S("webhook-id"), t->id);
	headers_add(&what.headers, a, S("webhook-timestamp"), str_fmt(a, "%" PRId64, now_s));
	headers_add(&what.headers, a, S("webhook-signature"),
	            signing_standard(a, t->teller->key, t->id, now_s, t->body));
	err = ask(t->teller->client, a, &what, &answer);
	*taken = !err && answer.status < 300;
	return err && err->kind == ERR_CANCELLED ? err_copy(t->arena, err) : NULL;
}

static Err *tell(const Telling *t)
{
	int64_t wait_us = FIRST_WAIT_US;
	bool taken = false;

	TRY(fiber_sleep(t->wait_us));
	for (unsigned i = 0; i < TRIES; i++, wait_us *= 2) {
		TRY(try_once(t, &taken));
		if (taken)
			break;
		TRY(fiber_sleep(wait_us));
	}
	t->teller->told += taken;
	return NULL;
}

static void telling_main(void *arg)
{
	Telling *t = arg;
	Err *err = NULL;

	t->fiber = fiber_self();
	for (unsigned i = 0; !err && !t->teller->closing && i < t->times; i++)
		err = tell(t);
	list_remove(&t->node);
	t->teller->running_count--;
	arena_free(t->arena);
}

void fault_tell(FaultTeller *teller, const FaultPayment *payment, const FaultRefund *refund,
                const char *type, FaultHit hit)
{
	Arena *a;
	Telling *t;

	if (!teller->url.len || hit.fault == FAULT_WITHHOLD || teller->running_count >= AT_ONCE)
		return;
	a = arena_new(0);
	t = ARENA_NEW(a, Telling);
	*t = (Telling){ .teller = teller,
		        .arena = a,
		        .times = hit.fault == FAULT_DUPLICATE ? 2 : 1 };
	t->id = str_fmt(a, "fe_%.*s", STR_ARG(uuid_text(a, uuid_new())));
	t->body = body_of(a, payment, refund, type, t->id);
	if (hit.fault == FAULT_REORDER)
		t->wait_us = (int64_t)rand_below((uint64_t)hit.us + 1);
	if (hit.fault == FAULT_DELAY)
		t->wait_us = hit.us;
	if (fiber_start(telling_main, t, "fault-tell")) {
		arena_free(a);
		return;
	}
	list_add(&teller->running, &t->node);
	teller->running_count++;
}
