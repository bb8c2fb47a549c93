/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/differences.c"

#include "base/time.h"
#include "compare_base.h"
#include "unit.h"

static const int64_t noon = 1796040000 * US_PER_S; /* 2026-11-30T12:00:00Z */

/* A comparison that found these: "kind path; kind path". */
static Comparison found_of(Arena *a, Str told)
{
	Difference *list = ARENA_ARRAY(a, Difference, 16);
	Comparison found = { .at = list };
	Str item, kind;

	while (told.len && str_split(&told, ';', &item)) {
		Difference *difference = &list[found.count++];

		item = str_trim(item);
		str_split(&item, ' ', &kind);
		CHECK(compare_kind_of(kind, &difference->kind));
		difference->path = item;
		difference->old = S("was");
		difference->new = S("is");
	}
	return found;
}

/* What is said of one request: "new", "old", "new old" or nothing. noise "-": not measured. */
static Str note(Arena *a, Differences *d, Str found, Str noise)
{
	const Comparison between = found_of(a, found);
	const bool measured = !str_eq(noise, S("-"));
	const Comparison within = found_of(a, measured ? noise : S(""));
	DifferencesSeen seen;

	differences_note(d, NULL, &between, measured ? &within : NULL, S("GET /x?token=abc"), noon,
	                 &seen);
	if (seen.new_mismatch)
		return seen.old_mismatch ? S("new old") : S("new");
	return seen.old_mismatch ? S("old") : S("");
}

static DifferencesVerdict verdict_of(const Differences *d, Str path, CompareKind kind)
{
	const DifferencesKey *key = find_key(d, path, kind);

	CHECK(key != NULL);
	return differences_verdict(d, key);
}

