/* SPDX-License-Identifier: Apache-2.0
 *
 * One request through the gateway (design.md section 4). HttpConf.arg is the Snapshot. */
#pragma once
#include "gateway/snapshot.h"

HttpHandler proxy_handle;
HttpFail proxy_fail;
HttpDone proxy_done;

/* Has every loop's filters of this configuration compiled, so that no request waits for it. Does not park; any loop. */
void proxy_warm(Snapshot *snap);
