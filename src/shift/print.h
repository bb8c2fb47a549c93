/* SPDX-License-Identifier: Apache-2.0
 *
 * What the admin port said, for people. */
#pragma once
#include "base/json.h"

/* subject: as it was typed, for commands that are shown. */
typedef void PrintFn(Buf *b, Arena *a, Str subject, const Json *json);
PrintFn print_all, print_status, print_plan, print_differences, print_history, print_servers,
	print_said, print_writes, print_write;
