/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/payment_intents: made, changed, confirmed, captured, canceled, as Stripe has it. What its clients send and we have no use for is taken
 * and left (they send more with every version); what would change the meaning of a payment and is not done here is refused as unknown.
 *
 * A confirm asks a provider between two transactions (act.c). Its Idempotency-Key is claimed in the first, so a request that comes again after
 * this process died goes on with the intent that the first one made: it asks what came of it. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "base/money.h"
#include "payment/payment_api.h"
#include "payment/stripe_int.h"
#include "payment/stripe_keys.h"

/* --- what is sent --------------------------------------------------------------------------------------------------------------- */

typedef enum CaptureMethod { CAPTURE_AUTOMATIC, CAPTURE_ASYNC, CAPTURE_MANUAL } CaptureMethod;
static const ConfWord capture_methods[] = {
	{ "automatic", CAPTURE_AUTOMATIC, "at once" },
	{ "automatic_async", CAPTURE_ASYNC, "at once" },
	{ "manual", CAPTURE_MANUAL, "held, until it is captured or canceled" },
	{ 0 },
};
static const ConfWord reasons[] = {
	{ "", 0, "none" },
	{ "duplicate", 1, "it is there twice" },
	{ "fraudulent", 2, "somebody else's card" },
	{ "requested_by_customer", 3, "the customer does not want it" },
	{ "abandoned", 4, "nobody came back to it" },
	{ 0 },
};

typedef struct IntentIn {
	int64_t amount, amount_to_capture;
	Str currency, customer, description, method, email, return_url, statement, client_secret;
	uint8_t capture_method, reason;
	bool confirm, has_amount, has_capture, has_customer, has_description, has_email,
		has_statement, error_on_action;
	const Json *metadata, *method_data, *off_session, *left;
	CONF_LIST_OF(Str) types;
} IntentIn;

#define LEFT(name_) \
	{ \
		name_, FIELD_JSON, AT(IntentIn, left), .help = "taken and left" \
	}
#define CHANGE_ROWS \
	{ "customer", \
	  FIELD_STR, \
	  AT(IntentIn, customer), \
	  GIVEN(IntentIn, has_customer), \
	  .max = 50, \
	  .help = "who pays, cus_..." }, \
		{ "description", \
		  FIELD_STR, \
		  AT(IntentIn, description), \
		  GIVEN(IntentIn, has_description), \
		  .controls = true, \
		  .help = "what for" }, \
		{ "metadata", FIELD_JSON, AT(IntentIn, metadata), \
		  .help = "texts of your own, by key" }, \
		{ "statement_descriptor",         FIELD_STR, AT(IntentIn, statement), \
		  GIVEN(IntentIn, has_statement), .max = 22, .help = "on the customer's statement" }, \
		LEFT("statement_descriptor_suffix"), LEFT("shipping"), \
		LEFT("automatic_payment_methods"), LEFT("confirmation_method"), \
		LEFT("amount_details")
#define CONFIRM_ROWS \
	{ "payment_method", FIELD_STR, AT(IntentIn, method), .max = 200, \
	  .help = "pm_..., or a provider's token" }, \
		{ "payment_method_data", FIELD_JSON, AT(IntentIn, method_data), \
		  .help = "a method that is not kept yet: type, card[token], billing_details" }, \
		{ "payment_method_types", FIELD_STR, AT_LIST(IntentIn, types), .max = 40, \
		  .help = "card" }, \
		{ "capture_method", \
		  FIELD_ENUM, \
		  AT(IntentIn, capture_method), \
		  GIVEN(IntentIn, has_capture), \
		  .names = capture_methods, \
		  .help = "is it taken at once" }, \
		{ "receipt_email",     FIELD_STR, \
		  AT(IntentIn, email), GIVEN(IntentIn, has_email), \
		  .max = 254,          .help = "where the receipt goes" }, \
		{ "return_url", FIELD_STR, AT(IntentIn, return_url), .max = 2000, \
		  .help = "where the customer comes back to" }, \
		{ "off_session", FIELD_JSON, AT(IntentIn, off_session), \
		  .help = "the customer is not there" }, \
		{ "error_on_requires_action", FIELD_BOOL, AT(IntentIn, error_on_action), \
		  .help = "decline what the customer would have to confirm" }, \
		LEFT("payment_method_options"), LEFT("setup_future_usage"), \
		LEFT("use_stripe_sdk"), LEFT("mandate_data"), LEFT("radar_options")

