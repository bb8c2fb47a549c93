/* SPDX-License-Identifier: Apache-2.0
 *
 * A value that outlives the arena it was read into: for caches. */
#pragma once
#include "base/json.h"

/* One more owner of a value and all below it, which is what is returned. Any thread; readers need no lock. */
const Json *json_keep(const Json *value) RETURNS_NONNULL;
void json_let_go(const Json *value); /* one owner less; NULL is fine */
