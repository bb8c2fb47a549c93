/* SPDX-License-Identifier: Apache-2.0
 *
 * What a route wants of headers, query and cookies, ready to be asked. They are looked at as the client sent them. Of
 * several values of one name any will do; "absent" means that there is none. Names and values of the query are compared
 * decoded, "+" being a blank, as the frameworks behind do it. */
#pragma once
#include "gateway/route.h"

typedef struct RouteConditions RouteConditions;

/* NULL when it has none. Expressions must be in order (a broken one is found in nothing). */
const RouteConditions *route_conditions_new(Arena *a, const MatchConf *match);
/* headers may be NULL: none. The first that does not hold is *failed and stands *in there (both may be NULL). */
bool route_conditions_hold(const RouteConditions *conditions, const Headers *headers, Str query,
                           const ConditionConf **failed, RouteIn *in);
