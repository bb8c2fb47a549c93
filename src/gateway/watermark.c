/* SPDX-License-Identifier: Apache-2.0
 *
 * The process's memory, as the kernel counts it (resident pages), against a limit. What the process gave back to malloc is
 * not given back to the kernel by itself; so while it is above, loops let go of what they keep for the next request, and free
 * pages are returned, on a worker and once a second at most: else one peak would refuse requests for ever. It must be
 * clearly below before requests are taken again. */
#include "gateway/watermark.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "http/buffers.h"
#include "rt/work.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

enum { LOOK_US = 100 * 1000, TRIM_US = 1000 * 1000 };

static Err too_much = ERR_STATIC(BUSY, "gateway.memory",
                                 "the gateway has as much memory as it may: try again in a moment");

static struct {
	uint64_t limit; /* relaxed atomics */
	uint64_t refused;
	bool reached;
} mark;

void watermark_set(uint64_t bytes)
{
	__atomic_store_n(&mark.limit, bytes, __ATOMIC_RELAXED);
}

uint64_t watermark_limit(void)
{
	return __atomic_load_n(&mark.limit, __ATOMIC_RELAXED);
}

uint64_t watermark_refused(void)
{
	return __atomic_load_n(&mark.refused, __ATOMIC_RELAXED);
}

Err *watermark_refusal(void)
{
	if (LIKELY(!__atomic_load_n(&mark.reached, __ATOMIC_RELAXED)))
		return NULL;
	__atomic_add_fetch(&mark.refused, 1, __ATOMIC_RELAXED);
	return &too_much;
}

/* "size resident ..." in pages. */
static uint64_t read_resident(int fd)
{
	char text[128];
	ssize_t got = pread(fd, text, sizeof text, 0);
	Str all = { text, got > 0 ? (size_t)got : 0 };
	ptrdiff_t blank = str_find_char(all, ' ');
	Str rest = str_sub(all, blank < 0 ? all.len : (size_t)blank + 1, all.len);
	uint64_t pages = 0;

	blank = str_find_char(rest, ' ');
	if (blank < 0 || !str_to_u64(str_sub(rest, 0, (size_t)blank), &pages))
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t watermark_used(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	uint64_t bytes = fd >= 0 ? read_resident(fd) : 0;

	if (fd >= 0)
		close(fd);
	return bytes;
}

static void let_go(void *arg)
{
	(void)arg;
	http_buffers_trim();
}

static void give_back(void *arg)
{
	(void)arg;
	malloc_trim(0);
}

static void set_reached(bool reached, uint64_t used, uint64_t limit)
{
	if (__atomic_load_n(&mark.reached, __ATOMIC_RELAXED) == reached)
		return;
	__atomic_store_n(&mark.reached, reached, __ATOMIC_RELAXED);
	if (reached)
		log_warn_limited("%" PRIu64 " MiB of memory, and %" PRIu64
		                 " are allowed: new requests are refused",
		                 used >> 20, limit >> 20);
	else
		log_info_limited("memory is below its limit again");
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

Err *watermark_watch(void *unused)
{
	AUTO(fd_close) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	int64_t trim_us = 0;

	(void)unused;
	for (;;) {
		uint64_t limit = watermark_limit();
		uint64_t used = limit ? read_resident(fd) : 0;

		set_reached(limit && used > (mark.reached ? limit - limit / 20 : limit), used,
		            limit);
		if (mark.reached && loop_now_us() >= trim_us) {
			trim_us = loop_now_us() + TRIM_US;
			loop_each(let_go, NULL);
			if (work_run(give_back, NULL))
				trim_us = 0; /* the workers are busy: soon again */
		}
		TRY(fiber_sleep(LOOK_US));
	}
}
