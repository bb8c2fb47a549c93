/* SPDX-License-Identifier: Apache-2.0
 *
 * The program's log: one line a message on stderr, in one write(2), from any thread. On a terminal for people, else JSON
 * lines, or as asked for. Control characters are escaped; lines are cut at 4 KiB. It never waits longer than 20 ms for
 * whoever reads stderr: then lines are dropped, counted, and the count is said with the next line that goes out.
 *
 *   log_info("listening on %s", where);
 *   log_warn_with(LOG_FIELDS(log_str("upstream", u->name), log_i64("port", 80)), "marked down");
 *   log_warn_limited("out of descriptors");                     at most once a second here: repeated=41
 *
 * Never log a secret, a header's value or a body: say which one it was. Library code does not log: it returns an Err. */
#pragma once
#include "base/err.h"

typedef enum LogLevel {
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR,
	LOG_NONE
} LogLevel; /* as err_level() counts */
typedef enum LogFormat { LOG_AUTO, LOG_TEXT, LOG_JSON } LogFormat;

/* For .names of a ConfKey: `(const ConfWord[]){ LOG_LEVEL_WORDS }`. */
#define LOG_LEVEL_WORDS \
	{ "debug", LOG_DEBUG, "everything" }, { "info", LOG_INFO, "what changes" }, \
		{ "warn", LOG_WARN, "what to look at" }, { "error", LOG_ERROR, "what is broken" }, \
		{ "none", LOG_NONE, "nothing" }, \
	{ \
		0 \
	}
#define LOG_FORMAT_WORDS \
	{ "auto", LOG_AUTO, "text on a terminal, else json" }, { "text", LOG_TEXT, "for people" }, \
		{ "json", LOG_JSON, "one object a line" }, \
	{ \
		0 \
	}

typedef struct LogField {
	const char *name; /* NULL ends the list */
	Str text;
	int64_t number;
	bool is_number;
} LogField;

/* May be called again at any time (a reload). Before the first call: level info, format auto, descriptor 2. */
void log_setup(LogLevel level, LogFormat format);
void log_to(int fd);        /* another descriptor than stderr; for tests */
uint64_t log_dropped(void); /* lines since the start */

bool log_wants(LogLevel level);
void log_put(LogLevel level, const LogField *fields, const char *fmt, ...) PRINTF(3, 4);
/* An error at the edge, with its slug and causes, at the level its kind has: "reload: banyan.yaml has 3 mistakes". */
void log_err(const Err *err, const char *fmt, ...) PRINTF(2, 3);

static inline LogField log_str(const char *name, Str text)
{
	return (LogField){ .name = name, .text = text };
}

static inline LogField log_i64(const char *name, int64_t number)
{
	return (LogField){ .name = name, .number = number, .is_number = true };
}

#define LOG_FIELDS(...) ((const LogField[]){ __VA_ARGS__, { 0 } })
#define LOG_AT(level, fields, ...) \
	do { \
		if (log_wants(level)) \
			log_put((level), (fields), __VA_ARGS__); \
	} while (0)
#define log_error(...) LOG_AT(LOG_ERROR, NULL, __VA_ARGS__)
#define log_warn(...) LOG_AT(LOG_WARN, NULL, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...) LOG_AT(LOG_DEBUG, NULL, __VA_ARGS__)
#define log_error_with(fields, ...) LOG_AT(LOG_ERROR, fields, __VA_ARGS__)
#define log_warn_with(fields, ...) LOG_AT(LOG_WARN, fields, __VA_ARGS__)
#define log_info_with(fields, ...) LOG_AT(LOG_INFO, fields, __VA_ARGS__)
#define log_debug_with(fields, ...) LOG_AT(LOG_DEBUG, fields, __VA_ARGS__)

/* One place's allowance: a line a second; what was held back is said with the next one. */
typedef struct LogLimit {
	int64_t next_us;
	uint64_t held;
} LogLimit;
bool log_limit(LogLimit *limit, uint64_t *held); /* may a line go out now? */
#define LOG_LIMITED(level, ...) \
	do { \
		static LogLimit limit_; \
		uint64_t held_; \
		if (log_wants(level) && log_limit(&limit_, &held_)) \
			log_put((level), \
			        held_ ? LOG_FIELDS(log_i64("repeated", (int64_t)held_)) : NULL, \
			        __VA_ARGS__); \
	} while (0)
#define log_error_limited(...) LOG_LIMITED(LOG_ERROR, __VA_ARGS__)
#define log_warn_limited(...) LOG_LIMITED(LOG_WARN, __VA_ARGS__)
#define log_info_limited(...) LOG_LIMITED(LOG_INFO, __VA_ARGS__)
