/* SPDX-License-Identifier: Apache-2.0
 *
 * Linked into the program of the check build: says so when a thread that runs a loop calls what may block it, whoever calls it,
 * libraries included. It stands in front of the C library's functions (and the sanitizer's, which are next in line), asks
 * whether this thread runs a loop, and whether this call can wait: of files only regular ones can, of waits only those with a
 * time. The plays look for its line in what a program said, and there must be none.
 *
 * What is made not to block has other names and passes: openat2 with RESOLVE_CACHED, preadv2 with RWF_NOWAIT, sockets. So do
 * files of /proc, which no disk is behind, and the program's own log, which waits for its reader once and briefly. */
#include "base/util.h"
#include "rt/loop.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void __sanitizer_print_stack_trace(void);

static _Thread_local bool busy; /* with saying so */

static void blocks(const char *call)
{
	if (!loop_self() || busy)
		return;
	busy = true;
	fprintf(stderr, "BLOCKING call on loop %u: %s\n", loop_index(loop_self()), call);
	__sanitizer_print_stack_trace();
	busy = false;
}

static void blocks_on_file(const char *call, int fd)
{
	struct statfs system;
	struct stat file;

	if (!loop_self() || busy || fd == STDERR_FILENO)
		return;
	if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && fstatfs(fd, &system) == 0 &&
	    system.f_type != PROC_SUPER_MAGIC)
		blocks(call);
}

/* The next function of this name: `REAL(fsync)(fd)`. */
#define REAL(name) \
	({ \
		static __typeof__(&(name)) next_; \
		if (!next_) \
			*(void **)&next_ = dlsym(RTLD_NEXT, #name); \
		next_; \
	})

int fsync(int fd)
{
	blocks("fsync");
	return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	blocks("fdatasync");
	return REAL(fdatasync)(fd);
}

int rename(const char *from, const char *to)
{
	blocks("rename");
	return REAL(rename)(from, to);
}

int flock(int fd, int what)
{
	if (!(what & (LOCK_NB | LOCK_UN)))
		blocks("flock");
	return REAL(flock)(fd, what);
}

ssize_t read(int fd, void *into, size_t cap)
{
	blocks_on_file("read", fd);
	return REAL(read)(fd, into, cap);
}

ssize_t pread(int fd, void *into, size_t cap, off_t from)
{
	blocks_on_file("pread", fd);
	return REAL(pread)(fd, into, cap, from);
}

ssize_t write(int fd, const void *from, size_t bytes)
{
	blocks_on_file("write", fd);
	return REAL(write)(fd, from, bytes);
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t at)
{
	blocks_on_file("pwrite", fd);
	return REAL(pwrite)(fd, from, bytes, at);
}

FILE *fopen(const char *path, const char *how)
{
	FILE *file = REAL(fopen)(path, how);

	if (file)
		blocks_on_file("fopen", fileno(file));
	return file;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
	blocks("getaddrinfo");
	return REAL(getaddrinfo)(host, service, hints, out);
}

/* Under another name: the C library's header says that poll only writes what it is given. */
int poll_here(struct pollfd *fds, nfds_t count, int ms) __asm__("poll");
int poll_here(struct pollfd *fds, nfds_t count, int ms)
{
	if (ms && !(count == 1 && fds->fd == STDERR_FILENO))
		blocks("poll");
	return REAL(poll)(fds, count, ms);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	blocks("nanosleep");
	return REAL(nanosleep)(time, left);
}

int usleep(useconds_t us)
{
	blocks("usleep");
	return REAL(usleep)(us);
}

pid_t waitpid(pid_t pid, int *status, int how)
{
	if (!(how & WNOHANG))
		blocks("waitpid");
	return REAL(waitpid)(pid, status, how);
}
