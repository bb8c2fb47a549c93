/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/subscriptions and /v1/subscription_items: what is sent, what is shown, and the rows. */
#include "base/arena.h"
#include "base/time.h"
#include "payment/billing_api.h"
#include "payment/subscription_int.h"

/* --- what is sent -------------------------------------------------------------------------------------------------------- */

static const Field item_rows[] = {
	{ "id", FIELD_STR, AT(SubscriptionItemIn, id), .max = 60, .help = "of one that is there" },
	{ "price", FIELD_STR, AT(SubscriptionItemIn, price), .max = 60, .help = "what it costs" },
	{ "quantity", FIELD_INT, AT(SubscriptionItemIn, quantity),
	  GIVEN(SubscriptionItemIn, has_quantity), .max = 1000000, .help = "how many; 1" },
	{ "deleted", FIELD_BOOL, AT(SubscriptionItemIn, deleted), .help = "it goes" },
	{ "clear_usage", FIELD_BOOL, AT(SubscriptionItemIn, clear_usage),
	  .help = "taken, and not looked at" },
	{ "metadata", FIELD_JSON, AT(SubscriptionItemIn, metadata), .help = "anything of yours" },
};
static const FieldTable item_in = { "SubscriptionItemIn", FIELD_ROWS(SubscriptionItemIn, item_rows),
	                            .help = "an item" };

#define CHANGE_ROWS \
	{ "items",         FIELD_OBJECT,      AT_LIST(SubscriptionIn, items), \
	  .items_max = 20, .table = &item_in, .help = "what is subscribed to" }, \
		{ "default_payment_method", \
		  FIELD_STR, \
		  AT(SubscriptionIn, default_payment_method), \
		  GIVEN(SubscriptionIn, has_method), \
		  .max = 60, \
		  .help = "what pays it; else the customer's" }, \
		{ "collection_method", \
		  FIELD_STR, \
		  AT(SubscriptionIn, collection_method), \
		  GIVEN(SubscriptionIn, has_collection), \
		  .max = 30, \
		  .help = "charge_automatically, send_invoice" }, \
		{ "days_until_due", \
		  FIELD_INT, \
		  AT(SubscriptionIn, days_until_due), \
		  GIVEN(SubscriptionIn, has_days), \
		  .max = 365, \
		  .help = "of send_invoice" }, \
		{ "cancel_at_period_end", FIELD_BOOL, AT(SubscriptionIn, cancel_at_period_end), \
		  GIVEN(SubscriptionIn, has_cancel_at_end), .help = "it ends with its period" }, \
		{ "cancel_at", \
		  FIELD_STR, \
		  AT(SubscriptionIn, cancel_at), \
		  GIVEN(SubscriptionIn, has_cancel_at), \
		  .max = 20, \
		  .help = "it ends then" }, \
		{ "proration_behavior", FIELD_STR, AT(SubscriptionIn, proration_behavior), \
		  .max = 30, .help = "create_prorations, none, always_invoice" }, \
		{ "trial_end", \
		  FIELD_STR, \
		  AT(SubscriptionIn, trial_end), \
		  GIVEN(SubscriptionIn, has_trial_end), \
		  .max = 20, \
		  .help = "when its trial ends; now" }, \
		{ "billing_cycle_anchor", \
		  FIELD_STR, \
		  AT(SubscriptionIn, billing_cycle_anchor), \
		  GIVEN(SubscriptionIn, has_anchor), \
		  .max = 20, \
		  .help = "a period begins then; of a change: now" }, \
		{ "payment_behavior", FIELD_STR, AT(SubscriptionIn, payment_behavior), .max = 40, \
		  .help = "allow_incomplete, error_if_incomplete, default_incomplete" }, \
		{ "off_session", FIELD_BOOL, AT(SubscriptionIn, off_session), \
		  .help = "taken, and not looked at" }, \
		{ "description", \
		  FIELD_STR, \
		  AT(SubscriptionIn, description), \
		  GIVEN(SubscriptionIn, has_description), \
		  .max = 500, \
		  .help = "what it is" }, \
	{ \
		"metadata", FIELD_JSON, AT(SubscriptionIn, metadata), \
			GIVEN(SubscriptionIn, has_metadata), .help = "anything of yours" \
	}

