/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings that only the history can make: PY701 to PY704. */
#pragma once
#include "audit/history_area.h"
#include "audit/audit.h"

/* Adds to audit->findings; reads history, told and by_group. */
void history_smells(Arena *a, Audit *audit);
