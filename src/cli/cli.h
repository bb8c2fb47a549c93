/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands that belong to no feature. */
#pragma once
#include "base/args.h"

CommandRun cli_version; /* which Banyan this is, and what it stands on */

typedef struct CliDocsArgs {
	Str folder;
} CliDocsArgs;
/* Writes commands.md and the program's pages into a folder, which is made. Fails with "cli.docs". */
CommandRun cli_docs;
