/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/refunds. A refund takes its amount from what is left of the charge in its first transaction, before the provider is asked,
 * so that two of them at once never give back more than was taken; when the provider says no, the amount is there again. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "base/money.h"
#include "payment/payment_api.h"
#include "payment/stripe_int.h"

static const ConfWord reasons[] = {
	{ "", 0, "none" },
	{ "duplicate", 1, "it was charged twice" },
	{ "fraudulent", 2, "somebody else's card" },
	{ "requested_by_customer", 3, "the customer does not want it" },
	{ 0 },
};

typedef struct RefundIn {
	Str charge, intent;
	int64_t amount;
	uint8_t reason;
	const Json *metadata, *left;
} RefundIn;
static const Field new_rows[] = {
	{ "charge", FIELD_STR, AT(RefundIn, charge), .max = 50, .help = "ch_..." },
	{ "payment_intent", FIELD_STR, AT(RefundIn, intent), .max = 50,
	  .help = "pi_..., in place of a charge" },
	{ "amount", FIELD_INT, AT(RefundIn, amount), .min = 1, .max = MONEY_MOST,
	  .help = "all that is left, where nothing is said" },
	{ "reason", FIELD_ENUM, AT(RefundIn, reason), .names = reasons, .help = "why" },
	{ "metadata", FIELD_JSON, AT(RefundIn, metadata), .help = "texts of your own, by key" },
	{ "instructions_email", FIELD_JSON, AT(RefundIn, left), .help = "taken and left" },
};
static const Field change_rows[] = {
	{ "metadata", FIELD_JSON, AT(RefundIn, metadata), .help = "texts of your own, by key" },
};
static const Field list_rows[] = {
	{ "charge", FIELD_STR, AT(RefundIn, charge), .max = 50, .help = "of this charge" },
	{ "payment_intent", FIELD_STR, AT(RefundIn, intent), .max = 50, .help = "of this intent" },
};
static const FieldTable new_in = { "NewRefund", FIELD_ROWS(RefundIn, new_rows),
	                           .help = "what is to be given back" };
static const FieldTable change_in = { "RefundChange", FIELD_ROWS(RefundIn, change_rows),
	                              .help = "what is to change" };
static const FieldTable list_in = { "Refunds", FIELD_ROWS(RefundIn, list_rows), .help = "which" };

static Err *find_charge(ServiceCall *c, const RefundIn *in, ChargeRow **out)
{
	IntentRow *intent;
	Uuid id;

	*out = NULL;
	if (in->charge.len) {
		TRY(stripe_id_of(c, in->charge, "ch_", "charge", &id));
		TRY(db_one(c->db, c->arena, charge_by_id, out, .id = id));
		return *out ? NULL : stripe_missing(c, "charge", in->charge, "charge");
	}
	if (!in->intent.len)
		return stripe_wrong(
			c, "charge", "parameter_missing",
			"One of the following params should be provided for this request: payment_intent or charge.");
	TRY(stripe_id_of(c, in->intent, "pi_", "payment_intent", &id));
	TRY(db_one(c->db, c->arena, intent_by_id, &intent, .id = id));
	if (!intent)
		return stripe_missing(c, "payment_intent", in->intent, "payment_intent");
	if (intent->received && intent->charge_id.set)
		TRY(db_one(c->db, c->arena, charge_by_id, out, .id = intent->charge_id.v));
	return *out ? NULL
	            : stripe_wrong(
			      c, "payment_intent", "payment_intent_unexpected_state",
			      "This PaymentIntent (%.*s) does not have a successful charge to refund.",
			      STR_ARG(in->intent));
}

static Err *refund_new(ServiceCall *c, const RefundIn *in)
{
	Act *act = ARENA_NEW(c->arena, Act);
	RefundRow *row = ARENA_NEW(c->arena, RefundRow);
	ChargeRow *charge;

	TRY(find_charge(c, in, &charge));
	if (!charge->captured || charge->refunded == charge->captured)
		return stripe_wrong(c, "charge",
		                    charge->captured ? "charge_already_refunded"
		                                     : "charge_not_captured",
		                    "Charge %.*s has %s.",
		                    STR_ARG(service_id_text(c->arena, "ch_", charge->id)),
		                    charge->captured ? "already been refunded"
		                                     : "not been captured");
	*row = (RefundRow){ .charge_id = charge->id,
		            .intent_id = charge->intent_id,
		            .currency = charge->currency,
		            .status = S("pending"),
		            .reason = str_of(reasons[in->reason].name) };
	row->id = payment_id(&row->created_at);
	TRY(stripe_metadata(c, S(""), in->metadata, &row->metadata));
	*act = (Act){ .home = c->home,
		      .arena = c->arena,
		      .call = c,
		      .op = ATTEMPT_REFUND,
		      .intent = charge->intent_id,
		      .charge = charge,
		      .refund = row,
		      .amount = in->amount,
		      .traceparent = c->traceparent };
	stripe_of(c)->param = "amount";
	TRY(act_run(act));
	stripe_of(c)->param = NULL;
	return stripe_say(c);
}

