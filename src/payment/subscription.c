/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a subscription. It is paid in advance: when a period begins it is invoiced, with a line for each item and whatever
 * waited for the customer (parts of periods, after changes). due_at says when something is next: a trial ends, a period ends, it is to be
 * cancelled, or nobody has paid its first invoice for a day. Each step is one transaction, alone with the customer, and moves due_at on; a
 * process that was away for months does one step after the other until it is in the present.
 *
 *   incomplete -> active | incomplete_expired     trialing -> active
 *   active <-> past_due -> unpaid | canceled      all of them -> canceled
 *
 * A period is invoiced once, whatever runs twice: (item, start of the period) is unique among the lines. */
#include "payment/billing_int.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/civil.h"
#include "base/time.h"
#include "base/zone.h"

#define INCOMPLETE_US (23 * 3600 * US_PER_S)

static bool is(const SubscriptionRow *s, const char *status)
{
	return str_eq(s->status, str_of(status));
}

static bool is_over(const SubscriptionRow *s)
{
	return s->ended_at.set;
}

/* --- when ---------------------------------------------------------------------------------------------------------------- */

Err *subscription_rhythm(Arena *a, const SubscriptionRow *s, Rhythm *out)
{
	*out = (Rhythm){ .anchor_us = s->anchor_at, .every = EVERY_MONTH, .count = s->every_count };
	every_read(s->every, &out->every);
	return bill_zone(a, s->zone, &out->zone);
}

void subscription_plan(SubscriptionRow *s)
{
	s->due_at = (OptInt){ 0 };
	if (is_over(s))
		return;
	s->due_at = opt_int(is(s, "incomplete") ? s->started_at + INCOMPLETE_US : s->period_end);
	if (s->cancel_at.set && s->cancel_at.v < s->due_at.v)
		s->due_at = s->cancel_at;
}

Err *subscription_save(Bill *bill, SubscriptionRow *s, const char *event)
{
	SubscriptionView view;

	subscription_plan(s);
	s->version++;
	TRY(db_exec(bill->tx, bill->a, subscription_store, NULL, .id = s->id, .status = s->status,
	            .every = s->every, .every_count = s->every_count, .anchor_at = s->anchor_at,
	            .period_start = s->period_start, .period_end = s->period_end,
	            .trial_start = s->trial_start, .trial_end = s->trial_end,
	            .cancel_at = s->cancel_at, .cancel_at_end = s->cancel_at_end,
	            .canceled_at = s->canceled_at, .ended_at = s->ended_at,
	            .method_id = s->method_id, .collection = s->collection,
	            .days_until_due = s->days_until_due, .invoice_id = s->invoice_id,
	            .description = s->description, .metadata = s->metadata, .version = s->version,
	            .due_at = s->due_at));
	TRY(subscription_view(bill->tx, bill->a, s, &view));
	return bill_tell(bill, event, service_id_text(bill->a, "sub_", s->id),
	                 stripe_text(bill->a, subscription_put, &view));
}

/* --- what is asked for --------------------------------------------------------------------------------------------------- */

Err *subscription_bill(Bill *bill, SubscriptionRow *s, const char *reason, Share share,
                       InvoiceRow *invoice)
{
	Period period = { s->period_start, s->period_end };
	SubscriptionView view;
	InvoiceDraft draft = { .subscription = s,
		               .reason = reason,
		               .currency = s->currency,
		               .collection = s->collection,
		               .days_until_due = s->days_until_due,
		               .period = period,
		               .advance = !is(s, "unpaid") };

	TRY(subscription_view(bill->tx, bill->a, s, &view));
	TRY(invoice_draft(bill, &draft, invoice));
	for (size_t i = 0; i < view.item_count; i++) {
		const PriceRow *price =
			price_of(view.prices, view.price_count, view.items[i].price_id);
		int64_t amount = 0;

		if (!price || !money_times(price->amount, view.items[i].quantity, &amount))
			return err_new(bill->a, ERR_INVALID, "payment.amount",
			               "that is more than money may be");
		TRY(invoice_period(bill, invoice, &view.items[i], price, period,
		                   proration_part(amount, share)));
	}
	if (share.left)
		TRY(invoice_take_waiting(bill, invoice));
	TRY(invoice_sum(bill, invoice));
	s->invoice_id = opt_uuid(invoice->id);
	return NULL;
}

static Str date_text(Arena *a, const Zone *zone, int64_t us)
{
	int64_t utc_s = us / US_PER_S;
	Civil day = civil_of((utc_s + zone_offset(zone, utc_s)) / SECONDS_OF_DAY);

	return str_fmt(a, "%04" PRId64 "-%02d-%02d", day.year, day.month, day.day);
}

