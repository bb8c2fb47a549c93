/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan user client` and `banyan user keys`. */
#pragma once
#include <stddef.h>

typedef struct Command Command;

const Command *oidc_commands(size_t *count);
