/* SPDX-License-Identifier: Apache-2.0
 *
 * Each rule looks back over new's last requests as far as it needs and takes the moment where that began. Of old, the requests
 * that ended since then are what it is compared with: it trips only when old's share of failures in that time is less than
 * half of new's. When old had none at all since then it waits a moment for one, since a database that both depend on
 * may have gone down a millisecond ago; where old is idle, it does not wait for ever.
 *
 * Failures of one user alone do not trip it: he may be what is broken. A refused connection is nobody's fault but the side's. */
#include "shift/tripwire.h"

enum { GOOD_ROW = 3 };

static const TripwireRequest *back(const TripwireSide *side, size_t n)
{
	return &side->kept[(side->count - 1 - n) % TRIPWIRE_KEPT];
}

static size_t kept_of(const TripwireSide *side)
{
	return MIN(side->count, (uint64_t)TRIPWIRE_KEPT);
}

static void note_new(Tripwire *wire, bool failed, int64_t now_us)
{
	const TripwireSide *side = &wire->new_side;
	size_t good = 0;

	while (good < MIN(kept_of(side), (size_t)GOOD_ROW) && back(side, good)->fate == TRIPWIRE_OK)
		good++;
	if (failed && !wire->bad_since_us)
		wire->bad_since_us = now_us;
	if (good == GOOD_ROW)
		wire->bad_since_us = 0;
}

void tripwire_note(Tripwire *wire, bool on_new, TripwireFate fate, uint64_t user, int64_t now_us)
{
	TripwireSide *side = on_new ? &wire->new_side : &wire->old_side;

	side->kept[side->count++ % TRIPWIRE_KEPT] =
		(TripwireRequest){ .at_us = now_us, .user = user, .fate = fate };
	if (on_new)
		note_new(wire, fate != TRIPWIRE_OK, now_us);
}

/* Of the last n requests: how many failed (or were refused), and of how many users; one who is not known is another one. */
static size_t failed_of(const TripwireSide *side, size_t n, TripwireFate least, size_t *users)
{
	size_t failed = 0;

	*users = 0;
	for (size_t i = 0; i < n; i++) {
		bool known = false;

		if (back(side, i)->fate < least)
			continue;
		failed++;
		for (size_t k = 0; k < i && !known; k++)
			known = back(side, i)->user && back(side, k)->fate >= least &&
			        back(side, k)->user == back(side, i)->user;
		*users += !known;
	}
	return failed;
}

typedef struct TripwireRule {
	size_t last, failed; /* so many of the last so many */
	TripwireFate least;
	size_t users;
	const char *text;
} TripwireRule;

static const TripwireRule rules[] = {
	{ TRIPWIRE_REFUSED_ROW, TRIPWIRE_REFUSED_ROW, TRIPWIRE_REFUSED, 1,
	  "the new side refused connections" },
	{ TRIPWIRE_FAILED_ROW, TRIPWIRE_FAILED_ROW, TRIPWIRE_FAILED, TRIPWIRE_USERS,
	  "the new side failed" },
	{ TRIPWIRE_KEPT, TRIPWIRE_KEPT / 2, TRIPWIRE_FAILED, TRIPWIRE_USERS,
	  "the new side failed" },
};

static TripwireSay say_of(const TripwireRule *rule, size_t failed, const Tripwire *wire,
                          int64_t now_us, Arena *a, Str *why)
{
	const TripwireSide *old_side = &wire->old_side;
	int64_t since = back(&wire->new_side, rule->last - 1)->at_us;
	size_t of = 0, old_failed = 0;

	while (of < kept_of(old_side) && back(old_side, of)->at_us >= since)
		old_failed += back(old_side, of++)->fate != TRIPWIRE_OK;
	if (!of && old_side->count && now_us < wire->bad_since_us + TRIPWIRE_PATIENCE_US)
		return TRIPWIRE_QUIET;
	if (of && 2 * old_failed * rule->last >= failed * of) {
		*why = str_fmt(
			a,
			"both sides fail: %zu of the last %zu requests of new and %zu of %zu "
			"of old in the same time; going back would not help",
			failed, rule->last, old_failed, of);
		return TRIPWIRE_BOTH_FAIL;
	}
	*why = str_fmt(a, "%s: %zu of its last %zu requests, while %zu of %zu failed on old",
	               rule->text, failed, rule->last, old_failed, of);
	return TRIPWIRE_TRIPPED;
}

TripwireSay tripwire_look(const Tripwire *wire, int64_t now_us, Arena *a, Str *why)
{
	const TripwireSide *side = &wire->new_side;

	for (size_t i = 0; i < COUNT(rules); i++) {
		const TripwireRule *rule = &rules[i];
		size_t failed, users;

		if (kept_of(side) < rule->last)
			continue;
		failed = failed_of(side, rule->last, rule->least, &users);
		if (failed >= rule->failed && users >= rule->users) {
			TripwireSay say = say_of(rule, failed, wire, now_us, a, why);

			if (say != TRIPWIRE_QUIET)
				return say;
		}
	}
	return TRIPWIRE_QUIET;
}
