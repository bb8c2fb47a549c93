/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the analytics service share. */
#pragma once
#include "analytics/analytics.h"
#include "analytics/metrics.h"
#include "service/service.h"
#include "store/job.h"

typedef struct Answers Answers;
typedef struct Intake Intake;
typedef struct Projects Projects;

typedef struct Analytics {
	const AnalyticsConf *conf;
	const ServiceHome *home;
	Db *db;
	Projects *projects; /* one a loop */
	Intake *intakes;    /* one a loop */
	Answers *answers;
	AnalyticsCells cells;
	unsigned loops;
	unsigned queries;   /* that run; atomic */
	unsigned forgotten; /* times that persons' numbers were; atomic */
} Analytics;

Analytics *analytics_of(const ServiceHome *home);
ServiceRoutes analytics_intake_routes(void), analytics_posthog_routes(void),
	analytics_plausible_routes(void), analytics_project_routes(void),
	analytics_query_routes(void), analytics_failed_routes(void), analytics_export_routes(void),
	analytics_script_routes(void), analytics_fact_routes(void), analytics_report_routes(void);
Command analytics_export_command(void);
JobFn analytics_merge, analytics_count, analytics_tend, analytics_erase, analytics_report;
