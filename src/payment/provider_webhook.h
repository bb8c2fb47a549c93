/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /v1/providers/{name}/webhook: where providers tell what has happened at theirs. */
#pragma once
#include "service/service.h"

ServiceRoutes provider_webhook_routes(void);
