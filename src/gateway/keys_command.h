/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan keys`: the keys of programs, in a file. */
#pragma once
#include "base/args.h"

const Command *keys_commands(size_t *count);
