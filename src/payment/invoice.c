/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of an invoice: draft, open, and then paid, void or lost.
 *
 * A draft collects lines. When it is finalized it gets its number, what the customer has to his credit is used, and the ledger has it: what
 * is due is receivable, what was sold is income. From then on its lines never change. A total below zero (a cheaper plan in the middle of
 * a month) is paid at once: it becomes the customer's credit.
 *
 * Each of these happens within a Bill: one transaction, alone with the customer. What a provider is asked for is asked between two
 * of them (invoice_collect.c). */
#include "payment/billing_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/invoice.h"
#include "payment/ledger.h"

/* --- one customer at one time -------------------------------------------------------------------------------------------- */

Uuid bill_id(void)
{
	return uuid_new();
}

static Err *no_customer(Arena *a)
{
	return err_new(a, ERR_NOT_FOUND, "payment.unknown", "No such customer");
}

Err *bill_begin(Db *tx, Arena *a, ServiceCall *call, Uuid id, Bill *bill)
{
	BillingCustomerHoldRow *row;
	Customer *customer;
	ClockRow *clock;

	TRY(customer_load(tx, a, id, &customer));
	if (!customer)
		return no_customer(a);
	TRY(db_exec(tx, a, billing_customer_add, NULL, .customer_id = id));
	TRY(db_one(tx, a, billing_customer_hold, &row, .customer_id = id));
	if (!row)
		return no_customer(a);
	*bill = (Bill){ .tx = tx,
		        .a = a,
		        .call = call,
		        .customer = id,
		        .clock = row->clock_id,
		        .now_us = time_utc_us(),
		        .balance = row->balance,
		        .currency = row->currency,
		        .zone = row->zone.len ? row->zone : S("UTC"),
		        .method = row->method_id };
	if (!row->clock_id.set)
		return NULL;
	TRY(db_one(tx, a, clock_by_id, &clock, .id = row->clock_id.v));
	if (clock)
		bill->now_us = clock->frozen_at;
	return NULL;
}

Err *bill_tell(const Bill *bill, const char *type, Str id, Str object)
{
	if (bill->call)
		return stripe_event(bill->call, bill->tx, type, id, object);
	return stripe_event_put(bill->tx, bill->a,
	                        &(StripeEvent){
					.type = str_of(type), .object_id = id, .object = object });
}

static Str id_text(const Bill *bill, const InvoiceRow *invoice)
{
	return service_id_text(bill->a, "in_", invoice->id);
}

static Err *tell(Bill *bill, const char *type, const InvoiceRow *invoice)
{
	Str object;

	TRY(invoice_text(bill->tx, bill->a, invoice, &object));
	return bill_tell(bill, type, id_text(bill, invoice), object);
}

static Err *wrong_state(const Bill *bill, const InvoiceRow *invoice, const char *verb)
{
	return err_new(bill->a, ERR_CONFLICT, "payment.state",
	               "an invoice that is %.*s cannot be %s", STR_ARG(invoice->status), verb);
}

Err *invoice_store_all(Bill *bill, InvoiceRow *i)
{
	i->version++;
	return db_exec(bill->tx, bill->a, invoice_store, NULL, .id = i->id, .status = i->status,
	               .number = i->number, .collection = i->collection, .total = i->total,
	               .due = i->due, .paid = i->paid, .starting_balance = i->starting_balance,
	               .ending_balance = i->ending_balance, .outside = i->outside,
	               .attempts = i->attempts, .advance = i->advance, .method_id = i->method_id,
	               .intent_id = i->intent_id, .due_at = i->due_at, .work_at = i->work_at,
	               .finalized_at = i->finalized_at, .paid_at = i->paid_at,
	               .voided_at = i->voided_at, .uncollectible_at = i->uncollectible_at,
	               .description = i->description, .metadata = i->metadata,
	               .version = i->version);
}

/* --- a draft ------------------------------------------------------------------------------------------------------------- */

/* A customer has one balance, so he is billed in one currency: that of his first invoice. */
static Err *one_currency(Bill *bill, Str currency)
{
	if (!bill->currency.len) {
		bill->currency = currency;
		return db_exec(bill->tx, bill->a, billing_customer_currency, NULL,
		               .customer_id = bill->customer, .currency = currency);
	}
	if (str_eq(bill->currency, currency))
		return NULL;
	return err_new(
		bill->a, ERR_INVALID, "payment.currency",
		"You cannot combine currencies on a single customer: this one is billed in %.*s.",
		STR_ARG(bill->currency));
}

