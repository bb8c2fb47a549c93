/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/state.c"

#include "unit.h"

static ShiftState again(Arena *a, const ShiftState *state)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *json;
	ShiftState read;
	Str text;

	shift_state_put(&w, state);
	CHECK_OK(json_done(&w, &text));
	CHECK_OK(json_read(a, str_dup(a, text), 0, &json));
	CHECK_OK(shift_state_read(a, json, &read));
	return read;
}

TEST(state_reads_back_as_it_was_written)
{
	ShiftState s = { .phase = SHIFT_CANARY,
		         .paused = true,
		         .step = 2,
		         .share_ppm = 250000,
		         .attempt = 7,
		         .salt = UINT64_C(0x7edcba9876543210),
		         .since_us = 1234567890123456,
		         .paused_us = 99,
		         .slow_us = { 1, 2, 3 } };
	ShiftState read;

	shift_state_say(&s, S("it says \"so\""));
	shift_state_ask(&s, S("to"), S("ann"), 500000);
	memcpy(s.target, "next", 5);
	shift_state_freeze_counter(&s, S("paid"), true);
	shift_state_freeze_counter(&s, S("ok"), false);
	shift_state_freeze_counter(&s, S("ok"), true); /* it is known */
	read = again(a, &s);
	CHECK_INT(read.phase, s.phase);
	CHECK(read.paused);
	CHECK_INT(read.step, 2);
	CHECK_INT(read.share_ppm, 250000);
	CHECK_INT(read.attempt, 7);
	CHECK(read.salt == s.salt);
	CHECK_INT(read.since_us, s.since_us);
	CHECK_INT(read.slow_us[2], 3);
	CHECK_STR(str_of(read.line), S("it says \"so\""));
	CHECK_STR(str_of(read.target), S("next"));
	CHECK_STR(str_of(read.asked_verb), S("to"));
	CHECK_STR(str_of(read.asked_by), S("ann"));
	CHECK_INT(read.asked_ppm, 500000);
	CHECK(shift_state_counter(&read, S("paid"))->rare);
	CHECK(!shift_state_counter(&read, S("ok"))->rare);
	CHECK(!shift_state_counter(&read, S("other")) && !shift_state_counter(&read, S("")));
	CHECK(memcmp(read.counters, s.counters, sizeof s.counters) == 0);
}

TEST(state_of_another_release_is_read_as_far_as_it_goes)
{
	static const struct {
		Str text;
		bool good;
		ShiftPhase phase;
		uint32_t share_ppm;
	} cases[] = {
		{ S("{\"phase\":\"new\",\"share_ppm\":980000,\"later\":[1]}"), true, SHIFT_NEW,
		  980000 },
		{ S("{\"phase\":\"canary\"}"), true, SHIFT_CANARY, 0 },
		{ S("{\"phase\":\"canary\",\"share_ppm\":2000000}"), true, SHIFT_CANARY, 0 },
		{ S("{\"phase\":\"canary\",\"share_ppm\":-5}"), true, SHIFT_CANARY, 0 },
		{ S("{\"phase\":\"sideways\"}"), false, SHIFT_OLD, 0 },
		{ S("{}"), false, SHIFT_OLD, 0 },
		{ S("[]"), false, SHIFT_OLD, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ShiftState state = { .share_ppm = 77 };
		const Json *json;

		CHECK_OK(json_read(a, cases[i].text, 0, &json));
		if (!cases[i].good) {
			CHECK_ERR(shift_state_read(a, json, &state), "shift.state");
			CHECK_INT(state.share_ppm, 77);
			continue;
		}
		CHECK_OK(shift_state_read(a, json, &state));
		CHECK_INT(state.phase, cases[i].phase);
		CHECK_INT(state.share_ppm, cases[i].share_ppm);
	}
}

TEST(state_lines_are_cut_between_characters)
{
	ShiftState state = { 0 };
	char text[SHIFT_LINE_BYTES + 10];

	for (size_t i = 0; i + 1 < sizeof text;
	     i += 2) /* of two bytes each: the last would be cut in two */
		memcpy(text + i, "\xc3\xa4", 2);
	shift_state_say(&state, (Str){ text, sizeof text });
	CHECK_INT(strlen(state.line) % 2, 0);
	CHECK(strlen(state.line) >= SHIFT_LINE_BYTES - 3);
}

TEST(state_phases_have_names)
{
	for (int i = 0; i < SHIFT_PHASES; i++) {
		ShiftPhase phase;

		CHECK(shift_phase_of(str_of(shift_phase_name((ShiftPhase)i)), &phase));
		CHECK_INT(phase, i);
	}
}

TEST(state_keeps_which_servers_are_out)
{
	static const Str one = S("127.0.0.1:8000"), two = S("unix:/run/a b"), three = S("[::1]:80");
	ShiftState s = { 0 }, read;

	CHECK(shift_state_drain(&s, one));
	CHECK(shift_state_drain(&s, two));
	CHECK(shift_state_drain(&s, three));
	CHECK(!shift_state_drain(&s, two));
	CHECK(!shift_state_drain(&s, (Str){ 0 }));
	CHECK(!shift_state_drain(&s, S("a\nb")));
	CHECK(!shift_state_is_drained(&s, S("127.0.0.1:800")));
	read = again(a, &s);
	CHECK(shift_state_is_drained(&read, one) && shift_state_is_drained(&read, two));
	CHECK(shift_state_undrain(&read, two));
	CHECK(!shift_state_undrain(&read, two));
	CHECK(shift_state_is_drained(&read, one) && shift_state_is_drained(&read, three));
	CHECK(!shift_state_is_drained(&read, two));
	CHECK(shift_state_undrain(&read, three) && shift_state_undrain(&read, one));
	CHECK_STR(str_of(read.drained), (Str){ 0 });
}

TEST(state_has_room_for_so_many_servers_and_no_more)
{
	ShiftState s = { 0 };
	size_t count = 0;

	while (shift_state_drain(&s, str_fmt(a, "127.0.0.1:%zu", 10000 + count)))
		count++;
	CHECK_INT(count, (SHIFT_DRAINED_BYTES - 1) / 16);
	CHECK(s.drained[sizeof s.drained - 1] == '\0');
}