static Err *say_refund(ServiceCall *c, Db *tx, void *arg)
{
	RefundRow *row;

	TRY(db_one(tx, c->arena, refund_by_id, &row, .id = *(const Uuid *)arg));
	refund_put(stripe_json(c), c->arena, row);
	return NULL;
}

static Err *refunds_post(ServiceCall *c)
{
	RefundRow *row = NULL;
	RefundIn in;
	bool open;
	Uuid id;

	TRY(stripe_take(c, &new_in, &in));
	if (!stripe_resumes(c, &id))
		return refund_new(c, &in);
	TRY(db_one(c->db, c->arena, refund_by_id, &row, .id = id));
	if (row)
		TRY(attempt_resolve_of(c->home, c->arena, row->intent_id, &open));
	TRY(db_one(c->db, c->arena, refund_by_id, &row, .id = id));
	return row && !str_eq(row->status, S("failed")) ? stripe_effect(c, say_refund, &id)
	                                                : refund_new(c, &in);
}

static Err *load(ServiceCall *c, Db *db, RefundRow **row)
{
	Uuid id;

	TRY(stripe_id(c, "re_", &id));
	TRY(db_one(db, c->arena, refund_by_id, row, .id = id));
	return *row ? NULL : stripe_missing(c, "refund", service_part(c, "id"), "refund");
}

static Err *refund_get(ServiceCall *c)
{
	RefundRow *row;

	TRY(stripe_take(c, NULL, NULL));
	TRY(load(c, c->db, &row));
	refund_put(stripe_json(c), c->arena, row);
	return stripe_say(c);
}

static Err *describe(ServiceCall *c, Db *tx, void *arg)
{
	const RefundIn *in = arg;
	RefundRow *row;

	TRY(load(c, tx, &row));
	TRY(stripe_metadata(c, row->metadata, in->metadata, &row->metadata));
	TRY(db_exec(tx, c->arena, refund_describe, NULL, .id = row->id, .metadata = row->metadata));
	refund_put(stripe_json(c), c->arena, row);
	return NULL;
}

static Err *refund_post(ServiceCall *c)
{
	RefundIn in;

	TRY(stripe_take(c, &change_in, &in));
	return stripe_effect(c, describe, &in);
}

static Err *refunds_get(ServiceCall *c)
{
	OptUuid charge = { 0 }, intent = { 0 };
	StripeList list;
	RefundRow *rows;
	JsonWriter *w;
	size_t count;
	RefundIn in;

	TRY(stripe_take(c, &list_in, &in));
	TRY(stripe_list_begin(c, "re_", &list));
	charge.set = in.charge.len > 0;
	intent.set = in.intent.len > 0;
	if (charge.set)
		TRY(stripe_id_of(c, in.charge, "ch_", "charge", &charge.v));
	if (intent.set)
		TRY(stripe_id_of(c, in.intent, "pi_", "payment_intent", &intent.v));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, refunds_page_back, &rows, &count, .charge_id = charge,
		           .intent_id = intent, .after = list.after, .before = list.before,
		           .most = list.most));
	else
		TRY(db_all(c->db, c->arena, refunds_page, &rows, &count, .charge_id = charge,
		           .intent_id = intent, .after = list.after, .before = list.before,
		           .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		refund_put(w, c->arena, &rows[stripe_list_at(&list, i)]);
	return stripe_list_end(c, &list);
}

static const ServiceRoute refund_rows[] = {
	STRIPE_POST("/v1/refunds", refunds_post, &new_in, "refunds:write",
	            "give back a charge, or part of it"),
	STRIPE_LIST("/v1/refunds", refunds_get, &list_in, "refunds:read", "refunds, newest first"),
	STRIPE_GET("/v1/refunds/{id}", refund_get, "refunds:read", "one refund"),
	STRIPE_POST("/v1/refunds/{id}", refund_post, &change_in, "refunds:write",
	            "change its metadata"),
};

ServiceRoutes refund_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(refund_rows);
}
