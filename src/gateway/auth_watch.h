/* SPDX-License-Identifier: Apache-2.0
 *
 * FileWatch: a file that somebody may replace while the gateway runs. It is read again whenever it is another than before. In
 * place in what it is for, which is counted. */
#pragma once
#include "base/err.h"
#include "rt/fiber.h"

#include <pthread.h>
#include <sys/stat.h>

typedef struct FileWatchFor {
	Err *(*read)(void *owner, Arena *a); /* blocks; any thread, never twice at once */
	void (*ref)(void *owner);
	void (*unref)(void *owner); /* on loop 0 */
} FileWatchFor;

typedef struct FileWatch {
	/* given */
	Str path, policy;
	const FileWatchFor *what;
	void *owner;
	/* its own */
	pthread_mutex_t lock; /* of the next two */
	bool read;            /* it was, well */
	struct stat stamp;
	Fiber *fiber; /* on loop 0, as the next two */
	bool runs, stop;
} FileWatch;

void file_watch_init(FileWatch *watch, Str path, Str policy, const FileWatchFor *what, void *owner);
void file_watch_fini(FileWatch *watch);
/* Has it read when it is another than before. Blocks. Fails as `read` does. */
Err *file_watch_look(FileWatch *watch, Arena *a) MUST_USE;
/* Looks every two seconds, with a reference of its own; what fails then is logged. Nothing when it does. On loop 0. */
Err *file_watch_start(FileWatch *watch) MUST_USE;
void file_watch_stop(FileWatch *watch); /* on loop 0; does not wait for it */
