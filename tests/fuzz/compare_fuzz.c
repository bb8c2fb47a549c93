/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing two answers. The first byte is the form and the rules, then come a path for the rules, the old body and the
 * new one, each ended by a byte of 0.
 *   - A path that is read is written, and read as the same.
 *   - A body has no difference to itself, written with something before it that means nothing.
 *   - Every key is there once, and what is shown is short and printable.
 *   - Of what stands under "password" nothing is shown but how much it is.
 *   - The differences that were noted are told as JSON and taken up again as they were. */
#include "shift/compare_int.h"
#include "shift/differences.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const Str types[] = { { "application/json", 16 },
	                     { "text/html", 9 },
	                     { "text/plain", 10 },
	                     { "text/html; charset=latin1", 25 } };

static void must(bool fine, const char *what, Str text)
{
	if (fine)
		return;
	fprintf(stderr, "%s:\n%.*s\n", what, STR_ARG(text));
	abort();
}

static bool is_path(Arena *a, Str path)
{
	AUTO(buf_fini) Buf first = { 0 };
	AUTO(buf_fini) Buf second = { 0 };
	Pattern pattern, again;
	bool deep = false;

	if (compare_path_read(a, path, &pattern))
		return false;
	for (size_t i = 0; i < pattern.count; i++)
		deep |= pattern.steps[i].deep;
	compare_path_put(&first, pattern.steps, pattern.count, pattern.html);
	if (deep || first.len > COMPARE_PATH_MAX - 12)
		return true;
	must(!compare_path_read(a, buf_str(&first), &again), "a path was written that is none",
	     buf_str(&first));
	compare_path_put(&second, again.steps, again.count, again.html);
	must(str_eq(buf_str(&first), buf_str(&second)), "a path changed", buf_str(&first));
	must(compare_path_fits(&pattern, again.steps, again.count), "a path is not at its place",
	     path);
	return true;
}

static void check_shown(Str text)
{
	must(text.len <= COMPARE_VALUE_MAX, "too long", text);
	for (Str rest = text; rest.len;) {
		uint32_t code = 0;
		size_t len = str_utf8(rest, &code);

		must(len && code >= ' ' && code != 0x7f, "not printable", text);
		rest = str_sub(rest, len, rest.len);
	}
}

static void check_list(const Comparison *found)
{
	must(found->count <= COMPARE_KEYS_MAX, "too many", (Str){ 0 });
	for (size_t i = 0; i < found->count; i++) {
		const Difference *d = &found->at[i];

		must(d->path.len && d->path.len <= COMPARE_PATH_MAX, "no path", d->path);
		check_shown(d->old);
		check_shown(d->new);
		for (size_t k = 0; k < i; k++)
			must(found->at[k].kind != d->kind || !str_eq(found->at[k].path, d->path),
			     "twice", d->path);
	}
}

static Comparison compare(Arena *a, const Comparer *comparer, Str type, Str old, Str new)
{
	const CompareField field = { S("content-type"), type };
	const CompareAnswer x = { 200, &field, 1, old, false }, y = { 200, &field, 1, new, false };
	Comparison found;

	compare_answers(comparer, a, &x, &y, NULL, &found);
	check_list(&found);
	return found;
}

static void check_equal(Arena *a, const Comparer *comparer, Str type, Str body)
{
	bool html = str_starts(type, S("text/html"));
	Str more = str_fmt(a, "%s%.*s", html ? "<!---->" : " ", STR_ARG(body));
	Comparison found = compare(a, comparer, type, body, more);

	if (found.form != (html ? COMPARE_HTML : COMPARE_JSON) ||
	    str_starts(body, S("\xef\xbb\xbf")))
		return;
	must(!found.count, "differs from itself", found.count ? found.at[0].path : (Str){ 0 });
}

static bool tells_only_how_much(Str text)
{
	return !text.len || str_eq(text, MASKED) || str_ends(text, S(" items")) ||
	       str_ends(text, S(" item"));
}

static void check_masked(Arena *a, Str old, Str new)
{
	static const CompareRules none = { 0 };
	const Comparer *comparer = NULL;
	const Json *json;
	Comparison found;

	must(!compare_new(a, &none, &comparer), "no rules are refused", old);

	if (compare_json_read(a, old, &json) || compare_json_read(a, new, &json))
		return;
	found = compare(a, comparer, types[0], str_fmt(a, "{\"password\":%.*s}", STR_ARG(old)),
	                str_fmt(a, "{\"password\": %.*s}", STR_ARG(new)));
	for (size_t i = 0;
	     i < found.count && found.form == COMPARE_JSON && found.at[i].kind != COMPARE_BODY;
	     i++) {
		Str path = found.at[i].path;

		must(str_starts(path, S(".password")), "another path", path);
		must(tells_only_how_much(found.at[i].old), "shown", found.at[i].old);
		must(tells_only_how_much(found.at[i].new), "shown", found.at[i].new);
		path = str_sub(path, 9, path.len);
		for (size_t k = 0; k < path.len && found.at[i].path.len < COMPARE_PATH_MAX / 2; k++)
			must(path.at[k] == '.' || path.at[k] == '*' || path.at[k] == '[' ||
			             path.at[k] == ']',
			     "a key", path);
	}
}

static void check_table(Arena *a, const Comparison *found, const Comparison *noise, Str request)
{
	AUTO(differences_freep) Differences *d = differences_new(0);
	AUTO(differences_freep) Differences *again = differences_new(0);
	AUTO(buf_fini) Buf first = { 0 };
	AUTO(buf_fini) Buf second = { 0 };
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&first), v = json_writer(&second), j = json_writer(&text);
	DifferencesSeen seen;
	const Json *json;
	Str state = { 0 };

	differences_note(d, NULL, found, noise, request, 1, &seen);
	differences_note(d, NULL, noise, NULL, request, 2, &seen);
	differences_put_json(d, &j);
	must(!json_done(&j, &state) && !json_read(a, state, 0, &json), "no JSON", state);
	differences_put_state(d, &w);
	must(!json_done(&w, &state) && !json_read(a, state, 0, &json), "no state", state);
	must(!differences_read_state(again, a, json), "the state is refused", state);
	differences_put_state(again, &v);
	must(str_eq(buf_str(&first), buf_str(&second)), "the state changed", buf_str(&second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str rest = { (const char *)data + 1, size - 1 }, path = { 0 }, old = { 0 }, new = { 0 },
	    type;
	CompareRules rules = { 0 };
	const Comparer *comparer = NULL;
	Comparison found, back;

	if (size < 2 || size > 8192)
		return 0;
	str_split(&rest, '\0', &path);
	str_split(&rest, '\0', &old);
	str_split(&rest, '\0', &new);
	type = types[data[0] % COUNT(types)];
	if (is_path(a, path)) {
		rules.ignore.at = rules.unordered.at = rules.sets.at = rules.mask.paths.at = &path;
		rules.ignore.count = data[0] >> 2 & 1;
		rules.unordered.count = data[0] >> 3 & 1;
		rules.sets.count = data[0] >> 4 & 1;
		rules.mask.paths.count = data[0] >> 5 & 1;
	}
	must(!compare_new(a, &rules, &comparer), "the rules are refused", path);
	found = compare(a, comparer, type, old, new);
	back = compare(a, comparer, type, new, old);
	if (found.form == COMPARE_JSON && !rules.unordered.count && !rules.sets.count &&
	    !found.dropped)
		must(found.count == back.count, "the other way it is another number", path);
	check_equal(a, comparer, type, old);
	check_masked(a, old, new);
	check_table(a, &found, &back, path);
	return 0;
}