static const Field create_rows[] = {
	{ "amount", FIELD_INT, AT(IntentIn, amount), .required = true, .min = 1, .max = MONEY_MOST,
	  .help = "in the currency's smallest unit" },
	{ "currency", FIELD_STR, AT(IntentIn, currency), .required = true, .min = 3, .max = 3,
	  .help = "ISO 4217" },
	{ "confirm", FIELD_BOOL, AT(IntentIn, confirm), .help = "charge at once" },
	CHANGE_ROWS,
	CONFIRM_ROWS,
};
static const Field update_rows[] = {
	{ "amount", FIELD_INT, AT(IntentIn, amount), GIVEN(IntentIn, has_amount), .min = 1,
	  .max = MONEY_MOST, .help = "in the currency's smallest unit" },
	{ "currency", FIELD_STR, AT(IntentIn, currency), .min = 3, .max = 3, .help = "ISO 4217" },
	CHANGE_ROWS,
	CONFIRM_ROWS,
};
static const Field confirm_rows[] = {
	{ "client_secret", FIELD_STR, AT(IntentIn, client_secret), .max = 200,
	  .help = "the intent's, with a publishable key" },
	LEFT("shipping"),
	CONFIRM_ROWS,
};
static const Field capture_rows[] = {
	{ "amount_to_capture", FIELD_INT, AT(IntentIn, amount_to_capture), .min = 1,
	  .max = MONEY_MOST,
	  .help = "all that is held, where nothing is said; the rest is let go" },
	{ "metadata", FIELD_JSON, AT(IntentIn, metadata), .help = "texts of your own, by key" },
	LEFT("statement_descriptor"),
	LEFT("statement_descriptor_suffix"),
	LEFT("final_capture"),
};
static const Field cancel_rows[] = {
	{ "cancellation_reason", FIELD_ENUM, AT(IntentIn, reason), .names = reasons,
	  .help = "why" },
};
static const Field get_rows[] = {
	{ "client_secret", FIELD_STR, AT(IntentIn, client_secret), .max = 200,
	  .help = "the intent's, with a publishable key" },
};
static const Field list_rows[] = {
	{ "customer", FIELD_STR, AT(IntentIn, customer), .max = 50, .help = "of this customer" },
};
static const FieldTable create_in = { "NewPaymentIntent", FIELD_ROWS(IntentIn, create_rows),
	                              .help = "what is to be paid" };
static const FieldTable update_in = { "PaymentIntentChange", FIELD_ROWS(IntentIn, update_rows),
	                              .help = "what is to change" };
static const FieldTable confirm_in = { "PaymentIntentConfirm", FIELD_ROWS(IntentIn, confirm_rows),
	                               .help = "how it is paid" };
static const FieldTable capture_in = { "PaymentIntentCapture", FIELD_ROWS(IntentIn, capture_rows),
	                               .help = "what is taken" };
static const FieldTable cancel_in = { "PaymentIntentCancel", FIELD_ROWS(IntentIn, cancel_rows),
	                              .help = "why it is canceled" };
static const FieldTable get_in = { "PaymentIntentGet", FIELD_ROWS(IntentIn, get_rows),
	                           .help = "which" };
static const FieldTable list_in = { "PaymentIntents", FIELD_ROWS(IntentIn, list_rows),
	                            .help = "which" };

/* --- what it means ----------------------------------------------------------------------------------------------------------------- */

/* payment_method_data[card][token]: as Stripe takes tokens that a browser has from the provider. */
static Err *method_of(ServiceCall *c, const IntentIn *in, Act *act)
{
	Str text = in->method, type = S("card");
	const Json *data = in->method_data;

	if (data) {
		json_to_str(json_get(data, S("type")), &type);
		if (!json_to_str(json_get(json_get(data, S("card")), S("token")), &text) ||
		    !str_eq(type, S("card")))
			return stripe_wrong(
				c, "payment_method_data", "parameter_invalid_string",
				"payment_method_data is a card with a token of the provider");
	}
	if (!text.len)
		return NULL;
	stripe_of(c)->param = "payment_method";
	stripe_of(c)->code = "resource_missing";
	TRY(method_named(c->db, c->arena, text, &act->method, &act->fresh_method));
	stripe_of(c)->param = stripe_of(c)->code = NULL;
	return NULL;
}

