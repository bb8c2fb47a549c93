/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger on SQLite. */
#include "payment/ledger.c"

#include "ledger_suite.h"

#include "events_lite.h"
