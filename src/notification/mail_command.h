/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan mail list|show|compare|release|mode|dkim`. */
#pragma once
#include <stddef.h>

typedef struct Command Command;
const Command *mail_commands(size_t *count);
