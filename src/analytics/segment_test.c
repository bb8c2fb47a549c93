/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/segment.c"

#include "unit.h"

enum { DAY = 20000 };

static Hit hit_at(uint32_t ms, uint32_t person, Str name, const HitProp *props, uint32_t count)
{
	return (Hit){ .project = 3,
		      .name = name,
		      .time_ms = (int64_t)DAY * MS_OF_DAY + ms,
		      .received_ms = (int64_t)DAY * MS_OF_DAY + ms + 5000,
		      .number = person,
		      .id = { { [15] = (uint8_t)person } },
		      .props = props,
		      .prop_count = count };
}

static Str part(const Segment *s, Str name)
{
	for (size_t i = 0; i < s->part_count; i++)
		if (str_eq(s->parts[i].name, name))
			return s->parts[i].bytes;
	return S("");
}

static uint32_t fixed(Arena *a, const Segment *s, Str name, size_t i)
{
	const void *at;

	CHECK_OK(column_read_fixed(a, part(s, name), 4, s->events, &at));
	return ((const uint32_t *)at)[i];
}

static Str word(Arena *a, const Segment *s, Str name, size_t i)
{
	Words w;

	if (!part(s, name).len)
		return S("-");
	CHECK_OK(column_read_words(a, part(s, name), s->events, &w));
	return words_code(&w, i) ? w.cells[words_code(&w, i)].text : S("-");
}

static const HitProp pro[] = { { S("plan"), { CELL_STR, S("pro") } } };
static const HitProp both[] = { { S("plan"), { CELL_STR, S("free") } },
	                        { S("n"), { CELL_INT, S("5") } } };

static Segment sample(Arena *a, uint32_t shift)
{
	static Hit hits[3];
	const Hit *at[] = { &hits[0], &hits[1], &hits[2] };
	Segment s;

	hits[0] = hit_at(300 + shift, 1, S("view"), pro, 1);
	hits[1] = hit_at(100 + shift, 2, S("paid"), NULL, 0);
	hits[2] = hit_at(200 + shift, 3, S("view"), both, 2);
	segment_build(a, at, 3, &s);
	return s;
}

TEST(events_are_in_order_of_time_and_keep_what_they_have)
{
	Segment s = sample(a, 0);

	CHECK_INT(s.day, DAY);
	CHECK_INT(s.first_ms, 100);
	CHECK_INT(s.last_ms, 300);
	CHECK_INT(fixed(a, &s, SEGMENT_PERSON, 0), 2);
	CHECK_INT(fixed(a, &s, SEGMENT_PERSON, 2), 1);
	CHECK_STR(word(a, &s, SEGMENT_EVENT, 0), S("paid"));
	CHECK_STR(word(a, &s, S("p:plan"), 0), S("-"));
	CHECK_STR(word(a, &s, S("p:plan"), 1), S("free"));
	CHECK_STR(word(a, &s, S("p:n"), 1), S("5"));
	CHECK_STR(word(a, &s, S("p:n"), 2), S("-"));
}

typedef struct Two {
	Segment of[2];
} Two;

static Err *fetch(void *arg, Arena *a, size_t source, Str name, Str *bytes)
{
	(void)a;
	*bytes = part(&((Two *)arg)->of[source], name);
	return NULL;
}

static Segment merged(Arena *a, Two *two, const bool *dropped)
{
	static const Str names[] = { S("time"),  S("received"), S("person"), S("id"),
		                     S("event"), S("p:plan"),   S("p:n") };
	uint32_t events[] = { two->of[0].events, two->of[1].events };
	SegmentMerge m = { events, 2, names, COUNT(names), fetch, two, dropped };
	Segment out = { .project = 3, .day = DAY };

	CHECK_OK(segment_merge(a, &m, &out));
	return out;
}

TEST(two_become_one_in_order_of_time)
{
	static const Str plans[] = { S("-"), S("-"), S("free"), S("free"), S("pro"), S("pro") };
	static const uint32_t times[] = { 100, 150, 200, 250, 300, 350 };
	Two two = { { sample(a, 0), sample(a, 50) } };
	Segment s = merged(a, &two, NULL);

	CHECK_INT(s.events, 6);
	CHECK_INT(s.first_ms, 100);
	CHECK_INT(s.last_ms, 350);
	for (size_t i = 0; i < 6; i++) {
		CHECK_INT(fixed(a, &s, SEGMENT_TIME, i), times[i]);
		CHECK_STR(word(a, &s, S("p:plan"), i), plans[i]);
	}
}

/* An event that is left out takes its values along: nothing of it stays in a dictionary. */
TEST(what_is_dropped_leaves_no_word_behind)
{
	Two two = { { sample(a, 0), sample(a, 50) } };
	bool dropped[] = { false, true, true, false, true, false };
	Segment s = merged(a, &two, dropped);

	CHECK_INT(s.events, 3);
	CHECK_STR(part(&s, S("p:n")), S(""));
	CHECK_STR(word(a, &s, S("p:plan"), 2), S("pro"));
	for (size_t i = 0; i < s.part_count; i++)
		CHECK(str_find(s.parts[i].bytes, S("free")) < 0);
	memset(dropped, true, sizeof(dropped));
	s = merged(a, &two, dropped);
	CHECK_INT(s.events, 0);
}

TEST(a_day_begins_at_midnight_before_1970_too)
{
	CHECK_INT(segment_day(0), 0);
	CHECK_INT(segment_day(86399999), 0);
	CHECK_INT(segment_day(86400000), 1);
	CHECK_INT(segment_day(-1), -1);
}
