/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's commands. */
#pragma once
#include "base/args.h"

/* serve, check. */
const Command *gateway_commands(size_t *count);
/* The rows of its metrics, for the reference: metrics_put_markdown of each list. */
void gateway_put_metrics(Buf *b);
