/* SPDX-License-Identifier: Apache-2.0
 *
 * Intents from within the process, on any engine, against a provider that answers what the test says and writes down what it was asked.
 * Whoever includes it includes events_lite.h or events_pg.h after it. */
#pragma once
#include "base/arena.h"
#include "base/time.h"
#include "payment/intent_int.h"
#include "payment/payment.h"
#include "payment/provider_int.h"
#include "service/service.h"
#include "store/schema.h"
#include "suite.h"

#include "payment_schema.h"
#include "service_schema.h"

#include <string.h>

static Err *suite_schema(Db *db, Arena *a)
{
	uint32_t applied;

	TRY(schema_apply(db, a, store_own_schema(), &applied));
	TRY(schema_apply(db, a, &service_schema, &applied));
	return schema_apply(db, a, &payment_schema, &applied);
}

enum { SAYS_MOST = 16 };

/* The provider's next answers by act, and what it was asked. Past them it says what a provider that works does. */
static struct {
	ProviderAnswer says[PROVIDER_ACTS][SAYS_MOST];
	size_t said[PROVIDER_ACTS], asked[PROVIDER_ACTS];
	Str keys[SAYS_MOST]; /* of authorizations */
	size_t key_count;
	bool captured;
} world;

static void then(ProviderAct act, ProviderResult result, ProviderState state)
{
	world.says[act][world.said[act]++] = (ProviderAnswer){ .result = result, .state = state };
}

static Err *answer(ProviderAct act, ProviderState usual, Arena *a, const ProviderAsk *ask,
                   ProviderAnswer *out)
{
	size_t n = world.asked[act]++;

	CHECK(ask->key.len >= 8);
	*out = n < world.said[act] ? world.says[act][n]
	                           : (ProviderAnswer){ .result = PROVIDER_OK, .state = usual };
	if (out->result == PROVIDER_DECLINED) {
		out->code = S("card_declined");
		out->text = S("Your card was declined.");
	}
	out->currency = ask->currency;
	out->reference = str_dup(a, S("ref_1"));
	return NULL;
}

static Err *does_authorize(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	(void)p;
	world.keys[world.key_count++ % SAYS_MOST] = str_dup(a, ask->key);
	return answer(PROVIDER_AUTHORIZE, ask->capture ? PROVIDER_CAPTURED : PROVIDER_AUTHORIZED, a,
	              ask, out);
}

static Err *does_capture(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	(void)p;
	return answer(PROVIDER_CAPTURE, PROVIDER_CAPTURED, a, ask, out);
}

static Err *does_cancel(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	(void)p;
	return answer(PROVIDER_CANCEL, PROVIDER_VOIDED, a, ask, out);
}

static Err *does_refund(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	(void)p;
	return answer(PROVIDER_REFUND, PROVIDER_CAPTURED, a, ask, out);
}

static Err *does_get(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	(void)p;
	return answer(PROVIDER_GET, PROVIDER_CAPTURED, a, ask, out);
}

/* absent_us: how long what is not there may still be on its way. */
static ServiceHome *shop(Arena *a, Db *db, int64_t absent_us)
{
	static const ProviderKind kind = { .name = "told",
		                           .acts = { does_authorize, does_capture, does_cancel,
		                                     does_refund, does_get } };
	static ProviderHealth health = { .lock = PTHREAD_MUTEX_INITIALIZER };
	static ProviderConf conf;
	static ProvidersConf all;
	static Provider one;
	static Providers providers;
	static Payment payment;
	ServiceHome *home = ARENA_NEW(a, ServiceHome);

	memset(&world, 0, sizeof(world));
	conf = (ProviderConf){
		.name = S("told"), .failures = 100, .pause_us = 1, .absent_us = absent_us
	};
	all = (ProvidersConf){ .providers = { &conf, 1 } };
	one = (Provider){ .conf = &conf, .kind = &kind, .health = &health };
	providers = (Providers){ .conf = &all, .at = &one, .count = 1 };
	payment = (Payment){ .providers = &providers };
	*home = (ServiceHome){ .db = db, .arena = a, .state = &payment };
	return home;
}

