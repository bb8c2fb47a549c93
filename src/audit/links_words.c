/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that stand in other files than *.py: in the tags of templates, in programs that have no ending, and in files that start programs or
 * configure them (entry points, a Procfile, units, crontabs). Only what is between a template's braces counts, as prose is full of words that are functions' names; of the others
 * only what has a dot, a colon or an underscore near it. Bounded in files and bytes; what is beyond is not read, and then nothing is dead for sure,
 * which is said. */
#include "audit/links_int.h"

#include "base/arena.h"
#include "base/file.h"

enum { BYTES_EACH = 256 << 10, BYTES_MOST = 64 << 20 };

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static void add_words(PairTable *to, Str text)
{
	size_t from = 0;
	bool fresh;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && is_letter(text.at[i]))
			continue;
		if (i > from)
			pair_at(to, link_hash(str_sub(text, from, i)), 0, &fresh);
		from = i + 1;
	}
}

/* Between {{ and }}, {% and %}, ${ and }. */
static void template_words(PairTable *to, Str text)
{
	while (text.len > 2) {
		ptrdiff_t open = str_find_char(text, '{'), close;
		bool code;

		if (open < 0 || (size_t)open + 1 >= text.len)
			return;
		code = text.at[open + 1] == '{' || text.at[open + 1] == '%' ||
		       (open > 0 && text.at[open - 1] == '$');
		text = str_sub(text, (size_t)open + 1, text.len);
		if (!code)
			continue;
		close = str_find_char(text, '}');
		if (close < 0)
			return;
		add_words(to, str_sub(text, 0, (size_t)close));
		text = str_sub(text, (size_t)close, text.len);
	}
}

/* "shop.jobs:nightly", "run_nightly", "python -m shop.jobs": words of what is no prose. */
static void entry_words(PairTable *to, Str text)
{
	size_t from = 0;
	bool code = false;

	for (size_t i = 0; i <= text.len; i++) {
		char c = i < text.len ? text.at[i] : ' ';

		if (is_letter(c) || c == '.' || c == ':' || c == '/') {
			code |= c == '.' || c == ':' || c == '_' || c == '/';
			continue;
		}
		if (i > from && code)
			add_words(to, str_sub(text, from, i));
		from = i + 1;
		code = false;
	}
}

/* A program by its first line: Python's code is all names. */
static void script_words(OtherWords *out, Str text)
{
	ptrdiff_t end = str_find_char(text, '\n');
	Str first = str_sub(text, 0, end < 0 ? text.len : (size_t)end);

	if (str_find(first, S("python")) >= 0)
		add_words(&out->scripts, text);
	else
		entry_words(&out->entries, text);
}

static void read_one(const BesideFile *file, Str text, OtherWords *out)
{
	if (file->kind == BESIDE_TEMPLATE)
		template_words(&out->templates, text);
	else if (file->kind == BESIDE_ENTRY)
		entry_words(&out->entries, text);
	else if (str_starts(text, S("#!")))
		script_words(out, text);
}

void links_words(const Project *project, OtherWords *out)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	const Sources *sources = &project->sources;
	Sources again = { 0 };
	uint64_t bytes = 0;

	/* A commit's tree is compared with what is there now: these files are those of now for both. */
	if (!sources->beside && !sources_find(scratch, sources->root, &(SourceRules){ 0 }, &again))
		sources = &again;
	for (size_t i = 0; i < sources->beside_count && bytes < BYTES_MOST; i++) {
		const BesideFile *file = &sources->beside[i];
		Mark mark = arena_mark(scratch);
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): none is counted that is not there */
		Str name = file->path, text;
		Str path = str_fmt(scratch, "%.*s/%.*s", STR_ARG(sources->root), STR_ARG(name));

		if (!file_read(scratch, path, BYTES_EACH, &text)) {
			bytes += text.len;
			read_one(file, text, out);
		}
		arena_reset(scratch, mark);
	}
	out->cut = bytes >= BYTES_MOST || sources->beside_count >= BESIDE_FILES;
}

void links_words_fini(OtherWords *words)
{
	pair_fini(&words->templates);
	pair_fini(&words->entries);
	pair_fini(&words->scripts);
}
