/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan saga`: the rows for main, and a page of the manual. */
#pragma once
#include "base/args.h"

const Command *saga_commands(size_t *count);
void saga_put_metrics(Buf *out);
