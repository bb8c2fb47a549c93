/* SPDX-License-Identifier: Apache-2.0
 *
 * What all shapes of the intake have in common. A request has memory of its own, beside the request's arena, which is small: a body of
 * four megabytes is some twenty as values. All bodies together may hold so much; beyond that a request is told to come again, before
 * it is read.
 *
 * What is no event is kept as it came (failed_events), with the reason, and the request still succeeds for the others: a client that
 * sends a thousand cannot do anything about one. Only when that row is written too is the answer sent. */
#include "analytics/batch.h"

#include "analytics/person.h"
#include "analytics/visitor.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/time.h"
#include "http/decode.h"
#include "http/exchange.h"
#include "http/server.h"
#include "rt/work.h"

#include "analytics_sql.h"

#include <string.h>

enum {
	BODIES_MOST = 64 << 20, /* bytes of all requests at work */
	ARENA_MOST = 160 << 20, /* of one, which is only a fuse: a body has its limit */
	HERE_BYTES = 64 << 10   /* a larger body is read on a worker */
};

static size_t bodies; /* atomic: bytes held by all */

/* --- the body ---------------------------------------------------------------------------------------------------------- */

static Err *hold(Batch *b, size_t bytes)
{
	size_t before = __atomic_fetch_add(&bodies, bytes, __ATOMIC_RELAXED);

	b->held += bytes;
	if (before + bytes > BODIES_MOST)
		return err_new(b->call->arena, ERR_BUSY, "analytics.busy",
		               "too many bytes of events are at work");
	return NULL;
}

static Err *read_raw(Batch *b, Str *out)
{
	ServiceCall *c = b->call;
	uint64_t most = b->service->conf->body_most;
	Buf *buf = ARENA_NEW(b->arena, Buf);
	Str piece;

	arena_defer(b->arena, (void (*)(void *))buf_fini, buf);
	TRY(http_limit_body(c->x, most));
	do {
		TRY(http_read(c->x, &piece));
		TRY(hold(b, piece.len));
		buf_put(buf, piece);
	} while (piece.len);
	*out = buf_str(buf);
	return NULL;
}

typedef struct Opening {
	Str coding, raw;
	uint64_t most;
	Buf *out;
	HttpDecoded how;
} Opening;

static void open_body(void *arg)
{
	Opening *o = arg;

	o->how = http_decode(o->coding, o->raw, o->most, o->out);
}

/* gzip may come without its name: pages send it so, for a header would ask the server first. */
static Str coding_of(const Batch *b, Str raw)
{
	Str coding = service_header(b->call, "Content-Encoding");

	if (!coding.len && raw.len > 2 && (uint8_t)raw.at[0] == 0x1f && (uint8_t)raw.at[1] == 0x8b)
		return S("gzip");
	return coding;
}

static Err *open_coding(Batch *b, Str raw)
{
	Opening o = { .coding = coding_of(b, raw),
		      .raw = raw,
		      .most = b->service->conf->body_most,
		      .out = ARENA_NEW(b->arena, Buf) };
	Arena *a = b->call->arena;

	if (!o.coding.len) {
		b->body = raw;
		return NULL;
	}
	arena_defer(b->arena, (void (*)(void *))buf_fini, o.out);
	TRY(work_run(open_body, &o));
	TRY(hold(b, o.out->len));
	if (o.how == HTTP_DECODED_CUT)
		return err_new(a, ERR_TOO_LARGE, "http.body_too_large",
		               "the body is larger than %" PRIu64 " bytes", o.most);
	if (o.how != HTTP_DECODED)
		return err_new(a, ERR_INVALID, "request.coding", "the body does not open as %.*s",
		               STR_ARG(str_quote(a, o.coding)));
	b->body = buf_str(o.out);
	return NULL;
}

Err *batch_begin(ServiceCall *c, const char *source, Batch *out)
{
	Analytics *s = analytics_of(c->home);
	Str raw;

	*out = (Batch){ .call = c, .service = s, .source = source, .arena = arena_new(ARENA_MOST) };
	out->limits = (HitLimits){ .now_ms = time_utc_us() / 1000,
		                   .past_ms = s->conf->past_us / 1000,
		                   .future_ms = s->conf->future_us / 1000 };
	out->hidden = str_eq(service_header(c, "Sec-GPC"), S("1")) ||
	              str_eq(service_header(c, "DNT"), S("1"));
	TRY(read_raw(out, &raw));
	return open_coding(out, raw);
}

void batch_end(Batch *b)
{
	__atomic_sub_fetch(&bodies, b->held, __ATOMIC_RELAXED);
	b->held = 0;
	arena_free(b->arena);
	b->arena = NULL;
}

typedef struct Reading {
	Batch *batch;
	BatchRead *fn;
	Err *err;
} Reading;

static void read_there(void *arg)
{
	Reading *r = arg;

	r->err = r->fn(r->batch);
}

Err *batch_read(Batch *b, BatchRead *fn)
{
	Reading r = { b, fn, NULL };

	if (b->body.len <= HERE_BYTES)
		read_there(&r);
	else
		TRY(work_run(read_there, &r));
	if (!r.err && arena_spent(b->arena))
		return err_new(b->call->arena, ERR_TOO_LARGE, "http.body_too_large",
		               "the body takes more memory than it may");
	return r.err ? err_copy(b->call->arena, r.err) : NULL;
}

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
