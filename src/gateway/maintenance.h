/* SPDX-License-Identifier: Apache-2.0
 *
 * Maintenance: a route that is closed for a while, and says so. */
#pragma once
#include "gateway/passage.h"
#include "gateway/problem.h"

/* BUSY "gateway.maintenance" when the route is closed for this client, else NULL. Does not park. */
Err *maintenance_check(const Passage *p) MUST_USE;
/* Of that error: status, time to come back, and *page when the route has one. Nothing for others. */
void maintenance_tell(const Passage *p, const Err *err, Problem *problem, Str *page);
