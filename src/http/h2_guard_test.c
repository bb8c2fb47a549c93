/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_guard.c"

#include "unit.h"

#include "base/buf.h"

static const struct {
	unsigned burst, rate;
} allowed[] = {
#define X(act, burst_, rate_, text) [H2_ACT_##act] = { burst_, rate_ },
	H2_ACTS(X)
#undef X
};

static unsigned until_refused(H2Guard *guard, H2Act act, int64_t now_us)
{
	unsigned count = 0;

	while (h2_guard_count(guard, act, now_us))
		count++;
	return count;
}

TEST(each_act_has_its_burst_and_its_rate)
{
	for (unsigned act = 0; act < H2_ACT_COUNT; act++) {
		H2Guard guard = { 0 };
		int64_t now_us = INT64_C(77) * US;
		unsigned passed;

		NOTE("%.*s", STR_ARG(h2_act_text((H2Act)act)));
		CHECK(h2_act_text((H2Act)act).len > 0);
		CHECK_INT(until_refused(&guard, (H2Act)act, now_us), allowed[act].burst);
		/* at its rate it goes on for ever, once the one too many is made up for */
		now_us += rows[act].step_us;
		for (passed = 0; passed < 10 * allowed[act].rate; passed++) {
			now_us += rows[act].step_us;
			CHECK(h2_guard_count(&guard, (H2Act)act, now_us));
		}
		CHECK(!h2_guard_count(&guard, (H2Act)act, now_us));
		/* and after a pause the whole burst is there again */
		now_us += 2 * rows[act].ahead_us;
		CHECK_INT(until_refused(&guard, (H2Act)act, now_us), allowed[act].burst);
	}
}

TEST(acts_do_not_share_an_allowance)
{
	H2Guard guard = { 0 };

	until_refused(&guard, H2_ACT_PING, US);
	CHECK_INT(until_refused(&guard, H2_ACT_SETTINGS, US), allowed[H2_ACT_SETTINGS].burst);
}

TEST(what_we_gave_reason_for_is_forgiven)
{
	H2Guard guard = { 0 };

	for (unsigned i = 0; i < 100 * allowed[H2_ACT_WINDOW_UPDATE].burst; i++) {
		h2_guard_forgive(&guard, H2_ACT_WINDOW_UPDATE, 1);
		CHECK(h2_guard_count(&guard, H2_ACT_WINDOW_UPDATE, US));
	}
	/* but not saved up for later */
	h2_guard_forgive(&guard, H2_ACT_WINDOW_UPDATE, 1000000);
	CHECK_INT(until_refused(&guard, H2_ACT_WINDOW_UPDATE, US),
	          allowed[H2_ACT_WINDOW_UPDATE].burst);
}

/* --- frames in bytes ------------------------------------------------------------------------------------------------ */

#define FRAME(len, type, flags, id) "\0\0" len type flags "\0\0\0" id

typedef struct Found {
	unsigned acts[H2_ACT_COUNT + 1];
} Found;

static Found scan_in_steps(Str bytes, uint32_t skip, size_t step)
{
	H2Scan scan = { .skip = skip };
	Found found = { 0 };

	for (size_t at = 0; at < bytes.len; at += step) {
		Str some = str_sub(bytes, at, at + step);
		H2Act act;

		while (h2_scan(&scan, &some, true, &act))
			found.acts[act]++;
		CHECK_INT(some.len, 0);
	}
	CHECK_INT(scan.have, 0);
	CHECK_INT(scan.skip, 0);
	return found;
}

