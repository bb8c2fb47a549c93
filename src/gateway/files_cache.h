/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that are being given: each loop keeps those asked for lately, open or, when they are small, whole. What is kept is
 * at most FILES_FRESH_US behind what the folder holds. On loops, from fibers. */
#pragma once
#include "base/err.h"
#include "gateway/files_type.h"
#include "obs/metric.h"

enum {
	FILES_FRESH_US = 1000 * 1000,
	FILES_SMALL_BYTES = 32 << 10,     /* held whole up to it */
	FILES_KEPT = 1024,                /* each loop: files, */
	FILES_KEPT_OPEN = 256,            /* of them open, */
	FILES_KEPT_BYTES = 16 << 20,      /* and bytes of those held whole */
	FILES_IDLE_US = 10 * 1000 * 1000, /* kept so long after its last use */
};

typedef enum FileKind {
	FILE_NONE, /* nothing is there; also what is neither file nor folder, and what lies outside */
	FILE_DENIED, /* it may not be read */
	FILE_FOLDER,
	FILE_REGULAR,
} FileKind;

/* One file as it was at one moment; its bytes stay those even when another takes its place. */
typedef struct File {
	int fd; /* -1: `content` is all of it */
	Str content;
	uint64_t size;
	int64_t modified_s;
	FileType type;
	Str etag; /* nginx's form, "MTIME-SIZE" in hexadecimal; W/ when it was written a moment ago */
	Str modified; /* for Last-Modified */
} File;

/* What stands at a path (no slash before it, not empty) below a folder. Of a regular file *out lives as long as the arena,
 * a request's of this loop; else it is NULL. keep: remember also that nothing is there. Fails as a park does, with BUSY
 * "rt.workers_full", "rt.too_many_files" and IO "rt.disk". Parks when the disk must be asked. */
Err *files_look(Arena *a, Str folder, Str path, bool keep, FileKind *kind, const File **out)
	MUST_USE;

/* On every loop all that is kept is given up. Parks; at the end. */
void files_forget(void);

MetricList files_metrics;
