/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of a state that was kept as JSON: false when one is missing or cannot be what it should. */
#pragma once
#include "base/json.h"

bool figures_get_u64(const Json *object, const char *key, uint64_t *out);
bool figures_get_i64(const Json *object, const char *key, int64_t *out);
bool figures_get_real(const Json *object, const char *key, double *out);  /* finite */
bool figures_get_share(const Json *object, const char *key, double *out); /* 0 to 1 */
/* INVALID "shift.state", naming what could not be read. */
Err *figures_wrong(Arena *a, const char *what) MUST_USE RETURNS_NONNULL;
