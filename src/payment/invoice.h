/* SPDX-License-Identifier: Apache-2.0
 *
 * What billing is told by payments. */
#pragma once
#include "store/db.h"

/* The intent of an invoice has succeeded: in that transaction the invoice is paid, and its subscription active. One that is void by now, or
 * lost, is not: what was received is the customer's credit. */
Err *invoice_settled(Db *tx, Arena *a, Uuid invoice, Uuid intent, int64_t received) MUST_USE;
