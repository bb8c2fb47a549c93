/* SPDX-License-Identifier: Apache-2.0
 *
 * The process that runs jq filters over what strangers send.
 *
 * libjq 1.6 has no limits. Its interpreter can be stopped between two steps from another thread, but a step may be a
 * function of C that takes as long and as much as it likes: `.[300000000] = 1` was at work for half a minute and had
 * 4.7 GB, and what it meets in that it answers with abort(). So a filter has a process of its own, which costs two
 * messages on a socket, and while one runs a timer looks every few milliseconds at the processor time and the memory that
 * it took, and ends the process when that is too much. Processor time, since the machine may be busy with others.
 *
 * It is this same program, started anew, so it shares no memory and no descriptor with the gateway; its environment is
 * emptied, as a filter may read $ENV. It ends when its socket does. */
#include "rt/jq.h"
#include "rt/jq_int.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <jq.h>
#include <jv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK_US = 5000,
	WORDS_BYTES = 160, /* of what a filter says: it may say all of the body */
};

/* --- limits --------------------------------------------------------------------------------------------------------- */

static struct {
	int statm; /* /proc/self/statm */
	int64_t end_us;
	uint64_t pages;
} limit = { .statm = -1 };

static int64_t processor_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Of memory that is there, not only promised. 0: not known. Async-signal-safe. */
static uint64_t pages_now(void)
{
	char text[64];
	ssize_t len = pread(limit.statm, text, sizeof text - 1, 0);
	uint64_t pages = 0;
	ssize_t i = 0;

	while (i < len && text[i] != ' ')
		i++;
	for (i++; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		pages = pages * 10 + (uint64_t)(text[i] - '0');
	return pages;
}

static void tick(int number)
{
	int errnum = errno;
	(void)number;

	if (processor_us() > limit.end_us)
		_exit(JQ_EXIT_TIME);
	if (pages_now() > limit.pages)
		_exit(JQ_EXIT_MEMORY);
	errno = errnum;
}

static void set_timer(int us)
{
	struct itimerval every = { { 0, us }, { 0, us } };

	setitimer(ITIMER_PROF, &every, NULL);
}

/* The kernel's own limit, in whole seconds and later than the timer's: it also holds where a signal's handler waits for the
 * program to call into the C library, as under ThreadSanitizer, which a filter that never ends does not. */
static void limit_processor(void)
{
	struct rlimit most = { .rlim_cur = (rlim_t)(limit.end_us / 1000000 + 2),
		               .rlim_max = RLIM_INFINITY };

	(void)!setrlimit(RLIMIT_CPU, &most);
}

static void limit_begin(const JqAsk *ask)
{
	limit.end_us = processor_us() + ask->time_us;
	limit.pages = pages_now() + ask->memory / (uint64_t)sysconf(_SC_PAGESIZE);
	limit_processor();
	set_timer(TICK_US);
}

/* --- the socket ----------------------------------------------------------------------------------------------------- */

static bool read_all(void *into, size_t bytes)
{
	for (size_t got = 0; got < bytes;) {
		ssize_t n = read(STDIN_FILENO, (char *)into + got, bytes - got);

		if (n > 0)
			got += (size_t)n;
		else if (n == 0 || errno != EINTR)
			return false;
	}
	return true;
}

static bool write_all(const void *from, size_t bytes)
{
	for (size_t put = 0; put < bytes;) {
		ssize_t n = write(STDIN_FILENO, (const char *)from + put, bytes - put);

		if (n >= 0)
			put += (size_t)n;
		else if (errno != EINTR)
			return false;
	}
	return true;
}

static bool tell(JqVerdict verdict, Str text)
{
	JqTell head = { .verdict = verdict, .bytes = text.len };

	return write_all(&head, sizeof head) && (!text.len || write_all(text.at, text.len));
}

static bool tell_text(JqVerdict verdict, jv text)
{
	Str all = { jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text)) };
	bool told = tell(verdict, verdict == JQ_DONE ? all : str_sub(all, 0, WORDS_BYTES));

	jv_free(text);
	return told;
}

