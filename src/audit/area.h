/* SPDX-License-Identifier: Apache-2.0
 *
 * A project cut into areas by paths, so that figures of files can be put together: the folders where its code forks, or the groups that a configuration names (a
 * service that is proposed, a team). Any path has one, also one that is no longer there. Pure. */
#pragma once
#include "audit/audit_conf.h"

enum { AREAS_DEEP = 8 };

typedef struct Areas {
	const Str
		*names; /* "shop/orders", "" for what stands in the root itself; or groups' names */
	uint32_t count;
	const AuditConf *groups; /* NULL: names are folders */
	Str opened[AREAS_DEEP +
	           1]; /* folders that are no areas but their folders are; each holds the next */
	uint32_t opened_count;
} Areas;

/* The folders of the project's code. They begin with those of the root; one that holds more than three quarters of all code is no area but opened,
 * again and again (AREAS_DEEP times), so that "src/shop" gives way to what is in it. What stands in an opened folder itself is an area of its name.
 * By name. */
Areas areas_of(Arena *a, const Project *p);
/* The configuration's groups, in its order; it is borrowed. */
Areas areas_grouped(Arena *a, const AuditConf *conf);
/* The area of a path, also of one that is gone: then it may be none of the names. A view into either. False: no group has it. */
bool area_name(const Areas *areas, Str path, Str *name);
enum { AREA_NONE = UINT32_MAX };
uint32_t area_find(const Areas *areas, Str path); /* AREA_NONE: it is in none of the names */
