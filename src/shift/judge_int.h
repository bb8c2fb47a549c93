/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the files of the judge. */
#pragma once
#include "shift/judge.h"

/* Are its events what one wants, so that fewer are worse? */
static inline bool judge_is_wanted(const JudgeMetric *metric)
{
	return metric->rule.kind == JUDGE_WITH;
}

bool judge_is_over(const JudgeMetric *metric); /* the limit, by enough events */
