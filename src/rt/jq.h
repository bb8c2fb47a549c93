/* SPDX-License-Identifier: Apache-2.0
 *
 * A jq filter of the configuration, for the first value it gives (libjq). One thread uses one; numbers are doubles in it
 * and it has no limit of time: not for money, not for filters that strangers write. */
#pragma once
#include "base/err.h"

typedef struct Jq Jq;

Err *jq_new(Arena *a, Str filter, Jq **out) MUST_USE; /* 40 ms. Fails with INVALID "rt.jq" */
void jq_free(Jq *jq);                                 /* NULL is fine */
/* The filter's first value of the JSON text, strings without quotes; false when there is none, or it is null or false. */
bool jq_first(Jq *jq, Arena *a, Str json, Str *out);
