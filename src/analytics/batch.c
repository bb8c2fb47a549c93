/* SPDX-License-Identifier: Apache-2.0
 *
 * What all shapes of the intake have in common, once the body is read (batch_body.c): its events put together, given to whom they are
 * of, taken.
 *
 * What is no event is kept as it came (failed_events), with the reason, and the request still succeeds for the others: a client that
 * sends a thousand cannot do anything about one. Only when that row is written too is the answer sent. */
#include "analytics/batch.h"

#include "analytics/person.h"
#include "analytics/visitor.h"
#include "base/arena.h"
#include "base/map.h"

#include "analytics_sql.h"

#include <string.h>

Err *batch_project(Batch *b, Str key)
{
	Arena *a = b->arena;

	if (key.len)
		TRY(project_by_write_key(b->service, a, key, &b->project));
	return b->project ? NULL
	                  : err_new(b->call->arena, ERR_UNAUTHENTICATED, "analytics.key",
	                            "that is no project's key");
}

/* --- events ------------------------------------------------------------------------------------------------------------ */

static void *grow(Arena *a, const void *at, size_t each, size_t count, size_t *cap)
{
	size_t more = *cap ? *cap * 2 : 64;
	void *to = arena_alloc_array(a, each, more);

	if (count)
		memcpy(to, at, count * each);
	*cap = more;
	return to;
}

static Err *next_row(Batch *b, Str raw, BatchRow **out)
{
	if (b->count >= b->service->conf->batch_most)
		return err_new(b->arena, ERR_TOO_LARGE, "analytics.batch",
		               "a request may have %" PRIu64 " events",
		               b->service->conf->batch_most);
	if (b->count == b->cap)
		b->rows = grow(b->arena, b->rows, sizeof(*b->rows), b->count, &b->cap);
	*out = &b->rows[b->count++];
	(*out)->raw = raw;
	return NULL;
}

static Err *add(Batch *b, Str raw, const Hit *hit)
{
	BatchRow *row;

	TRY(next_row(b, raw, &row));
	if (b->hit_count == b->hit_cap)
		b->hits = grow(b->arena, b->hits, sizeof(Hit), b->hit_count, &b->hit_cap);
	row->id = hit->id;
	row->hit = b->hit_count;
	b->hits[b->hit_count++] = *hit;
	return NULL;
}

Err *batch_refuse(Batch *b, Str raw, const char *code, Str text)
{
	BatchRow *row;

	TRY(next_row(b, raw, &row));
	row->refusal = (HitRefusal){ code, text };
	return NULL;
}

Err *batch_add_hit(Batch *b, Str raw, const Hit *hit)
{
	HitRefusal refusal;

	if (!hit_check(b->arena, hit, &b->limits, &refusal))
		return batch_refuse(b, raw, refusal.code, refusal.text);
	return add(b, raw, hit);
}

Err *batch_add(Batch *b, Str raw, const Json *object)
{
	Hit hit = { 0 };
	HitRefusal refusal;

	if (!hit_read(b->arena, object, &b->limits, b->shift_ms, &hit, &refusal))
		return batch_refuse(b, raw, refusal.code, refusal.text);
	return add(b, raw, &hit);
}

/* --- who they are ------------------------------------------------------------------------------------------------------- */

static bool is_true(const Hit *hit, Str key)
{
	const HitProp *prop = hit_prop(hit, key);

	return prop && prop->value.kind == CELL_BOOL && str_eq(prop->value.text, S("true"));
}

static bool as_visitor(const Batch *b, const Hit *hit)
{
	if (b->hidden || b->project->privacy == PRIVACY_VISITORS || !hit->who.len)
		return true;
	return b->project->privacy == PRIVACY_CONSENT && !is_true(hit, S("$consent"));
}

/* Addresses go, and of a visitor whatever names the person. */
static void strip(Batch *b, Hit *hit, bool visitor)
{
	static const Str always[] = { S("$ip"), S("ip"), S("token") };
	static const Str of_visitor[] = { S("distinct_id"),       S("$distinct_id"),
		                          S("$anon_distinct_id"), S("alias"),
		                          S("$user_id"),          S("$device_id"),
		                          S("$session_id"),       S("$set"),
		                          S("$set_once") };
	HitProp *kept = ARENA_ARRAY(b->arena, HitProp, hit->prop_count + 1);
	uint32_t count = 0;

	for (uint32_t i = 0; i < hit->prop_count; i++) {
		bool drop = false;

		for (size_t k = 0; k < COUNT(always); k++)
			drop = drop || str_eq(hit->props[i].key, always[k]);
		for (size_t k = 0; visitor && k < COUNT(of_visitor); k++)
			drop = drop || str_eq(hit->props[i].key, of_visitor[k]);
		if (!drop)
			kept[count++] = hit->props[i];
	}
	hit->props = kept;
	hit->prop_count = count;
}

static Err *name_persons(Batch *b)
{
	ServiceCall *c = b->call;

	for (size_t i = 0; i < b->hit_count; i++) {
		Hit *hit = &b->hits[i];
		bool visitor = as_visitor(b, hit);

		hit->project = b->project->id;
		if (visitor && !b->visitor.len)
			TRY(visitor_of(b->service->db, b->arena, b->limits.now_ms, c->address,
			               service_header(c, "User-Agent"), b->project->name,
			               &b->visitor));
		strip(b, hit, visitor);
		if (visitor)
			hit->who = b->visitor;
	}
	return NULL;
}

