/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of billing share: products, prices, subscriptions, invoices, clocks of tests. */
#pragma once
#include "payment/billing_conf.h"
#include "payment/payment_store.h"
#include "payment/proration.h"
#include "payment/stripe.h"

#include "payment_billing_sql.h"

/* What is done for one customer at one time, in one transaction: who holds it is alone with the customer. */
typedef struct Bill {
	Db *tx;
	Arena *a;
	ServiceCall *call; /* NULL: nobody's request */
	Uuid customer;
	OptUuid clock;  /* of a test: the customer lives by it */
	int64_t now_us; /* of the clock, or of the world */
	int64_t balance;
	Str currency; /* he is billed in; empty: not yet */
	Str zone;
	OptUuid method; /* the customer's default */
} Bill;
/* Fails with NOT_FOUND "payment.unknown" when there is no such customer. */
Err *bill_begin(Db *tx, Arena *a, ServiceCall *call, Uuid customer, Bill *bill) MUST_USE;
/* An event of it, whose object is as put says. */
Err *bill_tell(const Bill *bill, const char *type, Str id, Str object) MUST_USE;
/* A new id, later than all before. */
Uuid bill_id(void);

/* The zone of that name, kept for as long as the process lives. Parks where it was never asked for: not in a transaction, where it is to
 * be asked for before. Fails with INVALID "zone.unknown". */
Err *bill_zone(Arena *a, Str name, const Zone **out) MUST_USE;

/* --- products, prices: product.c ------------------------------------------------------------------------------------------- */

StripePut product_put; /* of a ProductRow */
StripePut price_put;   /* of a PriceRow */
/* A price that may be sold: NOT_FOUND "payment.unknown" with this param; with recurring, one that comes again. */
Err *price_named(ServiceCall *c, Db *db, Str text, const char *param, PriceRow **out) MUST_USE;

/* --- invoices: invoice.c ----------------------------------------------------------------------------------------------------- */

typedef struct InvoiceDraft {
	const SubscriptionRow *subscription; /* NULL: none */
	const char *reason;                  /* "subscription_cycle", "manual" */
	Str currency;
	Str collection; /* empty: charge_automatically */
	OptUuid method;
	int64_t days_until_due;
	Period period;
	bool advance;
	Str description, metadata;
} InvoiceDraft;
/* All of these in the bill's transaction; they fill `invoice` as it is then, and tell what has happened. */
Err *invoice_draft(Bill *bill, const InvoiceDraft *draft, InvoiceRow *invoice) MUST_USE;
/* A line of an item's period, in advance. free: nothing is asked for it (a trial). */
Err *invoice_period(Bill *bill, InvoiceRow *invoice, const SubscriptionItemRow *item,
                    const PriceRow *price, Period period, int64_t amount) MUST_USE;
/* What waits for the customer goes onto it: of this subscription and of none. */
Err *invoice_take_waiting(Bill *bill, InvoiceRow *invoice) MUST_USE;
/* That one. */
Err *invoice_take(Bill *bill, InvoiceRow *invoice, const InvoiceItemRow *item) MUST_USE;
/* After lines were added: its total. */
Err *invoice_sum(Bill *bill, InvoiceRow *invoice) MUST_USE;
/* It gets its number, the customer's balance is used, the ledger knows it. With nothing due it is paid. */
Err *invoice_finalize(Bill *bill, InvoiceRow *invoice) MUST_USE;
/* outside: not by an intent of ours. */
Err *invoice_paid(Bill *bill, InvoiceRow *invoice, OptUuid intent, bool outside) MUST_USE;
Err *invoice_void(Bill *bill, InvoiceRow *invoice) MUST_USE;
Err *invoice_lose(Bill *bill, InvoiceRow *invoice) MUST_USE; /* nobody will pay it */
Err *invoice_refused(Bill *bill, InvoiceRow *invoice, OptUuid intent) MUST_USE;
Err *invoice_store_all(Bill *bill, InvoiceRow *invoice) MUST_USE;