static IntentAsk ask_for(const char *key)
{
	return (IntentAsk){ .key = str_of(key),
		            .amount = 1250,
		            .currency = S("EUR"),
		            .method = S("pm_card_visa"),
		            .metadata = S("{\"order\":\"7\"}") };
}

SUITE_TEST(a_key_is_one_intent_and_one_charge)
{
	const ServiceHome *home = shop(a, db, 0);
	IntentAsk ask = ask_for("k1"), other = ask_for("k1");
	IntentSeen first, again;

	TRY(intent_pay(home, a, &ask, false, &first));
	CHECK_INT(first.outcome, INTENT_PAID);
	CHECK_INT(first.received, 1250);
	CHECK_STR(first.currency, S("eur"));
	TRY(intent_pay(home, a, &ask, true, &again));
	CHECK(uuid_eq(first.id, again.id) && uuid_eq(first.charge, again.charge));
	CHECK_INT(world.asked[PROVIDER_AUTHORIZE], 1);
	other.amount = 1251;
	CHECK_ERR(intent_pay(home, a, &other, false, &again), "payment.key");
	return NULL;
}

SUITE_TEST(what_is_asked_for_is_looked_at_first)
{
	const ServiceHome *home = shop(a, db, 0);
	IntentAsk cases[5];
	static const char *const slugs[] = { "payment.amount", "payment.currency", "payment.method",
		                             "payment.customer", "payment.key" };
	IntentSeen seen;

	for (size_t i = 0; i < COUNT(cases); i++)
		cases[i] = ask_for("k2");
	cases[0].amount = 0;
	cases[1].currency = S("xxx");
	cases[2].method = S("");
	cases[3].customer = S("cus_1");
	cases[4].key = S("");
	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_ERR(intent_pay(home, a, &cases[i], false, &seen), slugs[i]);
	CHECK_INT(world.asked[PROVIDER_AUTHORIZE], 0);
	return NULL;
}

SUITE_TEST(a_decline_is_told_again_until_it_is_to_be_tried_again)
{
	const ServiceHome *home = shop(a, db, 0);
	IntentAsk ask = ask_for("k3");
	IntentSeen seen;

	then(PROVIDER_AUTHORIZE, PROVIDER_DECLINED, PROVIDER_FAILED);
	TRY(intent_pay(home, a, &ask, false, &seen));
	CHECK_INT(seen.outcome, INTENT_REFUSED);
	CHECK_STR(seen.code, S("card_declined"));
	TRY(intent_pay(home, a, &ask, false, &seen));
	CHECK_INT(seen.outcome, INTENT_REFUSED);
	CHECK_INT(world.asked[PROVIDER_AUTHORIZE], 1);
	TRY(intent_pay(home, a, &ask, true, &seen));
	CHECK_INT(seen.outcome, INTENT_PAID);
	CHECK(!str_eq(world.keys[0], world.keys[1])); /* another attempt, another key */
	return NULL;
}

SUITE_TEST(silence_is_open_and_the_next_call_asks_what_came_of_it)
{
	const ServiceHome *home = shop(a, db, 3600 * US_PER_S);
	IntentAsk ask = ask_for("k4");
	IntentSeen seen;

	then(PROVIDER_AUTHORIZE, PROVIDER_UNKNOWN, PROVIDER_NOTHING);
	then(PROVIDER_GET, PROVIDER_ABSENT, PROVIDER_NOTHING); /* it may be on its way */
	then(PROVIDER_GET, PROVIDER_UNSENT, PROVIDER_NOTHING); /* nobody to ask */
	TRY(intent_pay(home, a, &ask, true, &seen));
	CHECK_INT(seen.outcome, INTENT_OPEN);
	for (int i = 0; i < 2; i++) {
		TRY(intent_pay(home, a, &ask, true, &seen));
		CHECK_INT(seen.outcome, INTENT_OPEN);
	}
	TRY(intent_pay(home, a, &ask, true, &seen));
	CHECK_INT(seen.outcome, INTENT_PAID);
	CHECK_INT(world.asked[PROVIDER_AUTHORIZE], 1);
	CHECK_INT(world.asked[PROVIDER_GET], 3);
	return NULL;
}

