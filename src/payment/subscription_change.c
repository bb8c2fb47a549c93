/* SPDX-License-Identifier: Apache-2.0
 *
 * What changes of a subscription, and its end.
 *
 * Items that change in the middle of a period: what is left of the old ones is credited, what is left is charged of the new ones, both by
 * dates (proration.h), as invoice items that wait for the next invoice, or for one that is made at once (always_invoice). Where the
 * interval changes, or the cycle is to begin anew, a new period begins now: it is invoiced at once, with the credit for the old one. */
#include "base/arena.h"
#include "base/time.h"
#include "payment/subscription_int.h"

typedef struct Change {
	const SubscriptionIn *in;
	SubscriptionRow *s;
	SubscriptionView before;
	Prorate prorate;
	int64_t at_us; /* what is prorated is prorated from here */
	bool items;    /* they change */
	bool anew;     /* a new period begins */
	bool collects;
} Change;

/* --- items --------------------------------------------------------------------------------------------------------------- */

static const SubscriptionItemRow *item_before(const Change *change, Uuid id)
{
	for (size_t i = 0; i < change->before.item_count; i++) {
		if (uuid_eq(change->before.items[i].id, id))
			return &change->before.items[i];
	}
	return NULL;
}

/* Of a trial, and of a first period that nobody has paid, there is nothing to give back. */
static bool prorates(const Change *change)
{
	return change->prorate != PRORATE_NONE && !str_eq(change->s->status, S("trialing")) &&
	       !str_eq(change->s->status, S("incomplete"));
}

static Err *credit_item(Bill *bill, const Change *change, const SubscriptionItemRow *item)
{
	const PriceRow *price =
		price_of(change->before.prices, change->before.price_count, item->price_id);

	if (!prorates(change) || !price)
		return NULL;
	return subscription_prorate(bill, change->s, item, price, item->quantity, true,
	                            change->at_us);
}

static Err *charge_item(Bill *bill, const Change *change, const SubscriptionItemRow *item,
                        const PriceRow *price)
{
	if (!prorates(change) || change->anew) /* a new period is charged whole */
		return NULL;
	return subscription_prorate(bill, change->s, item, price, item->quantity, false,
	                            change->at_us);
}

static Err *look_at_price(ServiceCall *c, Db *tx, const SubscriptionItemIn *in, size_t i,
                          Uuid before, PriceRow **price)
{
	const char *param = str_fmt(c->arena, "items[%zu][price]", i).at;

	if (!in->price.len)
		return db_one(tx, c->arena, price_by_id, price, .id = before);
	TRY(price_named(c, tx, in->price, param, price));
	if (!(*price)->every.len)
		return stripe_wrong(c, param, "parameter_invalid_string",
		                    "this field only accepts prices with `type=recurring`");
	return NULL;
}

static Err *add_one(ServiceCall *c, Bill *bill, const Change *change, const SubscriptionItemIn *in,
                    size_t i)
{
	SubscriptionItemRow item = { .id = bill_id(),
		                     .subscription_id = change->s->id,
		                     .quantity = in->has_quantity ? in->quantity : 1,
		                     .created_at = bill->now_us };
	PriceRow *price;

	if (!in->price.len)
		return stripe_wrong(c, str_fmt(c->arena, "items[%zu][price]", i).at,
		                    "parameter_missing", "Missing required param: price.");
	TRY(look_at_price(c, bill->tx, in, i, item.id, &price));
	item.price_id = price->id;
	TRY(stripe_metadata(c, S(""), in->metadata, &item.metadata));
	TRY(db_exec_with(bill->tx, bill->a, subscription_item_add, &item, NULL));
	return charge_item(bill, change, &item, price);
}

static Err *store_item(Bill *bill, const SubscriptionItemRow *item)
{
	return db_exec(bill->tx, bill->a, subscription_item_store, NULL, .id = item->id,
	               .price_id = item->price_id, .quantity = item->quantity,
	               .metadata = item->metadata, .deleted_at = item->deleted_at);
}

