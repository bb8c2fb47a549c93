/* SPDX-License-Identifier: Apache-2.0
 *
 * "1 file", "2 files". */
#pragma once
#include <stdint.h>

static inline const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}
