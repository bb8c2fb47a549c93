/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two sides made of one write. By itself only the class of the status is compared; with `compare: answer` all that the
 * route's rules for shadows compare, by the same code, and what differs stands in the same book: it is seen by `explain`, a person
 * may accept it, and a canary is refused while it is not settled. The judge does not count it: by the time the other side
 * has the write, the user has had an answer. */
#include "shift/dual_int.h"

#include "base/arena.h"

static void close_answers(ShadowShot **shot)
{
	buf_fini(&(*shot)->old.body);
	buf_fini(&(*shot)->new.body);
}

static void describe_class(ShadowShot *shot)
{
	Difference *d = ARENA_NEW(shot->arena, Difference);

	*d = (Difference){ .path = str_fmt(shot->arena, "%u:%u", shot->old.status,
		                           shot->new.status),
		           .kind = COMPARE_STATUS,
		           .old = str_fmt(shot->arena, "%u", shot->old.status),
		           .new = str_fmt(shot->arena, "%u", shot->new.status) };
	shot->found = (Comparison){ .at = d,
		                    .count = shot->old.status / 100 != shot->new.status / 100,
		                    .form = COMPARE_NOTHING };
}

/* True: it counts, as nobody has accepted it. */
static bool note(const ShadowShot *shot, const DualPair *pair)
{
	Subject *s = pair->subject;
	DifferencesSeen seen = { 0 };

	subject_lock(s);
	if (!s->differences)
		s->differences = differences_new(shot->rules->alpha);
	differences_note(s->differences, &shot->rules->rules.mask, &shot->found, NULL, shot->line,
	                 time_utc_us(), &seen);
	s->differences_changed = true;
	subject_unlock(s);
	return seen.new_mismatch;
}

static Str first_of(Arena *a, const Comparison *found)
{
	const Difference *d = &found->at[0];

	return found->count ? str_fmt(a, "%.*s (%.*s): old %.*s, new %.*s", STR_ARG(d->path),
	                              STR_ARG(compare_kind_name(d->kind)), STR_ARG(d->old),
	                              STR_ARG(d->new))
	                    : (Str){ 0 };
}

bool dual_is_alike(DualPair *pair, Str *said)
{
	bool to_new = str_eq(pair->row->target, S("new"));
	ShadowShot *shot = ARENA_NEW(pair->arena, ShadowShot);
	AUTO(close_answers) ShadowShot *closed = shot;

	*shot = (ShadowShot){ .arena = pair->arena,
		              .snap = pair->snap,
		              .rules = pair->rules,
		              .subject = pair->subject,
		              .old = to_new ? pair->first : pair->second,
		              .new = to_new ? pair->second : pair->first };
	pair->first.body = pair->second.body = (Buf){ 0 };
	shot->line = str_fmt(pair->arena, "%.*s %.*s", STR_ARG(pair->row->method),
	                     STR_ARG(pair->row->path));
	*said = (Str){ 0 };
	if (!pair->row->status) /* nobody has the first one's */
		return true;
	if (pair->conf->compare == WRITES_COMPARE_CLASS)
		describe_class(shot);
	else if (shadow_compare(closed) != SHADOW_COMPARED)
		return true;
	if (!note(shot, pair))
		return true;
	*said = first_of(pair->arena, &shot->found);
	return false;
}
