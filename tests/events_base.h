/* SPDX-License-Identifier: Apache-2.0
 *
 * Events and jobs on any engine: suite.h with the store's tables and those of tests/events. Whoever includes it defines
 * suite_prepare and suite_open. */
#pragma once
#include "base/time.h"
#include "events_schema.h"
#include "events_sql.h"
#include "rt/loop.h"
#include "store/bus.h"
#include "store/job_int.h"
#include "store/outbox.h"
#include "store/schema.h"
#include "suite.h"

#include <string.h>

static inline Err *suite_schema(Db *db, Arena *a)
{
	uint32_t applied;

	TRY(schema_apply(db, a, store_own_schema(), &applied));
	return schema_apply(db, a, &events_schema, &applied);
}
