/* SPDX-License-Identifier: Apache-2.0
 *
 * All that an audit makes of git's history but trends.h, in one step: the walk (or what the cache has of it), hotspots, coupling and owners of
 * files and of parts, CODEOWNERS, with `deep` who brought in what was mended, and the findings that follow (PY7xx). */
#pragma once
#include "audit/audit.h"
#include "audit/codeowners.h"
#include "audit/history_parts.h"
#include "audit/szz.h"

/* Sets history, told, packages, groups, szz, codeowners of the audit. */
Err *history_step(Arena *a, const AuditRules *rules, Audit *audit) MUST_USE; /* AuditStep */
/* The rules PY701 and following; *count rows. */
const FindingRule *history_rules(size_t *count);
/* After history_screen: a few lines. */
void history_step_screen(FILE *out, const Audit *audit);
/* An object: packages, groups (history_parts_put; groups null without any), szz (null: not asked for), codeowners (null: there is none; else
 * {path, files, without, owners: [{name, team, known, files, changes, of, gone}]}). */
void history_step_put(JsonWriter *w, const Audit *audit);
