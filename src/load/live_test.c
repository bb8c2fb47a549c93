/* SPDX-License-Identifier: Apache-2.0 */
#include "load/live.c"

#include "unit.h"

#include <stdlib.h>

static const RateStage stage[] = { { 100, 100, 10000000 } };
static const ScenarioConf conf = { .stages = { (RateStage *)(uintptr_t)stage, 1 } };

static Str shown(Arena *a, bool terminal, unsigned moments)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	Live live = live_new(out, terminal, &conf);
	Str copy;

	for (unsigned i = 1; i <= moments; i++)
		live_show(&live, &(Moment){ .at_us = i * 1000000,
		                            .asked = 100,
		                            .got = 99,
		                            .ended = 98,
		                            .failed = 2,
		                            .p50_us = 1500,
		                            .p99_us = 1000 * i,
		                            .max_us = 90000,
		                            .users = 7,
		                            .in_flight = 5,
		                            .connections = 6,
		                            .warm = i == 1 });
	live_end(&live);
	fclose(out);
	copy = str_dup(a, (Str){ text, len });
	free(text);
	return copy;
}

TEST(elsewhere_than_on_a_terminal_each_moment_is_a_line)
{
	CHECK_STR(
		shown(a, false, 2),
		S("   1s warm-up  asked 100/s begun 99/s  ended 98/s failed 2/s  users 7 in flight 5  p50 1.50ms p99 1.00ms\n"
	          "   2s  asked 100/s begun 99/s  ended 98/s failed 2/s  users 7 in flight 5  p50 1.50ms p99 2.00ms\n"));
}

TEST(on_a_terminal_the_picture_is_written_over)
{
	Str text = shown(a, true, 3);

	CHECK(str_find(text, S("1s of 10s, 9s left (warm-up)")) >= 0);
	CHECK(str_find(text, S("\x1b[6A\x1b[J")) > 0);
	CHECK(str_find(text, S("3s of 10s, 7s left\n")) > 0);
	CHECK(str_find(text, S("6 failed in all")) > 0);
	CHECK(str_find(text, S("▃▆█\n")) > 0);
}
