/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of differences: what is counted of each key, and what that says.
 *
 * Two tests say what a key is. paired.h asks whether it is between old and new more often than between old and old; it looks at
 * requests in which only one of the two was there. A field that is another one in every answer (a time, an id) is always in both, and
 * that test would never hear of it. So the other test asks whether requests with the key between old and new only are less than half
 * of all that have it: were new twice as often different as old from itself, they would be half at least. Either may find noise; only the first
 * finds a mismatch. Both hold whenever they are looked at, for all keys together (each has its part of alpha).
 *
 * In a request in which the old side differs from itself in a key, that key says nothing against the new side.
 *
 * Examples: the newest, and a sample of those before it in which each has the same chance (Vitter's algorithm R). Keys live as
 * long as the table. */
#include "shift/differences_int.h"

#include "base/arena.h"
#include "base/rand.h"
#include "shift/evidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double alpha_default = 0.001;

static const Str verdict_names[DIFFERENCES_VERDICTS] = {
	[DIFFERENCES_OPEN] = { "open", 4 },
	[DIFFERENCES_MISMATCH] = { "mismatch", 8 },
	[DIFFERENCES_NOISE] = { "noise", 5 },
	[DIFFERENCES_ACCEPTED] = { "accepted", 8 },
};

Str differences_verdict_name(DifferencesVerdict verdict)
{
	return verdict_names[verdict];
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

Differences *differences_new(double alpha)
{
	Differences *d = calloc(1, sizeof *d);

	if (!d)
		abort();
	d->alpha = alpha > 0 && alpha < 1 ? alpha : alpha_default;
	return d;
}

static void forget_counts(DifferencesKey *key)
{
	key->raw = key->noise = key->both = key->examples_seen = 0;
	key->first_us = key->last_us = 0;
	key->example_count = 0;
	key->paired = (Paired){ 0 };
}

static void drop_keys(Differences *d, bool accepted_too)
{
	uint32_t kept = 0;

	map_fini(&d->by_id);
	d->by_id = (Map){ 0 };
	for (uint32_t i = 0; i < d->count; i++) {
		DifferencesKey *key = d->keys[i];

		if (accepted_too || !key->accepted) {
			free(key);
			continue;
		}
		forget_counts(key);
		key->paired.number = kept + 1;
		d->keys[kept++] = key;
	}
	d->count = kept;
}

void differences_free(Differences *d)
{
	if (!d)
		return;
	drop_keys(d, true);
	free(d);
}

Differences *differences_copy(const Differences *d)
{
	Differences *copy = differences_new(d->alpha);

	*copy = *d;
	copy->by_id = (Map){ 0 };
	for (uint32_t i = 0; i < d->count; i++) {
		copy->keys[i] = malloc(sizeof *copy->keys[i]);
		if (!copy->keys[i])
			abort();
		*copy->keys[i] = *d->keys[i];
		map_put(&copy->by_id, (Str){ copy->keys[i]->id, copy->keys[i]->id_len },
		        copy->keys[i]);
	}
	return copy;
}

void differences_freep(Differences **d)
{
	differences_free(*d);
}

static Str id_of(char *room, Str path, CompareKind kind)
{
	size_t len = MIN(path.len, (size_t)(DIFFERENCES_PATH_ROOM - 1));

	room[0] = (char)kind;
	if (len)
		memcpy(room + 1, path.at, len);
	return (Str){ room, len + 1 };
}

static DifferencesKey *find_key(const Differences *d, Str path, CompareKind kind)
{
	char room[DIFFERENCES_PATH_ROOM];

	return map_get(&d->by_id, id_of(room, path, kind));
}

DifferencesKey *differences_key(Differences *d, Str path, CompareKind kind)
{
	DifferencesKey *key = find_key(d, path, kind);

	if (key || d->count == DIFFERENCES_KEYS_MAX)
		return key;
	key = calloc(1, sizeof *key);
	if (!key)
		abort();
	key->id_len = id_of(key->id, path, kind).len;
	key->paired.number = d->count ? d->keys[d->count - 1]->paired.number + 1 : 1;
	d->keys[d->count++] = key;
	map_put(&d->by_id, (Str){ key->id, key->id_len }, key);
	return key;
}

CompareKind differences_kind(const DifferencesKey *key)
{
	return (CompareKind)key->id[0];
}

Str differences_path(const DifferencesKey *key)
{
	return (Str){ key->id + 1, key->id_len - 1 };
}

/* --- what a key is -------------------------------------------------------------------------------------------------- */

double differences_p(const DifferencesKey *key)
{
	return paired_p(&key->paired, paired_alpha(1, key->paired.number));
}

static bool is_mostly_in_both(const Differences *d, const DifferencesKey *key)
{
	double evidence = evidence_log_of(EVIDENCE_FEWER, 0, 0.5, key->paired.raw_only,
	                                  key->both + key->paired.noise_only);

	return key->both && evidence >= -log(paired_alpha(d->alpha, key->paired.number));
}

DifferencesVerdict differences_verdict(const Differences *d, const DifferencesKey *key)
{
	PairedSay say;

	if (key->accepted)
		return DIFFERENCES_ACCEPTED;
	say = paired_say(&key->paired, d->alpha);
	if (say == PAIRED_MISMATCH)
		return DIFFERENCES_MISMATCH;
	return say == PAIRED_NOISE || is_mostly_in_both(d, key) ? DIFFERENCES_NOISE
	                                                        : DIFFERENCES_OPEN;
}

static bool counts(const Differences *d, const DifferencesKey *key)
{
	DifferencesVerdict verdict = differences_verdict(d, key);

	return verdict == DIFFERENCES_OPEN || verdict == DIFFERENCES_MISMATCH;
}

/* --- noting --------------------------------------------------------------------------------------------------------- */

void differences_set_text(DifferencesText *into, Str text)
{
	size_t len = MIN(text.len, (size_t)DIFFERENCES_TEXT_MAX);

	while (len < text.len && len && ((unsigned char)text.at[len] & 0xc0) == 0x80)
		len--;
	into->len = (uint8_t)len;
	if (len)
		memcpy(into->at, text.at, len);
}

static void keep_example(DifferencesKey *key, const Difference *difference, Str request,
                         int64_t now_us)
{
	DifferencesExample *newest = &key->examples[0];
	uint64_t seen = key->examples_seen++; /* without this one */

	if (key->example_count && key->example_count < DIFFERENCES_EXAMPLES) {
		key->examples[key->example_count++] = *newest;
	} else if (key->example_count) {
		uint64_t place = rand_below(seen);

		if (place < DIFFERENCES_EXAMPLES - 1)
			key->examples[1 + place] = *newest;
	} else {
		key->example_count = 1;
	}
	newest->at_us = now_us;
	differences_set_text(&newest->request, request);
	differences_set_text(&newest->old, difference->old);
	differences_set_text(&newest->new, difference->new);
}

static bool holds(const Comparison *comparison, const Difference *difference)
{
	for (size_t i = 0; i < comparison->count; i++)
		if (comparison->at[i].kind == difference->kind &&
		    str_eq(comparison->at[i].path, difference->path))
			return true;
	return false;
}

/* One key between old and new; does it count against new? */
static bool note_found(Differences *d, const Difference *difference, const Comparison *noise,
                       Str request, int64_t now_us)
{
	DifferencesKey *key = differences_key(d, difference->path, difference->kind);
	bool in_both = noise && holds(noise, difference);

	if (!key) {
		d->dropped++;
		return !in_both;
	}
	key->raw++;
	key->noise += in_both;
	key->both += in_both;
	if (noise)
		paired_note(&key->paired, true, in_both);
	key->first_us = key->first_us ? key->first_us : now_us;
	key->last_us = now_us;
	keep_example(key, difference, request, now_us);
	return !in_both && counts(d, key);
}

/* One key between old and old; does it count against old? */
static bool note_noise(Differences *d, const Difference *difference, const Comparison *found)
{
	DifferencesKey *key;

	if (holds(found, difference))
		return false;
	key = differences_key(d, difference->path, difference->kind);
	if (!key) {
		d->dropped++;
		return true;
	}
	key->noise++;
	paired_note(&key->paired, false, true);
	return counts(d, key);
}

void differences_note(Differences *d, const MaskRules *mask, const Comparison *found,
                      const Comparison *noise, Str request, int64_t now_us, DifferencesSeen *out)
{
	AUTO(buf_fini) Buf masked = { 0 };

	*out = (DifferencesSeen){ 0 };
	d->compared++;
	d->measured += noise != NULL;
	d->dropped += found->dropped;
	if (found->count)
		mask_put_target(&masked, mask, request, DIFFERENCES_TEXT_MAX - 3);
	for (size_t i = 0; i < found->count; i++)
		out->new_mismatch |= note_found(d, &found->at[i], noise, buf_str(&masked), now_us);
	for (size_t i = 0; noise && i < noise->count; i++)
		out->old_mismatch |= note_noise(d, &noise->at[i], found);
	out->new_mismatch |= found->dropped > 0 && !(noise && noise->dropped);
	out->old_mismatch |= noise && noise->dropped && !found->dropped;
	d->mismatches += out->new_mismatch;
}

/* --- accepting ------------------------------------------------------------------------------------------------------ */

Err *differences_accept(Differences *d, Arena *a, Str path, CompareKind kind, Str who,
                        int64_t now_us)
{
	DifferencesKey *key = differences_key(d, path, kind);

	if (!key)
		return err_new(a, ERR_LIMITED, "differences.full",
		               "the table of differences is full: %d kinds of them are kept",
		               DIFFERENCES_KEYS_MAX);
	key->accepted = true;
	key->accepted_us = now_us;
	key->who_len = MIN(who.len, sizeof key->who);
	if (key->who_len)
		memcpy(key->who, who.at, key->who_len);
	return NULL;
}

bool differences_is_accepted(const Differences *d, Str path, CompareKind kind)
{
	const DifferencesKey *key = find_key(d, path, kind);

	return key && key->accepted;
}

static bool was_seen(const DifferencesKey *key)
{
	return key->raw | key->noise;
}

/* One that was accepted before it was ever seen is no difference. */
static void take_back(Differences *d, DifferencesKey *key)
{
	uint32_t i = 0;

	key->accepted = false;
	key->who_len = 0;
	if (was_seen(key))
		return;
	while (d->keys[i] != key)
		i++;
	map_remove(&d->by_id, (Str){ key->id, key->id_len });
	memmove(&d->keys[i], &d->keys[i + 1], (--d->count - i) * sizeof *d->keys);
	free(key);
}

size_t differences_accepted(const Differences *d, Arena *a, DifferencesAccepted **out)
{
	size_t count = 0;

	*out = ARENA_ARRAY(a, DifferencesAccepted, d->count + 1);
	for (uint32_t i = 0; i < d->count; i++) {
		const DifferencesKey *key = d->keys[i];

		if (key->accepted)
			(*out)[count++] = (DifferencesAccepted){
				.path = str_dup(a, differences_path(key)),
				.who = str_dup(a, (Str){ key->who, key->who_len }),
				.kind = differences_kind(key),
				.at_us = key->accepted_us,
			};
	}
	return count;
}

bool differences_unaccept(Differences *d, Str path, CompareKind kind)
{
	DifferencesKey *key = find_key(d, path, kind);
	bool was = key && key->accepted;

	if (was)
		take_back(d, key);
	return was;
}

void differences_clear(Differences *d)
{
	d->compared = d->measured = d->mismatches = d->dropped = 0;
	drop_keys(d, false);
	for (uint32_t i = 0; i < d->count; i++)
		map_put(&d->by_id, (Str){ d->keys[i]->id, d->keys[i]->id_len }, d->keys[i]);
}

DifferencesTotals differences_totals(const Differences *d)
{
	DifferencesTotals totals = {
		.compared = d->compared,
		.measured = d->measured,
		.mismatches = d->mismatches,
		.dropped = d->dropped,
		.keys = d->count,
	};
	uint32_t *const by_verdict[DIFFERENCES_VERDICTS] = {
		[DIFFERENCES_OPEN] = &totals.open,
		[DIFFERENCES_MISMATCH] = &totals.mismatch,
		[DIFFERENCES_NOISE] = &totals.noise,
		[DIFFERENCES_ACCEPTED] = &totals.accepted,
	};

	for (uint32_t i = 0; i < d->count; i++)
		++*by_verdict[differences_verdict(d, d->keys[i])];
	return totals;
}
