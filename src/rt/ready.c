/* SPDX-License-Identifier: Apache-2.0
 *
 * Watch's poorer relation. Watch remembers readiness between edges, which takes whoever reads to say when the kernel had
 * less than was asked for; a library does not say so. An exchange costs no epoll_ctl as long as it is only read for. */
#include "rt/ready.h"

#include "rt/rt_int.h"

static void forget(Ready *ready)
{
	if (ready->asked)
		loop_source_remove(&ready->source, ready->fd);
	ready->asked = 0;
}

static void ready_event(Source *source, uint32_t events)
{
	Ready *ready = CONTAINER(source, Ready, source);

	(void)events;
	if (ready->fiber)
		fiber_wake(ready->fiber);
	else if (ready->on_ready)
		ready->on_ready(ready);
	else
		forget(ready);
}

static Err *ask(Ready *ready, uint32_t events)
{
	if (ready->asked == events)
		return NULL;
	forget(ready);
	TRY(loop_source_add(&ready->source, ready->fd, events));
	ready->asked = events;
	return NULL;
}

void ready_open(Ready *ready, int fd)
{
	*ready = (Ready){ .source = { ready_event }, .fd = fd };
}

void ready_close(Ready *ready)
{
	if (ready->fd >= 0)
		forget(ready);
	*ready = (Ready)READY_NONE;
}

void ready_gone(Ready *ready)
{
	if (ready->asked)
		loop_source_forget(&ready->source);
	*ready = (Ready)READY_NONE;
}

Err *ready_wait(Ready *ready, bool read, bool write)
{
	Err *err;

	TRY(ask(ready, (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u)));
	ready->fiber = fiber_self();
	err = fiber_park();
	ready->fiber = NULL;
	return err;
}

Err *ready_watch(Ready *ready, void (*on_ready)(Ready *ready))
{
	ready->on_ready = on_ready;
	return on_ready ? ask(ready, EPOLLIN) : NULL;
}
