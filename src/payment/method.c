/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/payment_methods: a provider's token, and of the card what may be shown. The number never comes in here: guard.h. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "payment/payment_api.h"
#include "payment/stripe_int.h"
#include "payment/stripe_keys.h"

enum { METHOD_CARD };
static const ConfWord types[] = { { "card", METHOD_CARD, "a card" }, { 0 } };

typedef struct CardIn {
	Str token, brand, last4;
	int64_t exp_month, exp_year;
} CardIn;
static const Field card_rows[] = {
	{ "token", FIELD_STR, AT(CardIn, token), .max = 200,
	  .help = "the provider's, as a browser has it" },
	{ "brand", FIELD_STR, AT(CardIn, brand), .max = 20, .help = "visa, mastercard" },
	{ "last4", FIELD_STR, AT(CardIn, last4), .max = 4, .help = "the last four digits" },
	{ "exp_month", FIELD_INT, AT(CardIn, exp_month), .min = 1, .max = 12,
	  .help = "its last month" },
	{ "exp_year", FIELD_INT, AT(CardIn, exp_year), .min = 2000, .max = 2100,
	  .help = "of this year" },
};
static const FieldTable card_in = { "Card", FIELD_ROWS(CardIn, card_rows), .help = "of a card" };

typedef struct MethodIn {
	uint8_t type;
	CardIn card;
	bool has_card;
	Str customer, provider;
	const Json *billing, *metadata, *left;
} MethodIn;
static const Field new_rows[] = {
	{ "type", FIELD_ENUM, AT(MethodIn, type), .required = true, .names = types,
	  .help = "what it is" },
	{ "card", FIELD_OBJECT, AT(MethodIn, card), GIVEN(MethodIn, has_card), .table = &card_in,
	  .help = "the card" },
	{ "provider", FIELD_STR, AT(MethodIn, provider), .max = 50,
	  .help = "who knows the token; empty: any" },
	{ "billing_details", FIELD_JSON, AT(MethodIn, billing),
	  .help = "name, email, phone, address" },
	{ "metadata", FIELD_JSON, AT(MethodIn, metadata), .help = "texts of your own, by key" },
	{ "allow_redisplay", FIELD_JSON, AT(MethodIn, left), .help = "taken and left" },
};
static const Field change_rows[] = {
	{ "card", FIELD_OBJECT, AT(MethodIn, card), GIVEN(MethodIn, has_card), .table = &card_in,
	  .help = "exp_month, exp_year" },
	{ "billing_details", FIELD_JSON, AT(MethodIn, billing),
	  .help = "name, email, phone, address" },
	{ "metadata", FIELD_JSON, AT(MethodIn, metadata), .help = "texts of your own, by key" },
};
static const Field attach_rows[] = {
	{ "customer", FIELD_STR, AT(MethodIn, customer), .required = true, .max = 50,
	  .help = "whose it is to be, cus_..." },
};
static const Field list_rows[] = {
	{ "customer", FIELD_STR, AT(MethodIn, customer), .required = true, .max = 50,
	  .help = "whose, cus_..." },
	{ "type", FIELD_ENUM, AT(MethodIn, type), .names = types, .help = "what they are" },
};
static const FieldTable new_in = { "NewPaymentMethod", FIELD_ROWS(MethodIn, new_rows),
	                           .help = "what can be charged" };
static const FieldTable change_in = { "PaymentMethodChange", FIELD_ROWS(MethodIn, change_rows),
	                              .help = "what is to change" };
static const FieldTable attach_in = { "PaymentMethodAttach", FIELD_ROWS(MethodIn, attach_rows),
	                              .help = "whose it is" };
static const FieldTable list_in = { "PaymentMethods", FIELD_ROWS(MethodIn, list_rows),
	                            .help = "which" };

/* name, email, phone and address, and nothing else; texts of a length that is one's. */
static Err *billing_of(ServiceCall *c, const Json *given, Str *out)
{
	static const char *const names[] = { "address", "email", "name", "phone" };
	AUTO(buf_fini) Buf b = { .limit = 4096 };
	JsonWriter w = json_writer(&b);
	Str text;

	if (!given)
		return NULL;
	json_begin_object(&w);
	for (size_t i = 0; i < COUNT(names); i++) {
		json_key(&w, str_of(names[i]));
		json_put(&w, json_get(given, str_of(names[i])));
	}
	json_end(&w);
	if (json_done(&w, &text))
		return stripe_wrong(c, "billing_details", "parameter_invalid_string",
		                    "billing_details are too long");
	*out = str_dup(c->arena, text);
	return NULL;
}