typedef struct InvoiceView {
	const InvoiceRow *invoice;
	const InvoiceLineRow *lines;
	size_t line_count;
	const PriceRow *prices;
	size_t price_count;
	Str intent; /* as JSON, in place of its id; empty: the id */
} InvoiceView;
StripePut invoice_put;      /* of an InvoiceView */
StripePut invoice_item_put; /* of an InvoiceItemRow */
Err *invoice_view(Db *db, Arena *a, const InvoiceRow *invoice, InvoiceView *out) MUST_USE;
Err *invoice_text(Db *db, Arena *a, const InvoiceRow *invoice, Str *out) MUST_USE;
/* As a request wants it: with its intent within where it says `path`. */
Err *invoice_text_for(ServiceCall *c, Db *db, const InvoiceRow *invoice, const char *path, Str *out)
	MUST_USE;
void invoice_lines_put(JsonWriter *w, Arena *a, const InvoiceView *view, size_t most);

/* Asks for the money of an open invoice. Parks, not in a transaction. */
typedef enum Collected { COLLECT_PAID, COLLECT_REFUSED, COLLECT_OPEN, COLLECT_NOTHING } Collected;
typedef struct Collect {
	Collected what;
	Str code, message; /* of a refusal */
} Collect;
Err *invoice_collect(const ServiceHome *home, Arena *a, Uuid invoice, OptUuid method, Collect *out)
	MUST_USE;

/* In the bill's transaction: an intent of the invoice that nobody has confirmed yet, for a client that will. Only of an open one without an
 * intent; to be stored. */
Err *invoice_offer(Bill *bill, InvoiceRow *invoice) MUST_USE;

/* --- subscriptions: subscription.c -------------------------------------------------------------------------------------------- */

typedef struct SubscriptionView {
	const SubscriptionRow *subscription;
	const SubscriptionItemRow *items;
	size_t item_count;
	const PriceRow *prices;
	size_t price_count;
	Str invoice; /* the latest one as JSON; empty: its id */
} SubscriptionView;
StripePut subscription_put; /* of a SubscriptionView */
void subscription_item_put(JsonWriter *w, Arena *a, const SubscriptionView *view,
                           const SubscriptionItemRow *item);
Err *subscription_view(Db *db, Arena *a, const SubscriptionRow *subscription, SubscriptionView *out)
	MUST_USE;
const PriceRow *price_of(const PriceRow *prices, size_t count,
                         Uuid id); /* NULL: it is not among them */

/* In the bill's transaction. What comes of an invoice for its subscription. */
Err *subscription_paid(Bill *bill, const InvoiceRow *invoice) MUST_USE;
Err *subscription_refused(Bill *bill, const InvoiceRow *invoice, bool last) MUST_USE;
Err *subscription_end(Bill *bill, SubscriptionRow *s, const char *status) MUST_USE;
/* What is due of it is done: one step. */
Err *subscription_turn(Bill *bill, SubscriptionRow *s) MUST_USE;
Err *subscription_save(Bill *bill, SubscriptionRow *s, const char *event) MUST_USE;
/* Its zone was asked for before (bill_zone). */
Err *subscription_rhythm(Arena *a, const SubscriptionRow *s, Rhythm *out) MUST_USE;
/* Invoices the period it is in: a line of each item, that share of it (none: a trial), and what waits. */
Err *subscription_bill(Bill *bill, SubscriptionRow *s, const char *reason, Share share,
                       InvoiceRow *invoice) MUST_USE;
/* Credit for what is left of the period of an item, or the charge for it: an invoice item that waits. */
Err *subscription_prorate(Bill *bill, const SubscriptionRow *s, const SubscriptionItemRow *item,
                          const PriceRow *price, int64_t quantity, bool credit, int64_t at_us)
	MUST_USE;
void subscription_plan(SubscriptionRow *s); /* due_at, of all that may be next */

/* Of what is sent: is it a way that is known, and a method of this customer? (subscription_api.c) */
Err *subscription_collection(ServiceCall *c, Str text, int64_t days) MUST_USE;
Err *subscription_method(ServiceCall *c, Db *db, Str text, Uuid customer, OptUuid *out) MUST_USE;
