/* SPDX-License-Identifier: Apache-2.0
 *
 * Single values of a configuration: text in, field out, and back. Types are rows. Every number travels as a Number,
 * wide enough for all of them, so that limits are compared in one place and the field's own size is one limit more.
 * Defaults and limits are written in the rows as a user would write them and read by the same functions. */
#include "base/conf_int.h"

#include "base/arena.h"
#include "base/units.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Number {
	__int128 whole;
	double real; /* CONF_REAL only */
} Number;

typedef Err *ReadNumber(Arena *a, const ConfKey *key, Str text, Number *out);
typedef void PutNumber(Buf *b, const ConfKey *key, Number n);

static ReadNumber read_bool, read_integer, read_real, read_duration, read_bytes, read_share,
	read_enum;
static PutNumber put_bool, put_integer, put_real, put_duration, put_bytes, put_share, put_enum;

enum { SIZE_1 = 1 << 1, SIZE_2 = 1 << 2, SIZE_4 = 1 << 4, SIZE_8 = 1 << 8, SIZE_STR = 1 << 16 };

static const struct {
	const char *name;
	uint32_t sizes;
	bool has_sign;
	ReadNumber *read; /* NULL: text, or no scalar */
	PutNumber *put;
} types[] = {
	[CONF_BOOL] = { "true or false", SIZE_1, false, read_bool, put_bool },
	[CONF_UINT] = { "number", SIZE_1 | SIZE_2 | SIZE_4 | SIZE_8, false, read_integer,
	                put_integer },
	[CONF_INT] = { "number", SIZE_4 | SIZE_8, true, read_integer, put_integer },
	[CONF_REAL] = { "decimal number", SIZE_8, true, read_real, put_real },
	[CONF_DURATION] = { "duration", SIZE_8, true, read_duration, put_duration },
	[CONF_BYTES] = { "size", SIZE_4 | SIZE_8, false, read_bytes, put_bytes },
	[CONF_SHARE] = { "share", SIZE_4, false, read_share, put_share },
	[CONF_STR] = { "text", SIZE_STR, false, NULL, NULL },
	[CONF_PATH] = { "file", SIZE_STR, false, NULL, NULL },
	[CONF_ENUM] = { "word", SIZE_1 | SIZE_2 | SIZE_4, false, read_enum, put_enum },
	[CONF_OBJECT] = { "object", 0, false, NULL, NULL },
	[CONF_NAME] = { "name", SIZE_STR, false, NULL, NULL },
};
_Static_assert(COUNT(types) == CONF_NAME + 1, "a type has no row");
_Static_assert(sizeof(Str) == 16 && sizeof(ConfArray) == 16 && sizeof(bool) == 1,
               "layouts that rows rely on");

bool conf_type_has_size(ConfType type, size_t size)
{
	return size <= 16 && (types[type].sizes >> size & 1);
}

const char *conf_type_name(ConfType type)
{
	return types[type].name;
}

static Err *wrong(Arena *a, const ConfKey *key, Str text, const char *expected)
{
	return err_new(a, ERR_INVALID, "conf.value", "%s: %.*s is not %s", key->name,
	               STR_ARG(str_quote(a, text)), expected);
}

static Err *because(Arena *a, const ConfKey *key, const Err *why)
{
	return err_new(a, ERR_INVALID, "conf.value", "%s: %.*s", key->name, STR_ARG(why->text));
}

static Err *read_bool(Arena *a, const ConfKey *key, Str text, Number *out)
{
	static const struct {
		Str word;
		bool value;
	} words[] = { { { "true", 4 }, true },   { { "yes", 3 }, true }, { { "on", 2 }, true },
		      { { "false", 5 }, false }, { { "no", 2 }, false }, { { "off", 3 }, false } };

	for (size_t i = 0; i < COUNT(words); i++) {
		if (str_eq_nocase(text, words[i].word)) {
			out->whole = words[i].value;
			return NULL;
		}
	}
	return wrong(a, key, text, "true or false");
}

