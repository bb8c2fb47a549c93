/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /v1/subscriptions: two transactions, with a provider asked between them. The first makes the subscription and its first invoice,
 * finalized; then the invoice is collected; the last says what came of it. Whoever sends the same key again after a death between them
 * finds the subscription and goes on from there: no second one, no second charge. */
#include "base/arena.h"
#include "base/time.h"
#include "payment/intent.h"
#include "payment/subscription_int.h"

#define CLAIM_US (60 * US_PER_S)
#define DAY_US (86400 * US_PER_S)

typedef struct Make {
	const SubscriptionIn *in;
	Uuid customer;
	SubscriptionRow *s;
	PriceRow **prices;
	Prorate prorate;
	Collect collected;
} Make;

/* --- what is wanted ------------------------------------------------------------------------------------------------------ */

static Err *check_item(ServiceCall *c, Db *tx, const SubscriptionIn *in, size_t i,
                       SubscriptionRow *s, PriceRow **price)
{
	const char *param = str_fmt(c->arena, "items[%zu][price]", i).at;

	TRY(price_named(c, tx, in->items.at[i].price, param, price));
	if (!(*price)->every.len)
		return stripe_wrong(
			c, param, "parameter_invalid_string",
			"The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.");
	if (!i) {
		s->every = (*price)->every;
		s->every_count = (*price)->every_count;
		s->currency = (*price)->currency;
	}
	if (!str_eq(s->every, (*price)->every) || s->every_count != (*price)->every_count)
		return stripe_wrong(c, param, "parameter_invalid_string",
		                    "All prices of a subscription must come at the same interval.");
	if (!str_eq(s->currency, (*price)->currency))
		return stripe_wrong(c, param, "parameter_invalid_string",
		                    "All prices of a subscription must have the same currency.");
	return NULL;
}

static Err *check_items(ServiceCall *c, Db *tx, Make *make, SubscriptionRow *s)
{
	size_t count = make->in->items.count;

	if (!count)
		return stripe_wrong(c, "items", "parameter_missing",
		                    "Missing required param: items.");
	make->prices = ARENA_ARRAY(c->arena, PriceRow *, count);
	for (size_t i = 0; i < count; i++)
		TRY(check_item(c, tx, make->in, i, s, &make->prices[i]));
	return NULL;
}

static Err *add_items(ServiceCall *c, Db *tx, const Make *make, const SubscriptionRow *s)
{
	for (size_t i = 0; i < make->in->items.count; i++) {
		const SubscriptionItemIn *in = &make->in->items.at[i];
		SubscriptionItemRow item = { .id = bill_id(),
			                     .subscription_id = s->id,
			                     .price_id = make->prices[i]->id,
			                     .quantity = in->has_quantity ? in->quantity : 1,
			                     .created_at = s->started_at };

		TRY(stripe_metadata(c, S(""), in->metadata, &item.metadata));
		TRY(db_exec_with(tx, c->arena, subscription_item_add, &item, NULL));
	}
	return NULL;
}

static Err *set_trial(ServiceCall *c, const SubscriptionIn *in, SubscriptionRow *s)
{
	int64_t end_us = s->started_at;

	if (in->has_trial_days)
		end_us += in->trial_period_days * DAY_US;
	if (in->has_trial_end)
		TRY(subscription_moment(c, in->trial_end, "trial_end", s->started_at, &end_us));
	if (end_us <= s->started_at)
		return NULL;
	s->status = S("trialing");
	s->trial_start = opt_int(s->started_at);
	s->trial_end = opt_int(end_us);
	s->anchor_at = end_us;
	s->period_end = end_us;
	return NULL;
}

