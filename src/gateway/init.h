/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan init`: a configuration to begin with. */
#pragma once
#include "base/args.h"

const Command *init_commands(size_t *count);
