/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as they come, read into one form. What clients call things differs (uuid, $insert_id, id); what becomes of it does not.
 *
 * Names are trimmed of nothing and changed in nothing: who asks for "Order paid" later must find what was sent. A value keeps the text
 * it came as, so that 12.50 is 12.50 again in an export; sums read it as a number when they are made.
 *
 * An event whose clock is ahead is refused rather than moved: a report of next year's numbers is found by nobody. */
#include "analytics/hit.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TIME_MOST_MS INT64_C(253402300799999) /* the end of the year 9999 */
#define REFUSE(refusal, code_, ...) \
	({ \
		*(refusal) = (HitRefusal){ (code_), str_fmt(a, __VA_ARGS__) }; \
		false; \
	})

Uuid hit_id(Str text)
{
	Uuid id;
	uint64_t halves[2];

	if (uuid_read(text, &id))
		return id;
	halves[0] = hash_stable(text, 0x616e616c79746963, 0x73206f6620696473);
	halves[1] = hash_stable(text, 0x6f74686572206861, 0x6c66206f66206974);
	memcpy(id.at, halves, sizeof(id.at));
	id.at[6] = (uint8_t)(0x80 | (id.at[6] & 0x0f)); /* version 8: of our own making */
	id.at[8] = (uint8_t)(0x80 | (id.at[8] & 0x3f));
	return id;
}

Cell hit_cell(Arena *a, const Json *value)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	JsonKind kind = json_kind(value);
	Str text;
	bool yes;

	if (kind == JSON_KIND_NULL)
		return (Cell){ 0 };
	if (json_to_str(value, &text))
		return (Cell){ CELL_STR, text };
	if (json_to_bool(value, &yes))
		return (Cell){ CELL_BOOL, yes ? S("true") : S("false") };
	json_put(&w, value);
	text = str_dup(a, buf_str(&b));
	if (kind == JSON_KIND_INT)
		return (Cell){ CELL_INT, text };
	return (Cell){ kind == JSON_KIND_REAL ? CELL_REAL : CELL_JSON, text };
}

bool cell_eq(Cell x, Cell y)
{
	return x.kind == y.kind && str_eq(x.text, y.text);
}

bool cell_number(Cell cell, double *out)
{
	char text[40], *end;
	double n;

	if (cell.kind == CELL_NONE || cell.kind == CELL_BOOL || cell.kind == CELL_JSON ||
	    !cell.text.len || cell.text.len >= sizeof(text))
		return false;
	memcpy(text, cell.text.at, cell.text.len);
	text[cell.text.len] = 0;
	if (strspn(text, "0123456789+-.eE") != cell.text.len)
		return false; /* strtod knows more: inf, hexadecimal */
	n = strtod(text, &end);
	if (*end || !isfinite(n))
		return false;
	*out = n;
	return true;
}

void cell_put_json(JsonWriter *w, Cell cell)
{
	if (cell.kind == CELL_NONE)
		json_add_null(w);
	else if (cell.kind == CELL_STR)
		json_add_str(w, cell.text);
	else
		json_add_raw(w, cell.text);
}

const HitProp *hit_prop(const Hit *hit, Str key)
{
	for (uint32_t i = 0; i < hit->prop_count; i++)
		if (str_eq(hit->props[i].key, key))
			return &hit->props[i];
	return NULL;
}

bool hit_props(Arena *a, const Json *object, Hit *out, HitRefusal *refusal)
{
	size_t count = json_count(object);
	HitProp *props = ARENA_ARRAY(a, HitProp, count + 1);
	const Json *value;
	void *at = NULL;
	Str key;

	if (count > HIT_PROPS_MOST)
		return REFUSE(refusal, "properties.too_many", "it has %zu properties, at most %d",
		              count, HIT_PROPS_MOST);
	out->props = props;
	out->prop_count = 0;
	while (json_next(object, &at, &key, &value)) {
		HitProp *prop = &props[out->prop_count];

		*prop = (HitProp){ key, hit_cell(a, value) };
		if (!key.len || key.len > HIT_KEY_MOST)
			return REFUSE(refusal, "properties.name",
			              "a property's name has %zu bytes, 1 to %d may be", key.len,
			              HIT_KEY_MOST);
		if (prop->value.text.len > HIT_VALUE_MOST)
			return REFUSE(refusal, "properties.too_long",
			              "property %.*s has %zu bytes, at most %d", STR_ARG(key),
			              prop->value.text.len, HIT_VALUE_MOST);
		out->prop_count += prop->value.kind != CELL_NONE;
	}
	return true;
}

