/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan db`: the rows for main. */
#pragma once
#include "base/args.h"

const Command *store_commands(size_t *count);
/* A schema that they are to know, beside the store's own. Before they run. */
struct Schema;
void store_commands_know(const struct Schema *(*schema)(void));
void store_put_metrics(Buf *out); /* of databases, caches and Redis, as a page of the manual */
