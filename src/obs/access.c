/* SPDX-License-Identifier: Apache-2.0
 *
 * The access log: from the loops to a file without making a loop wait.
 *
 * Each loop has a lane with two buffers. It fills one; when that is half full, or at a tick, and the other is at home, the
 * two change places and the full one is the writer's until it says so (`given`). The lock is held only to hand over and
 * to look for work, never while writing, so a loop waits for a few instructions at most. If the file is slower than the
 * requests, both buffers are full in the end and records are dropped: counted, and whole.
 *
 * Ending is bounded: a pipe that nobody reads would hold the writer for ever, so after ACCESS_CLOSE_MS it is left alone. The
 * log is then its own (`abandoned`): it frees it when the reader has come back, or ends with the process. */
#include "obs/access.h"

#include "base/arena.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FULL_ENOUGH = ACCESS_BUFFER_BYTES / 2 };

struct AccessLane {
	AccessLane *next;
	AccessLog *log;
	char *buffers[2];
	unsigned filling; /* which of them the loop has */
	size_t used;      /* of it */
	bool given;       /* the other is the writer's; atomic */
	size_t given_len;
};

struct AccessLog {
	Arena *arena;
	Str path;
	int fd;
	AccessFormat format;
	AccessQuery query;
	pthread_t writer;
	bool torn; /* the file ends within a line: the writer's own */
	/* behind the lock */
	pthread_mutex_t lock;
	pthread_cond_t work;
	AccessLane *lanes;
	int next_fd; /* opened anew; -1: none */
	bool stopping;
	bool ended;     /* the writer has */
	bool abandoned; /* it was not waited for any longer */
	pthread_cond_t end;
};

static const MetricFamily families[] = {
	{ "banyan_access_records_total", METRIC_COUNTER, "records",
	  "Access records given to the log" },
	{ "banyan_access_dropped_total", METRIC_COUNTER, "records",
	  "Of them lost: the file was too slow, or would not be written" },
	{ "banyan_access_bytes_total", METRIC_COUNTER, "bytes", "Access records written" },
};
enum { RECORDS, DROPPED, BYTES };

static MetricCell cells[COUNT(families)];
static pthread_once_t cells_once = PTHREAD_ONCE_INIT;

static void take_cells(void)
{
	for (size_t i = 0; i < COUNT(families); i++)
		cells[i] = metric_cell(&families[i], NULL, 0);
}

const MetricFamily *access_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

AccessStats access_stats(void)
{
	pthread_once(&cells_once, take_cells);
	return (AccessStats){ .records = (uint64_t)metric_value(cells[RECORDS]),
		              .dropped = (uint64_t)metric_value(cells[DROPPED]),
		              .bytes = (uint64_t)metric_value(cells[BYTES]) };
}

static void *alloc(size_t bytes)
{
	void *memory = calloc(1, bytes);

	if (!memory)
		abort();
	return memory;
}

static void unlock(pthread_mutex_t **held)
{
	pthread_mutex_unlock(*held);
}
#define LOCKED(log) \
	AUTO(unlock) UNUSED pthread_mutex_t *held_ = &(log)->lock; \
	pthread_mutex_lock(held_)

/* The writer. */

static uint64_t count_lines(const char *at, size_t len)
{
	uint64_t lines = 0;

	for (const char *end = at + len; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		lines++;
	return lines;
}

/* A descriptor that does not block is waited for. */
static ssize_t write_some(int fd, const char *at, size_t len)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	ssize_t n = write(fd, at, len);

	if (n < 0 && errno == EAGAIN)
		n = poll(&wait, 1, -1) < 0 && errno != EINTR ? -1 : 0;
	return n;
}