TEST(frames_are_told_apart_however_they_are_cut)
{
	static const struct {
		const char *name;
		Str bytes;
		H2Act act;
	} cases[] = {
		{ "DATA", S(FRAME("\3", "\0", "\0", "\1") "abc"), H2_ACT_COUNT },
		{ "the last DATA", S(FRAME("\0", "\0", "\1", "\1")), H2_ACT_COUNT },
		{ "empty DATA", S(FRAME("\0", "\0", "\0", "\1")), H2_ACT_EMPTY_DATA },
		{ "padding alone", S(FRAME("\4", "\0", "\10", "\1") "\3\0\0\0"),
		  H2_ACT_EMPTY_DATA },
		{ "no padding", S(FRAME("\1", "\0", "\10", "\1") "\0"), H2_ACT_EMPTY_DATA },
		{ "padded", S(FRAME("\4", "\0", "\10", "\1") "\2x\0\0"), H2_ACT_COUNT },
		{ "padded without a length", S(FRAME("\0", "\0", "\10", "\1")), H2_ACT_EMPTY_DATA },
		{ "HEADERS", S(FRAME("\1", "\1", "\5", "\1") "x"), H2_ACT_COUNT },
		{ "PRIORITY", S(FRAME("\5", "\2", "\0", "\1") "12345"), H2_ACT_PRIORITY },
		{ "RST_STREAM", S(FRAME("\4", "\3", "\0", "\1") "1234"), H2_ACT_RESET },
		{ "SETTINGS", S(FRAME("\0", "\4", "\0", "\0")), H2_ACT_SETTINGS },
		{ "its ACK", S(FRAME("\0", "\4", "\1", "\0")), H2_ACT_COUNT },
		{ "PUSH_PROMISE", S(FRAME("\4", "\5", "\0", "\1") "1234"), H2_ACT_OTHER },
		{ "PING", S(FRAME("\10", "\6", "\0", "\0") "12345678"), H2_ACT_PING },
		{ "an answer to none", S(FRAME("\10", "\6", "\1", "\0") "12345678"), H2_ACT_PING },
		{ "GOAWAY", S(FRAME("\10", "\7", "\0", "\0") "12345678"), H2_ACT_OTHER },
		{ "WINDOW_UPDATE", S(FRAME("\4", "\10", "\0", "\0") "1234"), H2_ACT_WINDOW_UPDATE },
		{ "CONTINUATION", S(FRAME("\1", "\11", "\0", "\1") "x"), H2_ACT_CONTINUATION },
		{ "ALTSVC", S(FRAME("\2", "\12", "\0", "\0") "\0\0"), H2_ACT_OTHER },
		{ "PRIORITY_UPDATE", S(FRAME("\4", "\20", "\0", "\0") "1234"), H2_ACT_PRIORITY },
		{ "nobody's", S(FRAME("\1", "\377", "\377", "\0") "x"), H2_ACT_OTHER },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str magic = S("magic");
		AUTO(buf_fini) Buf bytes = { 0 };

		NOTE("%s", cases[i].name);
		buf_put(&bytes, magic);
		for (unsigned n = 0; n < 3; n++)
			buf_put(&bytes, cases[i].bytes);
		for (size_t step = 1; step <= bytes.len; step++) {
			Found found = scan_in_steps(buf_str(&bytes), (uint32_t)magic.len, step);
			bool headers = i == 7; /* the same stream again */

			CHECK_INT(found.acts[cases[i].act], headers ? 1 : 3);
			CHECK_INT(found.acts[H2_ACT_STRAY], headers ? 2 : 0);
		}
	}
}

TEST(headers_are_stray_on_streams_that_had_theirs)
{
	Str bytes = S(FRAME("\0", "\1", "\5", "\5") FRAME("\0", "\1", "\5", "\3")
	                      FRAME("\0", "\1", "\5", "\7") FRAME("\0", "\1", "\5", "\5"));
	Found found = scan_in_steps(bytes, 0, bytes.len);
	H2Scan scan = { 0 };
	H2Act act;

	CHECK_INT(found.acts[H2_ACT_COUNT], 2);
	CHECK_INT(found.acts[H2_ACT_STRAY], 2);
	while (h2_scan(&scan, &bytes, false, &act)) /* answers come on streams of ours */
		CHECK_INT(act, H2_ACT_COUNT);
}
