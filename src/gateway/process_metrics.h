/* SPDX-License-Identifier: Apache-2.0
 *
 * Families that only a scrape computes: connections, fibers, workers. */
#pragma once
#include "obs/metric.h"

MetricList process_metrics;
