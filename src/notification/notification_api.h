/* SPDX-License-Identifier: Apache-2.0
 *
 * What people and programs ask the service for. */
#pragma once
#include "service/service.h"

ServiceRoutes notification_routes(void);
ServiceRoutes workflow_routes(void);
ServiceRoutes template_routes(void);
ServiceRoutes recipient_routes(void);
ServiceRoutes topic_routes(void);
ServiceRoutes inbox_routes(void);
ServiceRoutes provider_routes(void);

/* Scopes of the API. */
#define SCOPE_SEND "notifications:send" /* ask for notifications, cancel them */
#define SCOPE_READ "notifications:read" /* what became of them, and of everything here */
#define SCOPE_WRITE \
	"notifications:write" /* workflows, templates, recipients, topics, suppressions */

/* The recipient that a path is about: its part "recipient", or who asks ("me"). Others than oneself take the scope. */
Err *recipient_of(ServiceCall *c, const char *scope, Str *out) MUST_USE;
void put_time_or_null(JsonWriter *w, const char *key, OptInt at);
