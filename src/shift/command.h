/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan shift`: the rows for main. */
#pragma once
#include "base/args.h"

const Command *shift_commands(size_t *count);