static Err *load(ServiceCall *c, Db *db, MethodRow **row)
{
	Uuid id;

	TRY(stripe_id(c, "pm_", &id));
	TRY(db_one(db, c->arena, method_by_id, row, .id = id));
	return *row ? NULL
	            : stripe_missing(c, "PaymentMethod", service_part(c, "id"), "payment_method");
}

static Err *tell(ServiceCall *c, Db *tx, const char *type, const MethodRow *row)
{
	return stripe_event(c, tx, type, service_id_text(c->arena, "pm_", row->id),
	                    stripe_text(c->arena, method_put, row));
}

static Err *say_row(ServiceCall *c, const MethodRow *row)
{
	method_put(stripe_json(c), c->arena, row);
	return NULL;
}

/* --- handlers ----------------------------------------------------------------------------------------------------------------------- */

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	TRY(db_exec_with(tx, c->arena, method_add, (const MethodRow *)arg, NULL));
	return say_row(c, arg);
}

static Err *methods_post(ServiceCall *c)
{
	MethodRow *row;
	MethodIn in;

	TRY(stripe_take(c, &new_in, &in));
	if (!service_has_scope(c, KEY_PUBLIC))
		TRY(service_need_scope(c, "payment_methods:write"));
	if (in.provider.len && !service_has_scope(c, "payment_methods:write"))
		return stripe_wrong(c, "provider", "parameter_unknown",
		                    "provider is not for a publishable key.");
	if (!in.card.token.len)
		return stripe_wrong(
			c, "card[token]", "parameter_missing",
			"A card is given by the provider's token: card[token]. Numbers are never taken.");
	stripe_of(c)->param = "card[token]";
	TRY(method_token(c->arena, in.card.token, &row));
	stripe_of(c)->param = NULL;
	row->provider = in.provider;
	row->brand = in.card.brand.len ? in.card.brand : row->brand;
	row->last4 = in.card.last4.len ? in.card.last4 : row->last4;
	row->exp_month = in.card.exp_month ? in.card.exp_month : row->exp_month;
	row->exp_year = in.card.exp_year ? in.card.exp_year : row->exp_year;
	TRY(billing_of(c, in.billing, &row->billing));
	TRY(stripe_metadata(c, S(""), in.metadata, &row->metadata));
	return stripe_effect(c, add, row);
}

static Err *change(ServiceCall *c, Db *tx, void *arg)
{
	const MethodIn *in = arg;
	MethodRow *row;

	TRY(db_lock(tx, c->arena, service_part(c, "id")));
	TRY(load(c, tx, &row));
	row->exp_month = in->card.exp_month ? in->card.exp_month : row->exp_month;
	row->exp_year = in->card.exp_year ? in->card.exp_year : row->exp_year;
	TRY(billing_of(c, in->billing, &row->billing));
	TRY(stripe_metadata(c, row->metadata, in->metadata, &row->metadata));
	TRY(db_exec(tx, c->arena, method_change, NULL, .id = row->id, .exp_month = row->exp_month,
	            .exp_year = row->exp_year, .billing = row->billing, .metadata = row->metadata));
	TRY(tell(c, tx, "payment_method.updated", row));
	return say_row(c, row);
}

static Err *method_post(ServiceCall *c)
{
	MethodIn in;

	TRY(stripe_take(c, &change_in, &in));
	return stripe_effect(c, change, &in);
}