static bool write_all(AccessLog *log, const char *at, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write_some(log->fd, at + done, len - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	metric_add(cells[BYTES], done);
	metric_add(cells[DROPPED], count_lines(at + done, len - done));
	if (done)
		log->torn = at[done - 1] != '\n';
	return done == len;
}

static void write_lane(AccessLog *log, const char *at, size_t len)
{
	if (log->torn && len && !write_all(log, "\n", 1))
		metric_sub(cells[DROPPED], 1); /* that was no record */
	write_all(log, at, len);
}

static AccessLane *find_given(const AccessLog *log)
{
	for (AccessLane *lane = log->lanes; lane; lane = lane->next)
		if (__atomic_load_n(&lane->given, __ATOMIC_RELAXED))
			return lane;
	return NULL;
}

/* The lane with work, put at the end of the list so that each has its turn; NULL: stop. */
static AccessLane *next_lane(AccessLog *log)
{
	AccessLane *lane, **at = &log->lanes;
	LOCKED(log);

	while (!(lane = find_given(log)) && !log->stopping && log->next_fd < 0)
		pthread_cond_wait(&log->work, &log->lock);
	if (log->next_fd >= 0) {
		close(log->fd);
		log->fd = log->next_fd;
		log->next_fd = -1;
		log->torn = false;
	}
	if (!lane)
		return NULL;
	while (*at != lane)
		at = &(*at)->next;
	*at = lane->next;
	while (*at)
		at = &(*at)->next;
	*at = lane;
	lane->next = NULL;
	return lane;
}

static bool is_stopping(AccessLog *log)
{
	LOCKED(log);

	return log->stopping;
}

/* What the loops had not given yet; they are gone. */
static void write_rest(AccessLog *log)
{
	for (AccessLane *lane = log->lanes; lane; lane = lane->next) {
		write_lane(log, lane->buffers[lane->filling], lane->used);
		lane->used = 0;
	}
}

static void free_log(AccessLog *log)
{
	while (log->lanes) {
		AccessLane *lane = log->lanes;

		log->lanes = lane->next;
		free(lane->buffers[0]);
		free(lane->buffers[1]);
		free(lane);
	}
	close(log->fd);
	if (log->next_fd >= 0)
		close(log->next_fd);
	pthread_cond_destroy(&log->work);
	pthread_cond_destroy(&log->end);
	pthread_mutex_destroy(&log->lock);
	arena_free(log->arena);
	free(log);
}

/* True: the log is the writer's own to free. */
static bool say_ended(AccessLog *log)
{
	LOCKED(log);

	log->ended = true;
	pthread_cond_signal(&log->end);
	return log->abandoned;
}

static void *write_lanes(void *arg)
{
	AccessLog *log = arg;

	for (;;) {
		AccessLane *lane = next_lane(log);

		if (lane) {
			write_lane(log, lane->buffers[!lane->filling], lane->given_len);
			__atomic_store_n(&lane->given, false, __ATOMIC_RELEASE);
		} else if (is_stopping(log)) {
			break;
		}
	}
	write_rest(log);
	if (say_ended(log))
		free_log(log);
	return NULL;
}

/* The loops. */

/* False: nothing to give, or the writer still has the other buffer. */
static bool hand_over(AccessLane *lane)
{
	AccessLog *log = lane->log;

	if (!lane->used || __atomic_load_n(&lane->given, __ATOMIC_ACQUIRE))
		return false;
	{
		LOCKED(log);
		lane->given_len = lane->used;
		lane->filling = !lane->filling;
		lane->used = 0;
		__atomic_store_n(&lane->given, true, __ATOMIC_RELAXED);
		pthread_cond_signal(&log->work);
	}
	return true;
}

static size_t put_line(AccessLane *lane, const AccessRecord *record)
{
	const AccessLog *log = lane->log;
	char *at = lane->buffers[lane->filling] + lane->used;
	size_t room = ACCESS_BUFFER_BYTES - lane->used;

	if (log->format == ACCESS_TEXT)
		return access_put_text(at, room, record, log->query);
	return access_put_json(at, room, record, log->query);
}

void access_write(AccessLane *lane, const AccessRecord *record)
{
	size_t len = put_line(lane, record);

	metric_add(cells[RECORDS], 1);
	if (!len && hand_over(lane))
		len = put_line(lane, record);
	if (!len)
		metric_add(cells[DROPPED], 1);
	lane->used += len;
	if (lane->used >= FULL_ENOUGH)
		hand_over(lane);
}

bool access_tick(AccessLane *lane)
{
	return lane->used && !hand_over(lane);
}

AccessLane *access_lane(AccessLog *log)
{
	AccessLane *lane = alloc(sizeof *lane);
	LOCKED(log);

	lane->log = log;
	lane->buffers[0] = alloc(ACCESS_BUFFER_BYTES);
	lane->buffers[1] = alloc(ACCESS_BUFFER_BYTES);
	lane->next = log->lanes;
	log->lanes = lane;
	return lane;
}

/* Opening, opening anew, closing. */

static Err *open_file(Arena *a, Str path, int *fd)
{
	*fd = open(str_z(a, path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
	if (*fd < 0)
		return err_errno(a, errno, "access.open", "the access log %.*s could not be opened",
		                 STR_ARG(path));
	return NULL;
}

/* Its own, so that whoever opens something later under that number is not written to. */
static Err *share_fd(Arena *a, int from, int *fd)
{
	*fd = fcntl(from, F_DUPFD_CLOEXEC, 3);
	if (*fd < 0)
		return err_errno(a, errno, "access.open",
		                 "the access log's descriptor %d could not be used", from);
	return NULL;
}

static void init_lock(AccessLog *log)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->work, NULL);
	pthread_cond_init(&log->end, &attr);
	pthread_condattr_destroy(&attr);
}

static int start_writer(AccessLog *log)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&log->writer, NULL, write_lanes, log);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

Err *access_open(Arena *a, const AccessLogConf *conf, AccessLog **out)
{
	AccessLog *log;
	int fd, error;

	if (conf->path.len)
		TRY(open_file(a, conf->path, &fd));
	else
		TRY(share_fd(a, conf->fd, &fd));
	pthread_once(&cells_once, take_cells);
	log = alloc(sizeof *log);
	log->arena = arena_new(0);
	log->path = str_dup(log->arena, conf->path);
	log->fd = fd;
	log->format = conf->format;
	if (log->format == ACCESS_AUTO)
		log->format = isatty(fd) ? ACCESS_TEXT : ACCESS_JSON;
	log->query = conf->query;
	log->next_fd = -1;
	init_lock(log);
	error = start_writer(log);
	if (error) {
		free_log(log);
		return err_errno(a, error, "access.open", "the access log's thread did not start");
	}
	*out = log;
	return NULL;
}

Err *access_reopen(Arena *a, AccessLog *log)
{
	int fd;

	if (!log->path.len)
		return NULL;
	TRY(open_file(a, log->path, &fd));
	{
		LOCKED(log);
		if (log->next_fd >= 0)
			close(log->next_fd);
		log->next_fd = fd;
		pthread_cond_signal(&log->work);
	}
	return NULL;
}

/* True: the writer has ended. False: the log is the writer's now. */
static bool stop_writer(AccessLog *log)
{
	struct timespec until;
	LOCKED(log);

	log->stopping = true;
	pthread_cond_signal(&log->work);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ACCESS_CLOSE_MS / 1000;
	while (!log->ended && pthread_cond_timedwait(&log->end, &log->lock, &until) == 0)
		continue;
	log->abandoned = !log->ended;
	if (log->abandoned)
		pthread_detach(log->writer);
	return log->ended;
}

void access_close(AccessLog *log)
{
	if (!log || !stop_writer(log))
		return;
	pthread_join(log->writer, NULL);
	free_log(log);
}
