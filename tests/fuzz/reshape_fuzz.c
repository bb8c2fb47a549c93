/* SPDX-License-Identifier: Apache-2.0
 *
 * The exact mapper. Two lines, two paths; what follows is a JSON text. What the strict reader takes, this one takes; what is
 * written is read again as the same; leaves come out as they went in; and where the paths may be a rename, a move leads to
 * a text that is JSON, moving nothing changes nothing, and a value that has moved is where it should be. */
#include "gateway/reshape_text.h"

#include "base/arena.h"
#include "base/json.h"
#include "gateway/conf_reshape.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static Str written(Arena *a, const TextNode *root)
{
	AUTO(buf_fini) Buf b = { 0 };

	reshape_text_put(&b, root);
	return str_dup(a, buf_str(&b));
}

static bool is_rename(const ReshapePath *from, const ReshapePath *to)
{
	size_t shared = reshape_path_shared(from);

	if (shared != reshape_path_shared(to))
		return false;
	for (size_t i = 0; i < shared; i++)
		if (!str_eq(from->names[i], to->names[i]))
			return false;
	return true;
}

static void check_move(Arena *a, Str from_text, Str to_text, Str json)
{
	ReshapePath from, to;
	TextMove move = { &from, &to };
	size_t moved = 0, removed = 0;
	TextNode *root, *again;
	Str after;

	if (reshape_path_read(a, from_text, &from) || reshape_path_read(a, to_text, &to) ||
	    !is_rename(&from, &to))
		return;
	must(!reshape_text_read(a, json, &root));
	if (reshape_text_move(a, root, &move, 1, &moved))
		return;
	after = written(a, root);
	must(moved || str_eq(after, json) || str_find_char(json, '"') >= 0);
	must(!reshape_text_read(a, after, &again) || from.count + to.count > 2);
	if (reshape_text_read(a, after, &again))
		return; /* a path of 32 parts can make it deeper than 64 */
	reshape_text_remove(again, &to, &removed);
	must(removed >= moved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str rest = { (const char *)data, size }, from, to, json, which;
	TextNode *root, *again;
	const Json *strict;

	if (!str_split(&rest, '\n', &from) || !str_split(&rest, '\n', &to))
		return 0;
	if (reshape_text_read(a, rest, &root)) {
		/* jansson takes a NUL after a number for a blank */
		must(str_find_char(rest, '\0') >= 0 || json_read(a, rest, 0, &strict) != NULL);
		return 0;
	}
	json = written(a, root);
	must(json.len <= rest.len);
	must(!reshape_text_read(a, json, &again));
	must(str_eq(written(a, again), json));
	must(reshape_text_is_double(root, &which) == reshape_text_is_double(again, &which));
	check_move(a, from, to, json);
	return 0;
}
