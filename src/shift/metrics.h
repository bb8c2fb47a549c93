/* SPDX-License-Identifier: Apache-2.0
 *
 * What `/metrics` says of moves: computed when it is scraped. */
#pragma once
#include "obs/metric.h"

MetricList shift_metrics;
void shift_put_metrics(Buf *out); /* as a page of the manual */
