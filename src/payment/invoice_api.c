/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/invoices and /v1/invoiceitems. */
#include "base/arena.h"
#include "base/time.h"
#include "payment/billing_api.h"
#include "payment/billing_int.h"
#include "payment/intent_int.h"
#include "base/money.h"

/* --- showing ------------------------------------------------------------------------------------------------------------- */

/* The intent within, where the request wants it there. */
static Err *intent_text(ServiceCall *c, Db *db, const InvoiceRow *invoice, const char *path,
                        Str *out)
{
	IntentRow *intent;
	IntentView view;

	*out = S("");
	if (!invoice->intent_id.set || !stripe_expands(c, path) ||
	    !service_has_scope(c, "payment_intents:read"))
		return NULL;
	TRY(db_one(db, c->arena, intent_by_id, &intent, .id = invoice->intent_id.v));
	if (!intent)
		return NULL;
	TRY(intent_view(c, db, intent, &view));
	*out = stripe_text(c->arena, intent_put, &view);
	return NULL;
}

Err *invoice_text_for(ServiceCall *c, Db *db, const InvoiceRow *invoice, const char *path, Str *out)
{
	InvoiceView view;

	TRY(invoice_view(db, c->arena, invoice, &view));
	TRY(intent_text(c, db, invoice, path, &view.intent));
	*out = stripe_text(c->arena, invoice_put, &view);
	return NULL;
}

static Err *say(ServiceCall *c, Db *db, JsonWriter *w, const InvoiceRow *invoice)
{
	InvoiceView view;

	TRY(invoice_view(db, c->arena, invoice, &view));
	TRY(intent_text(c, db, invoice, "payment_intent", &view.intent));
	invoice_put(w, c->arena, &view);
	return NULL;
}

static Err *find(ServiceCall *c, Db *db, Str text, const char *param, InvoiceRow **out)
{
	Uuid id;

	TRY(stripe_id_of(c, text, "in_", param, &id));
	TRY(db_one(db, c->arena, invoice_by_id, out, .id = id));
	return *out ? NULL : stripe_missing(c, "invoice", text, param);
}

static Err *invoice_get(ServiceCall *c)
{
	InvoiceRow *invoice;

	TRY(stripe_take(c, NULL, NULL));
	TRY(find(c, c->db, service_part(c, "id"), "id", &invoice));
	return say(c, c->db, service_json(c), invoice);
}

static Err *lines_get(ServiceCall *c)
{
	enum { ALL = 100000 };
	InvoiceRow *invoice;
	InvoiceView view;

	TRY(stripe_take(c, NULL, NULL));
	TRY(find(c, c->db, service_part(c, "id"), "id", &invoice));
	TRY(invoice_view(c->db, c->arena, invoice, &view));
	invoice_lines_put(service_json(c), c->arena, &view, ALL);
	return NULL;
}

/* --- what is sent -------------------------------------------------------------------------------------------------------- */

typedef struct InvoiceIn {
	Str customer, subscription, currency, collection_method, description,
		default_payment_method, status, invoice, price, pending_invoice_items_behavior,
		payment_method;
	int64_t days_until_due, amount, quantity, unit_amount;
	bool auto_advance, has_advance, has_amount, has_unit, has_description, has_metadata,
		paid_out_of_band, has_quantity;
	const Json *metadata;
} InvoiceIn;
#define WORDS_ROWS \
	{ "description", \
	  FIELD_STR, \
	  AT(InvoiceIn, description), \
	  GIVEN(InvoiceIn, has_description), \
	  .max = 500, \
	  .help = "what it is" }, \
	{ \
		"metadata", FIELD_JSON, AT(InvoiceIn, metadata), GIVEN(InvoiceIn, has_metadata), \
			.help = "anything of yours" \
	}
#define ADVANCE_ROW \
	{ \
		"auto_advance", FIELD_BOOL, AT(InvoiceIn, auto_advance), \
			GIVEN(InvoiceIn, has_advance), \
			.help = "it is finalized and collected by itself" \
	}
