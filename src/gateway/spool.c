/* SPDX-License-Identifier: Apache-2.0
 *
 * Held bytes: a buffer that fills, and behind it a file.
 *
 * When the buffer is full all of it goes to the end of the file, on a worker thread, and it fills again: memory stays at
 * its limit and the disk sees large writes. The taker reads the file first, then takes the buffer as a whole and leaves
 * an empty one, so that what a client can nearly keep up with never sees the disk. A file that was read to its end is
 * written from its beginning again.
 *
 * A full disk, a limit or a crowd at the workers is no error of a request: what the file does not take stays in memory,
 * the spool says that it is full, and whoever puts goes on without holding more. Counted, with the reason. */
#include "gateway/spool.h"

#include "rt/work.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	SLICE_BYTES = 64 << 10, /* given out at a time */
	QUICK_BYTES = 1 << 20,  /* a file up to it is closed at once: its pages go quickly */
};

static Err unreadable = ERR_STATIC(IO, "gateway.spool", "held bytes could not be read back");

/* --- counters ------------------------------------------------------------------------------------------------------- */

typedef enum Refusal {
	TOO_LARGE,
	LIMIT,
	DISK_FULL,
	DESCRIPTORS,
	INPUT_OUTPUT,
	WORKERS,
	REFUSALS
} Refusal;

static const Str refusal_names[] = {
	[TOO_LARGE] = S("size"),          [LIMIT] = S("limit"),     [DISK_FULL] = S("disk_full"),
	[DESCRIPTORS] = S("descriptors"), [INPUT_OUTPUT] = S("io"), [WORKERS] = S("workers"),
};
static const Str side_names[] = { [SPOOL_REQUEST] = S("request"), [SPOOL_ANSWER] = S("answer") };

static struct { /* atomic */
	uint64_t memory, file;
	uint64_t held[SPOOL_SIDES], filed[SPOOL_SIDES];
	uint64_t refused[REFUSALS];
} counts;

