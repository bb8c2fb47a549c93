/* SPDX-License-Identifier: Apache-2.0
 *
 * expand[]: objects in place of their ids, in an answer that is written already. */
#pragma once
#include "base/json.h"
#include "base/uuid.h"

typedef struct Db Db;

enum { STRIPE_EXPAND_DEPTH = 4 };

/* What stands behind an id, as JSON; empty: there is none. db may be a transaction. */
typedef Err *StripeLoad(Db *db, Arena *a, Uuid id, Str *json);
typedef struct StripeKind {
	const char *prefix; /* "cus_" */
	StripeLoad *load;
	const char *scope; /* who has it may read them: "customers:read" */
} StripeKind;
enum { STRIPE_KINDS_MOST = 8 };

/* The kinds of this service: stripe_kinds.c. */
const StripeKind *stripe_kinds(size_t *count);

/* paths: an array of "customer", "latest_charge.balance_transaction", "data.customer" (of each in a list); what is none of these, or has no
 * object, stays as it is. An object that is there already is gone into. Fails as the loads do. */
Err *stripe_expand(Db *db, Arena *a, const StripeKind *kinds, size_t kind_count, Str answer,
                   const Json *paths, Str *out) MUST_USE;
