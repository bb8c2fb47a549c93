/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of fields as a JSON Schema: what fields.c checks, in the words that others' tools know. Lengths of strings are bytes
 * here and characters there, so `maxLength` is never less than what is let pass. */
#include "base/arena.h"
#include "service/fields.h"

#include <stdio.h>

enum { STRING_MOST = 1000, ITEMS_MOST = 100 };

static const char *const types[] = {
	[FIELD_STR] = "string",  [FIELD_BOOL] = "boolean", [FIELD_INT] = "integer",
	[FIELD_REAL] = "number", [FIELD_TIME] = "string",  [FIELD_ID] = "string",
	[FIELD_ENUM] = "string", [FIELD_OBJECT] = NULL,    [FIELD_JSON] = NULL,
};

static void put_type(JsonWriter *w, const Field *row)
{
	if (!types[row->type])
		return;
	if (!row->nullable || row->shape == CONF_LIST) {
		json_put_str(w, "type", str_of(types[row->type]));
		return;
	}
	json_key(w, S("type"));
	json_begin_array(w);
	json_add_str(w, str_of(types[row->type]));
	json_add_str(w, S("null"));
	json_end(w);
}

static void put_words(JsonWriter *w, const Field *row)
{
	json_key(w, S("enum"));
	json_begin_array(w);
	for (const ConfWord *word = row->names; word->name; word++)
		json_add_str(w, str_of(word->name));
	if (row->nullable)
		json_add_null(w);
	json_end(w);
}

static void put_format(JsonWriter *w, const Field *row)
{
	const char *format = row->format               ? row->format
	                     : row->type == FIELD_TIME ? "date-time"
	                     : row->secret             ? "password"
	                                               : NULL;

	if (format)
		json_put_str(w, "format", str_of(format));
	if (row->secret)
		json_put_bool(w, "writeOnly", true);
}

static void put_bounds(JsonWriter *w, const Field *row)
{
	if (row->type == FIELD_STR) {
		if (row->min)
			json_put_i64(w, "minLength", 1);
		json_put_i64(w, "maxLength", row->max ? row->max : STRING_MOST);
	} else if (row->type == FIELD_INT && (row->min || row->max)) {
		json_put_i64(w, "minimum", row->min);
		json_put_i64(w, "maximum", row->max);
	}
}

static void put_ref(JsonWriter *w, const FieldTable *table)
{
	char text[200];
	int len = snprintf(text, sizeof text, "#/components/schemas/%s", table->name);

	json_put_str(w, "$ref", (Str){ text, (size_t)len });
}

static void put_id(JsonWriter *w, const Field *row)
{
	char text[200];
	int len = snprintf(text, sizeof text,
	                   "^%s[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
	                   row->prefix ? row->prefix : "");

	json_put_str(w, "pattern", (Str){ text, (size_t)len });
}

static void put_value(JsonWriter *w, const Field *row)
{
	put_type(w, row);
	if (row->type == FIELD_OBJECT)
		put_ref(w, row->table);
	if (row->type == FIELD_ID)
		put_id(w, row);
	if (row->type == FIELD_ENUM)
		put_words(w, row);
	put_bounds(w, row);
	put_format(w, row);
}

static void put_row(JsonWriter *w, const Field *row)
{
	json_key(w, str_of(row->name));
	json_begin_object(w);
	if (row->shape == CONF_LIST) {
		json_put_str(w, "type", S("array"));
		json_put_i64(w, "maxItems", row->items_max ? row->items_max : ITEMS_MOST);
		json_key(w, S("items"));
		json_begin_object(w);
		put_value(w, row);
		json_end(w);
	} else {
		put_value(w, row);
	}
	json_put_str(w, "description", str_of(row->help));
	json_end(w);
}

static void put_required(JsonWriter *w, const FieldTable *table)
{
	bool any = false;

	for (size_t i = 0; i < table->count; i++)
		any = any || table->rows[i].required;
	if (!any)
		return;
	json_key(w, S("required"));
	json_begin_array(w);
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].required)
			json_add_str(w, str_of(table->rows[i].name));
	json_end(w);
}

void fields_put_schema(JsonWriter *w, const FieldTable *table)
{
	json_begin_object(w);
	json_put_str(w, "type", S("object"));
	if (table->help)
		json_put_str(w, "description", str_of(table->help));
	put_required(w, table);
	json_key(w, S("properties"));
	json_begin_object(w);
	for (size_t i = 0; i < table->count; i++)
		put_row(w, &table->rows[i]);
	json_end(w);
	if (!table->open)
		json_put_bool(w, "additionalProperties", false);
	json_end(w);
}
