/* SPDX-License-Identifier: Apache-2.0
 *
 * A project cut into parts by paths, so that figures of files can be put together: its packages, or the groups that a configuration names (a
 * service that is proposed, a team). Any path has a part, also one that is no longer there. Pure. */
#pragma once
#include "audit/project.h"

enum { PARTS_DEEP = 8 };

/* One group of a configuration. */
typedef struct PartRule {
	Str name;
	const Str *patterns; /* as path_matches has them */
	size_t count;
} PartRule;

typedef struct Parts {
	const Str *names; /* "shop/orders", "" for what stands in the root itself; or groups' names */
	uint32_t count;
	const PartRule *rules; /* NULL: names are folders */
	Str opened[PARTS_DEEP + 1]; /* folders that are no parts but their folders are; each holds the next */
	uint32_t opened_count;
} Parts;

/* The folders of the project's code. They begin with those of the root; one that holds more than three quarters of all code is no part but opened,
 * again and again (PARTS_DEEP times), so that "src/shop" gives way to what is in it. What stands in an opened folder itself is a part of its name.
 * By name. */
Parts parts_packages(Arena *a, const Project *p);
/* In the rules' order; the rules are borrowed. */
Parts parts_groups(Arena *a, const PartRule *rules, size_t count);
/* The part of a path, also of one that is gone: then it may be none of the names. A view into either. False: no group has it. */
bool parts_name(const Parts *parts, Str path, Str *name);
enum { PARTS_NONE = UINT32_MAX };
uint32_t parts_find(const Parts *parts, Str path); /* PARTS_NONE: it is in none of the names */
