/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors in epoll, edge-triggered, with their readiness remembered. The event handler only takes note and wakes;
 * whoever reads clears `readable` when the kernel had less than was asked for. */
#include "rt/watch.h"

#include "rt/rt_int.h"

#include <unistd.h>

#define WATCH_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static void watch_event(Source *source, uint32_t events)
{
	Watch *w = CONTAINER(source, Watch, source);

	w->ended = w->ended || (events & (EPOLLRDHUP | EPOLLHUP));
	w->broken = w->broken || (events & (EPOLLHUP | EPOLLERR));
	w->readable = w->readable || (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	w->writable = w->writable || (events & (EPOLLOUT | EPOLLHUP | EPOLLERR));
	if (w->broken && w->cancels)
		fiber_cancel(w->cancels);
	if (w->writable && w->writer)
		fiber_wake(w->writer);
	if (!w->readable)
		return;
	if (w->reader)
		fiber_wake(w->reader);
	else if (w->on_ready)
		w->on_ready(w);
}

Err *watch_open(Watch *watch, int fd)
{
	*watch = (Watch){ .source = { watch_event }, .fd = fd };
	return loop_source_add(&watch->source, fd, WATCH_EVENTS);
}

int watch_release(Watch *watch)
{
	int fd = watch->fd;

	if (fd >= 0)
		loop_source_remove(&watch->source, fd);
	watch->fd = -1;
	return fd;
}

void watch_move(Watch *from, Watch *to)
{
	*to = *from;
	from->fd = -1;
	if (to->fd >= 0)
		loop_source_move(&from->source, &to->source, to->fd, WATCH_EVENTS);
}

void watch_close(Watch *watch)
{
	if (watch->fd < 0)
		return;
	loop_source_forget(&watch->source);
	close(watch->fd);
	watch->fd = -1;
}

Err *watch_wait_any(Watch *watch, bool read, bool write)
{
	Err *err;

	if ((read && watch->readable) || (write && watch->writable))
		return NULL;
	if (read)
		watch->reader = fiber_self();
	if (write)
		watch->writer = fiber_self();
	err = fiber_park();
	if (read)
		watch->reader = NULL;
	if (write)
		watch->writer = NULL;
	return err;
}

Err *watch_wait_readable(Watch *watch)
{
	while (!watch->readable)
		TRY(watch_wait_any(watch, true, false));
	return NULL;
}

Err *watch_wait_writable(Watch *watch)
{
	while (!watch->writable)
		TRY(watch_wait_any(watch, false, true));
	return NULL;
}

void watch_cancel_on_break(Watch *watch, Fiber *fiber)
{
	watch->cancels = fiber;
	if (fiber && watch->broken)
		fiber_cancel(fiber);
}
