/* SPDX-License-Identifier: Apache-2.0
 *
 * The way to the terminal. A file may be called "\x1b[2J.py", and another tool's report may say anything: escape sequences, a line that goes back to
 * its head, writing that is turned around. There are more than a hundred places that say something, so it is looked at once, where all of it
 * leaves. */
#include "audit/screen.h"

#include <stdlib.h>

static bool is_harmless(uint32_t code)
{
	return code == '\n' || code == '\t' || (code >= 0x20 && code < 0x7f) ||
	       (code >= 0xa0 && (code < 0x202a || code > 0x202e) &&
	        (code < 0x2066 || code > 0x2069));
}

void screen_write(FILE *out, Str text)
{
	size_t from = 0, at = 0;

	while (at < text.len) {
		uint32_t code = 0;
		size_t len = str_utf8(str_sub(text, at, text.len), &code);

		if (len && is_harmless(code)) {
			at += len;
			continue;
		}
		if (at > from)
			fwrite(text.at + from, 1, at - from, out);
		if (len > 1)
			fprintf(out, "\\u%04x", code);
		else
			fprintf(out, "\\x%02x", (unsigned char)text.at[at]);
		at += len ? len : 1;
		from = at;
	}
	if (at > from)
		fwrite(text.at + from, 1, at - from, out);
}

void screen_begin(Screen *screen, FILE *out)
{
	*screen = (Screen){ .out = out };
	screen->to = open_memstream(&screen->text, &screen->len);
}

void screen_end(Screen *screen)
{
	if (screen->to && fclose(screen->to) == 0)
		screen_write(screen->out, (Str){ screen->text, screen->len });
	free(screen->text);
	*screen = (Screen){ 0 };
}
