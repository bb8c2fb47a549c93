/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan payment key`: the rows for main. */
#pragma once
#include "base/args.h"

const Command *payment_commands(size_t *count);
