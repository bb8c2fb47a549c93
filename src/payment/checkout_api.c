/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/checkout: what begins a checkout, and what has become of one.
 *
 * A POST is answered as soon as the checkout is durable (202): from then on it ends, one way or the other, and nobody has to wait
 * for it on the line. Who wants to, asks GET with `wait`. A `reference` (a cart, say) is checked out once: whoever sends it again
 * gets a 409 with the id of the one that is there, unless that was undone.
 *
 * People begin checkouts for themselves, programs need a scope for it. A customer of ours is a person's own when its metadata says so
 * ("user"); of others, people can name neither the customer nor a saved payment method. A checkout is shown to who has begun it, to
 * other services, and to programs that may read them all. */
#include "payment/checkout_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/guard.h"
#include "payment/intent_int.h"
#include "base/money.h"
#include "payment/payment.h"

enum { WAIT_MOST_S = 30, ORDER_BYTES = 16 << 10 };

static const ConfWord statuses[] = {
	{ "processing", 0, "not decided yet, or paid and the rest follows" },
	{ "undoing", 1, "it will not be: what was done is being undone" },
	{ "completed", 2, "paid and confirmed" },
	{ "undone", 3, "nothing is reserved or charged" },
	{ "stuck", 4, "a person has to look" },
	{ 0 },
};
static const uint8_t status_of[SAGA_STATES] = {
	[SAGA_RUNNING] = 0, [SAGA_COMMITTING] = 0,  [SAGA_COMPENSATING] = 1,
	[SAGA_DONE] = 2,    [SAGA_COMPENSATED] = 3, [SAGA_STUCK] = 4,
};

/* --- what is sent and said ---------------------------------------------------------------------------------------------- */

typedef struct CheckoutIn {
	const Json *order;
	Str method, customer, email, name, locale, currency, reference;
	int64_t amount;
} CheckoutIn;

static const char *verify_currency(Arena *a, Str text)
{
	(void)a;
	return money_currency(text).len ? NULL : "is not a currency";
}

static const char *verify_email(Arena *a, Str text)
{
	(void)a;
	return str_find_char(text, '@') > 0 ? NULL : "has no @";
}

static const Field in_rows[] = {
	{ "order", FIELD_JSON, AT(CheckoutIn, order), .required = true,
	  .help = "what is ordered, in the words of the order system" },
	{ "payment_method", FIELD_STR, AT(CheckoutIn, method), .max = 255,
	  .help = "pm_..., or a provider's token; without it the customer's own" },
	{ "customer", FIELD_STR, AT(CheckoutIn, customer), .max = 100, .help = "cus_..." },
	{ "email", FIELD_STR, AT(CheckoutIn, email), .required = true, .max = 254,
	  .verify = verify_email, .format = "email", .help = "who is told" },
	{ "name", FIELD_STR, AT(CheckoutIn, name), .max = 200, .help = "of the customer" },
	{ "locale", FIELD_STR, AT(CheckoutIn, locale), .max = 35, .help = "of what is told" },
	{ "amount", FIELD_INT, AT(CheckoutIn, amount), .min = 1, .max = MONEY_MOST,
	  .help = "what the customer was shown; of another price nothing is charged" },
	{ "currency", FIELD_STR, AT(CheckoutIn, currency), .max = 3, .verify = verify_currency,
	  .help = "the same" },
	{ "reference", FIELD_STR, AT(CheckoutIn, reference), .max = 100,
	  .help = "of a cart: it is checked out once" },
};
static const FieldTable checkout_in = { "NewCheckout", FIELD_ROWS(CheckoutIn, in_rows),
	                                .help = "an order to be paid" };

typedef struct CheckoutOut {
	Uuid id;
	uint8_t status;
	Str order, currency, intent, reason, message;
	int64_t amount, created, ended;
} CheckoutOut;
static const Field out_rows[] = {
	{ "id", FIELD_ID, AT(CheckoutOut, id), .required = true, .prefix = CHECKOUT_PREFIX,
	  .help = "its id" },
	{ "status", FIELD_ENUM, AT(CheckoutOut, status), .required = true, .names = statuses,
	  .help = "where it is" },
	{ "order", FIELD_STR, AT(CheckoutOut, order), .help = "the order system's number for it" },
	{ "amount", FIELD_INT, AT(CheckoutOut, amount), .help = "what it costs" },
	{ "currency", FIELD_STR, AT(CheckoutOut, currency), .help = "of the amount" },
	{ "payment_intent", FIELD_STR, AT(CheckoutOut, intent), .help = "pi_..." },
	{ "reason", FIELD_STR, AT(CheckoutOut, reason),
	  .help = "why it is undone or stuck: sold_out, card_declined, late, ..." },
	{ "message", FIELD_STR, AT(CheckoutOut, message), .help = "the same for people" },
	{ "created_at", FIELD_TIME, AT(CheckoutOut, created), .help = "when it was begun" },
	{ "ended_at", FIELD_TIME, AT(CheckoutOut, ended), .help = "when it ended" },
};
static const FieldTable checkout_out = { "Checkout", FIELD_ROWS(CheckoutOut, out_rows),
	                                 .help = "an order on its way to being paid" };