static const Field new_rows[] = {
	{ "customer", FIELD_STR, AT(SubscriptionIn, customer), .required = true, .max = 60,
	  .help = "who pays it" },
	{ "currency", FIELD_STR, AT(SubscriptionIn, currency), .max = 3,
	  .help = "that of its prices" },
	{ "trial_period_days", FIELD_INT, AT(SubscriptionIn, trial_period_days),
	  GIVEN(SubscriptionIn, has_trial_days), .max = 730,
	  .help = "nothing is asked for so long" },
	CHANGE_ROWS,
};
static const Field change_rows[] = {
	{ "proration_date", FIELD_INT, AT(SubscriptionIn, proration_date),
	  GIVEN(SubscriptionIn, has_proration_date), .max = INT64_C(99999999999),
	  .help = "what is prorated is prorated from here" },
	CHANGE_ROWS,
};

const FieldTable *subscription_new_table(void)
{
	static const FieldTable table = { "SubscriptionNew", FIELD_ROWS(SubscriptionIn, new_rows),
		                          .help = "a subscription" };

	return &table;
}

const FieldTable *subscription_item_table(void)
{
	return &item_in;
}

const FieldTable *subscription_change_table(void)
{
	static const FieldTable table = { "SubscriptionChange",
		                          FIELD_ROWS(SubscriptionIn, change_rows),
		                          .help = "what changes of it" };

	return &table;
}

Err *subscription_prorates(ServiceCall *c, Str text, Prorate *out)
{
	static const Str words[] = { [PRORATE_CREATE] = S("create_prorations"),
		                     [PRORATE_NONE] = S("none"),
		                     [PRORATE_INVOICE] = S("always_invoice") };

	*out = PRORATE_CREATE;
	if (!text.len)
		return NULL;
	for (size_t i = 0; i < COUNT(words); i++) {
		if (str_eq(text, words[i])) {
			*out = (Prorate)i;
			return NULL;
		}
	}
	return stripe_wrong(c, "proration_behavior", "parameter_invalid_string",
	                    "Invalid proration_behavior: %.*s", STR_ARG(text));
}

Err *subscription_moment(ServiceCall *c, Str text, const char *param, int64_t now_us, int64_t *us)
{
	enum { SECONDS_MOST = 1000000000 };
	int64_t seconds;

	if (str_eq(text, S("now"))) {
		*us = now_us;
		return NULL;
	}
	if (!str_to_i64(text, &seconds) || seconds < 0 || seconds > (int64_t)SECONDS_MOST * 10)
		return stripe_wrong(c, param, "parameter_invalid_integer",
		                    "%s is no time: seconds since 1970", param);
	*us = seconds * US_PER_S;
	return NULL;
}

Err *subscription_collection(ServiceCall *c, Str text, int64_t days)
{
	if (!text.len || str_eq(text, S("charge_automatically")))
		return NULL;
	if (!str_eq(text, S("send_invoice")))
		return stripe_wrong(c, "collection_method", "parameter_invalid_string",
		                    "Invalid collection_method: %.*s", STR_ARG(text));
	if (days < 1)
		return stripe_wrong(c, "days_until_due", "parameter_missing",
		                    "days_until_due is needed with collection_method=send_invoice");
	return NULL;
}

Err *subscription_method(ServiceCall *c, Db *db, Str text, Uuid customer, OptUuid *out)
{
	Method *method;
	Uuid id;

	*out = (OptUuid){ 0 };
	if (!text.len)
		return NULL;
	TRY(stripe_id_of(c, text, "pm_", "default_payment_method", &id));
	TRY(method_load(db, c->arena, id, &method));
	if (!method)
		return stripe_missing(c, "payment_method", text, "default_payment_method");
	if (!method->customer.set || !uuid_eq(method->customer.v, customer))
		return stripe_wrong(c, "default_payment_method", "resource_missing",
		                    "The customer does not have a payment method with the ID %.*s.",
		                    STR_ARG(text));
	*out = opt_uuid(id);
	return NULL;
}

/* --- what is shown ------------------------------------------------------------------------------------------------------- */

Err *subscription_find(ServiceCall *c, Db *db, Str text, const char *param, SubscriptionRow **out)
{
	Uuid id;

	TRY(stripe_id_of(c, text, "sub_", param, &id));
	TRY(db_one(db, c->arena, subscription_by_id, out, .id = id));
	return *out ? NULL : stripe_missing(c, "subscription", text, param);
}