static const Field new_rows[] = {
	{ "customer", FIELD_STR, AT(InvoiceIn, customer), .required = true, .max = 60,
	  .help = "who pays it" },
	{ "currency", FIELD_STR, AT(InvoiceIn, currency), .max = 3, .help = "ISO 4217" },
	{ "collection_method", FIELD_STR, AT(InvoiceIn, collection_method), .max = 30,
	  .help = "charge_automatically, send_invoice" },
	{ "days_until_due", FIELD_INT, AT(InvoiceIn, days_until_due), .max = 365,
	  .help = "of send_invoice" },
	{ "default_payment_method", FIELD_STR, AT(InvoiceIn, default_payment_method), .max = 60,
	  .help = "what pays it" },
	{ "pending_invoice_items_behavior", FIELD_STR,
	  AT(InvoiceIn, pending_invoice_items_behavior), .max = 20,
	  .help = "include (the default here), exclude" },
	ADVANCE_ROW,
	WORDS_ROWS,
};
static const FieldTable new_in = { "InvoiceNew", FIELD_ROWS(InvoiceIn, new_rows),
	                           .help = "an invoice" };
static const Field change_rows[] = { ADVANCE_ROW, WORDS_ROWS };
static const FieldTable change_in = { "InvoiceChange", FIELD_ROWS(InvoiceIn, change_rows),
	                              .help = "what changes of it" };
static const Field pay_rows[] = {
	{ "paid_out_of_band", FIELD_BOOL, AT(InvoiceIn, paid_out_of_band),
	  .help = "it was paid elsewhere" },
	{ "payment_method", FIELD_STR, AT(InvoiceIn, payment_method), .max = 60,
	  .help = "what pays it" },
};
static const FieldTable pay_in = { "InvoicePay", FIELD_ROWS(InvoiceIn, pay_rows),
	                           .help = "how it is paid" };
static const Field list_rows[] = {
	{ "customer", FIELD_STR, AT(InvoiceIn, customer), .max = 60, .help = "of this customer" },
	{ "subscription", FIELD_STR, AT(InvoiceIn, subscription), .max = 60,
	  .help = "of this subscription" },
	{ "status", FIELD_STR, AT(InvoiceIn, status), .max = 20, .help = "in this state" },
	{ "invoice", FIELD_STR, AT(InvoiceIn, invoice), .max = 60, .help = "of this invoice" },
};
static const FieldTable list_in = { "InvoicesIn", FIELD_ROWS(InvoiceIn, list_rows),
	                            .help = "which" };
static const Field item_rows[] = {
	{ "customer", FIELD_STR, AT(InvoiceIn, customer), .required = true, .max = 60,
	  .help = "who pays it" },
	{ "amount", FIELD_INT, AT(InvoiceIn, amount), GIVEN(InvoiceIn, has_amount),
	  .min = -MONEY_MOST, .max = MONEY_MOST, .help = "in minor units; below zero: a credit" },
	{ "currency", FIELD_STR, AT(InvoiceIn, currency), .max = 3, .help = "ISO 4217" },
	{ "price", FIELD_STR, AT(InvoiceIn, price), .max = 60, .help = "in place of an amount" },
	{ "quantity", FIELD_INT, AT(InvoiceIn, quantity), GIVEN(InvoiceIn, has_quantity),
	  .max = 1000000, .help = "how many; 1" },
	{ "unit_amount", FIELD_INT, AT(InvoiceIn, unit_amount), GIVEN(InvoiceIn, has_unit),
	  .min = -MONEY_MOST, .max = MONEY_MOST, .help = "of one" },
	{ "invoice", FIELD_STR, AT(InvoiceIn, invoice), .max = 60,
	  .help = "a draft that it goes onto at once" },
	{ "subscription", FIELD_STR, AT(InvoiceIn, subscription), .max = 60,
	  .help = "it waits for an invoice of this one" },
	WORDS_ROWS,
};
static const FieldTable item_in = { "InvoiceItemNew", FIELD_ROWS(InvoiceIn, item_rows),
	                            .help = "what waits for an invoice" };

/* --- acts upon one ------------------------------------------------------------------------------------------------------- */

typedef struct Step {
	const InvoiceIn *in;
	Uuid id, customer;
	Err *(*run)(ServiceCall *c, Bill *bill, InvoiceRow *invoice, const InvoiceIn *in);
} Step;

static Err *step(ServiceCall *c, Db *tx, void *arg)
{
	const Step *s = arg;
	InvoiceRow *invoice;
	Bill bill;

	TRY(bill_begin(tx, c->arena, c, s->customer, &bill));
	TRY(db_one(tx, c->arena, invoice_by_id, &invoice, .id = s->id));
	if (!invoice)
		return stripe_missing(c, "invoice", service_part(c, "id"), "id");
	TRY(s->run(c, &bill, invoice, s->in));
	return say(c, tx, stripe_json(c), invoice);
}