static Err *change(ServiceCall *c, const IntentIn *in, IntentRow *row)
{
	CustomerRow *customer;

	if (in->has_customer) {
		stripe_of(c)->param = "customer";
		stripe_of(c)->code = "resource_missing";
		TRY(customer_named(c->db, c->arena, in->customer, &customer));
		stripe_of(c)->param = stripe_of(c)->code = NULL;
		row->customer_id = customer ? opt_uuid(customer->id) : (OptUuid){ 0 };
	}
	if (in->statement.len && !statement_is(in->statement))
		return stripe_wrong(
			c, "statement_descriptor", "parameter_invalid_string",
			"a statement descriptor has 1 to 22 characters, a letter among them, and none of <>\\'\"*");
	if (in->email.len && !email_is(in->email))
		return stripe_wrong(c, "receipt_email", "email_invalid",
		                    "Invalid email address: %.*s", STR_ARG(in->email));
	row->description = in->has_description ? in->description : row->description;
	row->statement = in->has_statement ? in->statement : row->statement;
	row->email = in->has_email ? in->email : row->email;
	row->manual = in->has_capture ? in->capture_method == CAPTURE_MANUAL : row->manual;
	if (in->metadata)
		TRY(stripe_metadata(c, row->metadata, in->metadata, &row->metadata));
	return NULL;
}

/* Somebody's saved method is for nobody else. */
static Err *check_owner(ServiceCall *c, const IntentRow *row, const MethodRow *method)
{
	if (!method || !method->customer_id.set ||
	    (row->customer_id.set && uuid_eq(method->customer_id.v, row->customer_id.v)))
		return NULL;
	return stripe_wrong(
		c, "payment_method", "payment_method_customer_mismatch",
		"The payment method belongs to another customer than the PaymentIntent.");
}

static Act *new_act(ServiceCall *c, AttemptOp op, Uuid id)
{
	Act *act = ARENA_NEW(c->arena, Act);

	*act = (Act){ .home = c->home,
		      .arena = c->arena,
		      .call = c,
		      .op = op,
		      .intent = id,
		      .traceparent = c->traceparent };
	return act;
}

static bool is_off(const IntentIn *in)
{
	bool yes = false;
	Str text;

	if (in->error_on_action || json_to_bool(in->off_session, &yes))
		return in->error_on_action || yes;
	return json_to_str(in->off_session, &text) && text.len && !str_eq(text, S("false"));
}

/* --- one that is there ---------------------------------------------------------------------------------------------------------------- */

static Err *load(ServiceCall *c, Db *db, IntentRow **out)
{
	Uuid id;

	TRY(stripe_id(c, "pi_", &id));
	TRY(db_one(db, c->arena, intent_by_id, out, .id = id));
	return *out ? NULL : stripe_missing(c, "payment_intent", service_part(c, "id"), "intent");
}

/* With a publishable key only whoever knows the intent's secret. */
static Err *check_secret(ServiceCall *c, const IntentRow *row, Str secret, const char *scope)
{
	Str right = str_fmt(c->arena, "%.*s_secret_%.*s",
	                    STR_ARG(intent_id_text(c->arena, row->id)), STR_ARG(row->secret));

	if (service_has_scope(c, scope) ||
	    (service_has_scope(c, KEY_PUBLIC) && str_eq(secret, right)))
		return NULL;
	if (service_has_scope(c, KEY_PUBLIC))
		return stripe_missing(c, "payment_intent", service_part(c, "id"), "client_secret");
	return service_need_scope(c, scope);
}

static Err *say_intent(ServiceCall *c, Db *tx, void *arg)
{
	IntentView view;
	IntentRow *row;

	TRY(db_one(tx, c->arena, intent_by_id, &row, .id = *(const Uuid *)arg));
	TRY(intent_view(c, tx, row, &view));
	intent_put(stripe_json(c), c->arena, &view);
	return NULL;
}

/* A request that comes again after its process died: what came of the first? *row NULL: that is the answer; else it is as before. */
static Err *go_on(ServiceCall *c, Uuid id, IntentStatus from, IntentRow **row)
{
	IntentStatus status = INTENT_PROCESSING;
	bool open;

	TRY(attempt_resolve_of(c->home, c->arena, id, &open));
	TRY(db_one(c->db, c->arena, intent_by_id, row, .id = id));
	if (*row && intent_status_read((*row)->status, &status) && status == from)
		return NULL;
	*row = NULL;
	return stripe_effect(c, say_intent, &id);
}

