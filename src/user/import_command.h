/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan user import|export|breached`: rows for main; and `POST /v1/users:import` for the service's row. */
#pragma once
#include "base/args.h"
#include "service/service.h"

const Command *user_import_commands(size_t *count);
ServiceRoutes user_import_routes(void);
