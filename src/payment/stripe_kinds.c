/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects that may stand in place of their ids. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "payment/stripe_expand.h"

#define LOADER(name, statement, row_type, show) \
	static Err *load_##name(Db *db, Arena *a, Uuid id, Str *json) \
	{ \
		row_type *row; \
\
		TRY(db_one(db, a, statement, &row, .id = id)); \
		*json = row ? stripe_text(a, show, row) : S(""); \
		return NULL; \
	}

static void intent_row_put(JsonWriter *w, Arena *a, const void *object)
{
	intent_put(w, a, &(IntentView){ .intent = object });
}

LOADER(customer, customer_by_id, CustomerRow, customer_put)
LOADER(method, method_by_id, MethodRow, method_put)
LOADER(intent, intent_by_id, IntentRow, intent_row_put)
LOADER(charge, charge_by_id, ChargeRow, charge_put)
LOADER(refund, refund_by_id, RefundRow, refund_put)
LOADER(moved, moved_by_id, MovedRow, moved_put)

static const StripeKind kinds[] = {
	{ "cus_", load_customer, "customers:read" },
	{ "pm_", load_method, "payment_methods:read" },
	{ "pi_", load_intent, "payment_intents:read" },
	{ "ch_", load_charge, "charges:read" },
	{ "re_", load_refund, "refunds:read" },
	{ "txn_", load_moved, "balance:read" },
};
_Static_assert(COUNT(kinds) <= STRIPE_KINDS_MOST, "more kinds than there is room for");

const StripeKind *stripe_kinds(size_t *count)
{
	*count = COUNT(kinds);
	return kinds;
}
