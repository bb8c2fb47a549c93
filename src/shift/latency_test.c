/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/latency.c"

#include "unit.h"

#include <string.h>

static Latency one, other;

TEST(latency_slots_are_narrow_and_leave_no_gap)
{
	int64_t last = -1;

	for (unsigned slot = 0; slot < LATENCY_SLOTS; slot++) {
		int64_t end = end_of(slot);

		CHECK_INT(slot_of(last + 1), slot);
		CHECK_INT(slot_of(end), slot);
		CHECK(end - last <= 1 + (last + 1) / 128);
		last = end;
	}
	CHECK_INT(last, MAX_US);
	CHECK_INT(slot_of(-5), 0);
	CHECK_INT(slot_of(INT64_MAX), LATENCY_SLOTS - 1);
}

TEST(latency_threshold_and_the_share_above_it_agree)
{
	CHECK_INT(latency_percentile_us(&one, 99), 0);
	CHECK_NEAR(latency_share_above(&one, 0), 0, 0);
	for (int i = 1; i <= 10000; i++)
		latency_note(i % 2 ? &one : &other, 37 * i);
	latency_merge(&one, &other);
	CHECK_INT(one.count, 10000);
	for (int percent = 1; percent < 100; percent += 7) {
		int64_t us = latency_percentile_us(&one, percent);

		CHECK_NEAR((double)us, 37 * 100 * percent, 37 * percent + 37);
		CHECK(latency_share_above(&one, us) <= 1 - percent / 100.0 + 1e-9);
	}
	CHECK_NEAR(latency_share_above(&one, latency_percentile_us(&one, 99)), 0.01, 0.009);
}

TEST(latency_is_kept)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *json;
	Str text;

	latency_note(&one, 12);
	latency_note(&one, 120000);
	latency_note(&one, 120000);
	latency_put(&w, &one);
	CHECK_OK(json_done(&w, &text));
	CHECK_OK(json_read(a, text, 0, &json));
	CHECK_OK(latency_read(a, json, &other));
	CHECK(memcmp(&one, &other, sizeof one) == 0);
	CHECK_OK(json_read(a, S("[1]"), 0, &json));
	CHECK_ERR(latency_read(a, json, &other), "shift.state");
	CHECK_OK(json_read(a, S("[99999,1]"), 0, &json));
	CHECK_ERR(latency_read(a, json, &other), "shift.state");
	CHECK_OK(json_read(a, S("{}"), 0, &json));
	CHECK_ERR(latency_read(a, json, &other), "shift.state");
}
