/* SPDX-License-Identifier: Apache-2.0
 *
 * The live view. It goes to stderr, so that the report on stdout can be kept. */
#include "load/live.h"

#include "load/report.h"

enum { BAR = 40 };

Live live_new(FILE *out, bool terminal, const ScenarioConf *conf)
{
	return (Live){ .out = out, .terminal = terminal, .length_us = load_length_us(conf) };
}

static void put_time(Buf *out, int64_t us)
{
	AUTO(buf_fini) Buf text = { 0 };

	report_put_time(&text, us);
	buf_fmt(out, "%7.*s", STR_ARG(buf_str(&text)));
}

static int height(int64_t us, int64_t most)
{
	return most > 0 ? (int)MIN(us * 8 / most, INT64_C(7)) : 0;
}

/* The p99 of the last moments, the highest of them as the top. */
static void put_sparkline(Buf *out, const Live *live)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	size_t room = COUNT(live->p99_us), have = MIN(live->count, room);
	int64_t most = 0;

	for (size_t i = 0; i < have; i++)
		most = MAX(most, live->p99_us[i]);
	for (size_t i = live->count - have; i < live->count; i++)
		buf_put(out, str_of(blocks[height(live->p99_us[i % room], most)]));
}

static void put_left(Buf *out, const Live *live, const Moment *now)
{
	int64_t left_us = MAX(live->length_us - now->at_us, INT64_C(0));
	int done = live->length_us > 0 ? (int)MIN(now->at_us * BAR / live->length_us, (int64_t)BAR)
	                               : BAR;

	buf_put(out, S("["));
	for (int i = 0; i < BAR; i++)
		buf_put(out, i < done ? S("=") : S(" "));
	buf_fmt(out, "] %" PRId64 "s of %" PRId64 "s, %" PRId64 "s left%s", now->at_us / 1000000,
	        live->length_us / 1000000, (left_us + 999999) / 1000000,
	        now->warm ? " (warm-up)" : "");
}

void live_put(Buf *out, const Live *live, const Moment *now)
{
	put_left(out, live, now);
	buf_put(out, S("\n"));
	if (now->asked > 0)
		buf_fmt(out, "arrivals   %9.0f/s asked %9.0f/s begun\n", now->asked, now->got);
	buf_fmt(out, "requests   %9.0f/s ended %9.0f/s failed %9" PRIu64 " failed in all\n",
	        now->ended, now->failed, live->failed);
	buf_fmt(out, "now        %9u users %9u in flight %11u connections\n", now->users,
	        now->in_flight, now->connections);
	buf_put(out, S("response   "));
	put_time(out, now->p50_us);
	buf_put(out, S(" p50 "));
	put_time(out, now->p99_us);
	buf_put(out, S(" p99 "));
	put_time(out, now->max_us);
	buf_put(out, S(" max\np99        "));
	put_sparkline(out, live);
	buf_put(out, S("\n"));
}

static void put_line(Buf *out, const Moment *now)
{
	buf_fmt(out, "%4" PRId64 "s%s", now->at_us / 1000000, now->warm ? " warm-up" : "");
	if (now->asked > 0)
		buf_fmt(out, "  asked %.0f/s begun %.0f/s", now->asked, now->got);
	buf_fmt(out, "  ended %.0f/s failed %.0f/s  users %u in flight %u  p50", now->ended,
	        now->failed, now->users, now->in_flight);
	put_time(out, now->p50_us);
	buf_put(out, S(" p99"));
	put_time(out, now->p99_us);
	buf_put(out, S("\n"));
}

static unsigned count_lines(Str text)
{
	unsigned lines = 0;

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	return lines;
}

/* A line every second is too much for a long run in somebody's build log. */
static bool is_due(const Live *live)
{
	size_t every = live->length_us > 10 * 60 * INT64_C(1000000) ? 30
	               : live->length_us > 60 * INT64_C(1000000)    ? 5
	                                                            : 1;

	return live->count % every == 0;
}

void live_show(Live *live, const Moment *now)
{
	AUTO(buf_fini) Buf out = { 0 };

	live->p99_us[live->count++ % COUNT(live->p99_us)] = now->p99_us;
	live->failed += (uint64_t)(now->failed + 0.5);
	if (live->terminal) {
		if (live->lines)
			buf_fmt(&out, "\x1b[%uA\x1b[J", live->lines);
		live_put(&out, live, now);
		live->lines = count_lines(buf_str(&out));
	} else if (is_due(live))
		put_line(&out, now);
	if (out.len)
		fwrite(out.at, 1, out.len, live->out);
	fflush(live->out);
}

void live_end(Live *live)
{
	live->lines = 0;
}
