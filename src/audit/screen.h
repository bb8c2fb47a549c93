/* SPDX-License-Identifier: Apache-2.0
 *
 * What is shown to people: names of files and words of other tools are in it, and a terminal does as they say unless somebody looks. */
#pragma once
#include "base/str.h"

#include <stdio.h>

typedef struct Screen {
	FILE *to; /* what is said goes here; NULL: there is no memory */
	char *text;
	size_t len;
	FILE *out;
} Screen;

/* Collects what is written to screen->to. */
void screen_begin(Screen *screen, FILE *out);
/* Writes it to `out`; characters that are not printable, line ends and tabs aside, as \x1b or \u202e. Takes a screen that was ended, or never begun. */
void screen_end(Screen *screen);
void screen_write(FILE *out, Str text);
