/* SPDX-License-Identifier: Apache-2.0
 *
 * A real PostgreSQL for a unit test (tests/postgres): one for all tests of a program, or one of a test's own that may be
 * stopped and killed. Called before rt_run().
 *
 *     Str url = pg_server(a, "tester", "");                     of this program; tables are the test's own to name
 *     unsigned port = pg_server_start("mine", "max_connections=5");
 *     pg_server_do("kill", "mine"); */
#pragma once

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Those of the whole program live as long as it does: this very process is only one test. */
static inline unsigned pg_server_run(const char *verb, pid_t pid, const char *name,
                                     const char *settings)
{
	char command[256], line[64] = "";
	FILE *out;

	snprintf(command, sizeof command, "tests/postgres %s %d %s %s", verb, (int)pid, name,
	         settings);
	out = popen(command, "r");
	CHECK(out != NULL);
	while (fgets(line, sizeof line, out))
		continue;
	CHECK_INT(pclose(out), 0);
	return (unsigned)atoi(line);
}

/* A server that ends with this test; its port. */
static inline unsigned pg_server_start(const char *name, const char *settings)
{
	return pg_server_run("start", getpid(), name, settings);
}

/* "stop", "kill" or "again"; may block for a second: from a worker thread, or before rt_run(). */
static inline void pg_server_do(const char *verb, const char *name)
{
	pg_server_run(verb, getpid(), name, "");
}

/* It gets a tablespace "small" on a disk of 1 MiB. False: nothing can be mounted here. */
static inline bool pg_server_small(const char *name)
{
	enum { NO_MOUNT = 4 };
	char command[128];
	int status;

	snprintf(command, sizeof command, "tests/postgres small %d %s", (int)getpid(), name);
	status = system(command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MOUNT) {
		printf("nothing can be mounted here: not tested\n");
		return false;
	}
	CHECK_INT(status, 0);
	return true;
}

static inline Str pg_server_url(Arena *a, unsigned port, const char *user, const char *more)
{
	return str_fmt(a, "postgresql://%s%s@127.0.0.1:%u/postgres%s", user,
	               strcmp(user, "tester") == 0 ? "" : ":pass%20word", port, more);
}

/* A PgBouncer in transaction mode in front of this program's server; its port. */
static inline unsigned pg_server_pooler(void)
{
	return pg_server_run("pooler", getppid(), "all", "");
}

static inline Str pg_server(Arena *a, const char *user, const char *more)
{
	return pg_server_url(a, pg_server_run("start", getppid(), "all", ""), user, more);
}
