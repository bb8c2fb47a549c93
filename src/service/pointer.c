/* SPDX-License-Identifier: Apache-2.0
 *
 * Where in a text a reader gave up, as a JSON pointer. The text is walked up to that offset with a stack of what is open: for an
 * object the key that was read last, for an array how many commas there were. It is no parser: it believes brackets, strings and
 * commas, and makes the best of the rest. Depth is bounded as the reader's is; below it, everything counts as that level. */
#include "service/pointer_int.h"

#include "base/arena.h"
#include "base/json.h"
#include "service/fields.h"

enum { LEVELS = JSON_MAX_DEPTH + 1, KEY_MOST = 1000 };

typedef struct Level {
	bool array;
	bool keyed; /* a key was read in this object, and not yet left by a comma */
	size_t index;
	Str key; /* as it is written, quotes off */
} Level;

typedef struct Walk {
	Level at[LEVELS];
	size_t depth;
	Str last; /* the string that ended last: a key, when it stands where one may */
	bool wants_key;
} Walk;

static void open_level(Walk *w, bool array)
{
	if (w->depth < LEVELS)
		w->at[w->depth++] = (Level){ .array = array };
	w->wants_key = !array;
}

static Level *top(Walk *w)
{
	return w->depth ? &w->at[w->depth - 1] : NULL;
}

static void take_string(Walk *w, Str text)
{
	Level *level = top(w);

	if (!level || level->array || !w->wants_key)
		return;
	level->key = text;
	level->keyed = true;
	w->wants_key = false;
}

static void take_comma(Walk *w)
{
	Level *level = top(w);

	if (!level)
		return;
	level->index++;
	level->keyed = false;
	w->wants_key = !level->array;
}

static void take(Walk *w, char c)
{
	switch (c) {
	case '{':
	case '[':
		open_level(w, c == '[');
		break;
	case '}':
	case ']':
		w->depth -= w->depth > 0;
		w->wants_key = false;
		break;
	case ',':
		take_comma(w);
		break;
	default:
		break;
	}
}

static void walk(Walk *w, Str text, size_t offset)
{
	size_t end = MIN(offset, text.len), i = 0;

	while (i < end) {
		size_t from = i + 1;

		if (text.at[i] != '"') {
			take(w, text.at[i++]);
			continue;
		}
		for (i++; i < end && text.at[i] != '"'; i++)
			i += text.at[i] == '\\';
		if (i < end)
			take_string(w, str_sub(text, from, i));
		i++;
	}
}

/* Escapes in a key are read as JSON reads them; a key that is none stays as it is written. */
static Str key_text(Arena *a, Str raw)
{
	const Json *value;
	Str text = raw;

	if (str_find_char(raw, '\\') >= 0 &&
	    !json_read(a, str_fmt(a, "\"%.*s\"", STR_ARG(raw)), 0, &value))
		json_to_str(value, &text);
	return str_sub(text, 0, KEY_MOST);
}

Str pointer_at(Arena *a, Str text, size_t offset)
{
	Walk *w = ARENA_NEW(a, Walk);
	Str pointer = S("");

	walk(w, text, offset);
	for (size_t i = 0; i < w->depth; i++) {
		const Level *level = &w->at[i];

		if (level->array)
			pointer = field_pointer_at(a, pointer, level->index);
		else if (level->keyed)
			pointer = field_pointer(a, pointer, key_text(a, level->key));
	}
	return pointer;
}
