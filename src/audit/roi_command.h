/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/args.h"

const Command *roi_commands(size_t *count); /* the rows of `banyan roi` */
