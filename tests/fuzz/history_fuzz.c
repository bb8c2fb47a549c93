/* SPDX-License-Identifier: Apache-2.0
 *
 * What an audit reads of a repository that anybody may have made: the first byte says which. "t": a tree's lines, each within what was given;
 * else a commit's message, and its author by the first line. */
#include "audit/history.h"
#include "audit/history_tree.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tree(Str lines)
{
	Compare c = { 0 };

	while (lines.len) {
		Entry e = first_entry(&c, lines);

		if (c.missing != !e.bytes || e.bytes > lines.len)
			abort();
		if (c.missing)
			return;
		if (e.name.at < lines.at || e.name.at + e.name.len > lines.at + e.bytes ||
		    entry_cmp(&e, &e) != 0)
			abort();
		lines = str_sub(lines, e.bytes, lines.len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = { (const char *)data, size }, name;

	if (!size)
		return 0;
	text = str_sub(text, 1, text.len);
	if (data[0] == 't') {
		tree(text);
		return 0;
	}
	history_is_fix(text);
	str_split(&text, '\n', &name);
	history_is_bot(name, text);
	return 0;
}
