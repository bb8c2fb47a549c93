/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of `banyan audit` for main's table of commands. */
#pragma once
#include "base/args.h"

const Command *audit_commands(size_t *count);