TEST(differences_say_what_counts)
{
	static const struct {
		Str found, noise, want;
	} cases[] = {
		{ S(""), S("-"), S("") },
		{ S(""), S(""), S("") },
		{ S("value .a"), S("-"), S("new") },
		{ S("value .a"), S(""), S("new") },
		{ S(""), S("value .a"), S("old") },
		{ S("value .a"), S("value .a"), S("") },
		{ S("value .a"), S("type .a"), S("new old") },
		{ S("value .a; value .b"), S("value .a"), S("new") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(differences_freep) Differences *d = differences_new(0);

		NOTE("%.*s against %.*s", STR_ARG(cases[i].found), STR_ARG(cases[i].noise));
		CHECK_STR(note(a, d, cases[i].found, cases[i].noise), cases[i].want);
	}
}

TEST(differences_find_what_only_new_does)
{
	AUTO(differences_freep) Differences *d = differences_new(0.001);
	int needed = 0;

	while (verdict_of(d, (note(a, d, S("value .a"), S("")), S(".a")), COMPARE_VALUE) ==
	       DIFFERENCES_OPEN)
		CHECK(++needed < 20);
	CHECK_INT(verdict_of(d, S(".a"), COMPARE_VALUE), DIFFERENCES_MISMATCH);
	CHECK_STR(note(a, d, S("value .a"), S("-")), S("new"));
	CHECK_STR(note(a, d, S("type .a"), S("-")), S("new"));
}

TEST(differences_learn_what_differs_in_every_answer)
{
	AUTO(differences_freep) Differences *d = differences_new(0.001);
	int needed = 0;

	while (verdict_of(d, (note(a, d, S("value .id"), S("value .id")), S(".id")),
	                  COMPARE_VALUE) == DIFFERENCES_OPEN)
		CHECK(++needed < 20);
	CHECK_INT(verdict_of(d, S(".id"), COMPARE_VALUE), DIFFERENCES_NOISE);
	CHECK_STR(note(a, d, S("value .id"), S("-")), S(""));
	CHECK_STR(note(a, d, S("type .id"), S("-")), S("new"));
}

TEST(differences_learn_what_differs_now_and_then)
{
	AUTO(differences_freep) Differences *d = differences_new(0.001);

	for (int i = 0; i < 200; i++) {
		note(a, d, S("value .stock"), S(""));
		note(a, d, S(""), S("value .stock"));
	}
	CHECK_INT(verdict_of(d, S(".stock"), COMPARE_VALUE), DIFFERENCES_NOISE);
	CHECK_STR(note(a, d, S("value .stock"), S("-")), S(""));
	CHECK_STR(note(a, d, S(""), S("value .stock")), S(""));
}

TEST(differences_never_call_noise_a_mismatch_for_long_runs)
{
	AUTO(differences_freep) Differences *d = differences_new(0.001);

	for (int i = 0; i < 20000; i++) {
		bool first = rand_below(100) < 3, second = rand_below(100) < 3;

		note(a, d, first ? S("value .a") : S(""), second ? S("value .a") : S(""));
	}
	CHECK(verdict_of(d, S(".a"), COMPARE_VALUE) != DIFFERENCES_MISMATCH);
}

TEST(differences_can_be_accepted)
{
	AUTO(differences_freep) Differences *d = differences_new(0);

	CHECK_OK(differences_accept(d, a, S(".a"), COMPARE_VALUE, S("ann"), noon));
	CHECK_STR(note(a, d, S("value .a"), S("-")), S(""));
	CHECK_STR(note(a, d, S("value .a; value .b"), S("-")), S("new"));
	CHECK_STR(note(a, d, S("type .a"), S("-")), S("new"));
	CHECK_INT(differences_totals(d).accepted, 1);
	CHECK(differences_unaccept(d, S(".a"), COMPARE_VALUE));
	CHECK(!differences_unaccept(d, S(".a"), COMPARE_VALUE));
	CHECK(!differences_unaccept(d, S(".none"), COMPARE_VALUE));
	CHECK_STR(note(a, d, S("value .a"), S("-")), S("new"));
}

TEST(differences_that_were_accepted_unseen_are_none_when_that_is_taken_back)
{
	AUTO(differences_freep) Differences *d = differences_new(0);

	CHECK_STR(note(a, d, S("value .a"), S("-")), S("new"));
	CHECK_OK(differences_accept(d, a, S(".a"), COMPARE_VALUE, S("eve"), 1));
	CHECK_OK(differences_accept(d, a, S(".never"), COMPARE_VALUE, S("eve"), 1));
	CHECK_OK(differences_accept(d, a, S(".b"), COMPARE_VALUE, S("eve"), 1));
	CHECK(differences_is_accepted(d, S(".never"), COMPARE_VALUE));
	CHECK(!differences_is_accepted(d, S(".never"), COMPARE_TYPE));
	CHECK(differences_unaccept(d, S(".never"), COMPARE_VALUE));
	CHECK(differences_unaccept(d, S(".a"), COMPARE_VALUE));
	CHECK_INT(differences_totals(d).keys, 2);
	CHECK_INT(differences_totals(d).open, 1);
	CHECK(!differences_is_accepted(d, S(".a"), COMPARE_VALUE));
	CHECK(differences_is_accepted(d, S(".b"), COMPARE_VALUE));
	CHECK_OK(differences_accept(d, a, S(".c"), COMPARE_VALUE, S("ann"), 1));
	CHECK_INT(d->keys[2]->paired.number, d->keys[1]->paired.number + 1);
}

TEST(differences_forget_all_but_what_was_accepted)
{
	AUTO(differences_freep) Differences *d = differences_new(0);
	DifferencesTotals totals;

	note(a, d, S("value .a; value .b; value .c"), S("-"));
	CHECK_OK(differences_accept(d, a, S(".b"), COMPARE_VALUE, S("ann"), noon));
	differences_clear(d);
	totals = differences_totals(d);
	CHECK_INT(totals.keys, 1);
	CHECK_INT(totals.accepted, 1);
	CHECK_INT(totals.compared, 0);
	CHECK_INT(totals.mismatches, 0);
	CHECK_STR(note(a, d, S("value .b"), S("-")), S(""));
	CHECK_STR(note(a, d, S("value .a"), S("-")), S("new"));
	CHECK_INT(find_key(d, S(".a"), COMPARE_VALUE)->raw, 1);
	CHECK_INT(find_key(d, S(".b"), COMPARE_VALUE)->raw, 1);
}

TEST(differences_count_what_finds_no_place)
{
	AUTO(differences_freep) Differences *d = differences_new(0);
	const Comparison full = { .dropped = 2 }, none = { 0 };
	DifferencesSeen seen;

	for (int i = 0; i < DIFFERENCES_KEYS_MAX; i++)
		note(a, d, str_fmt(a, "value .k%d", i), S("-"));
	CHECK_INT(differences_totals(d).dropped, 0);
	CHECK_STR(note(a, d, S("value .other"), S("-")), S("new"));
	CHECK_STR(note(a, d, S(""), S("value .other")), S("old"));
	CHECK_STR(note(a, d, S("value .other"), S("value .other")), S(""));
	CHECK_INT(differences_totals(d).dropped, 3);
	CHECK_INT(differences_totals(d).keys, DIFFERENCES_KEYS_MAX);
	CHECK_ERR(differences_accept(d, a, S(".other"), COMPARE_VALUE, S("ann"), noon),
	          "differences.full");
	CHECK_OK(differences_accept(d, a, S(".k0"), COMPARE_VALUE, S("ann"), noon));
	differences_note(d, NULL, &full, NULL, S("GET /"), noon, &seen);
	CHECK(seen.new_mismatch);
	differences_note(d, NULL, &none, &full, S("GET /"), noon, &seen);
	CHECK(!seen.new_mismatch && seen.old_mismatch);
	CHECK_INT(differences_totals(d).dropped, 5);
}

TEST(differences_keep_the_newest_example_and_a_sample)
{
	AUTO(differences_freep) Differences *d = differences_new(0);
	int early = 0;

	for (int run = 0; run < 50; run++) {
		const DifferencesKey *key;

		for (int i = 0; i < 100; i++) {
			Difference one = { S(".a"), COMPARE_VALUE, str_fmt(a, "%d", i), S("x") };
			const Comparison found = { .at = &one, .count = 1 };
			DifferencesSeen seen;

			differences_note(d, NULL, &found, NULL, S("GET /"), noon + i, &seen);
		}
		key = find_key(d, S(".a"), COMPARE_VALUE);
		CHECK_INT(key->example_count, DIFFERENCES_EXAMPLES);
		CHECK_INT(key->examples[0].at_us, noon + 99);
		for (int i = 1; i < DIFFERENCES_EXAMPLES; i++)
			early += key->examples[i].at_us < noon + 50;
		differences_clear(d);
	}
	CHECK(early > 50 && early < 150); /* of 200 */
}

TEST(differences_mask_the_request)
{
	AUTO(differences_freep) Differences *d = differences_new(0);
	const DifferencesKey *key;

	note(a, d, S("value .a"), S("-"));
	key = find_key(d, S(".a"), COMPARE_VALUE);
	CHECK_STR(((Str){ key->examples[0].request.at, key->examples[0].request.len }),
	          S("GET /x?token=***"));
}

TEST(differences_cut_long_texts_between_characters)
{
	DifferencesText text;
	char bytes[DIFFERENCES_TEXT_MAX + 1];

	memset(bytes, 'a', sizeof bytes);
	bytes[DIFFERENCES_TEXT_MAX - 1] = (char)0xc3;
	bytes[DIFFERENCES_TEXT_MAX] = (char)0xa9;
	differences_set_text(&text, (Str){ bytes, sizeof bytes });
	CHECK_INT(text.len, DIFFERENCES_TEXT_MAX - 1);
	differences_set_text(&text, (Str){ 0 });
	CHECK_INT(text.len, 0);
}
