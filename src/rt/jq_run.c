/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking the processes that run jq filters (jq_serve.c says why they are processes).
 *
 * A lane is such a process and our end of its socket. Lanes belong to a loop: a fiber takes one, speaks with it alone and
 * gives it back. A lane that did not answer in full, whatever the reason, is ended and never used again; the next one is
 * started by whoever finds none free. Starting and awaiting the end of a process block, so worker threads do that.
 *
 * The process sees to the limits of a run itself. Ours is only for one that does not get to run at all, and is generous:
 * it must not cut what a busy machine merely delays. A client that leaves does not end a run, or it could make us start
 * process after process: runs are short. */
#include "rt/jq.h"
#include "rt/jq_int.h"

#include "base/arena.h"
#include "rt/rt_int.h"
#include "rt/stream.h"
#include "rt/work.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LANES = 4,           /* a loop */
	WAIT_US = 2000000,   /* for a free one */
	GRACE_US = 30000000, /* beyond a run's own time */
};

typedef struct Lane {
	Node node; /* in lanes->free while nobody has it */
	struct Lanes *lanes;
	Stream stream;
	pid_t pid;
	Str filters[JQ_FILTERS]; /* compiled, by slot; own memory */
	uint32_t count;
	bool spoilt;
	int status; /* of its end */
} Lane;

typedef struct Lanes {
	List free;
	WaitQueue waiters;
	unsigned count;
} Lanes;

static _Thread_local Lanes *lanes_here;

static Err busy = ERR_STATIC(BUSY, "rt.jq_busy", "all processes for jq filters were at work");

/* --- processes ------------------------------------------------------------------------------------------------------ */

typedef struct Start {
	int fd; /* ours */
	pid_t pid;
	int errnum;
} Start;

/* The socket is its standard input; what it would print goes where our messages go. */
static int spawn(pid_t *pid, int theirs)
{
	static char program[] = "/proc/self/exe", word[] = "jq";
	char *words[] = { program, word, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, usual;
	int errnum;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_init(&how);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &usual);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, theirs, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	errnum = posix_spawn(pid, program, &files, &how, words, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&how);
	return errnum;
}

static void start_process(void *arg)
{
	Start *start = arg;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		start->errnum = errno;
		return;
	}
	start->errnum = spawn(&start->pid, pair[1]);
	close(pair[1]);
	if (start->errnum)
		close(pair[0]);
	else
		start->fd = pair[0];
}

static void await_process(void *arg)
{
	Lane *lane = arg;

	while (waitpid(lane->pid, &lane->status, 0) < 0 && errno == EINTR)
		continue;
}

static void lane_free(Lane *lane)
{
	stream_close(&lane->stream);
	for (uint32_t i = 0; i < lane->count; i++)
		free((void *)(uintptr_t)lane->filters[i].at);
	free(lane);
}

/* One that has nothing to say, or must not go on. Its status is there after. Parks. */
static void lane_stop(Lane *lane)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	kill(lane->pid, SIGKILL);
	if (work_run(await_process, lane))
		await_process(lane); /* no worker is free, and it ends at once */
}

static Err *lane_start(Arena *a, Lanes *lanes, Lane **out)
{
	Start start = { .fd = -1 };
	Lane *lane;

	TRY(work_run(start_process, &start));
	if (start.errnum)
		return err_errno(a, start.errnum, "rt.jq_lost",
		                 "no process could be started for jq filters");
	lane = calloc(1, sizeof *lane);
	if (!lane)
		abort();
	*lane = (Lane){ .lanes = lanes, .stream = STREAM_CLOSED, .pid = start.pid };
	if (stream_open(&lane->stream, start.fd)) {
		close(start.fd);
		lane_stop(lane);
		lane_free(lane);
		return err_new(a, ERR_IO, "rt.jq_lost", "a socket could not be watched");
	}
	*out = lane;
	return NULL;
}

/* --- lanes of a loop ------------------------------------------------------------------------------------------------ */