static Err *read_integer(Arena *a, const ConfKey *key, Str text, Number *out)
{
	bool minus = text.len && text.at[0] == '-';
	uint64_t n;

	if (!str_to_u64(minus ? str_sub(text, 1, text.len) : text, &n))
		return wrong(a, key, text, "a whole number");
	out->whole = minus ? -(__int128)n : (__int128)n;
	return NULL;
}

static Err *read_real(Arena *a, const ConfKey *key, Str text, Number *out)
{
	const char *digits = str_z(a, text);
	size_t taken = strspn(digits, "0123456789+-.eE");
	char *end;

	out->real = strtod(digits, &end);
	if (!text.len || taken != text.len || end != digits + text.len || !isfinite(out->real))
		return wrong(a, key, text, "a decimal number");
	return NULL;
}

static Err *read_duration(Arena *a, const ConfKey *key, Str text, Number *out)
{
	int64_t us = 0;
	Err *err = units_read_duration(a, text, &us);

	out->whole = us;
	return err ? because(a, key, err) : NULL;
}

static Err *read_bytes(Arena *a, const ConfKey *key, Str text, Number *out)
{
	uint64_t bytes = 0;
	Err *err = units_read_bytes(a, text, &bytes);

	out->whole = bytes;
	return err ? because(a, key, err) : NULL;
}

static Err *read_share(Arena *a, const ConfKey *key, Str text, Number *out)
{
	uint32_t ppm = 0;
	Err *err = units_read_share(a, text, &ppm);

	out->whole = ppm;
	return err ? because(a, key, err) : NULL;
}

static Str list_words(Arena *a, const ConfWord *words)
{
	Str all = S("");

	for (const ConfWord *word = words; word->name; word++)
		all = str_fmt(a, "%.*s%s%s", STR_ARG(all),
		              word == words  ? ""
		              : word[1].name ? ", "
		                             : " or ",
		              word->name);
	return all;
}

static Err *read_enum(Arena *a, const ConfKey *key, Str text, Number *out)
{
	Str names[64];
	size_t count = 0;
	Str near;

	for (const ConfWord *word = key->names; word->name; word++) {
		if (str_eq(text, str_of(word->name))) {
			out->whole = word->value;
			return NULL;
		}
		if (count < COUNT(names))
			names[count++] = str_of(word->name);
	}
	near = str_nearest(text, names, count);
	if (near.len)
		return err_new(a, ERR_INVALID, "conf.value",
		               "%s: %.*s is not known: did you mean %.*s?", key->name,
		               STR_ARG(str_quote(a, text)), STR_ARG(near));
	return wrong(a, key, text, list_words(a, key->names).at);
}

static void put_bool(Buf *b, const ConfKey *key, Number n)
{
	(void)key;
	buf_put(b, n.whole ? S("true") : S("false"));
}

static void put_integer(Buf *b, const ConfKey *key, Number n)
{
	if (key->type == CONF_INT)
		buf_put_i64(b, (int64_t)n.whole);
	else
		buf_put_u64(b, (uint64_t)n.whole);
}

static void put_real(Buf *b, const ConfKey *key, Number n)
{
	char text[40];

	(void)key;
	for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, n.real);
		if (strtod(text, NULL) == n.real)
			break;
	}
	buf_put(b, str_of(text));
}

static void put_duration(Buf *b, const ConfKey *key, Number n)
{
	(void)key;
	units_put_duration(b, (int64_t)n.whole);
}

static void put_bytes(Buf *b, const ConfKey *key, Number n)
{
	(void)key;
	units_put_bytes(b, (uint64_t)n.whole);
}

static void put_share(Buf *b, const ConfKey *key, Number n)
{
	(void)key;
	units_put_share(b, (uint32_t)n.whole);
}

static void put_enum(Buf *b, const ConfKey *key, Number n)
{
	for (const ConfWord *word = key->names; word->name; word++) {
		if (word->value == n.whole) {
			buf_put(b, str_of(word->name));
			return;
		}
	}
	buf_put_u64(b, (uint64_t)n.whole);
}