static Err *change_one(ServiceCall *c, Bill *bill, const Change *change,
                       const SubscriptionItemIn *in, size_t i)
{
	const char *param = str_fmt(c->arena, "items[%zu][id]", i).at;
	const SubscriptionItemRow *before;
	SubscriptionItemRow item;
	PriceRow *price;
	Uuid id;

	TRY(stripe_id_of(c, in->id, "si_", param, &id));
	before = item_before(change, id);
	if (!before)
		return stripe_missing(c, "subscription item", in->id, param);
	item = *before;
	if (in->metadata)
		TRY(stripe_metadata(c, item.metadata, in->metadata, &item.metadata));
	if (in->deleted) {
		item.deleted_at = opt_int(bill->now_us);
		TRY(credit_item(bill, change, before));
		return store_item(bill, &item);
	}
	TRY(look_at_price(c, bill->tx, in, i, item.price_id, &price));
	if (!price)
		return stripe_missing(c, "price", in->price, param);
	item.price_id = price->id;
	item.quantity = in->has_quantity ? in->quantity : item.quantity;
	TRY(store_item(bill, &item));
	if (uuid_eq(item.price_id, before->price_id) && item.quantity == before->quantity &&
	    !change->anew)
		return NULL;
	TRY(credit_item(bill, change, before));
	return charge_item(bill, change, &item, price);
}

/* Items that nobody spoke of are credited too where a new period begins. */
static Err *credit_others(Bill *bill, const Change *change)
{
	for (size_t i = 0; change->anew && i < change->before.item_count; i++) {
		Str id = service_id_text(bill->a, "si_", change->before.items[i].id);
		bool spoken_of = false;

		for (size_t k = 0; k < change->in->items.count; k++)
			spoken_of |= str_eq(change->in->items.at[k].id, id);
		if (!spoken_of)
			TRY(credit_item(bill, change, &change->before.items[i]));
	}
	return NULL;
}

static Err *change_items(ServiceCall *c, Bill *bill, const Change *change)
{
	for (size_t i = 0; i < change->in->items.count; i++) {
		const SubscriptionItemIn *in = &change->in->items.at[i];

		if (in->id.len)
			TRY(change_one(c, bill, change, in, i));
		else
			TRY(add_one(c, bill, change, in, i));
	}
	return credit_others(bill, change);
}

/* --- does a new period begin? -------------------------------------------------------------------------------------------- */

static Err *look_at_rhythm(ServiceCall *c, Db *tx, Change *change)
{
	const SubscriptionRow *s = change->s;

	change->anew =
		str_eq(change->in->billing_cycle_anchor, S("now")) ||
		(str_eq(change->in->trial_end, S("now")) && str_eq(s->status, S("trialing")));
	for (size_t i = 0; i < change->in->items.count; i++) {
		PriceRow *price;

		if (!change->in->items.at[i].price.len || change->in->items.at[i].deleted)
			continue;
		TRY(look_at_price(c, tx, &change->in->items.at[i], i, s->id, &price));
		if (!str_eq(price->currency, s->currency))
			return stripe_wrong(c, "items", "parameter_invalid_string",
			                    "The currency of a subscription never changes.");
		change->anew |=
			!str_eq(price->every, s->every) || price->every_count != s->every_count;
	}
	return NULL;
}

static Err *take_rhythm(ServiceCall *c, Bill *bill, SubscriptionRow *s)
{
	SubscriptionView view;

	TRY(subscription_view(bill->tx, bill->a, s, &view));
	if (!view.item_count)
		return stripe_wrong(c, "items", "parameter_invalid_empty",
		                    "A subscription must have at least one active item.");
	for (size_t i = 0; i < view.item_count; i++) {
		const PriceRow *price =
			price_of(view.prices, view.price_count, view.items[i].price_id);

		if (i && (!str_eq(price->every, s->every) || price->every_count != s->every_count))
			return stripe_wrong(
				c, "items", "parameter_invalid_string",
				"All prices of a subscription must come at the same interval.");
		s->every = price->every;
		s->every_count = price->every_count;
	}
	return NULL;
}

static Err *begin_anew(Bill *bill, Change *change)
{
	SubscriptionRow *s = change->s;
	InvoiceRow invoice;
	Rhythm rhythm;

	if (str_eq(s->status, S("trialing"))) {
		s->status = S("active");
		s->trial_end = opt_int(bill->now_us);
	}
	s->anchor_at = s->period_start = bill->now_us;
	TRY(subscription_rhythm(bill->a, s, &rhythm));
	s->period_end = rhythm_boundary(&rhythm, 1);
	TRY(subscription_bill(bill, s, "subscription_update", (Share){ 1, 1 }, &invoice));
	change->collects = true;
	return invoice_finalize(bill, &invoice);
}

