/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of routes, for payment.c. */
#pragma once
#include "service/service.h"

ServiceRoutes charge_routes(void);
ServiceRoutes customer_routes(void);
ServiceRoutes event_routes(void);
ServiceRoutes intent_routes(void);
ServiceRoutes method_routes(void);
ServiceRoutes provider_webhook_routes(
	void); /* POST /v1/providers/{name}/webhook: what providers tell */
ServiceRoutes refund_routes(void);
ServiceRoutes webhook_endpoint_routes(void); /* /v1/webhook_endpoints, in Stripe's manner */