/* From here to the anchor that was asked for, or a whole period. */
static Err *set_period(ServiceCall *c, const SubscriptionIn *in, SubscriptionRow *s)
{
	Rhythm rhythm;

	if (in->has_anchor) {
		TRY(subscription_moment(c, in->billing_cycle_anchor, "billing_cycle_anchor",
		                        s->started_at, &s->anchor_at));
		if (s->anchor_at < s->started_at)
			return stripe_wrong(c, "billing_cycle_anchor", "parameter_invalid_integer",
			                    "billing_cycle_anchor is in the past");
	}
	TRY(subscription_rhythm(c->arena, s, &rhythm));
	s->period_end = rhythm_period(&rhythm, s->started_at).end_us;
	if (in->has_anchor && s->anchor_at > s->started_at && s->period_end < s->anchor_at)
		return stripe_wrong(
			c, "billing_cycle_anchor", "parameter_invalid_integer",
			"billing_cycle_anchor is later than the first period would end");
	return NULL;
}

static Err *set_wishes(ServiceCall *c, Db *tx, const SubscriptionIn *in, SubscriptionRow *s)
{
	TRY(stripe_metadata(c, S(""), in->metadata, &s->metadata));
	TRY(subscription_method(c, tx, in->default_payment_method, s->customer_id, &s->method_id));
	TRY(subscription_collection(c, in->collection_method, in->days_until_due));
	if (in->collection_method.len)
		s->collection = in->collection_method;
	s->cancel_at_end = in->cancel_at_period_end;
	if (!in->cancel_at.len)
		return NULL;
	s->cancel_at.set = true;
	return subscription_moment(c, in->cancel_at, "cancel_at", s->started_at, &s->cancel_at.v);
}

/* --- the first transaction ------------------------------------------------------------------------------------------------ */

static Err *first_invoice(Bill *bill, const Make *make, SubscriptionRow *s)
{
	Share share = { 1, 1 };
	InvoiceRow invoice;
	Rhythm rhythm;
	Period whole;
	Str object;

	TRY(subscription_rhythm(bill->a, s, &rhythm));
	whole = rhythm_period(&rhythm, s->period_start);
	if (str_eq(s->status, S("trialing")))
		share.left = 0;
	else if (whole.start_us <
	         s->period_start) /* the anchor lies ahead: this is a part of a period */
		share = proration_share(rhythm.zone, whole, s->period_start);
	if (make->prorate == PRORATE_NONE && share.left && share.left < share.all)
		return NULL;
	TRY(subscription_bill(bill, s, "subscription_create", share, &invoice));
	TRY(invoice_text(bill->tx, bill->a, &invoice, &object));
	TRY(bill_tell(bill, "invoice.created", service_id_text(bill->a, "in_", invoice.id),
	              object));
	return invoice_finalize(bill, &invoice);
}

static Err *lay_out(ServiceCall *c, Db *tx, Make *make, const Bill *bill, SubscriptionRow *s)
{
	*s = (SubscriptionRow){ .id = bill_id(),
		                .customer_id = bill->customer,
		                .clock_id = bill->clock,
		                .status = S("incomplete"),
		                .zone = bill->zone,
		                .anchor_at = bill->now_us,
		                .period_start = bill->now_us,
		                .collection = S("charge_automatically"),
		                .days_until_due = make->in->days_until_due,
		                .description = make->in->description,
		                .started_at = bill->now_us,
		                .created_at = bill->now_us };
	TRY(check_items(c, tx, make, s));
	TRY(set_wishes(c, tx, make->in, s));
	TRY(set_period(c, make->in, s));
	TRY(set_trial(c, make->in, s));
	TRY(db_exec_with(tx, c->arena, subscription_add, s, NULL));
	return add_items(c, tx, make, s);
}

static bool waits_for_client(const Make *make)
{
	return str_eq(make->in->payment_behavior, S("default_incomplete"));
}

