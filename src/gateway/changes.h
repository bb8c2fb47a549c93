/* SPDX-License-Identifier: Apache-2.0
 *
 * What is different between two configurations, for whoever asked for a reload. */
#pragma once
#include "base/json.h"

typedef struct Snapshot Snapshot;

/* Three members, listeners, upstreams and routes, each {"same": 2, "added": [...], "removed": [...], "changed": [...]} with
 * names, at most CHANGES_SHOWN of a kind ("more": how many were left out); and "restart": what waits for one. Blocks
 * nothing, but takes a moment where there are thousands of routes: on a worker. */
enum { CHANGES_SHOWN = 100 };
/* waiting, count: more that does (waiting.h). */
void changes_put(JsonWriter *w, const Snapshot *before, const Snapshot *now, const Str *waiting,
                 size_t count);