/* --- handlers --------------------------------------------------------------------------------------------------------------------------- */

static Err *run(Act *act)
{
	TRY(act_run(act));
	return stripe_say(act->call);
}

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	const Act *act = arg;
	IntentView view;

	if (act->fresh_method)
		TRY(db_exec_with(tx, c->arena, method_add, act->method, NULL));
	TRY(db_exec_with(tx, c->arena, intent_add, act->fresh, NULL));
	TRY(intent_tell(tx, c->arena, act, "payment_intent.created", act->fresh));
	TRY(intent_view(c, tx, act->fresh, &view));
	intent_put(stripe_json(c), c->arena, &view);
	return NULL;
}

static Err *create_new(ServiceCall *c, const IntentIn *in)
{
	Act *act = new_act(c, ATTEMPT_AUTHORIZE, (Uuid){ { 0 } });
	IntentRow *row;

	if (!money_currency(in->currency).len)
		return stripe_wrong(c, "currency", "parameter_invalid_string",
		                    "Invalid currency: %.*s", STR_ARG(in->currency));
	TRY(intent_new(c->arena, in->amount, in->currency, &row));
	TRY(change(c, in, row));
	TRY(method_of(c, in, act));
	TRY(check_owner(c, row, act->method));
	act->fresh = row;
	act->intent = row->id;
	act->return_url = in->return_url;
	act->off_session = is_off(in);
	if (in->confirm && !act->method)
		return stripe_wrong(
			c, "payment_method", "parameter_missing",
			"You cannot confirm this PaymentIntent because it's missing a payment method.");
	if (in->confirm)
		return run(act);
	row->method_id = act->method ? opt_uuid(act->method->id) : (OptUuid){ 0 };
	row->status =
		intent_status_name(act->method ? INTENT_NEEDS_CONFIRMATION : INTENT_NEEDS_METHOD);
	return stripe_effect(c, add, act);
}

static Err *confirm_row(ServiceCall *c, const IntentIn *in, const IntentRow *row)
{
	Act *act = new_act(c, ATTEMPT_AUTHORIZE, row->id);

	TRY(method_of(c, in, act));
	if (!act->method && row->method_id.set)
		TRY(db_one(c->db, c->arena, method_by_id, &act->method, .id = row->method_id.v));
	if (!act->method)
		return stripe_wrong(
			c, "payment_method", "payment_intent_unexpected_state",
			"You cannot confirm this PaymentIntent because it's missing a payment method.");
	TRY(check_owner(c, row, act->method));
	act->return_url = in->return_url;
	act->off_session = is_off(in);
	return run(act);
}

static Err *intents_post(ServiceCall *c)
{
	IntentRow *row;
	IntentIn in;
	Uuid id;

	TRY(stripe_take(c, &create_in, &in));
	if (!stripe_resumes(c, &id))
		return create_new(c, &in);
	TRY(go_on(c, id, INTENT_NEEDS_CONFIRMATION, &row));
	return row ? confirm_row(c, &in, row) : NULL;
}

static Err *confirm_post(ServiceCall *c)
{
	IntentRow *row;
	IntentIn in;
	Uuid id;

	TRY(stripe_take(c, &confirm_in, &in));
	TRY(load(c, c->db, &row));
	TRY(check_secret(c, row, in.client_secret, "payment_intents:write"));
	if (in.off_session && !service_has_scope(c, "payment_intents:write"))
		return stripe_wrong(c, "off_session", "parameter_unknown",
		                    "off_session is not for a publishable key.");
	if (stripe_resumes(c, &id))
		TRY(go_on(c, id, INTENT_NEEDS_CONFIRMATION, &row));
	return row ? confirm_row(c, &in, row) : NULL;
}

static Err *charge_of(ServiceCall *c, const IntentRow *row, Act *act)
{
	if (row->charge_id.set)
		TRY(db_one(c->db, c->arena, charge_by_id, &act->charge, .id = row->charge_id.v));
	return NULL;
}

