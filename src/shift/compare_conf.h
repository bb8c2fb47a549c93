/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of a comparison as a table of the configuration: `compare:` of a route or a shift. */
#pragma once
#include "shift/compare.h"

/* Its struct is CompareRules. What is no path is a mistake with its place. */
const ConfTable *compare_conf_table(void) RETURNS_NONNULL;