static Err *do_step(ServiceCall *c, const FieldTable *table,
                    Err *(*run)(ServiceCall *c, Bill *bill, InvoiceRow *invoice,
                                const InvoiceIn *in))
{
	InvoiceIn in = { .amount = 0 };
	Step s = { .in = &in, .run = run };
	InvoiceRow *invoice;

	TRY(stripe_take(c, table, &in));
	TRY(find(c, c->db, service_part(c, "id"), "id", &invoice));
	s.id = invoice->id;
	s.customer = invoice->customer_id;
	return stripe_effect(c, step, &s);
}

static Err *finalize(ServiceCall *c, Bill *bill, InvoiceRow *invoice, const InvoiceIn *in)
{
	(void)c;
	if (in->has_advance)
		invoice->advance = in->auto_advance;
	return invoice_finalize(bill, invoice);
}

static Err *finalize_post(ServiceCall *c)
{
	return do_step(c, &change_in, finalize);
}

static Err *void_it(ServiceCall *c, Bill *bill, InvoiceRow *invoice, const InvoiceIn *in)
{
	(void)c;
	(void)in;
	return invoice_void(bill, invoice);
}

static Err *void_post(ServiceCall *c)
{
	return do_step(c, NULL, void_it);
}

static Err *lose(ServiceCall *c, Bill *bill, InvoiceRow *invoice, const InvoiceIn *in)
{
	(void)c;
	(void)in;
	return invoice_lose(bill, invoice);
}

static Err *lose_post(ServiceCall *c)
{
	return do_step(c, NULL, lose);
}

static Err *change(ServiceCall *c, Bill *bill, InvoiceRow *invoice, const InvoiceIn *in)
{
	if (in->has_description)
		invoice->description = in->description;
	if (in->has_metadata)
		TRY(stripe_metadata(c, invoice->metadata, in->metadata, &invoice->metadata));
	if (in->has_advance && str_eq(invoice->status, S("draft"))) {
		invoice->advance = in->auto_advance;
		invoice->work_at =
			(OptInt){ in->auto_advance, bill->now_us + billing_conf()->draft_us };
	}
	return invoice_store_all(bill, invoice);
}

static Err *change_post(ServiceCall *c)
{
	return do_step(c, &change_in, change);
}

/* --- paying -------------------------------------------------------------------------------------------------------------- */

static Err *pay_outside(ServiceCall *c, Bill *bill, InvoiceRow *invoice, const InvoiceIn *in)
{
	(void)c;
	(void)in;
	if (str_eq(invoice->status, S("draft")))
		TRY(invoice_finalize(bill, invoice));
	return str_eq(invoice->status, S("paid"))
	               ? NULL
	               : invoice_paid(bill, invoice, (OptUuid){ 0 }, true);
}

static Err *be_open(ServiceCall *c, Bill *bill, InvoiceRow *invoice, const InvoiceIn *in)
{
	(void)in;
	if (str_eq(invoice->status, S("draft")))
		TRY(invoice_finalize(bill, invoice));
	else if (!str_eq(invoice->status, S("open")))
		return stripe_wrong(c, "id", "invoice_not_open", "Invoice is already %.*s",
		                    STR_ARG(invoice->status));
	return stripe_claim(c, bill->tx, invoice->id, 60 * US_PER_S);
}

static Err *say_paid(ServiceCall *c, Db *tx, void *arg)
{
	const Step *s = arg;
	InvoiceRow *invoice;

	TRY(db_one(tx, c->arena, invoice_by_id, &invoice, .id = s->id));
	TRY(say(c, tx, stripe_json(c), invoice));
	return stripe_settle(c, tx);
}

static Err *say_refused(ServiceCall *c, Db *tx, void *arg)
{
	const Collect *collected = arg;

	stripe_refuse(c, &(StripeRefusal){ .status = 402,
	                                   .code = collected->code,
	                                   .message = collected->message });
	return stripe_settle(c, tx);
}

