/* SPDX-License-Identifier: Apache-2.0
 *
 * How long the turns of the loops take: whoever blocks a loop is seen there. */
#pragma once
#include "obs/metric.h"

MetricList loop_metrics;
