/* SPDX-License-Identifier: Apache-2.0
 *
 * Structs to bytes and back, for the cache of an audit: a type's table names the fields that are pointers (texts, and arrays with their counts),
 * everything else is copied as it is. So a module whose facts are kept writes a table, and no code.
 *
 *	static const PackField import_fields[] = { PACK_TEXT(Import, module), PACK_TEXT(Import, name) };
 *	static const PackType import_type = { PACK_FIELDS(Import, import_fields) };
 *	static const PackField links_fields[] = { PACK_ARRAY(FileLinks, imports, import_count, &import_type) };
 *	static const PackType links_type = { PACK_FIELDS(FileLinks, links_fields) };
 *
 * The bytes are good for the same build of the program only (the cache's key sees to that): no order of bytes, no versions. What else points
 * somewhere (a rule, a node) is an index instead. */
#pragma once
#include "base/buf.h"

#include <stddef.h>

typedef struct PackType PackType;
typedef struct PackField {
	uint32_t offset;
	uint32_t count_offset; /* of an array: of its count */
	uint8_t count_size;    /* of that: 4 or 8 bytes; 0: a Str */
	const PackType *
		of; /* of an array: its rows, which may hold texts and arrays again; NULL: they are Str */
} PackField;
struct PackType {
	uint32_t size;
	uint32_t count;
	const PackField *fields; /* NULL: no pointers at all */
};
#define PACK_FIELDS(type, rows) .size = sizeof(type), .count = COUNT(rows), .fields = (rows)
#define PACK_PLAIN(type) .size = sizeof(type)
#define PACK_TEXT(type, field) \
	{ \
		.offset = offsetof(type, field) \
	}
#define PACK_ARRAY(type, field, counted, rows) \
	{ \
		.offset = offsetof(type, field), .count_offset = offsetof(type, counted), \
		.count_size = sizeof(((type *)NULL)->counted), .of = (rows) \
	}
#define PACK_TEXTS(type, field, counted) PACK_ARRAY(type, field, counted, NULL)

void pack_write(Buf *out, const PackType *type, const void *value);
/* Takes one value off the front of *in; texts are borrowed from it, all else is in the arena. False: these are no such bytes. */
bool pack_read(Arena *a, const PackType *type, Str *in, void **value) MUST_USE;