/* --- names ------------------------------------------------------------------------------------------------------------- */

/* Names of this batch that the loop has not met. */
typedef struct Fresh {
	Batch *batch;
	Map names[2]; /* of events, of properties */
} Fresh;

static void fresh_fini(Fresh *f)
{
	map_fini(&f->names[0]);
	map_fini(&f->names[1]);
}

static void meet(Fresh *f, Str name, bool property)
{
	if (!intake_knows(f->batch->service, f->batch->project->id, name, property))
		map_put(&f->names[property], name, f);
}

static bool has_fresh(const Fresh *f, const Hit *hit)
{
	if (map_get(&f->names[0], hit->name))
		return true;
	for (uint32_t i = 0; i < hit->prop_count; i++)
		if (map_get(&f->names[1], hit->props[i].key))
			return true;
	return false;
}

/* Is there room for them? Those that are there already count twice, which is a little early. */
static Err *fits(Fresh *f, bool property, bool *out)
{
	Batch *b = f->batch;
	NamesCountRow *row;

	*out = true;
	if (!f->names[property].count)
		return NULL;
	TRY(db_one(b->service->db, b->arena, names_count, &row, .project = b->project->id,
	           .kind = property ? S("property") : S("event")));
	*out = (uint64_t)row->count + f->names[property].count <= b->service->conf->names_most;
	return NULL;
}

/* Events with a name that is one too many are refused: each name is a column, or a row of every report. */
static Err *refuse_names(Batch *b)
{
	AUTO(fresh_fini) Fresh f = { .batch = b };
	bool events, properties;
	size_t kept = 0;

	for (size_t i = 0; i < b->hit_count; i++) {
		meet(&f, b->hits[i].name, false);
		for (uint32_t k = 0; k < b->hits[i].prop_count; k++)
			meet(&f, b->hits[i].props[k].key, true);
	}
	TRY(fits(&f, false, &events));
	TRY(fits(&f, true, &properties));
	if (events && properties)
		return NULL;
	for (size_t i = 0; i < b->count; i++) {
		BatchRow *row = &b->rows[i];

		if (row->refusal.code)
			continue;
		if (has_fresh(&f, &b->hits[row->hit])) {
			row->refusal = (HitRefusal){ "names.too_many",
				                     S("it has a name that is one too many") };
			continue;
		}
		b->hits[kept] = b->hits[row->hit];
		row->hit = kept++;
	}
	b->hit_count = kept;
	return NULL;
}

/* --- taking ------------------------------------------------------------------------------------------------------------ */

static Err *keep_refused(Batch *b)
{
	Arena *a = b->arena;
	FailedRow *rows = ARENA_ARRAY(a, FailedRow, b->count + 1);
	FailedCountRow *there;
	size_t count = 0, room;

	TRY(db_one(b->service->db, a, failed_count, &there, .project = b->project->id));
	room = b->service->conf->failed_most > (uint64_t)there->count
	               ? b->service->conf->failed_most - (size_t)there->count
	               : 0;
	for (size_t i = 0; i < b->count && count < room; i++) {
		const BatchRow *row = &b->rows[i];

		if (!row->refusal.code)
			continue;
		rows[count++] = (FailedRow){ .id = uuid_new(),
			                     .project = b->project->id,
			                     .source = str_of(b->source),
			                     .code = str_of(row->refusal.code),
			                     .detail = row->refusal.text,
			                     .body = failed_text(a, row->raw),
			                     .received_at = b->limits.now_ms * 1000 };
	}
	return count ? db_load(b->service->db, a, failed_load, rows, count) : NULL;
}

static void count_them(const Batch *b)
{
	const MetricCell *cells = b->service->cells.at;

	metric_add(cells[CELL_STORED], b->stored);
	metric_add(cells[CELL_DUPLICATES], b->duplicates);
	metric_add(cells[CELL_REFUSED], b->refused);
}

Err *batch_take(Batch *b)
{
	Arena *a = b->call->arena;

	TRY(name_persons(b));
	TRY(refuse_names(b));
	b->fates = ARENA_ARRAY(b->arena, uint8_t, b->hit_count + 1);
	TRY(intake_take(b->service, a, b->hits, b->hit_count, b->fates));
	for (size_t i = 0; i < b->hit_count; i++)
		b->stored += b->fates[i] == INTAKE_STORED;
	b->duplicates = b->hit_count - b->stored;
	b->refused = b->count - b->hit_count;
	count_them(b);
	TRY(persons_merge_of(b->service, b->arena, b->hits, b->hit_count));
	return b->refused ? keep_refused(b) : NULL;
}

void batch_allow_origin(ServiceCall *c)
{
	service_say_header(c, "Access-Control-Allow-Origin", S("*"));
}

Err *batch_options(ServiceCall *c)
{
	batch_allow_origin(c);
	service_say_header(c, "Access-Control-Allow-Methods", S("POST"));
	service_say_header(c, "Access-Control-Allow-Headers",
	                   S("Content-Type, Content-Encoding, Authorization"));
	service_say_header(c, "Access-Control-Max-Age", S("86400"));
	return NULL;
}
