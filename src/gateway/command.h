/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's commands. */
#pragma once
#include "base/args.h"

/* serve, check. */
const Command *gateway_commands(size_t *count);