/* What waits is asked for now. */
static Err *invoice_now(Bill *bill, Change *change)
{
	SubscriptionRow *s = change->s;
	InvoiceDraft draft = { .subscription = s,
		               .reason = "subscription_update",
		               .currency = s->currency,
		               .collection = s->collection,
		               .days_until_due = s->days_until_due,
		               .period = { s->period_start, s->period_end },
		               .advance = true };
	InvoiceRow invoice;

	TRY(invoice_draft(bill, &draft, &invoice));
	TRY(invoice_take_waiting(bill, &invoice));
	change->collects = true;
	s->invoice_id = opt_uuid(invoice.id);
	return invoice_finalize(bill, &invoice);
}

/* --- a change ------------------------------------------------------------------------------------------------------------ */

static Err *take_end(ServiceCall *c, const Bill *bill, const SubscriptionIn *in, SubscriptionRow *s)
{
	if (in->has_cancel_at_end)
		s->cancel_at_end = in->cancel_at_period_end;
	if (in->has_cancel_at) {
		s->cancel_at.set = in->cancel_at.len > 0;
		if (in->cancel_at.len)
			TRY(subscription_moment(c, in->cancel_at, "cancel_at", bill->now_us,
			                        &s->cancel_at.v));
	}
	if (!in->has_cancel_at_end && !in->has_cancel_at)
		return NULL;
	s->canceled_at = (OptInt){ s->cancel_at_end || s->cancel_at.set, bill->now_us };
	return NULL;
}

static Err *take_wishes(ServiceCall *c, Bill *bill, const SubscriptionIn *in, SubscriptionRow *s)
{
	if (in->has_method)
		TRY(subscription_method(c, bill->tx, in->default_payment_method, s->customer_id,
		                        &s->method_id));
	if (in->has_collection) {
		TRY(subscription_collection(c, in->collection_method,
		                            in->has_days ? in->days_until_due : s->days_until_due));
		s->collection = in->collection_method;
	}
	if (in->has_days)
		s->days_until_due = in->days_until_due;
	if (in->has_description)
		s->description = in->description;
	if (in->has_metadata)
		TRY(stripe_metadata(c, s->metadata, in->metadata, &s->metadata));
	return take_end(c, bill, in, s);
}

static Err *take_trial(ServiceCall *c, const Bill *bill, const SubscriptionIn *in,
                       SubscriptionRow *s)
{
	int64_t end_us;

	if (!in->has_trial_end || str_eq(in->trial_end, S("now")))
		return NULL;
	TRY(subscription_moment(c, in->trial_end, "trial_end", bill->now_us, &end_us));
	if (!str_eq(s->status, S("trialing")) || end_us <= bill->now_us)
		return stripe_wrong(c, "trial_end", "parameter_invalid_integer",
		                    "only a trial that runs is made longer or shorter");
	s->trial_end = opt_int(end_us);
	s->anchor_at = s->period_end = end_us;
	return NULL;
}

static Err *prepare(ServiceCall *c, Db *tx, Change *change, Bill *bill)
{
	Uuid customer = change->s->customer_id, id = change->s->id;

	TRY(bill_begin(tx, c->arena, c, customer, bill));
	TRY(db_one(tx, c->arena, subscription_by_id, &change->s,
	           .id = id)); /* as it is now that nobody else may */
	if (change->s->ended_at.set)
		return stripe_wrong(c, "id", "resource_missing",
		                    "A canceled subscription can only be looked at.");
	change->collects = false; /* this may be run again */
	change->at_us = bill->now_us;
	if (change->in->has_proration_date)
		change->at_us = change->in->proration_date * US_PER_S;
	if (change->at_us < change->s->period_start || change->at_us > change->s->period_end)
		return stripe_wrong(c, "proration_date", "parameter_invalid_integer",
		                    "proration_date lies outside of the period");
	return subscription_view(tx, c->arena, change->s, &change->before);
}

