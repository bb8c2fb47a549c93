/* SPDX-License-Identifier: Apache-2.0
 *
 * A result in words. */
#pragma once
#include "load/run.h"

void report_put_summary(Buf *out, const LoadResult *result);
void report_put_time(Buf *out, int64_t us); /* "1.23ms", three digits */