Err *invoice_draft(Bill *bill, const InvoiceDraft *d, InvoiceRow *out)
{
	const SubscriptionRow *s = d->subscription;

	TRY(one_currency(bill, d->currency));

	*out = (InvoiceRow){ .id = bill_id(),
		             .customer_id = bill->customer,
		             .subscription_id = { s != NULL, s ? s->id : (Uuid){ { 0 } } },
		             .clock_id = bill->clock,
		             .status = S("draft"),
		             .currency = d->currency,
		             .reason = str_of(d->reason),
		             .collection =
		                     d->collection.len ? d->collection : S("charge_automatically"),
		             .starting_balance = bill->balance,
		             .advance = d->advance,
		             .method_id = d->method,
		             .period_start = d->period.start_us,
		             .period_end = d->period.end_us,
		             .due_at = { d->days_until_due > 0,
		                         bill->now_us + d->days_until_due * 86400 * US_PER_S },
		             .work_at = { d->advance, bill->now_us + billing_conf()->draft_us },
		             .description = d->description,
		             .metadata = d->metadata.len ? d->metadata : S("{}"),
		             .made_at = bill->now_us,
		             .created_at = time_utc_us() };
	return db_exec_with(bill->tx, bill->a, invoice_add, out, NULL);
}

static Err *add_line(Bill *bill, const InvoiceRow *invoice, InvoiceLineRow *line)
{
	InvoiceLinesSumRow *sum;

	TRY(db_one(bill->tx, bill->a, invoice_lines_sum, &sum, .invoice_id = invoice->id));
	line->id = bill_id();
	line->invoice_id = invoice->id;
	line->place = sum ? sum->lines : 0;
	return db_exec_with(bill->tx, bill->a, invoice_line_add, line, NULL);
}

/* A period that is on an invoice already is refused by the table: "db.unique". */
Err *invoice_period(Bill *bill, InvoiceRow *invoice, const SubscriptionItemRow *item,
                    const PriceRow *price, Period period, int64_t amount)
{
	ProductRow *product;
	InvoiceLineRow line = { .kind = S("period"),
		                .item_id = opt_uuid(item->id),
		                .price_id = opt_uuid(price->id),
		                .quantity = item->quantity,
		                .amount = amount,
		                .currency = price->currency,
		                .period_start = period.start_us,
		                .period_end = period.end_us };

	TRY(db_one(bill->tx, bill->a, product_by_id, &product, .id = price->product_id));
	line.description = str_fmt(bill->a, "%" PRId64 " \u00d7 %.*s", item->quantity,
	                           STR_ARG(product ? product->name : S("?")));
	return add_line(bill, invoice, &line);
}

Err *invoice_take(Bill *bill, InvoiceRow *invoice, const InvoiceItemRow *item)
{
	TRY(db_exec(bill->tx, bill->a, invoice_item_onto, NULL, .id = item->id,
	            .invoice_id = invoice->id));
	return add_line(bill, invoice,
	                &(InvoiceLineRow){ .kind = S("item"),
	                                   .item_id = item->item_id,
	                                   .invoice_item_id = opt_uuid(item->id),
	                                   .price_id = item->price_id,
	                                   .quantity = item->quantity,
	                                   .amount = item->amount,
	                                   .currency = item->currency,
	                                   .proration = item->proration,
	                                   .period_start = item->period_start,
	                                   .period_end = item->period_end,
	                                   .description = item->description });
}

Err *invoice_take_waiting(Bill *bill, InvoiceRow *invoice)
{
	InvoiceItemRow *items;
	size_t count;

	TRY(db_all(bill->tx, bill->a, invoice_items_waiting, &items, &count,
	           .customer_id = bill->customer, .subscription_id = invoice->subscription_id,
	           .currency = invoice->currency));
	for (size_t i = 0; i < count; i++)
		TRY(invoice_take(bill, invoice, &items[i]));
	return NULL;
}

