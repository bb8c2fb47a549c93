/* SPDX-License-Identifier: Apache-2.0
 *
 * Intents, charges, refunds, movements of the balance, customers and payment methods, as Stripe shows them. Members that Stripe has and we have
 * nothing for are there as null where its clients' types say that they always are. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/stripe_int.h"

static void put_null(JsonWriter *w, const char *key)
{
	json_key(w, str_of(key));
	json_add_null(w);
}

static void put_empty(JsonWriter *w, const char *key)
{
	json_key(w, str_of(key));
	json_begin_object(w);
	json_end(w);
}

/* --- payment methods -------------------------------------------------------------------------------------------------------- */

static void put_card(JsonWriter *w, const MethodRow *method)
{
	json_key(w, S("card"));
	json_begin_object(w);
	json_put_str(w, "brand", method->brand.len ? method->brand : S("unknown"));
	json_put_i64(w, "exp_month", method->exp_month);
	json_put_i64(w, "exp_year", method->exp_year);
	stripe_put_text(w, "fingerprint", method->fingerprint);
	json_put_str(w, "funding", S("unknown"));
	json_put_str(w, "last4", method->last4);
	put_null(w, "country");
	json_end(w);
}

void method_put(JsonWriter *w, Arena *a, const void *object)
{
	const MethodRow *method = object;

	stripe_begin(w, service_id_text(a, "pm_", method->id), "payment_method");
	stripe_put_json(w, "billing_details", method->billing);
	if (str_eq(method->type, S("card")))
		put_card(w, method);
	stripe_put_time(w, "created", method->created_at);
	stripe_put_id(w, a, "customer", "cus_", method->customer_id);
	stripe_put_live(w);
	stripe_put_json(w, "metadata", method->metadata);
	json_put_str(w, "type", method->type);
	json_end(w);
}

/* --- customers --------------------------------------------------------------------------------------------------------------- */

static void put_invoice_settings(JsonWriter *w, Arena *a, const CustomerRow *customer)
{
	json_key(w, S("invoice_settings"));
	json_begin_object(w);
	put_null(w, "custom_fields");
	stripe_put_id(w, a, "default_payment_method", "pm_", customer->method_id);
	put_null(w, "footer");
	json_end(w);
}

void customer_put(JsonWriter *w, Arena *a, const void *object)
{
	const CustomerRow *customer = object;

	stripe_begin(w, service_id_text(a, "cus_", customer->id), "customer");
	if (customer->deleted_at.set) {
		json_put_bool(w, "deleted", true);
		json_end(w);
		return;
	}
	put_null(w, "address");
	json_put_i64(w, "balance", 0);
	stripe_put_time(w, "created", customer->created_at);
	put_null(w, "currency");
	put_null(w, "default_source");
	json_put_bool(w, "delinquent", false);
	stripe_put_text(w, "description", customer->description);
	stripe_put_text(w, "email", customer->email);
	json_put_str(w, "invoice_prefix", customer->invoice_prefix);
	put_invoice_settings(w, a, customer);
	stripe_put_live(w);
	stripe_put_json(w, "metadata", customer->metadata);
	stripe_put_text(w, "name", customer->name);
	json_put_i64(w, "next_invoice_sequence", customer->next_invoice);
	stripe_put_text(w, "phone", customer->phone);
	json_put_str(w, "tax_exempt", S("none"));
	stripe_put_text(w, "time_zone", customer->zone);
	json_end(w);
}

/* --- charges ------------------------------------------------------------------------------------------------------------------ */

static void put_outcome(JsonWriter *w, const ChargeRow *charge)
{
	bool failed = str_eq(charge->status, S("failed"));

	json_key(w, S("outcome"));
	json_begin_object(w);
	json_put_str(w, "network_status",
	             failed ? S("declined_by_network") : S("approved_by_network"));
	stripe_put_text(w, "reason", charge->failure_code);
	json_put_str(w, "type", failed ? S("issuer_declined") : S("authorized"));
	json_end(w);
}

