/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs on SQLite: the table, the runner, schedules. */
#include "store/job_run.c"

#include "jobs_suite.h"

#include "events_lite.h"

TEST(families_of_events_and_jobs_are_as_prometheus_likes_them)
{
	MetricList *lists[] = { bus_metrics,   consumer_metrics, redis_consumer_metrics,
		                relay_metrics, job_metrics,      job_run_metrics };

	for (size_t k = 0; k < COUNT(lists); k++) {
		size_t count;
		const MetricFamily *rows = lists[k](&count);

		for (size_t i = 0; i < count; i++)
			CHECK_STR(metric_family_mistake(a, &rows[i]), S(""));
	}
}
