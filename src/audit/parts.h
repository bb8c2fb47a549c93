/* SPDX-License-Identifier: Apache-2.0
 *
 * A project cut into parts by paths, so that figures of files can be put together: its packages, or the groups that a configuration names (a
 * service that is proposed, a team). Any path has a part, also one that is no longer there. Pure. */
#pragma once
#include "audit/project.h"

enum { PARTS_NONE = UINT32_MAX, PARTS_MOST = 4096, PARTS_DEEP = 8 };

/* One group of a configuration. */
typedef struct PartRule {
	Str name;
	const Str *patterns; /* as path_matches has them */
	size_t count;
} PartRule;

typedef struct Parts {
	const Str
		*names; /* "shop/orders", "" for what stands in the root itself; or groups' names */
	uint32_t count;
	const PartRule
		*rules; /* NULL: names are folders, and the longest that a path lies in has it */
} Parts;

/* The folders of the project's code. They begin with those of the root; one that holds more than three quarters of all code is no part but opened,
 * again and again (PARTS_DEEP times), so that "src/shop" gives way to what is in it. What stands in an opened folder itself is a part of its name.
 * By name. */
Parts parts_packages(Arena *a, const Project *p);
/* By the rules' order; the rules are borrowed. */
Parts parts_groups(Arena *a, const PartRule *rules, size_t count);
uint32_t parts_find(const Parts *parts, Str path); /* PARTS_NONE: in none of them */
