/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan explain`: what would become of a request, from the configuration alone. */
#pragma once
#include "base/args.h"

const Command *explain_commands(size_t *count);
