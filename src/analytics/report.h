/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports: questions that are kept by a name, of so many days before today, and sent by the clock where they have a cron line. */
#pragma once
#include "analytics/analytics_int.h"

#include "analytics_report_sql.h"

/* Its question, of the days before now_ms, answered: JSON as POST /v1/query gives it. Parks. Fails with INVALID "report.question" (422
 * of the API has the places), and as a query does. */
Err *report_answer(const Analytics *s, Arena *a, const ReportRow *report, int64_t now_ms, Str *json)
	MUST_USE;
/* Can it be asked and sent? The first time that its cron line says. */
Err *report_check(const Analytics *s, Arena *a, ReportRow *report, int64_t now_us) MUST_USE;
/* Sends those that are due, each once for each time of its clock: the notification has a key of report and time. */
Err *reports_send_due(const Analytics *s, Arena *a, int64_t now_us, size_t *sent) MUST_USE;
