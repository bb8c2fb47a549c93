/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan notification list|show|cancel|retry|state`. */
#pragma once
#include "base/args.h"

const Command *notification_commands(size_t *count);
