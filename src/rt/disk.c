/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and reading, first as something that cannot wait: openat2 with RESOLVE_CACHED walks a path only as far as names
 * are in memory, preadv2 with RWF_NOWAIT reads only pages that are. Where the kernel says EAGAIN, a worker does it again
 * without the condition. So a file that is in use costs no change of thread, and a cold disk costs only those who ask for
 * what is on it.
 *
 * Filesystems that cannot tell (EOPNOTSUPP) are read by workers, but for those that are nothing but memory. Kernels without
 * RESOLVE_CACHED (before 5.12) open by workers; without openat2 at all (before 5.6, and where a sandbox refuses it) the
 * worker opens without rights, asks /proc where that led, and opens it for reading only when it is below the folder. */
#include "rt/disk.h"

#include "rt/work.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { WARM_BYTES = 64 << 10, PROC_PATH = 32, PATH_BYTES = 4096 + 1, OPEN_TRIES = 16 };

/* linux/openat2.h of older systems does not have it. */
static const uint64_t resolve_cached = 0x20;

/* What this kernel can do, found out at the first need. Any thread; relaxed. */
static struct {
	bool no_openat2, no_cached;
} kernel;

static DiskStats stats;

static Err broken = ERR_STATIC(IO, "rt.disk", "a file could not be read");

static bool is(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static void set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELAXED);
}

static void count(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

DiskStats disk_stats(void)
{
	return (DiskStats){ __atomic_load_n(&stats.at_once, __ATOMIC_RELAXED),
		            __atomic_load_n(&stats.fetched, __ATOMIC_RELAXED) };
}

/* --- opening -------------------------------------------------------------------------------------------------------- */

typedef struct Open {
	int folder;
	const char *path;
	int flags;
	uint64_t resolve;
	DiskFile *out;
} Open;

static int openat2_(const Open *o, uint64_t resolve)
{
	struct open_how how = { .flags = (uint64_t)(unsigned)o->flags,
		                .resolve = o->resolve | resolve };

	return (int)syscall(SYS_openat2, o->folder, o->path, &how, sizeof how);
}

static bool path_of(int fd, char *into)
{
	char link[PROC_PATH];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, into, PATH_BYTES);
	into[len > 0 && len < PATH_BYTES ? len : 0] = 0;
	return into[0] == '/';
}

static bool is_below(int folder, int fd)
{
	char above[PATH_BYTES], path[PATH_BYTES];
	size_t len;

	if (!path_of(folder, above) || !path_of(fd, path))
		return false;
	len = strlen(above);
	return strncmp(above, path, len) == 0 && (len == 1 || path[len] == '/' || path[len] == 0);
}

/* Without openat2. */
static int open_old(const Open *o)
{
	char link[PROC_PATH];
	int found = openat(o->folder, o->path, O_PATH | O_CLOEXEC);
	int fd = -1;

	if (found < 0 || !o->resolve)
		return found;
	snprintf(link, sizeof link, "/proc/self/fd/%d", found);
	errno = EXDEV;
	if (o->path[0] != '/' && is_below(o->folder, found))
		fd = open(link, o->flags);
	close(found);
	return fd;
}

static int open_waiting(const Open *o)
{
	int fd;

	if (is(&kernel.no_openat2))
		return open_old(o);
	fd = openat2_(o, 0);
	if (fd < 0 && (errno == ENOSYS || errno == EPERM)) { /* EPERM: what old sandboxes say */
		int old = open_old(o);

		if (old >= 0)
			set(&kernel.no_openat2);
		return old;
	}
	return fd;
}

static void take(DiskFile *out, int fd)
{
	*out = (DiskFile){ .fd = fd, .errnum = fd < 0 ? errno : 0 };
	if (fd >= 0 && fstat(fd, &out->st) != 0) {
		out->errnum = errno;
		close(fd);
		out->fd = -1;
	}
}