static bool check_name(Arena *a, const char *what, Str text, size_t most, HitRefusal *refusal)
{
	if (!text.len)
		return REFUSE(refusal, what, "it has no %s", what);
	if (text.len > most)
		return REFUSE(refusal, what, "%s has %zu bytes, at most %zu", what, text.len, most);
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
			return REFUSE(refusal, what, "%s has a control character", what);
	return true;
}

bool hit_who_is_ours(Str who)
{
	return str_starts(who, S(HIT_WHO_ERASED));
}

bool hit_check(Arena *a, const Hit *hit, const HitLimits *limits, HitRefusal *refusal)
{
	if (!check_name(a, "event", hit->name, HIT_NAME_MOST, refusal) ||
	    !check_name(a, "distinct_id", hit->who, HIT_WHO_MOST, refusal))
		return false;
	if (hit_who_is_ours(hit->who))
		return REFUSE(refusal, "distinct_id",
		              "distinct_id has a name of those who were erased");
	if (hit->time_ms > limits->now_ms + limits->future_ms)
		return REFUSE(refusal, "timestamp.future", "its time is %" PRId64 " s ahead",
		              (hit->time_ms - limits->now_ms) / 1000);
	if (hit->time_ms < 0 ||
	    (limits->past_ms && hit->time_ms < limits->now_ms - limits->past_ms))
		return REFUSE(refusal, "timestamp.past", "its time is %" PRId64 " days ago",
		              (limits->now_ms - hit->time_ms) / 86400000);
	return true;
}

/* --- an object -------------------------------------------------------------------------------------------------------- */

/* The first of these members that is there. */
static const Json *member(const Json *object, const Json *props, Str first, Str second)
{
	const Json *value = json_get(object, first);

	if (!value && second.len)
		value = json_get(str_starts(second, S("$")) ? props : object, second);
	return value;
}

/* RFC 3339, or milliseconds since 1970 as some clients have it. What no clock shows is brought to where it is refused, so that one can
 * reckon with it. */
static bool read_time(const Json *value, int64_t *ms)
{
	int64_t us;
	Str text;

	if (json_to_i64(value, ms)) {
		*ms = MIN(MAX(*ms, -TIME_MOST_MS), TIME_MOST_MS);
		return true;
	}
	if (!json_to_str(value, &text) || !time_read_rfc3339(text, &us))
		return false;
	*ms = us >= 0 ? us / 1000 : -1;
	return true;
}

static bool read_id(Arena *a, const Json *object, const Json *props, Hit *out, HitRefusal *refusal)
{
	const Json *value = member(object, props, S("uuid"), S("id"));
	Str text;

	if (!value)
		value = json_get(props, S("$insert_id"));
	if (!value) {
		out->id = uuid_new();
		return true;
	}
	if (!json_to_str(value, &text) || !text.len || text.len > 200)
		return REFUSE(refusal, "id", "its id is no text of 1 to 200 bytes");
	out->id = hit_id(text);
	return true;
}

/* A person may be named by a number. */
static Str read_who(Arena *a, const Json *value)
{
	int64_t n;
	Str who = S("");

	if (json_to_i64(value, &n))
		return str_fmt(a, "%" PRId64, n);
	json_to_str(value, &who);
	return who;
}

bool hit_read(Arena *a, const Json *object, const HitLimits *limits, int64_t shift_ms, Hit *out,
              HitRefusal *refusal)
{
	const Json *props = json_get(object, S("properties")), *at;
	const Json *who = member(object, props, S("distinct_id"), S("$distinct_id"));
	Hit hit = { .project = out->project, .received_ms = limits->now_ms };
	int64_t offset;

	if (json_kind(object) != JSON_KIND_OBJECT)
		return REFUSE(refusal, "event.type", "it is no object");
	if (props && json_kind(props) != JSON_KIND_OBJECT && json_kind(props) != JSON_KIND_NULL)
		return REFUSE(refusal, "properties.type", "properties is no object");
	json_to_str(json_get(object, S("event")), &hit.name);
	hit.who = read_who(a, who ? who : json_get(props, S("distinct_id")));
	hit.time_ms = limits->now_ms;
	at = json_get(object, S("timestamp"));
	if (json_kind(at) != JSON_KIND_NULL) {
		if (!read_time(at, &hit.time_ms))
			return REFUSE(refusal, "timestamp", "its timestamp is no time of RFC 3339");
		hit.time_ms += shift_ms;
	} else if (json_to_i64(json_get(object, S("offset")), &offset) && offset > 0) {
		hit.time_ms -= MIN(offset, TIME_MOST_MS);
	}
	if (!read_id(a, object, props, &hit, refusal) || !hit_props(a, props, &hit, refusal) ||
	    !hit_check(a, &hit, limits, refusal))
		return false;
	*out = hit;
	return true;
}
