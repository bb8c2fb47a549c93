/* SPDX-License-Identifier: Apache-2.0
 *
 * The badge. Fonts differ from reader to reader, so the text is told how wide it is (textLength) instead of the box guessing. */
#include "audit/badge.h"

#include "audit/audit_figures.h"
#include "base/arena.h"

#include <string.h>

enum { NARROW = 4, LETTER = 7, WIDE = 12, PAD = 7, HEIGHT = 20 };

static const struct {
	char mark;
	const char *colour; /* white text on it has a contrast of 4.5 or more */
} colours[] = {
	{ 'A', "#237a3a" }, { 'B', "#4d7c0f" }, { 'C', "#8a6d00" },
	{ 'D', "#b4530a" }, { 'E', "#b3261e" },
};

static void put_part(Buf *b, int from, int width, const char *colour, Str text)
{
	buf_fmt(b, "<rect x=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>", from, width, HEIGHT,
	        colour);
	buf_fmt(b, "<text x=\"%d\" y=\"14\" textLength=\"%d\">%.*s</text>", from + PAD,
	        width - 2 * PAD, STR_ARG(text));
}

/* About Verdana's, of 11 pixels. */
static int width_of(Str text)
{
	int width = 2 * PAD;

	for (size_t i = 0; i < text.len; i++)
		width += text.at[i] == '%' ? WIDE : strchr(" .,ilt", text.at[i]) ? NARROW : LETTER;
	return width;
}

Err *badge_report(Arena *a, const Audit *audit, const AuditRules *rules, Buf *out)
{
	Str title = S("technical debt"), value = S("no code");
	const char *colour = "#5a5f66";
	AuditFigures figures;
	int left = width_of(title), right;

	(void)rules;
	audit_figures_take(audit, &figures);
	if (figures.at[FIGURE_LINES] > 0) {
		char mark = audit_figure_rating(figures.at[FIGURE_RATIO]);

		value = str_fmt(a, "%c %.1f %%", mark, 100 * figures.at[FIGURE_RATIO]);
		for (size_t i = 0; i < COUNT(colours); i++)
			if (colours[i].mark == mark)
				colour = colours[i].colour;
	}
	right = width_of(value);
	buf_fmt(out,
	        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" role=\"img\" "
	        "aria-label=\"%.*s: %.*s\"><title>%.*s: %.*s</title>",
	        left + right, HEIGHT, STR_ARG(title), STR_ARG(value), STR_ARG(title),
	        STR_ARG(value));
	buf_fmt(out,
	        "<clipPath id=\"r\"><rect width=\"%d\" height=\"%d\" rx=\"3\"/></clipPath>"
	        "<g clip-path=\"url(#r)\" fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" "
	        "font-size=\"11\">",
	        left + right, HEIGHT);
	put_part(out, 0, left, "#444a52", title);
	put_part(out, left, right, colour, value);
	buf_put(out, S("</g></svg>\n"));
	return NULL;
}
