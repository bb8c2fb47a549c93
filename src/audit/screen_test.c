/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/screen.c"

#include "unit.h"

TEST(what_a_terminal_would_obey_is_shown_instead)
{
	static const struct {
		Str raw, want;
	} cases[] = {
		{ S(""), S("") },
		{ S("plain\tand\nlines\n"), S("plain\tand\nlines\n") },
		{ S("\x1b[2Ja.py\r\x07"), S("\\x1b[2Ja.py\\x0d\\x07") },
		{ S("na\xc3\xafve \xe2\x80\x93 x"), S("na\xc3\xafve \xe2\x80\x93 x") },
		{ S("lat\xe9in.py"), S("lat\\xe9in.py") },
		{ S("\xc2\x9b"
		    "31m"),
		  S("\\u009b31m") }, /* the same as ESC [ */
		{ S("a\xe2\x80\xae"
		    "b"),
		  S("a\\u202eb") }, /* turns what follows around */
		{ S("a\xe2\x81\xa6"
		    "b\x7f"),
		  S("a\\u2066b\\x7f") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);
		Screen screen;

		NOTE("case %zu", i);
		screen_begin(&screen, out);
		fwrite(cases[i].raw.at, 1, cases[i].raw.len, screen.to);
		screen_end(&screen);
		screen_end(&screen);
		fclose(out);
		CHECK_STR(((Str){ text, len }), cases[i].want);
		free(text);
	}
}
