/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of anything at all: they go forward, they are of the text and do not overlap, they end, and the counts of lines add up as they should. */
#include "audit/lex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = { (const char *)data, size };
	Lex lex = lex_new(text);
	LineCounts lines = lex_count(text);
	const char *last = text.at;
	Lexeme token;

	while ((token = lex_next(&lex)).kind != LEX_END) {
		if (token.text.len &&
		    (token.text.at < last || token.text.at + token.text.len > text.at + text.len))
			abort();
		if (token.text.len)
			last = token.text.at + token.text.len;
	}
	if (lex_next(&lex).kind != LEX_END)
		abort();
	if (lines.sloc + lines.multi + lines.single_comments + lines.blank != lines.loc)
		abort();
	return 0;
}
