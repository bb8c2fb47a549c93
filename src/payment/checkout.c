/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a checkout.
 *
 *   reserve   the order system keeps the goods and says what they cost        undone by: release
 *   charge    a payment intent; the pivot                                     undone, if people ask, by: a cancel or a refund
 *   confirm   the order system is told that it is paid
 *   notify    the customer is told
 *   record    an event for everybody else, in the transaction that ends the checkout
 *
 * Who is asked gets the same Idempotency-Key at every attempt, and does a thing once. The price is the order system's: what a
 * client says about it (amount, currency) can only end a checkout, before anything is charged.
 *
 * A charge that nobody knows the outcome of is not a failure: the checkout waits and looks again (intent_pay asks the provider, and
 * never charges twice).
 *
 * Not here: telling the customer (checkout_tell.c), the API (checkout_api.c). */
#include "payment/checkout_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/checkout_domain.h"
#include "payment/intent.h"
#include "base/money.h"
#include "payment/payment.h"
#include "service/peer.h"
#include "store/outbox.h"
#include "store/schema.h"

static const Checkout *checkout_of_call(const SagaCall *call)
{
	return call->arg;
}

_Static_assert(RESERVATION_MOST == MONEY_MOST, "a reservation may cost what a payment may be");

static Str id_text(Arena *a, Uuid id)
{
	return service_id_text(a, CHECKOUT_PREFIX, id);
}

Str checkout_data(Arena *a, const CheckoutDraft *draft)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const struct {
		const char *name;
		Str text;
	} texts[] = {
		{ "method", draft->method }, { "customer", draft->customer },
		{ "email", draft->email },   { "name", draft->name },
		{ "locale", draft->locale }, { "currency", draft->currency },
		{ "by", draft->by },
	};

	json_begin_object(&w);
	json_key(&w, S("order"));
	json_put(&w, draft->order);
	for (size_t i = 0; i < COUNT(texts); i++)
		if (texts[i].text.len)
			json_put_str(&w, texts[i].name, texts[i].text);
	if (draft->amount)
		json_put_i64(&w, "amount", draft->amount);
	json_end(&w);
	return str_dup(a, buf_str(&b));
}

/* --- the order system --------------------------------------------------------------------------------------------------- */

static Str text_of(const Json *object, const char *name)
{
	Str text = { 0 };

	json_to_str(json_get(object, str_of(name)), &text);
	return text;
}

/* One request to it. *body: what it said, when it is done; else an Err to return. */
static Err *ask_orders(SagaCall *call, const char *verb, Str sent, Str *body)
{
	const CheckoutConf *conf = checkout_of_call(call)->conf;
	Arena *a = call->arena;
	Ask wish = { .method = S("POST"),
		     .url = str_fmt(a, "%.*s/%.*s/%s", STR_ARG(conf->orders),
		                    STR_ARG(id_text(a, call->saga)), verb),
		     .body = sent,
		     .traceparent = call->traceparent,
		     .timeout_us = conf->timeout_us,
		     .repeatable = true };
	AskAnswer answer;
	Str code, message;

	headers_add(&wish.headers, a, S("Idempotency-Key"), call->key);
	if (conf->token.len)
		headers_add(&wish.headers, a, S("Authorization"),
		            str_fmt(a, "Bearer %.*s", STR_ARG(conf->token)));
	TRY(ask(service_ask_client(), a, &wish, &answer));
	switch (orders_is_running(a, answer.status, answer.body) ? ORDERS_AGAIN
	                                                         : orders_verdict(answer.status)) {
	case ORDERS_DONE:
		*body = answer.body;
		return NULL;
	case ORDERS_REFUSED:
		orders_refusal_read(a, answer.body, &code, &message);
		return saga_refuse(call, code, "%.*s", STR_ARG(message));
	case ORDERS_AGAIN:
	default:
		return err_new(a, ERR_UPSTREAM, "checkout.orders",
		               "the order system answered %u to %s", answer.status, verb);
	}
}

/* What the order system said, now or before. */
static Err *read_reservation(Arena *a, Str body, Reservation *out)
{
	const char *mistake = reservation_read(a, body, out);

	if (!mistake && !money_currency(out->currency).len)
		mistake = "has no currency";
	return mistake ? err_new(a, ERR_UPSTREAM, "checkout.orders",
	                         "what the order system says of the order %s", mistake)
	               : NULL;
}

