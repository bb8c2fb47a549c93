/* SPDX-License-Identifier: Apache-2.0
 *
 * Unsubscribing by a link: a token that says of which address and category, signed, and good for nothing else. */
#pragma once
#include "notification/channel.h"
#include "service/call.h"

typedef struct NotificationState NotificationState;
typedef struct ServiceRoutes ServiceRoutes;

/* "https://.../u/TOKEN"; empty: it is not known how the service is reached. */
Str unsubscribe_link(const NotificationState *state, Arena *a, Channel channel, Str address,
                     Str category);
/* The key that all processes share, made at the first begin. */
Err *unsubscribe_key(Db *db, Arena *a, Str *key) MUST_USE;
ServiceRoutes unsubscribe_routes(void);
