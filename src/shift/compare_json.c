/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing two JSON values.
 *
 * Objects are compared key by key, arrays item by item, in order: of different lengths they differ in size, and that is all
 * that can be said. When every item has its equal on the other side they differ in order, and in nothing else. Where a rule says
 * so, items are matched by a key in them, or as a multiset or a set.
 *
 * A multiset is matched in two rounds: items with equal hashes are pairs, and each of what is left takes the one that is most
 * like it, so that one changed field is named as that field. The hash leaves out what is ignored and does not see order where
 * order does not count. Both rounds are bounded by the work that a comparison may be.
 *
 * Numbers: integers are exact, of any size; others are doubles, as nearly every reader takes them, so 1.10 is 1.1. 1 and 1.0
 * differ in type: a strict reader that expects an integer refuses the other. Under a tolerance they are just numbers.
 *
 * jansson holds integers up to 64 bits and refuses NaN and Infinity, which Python writes. A text that it refuses is read once
 * more with such numbers as strings that begin with U+0001. */
#include "shift/compare_int.h"

#include "base/hash.h"
#include "base/map.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS_MAX = 4096 };

/* --- reading -------------------------------------------------------------------------------------------------------- */

static size_t number_run(Str text)
{
	size_t len = 0;

	while (len < text.len && text.at[len] && strchr("0123456789+-.eE", text.at[len]))
		len++;
	return len;
}

/* Is it a number that jansson does not take: an integer above 64 bits, a real that is no double? */
static bool is_wide(Arena *a, Str run)
{
	Str digits = str_sub(run, run.len && run.at[0] == '-', run.len);
	bool whole = digits.len > 0;
	int64_t n;
	char *end;

	for (size_t i = 0; i < digits.len; i++)
		whole &= digits.at[i] >= '0' && digits.at[i] <= '9';
	if (whole)
		return digits.at[0] != '0' && !str_to_i64(run, &n);
	if (run.len < 4)
		return false;
	return isinf(strtod(str_z(a, run), &end)) && !*end;
}

static size_t word_run(Str text)
{
	static const Str words[] = { { "NaN", 3 }, { "Infinity", 8 }, { "-Infinity", 9 } };

	for (size_t i = 0; i < COUNT(words); i++)
		if (str_starts(text, words[i]))
			return words[i].len;
	return 0;
}

/* The end of the string that begins here. */
static size_t string_end(Str text, size_t at)
{
	for (at++; at < text.len && text.at[at] != '"'; at++)
		at += text.at[at] == '\\';
	return MIN(at + 1, text.len);
}

static Str widen(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };
	size_t at = 0;

	while (at < text.len) {
		Str rest = str_sub(text, at, text.len);
		size_t word = word_run(rest), run = word ? word : number_run(rest);
		bool wide = word || is_wide(a, str_sub(rest, 0, run));

		if (text.at[at] == '"')
			run = string_end(text, at) - at;
		run = MAX(run, (size_t)1);
		if (wide)
			buf_put(&b, S("\"\\u0001"));
		buf_put(&b, str_sub(rest, 0, run));
		if (wide)
			buf_putc(&b, '"');
		at += run;
	}
	return str_dup(a, buf_str(&b));
}

Err *compare_json_read(Arena *a, Str text, const Json **out)
{
	Err *err = json_read(a, text, 0, out);

	if (!err || !err_is(err, "json.syntax"))
		return err;
	return json_read(a, widen(a, text), 0, out) ? err : NULL;
}

/* --- values --------------------------------------------------------------------------------------------------------- */

/* A number that was too wide for jansson, as it was written; the empty view: it is none. */
static Str wide_of(const Json *value)
{
	Str text;

	if (!json_to_str(value, &text) || text.len < 2 || text.at[0] != 1)
		return (Str){ 0 };
	return str_sub(text, 1, text.len);
}

static JsonKind kind_of(const Json *value)
{
	JsonKind kind = json_kind(value);
	Str wide = kind == JSON_KIND_STR ? wide_of(value) : (Str){ 0 };

	if (!wide.len)
		return kind;
	for (size_t i = 0; i < wide.len; i++)
		if (!strchr("-0123456789", wide.at[i]))
			return JSON_KIND_REAL;
	return JSON_KIND_INT;
}

static bool is_number(JsonKind kind)
{
	return kind == JSON_KIND_INT || kind == JSON_KIND_REAL;
}

static double number_of(Work *w, const Json *value)
{
	Str wide = wide_of(value);
	double number = 0;

	if (wide.len)
		return strtod(str_z(w->arena, wide), NULL);
	json_to_real(value, &number);
	return number;
}

