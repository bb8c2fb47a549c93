/* SPDX-License-Identifier: Apache-2.0
 *
 * Analytics: what happened, taken once and for all, and counted. docs/guide/analytics.md. */
#pragma once
#include "base/args.h"
#include "base/conf.h"

typedef struct Service Service;

typedef struct AnalyticsConf {
	int64_t duplicates_us; /* an id is known for so long */
	int64_t past_us;       /* events may be older by that; 0: any */
	int64_t future_us;
	uint64_t body_most;    /* bytes of a request, decoded */
	uint64_t batch_most;   /* events of a request */
	uint64_t failed_most;  /* kept of a project */
	uint64_t names_most;   /* of events, and of properties, of a project */
	uint64_t query_memory; /* bytes that one query may take */
	uint64_t queries;      /* at once */
} AnalyticsConf;

const Service *analytics_service(void);
const ConfTable *analytics_conf_table(void);
const Command *analytics_commands(size_t *count);
void analytics_put_metrics(Buf *out); /* as a page of the manual */
