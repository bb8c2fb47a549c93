/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan load`: the rows for main. */
#pragma once
#include "base/args.h"

const Command *load_commands(size_t *count);