Err *invoice_sum(Bill *bill, InvoiceRow *invoice)
{
	InvoiceLinesSumRow *sum;

	TRY(db_one(bill->tx, bill->a, invoice_lines_sum, &sum, .invoice_id = invoice->id));
	invoice->total = sum ? sum->total : 0;
	invoice->due = MAX(invoice->total + MIN(bill->balance, INT64_C(0)), INT64_C(0));
	return invoice_store_all(bill, invoice);
}

/* --- the ledger ---------------------------------------------------------------------------------------------------------- */

static Err *book(Bill *bill, const InvoiceRow *invoice, const char *what, LedgerTransfer *moved,
                 size_t count)
{
	LedgerGroup group = { .kind = S("invoice"),
		              .source = str_fmt(bill->a, "%.*s%s", STR_ARG(id_text(bill, invoice)),
		                                what),
		              .currency = invoice->currency,
		              .memo = invoice->number.set ? invoice->number.v : S(""),
		              .at_us = bill->now_us,
		              .at = moved,
		              .count = count };

	return count ? ledger_post(bill->tx, bill->a, &group, NULL) : NULL;
}

static Str credit_account(const Bill *bill)
{
	return str_fmt(bill->a, "customer:%.*s", STR_ARG(uuid_text(bill->a, bill->customer)));
}

/* What was sold, what is due of it, what the customer had to his credit; back: all of it undone. */
static Err *book_sold(Bill *bill, const InvoiceRow *invoice, bool back)
{
	int64_t used = invoice->total > 0 ? invoice->total - invoice->due : 0;
	Str receivable = S("receivable"), sold = S("subscriptions"), credit = credit_account(bill);
	LedgerTransfer moved[2];
	size_t count = 0;

	if (invoice->due)
		moved[count++] = (LedgerTransfer){ .debit = back ? sold : receivable,
			                           .credit = back ? receivable : sold,
			                           .amount = invoice->due };
	if (used)
		moved[count++] = (LedgerTransfer){ .debit = back ? sold : credit,
			                           .credit = back ? credit : sold,
			                           .amount = used };
	if (invoice->total < 0)
		moved[count++] = (LedgerTransfer){ .debit = back ? credit : sold,
			                           .credit = back ? sold : credit,
			                           .amount = -invoice->total };
	return book(bill, invoice, back ? ":void" : "", moved, count);
}

/* Money for an invoice that nobody owes any more. */
static Err *keep_as_credit(Bill *bill, const InvoiceRow *invoice, int64_t received)
{
	LedgerTransfer moved = { .debit = S("receivable"),
		                 .credit = credit_account(bill),
		                 .amount = received };

	bill->balance -= received;
	TRY(db_exec(bill->tx, bill->a, billing_customer_balance, NULL,
	            .customer_id = bill->customer, .balance = bill->balance));
	return book(bill, invoice, ":credit", &moved, 1);
}

Err *invoice_settled(Db *tx, Arena *a, Uuid id, Uuid intent, int64_t received)
{
	InvoiceRow *invoice;
	Bill bill;

	TRY(db_one(tx, a, invoice_by_id, &invoice, .id = id));
	if (!invoice)
		return NULL; /* of another system's: its id is all we have */
	TRY(bill_begin(tx, a, NULL, invoice->customer_id, &bill));
	TRY(db_one(tx, a, invoice_by_id, &invoice,
	           .id = id)); /* as it is now that nobody else may */
	if (str_eq(invoice->status, S("open")) && received == invoice->due - invoice->paid)
		return invoice_paid(&bill, invoice, opt_uuid(intent), false);
	return keep_as_credit(&bill, invoice, received);
}

/* --- from draft to its end ----------------------------------------------------------------------------------------------- */

static void set_balance(Bill *bill, InvoiceRow *invoice)
{
	int64_t sum = invoice->total + MIN(bill->balance, INT64_C(0));

	invoice->starting_balance = bill->balance;
	invoice->due = MAX(sum, INT64_C(0));
	bill->balance = MIN(sum, INT64_C(0));
	invoice->ending_balance = opt_int(bill->balance);
}

