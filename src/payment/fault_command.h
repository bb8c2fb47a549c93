/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan payment fault-provider`: a provider of payments that goes wrong when it is told to, as a process of its own. */
#pragma once
#include "base/args.h"

const Command *fault_commands(size_t *count);
