/* SPDX-License-Identifier: Apache-2.0
 *
 * Sagas on SQLite. */
#include "saga/saga_run.c"

#include "unit.h"

#include "events_lite.h"

#include "saga_suite.h"

TEST(families_of_sagas_are_as_prometheus_likes_them)
{
	size_t count;
	const MetricFamily *rows = saga_metrics(&count);

	for (size_t i = 0; i < count; i++)
		CHECK_STR(metric_family_mistake(a, &rows[i]), S(""));
}
