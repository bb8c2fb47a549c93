/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON (RFC 8259): a writer onto a Buf, and values read into a tree.
 *
 * The writer puts the commas and is sticky: a value where a key belongs, an end that does not fit, a depth above 64 or a
 * full buffer break it, and json_done is the only check. The reader refuses depth above 64 before anything recursive
 * sees the text, a key given twice, integers outside int64_t, U+0000, invalid UTF-8. Integers stay exact. */
#pragma once
#include "base/buf.h"

enum { JSON_MAX_DEPTH = 64 };

typedef struct JsonWriter {
	Buf *buf;
	uint64_t objects; /* a bit a level: is it an object? */
	uint64_t filled;  /* a bit a level: is something in it? */
	uint8_t depth;
	bool keyed; /* a key was written, its value is due */
	bool whole; /* the outermost value is complete */
	bool broken;
} JsonWriter;

JsonWriter json_writer(Buf *b);
void json_begin_object(JsonWriter *w);
void json_begin_array(JsonWriter *w);
void json_end(JsonWriter *w); /* of the innermost object or array */
void json_key(JsonWriter *w, Str key);
void json_add_str(JsonWriter *w, Str text); /* bytes that are not UTF-8 become U+FFFD */
void json_add_i64(JsonWriter *w, int64_t n);
void json_add_u64(JsonWriter *w, uint64_t n);
void json_add_real(JsonWriter *w,
                   double n); /* the shortest that reads back the same; not finite: null */
void json_add_bool(JsonWriter *w, bool yes);
void json_add_null(JsonWriter *w);
void json_add_time(JsonWriter *w, int64_t utc_us); /* RFC 3339, a string */
void json_add_raw(JsonWriter *w, Str json);        /* a value that is JSON already; not looked at */
/* json_key and a value at once. */
void json_put_str(JsonWriter *w, const char *key, Str text);
void json_put_i64(JsonWriter *w, const char *key, int64_t n);
void json_put_u64(JsonWriter *w, const char *key, uint64_t n);
void json_put_real(JsonWriter *w, const char *key, double n);
void json_put_bool(JsonWriter *w, const char *key, bool yes);
/* Fails with INTERNAL "json.writer" (misuse, or not ended) or "base.buffer_full". The view is the whole Buf's. */
Err *json_done(const JsonWriter *w, Str *out) MUST_USE;

/* Just the text of a string, quotes included; for those who write lines by hand. */
void json_put_quoted(Buf *b, Str text);

typedef struct Json Json; /* a value; lives as long as the arena it was read into; never changed */
typedef enum JsonKind {
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_INT,
	JSON_KIND_REAL,
	JSON_KIND_STR,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT
} JsonKind;

/* limit_bytes 0: none. Fails with INVALID "json.syntax", "json.too_deep", "json.duplicate_key" or TOO_LARGE
 * "json.too_large"; the sentence has line, column and offset. */
Err *json_read(Arena *a, Str text, size_t limit_bytes, const Json **out) MUST_USE;

JsonKind json_kind(const Json *value); /* NULL is JSON_KIND_NULL: what is absent reads as null */
const char *json_kind_name(JsonKind kind);         /* "a string" */
size_t json_count(const Json *value);              /* of an array or object; else 0 */
const Json *json_get(const Json *object, Str key); /* NULL when absent or not an object */
const Json *json_at(const Json *array, size_t i);  /* NULL when outside or not an array */
/* Every pair, in the order of the text: `void *at = NULL; while (json_next(object, &at, &key, &value))`. */
bool json_next(const Json *object, void **at, Str *key, const Json **value);

/* False leaves *out alone when the value is of another kind. */
bool json_to_str(const Json *value, Str *out);
bool json_to_i64(const Json *value, int64_t *out);
bool json_to_real(const Json *value, double *out); /* an integer too */
bool json_to_bool(const Json *value, bool *out);

/* A member that must be there and of that kind; fail with INVALID "json.member": `"port" must be an integer`. */
Err *json_need_str(Arena *a, const Json *object, const char *key, Str *out) MUST_USE;
Err *json_need_i64(Arena *a, const Json *object, const char *key, int64_t *out) MUST_USE;
Err *json_need_bool(Arena *a, const Json *object, const char *key, bool *out) MUST_USE;
Err *json_need_kind(Arena *a, const Json *object, const char *key, JsonKind kind, const Json **out)
	MUST_USE;

/* The value as compact JSON, keys in the order of the text. */
void json_put(JsonWriter *w, const Json *value);
