/* SPDX-License-Identifier: Apache-2.0
 *
 * Every module has a few lines on the screen, and an audit with all options has too many of them together. No module knows of the others, so the
 * cut is made on the finished text: headings stay, of the rows below them the deepest and last of the longest runs go, as lists are in order of weight. */
#include "audit/report_fit.h"

#include <stdlib.h>

enum { ROW = 2 };

typedef struct Line {
	Str text;
	size_t indent; /* of a row two or more */
	bool asked;    /* a row of what was asked for by an option of its own */
	bool gone;
} Line;

static bool is_asked(Str heading)
{
	return str_starts(heading, S("Trends:")) || str_starts(heading, S("Compared with "));
}

static size_t indent_of(Str text)
{
	size_t n = 0;

	while (n < text.len && text.at[n] == ' ')
		n++;
	return n;
}

static size_t split(Str text, Line *lines)
{
	size_t count = 0;
	Str rest = text, line;
	bool asked = false;

	while (rest.len && str_split(&rest, '\n', &line)) {
		size_t indent = indent_of(line);

		if (line.len && indent < ROW)
			asked = is_asked(line);
		lines[count++] = (Line){ .text = line, .indent = indent, .asked = asked };
	}
	return count;
}

static size_t drop_empty(Line *lines, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		lines[i].gone = !lines[i].text.len;
		left += !lines[i].gone;
	}
	return left;
}

/* Of the longest run (of equal ones the last) the deepest row (the last of them); never the only row of a run, and those that were asked for only
 * when `all`. NULL: there is none. */
static Line *least(Line *lines, size_t count, bool all)
{
	Line *best = NULL, *deepest = NULL;
	size_t longest = 1, run = 0;

	for (size_t i = 0; i < count; i++) {
		Line *line = &lines[i];

		if (line->gone)
			continue;
		if (line->indent < ROW || (line->asked && !all)) {
			run = 0;
			continue;
		}
		if (!run++ || line->indent >= deepest->indent)
			deepest = line;
		if (run > 1 && run >= longest) {
			longest = run;
			best = deepest;
		}
	}
	return best;
}

bool report_fit(FILE *out, Str text, size_t most)
{
	size_t room = 1, left, count;
	bool cut = false;
	Line *lines;

	for (size_t i = 0; i < text.len; i++)
		room += text.at[i] == '\n';
	lines = calloc(room, sizeof(*lines));
	if (!lines)
		abort();
	count = left = split(text, lines);
	if (left > most)
		left = drop_empty(lines, count);
	for (; left > most; left--) {
		Line *line = least(lines, count, false);

		if (!line)
			line = least(lines, count, true);
		if (!line)
			break;
		cut = line->gone = true;
	}
	for (size_t i = 0; i < count; i++)
		if (!lines[i].gone)
			fprintf(out, "%.*s\n", STR_ARG(lines[i].text));
	free(lines);
	return cut;
}