static bool same_real(double x, double y)
{
	return x == y || (isnan(x) && isnan(y));
}

static bool within(const Pattern *tolerance, double x, double y)
{
	double apart = fabs(x - y);

	return same_real(x, y) || apart <= tolerance->absolute ||
	       apart <= tolerance->relative * MAX(fabs(x), fabs(y));
}

/* Of two values of one kind that hold no others. */
static bool same_scalar(Work *w, JsonKind kind, const Json *old, const Json *new)
{
	Str x = { 0 }, y = { 0 };
	int64_t m = 0, n = 0;
	bool yes = false, also = false;

	if (kind == JSON_KIND_STR || wide_of(old).len || wide_of(new).len)
		return json_to_str(old, &x) && json_to_str(new, &y) && str_eq(x, y);
	if (kind == JSON_KIND_BOOL)
		return json_to_bool(old, &yes) && json_to_bool(new, &also) && yes == also;
	if (kind == JSON_KIND_INT)
		return json_to_i64(old, &m) && json_to_i64(new, &n) && m == n;
	return kind == JSON_KIND_NULL || same_real(number_of(w, old), number_of(w, new));
}

/* --- examples ------------------------------------------------------------------------------------------------------- */

static void put_value(Work *w, Buf *b, const Json *value);

static void put_members(Work *w, Buf *b, const Json *object)
{
	void *at = NULL;
	const Json *value;
	bool first = true;
	Str key;

	buf_putc(b, '{');
	while (b->len <= COMPARE_VALUE_MAX && json_next(object, &at, &key, &value)) {
		bool data = compare_key_is_data(key);

		buf_put(b, first ? S("\"") : S(",\""));
		if (data)
			mask_put_text(b, &w->of->rules->mask, key, COMPARE_VALUE_MAX);
		else
			buf_put(b, key);
		buf_put(b, S("\":"));
		compare_enter(w, data ? STEP_ANY : STEP_KEY, key);
		put_value(w, b, value);
		compare_leave(w);
		first = false;
	}
	buf_putc(b, '}');
}

static void put_items(Work *w, Buf *b, const Json *array)
{
	buf_putc(b, '[');
	for (size_t i = 0; i < json_count(array) && b->len <= COMPARE_VALUE_MAX; i++) {
		if (i)
			buf_putc(b, ',');
		compare_enter(w, STEP_ITEM, (Str){ 0 });
		put_value(w, b, json_at(array, i));
		compare_leave(w);
	}
	buf_putc(b, ']');
}

static void put_string(Work *w, Buf *b, Str text)
{
	buf_putc(b, '"');
	mask_put_text(b, &w->of->rules->mask, text, COMPARE_VALUE_MAX);
	buf_putc(b, '"');
}

static void put_plain(Work *w, Buf *b, const Json *value)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter writer = json_writer(&text);

	json_put(&writer, value);
	mask_put_text(b, &w->of->rules->mask, buf_str(&text), COMPARE_VALUE_MAX);
}

static void put_value(Work *w, Buf *b, const Json *value)
{
	Str text = { 0 };

	if (compare_masked(w))
		buf_put(b, MASKED);
	else if (json_kind(value) == JSON_KIND_OBJECT)
		put_members(w, b, value);
	else if (json_kind(value) == JSON_KIND_ARRAY)
		put_items(w, b, value);
	else if (wide_of(value).len)
		mask_put_text(b, &w->of->rules->mask, wide_of(value), COMPARE_VALUE_MAX);
	else if (json_to_str(value, &text))
		put_string(w, b, text);
	else
		put_plain(w, b, value);
}

static Str show(Work *w, const Json *value)
{
	AUTO(buf_fini) Buf b = { 0 };

	put_value(w, &b, value);
	return compare_cut(w, buf_str(&b));
}

static void report(Work *w, CompareKind kind, const Json *old, const Json *new)
{
	Difference *d = compare_report(w, kind);

	if (!d)
		return;
	if (kind != COMPARE_EXTRA)
		d->old = show(w, old);
	if (kind != COMPARE_MISSING)
		d->new = show(w, new);
}

static void report_size(Work *w, size_t old, size_t new)
{
	Difference *d = compare_report(w, COMPARE_SIZE);

	if (!d)
		return;
	d->old = str_fmt(w->arena, "%zu item%s", old, old == 1 ? "" : "s");
	d->new = str_fmt(w->arena, "%zu item%s", new, new == 1 ? "" : "s");
}