/* They end when their sockets do, and the program soon after them; a loop does not wait for it. */
static void lanes_end(void *arg)
{
	Lanes *lanes = arg;
	Lane *lane;

	while ((lane = LIST_TAKE(&lanes->free, Lane, node))) {
		stream_close(&lane->stream);
		waitpid(lane->pid, &lane->status, WNOHANG);
		lane_free(lane);
	}
	free(lanes);
	lanes_here = NULL;
}

static Lanes *lanes_get(void)
{
	if (lanes_here)
		return lanes_here;
	lanes_here = calloc(1, sizeof *lanes_here);
	if (!lanes_here)
		abort();
	list_init(&lanes_here->free);
	wait_queue_init(&lanes_here->waiters);
	loop_on_exit(lanes_end, lanes_here);
	return lanes_here;
}

static void lane_gone(Lanes *lanes)
{
	lanes->count--;
	wait_queue_wake_one(&lanes->waiters);
}

static Err *lane_wait(Lanes *lanes)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(WAIT_US);
	Err *err;

	while (list_empty(&lanes->free) && lanes->count == LANES) {
		err = wait_queue_park(&lanes->waiters);
		if (err_is(err, "rt.deadline"))
			return &busy;
		TRY(err);
	}
	return NULL;
}

static Err *lane_take(Arena *a, Lane **out)
{
	Lanes *lanes = lanes_get();
	Err *err;

	TRY(lane_wait(lanes));
	*out = LIST_TAKE(&lanes->free, Lane, node);
	if (*out)
		return NULL;
	lanes->count++;
	err = lane_start(a, lanes, out);
	if (err)
		lane_gone(lanes);
	return err;
}

static void lane_give(Lane **lane)
{
	Lane *given = *lane;

	if (!given)
		return;
	if (given->spoilt) {
		lane_gone(given->lanes);
		lane_free(given);
		return;
	}
	list_push(&given->lanes->free, &given->node); /* the warmest goes first */
	wait_queue_wake_one(&given->lanes->waiters);
}

/* --- speaking ------------------------------------------------------------------------------------------------------- */

static Err *read_full(Lane *lane, void *into, size_t bytes)
{
	static Err ended = ERR_STATIC(CLOSED, "rt.jq_ended", "it ended");
	size_t got;

	for (size_t at = 0; at < bytes; at += got) {
		TRY(stream_read(&lane->stream, (char *)into + at, bytes - at, &got));
		if (!got)
			return &ended;
	}
	return NULL;
}

static Err *exchange(Lane *lane, Arena *a, const JqAsk *ask, Str text, JqTell *tell, Str *said)
{
	AUTO(shield_end) Shield shield = shield_begin(ask->time_us + GRACE_US);
	struct iovec parts[] = {
		{ (void *)(uintptr_t)ask, sizeof *ask },
		{ (void *)(uintptr_t)text.at, text.len },
	};
	char *at;

	TRY(stream_writev(&lane->stream, parts, text.len ? 2 : 1));
	TRY(read_full(lane, tell, sizeof *tell));
	at = arena_alloc_raw(a, tell->bytes + 1);
	TRY(read_full(lane, at, tell->bytes));
	*said = (Str){ at, tell->bytes };
	return NULL;
}

/* What became of a process that did not answer. */
static Err *explain_end(Arena *a, const Lane *lane, const JqAsk *ask)
{
	int code = WIFEXITED(lane->status) ? WEXITSTATUS(lane->status) : 0;
	bool late = WIFSIGNALED(lane->status) && WTERMSIG(lane->status) == SIGXCPU;

	if (code == JQ_EXIT_TIME || late)
		return err_new(a, ERR_TIMEOUT, "rt.jq_time",
		               "it took more than %" PRId64 " ms of a processor",
		               ask->time_us / 1000);
	if (code == JQ_EXIT_MEMORY)
		return err_new(a, ERR_TOO_LARGE, "rt.jq_memory",
		               "it took more than %" PRIu64 " KiB of memory", ask->memory >> 10);
	if (WIFSIGNALED(lane->status) && WTERMSIG(lane->status) != SIGKILL)
		return err_new(a, ERR_IO, "rt.jq_lost", "its process was ended by signal %d",
		               WTERMSIG(lane->status));
	return err_new(a, ERR_IO, "rt.jq_lost", "its process was lost");
}

