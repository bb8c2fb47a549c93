/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/args.h"

typedef struct InitArgs {
	Str from, output;
	bool force, writes;
} InitArgs;

CommandRun load_init;
