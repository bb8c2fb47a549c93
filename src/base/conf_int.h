/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of conf share: single values, and the arrays behind lists and maps. */
#pragma once
#include "base/conf.h"

/* How a list or map lies in memory, whatever its items are. */
typedef struct ConfArray {
	char *at;
	size_t count;
} ConfArray;

ConfArray conf_array(const ConfKey *key, const void *object);
void conf_array_set(const ConfKey *key, void *object, ConfArray array);

static inline void *conf_field(const ConfKey *key, void *object)
{
	return (char *)object + key->offset;
}

static inline const void *conf_field_const(const ConfKey *key, const void *object)
{
	return (const char *)object + key->offset;
}

/* One scalar from text into key->size bytes, limits and verify applied. Fails with INVALID "conf.value". */
Err *conf_value_read(Arena *a, const ConfKey *key, void *into, Str text) MUST_USE;
/* As it would be written, strings bare. */
void conf_value_put(Buf *b, const ConfKey *key, const void *from);
bool conf_value_is_zero(const ConfKey *key, const void *from);
bool conf_type_has_size(ConfType type, size_t size);
const char *conf_type_name(ConfType type); /* "duration" */
/* Into one field, from what the row says; a nested object's too. */
void conf_key_default(Arena *a, const ConfKey *key, void *object);
const ConfKey *conf_find_key(const ConfTable *table, Str name); /* CONF_NAME rows are none */
/* A help as a sentence's beginning: its first word with a capital, when it is a word ("host:port" is none). */
Str conf_sentence(Arena *a, Str help);
