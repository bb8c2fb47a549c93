/* SPDX-License-Identifier: Apache-2.0
 *
 * One line a message. The line is built on the caller's side and goes out in one write(2) of at most 4 KiB, which a pipe
 * takes whole or not at all; a lock around poll and write keeps two threads from both believing in the same room.
 *
 * Nobody may stall the program by not reading: the first line that finds no room waits 20 ms, those after it do not
 * wait until one has gone out again. What was dropped is counted, and the next line says so. */
#include "base/log.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_BYTES = 4096,
	MESSAGE_BYTES = 2048,
	SHORT_BYTES = 500,
	WAIT_MS = 20,
	LIMIT_US = 1000000
};

static struct {
	int level;
	int format; /* LOG_TEXT or LOG_JSON once it is known */
	int fd;
	pthread_mutex_t lock;
	bool stuck;
	uint64_t dropped;
	uint64_t unsaid; /* of those dropped */
} sink = { .level = LOG_INFO,
	   .format = LOG_AUTO,
	   .fd = STDERR_FILENO,
	   .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn",
	[LOG_ERROR] = "error", [LOG_NONE] = "none",
};

void log_setup(LogLevel level, LogFormat format)
{
	__atomic_store_n(&sink.level, (int)level, __ATOMIC_RELAXED);
	__atomic_store_n(&sink.format, (int)format, __ATOMIC_RELAXED);
}

void log_to(int fd)
{
	__atomic_store_n(&sink.fd, fd, __ATOMIC_RELAXED);
}

uint64_t log_dropped(void)
{
	return __atomic_load_n(&sink.dropped, __ATOMIC_RELAXED);
}

bool log_wants(LogLevel level)
{
	return level < LOG_NONE && (int)level >= __atomic_load_n(&sink.level, __ATOMIC_RELAXED);
}

bool log_limit(LogLimit *limit, uint64_t *held)
{
	int64_t now = time_mono_us();
	int64_t next = __atomic_load_n(&limit->next_us, __ATOMIC_RELAXED);

	if (now < next || !__atomic_compare_exchange_n(&limit->next_us, &next, now + LIMIT_US,
	                                               false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		__atomic_fetch_add(&limit->held, 1, __ATOMIC_RELAXED);
		return false;
	}
	*held = __atomic_exchange_n(&limit->held, 0, __ATOMIC_RELAXED);
	return true;
}

static bool is_json(int fd)
{
	int format = __atomic_load_n(&sink.format, __ATOMIC_RELAXED);

	if (format == LOG_AUTO) {
		format = isatty(fd) ? LOG_TEXT : LOG_JSON;
		__atomic_store_n(&sink.format, format, __ATOMIC_RELAXED);
	}
	return format == LOG_JSON;
}

static void put_json(Buf *b, LogLevel level, const LogField *fields, Str text)
{
	JsonWriter w = json_writer(b);

	json_begin_object(&w);
	json_key(&w, S("time"));
	json_add_time(&w, time_utc_us());
	json_put_str(&w, "level", str_of(level_names[level]));
	json_put_str(&w, "msg", text);
	for (const LogField *f = fields; f && f->name; f++) {
		if (f->is_number)
			json_put_i64(&w, f->name, f->number);
		else
			json_put_str(&w, f->name, str_sub(f->text, 0, SHORT_BYTES));
	}
	json_end(&w);
}

static bool is_bare(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '"' ||
		    text.at[i] == '=' || text.at[i] == '\\')
			return false;
	return text.len > 0;
}

/* Bytes that could move a terminal's cursor or begin another line are shown as escapes. */
static void put_message(Buf *b, Str text)
{
	for (size_t i = 0; i < text.len;) {
		uint32_t code = 0;
		size_t len = str_utf8(str_sub(text, i, text.len), &code);

		if (len && code >= 0x20 && code != 0x7f && (code < 0x80 || code >= 0xa0))
			buf_put(b, str_sub(text, i, i + len));
		else
			buf_fmt(b, "\\x%02x", (unsigned char)text.at[i]);
		i += len && code >= 0xa0 ? len : 1;
	}
}

static void put_text(Buf *b, LogLevel level, const LogField *fields, Str text)
{
	AUTO(buf_fini) Buf now = { 0 };

	time_put_rfc3339(&now, time_utc_us());
	buf_fmt(b, "%.*s %-5s ", STR_ARG(str_sub(buf_str(&now), 11, 23)), level_names[level]);
	put_message(b, text);
	for (const LogField *f = fields; f && f->name; f++) {
		buf_fmt(b, " %s=", f->name);
		if (f->is_number)
			buf_put_i64(b, f->number);
		else if (is_bare(f->text))
			buf_put(b, str_sub(f->text, 0, SHORT_BYTES));
		else
			json_put_quoted(b, str_sub(f->text, 0, SHORT_BYTES));
	}
}

static void put_line(Buf *b, bool json, LogLevel level, const LogField *fields, Str text)
{
	buf_clear(b);
	if (json)
		put_json(b, level, fields, text);
	else
		put_text(b, level, fields, text);
	buf_putc(b, '\n');
}

/* The lock is held. */
static bool write_line(int fd, Str line)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	bool went =
		poll(&room, 1, sink.stuck ? 0 : WAIT_MS) == 1 && write(fd, line.at, line.len) > 0;

	sink.stuck = !went;
	return went;
}

static void say_dropped(int fd, bool json)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (!sink.unsaid)
		return;
	put_line(&b, json, LOG_WARN, LOG_FIELDS(log_i64("lines", (int64_t)sink.unsaid)),
	         S("lines of this log were dropped: nobody read them"));
	if (write_line(fd, buf_str(&b)))
		sink.unsaid = 0;
}

static void write_or_count(int fd, bool json, Str line)
{
	pthread_mutex_lock(&sink.lock);
	say_dropped(fd, json);
	if (!write_line(fd, line)) {
		sink.unsaid++;
		__atomic_fetch_add(&sink.dropped, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&sink.lock);
}

static void put(LogLevel level, const LogField *fields, Str text)
{
	AUTO(buf_fini) Buf b = { .limit = LINE_BYTES };
	int fd = __atomic_load_n(&sink.fd, __ATOMIC_RELAXED);
	bool json = is_json(fd);

	put_line(&b, json, level, fields, text);
	if (b.broken)
		put_line(&b, json, level, LOG_FIELDS(log_str("cut", S("yes"))),
		         str_sub(text, 0, SHORT_BYTES));
	write_or_count(fd, json, buf_str(&b));
}

void log_put(LogLevel level, const LogField *fields, const char *fmt, ...)
{
	char text[MESSAGE_BYTES];
	int saved = errno;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	put(level, fields, str_of(text));
	errno = saved;
}

void log_err(const Err *err, const char *fmt, ...)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	LogLevel level = (LogLevel)err_level(err);
	int saved = errno;
	char text[MESSAGE_BYTES];
	va_list args;
	int len;

	if (!err || !log_wants(level))
		return;
	va_start(args, fmt);
	len = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	len = MIN(MAX(len, 0), (int)sizeof text - 1);
	snprintf(text + len, sizeof text - (size_t)len, ": %.*s", STR_ARG(err_chain(a, err)));
	put(level, LOG_FIELDS(log_str("slug", str_of(err->slug))), str_of(text));
	errno = saved;
}
