/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan events` and `banyan jobs`: the rows for main. */
#pragma once
#include "base/args.h"

const Command *event_commands(size_t *count);
const Command *job_commands(size_t *count);
void event_put_metrics(Buf *out); /* the metrics of events and jobs, as a page of the manual */
