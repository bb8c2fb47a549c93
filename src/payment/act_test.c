/* SPDX-License-Identifier: Apache-2.0
 *
 * Intents from within the process, on PostgreSQL. */
#include "payment/act.c"

#include "intent_suite.h"

#include "events_pg.h"
