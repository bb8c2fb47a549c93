/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/tripwire.c"

#include "unit.h"

#define MS INT64_C(1000)

/* One request a character, ten milliseconds apart: capital letters are new's, small ones old's; O good, F failed,
 * R refused; a user each. Gives the moment of the last. */
static int64_t play(Tripwire *wire, const char *text)
{
	int64_t now_us = 1000 * MS;

	for (uint64_t i = 0; text[i]; i++) {
		char c = text[i] | 0x20;

		now_us += 10 * MS;
		tripwire_note(wire, text[i] == (c & ~0x20),
		              c == 'r'   ? TRIPWIRE_REFUSED
		              : c == 'f' ? TRIPWIRE_FAILED
		                         : TRIPWIRE_OK,
		              i + 1, now_us);
	}
	return now_us;
}

TEST(tripwire_trips_and_says_why)
{
	static const struct {
		const char *play;
		TripwireSay say;
		Str why;
	} cases[] = {
		{ "", TRIPWIRE_QUIET, S("") },
		{ "ooRoRo", TRIPWIRE_QUIET, S("") },
		{ "oooRoRoRo", TRIPWIRE_TRIPPED,
		  S("the new side refused connections: 3 of its last 3 requests, while 0 of 3 failed on old") },
		{ "oFoFoFoFo", TRIPWIRE_QUIET, S("") },
		{ "oFoFoFoFoFo", TRIPWIRE_TRIPPED,
		  S("the new side failed: 5 of its last 5 requests, while 0 of 5 failed on old") },
		{ "oFoFoFoFoOoFo", TRIPWIRE_QUIET, S("") },
		{ "FOFOFOFOFOFOFOFOFOFooo", TRIPWIRE_QUIET, S("") },
		{ "FOFOFOFOFOFOFOFOFOoFO", TRIPWIRE_TRIPPED,
		  S("the new side failed: 10 of its last 20 requests, while 0 of 1 failed on old") },
		{ "ooofFfFoFfFfF", TRIPWIRE_BOTH_FAIL,
		  S("both sides fail: 5 of the last 5 requests of new and 3 of 4 of old in the same time; "
		    "going back would not help") },
		{ "ooRrRrRr", TRIPWIRE_BOTH_FAIL,
		  S("both sides fail: 3 of the last 3 requests of new and 3 of 3 of old in the same time; "
		    "going back would not help") },
		{ "ffffFoFoFoFfF", TRIPWIRE_TRIPPED,
		  S("the new side failed: 5 of its last 5 requests, while 1 of 4 failed on old") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Tripwire wire = { 0 };
		Str why = S("");
		int64_t now_us = play(&wire, cases[i].play);

		NOTE("row %zu, %s", i, cases[i].play);
		CHECK_INT(tripwire_look(&wire, now_us, a, &why), cases[i].say);
		CHECK_STR(why, cases[i].why);
	}
}

TEST(tripwire_waits_a_moment_for_the_word_of_an_old_side_that_was_not_heard_since)
{
	Tripwire wire = { 0 };
	int64_t now_us = play(&wire, "oooFFFFF");
	int64_t began_us = now_us - 40 * MS;
	Str why;

	CHECK_INT(tripwire_look(&wire, now_us, a, &why), TRIPWIRE_QUIET);
	CHECK_INT(tripwire_look(&wire, began_us + 999 * MS, a, &why), TRIPWIRE_QUIET);
	CHECK_INT(tripwire_look(&wire, began_us + 1000 * MS, a, &why), TRIPWIRE_TRIPPED);
	tripwire_note(&wire, false, TRIPWIRE_FAILED, 99, now_us + 100 * MS);
	CHECK_INT(tripwire_look(&wire, now_us + 100 * MS, a, &why), TRIPWIRE_BOTH_FAIL);
}

TEST(tripwire_does_not_wait_when_failures_go_on_and_old_is_idle)
{
	Tripwire wire = { 0 };
	int64_t now_us = play(&wire, "oooFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
	Str why;

	for (int i = 0; i < 100; i++)
		tripwire_note(&wire, true, TRIPWIRE_FAILED, (uint64_t)i, now_us += 10 * MS);
	CHECK_INT(tripwire_look(&wire, now_us, a, &why), TRIPWIRE_TRIPPED);
}

TEST(tripwire_of_a_side_without_an_old_one_at_all_is_quick)
{
	Tripwire wire = { 0 };
	int64_t now_us = play(&wire, "RRR");
	Str why;

	CHECK_INT(tripwire_look(&wire, now_us, a, &why), TRIPWIRE_TRIPPED);
}

TEST(tripwire_is_not_for_one_broken_user)
{
	Tripwire wire = { 0 };
	Str why;

	for (int i = 0; i < 30; i++) {
		tripwire_note(&wire, false, TRIPWIRE_OK, 1, i * MS);
		tripwire_note(&wire, true, TRIPWIRE_FAILED, 2, i * MS);
	}
	CHECK_INT(tripwire_look(&wire, 30 * MS, a, &why), TRIPWIRE_QUIET);
	tripwire_note(&wire, true, TRIPWIRE_FAILED, 3, 30 * MS);
	CHECK_INT(tripwire_look(&wire, 30 * MS, a, &why), TRIPWIRE_TRIPPED);
}

/* A failure of long ago is not the begin of this trouble. */
TEST(tripwire_waits_anew_after_new_was_good)
{
	Tripwire wire = { 0 };
	int64_t now_us = play(&wire, "FOOOooo") + 10000 * MS;
	Str why;

	for (uint64_t i = 0; i < 5; i++)
		tripwire_note(&wire, true, TRIPWIRE_FAILED, 100 + i, now_us);
	CHECK_INT(tripwire_look(&wire, now_us, a, &why), TRIPWIRE_QUIET);
	CHECK_INT(tripwire_look(&wire, now_us + 1000 * MS, a, &why), TRIPWIRE_TRIPPED);
}
