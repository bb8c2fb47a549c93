/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of payments, for those files of the service that meet them: customers, their payment methods, intents, charges. Statements stand in
 * payment.sql. A Db may be a transaction: then rows are read as they are there. All park (not in a transaction of SQLite) and fail as
 * db.h says; a row that is not there is NULL. */
#pragma once
#include "store/db.h"

typedef struct Customer {
	Uuid id; /* "cus_" */
	Str email, name, description, phone;
	Str metadata;   /* JSON */
	Str zone;       /* of its bills, "Europe/Berlin"; empty: UTC */
	OptUuid method; /* the default one */
	Str invoice_prefix;
	int64_t next_invoice;
	int64_t created_us;
	bool deleted;
} Customer;
Err *customer_load(Db *db, Arena *a, Uuid id, Customer **out) MUST_USE;
/* Takes the next number of its invoices: "8F2C01AB-0007". In a transaction. */
Err *customer_next_invoice(Db *tx, Arena *a, Uuid id, Str *number) MUST_USE;

typedef struct Method {
	Uuid id; /* "pm_" */
	OptUuid customer;
	Str type, provider, token; /* provider: empty, any may take the token */
	Str brand, last4;
	int64_t exp_month, exp_year;
	int64_t created_us;
} Method;
Err *method_load(Db *db, Arena *a, Uuid id, Method **out) MUST_USE;

typedef struct Charge {
	Uuid id; /* "ch_" */
	Uuid intent, attempt;
	Str status, currency, provider, reference;
	int64_t amount, captured, refunded, disputed;
	OptUuid customer, method;
	int64_t created_us;
} Charge;
Err *charge_load(Db *db, Arena *a, Uuid id, Charge **out) MUST_USE;

/* For a provider's word that something has changed (its webhook): open attempts of the payment with that reference, or the one whose key this
 * is, are asked about now. Either may be empty. In a transaction or on its own. *known false: none has it. */
Err *attempt_look_again(Db *db, Arena *a, Str provider, Str reference, Str key, bool *known)
	MUST_USE;
