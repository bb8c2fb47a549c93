/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of one person. Union-find over the pairs, with the smallest number as the root, so that the order in which the pairs were told
 * makes no difference and telling one again changes nothing. It is done anew for each query: pairs are few beside events, and a
 * table that is kept up to date is a table that can be wrong. */
#include "analytics/person.h"

#include "base/arena.h"
#include "base/time.h"

#include "analytics_sql.h"

enum { RAW_MOST = 16 << 10 };

/* --- joining ------------------------------------------------------------------------------------------------------------ */

static uint32_t find(uint32_t *roots, uint32_t n)
{
	while (roots[n] != n) {
		roots[n] = roots[roots[n]];
		n = roots[n];
	}
	return n;
}

uint32_t *persons_join(Arena *a, uint32_t most, const uint32_t (*pairs)[2], size_t count)
{
	uint32_t *roots = ARENA_ARRAY(a, uint32_t, (size_t)most + 1);

	for (uint32_t i = 0; i <= most; i++)
		roots[i] = i;
	for (size_t i = 0; i < count; i++) {
		uint32_t one = pairs[i][0], other = pairs[i][1];

		if (one > most || other > most)
			continue;
		one = find(roots, one);
		other = find(roots, other);
		roots[MAX(one, other)] = MIN(one, other);
	}
	for (uint32_t i = 0; i <= most; i++)
		roots[i] = find(roots, i);
	return roots;
}

Err *persons_load(Db *db, Arena *a, int64_t project, Persons *out)
{
	uint32_t(*pairs)[2];
	IdsMostRow *most;
	MergesOfRow *rows;
	size_t count;

	TRY(db_one(db, a, ids_most, &most, .project = project));
	TRY(db_all(db, a, merges_of, &rows, &count, .project = project));
	*out = (Persons){ .most = (uint32_t)most->number };
	if (!count)
		return NULL;
	pairs = arena_alloc_array(a, sizeof(*pairs), count);
	for (size_t i = 0; i < count; i++) {
		pairs[i][0] = (uint32_t)rows[i].one;
		pairs[i][1] = (uint32_t)rows[i].other;
	}
	out->roots = persons_join(a, out->most, (const uint32_t(*)[2])pairs, count);
	return NULL;
}

/* --- telling ------------------------------------------------------------------------------------------------------------ */

typedef struct Merge {
	int64_t project;
	Str one, other;
} Merge;

static Err *merge(Db *tx, Arena *a, void *arg)
{
	const Merge *m = arg;
	AUTO(buf_fini) Buf names = { 0 };
	IdByNameRow *one, *other;

	buf_putc(&names, '[');
	json_put_quoted(&names, m->one);
	buf_putc(&names, ',');
	json_put_quoted(&names, m->other);
	buf_putc(&names, ']');
	TRY(db_lock(tx, a, str_fmt(a, "analytics.ids.%" PRId64, m->project)));
	TRY(db_exec(tx, a, ids_add, NULL, .project = m->project, .names = buf_str(&names),
	            .now = time_utc_us()));
	TRY(db_one(tx, a, id_by_name, &one, .project = m->project, .name = m->one));
	TRY(db_one(tx, a, id_by_name, &other, .project = m->project, .name = m->other));
	if (!one || !other)
		return err_new(a, ERR_INTERNAL, "db.rows", "a person has no number");
	return db_exec(tx, a, merge_add, NULL, .project = m->project,
	               .one = MIN(one->number, other->number),
	               .other = MAX(one->number, other->number), .now = time_utc_us());
}

Err *person_merge(Db *db, Arena *a, int64_t project, Str one, Str other)
{
	Merge m = { project, one, other };

	if (!one.len || !other.len || str_eq(one, other) || one.len > HIT_WHO_MOST ||
	    other.len > HIT_WHO_MOST || hit_who_is_ours(one) || hit_who_is_ours(other))
		return NULL;
	return db_txn(db, a, DB_READ_COMMITTED, merge, &m);
}

Err *persons_merge_of(Analytics *s, Arena *a, const Hit *hits, size_t count)
{
	static const struct {
		Str event, key;
	} rows[] = { { S("$identify"), S("$anon_distinct_id") },
		     { S("$create_alias"), S("alias") } };

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < COUNT(rows); k++) {
			const HitProp *other;

			if (!str_eq(hits[i].name, rows[k].event))
				continue;
			other = hit_prop(&hits[i], rows[k].key);
			if (other && other->value.kind == CELL_STR)
				TRY(person_merge(s->db, a, hits[i].project, hits[i].who,
				                 other->value.text));
		}
	return NULL;
}

Str failed_text(Arena *a, Str raw)
{
	Str rest = str_sub(raw, 0, RAW_MOST);
	AUTO(buf_fini) Buf b = { 0 };

	while (rest.len) {
		uint32_t code = 0;
		size_t bytes = str_utf8(rest, &code);

		if (bytes && code)
			buf_put(&b, str_sub(rest, 0, bytes));
		else
			buf_put(&b, S("\xef\xbf\xbd"));
		rest = str_sub(rest, bytes ? bytes : 1, rest.len);
	}
	return str_dup(a, buf_str(&b));
}