static Err *pay_post(ServiceCall *c)
{
	Collect collected;
	InvoiceRow *invoice;
	OptUuid method = { 0 };
	InvoiceIn in;
	Step s = { .in = &in, .run = be_open };
	Uuid known;

	TRY(stripe_take(c, &pay_in, &in));
	TRY(find(c, c->db, service_part(c, "id"), "id", &invoice));
	s.id = invoice->id;
	s.customer = invoice->customer_id;
	if (in.payment_method.len) {
		TRY(stripe_id_of(c, in.payment_method, "pm_", "payment_method", &method.v));
		method.set = true;
	}
	if (in.paid_out_of_band) {
		s.run = pay_outside;
		return stripe_effect(c, step, &s);
	}
	if (!stripe_resumes(c, &known))
		TRY(stripe_step(c, step, &s));
	TRY(invoice_collect(c->home, c->arena, s.id, method, &collected));
	if (collected.what == COLLECT_REFUSED)
		TRY(stripe_step(c, say_refused, &collected));
	else
		TRY(stripe_step(c, say_paid, &s));
	return stripe_say(c);
}

/* --- a new one, and lists ------------------------------------------------------------------------------------------------ */

static Err *draft_of(ServiceCall *c, Db *tx, const InvoiceIn *in, const Bill *bill,
                     InvoiceDraft *draft)
{
	Str currency = in->currency.len ? money_currency(in->currency) : S("usd");

	if (!currency.len)
		return stripe_wrong(c, "currency", "parameter_invalid_string",
		                    "Invalid currency: %.*s", STR_ARG(in->currency));
	*draft = (InvoiceDraft){ .reason = "manual",
		                 .currency = currency,
		                 .collection = in->collection_method,
		                 .days_until_due = in->days_until_due,
		                 .period = { bill->now_us, bill->now_us },
		                 .advance = in->auto_advance,
		                 .description = in->description };
	TRY(stripe_metadata(c, S(""), in->metadata, &draft->metadata));
	TRY(subscription_collection(c, in->collection_method, in->days_until_due));
	return subscription_method(c, tx, in->default_payment_method, bill->customer,
	                           &draft->method);
}

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	const InvoiceIn *in = arg;
	InvoiceDraft draft;
	InvoiceRow invoice;
	Uuid customer;
	Str object;
	Bill bill;

	TRY(stripe_id_of(c, in->customer, "cus_", "customer", &customer));
	TRY(bill_begin(tx, c->arena, c, customer, &bill));
	TRY(draft_of(c, tx, in, &bill, &draft));
	TRY(invoice_draft(&bill, &draft, &invoice));
	if (!str_eq(in->pending_invoice_items_behavior, S("exclude")))
		TRY(invoice_take_waiting(&bill, &invoice));
	TRY(invoice_sum(&bill, &invoice));
	TRY(invoice_text(tx, c->arena, &invoice, &object));
	TRY(bill_tell(&bill, "invoice.created", service_id_text(c->arena, "in_", invoice.id),
	              object));
	return say(c, tx, stripe_json(c), &invoice);
}

static Err *invoice_post(ServiceCall *c)
{
	InvoiceIn in;

	TRY(stripe_take(c, &new_in, &in));
	return stripe_effect(c, add, &in);
}

static Err *drop(ServiceCall *c, Db *tx, void *arg)
{
	InvoiceRow *invoice;
	int64_t gone;
	JsonWriter *w;
	Bill bill;

	(void)arg;
	TRY(find(c, tx, service_part(c, "id"), "id", &invoice));
	TRY(bill_begin(tx, c->arena, c, invoice->customer_id, &bill));
	TRY(find(c, tx, service_part(c, "id"), "id", &invoice)); /* as it is now */
	if (!str_eq(invoice->status, S("draft")) || invoice->subscription_id.set)
		return stripe_wrong(
			c, "id", "invoice_not_editable",
			"You can only delete draft invoices that no subscription made.");
	TRY(db_exec(tx, c->arena, invoice_lines_drop, NULL, .invoice_id = invoice->id));
	TRY(db_exec(tx, c->arena, invoice_items_free, NULL, .invoice_id = invoice->id));
	TRY(db_exec(tx, c->arena, invoice_drop, &gone, .id = invoice->id));
	w = stripe_json(c);
	stripe_begin(w, service_id_text(c->arena, "in_", invoice->id), "invoice");
	json_put_bool(w, "deleted", true);
	json_end(w);
	return NULL;
}

static Err *invoice_delete(ServiceCall *c)
{
	TRY(stripe_take(c, NULL, NULL));
	return stripe_effect(c, drop, NULL);
}

