/* SPDX-License-Identifier: Apache-2.0
 *
 * What the next invoice will say, as things are or as they would be after a change: GET /v1/invoices/upcoming and, as newer clients have it,
 * POST /v1/invoices/create_preview.
 *
 * It is not worked out a second time. The change and the invoice are made as they would be, in a transaction that is then rolled back: a preview
 * that is wrong is a bill that is wrong. */
#include "base/arena.h"
#include "base/time.h"
#include "payment/billing_api.h"
#include "payment/subscription_int.h"

typedef struct Details {
	CONF_LIST_OF(SubscriptionItemIn) items;
	Str proration_behavior, anchor;
	int64_t proration_date;
	bool has_date;
} Details;

typedef struct PreviewIn {
	Str customer, subscription;
	Details details; /* of newer clients */
	Details own;     /* of older ones: the same, beside it */
} PreviewIn;

#define DETAIL_ROWS(type, in, before) \
	{ before "items",  FIELD_OBJECT,  AT_LIST(type, in items), \
	  .items_max = 20, .table = NULL, .help = "what would be subscribed to" }, \
		{ before "proration_behavior", FIELD_STR, AT(type, in proration_behavior), \
		  .max = 30, .help = "as of a change" }, \
		{ before "billing_cycle_anchor", FIELD_STR, AT(type, in anchor), .max = 20, \
		  .help = "as of a change" }, \
	{ \
		before "proration_date", FIELD_INT, AT(type, in proration_date), \
			GIVEN(type, in has_date), .max = INT64_C(99999999999), \
						  .help = "as of a change" \
	}

static const FieldTable *table(void)
{
	static Field details_rows[] = { DETAIL_ROWS(Details, , "") };
	static const FieldTable details = { "InvoicePreviewDetails",
		                            FIELD_ROWS(Details, details_rows),
		                            .help = "what would change" };
	static Field rows[] = {
		{ "customer", FIELD_STR, AT(PreviewIn, customer), .max = 60,
		  .help = "who would pay it" },
		{ "subscription", FIELD_STR, AT(PreviewIn, subscription), .required = true,
		  .max = 60, .help = "of which subscription" },
		{ "subscription_details", FIELD_OBJECT, AT(PreviewIn, details), .table = NULL,
		  .help = "what would change" },
		DETAIL_ROWS(PreviewIn, own., "subscription_"),
	};
	static const FieldTable preview = { "InvoicePreview", FIELD_ROWS(PreviewIn, rows),
		                            .help = "what is to be looked at" };

	if (rows[2].table)
		return &preview;
	details_rows[0].table = subscription_item_table();
	rows[3].table = subscription_item_table();
	rows[2].table = &details;
	return &preview;
}

typedef struct Preview {
	ServiceCall *call;
	const SubscriptionIn *in;
	SubscriptionRow *s;
	Prorate prorate;
	Str text;
} Preview;

/* What ends the transaction when all went well. */
static Err seen = ERR_STATIC(CANCELLED, "payment.preview", "it was only looked at");

static Err *make(Db *tx, Arena *a, void *arg)
{
	Preview *p = arg;
	SubscriptionRow *s = p->s;
	InvoiceRow next, *invoice = &next;
	Rhythm rhythm;
	Bill bill;

	TRY(subscription_would(p->call, tx, p->in, p->prorate, &s, &bill));
	if (s->period_start == bill.now_us &&
	    s->invoice_id.set) { /* a period that began now is invoiced */
		TRY(db_one(tx, a, invoice_by_id, &invoice, .id = s->invoice_id.v));
	} else {
		TRY(subscription_rhythm(a, s, &rhythm));
		s->period_start = s->period_end;
		s->period_end = rhythm_period(&rhythm, s->period_start).end_us;
		TRY(subscription_bill(&bill, s, "upcoming", (Share){ 1, 1 }, &next));
	}
	TRY(invoice_text(tx, a, invoice, &p->text));
	return &seen;
}

static Err *preview(ServiceCall *c)
{
	SubscriptionIn change = { .days_until_due = 0 };
	PreviewIn in;
	Preview p = { .call = c, .in = &change };
	const Details *details;
	const Zone *zone;
	Err *err;

	TRY(stripe_take(c, table(), &in));
	TRY(subscription_find(c, c->db, in.subscription, "subscription", &p.s));
	details = in.details.items.count || in.details.has_date || in.details.anchor.len
	                  ? &in.details
	                  : &in.own;
	change.items.at = details->items.at;
	change.items.count = details->items.count;
	change.billing_cycle_anchor = details->anchor;
	change.proration_date = details->proration_date;
	change.has_proration_date = details->has_date;
	TRY(subscription_prorates(c, details->proration_behavior, &p.prorate));
	TRY(bill_zone(c->arena, p.s->zone, &zone));
	err = db_txn(c->db, c->arena, DB_READ_COMMITTED, make, &p);
	if (err != &seen)
		return err ? err
		           : err_new(c->arena, ERR_INTERNAL, "db.misuse",
		                     "a preview that was kept");
	service_say(c, 200, S("application/json"), p.text);
	return NULL;
}

static const ServiceRoute routes[] = {
	STRIPE_GET("/v1/invoices/upcoming", preview, "billing:read",
	           "what the next invoice will say"),
	STRIPE_POST("/v1/invoices/create_preview", preview, NULL, "billing:read",
	            "the same, as newer clients ask"),
};

ServiceRoutes preview_routes(void)
{
	table(); /* whole before the first request */
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