/* --- filters -------------------------------------------------------------------------------------------------------- */

/* What it says of a filter was said when the configuration was read. */
static void keep_silent(void *arg, jv message)
{
	(void)arg;
	jv_free(message);
}

static bool compile(jq_state **slot, const char *filter)
{
	*slot = jq_init();
	if (!*slot)
		abort();
	jq_set_error_cb(*slot, keep_silent, NULL);
	return tell(jq_compile(*slot, filter) ? JQ_DONE : JQ_FAILED, S("it does not compile"));
}

/* What the filter says of its own, and is no text, is shown as JSON. */
static bool tell_failure(jv result)
{
	jv said = jv_invalid_get_msg(result);

	if (jv_get_kind(said) == JV_KIND_NULL) {
		jv_free(said);
		return tell(JQ_NOTHING, (Str){ 0 });
	}
	if (jv_get_kind(said) != JV_KIND_STRING)
		said = jv_dump_string(said, 0);
	return tell_text(JQ_FAILED, said);
}

static bool tell_value(const JqAsk *ask, jv value)
{
	jv text = jv_dump_string(value, 0);

	set_timer(0);
	if ((uint64_t)jv_string_length_bytes(jv_copy(text)) <= ask->out)
		return tell_text(JQ_DONE, text);
	jv_free(text);
	return tell(JQ_LARGE, (Str){ 0 });
}

static bool run(jq_state *jq, const JqAsk *ask, const char *body)
{
	bool told;
	jv value, more;

	limit_begin(ask);
	value = jv_parse_sized(body, (int)ask->bytes);
	if (jv_is_valid(value)) {
		jq_start(jq, value, 0);
		value = jq_next(jq);
	}
	if (!jv_is_valid(value)) {
		set_timer(0);
		return tell_failure(value);
	}
	more = jq_next(jq);
	if (jv_is_valid(more) || jv_invalid_has_msg(jv_copy(more))) {
		set_timer(0);
		jv_free(value);
		told = jv_is_valid(more) ? tell(JQ_MORE, (Str){ 0 }) : tell_failure(jv_copy(more));
		jv_free(more);
		return told;
	}
	jv_free(more);
	return tell_value(ask, value);
}

static bool serve_one(jq_state **filters)
{
	JqAsk ask;
	char *text;
	bool goes_on;

	if (!read_all(&ask, sizeof ask) || ask.slot >= JQ_FILTERS || ask.bytes > INT32_MAX)
		return false;
	text = malloc(ask.bytes + 1);
	if (!text)
		abort();
	goes_on = read_all(text, ask.bytes);
	text[ask.bytes] = '\0';
	if (goes_on && ask.verb == JQ_COMPILE)
		goes_on = compile(&filters[ask.slot], text);
	else if (goes_on)
		goes_on = filters[ask.slot] && run(filters[ask.slot], &ask, text);
	free(text);
	return goes_on;
}

/* A signal to the whole group or unit is for the gateway, which may have requests in hand. */
static void ignore_signals(void)
{
	static const int ignored[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE
	};
	struct sigaction on_tick = { .sa_handler = tick, .sa_flags = SA_RESTART };

	for (size_t i = 0; i < COUNT(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigaction(SIGPROF, &on_tick, NULL);
}

void jq_serve(void)
{
	jq_state *filters[JQ_FILTERS] = { NULL };

	close_range(STDERR_FILENO + 1, ~0u, 0);
	clearenv();
	ignore_signals();
	limit.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	while (serve_one(filters))
		continue;
	for (size_t i = 0; i < COUNT(filters); i++)
		if (filters[i])
			jq_teardown(&filters[i]);
}

static Err *run_serve(Cmd *cmd)
{
	(void)cmd;
	jq_serve();
	return NULL;
}

static const Command commands[] = {
	{ "jq", .summary = "run filters for a gateway, which starts it itself", .run = run_serve,
	  .hidden = true },
};

const Command *jq_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}