Err *subscription_say(ServiceCall *c, Db *db, JsonWriter *w, const SubscriptionRow *s)
{
	SubscriptionView view;
	InvoiceRow *invoice;

	TRY(subscription_view(db, c->arena, s, &view));
	if (stripe_expands(c, "latest_invoice") && s->invoice_id.set) {
		TRY(db_one(db, c->arena, invoice_by_id, &invoice, .id = s->invoice_id.v));
		if (invoice)
			TRY(invoice_text_for(c, db, invoice, "latest_invoice.payment_intent",
			                     &view.invoice));
	}
	subscription_put(w, c->arena, &view);
	return NULL;
}

static Err *subscription_get(ServiceCall *c)
{
	SubscriptionRow *s;

	TRY(stripe_take(c, NULL, NULL));
	TRY(subscription_find(c, c->db, service_part(c, "id"), "id", &s));
	return subscription_say(c, c->db, service_json(c), s);
}

typedef struct ListIn {
	Str customer, price, status, subscription, collection_method;
} ListIn;
static const Field list_rows[] = {
	{ "customer", FIELD_STR, AT(ListIn, customer), .max = 60, .help = "of this customer" },
	{ "price", FIELD_STR, AT(ListIn, price), .max = 60, .help = "with this price" },
	{ "status", FIELD_STR, AT(ListIn, status), .max = 20,
	  .help = "in this state; all; when it is left out: not over" },
	{ "collection_method", FIELD_STR, AT(ListIn, collection_method), .max = 30,
	  .help = "taken, and not looked at" },
};
static const FieldTable list_in = { "SubscriptionsIn", FIELD_ROWS(ListIn, list_rows),
	                            .help = "which subscriptions" };

static Err *opt_id(ServiceCall *c, Str text, const char *prefix, const char *param, OptUuid *out)
{
	*out = (OptUuid){ .set = text.len > 0 };
	return out->set ? stripe_id_of(c, text, prefix, param, &out->v) : NULL;
}

static Err *subscriptions_get(ServiceCall *c)
{
	OptUuid customer, price;
	SubscriptionRow *rows;
	StripeList list;
	JsonWriter *w;
	size_t count;
	ListIn in;

	TRY(stripe_take(c, &list_in, &in));
	TRY(stripe_list_begin(c, "sub_", &list));
	TRY(opt_id(c, in.customer, "cus_", "customer", &customer));
	TRY(opt_id(c, in.price, "price_", "price", &price));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, subscriptions_page_back, &rows, &count,
		           .customer_id = customer, .price_id = price, .status = in.status,
		           .after = list.after, .before = list.before, .most = list.most));
	else
		TRY(db_all(c->db, c->arena, subscriptions_page, &rows, &count,
		           .customer_id = customer, .price_id = price, .status = in.status,
		           .after = list.after, .before = list.before, .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		TRY(subscription_say(c, c->db, w, &rows[stripe_list_at(&list, i)]));
	return stripe_list_end(c, &list);
}

static const Field items_rows[] = {
	{ "subscription", FIELD_STR, AT(ListIn, subscription), .required = true, .max = 60,
	  .help = "of this subscription" },
};
static const FieldTable items_in = { "SubscriptionItemsIn", FIELD_ROWS(ListIn, items_rows),
	                             .help = "which items" };

static Err *items_get(ServiceCall *c)
{
	SubscriptionView view;
	SubscriptionRow *s;
	JsonWriter *w;
	ListIn in;

	TRY(stripe_take(c, &items_in, &in));
	TRY(subscription_find(c, c->db, in.subscription, "subscription", &s));
	TRY(subscription_view(c->db, c->arena, s, &view));
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "object", S("list"));
	json_put_str(w, "url", S("/v1/subscription_items"));
	json_put_bool(w, "has_more", false);
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; i < view.item_count; i++)
		subscription_item_put(w, c->arena, &view, &view.items[i]);
	json_end(w);
	json_end(w);
	return NULL;
}

static const ServiceRoute routes[] = {
	STRIPE_POST("/v1/subscriptions", subscription_post, NULL, "billing:write",
	            "subscribe a customer"),
	STRIPE_GET("/v1/subscriptions", subscriptions_get, "billing:read",
	           "subscriptions, the newest first"),
	STRIPE_GET("/v1/subscriptions/{id}", subscription_get, "billing:read", "one subscription"),
	STRIPE_POST("/v1/subscriptions/{id}", subscription_change_post, NULL, "billing:write",
	            "change a subscription"),
	STRIPE_DELETE("/v1/subscriptions/{id}", subscription_cancel, "billing:write",
	              "end a subscription now"),
	STRIPE_GET("/v1/subscription_items", items_get, "billing:read",
	           "what a subscription is to"),
};

ServiceRoutes subscription_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