SUITE_TEST(what_never_came_is_tried_anew)
{
	const ServiceHome *home = shop(a, db, -1); /* nothing can be on its way any more */
	IntentAsk ask = ask_for("k5");
	IntentSeen seen;

	then(PROVIDER_AUTHORIZE, PROVIDER_UNKNOWN, PROVIDER_NOTHING);
	then(PROVIDER_GET, PROVIDER_ABSENT, PROVIDER_NOTHING);
	TRY(intent_pay(home, a, &ask, false, &seen));
	CHECK_INT(seen.outcome, INTENT_OPEN);
	TRY(intent_pay(home, a, &ask, false, &seen));
	CHECK_INT(seen.outcome, INTENT_PAID);
	CHECK_INT(world.asked[PROVIDER_AUTHORIZE], 2);
	return NULL;
}

SUITE_TEST(what_was_given_up_meanwhile_is_not_sent_after_all)
{
	const ServiceHome *home = shop(a, db, 1); /* over before it can be sent */
	IntentAsk ask = ask_for("k10");
	IntentSeen seen;

	CHECK_ERR(intent_pay(home, a, &ask, false, &seen), "payment.no_provider");
	CHECK_INT(world.asked[PROVIDER_AUTHORIZE], 0);
	home = shop(a, db, 3600 * US_PER_S);
	TRY(intent_pay(home, a, &ask, false, &seen));
	CHECK_INT(seen.outcome, INTENT_PAID);
	CHECK_INT(world.asked[PROVIDER_AUTHORIZE], 1);
	return NULL;
}

SUITE_TEST(when_nobody_can_be_asked_it_fails_and_may_come_again)
{
	const ServiceHome *home = shop(a, db, 0);
	IntentAsk ask = ask_for("k6");
	IntentSeen seen;

	then(PROVIDER_AUTHORIZE, PROVIDER_UNSENT, PROVIDER_NOTHING);
	CHECK_ERR(intent_pay(home, a, &ask, false, &seen), "payment.no_provider");
	TRY(intent_pay(home, a, &ask, false, &seen));
	CHECK_INT(seen.outcome, INTENT_PAID);
	return NULL;
}

SUITE_TEST(what_is_held_is_captured_or_let_go_once)
{
	const ServiceHome *home = shop(a, db, 0);
	IntentAsk ask = ask_for("k7"), other = ask_for("k8");
	IntentSeen seen;

	ask.manual = other.manual = true;
	TRY(intent_pay(home, a, &ask, false, &seen));
	CHECK_INT(seen.outcome, INTENT_HELD);
	CHECK_ERR(intent_capture(home, a, seen.id, 1251, S(""), &seen), "payment.amount");
	TRY(intent_find_key(home, a, ask.key, &(bool){ false }, &seen));
	TRY(intent_capture(home, a, seen.id, 1000, S(""), &seen));
	CHECK_INT(seen.outcome, INTENT_PAID);
	CHECK_INT(seen.received, 1000);
	TRY(intent_capture(home, a, seen.id, 0, S(""), &seen));
	CHECK_INT(world.asked[PROVIDER_CAPTURE], 1);
	CHECK_ERR(intent_cancel(home, a, seen.id, S(""), S(""), &seen), "payment.state");
	TRY(intent_pay(home, a, &other, false, &seen));
	TRY(intent_cancel(home, a, seen.id, S("abandoned"), S(""), &seen));
	CHECK_INT(seen.outcome, INTENT_CANCELED);
	CHECK_INT(world.asked[PROVIDER_CANCEL], 1);
	CHECK_ERR(intent_capture(home, a, seen.id, 0, S(""), &seen), "payment.state");
	return NULL;
}

