/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules whose findings come from git's history and from CODEOWNERS. */
#pragma once
#include "audit/finding.h"

typedef enum HistoryRule {
	RULE_SHOTGUN,
	RULE_CROSSING,
	RULE_MENDED,
	RULE_ORPHAN,
	RULE_UNOWNED,
	RULE_STRANGER,
	RULE_GONE,
	RULE_UNKNOWN,
	RULE_IDLE,
	HISTORY_RULES
} HistoryRule;
const FindingRule *history_rule(HistoryRule rule);
