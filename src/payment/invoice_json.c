/* SPDX-License-Identifier: Apache-2.0
 *
 * Invoices as Stripe shows them. */
#include "payment/billing_int.h"

#include "base/arena.h"

enum { LINES_SHOWN = 100 };

const PriceRow *price_of(const PriceRow *prices, size_t count, Uuid id)
{
	for (size_t i = 0; i < count; i++) {
		if (uuid_eq(prices[i].id, id))
			return &prices[i];
	}
	return NULL;
}

static void put_period(JsonWriter *w, int64_t start_us, int64_t end_us)
{
	json_key(w, S("period"));
	json_begin_object(w);
	stripe_put_time(w, "start", start_us);
	stripe_put_time(w, "end", end_us);
	json_end(w);
}

static void put_time_or_null(JsonWriter *w, const char *key, OptInt us)
{
	stripe_put_time(w, key, us.set ? us.v : 0);
}

static void put_price(JsonWriter *w, Arena *a, const InvoiceView *view, OptUuid id)
{
	const PriceRow *price = id.set ? price_of(view->prices, view->price_count, id.v) : NULL;

	json_key(w, S("price"));
	if (price)
		price_put(w, a, price);
	else
		json_add_null(w);
}

static void line_put(JsonWriter *w, Arena *a, const InvoiceView *view, const InvoiceLineRow *line)
{
	stripe_begin(w, service_id_text(a, "il_", line->id), "line_item");
	json_put_i64(w, "amount", line->amount);
	json_put_str(w, "currency", line->currency);
	json_put_str(w, "description", line->description);
	json_put_str(w, "invoice", service_id_text(a, "in_", line->invoice_id));
	stripe_put_id(w, a, "invoice_item", "ii_", line->invoice_item_id);
	put_period(w, line->period_start, line->period_end);
	put_price(w, a, view, line->price_id);
	json_put_bool(w, "proration", line->proration);
	json_put_i64(w, "quantity", line->quantity);
	stripe_put_id(w, a, "subscription", "sub_", view->invoice->subscription_id);
	stripe_put_id(w, a, "subscription_item", "si_", line->item_id);
	json_put_str(w, "type",
	             str_eq(line->kind, S("period")) ? S("subscription") : S("invoiceitem"));
	stripe_put_live(w);
	json_key(w, S("metadata"));
	json_begin_object(w);
	json_end(w);
	json_end(w);
}

void invoice_lines_put(JsonWriter *w, Arena *a, const InvoiceView *view, size_t most)
{
	json_begin_object(w);
	json_put_str(w, "object", S("list"));
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; i < MIN(view->line_count, most); i++)
		line_put(w, a, view, &view->lines[i]);
	json_end(w);
	json_put_bool(w, "has_more", view->line_count > most);
	json_put_i64(w, "total_count", (int64_t)view->line_count);
	json_put_str(w, "url",
	             str_fmt(a, "/v1/invoices/%.*s/lines",
	                     STR_ARG(service_id_text(a, "in_", view->invoice->id))));
	json_end(w);
}

static void put_amounts(JsonWriter *w, const InvoiceRow *i)
{
	json_put_i64(w, "subtotal", i->total);
	json_put_i64(w, "total", i->total);
	json_put_i64(w, "amount_due", i->due);
	json_put_i64(w, "amount_paid", i->paid);
	json_put_i64(w, "amount_remaining", i->due - i->paid);
	json_put_i64(w, "starting_balance", i->starting_balance);
	json_key(w, S("ending_balance"));
	if (i->ending_balance.set)
		json_add_i64(w, i->ending_balance.v);
	else
		json_add_null(w);
	json_put_i64(w, "attempt_count", i->attempts);
	json_put_bool(w, "attempted", i->attempts > 0 || i->paid_at.set);
}

