/* SPDX-License-Identifier: Apache-2.0
 *
 * What the admin port said, for people. */
#pragma once
#include "base/json.h"

typedef void PrintFn(Buf *b, Arena *a, const Json *json);
PrintFn print_all, print_status, print_plan, print_differences, print_history, print_servers,
	print_said;