static Err *ask_lane(Lane *lane, Arena *a, const JqAsk *ask, Str text, JqTell *tell, Str *said)
{
	Err *err = exchange(lane, a, ask, text, tell, said);

	if (!err)
		return NULL;
	lane->spoilt = true;
	lane_stop(lane);
	return explain_end(a, lane, ask);
}

static Str keep_text(Str text)
{
	char *at = malloc(text.len + 1);

	if (!at)
		abort();
	memcpy(at, text.at, text.len);
	return (Str){ at, text.len };
}

/* *slot: where the lane has it compiled. */
static Err *lane_compile(Lane *lane, Arena *a, Str filter, uint32_t *slot)
{
	JqAsk ask = { .verb = JQ_COMPILE, .slot = lane->count, .bytes = filter.len };
	JqTell tell = { 0 };
	Str said = { 0 };

	for (*slot = 0; *slot < lane->count; ++*slot)
		if (str_eq(lane->filters[*slot], filter))
			return NULL;
	TRY(ask_lane(lane, a, &ask, filter, &tell, &said));
	if (tell.verdict != JQ_DONE) {
		lane->spoilt = true;
		lane_stop(lane);
		return err_new(a, ERR_INVALID, "rt.jq_refused", "%.*s", STR_ARG(said));
	}
	lane->filters[lane->count++] = keep_text(filter);
	return NULL;
}

/* A lane that has it compiled. One whose slots are used up, after many reloads, makes place for a new one. */
static Err *lane_for(Arena *a, Str filter, Lane **lane, uint32_t *slot)
{
	TRY(lane_take(a, lane));
	if (*lane && (*lane)->count == JQ_FILTERS) {
		Lane *full = TAKE(*lane);

		full->spoilt = true;
		lane_stop(full);
		lane_give(&full);
		TRY(lane_take(a, lane));
	}
	return *lane ? lane_compile(*lane, a, filter, slot) : &busy;
}

static Err *judge(Arena *a, const JqTell *tell, Str said, const JqLimits *limits)
{
	switch ((JqVerdict)tell->verdict) {
	case JQ_FAILED:
		return err_new(a, ERR_INVALID, "rt.jq_refused", "%.*s", STR_ARG(said));
	case JQ_NOTHING:
		return err_new(a, ERR_INVALID, "rt.jq_refused", "it gave no value");
	case JQ_MORE:
		return err_new(a, ERR_INVALID, "rt.jq_refused", "it gave more than one value");
	case JQ_LARGE:
		return err_new(a, ERR_TOO_LARGE, "rt.jq_out",
		               "its result has more than %" PRIu64 " bytes", limits->out);
	case JQ_DONE:
		break;
	}
	return NULL;
}

Err *jq_run(Arena *a, Str filter, const JqLimits *limits, Str json, Str *out)
{
	AUTO(lane_give) Lane *lane = NULL;
	JqTell tell = { 0 };
	uint32_t slot;
	Str said = { 0 };

	TRY(lane_for(a, filter, &lane, &slot));
	TRY(ask_lane(lane, a,
	             &(JqAsk){ .verb = JQ_RUN,
	                       .slot = slot,
	                       .time_us = limits->time_us,
	                       .memory = limits->memory,
	                       .out = limits->out,
	                       .bytes = json.len },
	             json, &tell, &said));
	TRY(judge(a, &tell, said, limits));
	*out = said;
	return NULL;
}

Err *jq_warm(Arena *a, Str filter)
{
	AUTO(lane_give) Lane *lane = NULL;
	uint32_t slot;

	return lane_for(a, filter, &lane, &slot);
}
