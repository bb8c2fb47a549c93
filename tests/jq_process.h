/* SPDX-License-Identifier: Apache-2.0
 *
 * For unit tests that run jq filters: the process that runs them is this same program, started with one word. */
#pragma once
#include "rt/jq.h"

#include <stdlib.h>
#include <string.h>

__attribute__((constructor)) static void jq_process(int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "jq") != 0)
		return;
	jq_serve();
	exit(0);
}