static void open_job(void *arg)
{
	const Open *o = arg;
	int fd = -1;

	errno = EAGAIN; /* a folder on the way was being renamed */
	for (int i = 0; i < OPEN_TRIES && fd < 0 && (errno == EAGAIN || errno == EINTR); i++)
		fd = open_waiting(o);
	take(o->out, fd);
}

static Err *open_any(Open *o)
{
	int fd;

	*o->out = (DiskFile){ .fd = -1 };
	if (!is(&kernel.no_cached) && !is(&kernel.no_openat2)) {
		fd = openat2_(o, resolve_cached);
		if (fd < 0 && errno == EINVAL)
			set(&kernel.no_cached);
		else if (fd >= 0 || (errno != EAGAIN && errno != ENOSYS && errno != EPERM)) {
			count(&stats.at_once);
			take(o->out, fd);
			return NULL;
		}
	}
	count(&stats.fetched);
	return work_run(open_job, o);
}

Err *disk_open_folder(const char *path, DiskFile *out)
{
	Open o = { AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, out };

	return open_any(&o);
}

Err *disk_open_below(int folder, const char *path, DiskFile *out)
{
	Open o = { folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		   RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, out };

	return open_any(&o);
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

typedef struct Read {
	int fd;
	char *into;
	size_t cap;
	uint64_t from;
	ssize_t got;
} Read;

static void read_job(void *arg)
{
	Read *r = arg;

	do
		r->got = pread(r->fd, r->into, r->cap, (off_t)r->from);
	while (r->got < 0 && errno == EINTR);
}

/* Nothing but memory: there is no disk to wait for. */
static bool is_memory(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC ||
	                                 fs.f_type == HUGETLBFS_MAGIC);
}

/* Reads what can be had without waiting; false: a worker must. */
static bool read_at_once(Read *r)
{
	struct iovec part = { r->into, r->cap };

	r->got = preadv2(r->fd, &part, 1, (off_t)r->from, RWF_NOWAIT);
	if (r->got >= 0 || (errno != EAGAIN && errno != EOPNOTSUPP && errno != ENOSYS))
		return true;
	if (errno == EAGAIN || !is_memory(r->fd))
		return false;
	read_job(r);
	return true;
}

Err *disk_read(int fd, void *into, size_t cap, uint64_t from, size_t *got)
{
	Read r = { fd, into, cap, from, 0 };

	*got = 0;
	if (read_at_once(&r)) {
		count(&stats.at_once);
	} else {
		count(&stats.fetched);
		TRY(work_run(read_job, &r));
	}
	if (r.got < 0)
		return &broken;
	*got = (size_t)r.got;
	return NULL;
}

typedef struct Warm {
	int fd;
	uint64_t from;
	size_t count;
} Warm;

static void warm_job(void *arg)
{
	const Warm *w = arg;
	char *bytes = malloc(WARM_BYTES);
	Read r = { .fd = w->fd, .into = bytes, .from = w->from, .got = 1 };

	for (size_t left = w->count; bytes && left && r.got > 0; left -= MIN(left, (size_t)r.got)) {
		r.cap = MIN(left, (size_t)WARM_BYTES);
		read_job(&r);
		r.from += (uint64_t)MAX(r.got, (ssize_t)0);
	}
	free(bytes);
}

/* The last byte: what is before it was read ahead of it, and is forgotten before it. */
static bool is_warm(int fd, uint64_t from, size_t bytes)
{
	char byte;
	Read last = { fd, &byte, 1, from + bytes - 1, 0 };

	return read_at_once(&last);
}

Err *disk_warm(int fd, uint64_t from, size_t bytes)
{
	Warm w = { fd, from, bytes };

	if (!bytes)
		return NULL;
	if (is_warm(fd, from, bytes)) {
		count(&stats.at_once);
		return NULL;
	}
	count(&stats.fetched);
	return work_run(warm_job, &w);
}
