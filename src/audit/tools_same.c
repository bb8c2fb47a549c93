/* SPDX-License-Identifier: Apache-2.0
 *
 * The same thing found by two tools counts once. Tools copy each other's checks under other names: ruff's S602 is bandit's B602, its PLW0123 is
 * pylint's W0123, its F401 is flake8's; and some of our own rules are theirs too. Two findings of different tools are one when they are on one line
 * of one file and such names meet. Ours is the one that stays, else that of the file that was named first. Two of one tool on a line are two. */
#include "audit/smells.h"
#include "audit/tools_int.h"
#include "base/arena.h"

#include <string.h>

enum { CODES_MOST = 8 };

/* pylint's, which pycodestyle, pyflakes and bugbear have as well, and ruff from these. */
static const struct {
	Str code, common;
} aliases[] = {
	{ S("W0611"), S("F401") }, { S("W0612"), S("F841") }, { S("W0401"), S("F403") },
	{ S("C0301"), S("E501") }, { S("W0702"), S("E722") }, { S("W0102"), S("B006") },
	{ S("W0199"), S("F631") }, { S("C0114"), S("D100") }, { S("C0115"), S("D101") },
	{ S("B001"), S("E722") },
};

/* Our rules that others have too, besides those that smells_bandit_ids knows; codes as common_code gives them. */
static const struct {
	const char *name, *codes;
} known[] = {
	{ "mutable-default", "B006" }, { "bare-except", "E722" },    { "star-import", "F403" },
	{ "many-arguments", "R0913" }, { "hidden-global", "W0603" }, { "print-call", "T201" },
	{ "debugger-left", "T100" },   { "assert-tuple", "F631" },   { "eval-call", "W0123" },
	{ "exec-call", "W0122" },      { "long-function", "R0915" },
};

static bool is_digits(Str text)
{
	uint64_t n;

	return str_to_u64(text, &n);
}

/* "B602" of ruff's "S602", "W0123" of its "PLW0123". */
static Str borrowed_code(Arena *a, Str code)
{
	if (code.len == 4 && code.at[0] == 'S' && is_digits(str_sub(code, 1, code.len)))
		return str_fmt(a, "B%.*s", STR_ARG(str_sub(code, 1, code.len)));
	return str_starts(code, S("PL")) ? str_sub(code, 2, code.len) : code;
}

/* The name that most know it by. */
static Str common_code(Arena *a, Str id)
{
	ptrdiff_t colon = str_find_char(id, ':');
	Str tool = str_sub(id, 0, (size_t)MAX(colon, 0));
	Str code = str_sub(id, (size_t)(colon + 1), id.len);

	if (str_eq(tool, S("ruff")) || str_eq(tool, S("flake8")))
		code = borrowed_code(a, code);
	for (size_t i = 0; i < COUNT(aliases); i++)
		if (str_eq(code, aliases[i].code))
			return aliases[i].common;
	return code;
}

static size_t split_codes(const char *text, Str *codes, size_t count)
{
	Str rest = str_of(text), code;

	while (rest.len && count < CODES_MOST && str_split(&rest, ' ', &code))
		if (code.len)
			codes[count++] = code;
	return count;
}

static size_t codes_of(Arena *a, const Finding *f, Str *codes)
{
	size_t count = 0;

	if (!finding_is_own(f)) {
		codes[0] = common_code(a, str_of(f->rule->id));
		return 1;
	}
	count = split_codes(smells_bandit_ids(f->rule), codes, count);
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(f->rule->name, known[i].name) == 0)
			count = split_codes(known[i].codes, codes, count);
	return count;
}

static Str key_of(Arena *a, const Finding *f, Str code)
{
	return str_fmt(a, "%.*s:%u:%.*s", STR_ARG(f->path), f->line, STR_ARG(code));
}

void tool_know(Arena *a, Map *same, const Finding *f)
{
	Str codes[CODES_MOST];
	size_t count = f->line ? codes_of(a, f, codes) : 0;

	for (size_t i = 0; i < count; i++) {
		Str key = key_of(a, f, codes[i]);

		if (!map_get(same, key))
			map_put(same, key, (void *)(uintptr_t)f->rule);
	}
}

bool tool_is_known(Arena *a, const Map *same, const Finding *f)
{
	Mark mark = arena_mark(a);
	const FindingRule *rule = NULL;
	Str codes[CODES_MOST];
	size_t count = f->line ? codes_of(a, f, codes) : 0;

	for (size_t i = 0; i < count && !rule; i++)
		rule = map_get(same, key_of(a, f, codes[i]));
	arena_reset(a, mark);
	return rule && !str_eq(tool_of_rule(str_of(rule->id)), tool_of_rule(str_of(f->rule->id)));
}