/* What is on one side only; nothing when the rules ignore it. */
static void report_alone(Work *w, CompareKind kind, const Json *value)
{
	if (!compare_rule(w, RULE_IGNORE))
		report(w, kind, value, value);
}

/* --- hashes --------------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x, uint64_t y)
{
	const uint64_t both[2] = { x, y };

	return hash_str((Str){ (const char *)both, sizeof both });
}

static int by_number(const void *x, const void *y)
{
	uint64_t m = *(const uint64_t *)x, n = *(const uint64_t *)y;

	return (m > n) - (m < n);
}

static bool is_bag(const Work *w)
{
	return compare_rule(w, RULE_UNORDERED) || compare_rule(w, RULE_SET) ||
	       compare_rule(w, RULE_KEYED);
}

static uint64_t hash_value(Work *w, const Json *value);

static uint64_t hash_item(Work *w, const Json *array, size_t i)
{
	uint64_t hash;

	compare_enter(w, STEP_ITEM, (Str){ 0 });
	hash = hash_value(w, json_at(array, i));
	compare_leave(w);
	return hash;
}

static uint64_t hash_array(Work *w, const Json *array)
{
	bool bag = is_bag(w), set = compare_rule(w, RULE_SET);
	uint64_t hash = JSON_KIND_ARRAY, *seen = NULL;
	size_t count = json_count(array);

	if (set)
		seen = ARENA_ARRAY(w->arena, uint64_t, count + 1);
	for (size_t i = 0; i < count; i++) {
		uint64_t item = hash_item(w, array, i);

		if (set)
			seen[i] = item;
		else
			hash = bag ? hash + mix(item, 1) : mix(hash, item);
	}
	if (set)
		qsort(seen, count, sizeof *seen, by_number);
	for (size_t i = 0; set && i < count; i++)
		if (!i || seen[i] != seen[i - 1])
			hash += mix(seen[i], 1);
	return mix(hash, 2);
}

static uint64_t hash_object(Work *w, const Json *object)
{
	uint64_t hash = JSON_KIND_OBJECT;
	void *at = NULL;
	const Json *value;
	Str key;

	while (json_next(object, &at, &key, &value)) {
		compare_enter(w, STEP_ANY, key);
		if (!compare_rule(w, RULE_IGNORE))
			hash += mix(hash_str(key), hash_value(w, value));
		compare_leave(w);
	}
	return mix(hash, 3);
}

static uint64_t hash_scalar(Work *w, JsonKind kind, const Json *value)
{
	Str text = { 0 };
	int64_t number = 0;
	bool yes = false;
	double real;

	if (json_to_str(value, &text))
		return mix(kind, hash_str(text));
	if (json_to_i64(value, &number))
		return mix(kind, (uint64_t)number);
	if (json_to_bool(value, &yes))
		return mix(kind, yes);
	real = number_of(w, value) + 0.0; /* -0.0 is 0.0 */
	return mix(kind, hash_str((Str){ (const char *)&real, sizeof real }));
}

/* Equal for two values between which the rules see no difference, tolerances aside. */
static uint64_t hash_value(Work *w, const Json *value)
{
	JsonKind kind = kind_of(value);

	if (!compare_spend(w, 1) || compare_rule(w, RULE_IGNORE))
		return 0;
	if (kind == JSON_KIND_OBJECT)
		return hash_object(w, value);
	return kind == JSON_KIND_ARRAY ? hash_array(w, value) : hash_scalar(w, kind, value);
}

/* --- arrays in any order -------------------------------------------------------------------------------------------- */

typedef struct Item {
	uint64_t hash;
	size_t at; /* in its array */
	bool paired;
} Item;

static int by_hash(const void *x, const void *y)
{
	const Item *m = x, *n = y;

	if (m->hash != n->hash)
		return m->hash > n->hash ? 1 : -1;
	return (m->at > n->at) - (m->at < n->at);
}

static int by_place(const void *x, const void *y)
{
	const Item *m = x, *n = y;

	return (m->at > n->at) - (m->at < n->at);
}

typedef struct Bag {
	const Json *array;
	Item *items;
	size_t count;
} Bag;

static Bag bag_of(Work *w, const Json *array, bool set)
{
	size_t count = json_count(array), kept = 0;
	Bag bag = { array, ARENA_ARRAY(w->arena, Item, count + 1), count };

	for (size_t i = 0; i < count; i++)
		bag.items[i] = (Item){ .hash = hash_item(w, array, i), .at = i };
	qsort(bag.items, count, sizeof *bag.items, by_hash);
	for (size_t i = 0; set && i < count; i++)
		if (!kept || bag.items[kept - 1].hash != bag.items[i].hash)
			bag.items[kept++] = bag.items[i];
	bag.count = set ? kept : count;
	return bag;
}