static void add(uint64_t *counter, uint64_t n)
{
	__atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

static double value_of(const uint64_t *counter)
{
	return (double)__atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void read_bytes(MetricOut *out)
{
	metric_emit(out, &S("memory"), value_of(&counts.memory));
	metric_emit(out, &S("file"), value_of(&counts.file));
}

static void read_bodies(MetricOut *out)
{
	for (size_t i = 0; i < SPOOL_SIDES; i++) {
		metric_emit(out, (Str[]){ side_names[i], S("memory") }, value_of(&counts.held[i]));
		metric_emit(out, (Str[]){ side_names[i], S("file") }, value_of(&counts.filed[i]));
	}
}

static void read_refused(MetricOut *out)
{
	for (size_t i = 0; i < REFUSALS; i++)
		metric_emit(out, &refusal_names[i], value_of(&counts.refused[i]));
}

static const MetricFamily families[] = {
	{ "banyan_spool_bytes", METRIC_GAUGE, "bytes",
	  "Bytes of bodies held for slow clients: in memory, and the size of their files",
	  .labels = { "where" }, .read = read_bytes },
	{ "banyan_spooled_total", METRIC_COUNTER, "bodies",
	  "Bodies that were held: all of them as memory, those that outgrew it as file, too",
	  .labels = { "side", "where" }, .read = read_bodies },
	{ "banyan_spool_refused_total", METRIC_COUNTER, "bodies",
	  "Bodies that could not be held, or not all of it, and were passed on as they came",
	  .labels = { "reason" }, .read = read_refused },
};

const MetricFamily *spool_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static void refuse(Spool *s, Refusal why)
{
	if (!s->short_of)
		add(&counts.refused[why], 1);
	s->short_of = true;
}

void spool_too_large(void)
{
	add(&counts.refused[TOO_LARGE], 1);
}

static void count_memory(Spool *s)
{
	size_t now = s->filling.len + s->reading.len - s->read_at;

	add(&counts.memory, (uint64_t)now - s->counted);
	s->counted = now;
}

/* --- the file ------------------------------------------------------------------------------------------------------- */

typedef struct Job {
	Spool *spool;
	char *into; /* of a read */
	size_t bytes;
	uint64_t at;
	int errnum;
} Job;

static int open_nameless(Str dir)
{
	char path[PATH_MAX];
	int fd;

	if (dir.len + sizeof "/banyan-XXXXXX" > sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(path, sizeof path, "%.*s", STR_ARG(dir));
	fd = open(path, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	snprintf(path, sizeof path, "%.*s/banyan-XXXXXX", STR_ARG(dir));
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* On a worker. */
static void write_out(void *arg)
{
	Job *job = arg;
	Spool *s = job->spool;
	Str rest = buf_str(&s->filling);
	off_t at = (off_t)job->at;

	if (s->fd < 0)
		s->fd = open_nameless(s->rules.dir);
	if (s->fd < 0)
		job->errnum = errno;
	while (!job->errnum && rest.len) {
		ssize_t n = pwrite(s->fd, rest.at, rest.len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			job->errnum = n < 0 ? errno : EIO;
			return;
		}
		rest = str_sub(rest, (size_t)n, rest.len);
		at += n;
	}
}

/* On a worker. */
static void read_in(void *arg)
{
	Job *job = arg;
	size_t got = 0;

	while (got < job->bytes) {
		ssize_t n = pread(job->spool->fd, job->into + got, job->bytes - got,
		                  (off_t)(job->at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			job->errnum = n < 0 ? errno : EIO;
			return;
		}
		got += (size_t)n;
	}
}

static Refusal reason_of(int errnum)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG: /* a limit of the process */
		return DISK_FULL;
	case EMFILE:
	case ENFILE:
		return DESCRIPTORS;
	default:
		return INPUT_OUTPUT;
	}
}

/* The file's growth counts against all files before it is written. */
static bool reserve(Spool *s, uint64_t size)
{
	uint64_t more = size > s->size ? size - s->size : 0;
	uint64_t all = __atomic_add_fetch(&counts.file, more, __ATOMIC_RELAXED);

	if (more && s->rules.max && all > s->rules.max) {
		add(&counts.file, -more);
		return false;
	}
	s->size += more;
	return true;
}

static bool has_room(Spool *s)
{
	if (s->begin == s->end)
		s->begin = s->end = 0;
	if (!s->stuck && s->end + s->filling.len > s->rules.file)
		refuse(s, TOO_LARGE);
	else if (!s->stuck && !reserve(s, s->end + s->filling.len))
		refuse(s, LIMIT);
	else
		return !s->stuck;
	return false;
}

static void wake(Fiber *fiber)
{
	if (fiber)
		fiber_wake(fiber);
}

static void spilt(Spool *s, int errnum)
{
	if (errnum) {
		s->stuck = true;
		refuse(s, reason_of(errnum));
		return;
	}
	if (!s->end)
		add(&counts.filed[s->side], 1);
	s->end += s->filling.len;
	buf_clear(&s->filling);
	count_memory(s);
}

static Err *spill(Spool *s)
{
	Job job = { .spool = s, .at = s->end };
	Err *err;

	s->spilling = true;
	err = work_run(write_out, &job);
	s->spilling = false;
	if (!err)
		spilt(s, job.errnum);
	wake(s->taker);
	if (!err || err->kind != ERR_BUSY)
		return err;
	refuse(s, WORKERS);
	return NULL;
}

/* What was written a moment ago is mostly in the page cache, where it can be had without waiting. */
static Err *read_back(Spool *s, uint64_t at, size_t bytes)
{
	Job job = { .spool = s, .at = at, .bytes = bytes };
	struct iovec part;
	ssize_t got;

	buf_clear(&s->reading);
	s->read_at = 0;
	job.into = buf_room(&s->reading, bytes);
	part = (struct iovec){ job.into, bytes };
	got = preadv2(s->fd, &part, 1, (off_t)at, RWF_NOWAIT);
	if (got <= 0) {
		TRY(work_run(read_in, &job));
		if (job.errnum)
			return &unreadable;
		got = (ssize_t)bytes;
	}
	buf_wrote(&s->reading, (size_t)got);
	return NULL;
}

uint64_t spool_file_bytes(void)
{
	return __atomic_load_n(&counts.file, __ATOMIC_RELAXED);
}

/* --- life ----------------------------------------------------------------------------------------------------------- */

void spool_begin(Spool *s, const SpoolRules *rules, SpoolSide side)
{
	*s = (Spool){ .rules = *rules, .side = side, .fd = -1, .begun = true };
	add(&counts.held[side], 1);
}

static void close_file(void *arg)
{
	Job *job = arg;

	close(job->spool->fd);
}

void spool_end(Spool *s)
{
	AUTO(shield_end) Shield shield = { 0 };
	Job job = { .spool = s };

	if (!s->begun)
		return;
	if (s->fd >= 0 && s->size > QUICK_BYTES && fiber_self())
		shield = shield_begin(INT64_MAX);
	if (s->fd >= 0 && (!shield.active || work_run(close_file, &job)))
		close_file(&job);
	add(&counts.file, -s->size);
	add(&counts.memory, -(uint64_t)s->counted);
	buf_fini(&s->filling);
	buf_fini(&s->reading);
	*s = (Spool){ 0 };
}

/* --- putting -------------------------------------------------------------------------------------------------------- */

void spool_add(Spool *s, Str piece)
{
	buf_put(&s->filling, piece);
	count_memory(s);
	wake(s->taker);
}

Err *spool_settle(Spool *s)
{
	return spool_is_full(s) && has_room(s) ? spill(s) : NULL;
}

bool spool_is_full(const Spool *s)
{
	return s->filling.len > s->rules.memory;
}

static bool fits(const Spool *s, size_t bytes)
{
	return !s->filling.len || s->filling.len + bytes <= s->rules.memory;
}

Err *spool_wait_room(Spool *s, size_t bytes, int64_t us)
{
	AUTO(deadline_end) Deadline limit = { 0 };
	int64_t until_us = loop_now_us() + us;
	Err *err = NULL;

	if (us)
		limit = deadline_begin(us);
	s->putter = fiber_self();
	while (!err && !fits(s, bytes))
		err = fiber_park();
	s->putter = NULL;
	return us && err_is(err, "rt.deadline") && loop_now_us() >= until_us ? NULL : err;
}

void spool_finish(Spool *s, Err *err)
{
	s->last = true;
	s->err = err;
	wake(s->taker);
}

void spool_resume(Spool *s)
{
	s->last = false;
}

bool spool_is_drained(const Spool *s)
{
	return s->taker && !spool_has(s);
}

/* --- taking --------------------------------------------------------------------------------------------------------- */

bool spool_has(const Spool *s)
{
	return s->read_at < s->reading.len || s->begin < s->end || s->filling.len;
}

static void take_memory(Spool *s)
{
	Buf empty = s->reading;

	buf_clear(&empty);
	s->reading = s->filling;
	s->filling = empty;
	s->read_at = 0;
	wake(s->putter);
}

static Err *take_file(Spool *s)
{
	TRY(read_back(s, s->begin, (size_t)MIN(s->end - s->begin, (uint64_t)SLICE_BYTES)));
	s->begin += s->reading.len;
	return NULL;
}

static Err *await_bytes(Spool *s)
{
	Err *err;

	s->taker = fiber_self();
	err = fiber_park();
	s->taker = NULL;
	return err;
}

Err *spool_take(Spool *s, Str *piece)
{
	*piece = (Str){ 0 };
	while (s->read_at == s->reading.len) {
		if (s->begin < s->end)
			TRY(take_file(s));
		else if (s->filling.len && !s->spilling)
			take_memory(s);
		else if (s->last)
			return s->err;
		else
			TRY(await_bytes(s));
	}
	*piece = str_sub(buf_str(&s->reading), s->read_at, s->read_at + SLICE_BYTES);
	s->read_at += piece->len;
	count_memory(s);
	return NULL;
}

Err *spool_look(Spool *s, uint64_t at, Str *piece)
{
	if (at >= s->end) {
		*piece = str_sub(buf_str(&s->filling), (size_t)(at - s->end),
		                 (size_t)(at - s->end) + SLICE_BYTES);
		return NULL;
	}
	TRY(read_back(s, at, (size_t)MIN(s->end - at, (uint64_t)SLICE_BYTES)));
	*piece = buf_str(&s->reading);
	s->read_at = s->reading.len; /* a copy: what is held is still in the file */
	return NULL;
}

uint64_t spool_bytes(const Spool *s)
{
	return s->end - s->begin + s->reading.len - s->read_at + s->filling.len;
}

Str spool_memory(const Spool *s)
{
	return buf_str(&s->filling);
}
