/* SPDX-License-Identifier: Apache-2.0 */
#include "http/trace.c"
#include "unit.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

TEST(only_what_the_standard_says_is_a_traceparent)
{
	static const struct {
		Str text;
		int flags; /* -1: it is none */
	} cases[] = {
		{ S("00-" ID "-" SPAN "-01"), 1 },
		{ S("00-" ID "-" SPAN "-00"), 0 },
		{ S("00-" ID "-" SPAN "-ff"), 255 },
		{ S("01-" ID "-" SPAN "-01"), 1 },
		{ S("fe-" ID "-" SPAN "-09-what-ever"), 9 },
		{ S("cc-" ID "-" SPAN "-01-"), 1 },
		{ S("00-" ID "-" SPAN "-01-"), -1 },
		{ S("00-" ID "-" SPAN "-01 "), -1 },
		{ S("cc-" ID "-" SPAN "-01.what"), -1 },
		{ S("cc-" ID "-" SPAN "-011"), -1 },
		{ S("ff-" ID "-" SPAN "-01"), -1 },
		{ S("0-" ID "-" SPAN "-01"), -1 },
		{ S("0G-" ID "-" SPAN "-01"), -1 },
		{ S("00-" ID "-" SPAN "-1"), -1 },
		{ S("00-" ID "-" SPAN "-0A"), -1 },
		{ S("00-" ID "-" SPAN), -1 },
		{ S("00-" ID "-" SPAN "-"), -1 },
		{ S("00_" ID "-" SPAN "-01"), -1 },
		{ S("00-" ID "_" SPAN "-01"), -1 },
		{ S("00-" ID "-" SPAN "_01"), -1 },
		{ S("00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01"), -1 },
		{ S("00-00000000000000000000000000000000-" SPAN "-01"), -1 },
		{ S("00-" ID "-0000000000000000-01"), -1 },
		{ S("00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-01"), -1 },
		{ S("00-" ID "0-" SPAN "-01"), -1 },
		{ S(""), -1 },
		{ S("00"), -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Trace trace = { 0 };

		NOTE("row %zu", i);
		CHECK_INT(trace_read(cases[i].text, &trace), cases[i].flags >= 0);
		if (cases[i].flags < 0)
			continue;
		CHECK_STR(trace.id, S(ID));
		CHECK_STR(trace.span, S(SPAN));
		CHECK_INT(trace.flags, cases[i].flags);
	}
}

TEST(a_span_of_a_trace_keeps_its_id_and_the_flags_we_know)
{
	Trace before, after, again;
	char text[TRACE_TEXT];

	CHECK(trace_read(S("00-" ID "-" SPAN "-ff"), &before));
	trace_write(text, &before, 0, &after);
	CHECK(trace_read((Str){ text, sizeof text }, &again));
	CHECK_STR(again.id, S(ID));
	CHECK_STR(after.id, S(ID));
	CHECK(!str_eq(again.span, S(SPAN)));
	CHECK_STR(after.span, again.span);
	CHECK_INT(again.flags, TRACE_SAMPLED | TRACE_RANDOM);
}

TEST(new_traces_are_all_different)
{
	char text[2][TRACE_TEXT];
	Trace one, two;

	for (int i = 0; i < 1000; i++) {
		trace_write(text[0], NULL, TRACE_SAMPLED, &one);
		trace_write(text[1], NULL, 0, &two);
		CHECK(!str_eq(one.id, two.id) && !str_eq(one.span, two.span));
		CHECK_INT(one.flags, TRACE_SAMPLED);
		CHECK(trace_read((Str){ text[1], TRACE_TEXT }, &two));
		CHECK_INT(two.flags, 0);
	}
}