typedef struct WaitIn {
	int64_t wait;
} WaitIn;
static const Field wait_rows[] = {
	{ "wait", FIELD_INT, AT(WaitIn, wait), .max = WAIT_MOST_S,
	  .help = "seconds to wait for its end" },
};
static const FieldTable wait_in = { "CheckoutWait", FIELD_ROWS(WaitIn, wait_rows),
	                            .help = "how long to wait" };

/* What steps have said: the order's number and price are known from the first on, the payment from the second. */
static void put_said(JsonWriter *w, Arena *a, const SagaView *saga)
{
	static const struct {
		const char *step, *name;
	} members[] = {
		{ "reserve", "order" },
		{ "reserve", "amount" },
		{ "reserve", "currency" },
		{ "charge", "payment_intent" },
	};

	for (size_t m = 0; m < COUNT(members); m++)
		for (size_t i = 0; i < saga->step_count; i++) {
			const SagaStepView *step = &saga->steps[i];
			const Json *said = NULL, *value;

			if (!str_eq(step->name, str_of(members[m].step)) || !step->result.len ||
			    json_read(a, step->result, 0, &said))
				continue;
			value = json_get(said, str_of(members[m].name));
			if (!value)
				continue;
			json_key(w, str_of(members[m].name));
			json_put(w, value);
		}
}

static void checkout_put(JsonWriter *w, Arena *a, const SagaView *saga)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, CHECKOUT_PREFIX, saga->id));
	json_put_str(w, "status", str_of(statuses[status_of[saga->at.state]].name));
	put_said(w, a, saga);
	if (saga->reason.len) {
		json_put_str(w, "reason", saga->reason);
		json_put_str(w, "message", saga->message);
	}
	json_key(w, S("created_at"));
	json_add_time(w, saga->begun_us);
	if (saga->ended_us) {
		json_key(w, S("ended_at"));
		json_add_time(w, saga->ended_us);
	}
	json_end(w);
}

/* --- handlers ----------------------------------------------------------------------------------------------------------- */

static const Checkout *checkout_at(const ServiceCall *c)
{
	return payment_of(c->home)->checkout;
}

static Err *exists(ServiceCall *c, Db *tx, Str key)
{
	Uuid id;
	bool found;

	TRY(saga_find_key(tx, c->arena, S("checkout"), key, &found, &id));
	return err_new(c->arena, ERR_CONFLICT, "checkout.reference",
	               "this reference is checked out as %.*s",
	               STR_ARG(service_id_text(c->arena, CHECKOUT_PREFIX, id)));
}

static Err *begin(ServiceCall *c, Db *tx, void *arg)
{
	const CheckoutIn *in = c->in;
	CheckoutDraft draft = { .order = in->order,
		                .method = in->method,
		                .customer = in->customer,
		                .email = in->email,
		                .name = in->name,
		                .locale = in->locale,
		                .amount = in->amount,
		                .currency = money_currency(in->currency),
		                .by = c->who.name };
	SagaDraft saga = { .type = S("checkout"),
		           .data = checkout_data(c->arena, &draft),
		           .traceparent = c->traceparent };
	SagaView *view;
	Uuid id;
	Err *err;

	(void)arg;
	if (in->reference.len)
		saga.key = str_fmt(c->arena, "%.*s/%.*s", STR_ARG(c->who.name),
		                   STR_ARG(in->reference));
	err = saga_begin(tx, c->arena, &checkout_at(c)->set, &saga, &id);
	if (err && err_is(err, "saga.key"))
		return exists(c, tx, saga.key);
	TRY(err);
	TRY(saga_find(tx, c->arena, id, &view));
	service_say_header(c, "Location",
	                   str_fmt(c->arena, "/v1/checkout/%.*s",
	                           STR_ARG(service_id_text(c->arena, CHECKOUT_PREFIX, id))));
	checkout_put(service_json(c), c->arena, view);
	return NULL;
}

/* Does it say that it is this person? */
static bool is_theirs(Arena *a, const CustomerRow *customer, Str who)
{
	const Json *metadata;
	Str user = { 0 };

	if (json_read(a, customer->metadata, 0, &metadata))
		return false;
	json_to_str(json_get(metadata, S("user")), &user);
	return who.len && str_eq(user, who);
}

