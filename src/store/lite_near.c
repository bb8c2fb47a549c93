/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads on the loop itself, when they cannot wait. A point read whose pages are in memory takes a few microseconds; to carry it
 * to another thread and back takes longer than that. So each loop has a connection of its own, which may do no more than what
 * is quick: as with files (rt/disk.c), first it is tried as something that cannot wait, and when that says no a reader's thread
 * does it again without the condition.
 *
 * What makes it quick: a VFS whose reads ask the kernel for what is in memory only (preadv2 with RWF_NOWAIT), no busy handler,
 * and a limit on the steps of SQLite's machine. A statement that was too long is not tried again for its next SKIP times.
 * Fibers take turns: after TURN reads in one turn of the loop the next one yields.
 *
 * The VFS needs a descriptor of its own for the database. Closing any descriptor of a file takes away this process's locks on it
 * (POSIX), so there is one for each file of the process, kept until nobody here has that database open. */
#include "store/lite_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "rt/work.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	SKIP = 64,     /* times that a long statement goes to a reader at once */
	LONG_US = 200, /* that is one, so many times in a row: once may be another thread's doing */
	SLOW_TIMES = 3,
	TURN = 32,
};

/* --- the process's descriptors ----------------------------------------------------------------------------------------- */

typedef struct Shared {
	struct Shared *next;
	dev_t device;
	ino_t inode;
	int fd;
	unsigned users;
} Shared;

static struct {
	pthread_mutex_t lock;
	Shared *first;
} files = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock held. */
static Shared **find(const struct stat *st)
{
	Shared **at = &files.first;

	while (*at && ((*at)->device != st->st_dev || (*at)->inode != st->st_ino))
		at = &(*at)->next;
	return at;
}

static Shared *shared_new(const char *path, const struct stat *st)
{
	Shared *shared = calloc(1, sizeof *shared);

	if (!shared)
		abort();
	*shared = (Shared){ .device = st->st_dev,
		            .inode = st->st_ino,
		            .fd = open(path, O_RDONLY | O_CLOEXEC) };
	return shared;
}

void lite_near_begin(LiteDb *lite)
{
	struct stat st;
	Shared **at;

	if (stat(lite->path, &st) != 0)
		return;
	pthread_mutex_lock(&files.lock);
	at = find(&st);
	if (!*at)
		*at = shared_new(lite->path, &st);
	(*at)->users++;
	lite->shared = *at;
	pthread_mutex_unlock(&files.lock);
}

void lite_near_end(LiteDb *lite)
{
	Shared **at = &files.first, *shared = lite->shared;

	if (!shared)
		return;
	pthread_mutex_lock(&files.lock);
	if (!--shared->users) {
		while (*at != shared)
			at = &(*at)->next;
		*at = shared->next;
		close(shared->fd);
		free(shared);
	}
	pthread_mutex_unlock(&files.lock);
}

static int shared_fd(const char *path)
{
	struct stat st;
	Shared *shared = NULL;

	pthread_mutex_lock(&files.lock);
	if (stat(path, &st) == 0)
		shared = *find(&st);
	pthread_mutex_unlock(&files.lock);
	return shared ? shared->fd : -1;
}

/* --- the VFS ----------------------------------------------------------------------------------------------------------- */

typedef struct NearFile {
	sqlite3_file base;
	int fd;      /* -1: nothing is read through it */
	bool own_fd; /* the log's: it has no locks */
	bool memory; /* its filesystem is: nothing to wait for */
	sqlite3_file *real;
} NearFile;

static struct {
	sqlite3_vfs vfs, *real;
} near;

static sqlite3_file *real(sqlite3_file *file)
{
	return ((NearFile *)(void *)file)->real;
}

static bool is_memory(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* Short: the end of the file, or of what is in memory? */
static int near_short(const NearFile *f, char *into, int len, sqlite3_int64 at, ssize_t got)
{
	struct stat st;

	if (fstat(f->fd, &st) != 0 || st.st_size > at + got)
		return SQLITE_IOERR_READ;
	memset(into + got, 0, (size_t)(len - got));
	return SQLITE_IOERR_SHORT_READ;
}

static int near_read(sqlite3_file *file, void *into, int len, sqlite3_int64 at)
{
	const NearFile *f = (const NearFile *)(const void *)file;
	struct iovec part = { into, (size_t)len };
	ssize_t got;

	if (f->fd < 0)
		return SQLITE_IOERR_READ;
	got = preadv2(f->fd, &part, 1, at, RWF_NOWAIT);
	if (got < 0 && f->memory)
		got = pread(f->fd, into, (size_t)len, at);
	if (got == len)
		return SQLITE_OK;
	return got < 0 ? SQLITE_IOERR_READ : near_short(f, into, len, at, got);
}

static int near_close(sqlite3_file *file)
{
	const NearFile *f = (const NearFile *)(const void *)file;

	if (f->own_fd && f->fd >= 0)
		close(f->fd);
	return f->real->pMethods ? f->real->pMethods->xClose(f->real) : SQLITE_OK;
}

static int near_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	return real(file)->pMethods->xWrite(real(file), bytes, len, at);
}

static int near_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return real(file)->pMethods->xTruncate(real(file), size);
}

static int near_sync(sqlite3_file *file, int flags)
{
	return real(file)->pMethods->xSync(real(file), flags);
}

static int near_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real(file)->pMethods->xFileSize(real(file), size);
}

static int near_lock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xLock(real(file), level);
}

