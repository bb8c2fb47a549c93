/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines that a finding is about. A file's findings come by their lines, so the text is walked once from its head; an earlier line begins
 * anew. Long places and long lines are cut: one looks at code here, one does not read it. Of a line with a secret what may be the secret is not
 * shown: all from its first quotation mark or comment on, or the whole of it when it has none, or is not the first of the place (a key over many
 * lines). */
#include "audit/html_int.h"

#include <stdio.h>

enum { LINES_AROUND = 2, MOST_LINES = 14, MOST_BYTES = 200, LONGEST = 1 << 16 };

/* Moves to the beginning of a line; false: the text ends before it. */
static bool seek(HtmlCode *code, uint32_t line)
{
	if (!code->line || line < code->line) {
		code->line = 1;
		code->at = 0;
	}
	while (code->line < line) {
		ptrdiff_t end = str_find_char(str_sub(code->text, code->at, code->text.len), '\n');

		if (end < 0)
			return false;
		code->at += (size_t)end + 1;
		code->line++;
	}
	return code->at < code->text.len;
}

typedef enum Hiding { HIDE_NOTHING, HIDE_VALUE, HIDE_LINE } Hiding;

/* The lines after a secret's first are all of it. */
static Hiding hiding_of(const HtmlCode *code, uint32_t line)
{
	Hiding most = HIDE_NOTHING;

	for (size_t i = 0; i < code->hidden_count; i++) {
		uint32_t from = code->hidden[2 * i];

		if (from > line)
			break;
		if (line <= code->hidden[2 * i + 1])
			most = line > from || most == HIDE_LINE ? HIDE_LINE : HIDE_VALUE;
	}
	return most;
}

static size_t shown_of(Str line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.at[i] == '"' || line.at[i] == '\'' || line.at[i] == '#')
			return i;
	return 0;
}

static void put_line(JsonWriter *w, Str line, Hiding hiding)
{
	bool hidden = hiding != HIDE_NOTHING;
	size_t most = hiding == HIDE_LINE ? 0 : hidden ? shown_of(line) : MOST_BYTES;
	char shown[MOST_BYTES + 32];
	int len;

	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	if (line.len <= most && !hidden) {
		json_add_str(w, line);
		return;
	}
	most = MIN(most, (size_t)MOST_BYTES);
	while (most && ((unsigned char)line.at[most] & 0xc0) == 0x80)
		most--;
	len = snprintf(shown, sizeof(shown), "%.*s%s", (int)most, line.at,
	               hidden ? "(hidden: a secret)" : " ...");
	json_add_str(w, (Str){ shown, (size_t)len });
}

void html_put_code(JsonWriter *w, HtmlCode *code, uint32_t line, uint32_t end_line)
{
	uint32_t from = line > LINES_AROUND ? line - LINES_AROUND : 1;
	uint32_t to = (uint32_t)MIN((uint64_t)MAX(line, end_line) + LINES_AROUND,
	                            (uint64_t)from + MOST_LINES - 1);
	Str rest, row;

	if (!seek(code, from)) {
		json_add_null(w);
		return;
	}
	rest = str_sub(code->text, code->at, code->text.len);
	json_begin_object(w);
	json_put_u64(w, "from", from);
	json_key(w, S("lines"));
	json_begin_array(w);
	for (uint32_t i = from; i <= to && rest.len; i++) {
		ptrdiff_t end = str_find_char(str_sub(rest, 0, LONGEST), '\n');

		row = str_sub(rest, 0, end < 0 ? LONGEST : (size_t)end);
		put_line(w, row, hiding_of(code, i));
		rest = end < 0 ? S("") : str_sub(rest, (size_t)end + 1, rest.len);
	}
	json_end(w);
	json_end(w);
}
