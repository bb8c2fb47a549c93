/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/charges, to read: a charge is what an attempt at a provider came to, and is made by intents alone. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "payment/payment_api.h"

typedef struct ChargeIn {
	Str intent, customer;
} ChargeIn;
static const Field list_rows[] = {
	{ "payment_intent", FIELD_STR, AT(ChargeIn, intent), .max = 50, .help = "of this intent" },
	{ "customer", FIELD_STR, AT(ChargeIn, customer), .max = 50, .help = "of this customer" },
};
static const FieldTable list_in = { "Charges", FIELD_ROWS(ChargeIn, list_rows), .help = "which" };

static Err *charge_get(ServiceCall *c)
{
	ChargeRow *row;
	Uuid id;

	TRY(stripe_take(c, NULL, NULL));
	TRY(stripe_id(c, "ch_", &id));
	TRY(db_one(c->db, c->arena, charge_by_id, &row, .id = id));
	if (!row)
		return stripe_missing(c, "charge", service_part(c, "id"), "id");
	charge_put(stripe_json(c), c->arena, row);
	return stripe_say(c);
}

static Err *charges_get(ServiceCall *c)
{
	OptUuid intent = { 0 }, customer = { 0 };
	StripeList list;
	ChargeRow *rows;
	JsonWriter *w;
	size_t count;
	ChargeIn in;

	TRY(stripe_take(c, &list_in, &in));
	TRY(stripe_list_begin(c, "ch_", &list));
	intent.set = in.intent.len > 0;
	customer.set = in.customer.len > 0;
	if (intent.set)
		TRY(stripe_id_of(c, in.intent, "pi_", "payment_intent", &intent.v));
	if (customer.set)
		TRY(stripe_id_of(c, in.customer, "cus_", "customer", &customer.v));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, charges_page_back, &rows, &count, .intent_id = intent,
		           .customer_id = customer, .after = list.after, .before = list.before,
		           .most = list.most));
	else
		TRY(db_all(c->db, c->arena, charges_page, &rows, &count, .intent_id = intent,
		           .customer_id = customer, .after = list.after, .before = list.before,
		           .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		charge_put(w, c->arena, &rows[stripe_list_at(&list, i)]);
	return stripe_list_end(c, &list);
}

static const ServiceRoute rows[] = {
	STRIPE_LIST("/v1/charges", charges_get, &list_in, "charges:read", "charges, newest first"),
	STRIPE_GET("/v1/charges/{id}", charge_get, "charges:read", "one charge"),
};

ServiceRoutes charge_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
