/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk for SQLite that can be full, fail and lose its power: a VFS over the system's own.
 *
 * Each file keeps what was written since it was last synced, and what stood there before. A power cut puts all of that back,
 * then lets a random part of it have reached the disk after all, in sectors of 512 bytes; the process ends there. What was
 * synced stays. (Names of files count as synced at once: SQLite syncs its folder itself.) */
#pragma once
#include "base/rand.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FAULT_FILES = 32, FAULT_SECTOR = 512 };

/* One write or truncation that was not synced yet. */
typedef struct FaultWrite {
	struct FaultWrite *before;
	sqlite3_int64 at, len, old_size;
	bool truncates;  /* to `at` */
	char *old, *new; /* `len` bytes; old: zeros beyond old_size */
} FaultWrite;

typedef struct FaultDisk {
	char path[512];
	FaultWrite *last;
} FaultDisk;

typedef struct FaultFile {
	sqlite3_file base;
	sqlite3_file *real;
	FaultDisk *disk; /* NULL: a temporary one */
} FaultFile;

static struct {
	pthread_mutex_t lock;
	sqlite3_vfs vfs, *real;
	sqlite3_io_methods methods;
	FaultDisk disks[FAULT_FILES];
	size_t disk_count;
	bool tracks;       /* for a power cut: set before the first file is opened */
	bool full;         /* atomic: no write gets through */
	bool sync_fails;   /* atomic */
	bool lock_fails;   /* atomic: whoever wants to write */
	int64_t cut_after; /* writes and syncs until the power is cut; 0: never */
} fault = { .lock = PTHREAD_MUTEX_INITIALIZER };

static sqlite3_file *fault_real(sqlite3_file *file)
{
	return ((FaultFile *)file)->real;
}

/* --- the power --------------------------------------------------------------------------------------------------------- */

static void fault_put(int fd, const char *bytes, sqlite3_int64 len, sqlite3_int64 at)
{
	if (len && pwrite(fd, bytes, (size_t)len, at) != len)
		_exit(9);
}

static void fault_redo(int fd, const FaultWrite *w)
{
	if (!w)
		return;
	fault_redo(fd, w->before);
	if (w->truncates) {
		if (rand_below(2) && ftruncate(fd, w->at) != 0)
			_exit(9);
		return;
	}
	for (sqlite3_int64 at = 0; at < w->len; at += FAULT_SECTOR)
		if (rand_below(2))
			fault_put(fd, w->new + at, MIN(w->len - at, (sqlite3_int64)FAULT_SECTOR),
			          w->at + at);
}

static void fault_undo(int fd, const FaultWrite *w)
{
	if (w->truncates)
		fault_put(fd, w->old, w->len, w->at);
	else
		fault_put(fd, w->old, w->len, w->at);
	if (ftruncate(fd, w->old_size) != 0)
		_exit(9);
}

/* Nobody else writes any more: the lock is held for ever. */
static _Noreturn void fault_cut(void)
{
	bool some = rand_below(3) != 0; /* or nothing of it at all */

	for (size_t i = 0; i < fault.disk_count; i++) {
		FaultDisk *disk = &fault.disks[i];
		int fd = open(disk->path, O_RDWR);

		if (fd < 0)
			continue; /* it was deleted */
		for (const FaultWrite *w = disk->last; w; w = w->before)
			fault_undo(fd, w);
		if (some)
			fault_redo(fd, disk->last);
	}
	_exit(0);
}

/* With the lock held. */
static void fault_tick(void)
{
	if (fault.cut_after && !--fault.cut_after)
		fault_cut();
}

/* What stands from `at` on, `len` bytes; zeros beyond the end. */
static char *fault_what_is(sqlite3_file *real, sqlite3_int64 at, sqlite3_int64 len)
{
	char *bytes = calloc(1, (size_t)len + 1);

	real->pMethods->xRead(real, bytes, (int)len, at);
	return bytes;
}

static void fault_note(FaultFile *file, const void *new, sqlite3_int64 len, sqlite3_int64 at,
                       bool truncates)
{
	FaultWrite *w = calloc(1, sizeof *w);

	file->real->pMethods->xFileSize(file->real, &w->old_size);
	w->before = file->disk->last;
	w->at = at;
	w->truncates = truncates;
	w->len = truncates ? MAX(w->old_size - at, 0) : len;
	w->old = fault_what_is(file->real, at, w->len);
	if (!truncates) {
		w->new = malloc((size_t)len + 1);
		memcpy(w->new, new, (size_t)len);
	}
	file->disk->last = w;
}

static void fault_synced(FaultDisk *disk)
{
	while (disk->last) {
		FaultWrite *w = disk->last;

		disk->last = w->before;
		free(w->old);
		free(w->new);
		free(w);
	}
}

/* --- files ------------------------------------------------------------------------------------------------------------- */