static void put_times(JsonWriter *w, const InvoiceRow *i)
{
	bool open = str_eq(i->status, S("open"));

	stripe_put_time(w, "created", i->made_at);
	put_time_or_null(w, "due_date", i->due_at);
	put_time_or_null(w, "next_payment_attempt",
	                 open || str_eq(i->status, S("draft")) ? i->work_at : (OptInt){ 0 });
	stripe_put_time(w, "period_start", i->period_start);
	stripe_put_time(w, "period_end", i->period_end);
	json_key(w, S("status_transitions"));
	json_begin_object(w);
	put_time_or_null(w, "finalized_at", i->finalized_at);
	put_time_or_null(w, "marked_uncollectible_at", i->uncollectible_at);
	put_time_or_null(w, "paid_at", i->paid_at);
	put_time_or_null(w, "voided_at", i->voided_at);
	json_end(w);
}

void invoice_put(JsonWriter *w, Arena *a, const void *object)
{
	const InvoiceView *view = object;
	const InvoiceRow *i = view->invoice;

	stripe_begin(w, service_id_text(a, "in_", i->id), "invoice");
	json_put_str(w, "status", i->status);
	stripe_put_text(w, "number", i->number.set ? i->number.v : S(""));
	json_put_str(w, "customer", service_id_text(a, "cus_", i->customer_id));
	stripe_put_id(w, a, "subscription", "sub_", i->subscription_id);
	json_put_str(w, "currency", i->currency);
	json_put_str(w, "billing_reason", i->reason);
	json_put_str(w, "collection_method", i->collection);
	put_amounts(w, i);
	put_times(w, i);
	json_put_bool(w, "auto_advance",
	              i->advance &&
	                      (str_eq(i->status, S("draft")) || str_eq(i->status, S("open"))));
	json_put_bool(w, "paid", str_eq(i->status, S("paid")));
	json_put_bool(w, "paid_out_of_band", i->outside);
	stripe_put_id(w, a, "default_payment_method", "pm_", i->method_id);
	if (view->intent.len) {
		json_key(w, S("payment_intent"));
		json_add_raw(w, view->intent);
	} else {
		stripe_put_id(w, a, "payment_intent", "pi_", i->intent_id);
	}
	json_key(w, S("lines"));
	invoice_lines_put(w, a, view, LINES_SHOWN);
	stripe_put_text(w, "description", i->description);
	stripe_put_id(w, a, "test_clock", "clock_", i->clock_id);
	stripe_put_live(w);
	stripe_put_json(w, "metadata", i->metadata);
	json_end(w);
}

void invoice_item_put(JsonWriter *w, Arena *a, const void *object)
{
	const InvoiceItemRow *i = object;

	stripe_begin(w, service_id_text(a, "ii_", i->id), "invoiceitem");
	json_put_i64(w, "amount", i->amount);
	json_put_str(w, "currency", i->currency);
	json_put_str(w, "customer", service_id_text(a, "cus_", i->customer_id));
	stripe_put_time(w, "date", i->made_at);
	stripe_put_text(w, "description", i->description);
	stripe_put_id(w, a, "invoice", "in_", i->invoice_id);
	put_period(w, i->period_start, i->period_end);
	json_put_bool(w, "proration", i->proration);
	json_put_i64(w, "quantity", i->quantity);
	stripe_put_id(w, a, "subscription", "sub_", i->subscription_id);
	stripe_put_live(w);
	stripe_put_json(w, "metadata", i->metadata);
	json_end(w);
}

Err *invoice_view(Db *db, Arena *a, const InvoiceRow *invoice, InvoiceView *out)
{
	InvoiceLineRow *lines;
	PriceRow *prices;

	*out = (InvoiceView){ .invoice = invoice };
	TRY(db_all(db, a, invoice_lines_of, &lines, &out->line_count, .invoice_id = invoice->id));
	TRY(db_all(db, a, invoice_prices, &prices, &out->price_count, .invoice_id = invoice->id));
	out->lines = lines;
	out->prices = prices;
	return NULL;
}

Err *invoice_text(Db *db, Arena *a, const InvoiceRow *invoice, Str *out)
{
	InvoiceView view;

	TRY(invoice_view(db, a, invoice, &view));
	*out = stripe_text(a, invoice_put, &view);
	return NULL;
}
