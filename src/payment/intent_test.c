/* SPDX-License-Identifier: Apache-2.0
 *
 * Intents from within the process, on SQLite. */
#include "payment/intent.c"

#include "intent_suite.h"

#include "events_lite.h"