static int fault_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	FaultFile *f = (FaultFile *)file;
	int code;

	if (__atomic_load_n(&fault.full, __ATOMIC_RELAXED))
		return SQLITE_FULL;
	if (!fault.tracks || !f->disk)
		return f->real->pMethods->xWrite(f->real, bytes, len, at);
	pthread_mutex_lock(&fault.lock);
	fault_note(f, bytes, len, at, false);
	code = f->real->pMethods->xWrite(f->real, bytes, len, at);
	fault_tick();
	pthread_mutex_unlock(&fault.lock);
	return code;
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	FaultFile *f = (FaultFile *)file;
	int code;

	if (!fault.tracks || !f->disk)
		return f->real->pMethods->xTruncate(f->real, size);
	pthread_mutex_lock(&fault.lock);
	fault_note(f, NULL, 0, size, true);
	code = f->real->pMethods->xTruncate(f->real, size);
	fault_tick();
	pthread_mutex_unlock(&fault.lock);
	return code;
}

/* Pretends: the page cache is enough, as nothing but this process ends. */
static int fault_sync(sqlite3_file *file, int flags)
{
	FaultFile *f = (FaultFile *)file;

	if (__atomic_load_n(&fault.sync_fails, __ATOMIC_RELAXED))
		return SQLITE_IOERR_FSYNC;
	if (!fault.tracks || !f->disk)
		return f->real->pMethods->xSync(f->real, flags);
	pthread_mutex_lock(&fault.lock);
	fault_tick(); /* the power may go just before */
	fault_synced(f->disk);
	pthread_mutex_unlock(&fault.lock);
	return SQLITE_OK;
}

static int fault_close(sqlite3_file *file)
{
	sqlite3_file *real = fault_real(file);

	return real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int fault_read(sqlite3_file *file, void *into, int len, sqlite3_int64 at)
{
	return fault_real(file)->pMethods->xRead(fault_real(file), into, len, at);
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return fault_real(file)->pMethods->xFileSize(fault_real(file), size);
}

static int fault_lock(sqlite3_file *file, int level)
{
	return fault_real(file)->pMethods->xLock(fault_real(file), level);
}

static int fault_unlock(sqlite3_file *file, int level)
{
	return fault_real(file)->pMethods->xUnlock(fault_real(file), level);
}

static int fault_reserved(sqlite3_file *file, int *out)
{
	return fault_real(file)->pMethods->xCheckReservedLock(fault_real(file), out);
}

static int fault_control(sqlite3_file *file, int op, void *arg)
{
	return fault_real(file)->pMethods->xFileControl(fault_real(file), op, arg);
}

static int fault_sector(sqlite3_file *file)
{
	(void)file;
	return FAULT_SECTOR;
}

static int fault_device(sqlite3_file *file)
{
	(void)file;
	return 0; /* promises nothing */
}

static int fault_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
	return fault_real(file)->pMethods->xShmMap(fault_real(file), region, size, extend, out);
}

static int fault_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	if (flags == (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) &&
	    __atomic_load_n(&fault.lock_fails, __ATOMIC_RELAXED))
		return SQLITE_IOERR_SHMLOCK;
	return fault_real(file)->pMethods->xShmLock(fault_real(file), offset, n, flags);
}

static void fault_shm_barrier(sqlite3_file *file)
{
	fault_real(file)->pMethods->xShmBarrier(fault_real(file));
}

static int fault_shm_unmap(sqlite3_file *file, int delete_it)
{
	return fault_real(file)->pMethods->xShmUnmap(fault_real(file), delete_it);
}

static FaultDisk *fault_disk(const char *path)
{
	FaultDisk *disk;
	size_t i = 0;

	pthread_mutex_lock(&fault.lock);
	while (i < fault.disk_count && strcmp(fault.disks[i].path, path) != 0)
		i++;
	disk = &fault.disks[i];
	if (i == fault.disk_count) {
		if (i == FAULT_FILES)
			abort();
		snprintf(disk->path, sizeof disk->path, "%s", path);
		fault.disk_count++;
	}
	pthread_mutex_unlock(&fault.lock);
	return disk;
}

static int fault_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                      int *out_flags)
{
	FaultFile *f = (FaultFile *)file;
	int code;
	(void)vfs;

	f->real = (sqlite3_file *)&f[1];
	f->disk = path ? fault_disk(path) : NULL;
	code = fault.real->xOpen(fault.real, path, f->real, flags, out_flags);
	f->base.pMethods = code == SQLITE_OK ? &fault.methods : NULL;
	return code;
}

/* From now on SQLite's disk is this one. */
static void fault_install(void)
{
	fault.real = sqlite3_vfs_find(NULL);
	fault.vfs = *fault.real;
	fault.vfs.zName = "fault";
	fault.vfs.pNext = NULL;
	fault.vfs.szOsFile = (int)sizeof(FaultFile) + fault.real->szOsFile;
	fault.vfs.xOpen = fault_open;
	fault.methods = (sqlite3_io_methods){
		.iVersion = 2,
		.xClose = fault_close,
		.xRead = fault_read,
		.xWrite = fault_write,
		.xTruncate = fault_truncate,
		.xSync = fault_sync,
		.xFileSize = fault_size,
		.xLock = fault_lock,
		.xUnlock = fault_unlock,
		.xCheckReservedLock = fault_reserved,
		.xFileControl = fault_control,
		.xSectorSize = fault_sector,
		.xDeviceCharacteristics = fault_device,
		.xShmMap = fault_shm_map,
		.xShmLock = fault_shm_lock,
		.xShmBarrier = fault_shm_barrier,
		.xShmUnmap = fault_shm_unmap,
	};
	CHECK_INT(sqlite3_vfs_register(&fault.vfs, 1), SQLITE_OK);
}
