/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of differences told: to the admin API, and to a file from which it is taken up again.
 *
 * The order is that of a reader: what is worse than noise, what is not known yet, what is noise, what was accepted; among
 * these what is seen most. In the file everything is kept, and reading it adds: the sums of two gateways' files are the sums of both, so
 * the same code takes up one's own state and adds what another one saw. */
#include "shift/differences_int.h"

#include "base/arena.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

static Str text_of(const DifferencesText *text)
{
	return (Str){ text->at, text->len };
}

static Str who_of(const DifferencesKey *key)
{
	return (Str){ key->who, key->who_len };
}

/* --- order ---------------------------------------------------------------------------------------------------------- */

typedef struct Ranked {
	const DifferencesKey *key;
	DifferencesVerdict verdict;
} Ranked;

static int by_rank(const void *x, const void *y)
{
	static const int ranks[DIFFERENCES_VERDICTS] = { [DIFFERENCES_MISMATCH] = 0,
		                                         [DIFFERENCES_OPEN] = 1,
		                                         [DIFFERENCES_NOISE] = 2,
		                                         [DIFFERENCES_ACCEPTED] = 3 };
	const Ranked *m = x, *n = y;

	if (m->verdict != n->verdict)
		return ranks[m->verdict] - ranks[n->verdict];
	if (m->key->raw != n->key->raw)
		return m->key->raw < n->key->raw ? 1 : -1;
	return str_cmp((Str){ m->key->id, m->key->id_len }, (Str){ n->key->id, n->key->id_len });
}

static void rank(const Differences *d, Ranked *ranked)
{
	for (uint32_t i = 0; i < d->count; i++)
		ranked[i] = (Ranked){ d->keys[i], differences_verdict(d, d->keys[i]) };
	if (d->count)
		qsort(ranked, d->count, sizeof *ranked, by_rank);
}

/* --- JSON ----------------------------------------------------------------------------------------------------------- */

static void put_time(JsonWriter *w, const char *name, int64_t utc_us)
{
	json_key(w, str_of(name));
	if (utc_us)
		json_add_time(w, utc_us);
	else
		json_add_null(w);
}

static void put_examples(JsonWriter *w, const DifferencesKey *key)
{
	json_key(w, S("examples"));
	json_begin_array(w);
	for (uint32_t i = 0; i < key->example_count; i++) {
		const DifferencesExample *example = &key->examples[i];

		json_begin_object(w);
		put_time(w, "at", example->at_us);
		json_put_str(w, "request", text_of(&example->request));
		json_put_str(w, "old", text_of(&example->old));
		json_put_str(w, "new", text_of(&example->new));
		json_end(w);
	}
	json_end(w);
}

static void put_name(JsonWriter *w, const DifferencesKey *key)
{
	json_put_str(w, "path", differences_path(key));
	json_put_str(w, "kind", compare_kind_name(differences_kind(key)));
	json_put_u64(w, "raw", key->raw);
	json_put_u64(w, "noise", key->noise);
}

static void put_key(JsonWriter *w, const Ranked *ranked)
{
	const DifferencesKey *key = ranked->key;

	json_begin_object(w);
	put_name(w, key);
	json_put_str(w, "verdict", differences_verdict_name(ranked->verdict));
	json_put_real(w, "p", differences_p(key));
	if (key->accepted) {
		json_put_str(w, "accepted_by", who_of(key));
		put_time(w, "accepted_at", key->accepted_us);
	}
	put_time(w, "first", key->first_us);
	put_time(w, "last", key->last_us);
	put_examples(w, key);
	json_end(w);
}

static void put_totals(JsonWriter *w, const Differences *d)
{
	json_put_u64(w, "compared", d->compared);
	json_put_u64(w, "measured", d->measured);
	json_put_u64(w, "mismatches", d->mismatches);
	json_put_u64(w, "dropped", d->dropped);
}

void differences_put_json(const Differences *d, JsonWriter *w)
{
	Ranked ranked[DIFFERENCES_KEYS_MAX];

	rank(d, ranked);
	json_begin_object(w);
	put_totals(w, d);
	json_key(w, S("keys"));
	json_begin_array(w);
	for (uint32_t i = 0; i < d->count; i++)
		put_key(w, &ranked[i]);
	json_end(w);
	json_end(w);
}

/* --- state ---------------------------------------------------------------------------------------------------------- */

static void put_state(JsonWriter *w, const DifferencesKey *key)
{
	json_begin_object(w);
	put_name(w, key);
	json_put_u64(w, "both", key->both);
	json_put_u64(w, "examples_seen", key->examples_seen);
	json_put_i64(w, "first_us", key->first_us);
	json_put_i64(w, "last_us", key->last_us);
	json_put_bool(w, "accepted", key->accepted);
	json_put_i64(w, "accepted_us", key->accepted_us);
	json_put_str(w, "who", who_of(key));
	json_key(w, S("paired"));
	paired_put(w, &key->paired);
	put_examples(w, key);
	json_end(w);
}

void differences_put_state(const Differences *d, JsonWriter *w)
{
	json_begin_object(w);
	put_totals(w, d);
	json_key(w, S("keys"));
	json_begin_array(w);
	for (uint32_t i = 0; i < d->count; i++)
		put_state(w, d->keys[i]);
	json_end(w);
	json_end(w);
}