static Err *change_it(ServiceCall *c, Db *tx, void *arg)
{
	Change *change = arg;
	Bill bill;

	TRY(prepare(c, tx, change, &bill));
	TRY(look_at_rhythm(c, tx, change));
	if (str_eq(change->s->status, S("incomplete")) &&
	    (change->in->items.count || change->anew || change->in->has_trial_end))
		return stripe_wrong(
			c, "items", "parameter_invalid_string",
			"A subscription whose first invoice is not paid does not change what it is to.");
	TRY(take_wishes(c, &bill, change->in, change->s));
	TRY(take_trial(c, &bill, change->in, change->s));
	TRY(change_items(c, &bill, change));
	TRY(take_rhythm(c, &bill, change->s));
	if (change->anew)
		TRY(begin_anew(&bill, change));
	else if (change->prorate == PRORATE_INVOICE && change->in->items.count)
		TRY(invoice_now(&bill, change));
	TRY(subscription_save(&bill, change->s, "customer.subscription.updated"));
	return stripe_claim(c, tx, change->s->id, 60 * US_PER_S);
}

Err *subscription_would(ServiceCall *c, Db *tx, const SubscriptionIn *in, Prorate prorate,
                        SubscriptionRow **s, Bill *bill)
{
	Change change = { .in = in, .s = *s, .prorate = prorate };

	TRY(prepare(c, tx, &change, bill));
	TRY(look_at_rhythm(c, tx, &change));
	TRY(change_items(c, bill, &change));
	TRY(take_rhythm(c, bill, change.s));
	*s = change.s;
	return change.anew ? begin_anew(bill, &change) : NULL;
}

static Err *say_it(ServiceCall *c, Db *tx, void *arg)
{
	const Change *change = arg;
	SubscriptionRow *s;

	TRY(db_one(tx, c->arena, subscription_by_id, &s, .id = change->s->id));
	TRY(subscription_say(c, tx, stripe_json(c), s));
	return stripe_settle(c, tx);
}

Err *subscription_change_post(ServiceCall *c)
{
	SubscriptionIn in;
	Change change = { .in = &in };
	const Zone *zone;
	Collect collected;
	Uuid known;

	TRY(stripe_take(c, subscription_change_table(), &in));
	TRY(subscription_prorates(c, in.proration_behavior, &change.prorate));
	TRY(subscription_find(c, c->db, service_part(c, "id"), "id", &change.s));
	TRY(bill_zone(c->arena, change.s->zone, &zone));
	if (!stripe_resumes(c, &known))
		TRY(stripe_step(c, change_it, &change));
	if (change.collects && change.s->invoice_id.set)
		TRY(invoice_collect(c->home, c->arena, change.s->invoice_id.v, (OptUuid){ 0 },
		                    &collected));
	TRY(stripe_step(c, say_it, &change));
	return stripe_say(c);
}

/* --- its end ------------------------------------------------------------------------------------------------------------- */

typedef struct CancelIn {
	bool prorate, invoice_now;
} CancelIn;
static const Field cancel_rows[] = {
	{ "prorate", FIELD_BOOL, AT(CancelIn, prorate),
	  .help = "credit what is left of the period" },
	{ "invoice_now", FIELD_BOOL, AT(CancelIn, invoice_now),
	  .help = "what waits is invoiced at once" },
};
static const FieldTable cancel_in = { "CancelIn", FIELD_ROWS(CancelIn, cancel_rows),
	                              .help = "how it ends" };

static Err *end_it(ServiceCall *c, Db *tx, void *arg)
{
	Change *change = arg;
	Bill bill;

	TRY(prepare(c, tx, change, &bill));
	for (size_t i = 0; change->prorate != PRORATE_NONE && i < change->before.item_count; i++)
		TRY(credit_item(&bill, change, &change->before.items[i]));
	if (change->items)
		TRY(invoice_now(&bill, change));
	TRY(subscription_end(&bill, change->s, "canceled"));
	TRY(subscription_say(c, tx, stripe_json(c), change->s));
	return NULL;
}

Err *subscription_cancel(ServiceCall *c)
{
	static const SubscriptionIn nothing = { .days_until_due = 0 };
	Change change = { .in = &nothing };
	const Zone *zone;
	CancelIn in;

	TRY(stripe_take(c, &cancel_in, &in));
	TRY(subscription_find(c, c->db, service_part(c, "id"), "id", &change.s));
	TRY(bill_zone(c->arena, change.s->zone, &zone));
	change.prorate = in.prorate ? PRORATE_CREATE : PRORATE_NONE;
	change.items = in.invoice_now;
	return stripe_effect(c, end_it, &change);
}