static Err *attach(ServiceCall *c, Db *tx, void *arg)
{
	const MethodIn *in = arg;
	CustomerRow *customer;
	MethodRow *row;
	bool fresh = false;
	Uuid id;

	TRY(db_lock(tx, c->arena, service_part(c, "id")));
	if (service_id_read(service_part(c, "id"), "pm_", &id))
		TRY(load(c, tx, &row));
	else
		TRY(method_named(tx, c->arena, service_part(c, "id"), &row,
		                 &fresh)); /* a token: "pm_card_visa" */
	stripe_of(c)->param = "customer";
	TRY(customer_named(tx, c->arena, in->customer, &customer));
	stripe_of(c)->param = NULL;
	if (row->customer_id.set && !uuid_eq(row->customer_id.v, customer->id))
		return stripe_wrong(
			c, "customer", "payment_method_customer_mismatch",
			"The payment method is attached to another customer: detach it first.");
	row->customer_id = opt_uuid(customer->id);
	if (fresh)
		TRY(db_exec_with(tx, c->arena, method_add, row, NULL));
	else
		TRY(db_exec(tx, c->arena, method_attach, NULL, .id = row->id,
		            .customer_id = row->customer_id));
	TRY(tell(c, tx, "payment_method.attached", row));
	return say_row(c, row);
}

static Err *attach_post(ServiceCall *c)
{
	MethodIn in;

	TRY(stripe_take(c, &attach_in, &in));
	return stripe_effect(c, attach, &in);
}

static Err *detach(ServiceCall *c, Db *tx, void *arg)
{
	MethodRow *row;

	(void)arg;
	TRY(db_lock(tx, c->arena, service_part(c, "id")));
	TRY(load(c, tx, &row));
	if (!row->customer_id.set)
		return stripe_wrong(c, "payment_method", "parameter_invalid_string",
		                    "The payment method is not attached to a customer.");
	TRY(db_exec(tx, c->arena, customer_method_forget, NULL, .method_id = row->id,
	            .customer_id = row->customer_id.v));
	row->customer_id = (OptUuid){ 0 };
	TRY(db_exec(tx, c->arena, method_attach, NULL, .id = row->id,
	            .customer_id = row->customer_id));
	TRY(tell(c, tx, "payment_method.detached", row));
	return say_row(c, row);
}

static Err *detach_post(ServiceCall *c)
{
	TRY(stripe_take(c, NULL, NULL));
	return stripe_effect(c, detach, NULL);
}

static Err *method_get(ServiceCall *c)
{
	MethodRow *row;

	TRY(stripe_take(c, NULL, NULL));
	TRY(load(c, c->db, &row));
	TRY(say_row(c, row));
	return stripe_say(c);
}

static Err *say_list(ServiceCall *c, Uuid customer)
{
	StripeList list;
	MethodRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(stripe_list_begin(c, "pm_", &list));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, methods_of_back, &rows, &count, .customer_id = customer,
		           .after = list.after, .before = list.before, .most = list.most));
	else
		TRY(db_all(c->db, c->arena, methods_of, &rows, &count, .customer_id = customer,
		           .after = list.after, .before = list.before, .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		method_put(w, c->arena, &rows[stripe_list_at(&list, i)]);
	return stripe_list_end(c, &list);
}

static Err *methods_get(ServiceCall *c)
{
	MethodIn in;
	Uuid id;

	TRY(stripe_take(c, &list_in, &in));
	TRY(stripe_id_of(c, in.customer, "cus_", "customer", &id));
	return say_list(c, id);
}

static Err *methods_of_customer(ServiceCall *c)
{
	Uuid id;

	TRY(stripe_take(c, NULL, NULL));
	TRY(stripe_id(c, "cus_", &id));
	return say_list(c, id);
}

static const ServiceRoute method_rows[] = {
	STRIPE_POST("/v1/payment_methods", methods_post, &new_in, "", "keep a provider's token"),
	STRIPE_LIST("/v1/payment_methods", methods_get, &list_in, "payment_methods:read",
	            "those of a customer, newest first"),
	STRIPE_GET("/v1/payment_methods/{id}", method_get, "payment_methods:read",
	           "one payment method"),
	STRIPE_POST("/v1/payment_methods/{id}", method_post, &change_in, "payment_methods:write",
	            "change one"),
	STRIPE_POST("/v1/payment_methods/{id}/attach", attach_post, &attach_in,
	            "payment_methods:write", "make it a customer's"),
	STRIPE_POST("/v1/payment_methods/{id}/detach", detach_post, NULL, "payment_methods:write",
	            "make it nobody's: it can still be seen"),
	STRIPE_GET("/v1/customers/{id}/payment_methods", methods_of_customer,
	           "payment_methods:read", "those of a customer, newest first"),
};

ServiceRoutes method_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(method_rows);
}
