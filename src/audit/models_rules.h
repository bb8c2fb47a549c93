/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about migrations (PY601 and on) and about tables of others (PY620 and on). */
#pragma once
#include "audit/models.h"

typedef enum ModelRule {
	RULE_ADD_NOT_NULL,
	RULE_INDEX,
	RULE_TYPE,
	RULE_RENAME,
	RULE_DROP,
	RULE_KEY,
	RULE_CONSTRAINT,
	RULE_NO_REVERSE,
	RULE_MIXED,
	RULE_SET_NOT_NULL,
	RULE_ATOMIC,
	RULE_REAL_MODEL,
	RULE_SQL,
	RULE_LEAVES,
	RULE_FOREIGN_WRITE,
	RULE_CROSS_TRANSACTION,
	RULE_SQL_FOREIGN,
	RULE_JOIN,
	MODEL_RULES
} ModelRule;
const FindingRule *model_rule(ModelRule rule) RETURNS_NONNULL;