void charge_put(JsonWriter *w, Arena *a, const void *object)
{
	const ChargeRow *charge = object;
	bool failed = str_eq(charge->status, S("failed"));

	stripe_begin(w, service_id_text(a, "ch_", charge->id), "charge");
	json_put_i64(w, "amount", charge->amount);
	json_put_i64(w, "amount_captured", charge->captured);
	json_put_i64(w, "amount_refunded", charge->refunded);
	stripe_put_id(w, a, "balance_transaction", "txn_",
	              charge->captured ? opt_uuid(charge->id) : (OptUuid){ 0 });
	json_put_bool(w, "captured", charge->captured > 0);
	stripe_put_time(w, "created", charge->created_at);
	json_put_str(w, "currency", charge->currency);
	stripe_put_id(w, a, "customer", "cus_", charge->customer_id);
	put_null(w, "description");
	json_put_bool(w, "disputed", charge->disputed > 0);
	stripe_put_text(w, "failure_code", charge->failure_code);
	stripe_put_text(w, "failure_message", charge->failure_message);
	stripe_put_live(w);
	put_empty(w, "metadata");
	put_outcome(w, charge);
	json_put_bool(w, "paid", !failed);
	json_put_str(w, "payment_intent", intent_id_text(a, charge->intent_id));
	stripe_put_id(w, a, "payment_method", "pm_", charge->method_id);
	json_put_str(w, "provider", charge->provider);
	stripe_put_text(w, "provider_reference", charge->reference);
	json_put_bool(w, "refunded", charge->captured > 0 && charge->refunded == charge->captured);
	json_put_str(w, "status", charge->status);
	json_end(w);
}

/* --- refunds ------------------------------------------------------------------------------------------------------------------ */

void refund_put(JsonWriter *w, Arena *a, const void *object)
{
	const RefundRow *refund = object;
	bool moved = str_eq(refund->status, S("succeeded"));

	stripe_begin(w, service_id_text(a, "re_", refund->id), "refund");
	json_put_i64(w, "amount", refund->amount);
	stripe_put_id(w, a, "balance_transaction", "txn_",
	              moved ? opt_uuid(refund->id) : (OptUuid){ 0 });
	json_put_str(w, "charge", service_id_text(a, "ch_", refund->charge_id));
	stripe_put_time(w, "created", refund->created_at);
	json_put_str(w, "currency", refund->currency);
	if (refund->failure.len)
		json_put_str(w, "failure_reason", refund->failure);
	stripe_put_json(w, "metadata", refund->metadata);
	json_put_str(w, "payment_intent", intent_id_text(a, refund->intent_id));
	stripe_put_text(w, "reason", refund->reason);
	put_null(w, "receipt_number");
	json_put_str(w, "status", refund->status);
	json_end(w);
}

/* --- movements ---------------------------------------------------------------------------------------------------------------- */

void moved_put(JsonWriter *w, Arena *a, const void *object)
{
	const MovedRow *moved = object;
	bool refund = str_starts(moved->type, S("refund"));
	bool there = moved->available_at <= time_utc_us();

	stripe_begin(w, service_id_text(a, "txn_", moved->id), "balance_transaction");
	json_put_i64(w, "amount", moved->amount);
	stripe_put_time(w, "available_on", moved->available_at);
	stripe_put_time(w, "created", moved->created_at);
	json_put_str(w, "currency", moved->currency);
	stripe_put_text(w, "description", moved->description);
	put_null(w, "exchange_rate");
	json_put_i64(w, "fee", moved->fee);
	json_key(w, S("fee_details"));
	json_begin_array(w);
	json_end(w);
	json_put_i64(w, "net", moved->amount - moved->fee);
	json_put_str(w, "reporting_category", moved->type);
	json_put_str(w, "source", service_id_text(a, refund ? "re_" : "ch_", moved->source_id));
	json_put_str(w, "status", there ? S("available") : S("pending"));
	json_put_str(w, "type", moved->type);
	json_end(w);
}

/* --- intents ------------------------------------------------------------------------------------------------------------------ */

static void put_action(JsonWriter *w, const IntentRow *intent)
{
	if (!intent->action_url.len) {
		put_null(w, "next_action");
		return;
	}
	json_key(w, S("next_action"));
	json_begin_object(w);
	json_key(w, S("redirect_to_url"));
	json_begin_object(w);
	put_null(w, "return_url");
	json_put_str(w, "url", intent->action_url);
	json_end(w);
	json_put_str(w, "type", S("redirect_to_url"));
	json_end(w);
}

