/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading JSON with jansson. jansson descends by recursion and has its limit compiled in, so the depth is counted in a
 * flat pass first (fibers have small stacks). A Json is a json_t seen from outside; the arena owns the root. */
#include "base/json.h"

#include "base/arena.h"
#include "base/json_keep.h"

#include <jansson.h>
#include <string.h>

static const json_t *of(const Json *value)
{
	return (const json_t *)value;
}

static const Json *as(const json_t *value)
{
	return (const Json *)value;
}

typedef struct Place {
	size_t line;
	size_t column; /* in bytes, from 1 */
} Place;

static Place place_of(Str text, size_t offset)
{
	Place place = { 1, 1 };

	for (size_t i = 0; i < MIN(offset, text.len); i++) {
		place.column = text.at[i] == '\n' ? 1 : place.column + 1;
		place.line += text.at[i] == '\n';
	}
	return place;
}

/* The offset of the bracket that goes too deep; the length when none does. Unbalanced text is jansson's to refuse. */
static size_t find_too_deep(Str text)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (in_string) {
			i += c == '\\';
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_MAX_DEPTH)
				return i;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return text.len;
}

/* Jansson's own counting looks at the number without care for other threads, and does not wait for what they wrote before it
 * frees. Those that it never frees (true, false, null) have no count. */
static bool is_counted(const json_t *json)
{
	return json && __atomic_load_n(&json->refcount, __ATOMIC_RELAXED) != SIZE_MAX;
}

static void free_root(void *root)
{
	json_t *json = root;

	if (is_counted(json) && !__atomic_sub_fetch(&json->refcount, 1, __ATOMIC_ACQ_REL))
		json_delete(json);
}

static Err *refuse_syntax(Arena *a, Str text, const json_error_t *error)
{
	size_t offset = error->position < 0 ? text.len : (size_t)error->position;
	Place place = place_of(text, offset);
	bool twice = json_error_code(error) == json_error_duplicate_key;

	return err_new(a, ERR_INVALID, twice ? "json.duplicate_key" : "json.syntax",
	               "JSON line %zu, column %zu (offset %zu): %.*s", place.line, place.column,
	               offset, (int)strnlen(error->text, JSON_ERROR_TEXT_LENGTH), error->text);
}

/* jansson passes over one that follows a number, so that two readers would see two texts. */
static bool has_nul(Str text, json_error_t *error)
{
	const char *at = text.len ? memchr(text.at, 0, text.len) : NULL;

	if (!at)
		return false;
	error->position = (int)(at - text.at);
	snprintf(error->text, sizeof error->text, "a byte that is zero");
	return true;
}

Err *json_read(Arena *a, Str text, size_t limit_bytes, const Json **out)
{
	json_error_t error = { 0 };
	size_t deep;
	json_t *root;

	if (limit_bytes && text.len > limit_bytes)
		return err_new(a, ERR_TOO_LARGE, "json.too_large",
		               "JSON of %zu bytes, at most %zu are taken", text.len, limit_bytes);
	if (has_nul(text, &error))
		return refuse_syntax(a, text, &error);
	deep = find_too_deep(text);
	if (deep < text.len) {
		Place place = place_of(text, deep);

		return err_new(a, ERR_INVALID, "json.too_deep",
		               "JSON line %zu, column %zu (offset %zu): nested more than %d deep",
		               place.line, place.column, deep, JSON_MAX_DEPTH);
	}
	root = json_loadb(text.len ? text.at : "", text.len,
	                  JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!root)
		return refuse_syntax(a, text, &error);
	arena_defer(a, free_root, root);
	*out = as(root);
	return NULL;
}

const Json *json_keep(const Json *value)
{
	json_t *json = (json_t *)of(value);

	if (is_counted(json))
		__atomic_add_fetch(&json->refcount, 1, __ATOMIC_RELAXED);
	return value;
}

void json_let_go(const Json *value)
{
	free_root((json_t *)of(value));
}

JsonKind json_kind(const Json *value)
{
	static const JsonKind kinds[] = {
		[JSON_OBJECT] = JSON_KIND_OBJECT, [JSON_ARRAY] = JSON_KIND_ARRAY,
		[JSON_STRING] = JSON_KIND_STR,    [JSON_INTEGER] = JSON_KIND_INT,
		[JSON_REAL] = JSON_KIND_REAL,     [JSON_TRUE] = JSON_KIND_BOOL,
		[JSON_FALSE] = JSON_KIND_BOOL,    [JSON_NULL] = JSON_KIND_NULL,
	};

	return value ? kinds[json_typeof(of(value))] : JSON_KIND_NULL;
}

