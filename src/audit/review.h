/* SPDX-License-Identifier: Apache-2.0
 *
 * The agenda of the monthly review of the debt: the worst by weight for the business, cut at a share of the team's capacity. */
#pragma once
#include "audit/finding.h"
#include "audit/project.h"
#include "base/buf.h"

/* How much a file matters: its share of the changes, of the traffic, of the money; any measure, 0 and up. */
typedef double ReviewWeight(const void *arg, Str path);

typedef struct ReviewRules {
	double capacity_hours; /* of the team, a month; 0: not known, so nothing is cut */
	double share;          /* of it, for the debt: 0.2 */
	ReviewWeight *weight;  /* NULL: all files weigh the same, and that is said */
	const void *arg;
	Str weight_text; /* "changes of twelve months" */
} ReviewRules;

/* One file's findings, mended together. */
typedef struct ReviewItem {
	Str path;
	double minutes, weight;
	size_t findings;
	const Finding *worst; /* with the most minutes */
	bool fits;            /* in the share; else it waits */
	bool too_large;       /* for the whole share: must be cut into parts */
} ReviewItem;

typedef struct Review {
	ReviewItem *items; /* those that fit first, each part by weight x minutes */
	size_t count, fitting;
	double minutes, budget_minutes; /* of those that fit; of the share, 0: not known */
} Review;

/* Findings that are ignored with a reason are left out. In the arena. */
void review_plan(Arena *a, const Findings *findings, const ReviewRules *rules, Review *out);
void review_put(Buf *b, const Review *review, const ReviewRules *rules); /* Markdown */
void review_put_json(Buf *b, const Review *review);