static Err *reserve(SagaCall *call)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str sent, body;
	Reservation r;

	json_begin_object(&w);
	json_key(&w, S("order"));
	json_put(&w, json_get(call->data, S("order")));
	json_put_str(&w, "email", saga_text(call, "email"));
	json_put_str(&w, "by", saga_text(call, "by"));
	json_end(&w);
	TRY(json_done(&w, &sent));
	TRY(ask_orders(call, "reserve", sent, &body));
	TRY(read_reservation(call->arena, body, &r));
	saga_say(call, body);
	return NULL;
}

static Err *release(SagaCall *call)
{
	Str body;

	return ask_orders(call, "release", S("{}"), &body);
}

static Err *confirm(SagaCall *call)
{
	Str body;

	return ask_orders(call, "confirm", saga_said_text(call, "charge"), &body);
}

/* --- the charge --------------------------------------------------------------------------------------------------------- */

static Err *charge_ask(SagaCall *call, IntentAsk *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Arena *a = call->arena;
	Reservation r;

	TRY(read_reservation(a, saga_said_text(call, "reserve"), &r));
	json_begin_object(&w);
	json_put_str(&w, "checkout", id_text(a, call->saga));
	json_put_str(&w, "order", r.order);
	json_end(&w);
	*out = (IntentAsk){ .key = str_fmt(a, "%.*s:charge", STR_ARG(uuid_text(a, call->saga))),
		            .amount = r.amount,
		            .currency = r.currency,
		            .customer = saga_text(call, "customer"),
		            .method = saga_text(call, "method"),
		            .email = saga_text(call, "email"),
		            .description = r.order,
		            .metadata = str_dup(a, buf_str(&b)),
		            .traceparent = call->traceparent };
	return NULL;
}

/* Is it what the customer was shown? */
static Err *same_price(SagaCall *call, const IntentAsk *ask)
{
	Str currency = saga_text(call, "currency");
	int64_t amount = ask->amount;

	json_to_i64(json_get(call->data, S("amount")), &amount);
	if (amount == ask->amount && (!currency.len || str_eq(currency, ask->currency)))
		return NULL;
	return saga_refuse(call, S("price_changed"), "the order now costs %.*s",
	                   STR_ARG(money_text(call->arena, ask->amount, ask->currency)));
}

static void say_paid(SagaCall *call, const IntentAsk *ask, const IntentSeen *seen)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_object(&w);
	json_put_str(&w, "order", ask->description);
	json_put_str(&w, "payment_intent", intent_id_text(call->arena, seen->id));
	json_put_i64(&w, "amount", ask->amount);
	json_put_str(&w, "currency", ask->currency);
	json_put_str(&w, "provider", seen->provider);
	json_end(&w);
	saga_say(call, buf_str(&b));
}

static Err *charge(SagaCall *call)
{
	IntentSeen seen = { 0 };
	IntentAsk ask;
	Err *err;

	TRY(charge_ask(call, &ask));
	TRY(same_price(call, &ask));
	err = intent_pay(checkout_of_call(call)->home, call->arena, &ask, false, &seen);
	if (err && err->kind == ERR_INVALID)
		return saga_refuse(call, S("payment_invalid"), "%.*s", STR_ARG(err->text));
	TRY(err);
	switch (seen.outcome) {
	case INTENT_PAID:
		say_paid(call, &ask, &seen);
		return NULL;
	case INTENT_REFUSED:
		return saga_refuse(call, seen.code.len ? seen.code : S("declined"), "%.*s",
		                   STR_ARG(seen.message));
	case INTENT_CANCELED:
		return saga_refuse(call, S("canceled"), "the payment was cancelled");
	case INTENT_HELD:
	case INTENT_OPEN:
	default:
		return saga_wait(call, checkout_look_us(call->attempt),
		                 "the provider has not said whether it is paid");
	}
}

static Err *give_back(SagaCall *call)
{
	IntentAsk ask;
	bool undone;

	TRY(charge_ask(call, &ask));
	TRY(intent_undo(checkout_of_call(call)->home, call->arena, &ask, &undone));
	return undone ? NULL
	              : saga_wait(call, checkout_look_us(call->attempt),
	                          "the provider has not said whether it is given back");
}

/* --- what follows ------------------------------------------------------------------------------------------------------- */

typedef struct Telling {
	const SagaCall *call;
	Str data;
} Telling;

