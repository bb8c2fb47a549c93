/* SPDX-License-Identifier: Apache-2.0
 *
 * Sagas on PostgreSQL. */
#include "saga/saga_run.c"

#include "unit.h"

#include "events_pg.h"

#include "saga_suite.h"
