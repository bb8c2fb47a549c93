/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.c"

#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>

static int ends[2];

/* The log goes into a pipe from here on. */
static void open_pipe(LogLevel level, LogFormat format)
{
	CHECK_INT(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	fcntl(ends[1], F_SETFL, 0); /* as a program's stderr: writing would block */
	log_setup(level, format);
	log_to(ends[1]);
}

static Str taken(Arena *a)
{
	enum { ROOM = 1 << 20 };
	char *text = arena_alloc(a, ROOM);
	size_t len = 0;
	ssize_t got;

	while ((got = read(ends[0], text + len, ROOM - len)) > 0)
		len += (size_t)got;
	return (Str){ text, len };
}

/* Without what changes: {"time":"...27 characters...", or "hh:mm:ss.mmm ". */
static Str timeless(Str line, bool json)
{
	return str_sub(line, json ? 38 : 13, line.len);
}

TEST(log_writes_json_for_programs)
{
	open_pipe(LOG_INFO, LOG_JSON);
	log_info_with(LOG_FIELDS(log_str("peer", S("a\"b\n")), log_i64("port", -80)), "took %d", 3);
	CHECK_STR(
		timeless(taken(a), true),
		S("\"level\":\"info\",\"msg\":\"took 3\",\"peer\":\"a\\\"b\\n\",\"port\":-80}\n"));
}

TEST(log_writes_text_for_people)
{
	open_pipe(LOG_DEBUG, LOG_TEXT);
	log_warn_with(LOG_FIELDS(log_str("a", S("bare")), log_str("b", S("two words")),
	                         log_str("c", S("")), log_i64("d", 7)),
	              "hello");
	CHECK_STR(timeless(taken(a), false), S("warn  hello a=bare b=\"two words\" c=\"\" d=7\n"));
	log_debug("x\x1b[2Jy\nz \xc3\xa4 \xff \xc2\x9b");
	CHECK_STR(timeless(taken(a), false),
	          S("debug x\\x1b[2Jy\\x0az \xc3\xa4 \\xff \\xc2\\x9b\n"));
}

TEST(log_takes_json_when_nobody_sits_there)
{
	open_pipe(LOG_INFO, LOG_AUTO);
	log_info("x");
	CHECK(str_starts(taken(a), S("{\"time\":\"")));
}

TEST(log_levels)
{
	static const char *const want[] = { "debug info warn error ", "info warn error ",
		                            "warn error ", "error ", "" };

	for (int level = LOG_DEBUG; level <= LOG_NONE; level++) {
		AUTO(buf_fini) Buf b = { 0 };
		Str rest, line;

		open_pipe((LogLevel)level, LOG_TEXT);
		log_debug("debug");
		log_info("info");
		log_warn("warn");
		log_error("error");
		rest = taken(a);
		while (str_split(&rest, '\n', &line))
			if (line.len)
				buf_fmt(&b, "%.*s ", STR_ARG(str_sub(line, 19, line.len)));
		CHECK_STR(buf_str(&b), str_of(want[level]));
	}
}

TEST(log_err_has_causes_slug_and_its_kinds_level)
{
	Err *why = err_new(a, ERR_CLOSED, "rt.closed", "the peer closed");
	Err *err = err_because(a, why, ERR_UPSTREAM, "upstream.lost", "no answer");

	open_pipe(LOG_INFO, LOG_TEXT);
	log_err(err, "call of %s", "shop");
	log_err(why, "debug only");
	log_err(NULL, "nothing");
	CHECK_STR(timeless(taken(a), false),
	          S("warn  call of shop: no answer: the peer closed slug=upstream.lost\n"));
}

TEST(log_lines_are_cut_at_4_kib_and_stay_whole)
{
	char text[6000];
	Str line;

	memset(text, 1, sizeof text);
	text[sizeof text - 1] = 0;
	open_pipe(LOG_INFO, LOG_JSON);
	log_info_with(LOG_FIELDS(log_str("x", str_of(text))), "%s", text);
	line = taken(a);
	CHECK(line.len > 2000 && line.len <= LINE_BYTES);
	CHECK(str_ends(line, S("\"cut\":\"yes\"}\n")));
	log_setup(LOG_INFO, LOG_TEXT);
	log_info_with(LOG_FIELDS(log_str("x", str_of(text))), "%s", text);
	line = taken(a);
	CHECK(line.len > 2000 && line.len <= LINE_BYTES && str_ends(line, S(" cut=yes\n")));
}

TEST(log_never_waits_long_for_its_reader)
{
	int64_t before;
	Str text;
	uint64_t dropped;

	open_pipe(LOG_INFO, LOG_TEXT);
	before = time_mono_us();
	for (int i = 0; i < 5000; i++)
		log_info("%0200d", i);
	CHECK(time_mono_us() - before < 5 * US_PER_S);
	dropped = log_dropped();
	CHECK(dropped > 3000 && dropped < 5000);
	text = taken(a);
	CHECK(str_ends(text, S("\n")));
	log_info("again");
	CHECK(str_starts(
		timeless(taken(a), false),
		str_fmt(a,
	                "warn  lines of this log were dropped: nobody read them lines=%" PRIu64
	                "\n",
	                dropped)));
}

TEST(log_limited_says_how_often_it_was_held_back)
{
	LogLimit limit = { 0 };
	uint64_t held = 7;

	open_pipe(LOG_INFO, LOG_TEXT);
	for (int i = 0; i < 100; i++)
		log_warn_limited("out of %s", "descriptors");
	CHECK_STR(timeless(taken(a), false), S("warn  out of descriptors\n"));
	CHECK(log_limit(&limit, &held) && held == 0);
	CHECK(!log_limit(&limit, &held) && !log_limit(&limit, &held));
	limit.next_us = 0;
	CHECK(log_limit(&limit, &held) && held == 2);
}

static void *shout(void *arg)
{
	for (int i = 0; i < 200; i++)
		log_info("%s%s%s", (char *)arg, (char *)arg, (char *)arg);
	return NULL;
}

TEST(log_lines_of_threads_do_not_mix)
{
	char words[4][64];
	pthread_t threads[4];
	Str rest, line;
	char path[] = "/tmp/banyan-log-XXXXXX";
	int fd = mkstemp(path);
	size_t lines = 0;

	unlink(path);
	log_setup(LOG_INFO, LOG_TEXT);
	log_to(fd);
	for (int i = 0; i < 4; i++) {
		memset(words[i], 'a' + i, 63);
		words[i][63] = 0;
		pthread_create(&threads[i], NULL, shout, words[i]);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ends[0] = fd;
	lseek(fd, 0, SEEK_SET);
	rest = taken(a);
	while (str_split(&rest, '\n', &line)) {
		if (!line.len)
			continue;
		lines++;
		CHECK_INT(line.len, 19 + 3 * 63);
		for (size_t i = 20; i < line.len; i++)
			CHECK_INT(line.at[i], line.at[19]);
	}
	CHECK_INT(lines, 800);
}

TEST(log_keeps_errno)
{
	open_pipe(LOG_INFO, LOG_TEXT);
	close(ends[1]);
	errno = ENOENT;
	log_info("x");
	CHECK_INT(errno, ENOENT);
	(void)a;
}