/* The least and the greatest that `size` bytes hold. */
static Number widest(size_t size, bool has_sign, bool least)
{
	int bits = (int)size * 8 - has_sign;
	__int128 greatest = ((__int128)1 << bits) - 1;

	return (Number){ .whole = !least ? greatest : has_sign ? -greatest - 1 : 0 };
}

static bool is_below(const ConfKey *key, Number x, Number y)
{
	return key->type == CONF_REAL ? x.real < y.real : x.whole < y.whole;
}

static Err *read_number(Arena *a, const ConfKey *key, Str text, Number *out)
{
	return types[key->type].read(a, key, text, out);
}

/* What the row says, unless the field itself holds less. */
static Err *find_limit(Arena *a, const ConfKey *key, bool least, Number *out)
{
	const char *written = least ? key->min : key->max;
	Number limit;

	*out = widest(key->size, types[key->type].has_sign, least);
	if (key->type == CONF_REAL)
		out->real = least ? -DBL_MAX : DBL_MAX;
	if (!written)
		return NULL;
	/* cppcheck-suppress returnDanglingLifetime */
	TRY(read_number(a, key, str_of(written), &limit));
	if (is_below(key, least ? *out : limit, least ? limit : *out))
		*out = limit;
	return NULL;
}

static Err *check_limit(Arena *a, const ConfKey *key, Number n, bool least)
{
	AUTO(buf_fini) Buf b = { 0 };
	Number limit;

	TRY(find_limit(a, key, least, &limit));
	if (!is_below(key, least ? n : limit, least ? limit : n))
		return NULL;
	types[key->type].put(&b, key, limit);
	return err_new(a, ERR_INVALID, "conf.value", "%s: must be at %s %.*s", key->name,
	               least ? "least" : "most", STR_ARG(buf_str(&b)));
}

static void store(const ConfKey *key, void *into, Number n)
{
	/* Little and big endian alike: through a variable of the field's own size. */
	uint64_t u8 = (uint64_t)n.whole;
	uint32_t u4 = (uint32_t)u8;
	uint16_t u2 = (uint16_t)u8;
	uint8_t u1 = (uint8_t)u8;
	const void *from = key->size == 8   ? (void *)&u8
	                   : key->size == 4 ? (void *)&u4
	                   : key->size == 2 ? (void *)&u2
	                                    : &u1;

	if (key->type == CONF_REAL)
		from = &n.real;
	memcpy(into, from, key->size);
}

static Number fetch(const ConfKey *key, const void *from)
{
	Number n = { 0 };
	uint64_t u8 = 0;
	uint32_t u4 = 0;
	uint16_t u2 = 0;
	uint8_t u1 = 0;
	bool has_sign = types[key->type].has_sign;

	memcpy(key->size == 8   ? (void *)&u8
	       : key->size == 4 ? (void *)&u4
	       : key->size == 2 ? (void *)&u2
	                        : &u1,
	       from, key->size);
	if (key->type == CONF_REAL)
		memcpy(&n.real, &u8, sizeof n.real);
	else if (key->size == 8)
		n.whole = has_sign ? (__int128)(int64_t)u8 : (__int128)u8;
	else if (key->size == 4)
		n.whole = has_sign ? (__int128)(int32_t)u4 : (__int128)u4;
	else
		n.whole = key->size == 2 ? u2 : u1;
	return n;
}

static Err *check_length(Arena *a, const ConfKey *key, Str text)
{
	uint64_t least = 0;
	uint64_t most = UINT64_MAX;

	if ((key->min && !str_to_u64(str_of(key->min), &least)) ||
	    (key->max && !str_to_u64(str_of(key->max), &most)))
		return err_new(a, ERR_INTERNAL, "conf.table", "%s: its limits are not lengths",
		               key->name);
	if (text.len < least)
		return err_new(a, ERR_INVALID, "conf.value",
		               least == 1 ? "%s: must not be empty"
		                          : "%s: must have at least %" PRIu64 " bytes",
		               key->name, least);
	if (text.len > most)
		return err_new(a, ERR_INVALID, "conf.value",
		               "%s: must have at most %" PRIu64 " bytes", key->name, most);
	return NULL;
}