Err *invoice_finalize(Bill *bill, InvoiceRow *invoice)
{
	Str number;

	if (!str_eq(invoice->status, S("draft")))
		return wrong_state(bill, invoice, "finalized");
	TRY(invoice_sum(bill, invoice));
	TRY(customer_next_invoice(bill->tx, bill->a, bill->customer, &number));
	set_balance(bill, invoice);
	invoice->status = S("open");
	invoice->number = opt_str(number);
	invoice->finalized_at = opt_int(bill->now_us);
	invoice->work_at = (OptInt){ invoice->advance &&
		                             str_eq(invoice->collection, S("charge_automatically")),
		                     bill->now_us };
	TRY(db_exec(bill->tx, bill->a, billing_customer_balance, NULL,
	            .customer_id = bill->customer, .balance = bill->balance));
	TRY(book_sold(bill, invoice, false));
	TRY(invoice_store_all(bill, invoice));
	TRY(tell(bill, "invoice.finalized", invoice));
	return invoice->due ? NULL : invoice_paid(bill, invoice, (OptUuid){ 0 }, false);
}

Err *invoice_paid(Bill *bill, InvoiceRow *invoice, OptUuid intent, bool outside)
{
	LedgerTransfer moved = { .debit = S("bank"),
		                 .credit = S("receivable"),
		                 .amount = invoice->due - invoice->paid };

	if (!str_eq(invoice->status, S("open")))
		return wrong_state(bill, invoice, "paid");
	invoice->status = S("paid");
	invoice->paid = invoice->due;
	invoice->outside = outside;
	invoice->intent_id = intent.set ? intent : invoice->intent_id;
	invoice->paid_at = opt_int(bill->now_us);
	invoice->work_at = (OptInt){ 0 };
	if (outside)
		TRY(book(bill, invoice, ":outside", &moved, moved.amount > 0));
	TRY(invoice_store_all(bill, invoice));
	TRY(tell(bill, "invoice.paid", invoice));
	TRY(tell(bill, "invoice.payment_succeeded", invoice));
	return invoice->subscription_id.set ? subscription_paid(bill, invoice) : NULL;
}

Err *invoice_void(Bill *bill, InvoiceRow *invoice)
{
	int64_t used = invoice->total > 0 ? invoice->total - invoice->due : invoice->total;

	if (!str_eq(invoice->status, S("open")))
		return wrong_state(bill, invoice, "voided");
	TRY(book_sold(bill, invoice, true));
	bill->balance -= used;
	TRY(db_exec(bill->tx, bill->a, billing_customer_balance, NULL,
	            .customer_id = bill->customer, .balance = bill->balance));
	invoice->status = S("void");
	invoice->voided_at = opt_int(bill->now_us);
	invoice->work_at = (OptInt){ 0 };
	TRY(invoice_store_all(bill, invoice));
	return tell(bill, "invoice.voided", invoice);
}

Err *invoice_lose(Bill *bill, InvoiceRow *invoice)
{
	LedgerTransfer moved = { .debit = S("losses"),
		                 .credit = S("receivable"),
		                 .amount = invoice->due - invoice->paid };

	if (!str_eq(invoice->status, S("open")))
		return wrong_state(bill, invoice, "marked uncollectible");
	TRY(book(bill, invoice, ":lost", &moved, moved.amount > 0));
	invoice->status = S("uncollectible");
	invoice->uncollectible_at = opt_int(bill->now_us);
	invoice->work_at = (OptInt){ 0 };
	TRY(invoice_store_all(bill, invoice));
	return tell(bill, "invoice.marked_uncollectible", invoice);
}

/* One more attempt is over; the next one is due some days later, until there is none. */
Err *invoice_refused(Bill *bill, InvoiceRow *invoice, OptUuid intent)
{
	const BillingConf *conf = billing_conf();
	size_t done = (size_t)invoice->attempts;
	bool first = str_eq(
		invoice->reason,
		S("subscription_create")); /* nobody waits for that: who subscribes sees it */
	bool last = first || done >= conf->retry_days.count || !invoice->advance;

	invoice->attempts++;
	invoice->intent_id = intent.set ? intent : invoice->intent_id;
	invoice->work_at =
		(OptInt){ !last,
		          last ? 0 : bill->now_us + conf->retry_days.at[done] * 86400 * US_PER_S };
	TRY(invoice_store_all(bill, invoice));
	TRY(tell(bill, "invoice.payment_failed", invoice));
	return invoice->subscription_id.set && !first ? subscription_refused(bill, invoice, last)
	                                              : NULL;
}