static Err *opt_id(ServiceCall *c, Str text, const char *prefix, const char *param, OptUuid *out)
{
	*out = (OptUuid){ .set = text.len > 0 };
	return out->set ? stripe_id_of(c, text, prefix, param, &out->v) : NULL;
}

static Err *invoices_get(ServiceCall *c)
{
	OptUuid customer, subscription;
	StripeList list;
	InvoiceRow *rows;
	JsonWriter *w;
	InvoiceIn in;
	size_t count;

	TRY(stripe_take(c, &list_in, &in));
	TRY(stripe_list_begin(c, "in_", &list));
	TRY(opt_id(c, in.customer, "cus_", "customer", &customer));
	TRY(opt_id(c, in.subscription, "sub_", "subscription", &subscription));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, invoices_page_back, &rows, &count,
		           .customer_id = customer, .subscription_id = subscription,
		           .status = in.status, .after = list.after, .before = list.before,
		           .most = list.most));
	else
		TRY(db_all(c->db, c->arena, invoices_page, &rows, &count, .customer_id = customer,
		           .subscription_id = subscription, .status = in.status,
		           .after = list.after, .before = list.before, .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		TRY(say(c, c->db, w, &rows[stripe_list_at(&list, i)]));
	return stripe_list_end(c, &list);
}

/* --- what waits ---------------------------------------------------------------------------------------------------------- */

static Err *item_amount(ServiceCall *c, Db *tx, const InvoiceIn *in, InvoiceItemRow *row)
{
	int64_t unit = in->has_unit ? in->unit_amount : in->amount;
	PriceRow *price;

	row->quantity = in->has_quantity ? in->quantity : 1;
	row->currency = money_currency(in->currency);
	if (in->price.len) {
		TRY(price_named(c, tx, in->price, "price", &price));
		row->price_id = opt_uuid(price->id);
		row->currency = price->currency;
		unit = price->amount;
	} else if (!in->has_amount && !in->has_unit) {
		return stripe_wrong(c, "amount", "parameter_missing",
		                    "Missing required param: amount.");
	}
	if (!row->currency.len)
		return stripe_wrong(c, "currency", "parameter_missing",
		                    "Missing required param: currency.");
	if (in->has_amount && !in->price.len) {
		row->amount = in->amount;
		return NULL;
	}
	return money_times(unit, row->quantity, &row->amount)
	               ? NULL
	               : stripe_wrong(c, "quantity", "parameter_invalid_integer",
	                              "that is more than money may be");
}

static Err *onto_draft(ServiceCall *c, Bill *bill, const InvoiceIn *in, const InvoiceItemRow *row)
{
	InvoiceRow *invoice;

	TRY(find(c, bill->tx, in->invoice, "invoice", &invoice));
	if (!str_eq(invoice->status, S("draft")) ||
	    !uuid_eq(invoice->customer_id, bill->customer) ||
	    !str_eq(invoice->currency, row->currency))
		return stripe_wrong(c, "invoice", "invoice_not_editable",
		                    "an item goes onto a draft of its customer and currency");
	TRY(invoice_take(bill, invoice, row));
	return invoice_sum(bill, invoice);
}

static Err *add_item(ServiceCall *c, Db *tx, void *arg)
{
	const InvoiceIn *in = arg;
	InvoiceItemRow row = { .id = bill_id(),
		               .created_at = time_utc_us(),
		               .description = in->description };
	Bill bill;

	TRY(stripe_id_of(c, in->customer, "cus_", "customer", &row.customer_id));
	TRY(bill_begin(tx, c->arena, c, row.customer_id, &bill));
	row.made_at = row.period_start = row.period_end = bill.now_us;
	TRY(opt_id(c, in->subscription, "sub_", "subscription", &row.subscription_id));
	TRY(item_amount(c, tx, in, &row));
	TRY(stripe_metadata(c, S(""), in->metadata, &row.metadata));
	TRY(db_exec_with(tx, c->arena, invoice_item_add, &row, NULL));
	if (in->invoice.len)
		TRY(onto_draft(c, &bill, in, &row));
	TRY(bill_tell(&bill, "invoiceitem.created", service_id_text(c->arena, "ii_", row.id),
	              stripe_text(c->arena, invoice_item_put, &row)));
	invoice_item_put(stripe_json(c), c->arena, &row);
	return NULL;
}

static Err *item_post(ServiceCall *c)
{
	InvoiceIn in;

	TRY(stripe_take(c, &item_in, &in));
	return stripe_effect(c, add_item, &in);
}

static Err *item_find(ServiceCall *c, Db *db, InvoiceItemRow **out)
{
	Uuid id;

	TRY(stripe_id(c, "ii_", &id));
	TRY(db_one(db, c->arena, invoice_item_by_id, out, .id = id));
	return *out ? NULL : stripe_missing(c, "invoiceitem", service_part(c, "id"), "id");
}

static Err *item_get(ServiceCall *c)
{
	InvoiceItemRow *row;

	TRY(stripe_take(c, NULL, NULL));
	TRY(item_find(c, c->db, &row));
	invoice_item_put(service_json(c), c->arena, row);
	return NULL;
}

static Err *drop_item(ServiceCall *c, Db *tx, void *arg)
{
	InvoiceItemRow *row;
	int64_t gone;
	JsonWriter *w;
	Bill bill;

	(void)arg;
	TRY(item_find(c, tx, &row));
	TRY(bill_begin(tx, c->arena, c, row->customer_id, &bill));
	TRY(db_exec(tx, c->arena, invoice_item_drop, &gone, .id = row->id));
	if (!gone)
		return stripe_wrong(c, "id", "invoice_not_editable",
		                    "This invoice item is on an invoice.");
	w = stripe_json(c);
	stripe_begin(w, service_id_text(c->arena, "ii_", row->id), "invoiceitem");
	json_put_bool(w, "deleted", true);
	json_end(w);
	return NULL;
}

static Err *item_delete(ServiceCall *c)
{
	TRY(stripe_take(c, NULL, NULL));
	return stripe_effect(c, drop_item, NULL);
}

static Err *items_get(ServiceCall *c)
{
	OptUuid customer, invoice;
	InvoiceItemRow *rows;
	StripeList list;
	JsonWriter *w;
	InvoiceIn in;
	size_t count;

	TRY(stripe_take(c, &list_in, &in));
	TRY(stripe_list_begin(c, "ii_", &list));
	TRY(opt_id(c, in.customer, "cus_", "customer", &customer));
	TRY(opt_id(c, in.invoice, "in_", "invoice", &invoice));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, invoice_items_page_back, &rows, &count,
		           .customer_id = customer, .invoice_id = invoice, .after = list.after,
		           .before = list.before, .most = list.most));
	else
		TRY(db_all(c->db, c->arena, invoice_items_page, &rows, &count,
		           .customer_id = customer, .invoice_id = invoice, .after = list.after,
		           .before = list.before, .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		invoice_item_put(w, c->arena, &rows[stripe_list_at(&list, i)]);
	return stripe_list_end(c, &list);
}

static const ServiceRoute routes[] = {
	STRIPE_POST("/v1/invoices", invoice_post, &new_in, "billing:write",
	            "draft an invoice of what waits"),
	STRIPE_GET("/v1/invoices", invoices_get, "billing:read", "invoices, the newest first"),
	STRIPE_GET("/v1/invoices/{id}", invoice_get, "billing:read", "one invoice"),
	STRIPE_GET("/v1/invoices/{id}/lines", lines_get, "billing:read",
	           "what an invoice is about"),
	STRIPE_POST("/v1/invoices/{id}", change_post, &change_in, "billing:write",
	            "change an invoice"),
	STRIPE_DELETE("/v1/invoices/{id}", invoice_delete, "billing:write", "remove a draft"),
	STRIPE_POST("/v1/invoices/{id}/finalize", finalize_post, &change_in, "billing:write",
	            "finalize a draft"),
	STRIPE_POST("/v1/invoices/{id}/pay", pay_post, &pay_in, "billing:write",
	            "collect an invoice now"),
	STRIPE_POST("/v1/invoices/{id}/void", void_post, NULL, "billing:write", "nobody owes it"),
	STRIPE_POST("/v1/invoices/{id}/mark_uncollectible", lose_post, NULL, "billing:write",
	            "nobody will pay it"),
	STRIPE_POST("/v1/invoiceitems", item_post, &item_in, "billing:write",
	            "put something onto the next invoice"),
	STRIPE_GET("/v1/invoiceitems", items_get, "billing:read",
	           "what waits, and what is on invoices"),
	STRIPE_GET("/v1/invoiceitems/{id}", item_get, "billing:read", "one of them"),
	STRIPE_DELETE("/v1/invoiceitems/{id}", item_delete, "billing:write",
	              "take it away while it waits"),
};

ServiceRoutes invoice_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
