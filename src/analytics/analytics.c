/* SPDX-License-Identifier: Apache-2.0
 *
 * The analytics service put together: its keys, its routes, what it does by itself. */
#include "analytics/analytics_int.h"

#include "analytics/answers.h"
#include "analytics/check.h"
#include "analytics/facts.h"
#include "analytics/intake.h"
#include "analytics/project.h"
#include "analytics/visitor.h"
#include "base/arena.h"
#include "base/time.h"
#include "rt/loop.h"
#include "service/peer.h"

#include "analytics_schema.h"
#include "analytics_sql.h"

Analytics *analytics_of(const ServiceHome *home)
{
	return home->state;
}

/* --- keys --------------------------------------------------------------------------------------------------------------- */

static const ConfKey keys[] = {
	{ "duplicates", CONF_DURATION, AT(AnalyticsConf, duplicates_us), .def = "7d", .min = "1h",
	  .max = "365d", .help = "so long an event's id is known: it counts once" },
	{ "past", CONF_DURATION, AT(AnalyticsConf, past_us), .def = "0",
	  .help = "events older than that are refused; 0: none is" },
	{ "future", CONF_DURATION, AT(AnalyticsConf, future_us), .def = "5m",
	  .help = "events with a time further ahead are refused" },
	{ "body", CONF_BYTES, AT(AnalyticsConf, body_most), .def = "4MiB", .min = "1KiB",
	  .max = "32MiB", .help = "of one request, decompressed" },
	{ "batch", CONF_UINT, AT(AnalyticsConf, batch_most), .def = "5000", .min = "1",
	  .max = "50000", .help = "events of one request" },
	{ "failed", CONF_UINT, AT(AnalyticsConf, failed_most), .def = "10000",
	  .help = "failed events that are kept of a project" },
	{ "names", CONF_UINT, AT(AnalyticsConf, names_most), .def = "2000", .min = "1",
	  .help = "different names of events, and of properties, that a project may have; an event with a further one is refused" },
	{ "query_memory", CONF_BYTES, AT(AnalyticsConf, query_memory), .def = "256MiB",
	  .min = "1MiB", .help = "that one query may take" },
	{ "queries", CONF_UINT, AT(AnalyticsConf, queries), .def = "4", .min = "1", .max = "64",
	  .help = "that run at once" },
};

const ConfTable *analytics_conf_table(void)
{
	static const ConfTable table = { "analytics", CONF_ROWS(AnalyticsConf, keys),
		                         .help = "events and reports" };

	return &table;
}

/* --- its course --------------------------------------------------------------------------------------------------------- */

static Err *begin(ServiceHome *home)
{
	Analytics *s = ARENA_NEW(home->arena, Analytics);

	*s = (Analytics){ .conf = home->conf, .home = home, .db = home->db, .loops = rt_loops() };
	s->answers = answers_new();
	s->cells = analytics_cells();
	s->projects = projects_new(home->arena, s->loops);
	s->intakes = intakes_new(home->arena, s, s->loops);
	home->state = s;
	return NULL;
}

static void end(ServiceHome *home)
{
	Analytics *s = home->state;

	if (!s)
		return;
	projects_free(s->projects, s->loops);
	intakes_free(s->intakes, s->loops);
	answers_free(s->answers);
	analytics_cells_free(&s->cells);
}

static const Schema *schema(void)
{
	return &analytics_schema;
}

/* What is over goes: salts, ids that need not be known any more. */
Err *analytics_tend(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	const AnalyticsConf *conf = home->conf;
	Arena *a = job_arena(run);
	int64_t now_us = time_utc_us();

	TRY(visitor_forget(home->db, a, now_us / 1000));
	return db_exec(home->db, a, seen_purge, NULL,
	               .before = (now_us - conf->duplicates_us) << 10);
}

static const JobKind jobs[] = {
	{ .name = "analytics.merge", .fn = analytics_merge },
	{ .name = "analytics.count", .fn = analytics_count },
	{ .name = "analytics.erase", .fn = analytics_erase },
	{ .name = "analytics.report", .fn = analytics_report },
	{ .name = "analytics.tend", .fn = analytics_tend },
};
static const JobSchedule schedules[] = {
	{ .name = "analytics.merge", .kind = "analytics.merge", .cron = "* * * * *" },
	{ .name = "analytics.count", .kind = "analytics.count", .cron = "*/5 * * * *" },
	{ .name = "analytics.report", .kind = "analytics.report", .cron = "* * * * *" },
	{ .name = "analytics.tend", .kind = "analytics.tend", .cron = "23 * * * *" },
};

const Service *analytics_service(void)
{
	static ServiceRoutes routes[10];
	static Service service = {
		.name = "analytics",
		.summary = "events as they happen, and what they add up to",
		.version = "1.0",
		.schema = schema,
		.routes = routes,
		.routes_count = COUNT(routes),
		.jobs = jobs,
		.job_count = COUNT(jobs),
		.schedules = schedules,
		.schedule_count = COUNT(schedules),
		.metrics = analytics_metrics,
		.begin = begin,
		.end = end,
		.who = service_who_bearer,
		.keys = true,
	};

	routes[0] = analytics_intake_routes();
	routes[1] = analytics_posthog_routes();
	routes[2] = analytics_plausible_routes();
	routes[3] = analytics_project_routes();
	routes[4] = analytics_query_routes();
	routes[5] = analytics_failed_routes();
	routes[6] = analytics_export_routes();
	routes[7] = analytics_script_routes();
	routes[8] = analytics_fact_routes();
	routes[9] = analytics_report_routes();
	service.consumers = facts_consumers(&service.consumer_count);
	service.checks = analytics_checks(&service.check_count);
	service.conf = analytics_conf_table();
	return &service;
}
