/* SPDX-License-Identifier: Apache-2.0
 *
 * Projects: whom events belong to. A project's key may write and nothing else; it stands in pages for all to see. */
#pragma once
#include "analytics/analytics_int.h"

typedef enum Privacy {
	PRIVACY_OPEN,    /* whoever the client names */
	PRIVACY_CONSENT, /* only where the event says "$consent": true; else as a visitor of the day */
	PRIVACY_VISITORS, /* visitors of the day, always */
} Privacy;

typedef struct Project {
	int64_t id;
	Str name, key;
	Privacy privacy;
	int64_t created_us;
} Project;

/* One a loop: those that were asked for lately. */
Projects *projects_new(Arena *a, unsigned loops) RETURNS_NONNULL;
void projects_free(Projects *projects, unsigned loops); /* NULL is fine */

/* By its write key, or by a page's domain; *out: NULL, there is none. A change shows within seconds. Park. */
Err *project_by_write_key(Analytics *s, Arena *a, Str key, Project **out) MUST_USE;
Err *project_of_domain(Analytics *s, Arena *a, Str domain, Project **out) MUST_USE;
/* By its name or its number, from the database. Fails with NOT_FOUND "project.unknown". */
Err *project_find(Db *db, Arena *a, Str name, Project **out) MUST_USE;
/* name: letters, digits and . _ -, 100 at most. Fails with INVALID "project.name", CONFLICT "project.taken" (the domain, the
 * name). */
Err *project_make(Db *db, Arena *a, Str name, Privacy privacy, const Str *domains, size_t count,
                  Project **out) MUST_USE;
void project_put(JsonWriter *w, const Project *project, const Str *domains, size_t count);
const ConfWord *project_privacies(void);
