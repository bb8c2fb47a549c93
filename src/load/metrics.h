/* SPDX-License-Identifier: Apache-2.0
 *
 * A run as Prometheus sees it while it runs: GET /metrics on a port of its own. */
#pragma once
#include "load/run.h"

typedef struct LoadMetrics LoadMetrics;

/* Listens there; lives until load_metrics_close. Parks. Fails as addr_parse and listener_open do. */
Err *load_metrics_open(Arena *a, Str address, const ScenarioConf *conf, LoadMetrics **out) MUST_USE;
/* What the next scrapes are told. From the run's watch; parks. NULL is fine. */
void load_metrics_note(LoadMetrics *metrics, LoadRun *run, const Moment *now);
void load_metrics_close(LoadMetrics *metrics); /* parks; NULL is fine */