/* Takes out of both what they have in common; the rest is in the order of the arrays. */
static void bag_strike(Bag *old, Bag *new)
{
	size_t i = 0, k = 0;
	Bag *const both[] = { old, new };

	while (i < old->count && k < new->count) {
		if (old->items[i].hash == new->items[k].hash)
			old->items[i++].paired = new->items[k++].paired = true;
		else if (old->items[i].hash < new->items[k].hash)
			i++;
		else
			k++;
	}
	for (size_t side = 0; side < COUNT(both); side++) {
		size_t kept = 0;

		for (i = 0; i < both[side]->count; i++)
			if (!both[side]->items[i].paired)
				both[side]->items[kept++] = both[side]->items[i];
		both[side]->count = kept;
		if (kept)
			qsort(both[side]->items, kept, sizeof *both[side]->items, by_place);
	}
}

static void walk(Work *w, const Json *old, const Json *new);

/* How many differences there are between two items; SIZE_MAX: they are of different kinds. */
static size_t unlike(Work *w, const Json *old, const Json *new)
{
	Mark mark = arena_mark(w->arena);
	size_t before = w->found, unlike;
	bool quiet = w->quiet;

	if (kind_of(old) != kind_of(new))
		return SIZE_MAX;
	w->quiet = true;
	walk(w, old, new);
	w->quiet = quiet;
	unlike = w->found - before;
	w->found = before;
	arena_reset(w->arena, mark);
	return unlike;
}

/* The item of `new` that is not paired yet and is most like this one. */
static Item *most_like(Work *w, const Bag *old, size_t i, const Bag *new, bool look)
{
	size_t best_unlike = SIZE_MAX;
	Item *best = NULL;

	for (size_t k = 0; k < new->count; k++) {
		size_t unlike_now = 0;

		if (new->items[k].paired)
			continue;
		if (look)
			unlike_now = unlike(w, json_at(old->array, old->items[i].at),
			                    json_at(new->array, new->items[k].at));
		if (!best || unlike_now < best_unlike) {
			best = &new->items[k];
			best_unlike = unlike_now;
		}
		if (!best_unlike)
			break;
	}
	return best;
}

static void walk_bag(Work *w, const Json *old, const Json *new)
{
	bool set = compare_rule(w, RULE_SET);
	Bag before = bag_of(w, old, set), after = bag_of(w, new, set);
	bool look;

	bag_strike(&before, &after);
	look = before.count && after.count && before.count <= PAIRS_MAX / after.count;
	compare_enter(w, STEP_ITEM, (Str){ 0 });
	for (size_t i = 0; i < before.count; i++) {
		const Json *item = json_at(old, before.items[i].at);
		Item *pair = most_like(w, &before, i, &after, look);

		if (pair) {
			pair->paired = true;
			walk(w, item, json_at(new, pair->at));
		} else {
			report_alone(w, COMPARE_MISSING, item);
		}
	}
	for (size_t k = 0; k < after.count; k++)
		if (!after.items[k].paired)
			report_alone(w, COMPARE_EXTRA, json_at(new, after.items[k].at));
	compare_leave(w);
}

/* --- arrays by key -------------------------------------------------------------------------------------------------- */

/* The item's key as a text; false when it has none that is a string or a number. */
static bool key_of(Work *w, const Pattern *keyed, const Json *item, Str *out)
{
	int64_t number = 0;

	for (size_t i = 0; i < keyed->by_count; i++)
		item = json_get(item, keyed->by[i].key);
	if (json_to_str(item, out)) {
		*out = str_fmt(w->arena, "s%.*s", STR_ARG(*out));
		return true;
	}
	if (!json_to_i64(item, &number))
		return false;
	*out = str_fmt(w->arena, "i%" PRId64, number);
	return true;
}

/* False when an item has no key, or two have the same. */
static bool index_items(Work *w, const Pattern *keyed, const Json *array, Map *map)
{
	for (size_t i = 0; i < json_count(array); i++) {
		const Json *item = json_at(array, i);
		Str key;

		if (!key_of(w, keyed, item, &key) || map_put(map, key, (void *)(uintptr_t)item))
			return false;
	}
	return true;
}

