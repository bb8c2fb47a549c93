/* SPDX-License-Identifier: Apache-2.0
 *
 * Sagas on SQLite. */
#include "saga/saga_run.c"

#include "unit.h"

#include "events_lite.h"

#include "saga_suite.h"