/* What need not be paid now is active. */
static Err *begin_it(Bill *bill, const Make *make, SubscriptionRow *s)
{
	InvoiceRow *invoice = NULL;

	TRY(first_invoice(bill, make, s));
	if (s->invoice_id.set)
		TRY(db_one(bill->tx, bill->a, invoice_by_id, &invoice, .id = s->invoice_id.v));
	if (str_eq(s->status, S("incomplete")) && (!invoice || str_eq(invoice->status, S("paid")) ||
	                                           str_eq(s->collection, S("send_invoice"))))
		s->status = S("active");
	if (invoice &&
	    str_eq(invoice->status, S("open"))) { /* collected at once, or by whoever confirms */
		invoice->work_at = (OptInt){ 0 };
		if (waits_for_client(make))
			TRY(invoice_offer(bill, invoice));
		TRY(invoice_store_all(bill, invoice));
	}
	return subscription_save(bill, s, "customer.subscription.created");
}

static Err *make_first(ServiceCall *c, Db *tx, void *arg)
{
	Make *make = arg;
	SubscriptionRow *s = ARENA_NEW(c->arena, SubscriptionRow);
	Bill bill;

	TRY(bill_begin(tx, c->arena, c, make->customer, &bill));
	TRY(lay_out(c, tx, make, &bill, s));
	TRY(begin_it(&bill, make, s));
	make->s = s;
	return stripe_claim(c, tx, s->id, CLAIM_US);
}

/* --- the last one --------------------------------------------------------------------------------------------------------- */

static Err *say_it(ServiceCall *c, Db *tx, void *arg)
{
	const Make *make = arg;
	SubscriptionRow *s;

	TRY(db_one(tx, c->arena, subscription_by_id, &s, .id = make->s->id));
	TRY(subscription_say(c, tx, stripe_json(c), s));
	return stripe_settle(c, tx);
}

/* error_if_incomplete: as if it had not been. */
static Err *undo(ServiceCall *c, Db *tx, void *arg)
{
	const Make *make = arg;
	SubscriptionRow *s;
	Bill bill;

	TRY(bill_begin(tx, c->arena, c, make->customer, &bill));
	TRY(db_one(tx, c->arena, subscription_by_id, &s, .id = make->s->id));
	if (!s->ended_at.set)
		TRY(subscription_end(&bill, s, "incomplete_expired"));
	c->status = 402;
	stripe_refuse(c, &(StripeRefusal){ .status = 402,
	                                   .code = make->collected.code,
	                                   .message = make->collected.message });
	return stripe_settle(c, tx);
}

static Err *go_on(ServiceCall *c, Make *make)
{
	const Str behavior = make->in->payment_behavior;
	bool collects = str_eq(make->s->collection, S("charge_automatically")) &&
	                make->s->invoice_id.set && !waits_for_client(make);

	if (collects)
		TRY(invoice_collect(c->home, c->arena, make->s->invoice_id.v, (OptUuid){ 0 },
		                    &make->collected));
	if (make->collected.what == COLLECT_REFUSED && str_eq(behavior, S("error_if_incomplete")))
		TRY(stripe_step(c, undo, make));
	else
		TRY(stripe_step(c, say_it, make));
	return stripe_say(c);
}

Err *subscription_post(ServiceCall *c)
{
	SubscriptionIn in;
	Make make = { .in = &in };
	const Zone *zone;
	Customer *customer;
	Uuid known;

	TRY(stripe_take(c, subscription_new_table(), &in));
	TRY(stripe_id_of(c, in.customer, "cus_", "customer", &make.customer));
	TRY(subscription_prorates(c, in.proration_behavior, &make.prorate));
	TRY(customer_load(c->db, c->arena, make.customer, &customer));
	if (!customer || customer->deleted)
		return stripe_missing(c, "customer", in.customer, "customer");
	TRY(bill_zone(c->arena, customer->zone, &zone));
	if (stripe_resumes(c, &known)) {
		TRY(db_one(c->db, c->arena, subscription_by_id, &make.s, .id = known));
		if (!make.s)
			return err_new(c->arena, ERR_INTERNAL, "db.rows",
			               "a subscription that was made is not there");
		return go_on(c, &make);
	}
	TRY(stripe_step(c, make_first, &make));
	return go_on(c, &make);
}