const char *json_kind_name(JsonKind kind)
{
	static const char *const names[] = {
		[JSON_KIND_NULL] = "null",        [JSON_KIND_BOOL] = "true or false",
		[JSON_KIND_INT] = "an integer",   [JSON_KIND_REAL] = "a number",
		[JSON_KIND_STR] = "a string",     [JSON_KIND_ARRAY] = "an array",
		[JSON_KIND_OBJECT] = "an object",
	};

	return names[kind];
}

size_t json_count(const Json *value)
{
	return json_is_array(of(value)) ? json_array_size(of(value)) : json_object_size(of(value));
}

const Json *json_get(const Json *object, Str key)
{
	return as(key.at ? json_object_getn(of(object), key.at, key.len)
	                 : json_object_getn(of(object), "", 0));
}

const Json *json_at(const Json *array, size_t i)
{
	return as(json_array_get(of(array), i));
}

bool json_next(const Json *object, void **at, Str *key, const Json **value)
{
	json_t *from = (json_t *)(uintptr_t)object;

	*at = *at ? json_object_iter_next(from, *at) : json_object_iter(from);
	if (!*at)
		return false;
	*key = (Str){ json_object_iter_key(*at), json_object_iter_key_len(*at) };
	*value = as(json_object_iter_value(*at));
	return true;
}

bool json_to_str(const Json *value, Str *out)
{
	if (!json_is_string(of(value)))
		return false;
	*out = (Str){ json_string_value(of(value)), json_string_length(of(value)) };
	return true;
}

bool json_to_i64(const Json *value, int64_t *out)
{
	if (!json_is_integer(of(value)))
		return false;
	*out = json_integer_value(of(value));
	return true;
}

bool json_to_real(const Json *value, double *out)
{
	if (!json_is_number(of(value)))
		return false;
	*out = json_number_value(of(value));
	return true;
}

bool json_to_bool(const Json *value, bool *out)
{
	if (!json_is_boolean(of(value)))
		return false;
	*out = json_is_true(of(value));
	return true;
}

static Err *need(Arena *a, const Json *object, const char *key, JsonKind kind, const Json **out)
{
	const Json *value = json_get(object, str_of(key));

	if (json_kind(value) != kind)
		return err_new(a, ERR_INVALID, "json.member", "\"%s\" must be %s%s", key,
		               json_kind_name(kind), value ? "" : ", and is missing");
	*out = value;
	return NULL;
}

Err *json_need_str(Arena *a, const Json *object, const char *key, Str *out)
{
	const Json *value = NULL;

	TRY(need(a, object, key, JSON_KIND_STR, &value));
	json_to_str(value, out);
	return NULL;
}

Err *json_need_i64(Arena *a, const Json *object, const char *key, int64_t *out)
{
	const Json *value = NULL;

	TRY(need(a, object, key, JSON_KIND_INT, &value));
	json_to_i64(value, out);
	return NULL;
}

Err *json_need_bool(Arena *a, const Json *object, const char *key, bool *out)
{
	const Json *value = NULL;

	TRY(need(a, object, key, JSON_KIND_BOOL, &value));
	json_to_bool(value, out);
	return NULL;
}

Err *json_need_kind(Arena *a, const Json *object, const char *key, JsonKind kind, const Json **out)
{
	return need(a, object, key, kind, out);
}

static void put_object(JsonWriter *w, const Json *object)
{
	void *at = NULL;
	const Json *value;
	Str key;

	json_begin_object(w);
	while (json_next(object, &at, &key, &value)) {
		json_key(w, key);
		json_put(w, value);
	}
	json_end(w);
}

static void put_array(JsonWriter *w, const Json *array)
{
	json_begin_array(w);
	for (size_t i = 0; i < json_count(array); i++)
		json_put(w, json_at(array, i));
	json_end(w);
}

void json_put(JsonWriter *w, const Json *value)
{
	switch (json_kind(value)) {
	case JSON_KIND_NULL:
		json_add_null(w);
		break;
	case JSON_KIND_BOOL:
		json_add_bool(w, json_is_true(of(value)));
		break;
	case JSON_KIND_INT:
		json_add_i64(w, json_integer_value(of(value)));
		break;
	case JSON_KIND_REAL:
		json_add_real(w, json_real_value(of(value)));
		break;
	case JSON_KIND_STR:
		json_add_str(w,
		             (Str){ json_string_value(of(value)), json_string_length(of(value)) });
		break;
	case JSON_KIND_ARRAY:
		put_array(w, value);
		break;
	case JSON_KIND_OBJECT:
		put_object(w, value);
		break;
	}
}
