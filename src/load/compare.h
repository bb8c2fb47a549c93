/* SPDX-License-Identifier: Apache-2.0
 *
 * Two runs side by side, and which of the differences are more than noise. */
#pragma once
#include "load/report.h"

/* What changed from the report saved earlier (its JSON) to this one. Fails with INVALID "load.report" when the text is no
 * report. *worse: response times or failures grew by more than noise. */
Err *compare_put(Arena *a, Buf *out, Str name, Str before, const Report *now, bool *worse) MUST_USE;