static int near_unlock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xUnlock(real(file), level);
}

static int near_reserved(sqlite3_file *file, int *out)
{
	return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

static int near_control(sqlite3_file *file, int op, void *arg)
{
	return real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int near_sector(sqlite3_file *file)
{
	return real(file)->pMethods->xSectorSize(real(file));
}

static int near_device(sqlite3_file *file)
{
	return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int near_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
	return real(file)->pMethods->xShmMap(real(file), region, size, extend, out);
}

static int near_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}

static void near_shm_barrier(sqlite3_file *file)
{
	real(file)->pMethods->xShmBarrier(real(file));
}

static int near_shm_unmap(sqlite3_file *file, int delete_it)
{
	return real(file)->pMethods->xShmUnmap(real(file), delete_it);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, /* no mapped reads: they wait where nobody sees it */
	.xClose = near_close,
	.xRead = near_read,
	.xWrite = near_write,
	.xTruncate = near_truncate,
	.xSync = near_sync,
	.xFileSize = near_size,
	.xLock = near_lock,
	.xUnlock = near_unlock,
	.xCheckReservedLock = near_reserved,
	.xFileControl = near_control,
	.xSectorSize = near_sector,
	.xDeviceCharacteristics = near_device,
	.xShmMap = near_shm_map,
	.xShmLock = near_shm_lock,
	.xShmBarrier = near_shm_barrier,
	.xShmUnmap = near_shm_unmap,
};

/* SQLite waits a little, a hundred times, for a place in the list of who reads the log. Here the loop would wait: it asks the hundred times at
 * once, and then a reader's thread may. */
static int near_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

static int near_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                     int *out_flags)
{
	NearFile *f = (NearFile *)(void *)file;
	int code;
	(void)vfs;

	*f = (NearFile){ .fd = -1, .real = (sqlite3_file *)(void *)&f[1] };
	code = near.real->xOpen(near.real, path, f->real, flags, out_flags);
	if (code != SQLITE_OK)
		return code;
	f->base.pMethods = &methods;
	if (path && flags & SQLITE_OPEN_MAIN_DB)
		f->fd = shared_fd(path);
	f->own_fd = path && flags & SQLITE_OPEN_WAL;
	if (f->own_fd)
		f->fd = open(path, O_RDONLY | O_CLOEXEC);
	f->memory = f->fd >= 0 && is_memory(f->fd);
	return SQLITE_OK;
}

void lite_near_register(void)
{
	near.real = sqlite3_vfs_find(NULL);
	near.vfs = *near.real;
	near.vfs.zName = LITE_NEAR_VFS;
	near.vfs.pNext = NULL;
	near.vfs.szOsFile = (int)sizeof(NearFile) + near.real->szOsFile;
	near.vfs.xOpen = near_open;
	near.vfs.xSleep = near_sleep;
	sqlite3_vfs_register(&near.vfs, 0);
}

/* --- a loop's connection ----------------------------------------------------------------------------------------------- */

typedef struct Opening {
	LiteDb *lite;
	LiteConn *conn;
	Arena *a;
	Err *err;
} Opening;

static void open_job(void *arg)
{
	Opening *opening = arg;

	opening->err = lite_conn_open(opening->conn, opening->a, opening->lite->path, LITE_NEAR);
}

/* At the first read of this loop. Meanwhile, and when it cannot be had, readers do it all. */
static Err *near_connect(LiteDb *lite, LiteNear *at, Arena *a)
{
	Opening opening = { lite, &at->conn, a, NULL };
	Err *err;

	at->state = LITE_NEAR_OFF;
	err = work_run(open_job, &opening);
	if (!err && !opening.err)
		at->state = LITE_NEAR_ON;
	else
		lite_conn_close(&at->conn);
	return err && !err_is(err, "rt.workers_full") ? err : NULL;
}

/* Whose turn is it? */
static Err *take_turn(LiteNear *at)
{
	if (at->turn_us != loop_now_us()) {
		at->turn_us = loop_now_us();
		at->count = 0;
	}
	return ++at->count > TURN ? fiber_yield() : NULL;
}

static bool try_call(LiteNear *at, LiteStmt *stmt, DbCall *call)
{
	int64_t since_us = time_mono_us();
	Err *err = lite_conn_run(&at->conn, call, stmt);

	if (time_mono_us() - since_us > LONG_US)
		stmt->slow++;
	else
		stmt->slow = 0;
	if (at->conn.steps_over || stmt->slow >= SLOW_TIMES) {
		stmt->skip = SKIP;
		stmt->slow = 0;
	}
	return !err;
}

Err *lite_near_call(LiteDb *lite, DbCall *call, bool *done)
{
	LiteNear *at = &lite->near[loop_index(loop_self())];
	LiteStmt *stmt;
	Mark mark;

	*done = false;
	if (at->state == LITE_NEAR_NEW)
		TRY(near_connect(lite, at, call->a));
	if (at->state != LITE_NEAR_ON)
		return NULL;
	if (fiber_cancelled())
		TRY(fiber_park()); /* says so without parking */
	TRY(take_turn(at));
	mark = arena_mark(call->a);
	if (lite_conn_prepare(&at->conn, call->a, call->sql, &stmt) || stmt->skip) {
		if (stmt->skip)
			stmt->skip--;
	} else {
		*done = try_call(at, stmt, call);
	}
	if (!*done) {
		arena_reset(call->a, mark);
		db_call_begin(call);
	}
	metric_add(lite->db.cells->near, *done);
	return NULL;
}
