/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/webhook_endpoints in Stripe's manner; what is told to them, and again, is the frame's (service/hook.h). */
#pragma once
#include "service/service.h"

ServiceRoutes webhook_endpoint_routes(void);