static Err *unless_unknown(Err *err)
{
	return err && err_is(err, "payment.unknown") ? NULL : err;
}

/* Whom and what is charged: of their own, unless a program asks, which knows for whom. */
static Err *check_payer(ServiceCall *c)
{
	bool program = service_has_scope(c, "checkout:write");
	const CheckoutIn *in = c->in;
	CustomerRow *customer = NULL;
	MethodRow *method = NULL;
	bool fresh;

	TRY(unless_unknown(customer_named(c->db, c->arena, in->customer, &customer)));
	if (in->customer.len &&
	    (!customer || !(program || is_theirs(c->arena, customer, c->who.name))))
		service_mistake(c, "/customer", "unknown", "there is no such customer");
	TRY(unless_unknown(method_named(c->db, c->arena, in->method, &method, &fresh)));
	if (in->method.len &&
	    (!method || (method->customer_id.set &&
	                 !(customer && uuid_eq(customer->id, method->customer_id.v)))))
		service_mistake(c, "/payment_method", "unknown",
		                "there is no such payment method of this customer");
	return NULL;
}

static Err *checkout_post(ServiceCall *c)
{
	const CheckoutIn *in = c->in;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str where;

	if (!c->who.peer && uuid_is_nil(c->who.id)) /* a program: people may, for themselves */
		TRY(service_need_scope(c, "checkout:write"));
	if (!checkout_at(c)->conf->orders.len)
		return err_new(c->arena, ERR_UNSUPPORTED, "checkout.orders",
		               "services.payment.checkout.orders is not set");
	json_put(&w, in->order);
	if (json_kind(in->order) != JSON_KIND_OBJECT)
		service_mistake(c, "/order", "type", "order must be an object");
	else if (b.len > ORDER_BYTES)
		service_mistake(c, "/order", "too_long", "order is longer than %d bytes",
		                ORDER_BYTES);
	if (guard_finds(c->json, &where))
		service_mistake(c, "/order", "card",
		                "card numbers are not taken here: send a payment method");
	TRY(check_payer(c));
	TRY(service_mistakes(c));
	return service_effect(c, DB_READ_COMMITTED, begin, NULL);
}

static bool is_waited_for(const SagaView *saga)
{
	return saga->at.state == SAGA_RUNNING || saga->at.state == SAGA_COMMITTING ||
	       saga->at.state == SAGA_COMPENSATING;
}

static Err *find(ServiceCall *c, Uuid id, SagaView **saga)
{
	const Json *data = NULL;
	Str by = { 0 };

	TRY(saga_find(c->db, c->arena, id, saga));
	if (*saga && str_eq((*saga)->type, S("checkout"))) {
		TRY(json_read(c->arena, (*saga)->data, 0, &data));
		json_to_str(json_get(data, S("by")), &by);
		if (c->who.peer || str_eq(by, c->who.name) || service_has_scope(c, "checkout:read"))
			return NULL;
	}
	return err_new(c->arena, ERR_NOT_FOUND, "checkout.unknown", "there is no such checkout");
}

static Err *wait_for_end(ServiceCall *c, Uuid id, int64_t until_us, SagaView **saga)
{
	AUTO(db_watch_end) DbWatch watch = { 0 };

	TRY(db_watch_begin(&watch, c->db, c->arena, checkout_channel(id)));
	for (;;) {
		int64_t left;

		TRY(find(c, id, saga));
		left = until_us - time_mono_us();
		if (!is_waited_for(*saga) || left <= 0)
			return NULL;
		TRY(db_watch_wait(&watch, MIN(left, US_PER_S)));
	}
}

static Err *checkout_get(ServiceCall *c)
{
	const WaitIn *in = c->query;
	SagaView *saga;
	Uuid id;

	TRY(service_id(c, "id", CHECKOUT_PREFIX, &id));
	if (in->wait)
		TRY(wait_for_end(c, id, time_mono_us() + in->wait * US_PER_S, &saga));
	else
		TRY(find(c, id, &saga));
	checkout_put(service_json(c), c->arena, saga);
	return NULL;
}

static const ServiceRoute rows[] = {
	{ "POST", "/v1/checkout", checkout_post, .scopes = "", .body = &checkout_in,
	  .answer = &checkout_out, .status = 202, .idempotent = true, .tag = "checkout",
	  .help = "pay for an order" },
	{ "GET", "/v1/checkout/{id}", checkout_get, .scopes = "", .query = &wait_in,
	  .answer = &checkout_out, .tag = "checkout", .help = "what has become of it" },
};

ServiceRoutes checkout_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
