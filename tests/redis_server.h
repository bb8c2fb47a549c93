/* SPDX-License-Identifier: Apache-2.0
 *
 * A real redis-server for a unit test, on a free port of loopback, in a folder of its own below unit_dir().
 *
 *     RedisServerProcess *redis = redis_start(a, NULL);              ready when this returns
 *     redis_start(a, (const char *[]){ "--maxmemory", "2mb", NULL })
 *     redis_signal(redis, SIGSTOP);  redis_kill(redis);  redis_again(redis);      the same port and folder
 *
 * It ends with the test's process. Call from the test's own thread or a fiber of loop 0. */
#pragma once

#include "base/rand.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REDIS_ARGS_MAX = 48 };

typedef struct RedisServerProcess {
	Arena *a;
	pid_t pid; /* 0: it does not run */
	uint16_t port;
	const char *dir;
	const char *args[REDIS_ARGS_MAX];
	const char *ready; /* what it logs when it is */
	int log_fd;
	Str url; /* redis://127.0.0.1:PORT */
} RedisServerProcess;

/* Below those that the kernel gives to whoever connects: a port must still be free when its server comes back, and a client
 * that tries a port again and again where nobody listens may be given that very port, and meet itself. */
static inline uint16_t free_port(void)
{
	for (;;) {
		uint16_t port = (uint16_t)(10000 + rand_below(22000));
		struct sockaddr_in addr = { .sin_family = AF_INET,
			                    .sin_port = htons(port),
			                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool is_free = bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0;

		close(fd);
		if (is_free)
			return port;
	}
}

/* posix_spawn, not fork: a child of a process with threads may wait for ever for a lock that one of them held, and gcov
 * takes locks in every exec. */
static inline pid_t redis_spawn(RedisServerProcess *p, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid;

	sigemptyset(&none);
	CHECK_INT(posix_spawn_file_actions_init(&files), 0);
	CHECK_INT(posix_spawn_file_actions_adddup2(&files, out, 1), 0);
	CHECK_INT(posix_spawn_file_actions_adddup2(&files, out, 2), 0);
	CHECK_INT(posix_spawnattr_init(&attributes), 0);
	CHECK_INT(posix_spawnattr_setsigmask(&attributes, &none), 0);
	CHECK_INT(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK), 0);
	CHECK_INT(posix_spawnp(&pid, p->args[0], &files, &attributes,
	                       (char *const *)(uintptr_t)p->args, environ),
	          0);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

/* Reads its log until the line is there. */
static inline void redis_await(RedisServerProcess *p)
{
	static char seen[64 << 10];
	size_t len = 0;

	while (len < sizeof seen - 1) {
		ssize_t n = read(p->log_fd, seen + len, sizeof seen - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			unit_fail(__FILE__, __LINE__, "redis-server ended: %s", seen);
		len += (size_t)n;
		seen[len] = 0;
		if (strstr(seen, p->ready))
			return;
	}
	unit_fail(__FILE__, __LINE__, "redis-server says too much");
}

static inline void redis_again(RedisServerProcess *p)
{
	int fds[2];

	CHECK_INT(p->pid, 0);
	CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
	p->pid = redis_spawn(p, fds[1]);
	close(fds[1]);
	if (p->log_fd >= 0)
		close(p->log_fd);
	p->log_fd = fds[0];
	redis_await(p);
}

static inline void redis_signal(RedisServerProcess *p, int signo)
{
	CHECK_INT(kill(p->pid, signo), 0);
}

static inline void redis_kill(RedisServerProcess *p)
{
	int status;

	if (!p->pid)
		return;
	redis_signal(p, SIGKILL);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
}

static inline void redis_end(void *arg)
{
	redis_kill(arg);
}

/* `more`: options, NULL at the end; the first may be a file of configuration. */
static inline RedisServerProcess *redis_start_at(Arena *a, uint16_t port, const char *const *more)
{
	RedisServerProcess *p = ARENA_NEW(a, RedisServerProcess);
	const char *port_text = str_z(a, str_fmt(a, "%u", port));
	size_t count = 0;

	p->a = a;
	p->port = port;
	p->log_fd = -1;
	p->ready = "eady to accept connections";
	p->dir = str_z(a, str_fmt(a, "%s/redis-%u", unit_dir(), port));
	p->url = str_fmt(a, "redis://127.0.0.1:%u", port);
	CHECK_INT(mkdir(p->dir, 0700), 0);
	for (const char *first[] = { "setpriv", "--pdeathsig", "KILL", "redis-server", NULL },
	                **arg = first;
	     *arg; arg++)
		p->args[count++] = *arg;
	if (more && *more && **more == '/')
		p->args[count++] = *more++;
	for (const char *own[] = { "--port", port_text, "--bind", "127.0.0.1", "--save", "",
	                           "--dir", p->dir, NULL },
	                **arg = own;
	     *arg; arg++)
		p->args[count++] = *arg;
	while (more && *more && count < REDIS_ARGS_MAX - 1)
		p->args[count++] = *more++;
	return p;
}

static inline RedisServerProcess *redis_start(Arena *a, const char *const *more)
{
	RedisServerProcess *p = redis_start_at(a, free_port(), more);

	redis_again(p);
	arena_defer(a, redis_end, p);
	return p;
}
