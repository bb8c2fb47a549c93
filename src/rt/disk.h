/* SPDX-License-Identifier: Apache-2.0
 *
 * Files without stalling a loop: what the kernel has in memory is had at once; what it would have to fetch is had by a
 * worker thread while the fiber parks (design: the loop never waits for a disk). From fibers only.
 *
 * All may fail as a park does, and with BUSY "rt.workers_full". */
#pragma once
#include "base/err.h"

#include <sys/stat.h>

typedef struct DiskFile {
	int fd;     /* the caller's to close; -1: none */
	int errnum; /* why not: ENOENT, EACCES, ..., EXDEV when it would be outside; 0 */
	struct stat st;
} DiskFile;

/* A folder, for disk_open_below: the descriptor can do nothing else. */
Err *disk_open_folder(const char *path, DiskFile *out) MUST_USE;
/* Whatever stands at this relative path below the folder, for reading. Nothing outside of it is ever opened, wherever ".."
 * and symbolic links lead; links within it are followed. Never waits for a writer of a pipe. */
Err *disk_open_below(int folder, const char *path, DiskFile *out) MUST_USE;

/* At most `cap` bytes from an offset of a regular file; *got == 0: there is nothing there. Fails with IO "rt.disk". */
Err *disk_read(int fd, void *into, size_t cap, uint64_t from, size_t *got) MUST_USE;
/* After it, these bytes most likely can be sent (sendfile) without waiting for the disk. */
Err *disk_warm(int fd, uint64_t from, size_t bytes) MUST_USE;

typedef struct DiskStats {
	uint64_t at_once; /* of opens, reads and warm-ups */
	uint64_t fetched; /* by a worker */
} DiskStats;
DiskStats disk_stats(void);