static Err *put_event(Db *tx, Arena *a, void *arg)
{
	const Telling *telling = arg;
	const SagaCall *call = telling->call;

	return outbox_put(tx, a,
	                  &(Event){ .type = S("checkout.completed"),
	                            .aggregate_type = S("checkout"),
	                            .aggregate_id = id_text(a, call->saga),
	                            .traceparent = call->traceparent,
	                            .data = telling->data },
	                  NULL);
}

static Err *record(SagaCall *call)
{
	const Json *paid = saga_said(call, "charge");
	Telling *telling = ARENA_NEW(call->arena, Telling);
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	int64_t amount = 0;

	json_to_i64(json_get(paid, S("amount")), &amount);
	json_begin_object(&w);
	json_put_str(&w, "order", text_of(paid, "order"));
	json_put_str(&w, "payment_intent", text_of(paid, "payment_intent"));
	json_put_i64(&w, "amount", amount);
	json_put_str(&w, "currency", text_of(paid, "currency"));
	if (saga_text(call, "customer").len)
		json_put_str(&w, "customer", saga_text(call, "customer"));
	json_put_str(&w, "by", saga_text(call, "by"));
	json_end(&w);
	*telling = (Telling){ call, str_dup(call->arena, buf_str(&b)) };
	saga_with(call, put_event, telling);
	return NULL;
}

/* --- the type ----------------------------------------------------------------------------------------------------------- */

/* A day and more of trying, then a person is needed. */
enum { PATIENT = 300 };

static const SagaStep steps[] = {
	{ "reserve", SAGA_COMPENSATABLE, reserve, release, .timeout_us = 60 * US_PER_S,
	  .help = "the order system keeps the goods" },
	{ "charge", SAGA_PIVOT, charge, give_back, .timeout_us = 120 * US_PER_S,
	  .attempts = PATIENT, .help = "the customer pays" },
	{ "confirm", SAGA_RETRIABLE, confirm, .timeout_us = 60 * US_PER_S, .attempts = PATIENT,
	  .help = "the order system is told" },
	{ "notify", SAGA_RETRIABLE, checkout_tell, .attempts = PATIENT,
	  .help = "the customer is told" },
	{ "record", SAGA_RETRIABLE, record, .help = "an event for everybody else" },
};

const char *checkout_channel(Uuid id)
{
	static const char *const channels[] = {
		"checkout_0", "checkout_1", "checkout_2", "checkout_3", "checkout_4", "checkout_5",
		"checkout_6", "checkout_7", "checkout_8", "checkout_9", "checkout_a", "checkout_b",
		"checkout_c", "checkout_d", "checkout_e", "checkout_f",
	};

	return channels[id.at[15] & 15];
}

/* That one was undone, or waits for a person, is told too; that it is completed tells `record`. */
static Err *changed(Db *tx, Arena *a, const SagaView *saga, void *arg)
{
	SagaState state = saga->at.state;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	(void)arg;
	TRY(db_tell(tx, a, checkout_channel(saga->id)));
	if (state != SAGA_COMPENSATED && state != SAGA_STUCK)
		return NULL;
	json_begin_object(&w);
	json_put_str(&w, "reason", saga->reason);
	json_end(&w);
	return outbox_put(tx, a,
	                  &(Event){ .type = state == SAGA_STUCK ? S("checkout.stuck")
	                                                        : S("checkout.undone"),
	                            .aggregate_type = S("checkout"),
	                            .aggregate_id = id_text(a, saga->id),
	                            .traceparent = saga->traceparent,
	                            .data = buf_str(&b) },
	                  NULL);
}

Err *checkout_begin(const ServiceHome *home, const CheckoutConf *conf, Checkout **out)
{
	Checkout *checkout = ARENA_NEW(home->arena, Checkout);
	uint32_t applied;

	*checkout = (Checkout){
		.home = home,
		.conf = conf,
		.types = { { "checkout", 1, steps, COUNT(steps), .deadline_us = conf->deadline_us,
		             .help = "an order is reserved, charged and confirmed" } },
	};
	checkout->set = (SagaSet){ checkout->types, COUNT(checkout->types), changed, checkout };
	TRY(saga_set_check(home->arena, &checkout->set));
	TRY(schema_apply(home->db, home->arena, saga_own_schema(), &applied));
	*out = checkout;
	return NULL;
}

Err *checkout_job(JobRun *run, void *arg)
{
	return saga_work(run, &payment_of(arg)->checkout->set);
}

Err *checkout_house(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	int64_t gone;

	TRY(sagas_purge(home->db, job_arena(run), payment_of(home)->checkout->conf->keep_us,
	                &gone));
	return sagas_measure(home->db, job_arena(run));
}
