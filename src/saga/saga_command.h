/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan saga`: the rows for main. */
#pragma once
#include "base/args.h"

const Command *saga_commands(size_t *count);
