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
ServiceRoutes refund_routes(void);
