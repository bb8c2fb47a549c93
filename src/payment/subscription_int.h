/* SPDX-License-Identifier: Apache-2.0
 *
 * What is sent of subscriptions, for the files of their API. */
#pragma once
#include "payment/billing_int.h"

typedef struct SubscriptionItemIn {
	Str id, price;
	int64_t quantity;
	bool has_quantity, deleted, clear_usage;
	const Json *metadata;
} SubscriptionItemIn;

typedef struct SubscriptionIn {
	Str customer, currency, default_payment_method, collection_method, proration_behavior,
		payment_behavior, description, trial_end, billing_cycle_anchor, cancel_at;
	CONF_LIST_OF(SubscriptionItemIn) items;
	int64_t days_until_due, trial_period_days, proration_date;
	bool cancel_at_period_end, has_items, has_cancel_at_end, has_method, has_collection,
		has_days, has_description, has_trial_end, has_trial_days, has_cancel_at,
		has_metadata, has_proration_date, has_anchor, off_session;
	const Json *metadata;
} SubscriptionIn;
const FieldTable *subscription_new_table(void);
const FieldTable *subscription_change_table(void);
const FieldTable *subscription_item_table(void);

typedef enum Prorate { PRORATE_CREATE, PRORATE_NONE, PRORATE_INVOICE } Prorate;
Err *subscription_prorates(ServiceCall *c, Str text, Prorate *out) MUST_USE;
/* Seconds since 1970 as microseconds; "now" is the bill's time. */
Err *subscription_moment(ServiceCall *c, Str text, const char *param, int64_t now_us, int64_t *us)
	MUST_USE;
/* The subscription of the path, or of its text. */
Err *subscription_find(ServiceCall *c, Db *db, Str text, const char *param, SubscriptionRow **out)
	MUST_USE;
/* Says it, with what the request wants to have within. */
Err *subscription_say(ServiceCall *c, Db *db, JsonWriter *w, const SubscriptionRow *s) MUST_USE;

/* In a transaction that is rolled back afterwards: its items and its cycle are as they would be after the change. */
Err *subscription_would(ServiceCall *c, Db *tx, const SubscriptionIn *in, Prorate prorate,
                        SubscriptionRow **s, Bill *bill) MUST_USE;

ServiceHandler subscription_post, subscription_change_post, subscription_cancel;
