/* SPDX-License-Identifier: Apache-2.0
 *
 * The row of `banyan gate` for main's table of commands. */
#pragma once
#include "base/args.h"

const Command *gate_commands(size_t *count);
