/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a PostgreSQL is, from its URL (libpq's: RFC 3986 with "postgresql" or "postgres" as its scheme, several hosts after
 * one another). Nothing here parks. */
#pragma once
#include "base/err.h"

enum { PG_HOSTS = 8, PG_OPTIONS = 48 };

typedef struct PgHost {
	Str name; /* to be resolved; or a socket's folder, which begins with '/', or empty: libpq's default */
	Str port; /* empty: the default */
} PgHost;

typedef struct PgTarget {
	Str shown; /* "host:port/name", without user and password */
	const char *
		keywords[PG_OPTIONS]; /* libpq's, but for host, hostaddr and port; NULL ends them */
	const char *values[PG_OPTIONS];
	PgHost hosts[PG_HOSTS];
	size_t host_count;
	int64_t connect_us; /* connect_timeout, or 5 s */
} PgTarget;

/* `session`: what a session of ours goes by is asked for at its start (UTC, no idle transactions); not behind PgBouncer,
 * which refuses that. Text lives in `a`. Fails with INVALID "db.url"; the sentence never quotes a password. */
Err *pg_target_read(Arena *a, Str url, bool session, PgTarget *out) MUST_USE;