static Err *capture_post(ServiceCall *c)
{
	Act *act;
	IntentRow *row;
	IntentIn in;
	Uuid id;

	TRY(stripe_take(c, &capture_in, &in));
	TRY(load(c, c->db, &row));
	if (stripe_resumes(c, &id))
		TRY(go_on(c, id, INTENT_NEEDS_CAPTURE, &row));
	if (!row)
		return NULL;
	act = new_act(c, ATTEMPT_CAPTURE, row->id);
	act->amount = in.amount_to_capture;
	TRY(charge_of(c, row, act));
	if (!str_eq(row->status, S("requires_capture")) || !act->charge)
		return intent_wrong_state(c->arena, row, INTENT_CAPTURE);
	return run(act);
}

/* Nothing is with a provider: it is canceled here. */
static Err *cancel_here(ServiceCall *c, Db *tx, void *arg)
{
	const Act *act = arg;
	IntentStatus status = INTENT_PROCESSING;
	IntentView view;
	IntentRow *row;

	TRY(db_one(tx, c->arena, intent_hold, &row, .id = act->intent));
	if (!intent_status_read(row->status, &status) || !intent_may(status, INTENT_CANCEL) ||
	    status == INTENT_NEEDS_CAPTURE || status == INTENT_NEEDS_ACTION)
		return intent_wrong_state(c->arena, row, INTENT_CANCEL);
	row->status = intent_status_name(INTENT_IS_CANCELED);
	row->canceled_at = opt_int(time_utc_us());
	row->cancel_reason = act->reason;
	TRY(intent_store(tx, c->arena, row));
	TRY(intent_tell(tx, c->arena, act, "payment_intent.canceled", row));
	TRY(intent_view(c, tx, row, &view));
	intent_put(stripe_json(c), c->arena, &view);
	return NULL;
}

/* It waits for its customer: the provider has to let go of it first. Who is told by the provider that it did may write that down before us:
 * then the attempt has failed, and the intent is still to be canceled. */
static Err *cancel_waiting(ServiceCall *c, Act *act, IntentRow *row)
{
	Act *here = new_act(c, ATTEMPT_VOID, row->id);
	bool done;

	here->reason = act->reason;
	TRY(act_seal(act, &done));
	TRY(db_one(c->db, c->arena, intent_by_id, &row, .id = here->intent));
	if (done || str_eq(row->status, S("canceled")))
		return stripe_effect(c, say_intent, &here->intent);
	if (str_eq(row->status, S("requires_action")))
		return intent_wrong_state(c->arena, row, INTENT_CANCEL);
	return stripe_effect(c, cancel_here, here);
}

static Err *cancel_post(ServiceCall *c)
{
	IntentRow *row;
	IntentIn in;
	Act *act;
	Uuid id;

	TRY(stripe_take(c, &cancel_in, &in));
	TRY(load(c, c->db, &row));
	if (stripe_resumes(c, &id))
		TRY(go_on(c, id, INTENT_NEEDS_CAPTURE, &row));
	if (!row)
		return NULL;
	if (row->invoice_id.set)
		return stripe_wrong(
			c, "intent", "payment_intent_unexpected_state",
			"You cannot cancel the PaymentIntent of an invoice: void the invoice.");
	act = new_act(c, ATTEMPT_VOID, row->id);
	act->reason = str_of(reasons[in.reason].name);
	TRY(charge_of(c, row, act));
	if (str_eq(row->status, S("requires_action")))
		return cancel_waiting(c, act, row);
	if (str_eq(row->status, S("requires_capture")) && act->charge)
		return run(act);
	return stripe_effect(c, cancel_here, act);
}

typedef struct Update {
	const IntentIn *in;
	Act *act;
} Update;

