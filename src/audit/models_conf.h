/* SPDX-License-Identifier: Apache-2.0
 *
 * `audit: { models: ... }`, and what it asks of git. */
#pragma once
#include "audit/audit_conf.h"

typedef struct ModelsConf {
	Str migrations_since; /* a revision; empty: all are judged */
} ModelsConf;
const ConfTable *models_table(void) RETURNS_NONNULL;

/* Which migrations were there at a revision already. */
typedef struct Since Since;
/* NULL in *out: all are new, as nothing was asked for, or there is no repository (*why_not then says why). Fails with INVALID "audit.revision" when
 * there is no such revision. It lives as long as the arena. */
Err *since_open(Arena *a, const AuditRules *rules, Since **out, Str *why_not) MUST_USE;
bool since_had(const Since *since, Arena *a, Str path); /* of the project */
