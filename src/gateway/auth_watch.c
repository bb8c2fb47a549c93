/* SPDX-License-Identifier: Apache-2.0
 *
 * A fiber on loop 0 has a worker look every two seconds. A reload looks too, on a thread of its own, so looking is under a
 * lock. The stamp is taken before the file is read: what is written meanwhile is met the next time. A file that is not in order
 * changes nothing, and is said to be so once, until it is another. */
#include "gateway/auth_watch.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "rt/work.h"

#define LOOK_US (2 * US_PER_S)

void file_watch_init(FileWatch *watch, Str path, Str policy, const FileWatchFor *what, void *owner)
{
	*watch = (FileWatch){ .path = path, .policy = policy, .what = what, .owner = owner };
	pthread_mutex_init(&watch->lock, NULL);
}

void file_watch_fini(FileWatch *watch)
{
	pthread_mutex_destroy(&watch->lock);
}

static bool is_same(const struct stat *x, const struct stat *y)
{
	return x->st_ino == y->st_ino && x->st_dev == y->st_dev && x->st_size == y->st_size &&
	       x->st_mtim.tv_sec == y->st_mtim.tv_sec && x->st_mtim.tv_nsec == y->st_mtim.tv_nsec;
}

static Err *look(FileWatch *watch, Arena *a, bool again)
{
	struct stat stamp = { 0 };

	if (stat(str_z(a, watch->path), &stamp))
		stamp = (struct stat){ 0 };
	if ((watch->read || again) && is_same(&stamp, &watch->stamp))
		return NULL;
	watch->stamp = stamp;
	TRY(watch->what->read(watch->owner, a));
	watch->read = true;
	return NULL;
}

static Err *look_locked(FileWatch *watch, Arena *a, bool again)
{
	Err *err;

	pthread_mutex_lock(&watch->lock);
	err = look(watch, a, again);
	pthread_mutex_unlock(&watch->lock);
	return err;
}

Err *file_watch_look(FileWatch *watch, Arena *a)
{
	return look_locked(watch, a, false);
}

static void look_work(void *arg)
{
	FileWatch *watch = arg;
	AUTO(arena_freep) Arena *a = arena_new(0);
	Err *err = look_locked(watch, a, true);

	if (err)
		log_error("policy %.*s: %.*s stays as it was: %.*s", STR_ARG(watch->policy),
		          STR_ARG(watch->path), STR_ARG(err_chain(a, err)));
}

static Err *look_for_ever(FileWatch *watch)
{
	while (!watch->stop) {
		TRY(fiber_sleep(LOOK_US));
		if (work_run(look_work, watch) && fiber_cancelled())
			break;
	}
	return NULL;
}

static void watch_main(void *arg)
{
	FileWatch *watch = arg;
	Err *end = NULL;

	watch->fiber = fiber_self();
	if (!watch->stop)
		end = look_for_ever(watch);
	(void)end;
	watch->fiber = NULL;
	watch->runs = false;
	watch->what->unref(watch->owner);
}

Err *file_watch_start(FileWatch *watch)
{
	Err *err;

	watch->stop = false;
	if (watch->runs)
		return NULL;
	watch->what->ref(watch->owner);
	err = fiber_start(watch_main, watch, "file watch");
	if (err)
		watch->what->unref(watch->owner);
	watch->runs = !err;
	return err;
}

void file_watch_stop(FileWatch *watch)
{
	watch->stop = true;
	if (watch->fiber)
		fiber_cancel(watch->fiber);
}
