/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan db`: the rows for main. */
#pragma once
#include "base/args.h"

const Command *store_commands(size_t *count);
void store_put_metrics(Buf *out); /* of databases, caches and Redis, as a page of the manual */