static Err *need_u64(Arena *a, const Json *from, const char *name, uint64_t *out)
{
	int64_t n = 0;

	TRY(json_need_i64(a, from, name, &n));
	if (n < 0)
		return err_new(a, ERR_INVALID, "json.member", "\"%s\" must not be below zero",
		               name);
	*out = (uint64_t)n;
	return NULL;
}

static Err *add_u64(Arena *a, const Json *from, const char *name, uint64_t *to)
{
	uint64_t n = 0;

	TRY(need_u64(a, from, name, &n));
	if (__builtin_add_overflow(*to, n, to))
		*to = UINT64_MAX;
	return NULL;
}

static Err *read_text(Arena *a, const Json *from, const char *name, DifferencesText *out)
{
	Str text = { 0 };

	TRY(json_need_str(a, from, name, &text));
	differences_set_text(out, text);
	return NULL;
}

static Err *read_example(Arena *a, const Json *from, DifferencesKey *key)
{
	DifferencesExample *example = &key->examples[key->example_count];
	Str at = { 0 };

	TRY(json_need_str(a, from, "at", &at));
	if (!time_read_rfc3339(at, &example->at_us))
		return err_new(a, ERR_INVALID, "json.member", "\"at\" must be a time");
	TRY(read_text(a, from, "request", &example->request));
	TRY(read_text(a, from, "old", &example->old));
	TRY(read_text(a, from, "new", &example->new));
	key->example_count++;
	return NULL;
}

static Err *read_examples(Arena *a, const Json *from, DifferencesKey *key)
{
	const Json *examples = NULL;

	TRY(json_need_kind(a, from, "examples", JSON_KIND_ARRAY, &examples));
	for (size_t i = 0; i < json_count(examples) && key->example_count < DIFFERENCES_EXAMPLES;
	     i++)
		TRY(read_example(a, json_at(examples, i), key));
	return NULL;
}

static Err *read_times(Arena *a, const Json *from, DifferencesKey *key)
{
	int64_t first = 0, last = 0;

	TRY(json_need_i64(a, from, "first_us", &first));
	TRY(json_need_i64(a, from, "last_us", &last));
	if (first && (!key->first_us || first < key->first_us))
		key->first_us = first;
	key->last_us = MAX(key->last_us, last);
	return NULL;
}

static Err *read_accepted(Arena *a, const Json *from, DifferencesKey *key)
{
	bool accepted = false;
	int64_t at = 0;
	Str who = { 0 };

	TRY(json_need_bool(a, from, "accepted", &accepted));
	TRY(json_need_i64(a, from, "accepted_us", &at));
	TRY(json_need_str(a, from, "who", &who));
	if (!accepted || key->accepted)
		return NULL;
	key->accepted = true;
	key->accepted_us = at;
	key->who_len = MIN(who.len, sizeof key->who);
	if (key->who_len)
		memcpy(key->who, who.at, key->who_len);
	return NULL;
}

static Err *read_key(Differences *d, Arena *a, const Json *from)
{
	Str path = { 0 }, name = { 0 };
	const Json *paired = NULL;
	Paired seen = { 0 };
	CompareKind kind;
	DifferencesKey *key;

	TRY(json_need_str(a, from, "path", &path));
	TRY(json_need_str(a, from, "kind", &name));
	if (!compare_kind_of(name, &kind))
		return err_new(a, ERR_INVALID, "json.member", "there is no kind %.*s",
		               STR_ARG(str_quote(a, name)));
	TRY(json_need_kind(a, from, "paired", JSON_KIND_OBJECT, &paired));
	TRY(paired_read(a, paired, &seen));
	key = differences_key(d, path, kind);
	if (!key) {
		d->dropped++;
		return NULL;
	}
	TRY(add_u64(a, from, "raw", &key->raw));
	TRY(add_u64(a, from, "noise", &key->noise));
	TRY(add_u64(a, from, "both", &key->both));
	TRY(add_u64(a, from, "examples_seen", &key->examples_seen));
	if (!(key->paired.raw_only | key->paired.noise_only)) /* what was proven once stays so */
		key->paired.peak = seen.peak;
	paired_add(&key->paired, seen.raw_only, seen.noise_only);
	TRY(read_times(a, from, key));
	TRY(read_accepted(a, from, key));
	return read_examples(a, from, key);
}

static Err *read_state(Differences *d, Arena *a, const Json *state)
{
	const Json *keys = NULL;

	TRY(add_u64(a, state, "compared", &d->compared));
	TRY(add_u64(a, state, "measured", &d->measured));
	TRY(add_u64(a, state, "mismatches", &d->mismatches));
	TRY(add_u64(a, state, "dropped", &d->dropped));
	TRY(json_need_kind(a, state, "keys", JSON_KIND_ARRAY, &keys));
	for (size_t i = 0; i < json_count(keys); i++)
		TRY(read_key(d, a, json_at(keys, i)));
	return NULL;
}

Err *differences_read_state(Differences *d, Arena *a, const Json *state)
{
	Err *err = read_state(d, a, state);

	return err ? err_because(a, err, ERR_INVALID, "differences.state",
	                         "the differences that were kept could not be read")
	           : NULL;
}
