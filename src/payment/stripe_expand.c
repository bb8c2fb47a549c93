/* SPDX-License-Identifier: Apache-2.0
 *
 * expand[]. Handlers write ids; who asks for more names members by their path. The answer is read and written again with the objects in their
 * places: so every object can be expanded in every other, four deep as Stripe has it, and no handler knows of it. It costs only those who ask.
 *
 * Paths are walked all at once: at a member those that begin with its name go on into it, without that part. */
#include "payment/stripe_expand.h"

#include "base/arena.h"

enum { PATHS_MOST = 20 };

typedef struct Paths {
	Str at[PATHS_MOST];
	size_t count;
} Paths;

typedef struct Expand {
	Db *db;
	Arena *a;
	const StripeKind *kinds;
	size_t kind_count;
	JsonWriter *w;
} Expand;

static Err *put(Expand *x, const Json *value, const Paths *paths, int depth);

/* What is left of those that begin with this name. *here: one of them does. */
static Paths paths_under(const Paths *paths, Str name, bool *here)
{
	Paths under = { .count = 0 };

	*here = false;
	for (size_t i = 0; i < paths->count; i++) {
		Str rest = paths->at[i], first;

		if (!str_split(&rest, '.', &first) || !str_eq(first, name))
			continue;
		*here = true;
		if (rest.len)
			under.at[under.count++] = rest;
	}
	return under;
}

static const StripeKind *kind_of(const Expand *x, Str text, Uuid *id)
{
	for (size_t i = 0; i < x->kind_count; i++) {
		Str prefix = str_of(x->kinds[i].prefix);

		if (str_starts(text, prefix) && uuid_read(str_sub(text, prefix.len, text.len), id))
			return &x->kinds[i];
	}
	return NULL;
}

/* The object behind an id, with what is to be expanded in it; the id where there is none. */
static Err *put_behind(Expand *x, const Json *value, const Paths *under, int depth)
{
	const StripeKind *kind;
	Str text = S(""), json = S("");
	const Json *object;
	Uuid id;

	json_to_str(value, &text);
	kind = depth < STRIPE_EXPAND_DEPTH ? kind_of(x, text, &id) : NULL;
	if (kind)
		TRY(kind->load(x->db, x->a, id, &json));
	if (!json.len) {
		json_put(x->w, value);
		return NULL;
	}
	TRY(json_read(x->a, json, 0, &object));
	return put(x, object, under, depth + 1);
}

static Err *put_member(Expand *x, Str name, const Json *value, const Paths *paths, int depth)
{
	bool here;
	Paths under = paths_under(paths, name, &here);

	json_key(x->w, name);
	if (!here) {
		json_put(x->w, value);
		return NULL;
	}
	if (json_kind(value) == JSON_KIND_STR)
		return put_behind(x, value, &under, depth);
	return put(x, value, &under, depth);
}

static Err *put(Expand *x, const Json *value, const Paths *paths, int depth)
{
	void *at = NULL;
	const Json *inner;
	Str name;

	if (!paths->count ||
	    (json_kind(value) != JSON_KIND_OBJECT && json_kind(value) != JSON_KIND_ARRAY)) {
		json_put(x->w, value);
		return NULL;
	}
	if (json_kind(value) == JSON_KIND_ARRAY) {
		json_begin_array(x->w);
		for (size_t i = 0; i < json_count(value); i++)
			TRY(put(x, json_at(value, i), paths, depth));
		json_end(x->w);
		return NULL;
	}
	json_begin_object(x->w);
	while (json_next(value, &at, &name, &inner))
		TRY(put_member(x, name, inner, paths, depth));
	json_end(x->w);
	return NULL;
}

Err *stripe_expand(Db *db, Arena *a, const StripeKind *kinds, size_t kind_count, Str answer,
                   const Json *paths, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Expand x = { db, a, kinds, kind_count, &w };
	Paths wanted = { .count = 0 };
	const Json *json;
	Str text;

	for (size_t i = 0; i < MIN(json_count(paths), (size_t)PATHS_MOST); i++)
		if (json_to_str(json_at(paths, i), &text) && text.len)
			wanted.at[wanted.count++] = text;
	TRY(json_read(a, answer, 0, &json));
	TRY(put(&x, json, &wanted, 0));
	TRY(json_done(&w, &text));
	*out = str_dup(a, text);
	return NULL;
}
