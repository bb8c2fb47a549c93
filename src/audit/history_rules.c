/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of the history. Minutes are guesses of what it takes to see to one: a place that changes with many others must be understood together
 * with each of them; a line of CODEOWNERS is a question to somebody. */
#include "audit/history_rules.h"

#include "audit/rules.h"

static const FindingRule rules[] = {
	[RULE_SHOTGUN] = { "PY701", "shotgun-surgery", FINDING_ARCHITECTURE, FINDING_WARNING,
	                   "a file that cannot be changed without files in other places",
	                   "When most changes of a file need changes in three or more files of other folders, one decision is spread over all of them: each "
	                   "change takes longer, and one that forgets a place is a bug. Bring what changes together into one place, or put an interface "
	                   "between them that stays.",
	                   60, 20, .beside = true },
	[RULE_CROSSING] = { "PY702", "crossing-change", FINDING_ARCHITECTURE, FINDING_WARNING,
	                    "two groups of the configuration that are changed together",
	                    "Groups that are proposed as services should be changed, and released, each alone. Where most changes of one need the other, "
	                    "the cut goes through the middle of something: move it, or find what they share and give that an interface.",
	                    240, 0, .beside = true },
	[RULE_MENDED] = { "PY703", "mended-often", FINDING_BUG, FINDING_NOTE,
	                  "a file most of whose changes mend it",
	                  "Code that was mended again and again is likely to be mended again. Tests around it, or writing it anew in simpler parts, pay "
	                  "sooner here than elsewhere.",
	                  120, 0, .beside = true },
	[RULE_ORPHAN] = { "PY704", "lost-knowledge", FINDING_MAINTAIN, FINDING_WARNING,
	                  "a file that is changed often, and whose authors are gone",
	                  "Everybody who made more than a small part of this file has made no commit for a year, and it is still changed: by people who must "
	                  "guess. Let somebody own it, read it and write down what it does before the next large change.",
	                  120, 0, .beside = true },
	[RULE_UNOWNED] = { "PY711", "no-code-owner", FINDING_MAINTAIN, FINDING_NOTE,
	                   "files that CODEOWNERS gives to nobody",
	                   "Changes of these files need nobody's eyes, although this team has decided that files have owners.",
	                   5, 0, .beside = true },
	[RULE_STRANGER] = { "PY712", "owner-without-changes", FINDING_MAINTAIN, FINDING_NOTE,
	                    "an owner who never changed what is theirs",
	                    "Who is asked for a review here has made none of the changes: the review is a formality, or waits for somebody who has to ask others. "
	                    "Let the file name who does know it.",
	                    10, 0, .beside = true },
	[RULE_GONE] = { "PY713", "owner-gone", FINDING_MAINTAIN, FINDING_WARNING,
	                "an owner without a commit for a year",
	                "Reviews that only this person may give are waited for in vain, or are passed by.",
	                10, 0, .beside = true },
	[RULE_UNKNOWN] = { "PY714", "owner-unknown", FINDING_MAINTAIN, FINDING_NOTE,
	                   "an owner whom git's history does not know",
	                   "Nobody of this name or address has made a commit: a person who left long ago, a slip of the pen, or an account that commits under "
	                   "another name (.mailmap can tell).",
	                   5, 0, .beside = true },
	[RULE_IDLE] = { "PY715", "owner-line-idle", FINDING_MAINTAIN, FINDING_NOTE,
	                "a line of CODEOWNERS that fits no file",
	                "What it was for has moved or is gone, and may have no owner where it is now.",
	                5, 0, .beside = true },
};
_Static_assert(COUNT(rules) == HISTORY_RULES, "a rule has no row");

const FindingRule *history_rule(HistoryRule rule)
{
	return &rules[rule];
}

const FindingRule *history_rules(size_t *count)
{
	*count = COUNT(rules);
	return rules;
}
