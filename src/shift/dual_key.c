/* SPDX-License-Identifier: Apache-2.0
 *
 * What a write's order goes by. Whatever the configuration names, a request that does not have it goes by its path, so every
 * write has a key. Keys stand in the book and are shown to people: what is long, not printable or called like a secret is
 * there as a hash. Keys of different kinds never meet, as each says its kind. */
#include "shift/dual_key.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "gateway/identity.h"
#include "gateway/route.h"
#include "http/message.h"
#include "rt/work.h"
#include "shift/mask.h"

enum { LOOP_BYTES = 16 << 10 };

static bool is_plain(Str text)
{
	uint32_t code;

	if (!text.len || text.len > DUAL_KEY_MAX - 40)
		return false;
	for (size_t i = 0, n; i < text.len; i += n) {
		n = str_utf8(str_sub(text, i, text.len), &code);
		if (!n || code < ' ' || code == 0x7f)
			return false;
	}
	return true;
}

/* 128 bits: two that share one would only wait for each other. */
static Str hashed(Arena *a, Str value)
{
	return str_fmt(a, "#%016" PRIx64 "%016" PRIx64, hash_stable(value, UINT64_C(0x77726974), 1),
	               hash_stable(value, UINT64_C(0x77726974), 2));
}

static Str named(Arena *a, const char *kind, Str name, Str value)
{
	bool hides = !is_plain(value) || mask_name(NULL, name) || mask_has_shape(value);
	Str shown = hides ? hashed(a, value) : value;

	return name.len && is_plain(name) ? str_fmt(a, "%s:%.*s=%.*s", kind,
	                                            STR_ARG(str_sub(name, 0, 30)), STR_ARG(shown))
	                                  : str_fmt(a, "%s:%.*s", kind, STR_ARG(shown));
}

typedef struct Reading {
	Arena *arena;
	Str body;
	const ReshapePath *path;
	Str found; /* empty: there is none */
} Reading;

static void read_body(void *arg)
{
	Reading *r = arg;
	const Json *at;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	if (!r->body.len || json_read(r->arena, r->body, 0, &at))
		return;
	for (size_t i = 0; i < r->path->count; i++)
		at = json_get(at, r->path->names[i]);
	if (json_kind(at) == JSON_KIND_NULL || json_kind(at) == JSON_KIND_OBJECT ||
	    json_kind(at) == JSON_KIND_ARRAY)
		return;
	if (json_to_str(at, &r->found)) {
		r->found = str_dup(r->arena, r->found);
		return;
	}
	json_put(&w, at);
	r->found = str_dup(r->arena, buf_str(&b));
}

/* By a worker when it is large; here where none has time, for a key must not depend on that. */
static Str body_field(Arena *a, const ReshapePath *path, Str body)
{
	Reading r = { .arena = a, .body = body, .path = path };

	if (body.len <= LOOP_BYTES || work_run(read_body, &r))
		read_body(&r);
	return r.found;
}

static Str path_key(Arena *a, Str path)
{
	return named(a, "path", (Str){ 0 }, path);
}

Str dual_key(Arena *a, const WritesKey *key, const DualKeyAsk *ask)
{
	Str value = { 0 };

	switch ((WritesBy)key->by) {
	case WRITES_BY_PART:
		return route_part(ask->route, ask->path, key->name, &value) && value.len
		               ? named(a, "part", key->name, value)
		               : path_key(a, ask->path);
	case WRITES_BY_HEADER:
		value = headers_get_name(ask->headers, key->name);
		return value.len ? named(a, "header", key->name, value) : path_key(a, ask->path);
	case WRITES_BY_CLAIM:
		value = identity_claim(ask->identity, a, key->name);
		return value.len ? named(a, "claim", key->name, value) : path_key(a, ask->path);
	case WRITES_BY_USER:
		return ask->user ? str_fmt(a, "user:#%016" PRIx64, ask->user)
		                 : path_key(a, ask->path);
	case WRITES_BY_BODY:
		value = body_field(a, &key->path, ask->body);
		return value.len ? named(a, "body", key->path.names[key->path.count - 1], value)
		                 : path_key(a, ask->path);
	case WRITES_BY_PATH:
		break;
	}
	return path_key(a, ask->path);
}