static void put_other(JsonWriter *w, Arena *a, const char *key, const char *prefix, OptUuid id,
                      StripePut *put, const void *whole)
{
	if (whole) {
		json_key(w, str_of(key));
		put(w, a, whole);
	} else {
		stripe_put_id(w, a, key, prefix, id);
	}
}

static void put_amounts(JsonWriter *w, const IntentRow *intent)
{
	bool held = str_eq(intent->status, S("requires_capture"));

	json_put_i64(w, "amount", intent->amount);
	json_put_i64(w, "amount_capturable", held ? intent->amount : 0);
	put_empty(w, "amount_details");
	json_put_i64(w, "amount_received", intent->received);
}

static void put_nulls(JsonWriter *w)
{
	static const char *const names[] = { "application",
		                             "application_fee_amount",
		                             "automatic_payment_methods",
		                             "on_behalf_of",
		                             "processing",
		                             "review",
		                             "setup_future_usage",
		                             "shipping",
		                             "source",
		                             "statement_descriptor_suffix",
		                             "transfer_data",
		                             "transfer_group" };

	for (size_t i = 0; i < COUNT(names); i++)
		put_null(w, names[i]);
}

void intent_put(JsonWriter *w, Arena *a, const void *object)
{
	const IntentView *view = object;
	const IntentRow *intent = view->intent;
	Str id = intent_id_text(a, intent->id);

	stripe_begin(w, id, "payment_intent");
	put_amounts(w, intent);
	stripe_put_time(w, "canceled_at", intent->canceled_at.v);
	stripe_put_text(w, "cancellation_reason", intent->cancel_reason);
	json_put_str(w, "capture_method", intent->manual ? S("manual") : S("automatic"));
	if (!view->told)
		json_put_str(w, "client_secret",
		             str_fmt(a, "%.*s_secret_%.*s", STR_ARG(id), STR_ARG(intent->secret)));
	json_put_str(w, "confirmation_method", S("automatic"));
	stripe_put_time(w, "created", intent->created_at);
	json_put_str(w, "currency", intent->currency);
	put_other(w, a, "customer", "cus_", intent->customer_id, customer_put, view->customer);
	stripe_put_text(w, "description", intent->description);
	stripe_put_id(w, a, "invoice", "in_", intent->invoice_id);
	stripe_put_json(w, "last_payment_error", intent->error.v);
	put_other(w, a, "latest_charge", "ch_", intent->charge_id, charge_put, view->charge);
	stripe_put_live(w);
	stripe_put_json(w, "metadata", intent->metadata);
	put_action(w, intent);
	put_nulls(w);
	put_other(w, a, "payment_method", "pm_", intent->method_id, method_put, view->method);
	put_empty(w, "payment_method_options");
	json_key(w, S("payment_method_types"));
	json_begin_array(w);
	json_add_str(w, S("card"));
	json_end(w);
	stripe_put_text(w, "receipt_email", intent->email);
	stripe_put_text(w, "statement_descriptor", intent->statement);
	json_put_str(w, "status", intent->status);
	json_end(w);
}

Err *intent_view(ServiceCall *c, Db *db, const IntentRow *intent, IntentView *out)
{
	CustomerRow *customer = NULL;
	MethodRow *method = NULL;
	ChargeRow *charge = NULL;

	if (intent->customer_id.set && stripe_expands(c, "customer") &&
	    service_has_scope(c, "customers:read"))
		TRY(db_one(db, c->arena, customer_by_id, &customer, .id = intent->customer_id.v));
	if (intent->method_id.set && stripe_expands(c, "payment_method") &&
	    service_has_scope(c, "payment_methods:read"))
		TRY(db_one(db, c->arena, method_by_id, &method, .id = intent->method_id.v));
	if (intent->charge_id.set && stripe_expands(c, "latest_charge") &&
	    service_has_scope(c, "charges:read"))
		TRY(db_one(db, c->arena, charge_by_id, &charge, .id = intent->charge_id.v));
	*out = (IntentView){ intent, customer, method, charge, false };
	return NULL;
}