static Err *read_text(Arena *a, const ConfKey *key, void *into, Str text)
{
	Err *err;

	TRY(check_length(a, key, text));
	err = key->verify ? key->verify(a, text) : NULL;
	if (err)
		return because(a, key, err);
	text = str_dup(a, text);
	memcpy(into, &text, sizeof text);
	return NULL;
}

Err *conf_value_read(Arena *a, const ConfKey *key, void *into, Str text)
{
	Number n = { 0 };

	if (!types[key->type].read)
		return read_text(a, key, into, text);
	/* cppcheck-suppress returnDanglingLifetime */
	TRY(read_number(a, key, text, &n));
	TRY(check_limit(a, key, n, true));
	TRY(check_limit(a, key, n, false));
	store(key, into, n);
	return NULL;
}

void conf_value_put(Buf *b, const ConfKey *key, const void *from)
{
	Str text;

	if (types[key->type].put) {
		types[key->type].put(b, key, fetch(key, from));
		return;
	}
	memcpy(&text, from, sizeof text);
	buf_put(b, text);
}

bool conf_value_is_zero(const ConfKey *key, const void *from)
{
	Number n;
	Str text;

	if (!types[key->type].put) {
		memcpy(&text, from, sizeof text);
		return text.len == 0;
	}
	n = fetch(key, from);
	return key->type == CONF_REAL ? n.real == 0 : n.whole == 0;
}

ConfArray conf_array(const ConfKey *key, const void *object)
{
	ConfArray array;

	memcpy(&array, conf_field_const(key, object), sizeof array);
	return array;
}

void conf_array_set(const ConfKey *key, void *object, ConfArray array)
{
	memcpy(conf_field(key, object), &array, sizeof array);
}

const ConfKey *conf_find_key(const ConfTable *table, Str name)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->keys[i].type != CONF_NAME && str_eq(str_of(table->keys[i].name), name))
			return &table->keys[i];
	return NULL;
}

/* A list's arrays double, so its room is known from its count: the next power of two. */
static void *append(Arena *a, const ConfKey *key, void *object)
{
	ConfArray array = conf_array(key, object);

	if ((array.count & (array.count - 1)) == 0) {
		char *more = arena_alloc_array(a, key->size, MAX(array.count * 2, (size_t)1));

		if (array.count)
			memcpy(more, array.at, array.count * key->size);
		array.at = more;
	}
	array.count++;
	conf_array_set(key, object, array);
	return array.at + (array.count - 1) * key->size;
}

Err *conf_set(Arena *a, const ConfKey *key, void *base, Str text)
{
	union {
		Str align;
		char bytes[sizeof(Str)];
	} value = { 0 };

	TRY(conf_value_read(a, key, value.bytes, text));
	memcpy(key->shape == CONF_LIST ? append(a, key, base) : conf_field(key, base), value.bytes,
	       key->size);
	if (key->given)
		*((bool *)base + key->given - 1) = true;
	return NULL;
}

void conf_key_default(Arena *a, const ConfKey *key, void *object)
{
	Str rest = str_of(key->def);
	Str item;
	Err *err = NULL;

	if (key->type == CONF_OBJECT && key->shape == CONF_ONE)
		conf_defaults(a, key->table, conf_field(key, object));
	if (!key->def)
		return;
	if (key->shape == CONF_ONE)
		err = conf_value_read(a, key, conf_field(key, object), rest);
	while (key->shape == CONF_LIST && !err && str_split(&rest, ',', &item))
		err = conf_value_read(a, key, append(a, key, object), str_trim(item));
	if (err) {
		fprintf(stderr, "banyan: the default of %.*s\n", STR_ARG(err->text));
		abort();
	}
}

void conf_defaults(Arena *a, const ConfTable *table, void *into)
{
	memset(into, 0, table->size);
	for (size_t i = 0; i < table->count; i++)
		conf_key_default(a, &table->keys[i], into);
}