static void walk_keyed(Work *w, const Pattern *keyed, const Json *old, const Json *new)
{
	AUTO(map_fini) Map before = { 0 };
	AUTO(map_fini) Map after = { 0 };
	Str key = { 0 };

	if (!index_items(w, keyed, old, &before) || !index_items(w, keyed, new, &after)) {
		walk_bag(w, old, new);
		return;
	}
	compare_enter(w, STEP_ITEM, (Str){ 0 });
	for (size_t i = 0; i < json_count(old); i++) {
		const Json *item = json_at(old, i), *pair;

		key_of(w, keyed, item, &key);
		pair = map_get(&after, key);
		if (pair)
			walk(w, item, pair);
		else
			report_alone(w, COMPARE_MISSING, item);
	}
	for (size_t i = 0; i < json_count(new); i++) {
		key_of(w, keyed, json_at(new, i), &key);
		if (!map_get(&before, key))
			report_alone(w, COMPARE_EXTRA, json_at(new, i));
	}
	compare_leave(w);
}

/* --- the walk ------------------------------------------------------------------------------------------------------- */

/* Two arrays of one length, the items of which differ somewhere: are they the same items? */
static bool is_reordered(Work *w, const Json *old, const Json *new)
{
	uint64_t before = 0, after = 0;

	for (size_t i = 0; i < json_count(old); i++) {
		before += mix(hash_item(w, old, i), 1);
		after += mix(hash_item(w, new, i), 1);
	}
	return before == after && !w->exhausted;
}

static void walk_list(Work *w, const Json *old, const Json *new)
{
	size_t found = w->found;
	Comparison before = *w->out;

	if (json_count(old) != json_count(new)) {
		report_size(w, json_count(old), json_count(new));
		return;
	}
	compare_enter(w, STEP_ITEM, (Str){ 0 });
	for (size_t i = 0; i < json_count(old); i++)
		walk(w, json_at(old, i), json_at(new, i));
	compare_leave(w);
	if (found == w->found || json_count(old) < 2 || !is_reordered(w, old, new))
		return;
	w->out->count = before.count;
	w->out->dropped = before.dropped;
	w->found = found;
	report(w, COMPARE_ORDER, old, new);
}

static void walk_array(Work *w, const Json *old, const Json *new)
{
	const Pattern *keyed = compare_rule(w, RULE_KEYED);

	if (keyed)
		walk_keyed(w, keyed, old, new);
	else if (is_bag(w))
		walk_bag(w, old, new);
	else
		walk_list(w, old, new);
}

static bool has_data_key(const Json *object)
{
	void *at = NULL;
	const Json *value;
	Str key;

	while (json_next(object, &at, &key, &value))
		if (compare_key_is_data(key))
			return true;
	return false;
}

static bool is_map(const Work *w, const Json *old, const Json *new)
{
	return json_count(old) > COMPARE_MAP_KEYS || json_count(new) > COMPARE_MAP_KEYS ||
	       has_data_key(old) || has_data_key(new) || compare_rule(w, RULE_MAP);
}

static void walk_object(Work *w, const Json *old, const Json *new)
{
	StepKind step = is_map(w, old, new) ? STEP_ANY : STEP_KEY;
	void *at = NULL;
	const Json *value;
	Str key;

	while (json_next(old, &at, &key, &value)) {
		const Json *pair = json_get(new, key);

		compare_enter(w, step, key);
		if (pair)
			walk(w, value, pair);
		else
			report_alone(w, COMPARE_MISSING, value);
		compare_leave(w);
	}
	at = NULL;
	while (json_next(new, &at, &key, &value)) {
		if (json_get(old, key))
			continue;
		compare_enter(w, step, key);
		report_alone(w, COMPARE_EXTRA, value);
		compare_leave(w);
	}
}

static void walk(Work *w, const Json *old, const Json *new)
{
	JsonKind before = kind_of(old), after = kind_of(new);
	const Pattern *tolerance;

	if (!compare_spend(w, 1) || compare_rule(w, RULE_IGNORE))
		return;
	tolerance = is_number(before) && is_number(after) ? compare_rule(w, RULE_TOLERANCE) : NULL;
	if (tolerance) {
		if (!within(tolerance, number_of(w, old), number_of(w, new)))
			report(w, COMPARE_VALUE, old, new);
	} else if (before != after) {
		report(w, COMPARE_TYPE, old, new);
	} else if (before == JSON_KIND_OBJECT) {
		walk_object(w, old, new);
	} else if (before == JSON_KIND_ARRAY) {
		walk_array(w, old, new);
	} else if (!same_scalar(w, before, old, new)) {
		report(w, COMPARE_VALUE, old, new);
	}
}

void compare_json(Work *w, const Json *old, const Json *new)
{
	walk(w, old, new);
}
