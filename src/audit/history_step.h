/* SPDX-License-Identifier: Apache-2.0
 *
 * All that an audit makes of git's history but trends.h, in one step: the walk (or what the cache has of it), hotspots, coupling and owners of
 * files and of areas, CODEOWNERS, with `deep` who brought in what was mended, and the findings that follow (PY7xx). */
#pragma once
#include "audit/audit.h"

/* Sets history, told, by_area, by_group, szz, codeowners of the audit. */
Err *history_step(Arena *a, const AuditRules *rules, Audit *audit) MUST_USE; /* AuditStep */
/* After history_screen: a few lines. */
void history_step_screen(FILE *out, const Audit *audit);
/* An object: areas, groups (history_areas_put; null: no history, no groups), szz (null: not asked for), codeowners (null: there is none). */
void history_step_put(JsonWriter *w, const Audit *audit);
