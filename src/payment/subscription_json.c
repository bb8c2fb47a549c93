/* SPDX-License-Identifier: Apache-2.0
 *
 * Subscriptions as Stripe shows them. The times of the period stand with the subscription, as they did, and with each item, as they do
 * in newer versions. */
#include "payment/billing_int.h"

#include "base/arena.h"

static void put_time_or_null(JsonWriter *w, const char *key, OptInt us)
{
	stripe_put_time(w, key, us.set ? us.v : 0);
}

static void put_periods(JsonWriter *w, const SubscriptionRow *s)
{
	stripe_put_time(w, "current_period_start", s->period_start);
	stripe_put_time(w, "current_period_end", s->period_end);
}

void subscription_item_put(JsonWriter *w, Arena *a, const SubscriptionView *view,
                           const SubscriptionItemRow *item)
{
	const PriceRow *price = price_of(view->prices, view->price_count, item->price_id);

	stripe_begin(w, service_id_text(a, "si_", item->id), "subscription_item");
	stripe_put_time(w, "created", item->created_at);
	put_periods(w, view->subscription);
	json_key(w, S("price"));
	if (price)
		price_put(w, a, price);
	else
		json_add_null(w);
	json_put_i64(w, "quantity", item->quantity);
	json_put_str(w, "subscription", service_id_text(a, "sub_", item->subscription_id));
	stripe_put_json(w, "metadata", item->metadata);
	json_end(w);
}

static void put_items(JsonWriter *w, Arena *a, const SubscriptionView *view)
{
	json_key(w, S("items"));
	json_begin_object(w);
	json_put_str(w, "object", S("list"));
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; i < view->item_count; i++)
		subscription_item_put(w, a, view, &view->items[i]);
	json_end(w);
	json_put_bool(w, "has_more", false);
	json_put_i64(w, "total_count", (int64_t)view->item_count);
	json_put_str(w, "url",
	             str_fmt(a, "/v1/subscription_items?subscription=%.*s",
	                     STR_ARG(service_id_text(a, "sub_", view->subscription->id))));
	json_end(w);
}

static void put_times(JsonWriter *w, const SubscriptionRow *s)
{
	stripe_put_time(w, "created", s->started_at);
	stripe_put_time(w, "start_date", s->started_at);
	stripe_put_time(w, "billing_cycle_anchor", s->anchor_at);
	put_periods(w, s);
	put_time_or_null(w, "trial_start", s->trial_start);
	put_time_or_null(w, "trial_end", s->trial_end);
	put_time_or_null(w, "cancel_at",
	                 s->cancel_at.set || !s->cancel_at_end ? s->cancel_at
	                                                       : opt_int(s->period_end));
	json_put_bool(w, "cancel_at_period_end", s->cancel_at_end);
	put_time_or_null(w, "canceled_at", s->canceled_at);
	put_time_or_null(w, "ended_at", s->ended_at);
}

void subscription_put(JsonWriter *w, Arena *a, const void *object)
{
	const SubscriptionView *view = object;
	const SubscriptionRow *s = view->subscription;

	stripe_begin(w, service_id_text(a, "sub_", s->id), "subscription");
	json_put_str(w, "status", s->status);
	json_put_str(w, "customer", service_id_text(a, "cus_", s->customer_id));
	json_put_str(w, "currency", s->currency);
	json_put_str(w, "time_zone", s->zone);
	put_times(w, s);
	put_items(w, a, view);
	json_put_str(w, "collection_method", s->collection);
	json_key(w, S("days_until_due"));
	if (s->days_until_due)
		json_add_i64(w, s->days_until_due);
	else
		json_add_null(w);
	stripe_put_id(w, a, "default_payment_method", "pm_", s->method_id);
	if (view->invoice.len) {
		json_key(w, S("latest_invoice"));
		json_add_raw(w, view->invoice);
	} else {
		stripe_put_id(w, a, "latest_invoice", "in_", s->invoice_id);
	}
	stripe_put_text(w, "description", s->description);
	stripe_put_id(w, a, "test_clock", "clock_", s->clock_id);
	stripe_put_live(w);
	stripe_put_json(w, "metadata", s->metadata);
	json_end(w);
}

Err *subscription_view(Db *db, Arena *a, const SubscriptionRow *s, SubscriptionView *out)
{
	SubscriptionItemRow *items;
	PriceRow *prices;

	*out = (SubscriptionView){ .subscription = s };
	TRY(db_all(db, a, subscription_items_of, &items, &out->item_count,
	           .subscription_id = s->id));
	TRY(db_all(db, a, subscription_prices, &prices, &out->price_count,
	           .subscription_id = s->id));
	out->items = items;
	out->prices = prices;
	return NULL;
}