Err *subscription_prorate(Bill *bill, const SubscriptionRow *s, const SubscriptionItemRow *item,
                          const PriceRow *price, int64_t quantity, bool credit, int64_t at_us)
{
	Period period = { s->period_start, s->period_end };
	ProductRow *product;
	Rhythm rhythm;
	Share share;
	int64_t amount;
	InvoiceItemRow row = { .id = bill_id(),
		               .customer_id = bill->customer,
		               .subscription_id = opt_uuid(s->id),
		               .item_id = opt_uuid(item->id),
		               .price_id = opt_uuid(price->id),
		               .currency = price->currency,
		               .quantity = quantity,
		               .proration = true,
		               .period_start = at_us,
		               .period_end = s->period_end,
		               .metadata = S("{}"),
		               .made_at = bill->now_us,
		               .created_at = time_utc_us() };

	TRY(subscription_rhythm(bill->a, s, &rhythm));
	share = proration_share(rhythm.zone, period, at_us);
	if (!quantity || !share.left)
		return NULL;
	if (!money_times(price->amount, quantity, &amount))
		return err_new(bill->a, ERR_INVALID, "payment.amount",
		               "that is more than money may be");
	row.amount = proration_part(credit ? -amount : amount, share);
	TRY(db_one(bill->tx, bill->a, product_by_id, &product, .id = price->product_id));
	row.description =
		str_fmt(bill->a, "%s time on %" PRId64 " \u00d7 %.*s %s %.*s",
	                credit ? "Unused" : "Remaining", quantity,
	                STR_ARG(product ? product->name : S("?")), credit ? "after" : "from",
	                STR_ARG(date_text(bill->a, rhythm.zone, at_us)));
	return db_exec_with(bill->tx, bill->a, invoice_item_add, &row, NULL);
}

/* --- what becomes of it -------------------------------------------------------------------------------------------------- */

/* What is open goes no further by itself. */
static Err *leave_invoices(Bill *bill, const SubscriptionRow *s, bool void_them)
{
	InvoiceRow *open;
	size_t count;

	TRY(db_all(bill->tx, bill->a, subscription_invoices_open, &open, &count,
	           .subscription_id = s->id));
	for (size_t i = 0; i < count; i++) {
		if (void_them && str_eq(open[i].status, S("open"))) {
			TRY(invoice_void(bill, &open[i]));
			continue;
		}
		open[i].advance = false;
		open[i].work_at = (OptInt){ 0 };
		TRY(invoice_store_all(bill, &open[i]));
	}
	return NULL;
}

Err *subscription_end(Bill *bill, SubscriptionRow *s, const char *status)
{
	bool unpaid = is(s, "incomplete"); /* it never began: nobody owes anything */

	s->status = str_of(status);
	s->ended_at = opt_int(bill->now_us);
	if (!s->canceled_at.set)
		s->canceled_at = opt_int(bill->now_us);
	TRY(leave_invoices(bill, s, unpaid));
	return subscription_save(bill, s, "customer.subscription.deleted");
}

static Err *begin_period(Bill *bill, SubscriptionRow *s)
{
	InvoiceRow invoice;
	Rhythm rhythm;
	Period next;
	Str object;

	TRY(subscription_rhythm(bill->a, s, &rhythm));
	next = rhythm_period(&rhythm, s->period_end);
	s->period_start = s->period_end;
	s->period_end = next.end_us;
	if (is(s, "trialing"))
		s->status = S("active");
	TRY(subscription_bill(bill, s, "subscription_cycle", (Share){ 1, 1 }, &invoice));
	TRY(invoice_text(bill->tx, bill->a, &invoice, &object));
	TRY(bill_tell(bill, "invoice.created", service_id_text(bill->a, "in_", invoice.id),
	              object));
	return subscription_save(bill, s, "customer.subscription.updated");
}

Err *subscription_turn(Bill *bill, SubscriptionRow *s)
{
	if (!s->due_at.set || s->due_at.v > bill->now_us)
		return NULL; /* somebody was quicker */
	if (is(s, "incomplete"))
		return subscription_end(bill, s, "incomplete_expired");
	if ((s->cancel_at.set && s->cancel_at.v <= bill->now_us) || s->cancel_at_end)
		return subscription_end(bill, s, "canceled");
	return begin_period(bill, s);
}

static Err *count_open(Bill *bill, const SubscriptionRow *s, size_t *open)
{
	InvoiceRow *rows;
	size_t count;

	TRY(db_all(bill->tx, bill->a, subscription_invoices_open, &rows, &count,
	           .subscription_id = s->id));
	*open = 0;
	for (size_t i = 0; i < count; i++)
		*open += str_eq(rows[i].status, S("open")) && rows[i].attempts > 0;
	return NULL;
}

Err *subscription_paid(Bill *bill, const InvoiceRow *invoice)
{
	SubscriptionRow *s;
	size_t open;

	TRY(db_one(bill->tx, bill->a, subscription_by_id, &s, .id = invoice->subscription_id.v));
	if (!s || is_over(s) || is(s, "active") || is(s, "trialing"))
		return NULL;
	TRY(count_open(bill, s, &open));
	if (open && !is(s, "incomplete"))
		return NULL;
	s->status = S("active");
	return subscription_save(bill, s, "customer.subscription.updated");
}

Err *subscription_refused(Bill *bill, const InvoiceRow *invoice, bool last)
{
	SubscriptionRow *s;

	TRY(db_one(bill->tx, bill->a, subscription_by_id, &s, .id = invoice->subscription_id.v));
	if (!s || is_over(s) || is(s, "incomplete"))
		return NULL;
	if (last && billing_conf()->end == BILLING_CANCEL)
		return subscription_end(bill, s, "canceled");
	if (last && billing_conf()->end == BILLING_UNPAID)
		s->status = S("unpaid");
	else if (is(s, "active"))
		s->status = S("past_due");
	return subscription_save(bill, s, "customer.subscription.updated");
}