static Err *update(ServiceCall *c, Db *tx, void *arg)
{
	const Update *up = arg;
	const IntentIn *in = up->in;
	IntentStatus status = INTENT_PROCESSING;
	IntentView view;
	IntentRow *row;

	TRY(db_one(tx, c->arena, intent_hold, &row, .id = up->act->intent));
	if (!intent_status_read(row->status, &status) || !intent_may(status, INTENT_UPDATE)) {
		if (in->has_amount || in->currency.len || up->act->method || in->has_capture)
			return intent_wrong_state(c->arena, row, INTENT_UPDATE);
	}
	if (row->invoice_id.set &&
	    (in->has_amount || in->currency.len || in->has_capture || in->has_customer))
		return stripe_wrong(
			c, in->has_amount ? "amount" : "intent", "payment_intent_unexpected_state",
			"What the PaymentIntent of an invoice takes, and of whom, is the invoice's.");
	row->amount = in->has_amount ? in->amount : row->amount;
	row->currency = in->currency.len ? money_currency(in->currency) : row->currency;
	row->description = in->has_description ? in->description : row->description;
	row->statement = in->has_statement ? in->statement : row->statement;
	row->email = in->has_email ? in->email : row->email;
	row->manual = in->has_capture ? in->capture_method == CAPTURE_MANUAL : row->manual;
	row->customer_id = in->has_customer ? up->act->fresh->customer_id : row->customer_id;
	TRY(stripe_metadata(c, row->metadata, in->metadata, &row->metadata));
	if (up->act->method) {
		row->method_id = opt_uuid(up->act->method->id);
		row->status = intent_status_name(INTENT_NEEDS_CONFIRMATION);
	}
	if (up->act->fresh_method)
		TRY(db_exec_with(tx, c->arena, method_add, up->act->method, NULL));
	TRY(intent_store(tx, c->arena, row));
	TRY(intent_view(c, tx, row, &view));
	intent_put(stripe_json(c), c->arena, &view);
	return NULL;
}

static Err *intent_post(ServiceCall *c)
{
	IntentRow *row;
	IntentIn in;
	Act *act;

	TRY(stripe_take(c, &update_in, &in));
	TRY(load(c, c->db, &row));
	if (in.currency.len && !money_currency(in.currency).len)
		return stripe_wrong(c, "currency", "parameter_invalid_string",
		                    "Invalid currency: %.*s", STR_ARG(in.currency));
	act = new_act(c, ATTEMPT_AUTHORIZE, row->id);
	TRY(change(c, &in, row));
	TRY(method_of(c, &in, act));
	TRY(check_owner(c, row, act->method));
	act->fresh = row; /* what was read of it before: its customer, checked */
	return stripe_effect(c, update, &(Update){ &in, act });
}

static Err *intent_get(ServiceCall *c)
{
	IntentView view;
	IntentRow *row;
	IntentIn in;

	TRY(stripe_take(c, &get_in, &in));
	TRY(load(c, c->db, &row));
	TRY(check_secret(c, row, in.client_secret, "payment_intents:read"));
	TRY(intent_view(c, c->db, row, &view));
	intent_put(stripe_json(c), c->arena, &view);
	return stripe_say(c);
}

static Err *intents_get(ServiceCall *c)
{
	OptUuid customer = { 0 };
	StripeList list;
	IntentRow *rows;
	JsonWriter *w;
	size_t count;
	IntentIn in;

	TRY(stripe_take(c, &list_in, &in));
	TRY(stripe_list_begin(c, "pi_", &list));
	customer.set = in.customer.len > 0;
	if (customer.set)
		TRY(stripe_id_of(c, in.customer, "cus_", "customer", &customer.v));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, intents_page_back, &rows, &count,
		           .customer_id = customer, .after = list.after, .before = list.before,
		           .most = list.most));
	else
		TRY(db_all(c->db, c->arena, intents_page, &rows, &count, .customer_id = customer,
		           .after = list.after, .before = list.before, .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		intent_put(w, c->arena, &(IntentView){ .intent = &rows[stripe_list_at(&list, i)] });
	return stripe_list_end(c, &list);
}

static const ServiceRoute rows[] = {
	STRIPE_POST("/v1/payment_intents", intents_post, &create_in, "payment_intents:write",
	            "ask for a payment, and make it when `confirm` is true"),
	STRIPE_LIST("/v1/payment_intents", intents_get, &list_in, "payment_intents:read",
	            "payments, newest first"),
	STRIPE_GET("/v1/payment_intents/{id}", intent_get, "", "one payment"),
	STRIPE_POST("/v1/payment_intents/{id}", intent_post, &update_in, "payment_intents:write",
	            "change one"),
	STRIPE_POST("/v1/payment_intents/{id}/confirm", confirm_post, &confirm_in, "", "charge it"),
	STRIPE_POST("/v1/payment_intents/{id}/capture", capture_post, &capture_in,
	            "payment_intents:write", "take what is held"),
	STRIPE_POST("/v1/payment_intents/{id}/cancel", cancel_post, &cancel_in,
	            "payment_intents:write", "charge nothing, and let go of what is held"),
};

ServiceRoutes intent_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
