/* SPDX-License-Identifier: Apache-2.0
 *
 * The money of an open invoice: a payment intent whose key is the invoice's id, so that however often this is begun there is one intent
 * for an invoice and one charge at most. Between asking and writing down what came of it a process may die: then whoever comes next
 * finds the intent as it is. */
#include "payment/billing_int.h"
#include "payment/intent_int.h"

#include "base/arena.h"
#include "base/time.h"

#define LOOK_AGAIN_US (5 * 60 * US_PER_S)
#define CLOCK_AGAIN_US \
	(86400 * US_PER_S) /* of a test's clock: providers live in the world's time */

static OptUuid first_of(OptUuid x, OptUuid y)
{
	return x.set ? x : y;
}

/* That one, unless it was taken from the customer since it was named. */
static Err *or_this(Db *db, Arena *a, const InvoiceRow *invoice, OptUuid named, OptUuid *method)
{
	Method *row = NULL;

	if (method->set || !named.set)
		return NULL;
	TRY(method_load(db, a, named.v, &row));
	if (row && row->customer.set && uuid_eq(row->customer.v, invoice->customer_id))
		*method = named;
	return NULL;
}

/* What pays it: as was asked for, or as the invoice, its subscription or its customer say. */
static Err *find_method(Db *db, Arena *a, const InvoiceRow *invoice, OptUuid *method)
{
	SubscriptionRow *s = NULL;
	Customer *customer = NULL;

	TRY(or_this(db, a, invoice, invoice->method_id, method));
	if (!method->set && invoice->subscription_id.set)
		TRY(db_one(db, a, subscription_by_id, &s, .id = invoice->subscription_id.v));
	if (s)
		TRY(or_this(db, a, invoice, s->method_id, method));
	if (!method->set)
		TRY(customer_load(db, a, invoice->customer_id, &customer));
	return customer ? or_this(db, a, invoice, customer->method, method) : NULL;
}

static Err *ask(const ServiceHome *home, Arena *a, const InvoiceRow *invoice, OptUuid method,
                IntentSeen *seen)
{
	IntentAsk ask = { .key = service_id_text(a, "in_", invoice->id),
		          .amount = invoice->due - invoice->paid,
		          .currency = invoice->currency,
		          .customer = service_id_text(a, "cus_", invoice->customer_id),
		          .method = service_id_text(a, "pm_", method.v),
		          .invoice = invoice->id,
		          .description = str_fmt(a, "Invoice %.*s", STR_ARG(invoice->number.v)) };
	Err *err = intent_pay(home, a, &ask, true, seen);

	if (err_is(err, "payment.open") ||
	    err_is(err, "payment.no_provider")) { /* another one asks right now; nobody is there */
		seen->outcome = INTENT_OPEN;
		return NULL;
	}
	return err;
}

typedef struct Written {
	Uuid invoice;
	const IntentSeen *seen; /* NULL: nobody was asked, for there is no method */
} Written;

static Err *write_down(Db *tx, Arena *a, void *arg)
{
	const Written *written = arg;
	const IntentSeen *seen = written->seen;
	OptUuid intent = { seen && !uuid_is_nil(seen->id), seen ? seen->id : (Uuid){ { 0 } } };
	InvoiceRow *invoice;
	Bill bill;

	TRY(db_one(tx, a, invoice_by_id, &invoice, .id = written->invoice));
	TRY(bill_begin(tx, a, NULL, invoice->customer_id, &bill));
	TRY(db_one(tx, a, invoice_by_id, &invoice,
	           .id = written->invoice)); /* as it is now that nobody else may */
	if (!str_eq(invoice->status, S("open")))
		return NULL;
	if (seen && seen->outcome == INTENT_PAID)
		return invoice_paid(&bill, invoice, intent, false);
	if (!seen || seen->outcome == INTENT_REFUSED || seen->outcome == INTENT_CANCELED)
		return invoice_refused(&bill, invoice, intent);
	invoice->intent_id = first_of(intent, invoice->intent_id);
	invoice->work_at = opt_int(bill.now_us + (bill.clock.set ? CLOCK_AGAIN_US : LOOK_AGAIN_US));
	return invoice_store_all(&bill, invoice);
}

Err *invoice_collect(const ServiceHome *home, Arena *a, Uuid id, OptUuid method, Collect *out)
{
	IntentSeen seen = { 0 };
	Written written = { .invoice = id };
	InvoiceRow *invoice;

	*out = (Collect){ .what = COLLECT_NOTHING };
	TRY(db_one(home->db, a, invoice_by_id, &invoice, .id = id));
	if (!invoice || !str_eq(invoice->status, S("open")) || invoice->due == invoice->paid)
		return NULL;
	TRY(find_method(home->db, a, invoice, &method));
	*out = (Collect){
		COLLECT_REFUSED, S("invoice_no_payment_method_types"),
		S("There is no payment method: the invoice, its subscription and its customer have none.")
	};
	if (method.set) {
		TRY(ask(home, a, invoice, method, &seen));
		written.seen = &seen;
		*out = (Collect){ seen.outcome == INTENT_PAID ? COLLECT_PAID
			          : seen.outcome == INTENT_REFUSED ||
			                          seen.outcome == INTENT_CANCELED
			                  ? COLLECT_REFUSED
			                  : COLLECT_OPEN,
			          seen.code, seen.message };
	}
	return db_txn(home->db, a, DB_READ_COMMITTED, write_down, &written);
}

/* --- somebody else confirms --------------------------------------------------------------------------------------------------- */

Err *invoice_offer(Bill *bill, InvoiceRow *invoice)
{
	Act act = { .call = bill->call };
	IntentRow *row;

	TRY(intent_new(bill->a, invoice->due - invoice->paid, invoice->currency, &row));
	row->unique_key = opt_str(service_id_text(bill->a, "in_", invoice->id));
	row->customer_id = opt_uuid(bill->customer);
	row->invoice_id = opt_uuid(invoice->id);
	row->description = str_fmt(bill->a, "Invoice %.*s", STR_ARG(invoice->number.v));
	TRY(db_exec_with(bill->tx, bill->a, intent_add, row, NULL));
	TRY(intent_tell(bill->tx, bill->a, &act, "payment_intent.created", row));
	invoice->intent_id = opt_uuid(row->id);
	return NULL;
}