SUITE_TEST(a_refund_of_a_key_is_one_refund)
{
	const ServiceHome *home = shop(a, db, 3600 * US_PER_S);
	IntentAsk ask = ask_for("k9");
	IntentSeen seen;
	Str status;

	TRY(intent_pay(home, a, &ask, false, &seen));
	then(PROVIDER_REFUND, PROVIDER_UNKNOWN, PROVIDER_NOTHING);
	then(PROVIDER_GET, PROVIDER_PENDING, PROVIDER_NOTHING);
	TRY(intent_refund(home, a, seen.id, 250, S("r1"), S(""), &status));
	CHECK_STR(status, S("pending"));
	TRY(intent_refund(home, a, seen.id, 250, S("r1"), S(""), &status));
	CHECK_STR(status, S("pending"));
	TRY(intent_refund(home, a, seen.id, 250, S("r1"), S(""), &status));
	CHECK_STR(status, S("succeeded"));
	CHECK_INT(world.asked[PROVIDER_REFUND], 1);
	CHECK_ERR(intent_refund(home, a, seen.id, 1001, S("r2"), S(""), &status), "payment.amount");
	then(PROVIDER_REFUND, PROVIDER_DECLINED, PROVIDER_NOTHING);
	TRY(intent_refund(home, a, seen.id, 0, S("r3"), S(""), &status));
	CHECK_STR(status, S("failed"));
	TRY(intent_refund(home, a, seen.id, 0, S("r3"), S(""),
	                  &status)); /* it failed: the key is free */
	CHECK_STR(status, S("succeeded"));
	TRY(intent_refund(home, a, seen.id, 0, S("r4"), S(""), &status)); /* nothing is left */
	CHECK_STR(status, S("succeeded"));
	return NULL;
}

SUITE_TEST(undoing_ends_whatever_there_is)
{
	const ServiceHome *home = shop(a, db, 3600 * US_PER_S);
	IntentAsk never = ask_for("u1"), paid = ask_for("u2"), held = ask_for("u3"),
		  no = ask_for("u4");
	IntentSeen seen;
	bool undone;

	TRY(intent_undo(home, a, &never, &undone));
	CHECK(undone);
	TRY(intent_pay(home, a, &never, true, &seen)); /* an ask that comes late */
	CHECK_INT(seen.outcome, INTENT_CANCELED);
	CHECK_INT(world.asked[PROVIDER_AUTHORIZE], 0);
	TRY(intent_pay(home, a, &paid, false, &seen));
	held.manual = true;
	TRY(intent_pay(home, a, &held, false, &seen));
	world.said[PROVIDER_AUTHORIZE] = world.asked[PROVIDER_AUTHORIZE];
	then(PROVIDER_AUTHORIZE, PROVIDER_DECLINED, PROVIDER_FAILED);
	TRY(intent_pay(home, a, &no, false, &seen));
	for (int round = 0; round < 2; round++) {
		TRY(intent_undo(home, a, &paid, &undone));
		CHECK(undone);
		TRY(intent_undo(home, a, &held, &undone));
		CHECK(undone);
		TRY(intent_undo(home, a, &no, &undone));
		CHECK(undone);
	}
	CHECK_INT(world.asked[PROVIDER_REFUND], 1);
	CHECK_INT(world.asked[PROVIDER_CANCEL], 1);
	return NULL;
}

SUITE_TEST(what_nobody_heard_of_is_sealed_or_given_back)
{
	const ServiceHome *home = shop(a, db, 3600 * US_PER_S);
	IntentAsk ask = ask_for("u5"), other = ask_for("u6");
	IntentSeen seen;
	bool undone;

	for (int i = 0; i < 2; i++)
		then(PROVIDER_AUTHORIZE, PROVIDER_UNKNOWN, PROVIDER_NOTHING);
	TRY(intent_pay(home, a, &ask, false, &seen));
	TRY(intent_pay(home, a, &other, false, &seen));
	CHECK_INT(seen.outcome, INTENT_OPEN);
	then(PROVIDER_CANCEL, PROVIDER_ABSENT, PROVIDER_NOTHING); /* not sealed: says nothing */
	world.says[PROVIDER_CANCEL][1] =
		(ProviderAnswer){ .result = PROVIDER_ABSENT, .sealed = true };
	world.said[PROVIDER_CANCEL] = 2;
	then(PROVIDER_GET, PROVIDER_ABSENT, PROVIDER_NOTHING);
	TRY(intent_undo(home, a, &ask, &undone));
	CHECK(!undone);
	TRY(intent_undo(home, a, &ask, &undone));
	CHECK(undone);
	then(PROVIDER_CANCEL, PROVIDER_DECLINED,
	     PROVIDER_NOTHING); /* it was taken already: the look says so */
	TRY(intent_undo(home, a, &other, &undone));
	CHECK(undone);
	CHECK_INT(world.asked[PROVIDER_REFUND], 1);
	return NULL;
}
