/* SPDX-License-Identifier: Apache-2.0
 *
 * CODEOWNERS as GitHub and GitLab read it: a pattern and owners a line. Patterns look like those of .gitignore and differ in both: GitHub's "docs/x*"
 * is for what lies in such a folder too, but "docs/x/" + "*" only for what lies directly there; GitLab's are for whole paths, at any depth unless they
 * begin with a slash. Pure. */
#include "audit/codeowners.h"

#include "base/arena.h"

#include <string.h>

enum { WORD_BYTES = 1024 };

/* --- patterns ---------------------------------------------------------------------------------------------------------------------------------- */

/* One part of a path: * and ? only. */
static bool part_fits(Str part, Str pattern)
{
	size_t p = 0, t = 0, star = SIZE_MAX, star_t = 0;

	while (t < part.len) {
		if (p < pattern.len && pattern.at[p] == '*') {
			star = ++p;
			star_t = t;
		} else if (p < pattern.len &&
		           (pattern.at[p] == part.at[t] || pattern.at[p] == '?')) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star;
			t = ++star_t;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}

typedef struct Place {
	Str pattern, path; /* what is left of both */
} Place;

typedef struct Fitting {
	bool folder, within; /* only what lies in it; that too */
} Fitting;

/* What is left of the path when the pattern is at its end. */
static bool is_end(Str path, Fitting how)
{
	return path.len ? how.within : !how.folder;
}

/* Parts side by side; ** stands for any number of them, and the last one met is where to go back to. */
static bool fits_from(Place now, Fitting how)
{
	Place back = { 0 };
	bool deep = false;

	for (;;) {
		Place next = now;
		Str want, have;

		if (!now.pattern.len && is_end(now.path, how))
			return true;
		if (now.pattern.len && str_split(&next.pattern, '/', &want) &&
		    str_eq(want, S("**"))) {
			now.pattern = next.pattern;
			if (!now.pattern.len)
				return now.path.len > 0;
			back = now;
			deep = true;
			continue;
		}
		if (now.pattern.len && now.path.len && str_split(&next.path, '/', &have) &&
		    part_fits(have, want)) {
			now = next;
			continue;
		}
		if (!deep || !back.path.len)
			return false;
		str_split(&back.path, '/', &have);
		now = back;
	}
}

bool owner_rule_fits(Str pattern, Str path, bool gitlab)
{
	Fitting how = { .within = !gitlab };
	bool rooted = str_starts(pattern, S("/")), direct = str_ends(pattern, S("/*"));

	if (rooted)
		pattern = str_sub(pattern, 1, pattern.len);
	if (str_ends(pattern, S("/"))) {
		how = (Fitting){ true, true };
		pattern.len--;
	}
	if (!pattern.len)
		return rooted && how.folder;
	if (!gitlab && str_find_char(pattern, '/') >= 0)
		rooted = true;
	if (direct)
		how.within = false;
	if (rooted)
		return fits_from((Place){ pattern, path }, how);
	for (;;) {
		Str part;

		if (fits_from((Place){ pattern, path }, how))
			return true;
		if (!str_split(&path, '/', &part) || !path.len)
			return false;
	}
}

const OwnerRule *owner_rules_find(const OwnerRules *rules, Str path, uint32_t section)
{
	const OwnerRule *found = NULL;

	for (size_t i = rules->count; i-- > 0;) {
		const OwnerRule *rule = &rules->at[i];

		if (rule->section != section || (found && !rule->except) ||
		    !owner_rule_fits(rule->pattern, path, rules->gitlab))
			continue;
		if (rule->except)
			return NULL;
		found = rule;
		if (!rules->gitlab)
			break;
	}
	return found;
}

/* --- the file ------------------------------------------------------------------------------------------------------------------------------------ */

typedef struct Reading {
	Arena *a;
	OwnerRules *out;
	size_t room;
	uint32_t line, section;
	const Str *fallback; /* the section's owners */
	uint32_t fallback_count;
	Str sections[256]; /* names in lower case; the first has none */
} Reading;

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word, its backslashes gone; "#" at its beginning ends the line. */
static Str next_word(Reading *r, Str *rest)
{
	char word[WORD_BYTES];
	size_t at = 0, len = 0;

	while (at < rest->len && is_blank(rest->at[at]))
		at++;
	if (at < rest->len && rest->at[at] == '#')
		at = rest->len;
	for (; at < rest->len && !is_blank(rest->at[at]); at++) {
		if (rest->at[at] == '\\' && at + 1 < rest->len)
			at++;
		if (len < sizeof(word))
			word[len++] = rest->at[at];
	}
	*rest = str_sub(*rest, at, rest->len);
	return str_dup(r->a, (Str){ word, len });
}

static const Str *read_owners(Reading *r, Str rest, uint32_t *count)
{
	Str names[OWNER_NAMES_MOST], *kept;
	uint32_t found = 0;

	for (Str word = next_word(r, &rest); word.len; word = next_word(r, &rest))
		if (str_find_char(word, '@') >= 0 && found < COUNT(names))
			names[found++] = word;
	kept = ARENA_ARRAY(r->a, Str, found + 1);
	for (uint32_t i = 0; i < found; i++)
		kept[i] = names[i];
	*count = found;
	return kept;
}

/* "[Name]", "^[Name][2] @owners": the name, and what stands after it all. Not "[ab].py". */
static bool cut_section(Str line, Str *name, Str *rest)
{
	ptrdiff_t end;

	if (str_starts(line, S("^")))
		line = str_sub(line, 1, line.len);
	end = str_find_char(line, ']');
	if (!str_starts(line, S("[")) || end < 2)
		return false;
	*name = str_sub(line, 1, (size_t)end);
	line = str_sub(line, (size_t)end + 1, line.len);
	if (str_starts(line, S("[")) && (end = str_find_char(line, ']')) > 0)
		line = str_sub(line, (size_t)end + 1, line.len);
	*rest = line;
	return !line.len || is_blank(line.at[0]);
}

/* Those of one name are one. False: the line is none. */
static bool read_section(Reading *r, Str line)
{
	Str name, rest;
	uint32_t i;

	if (!cut_section(line, &name, &rest))
		return false;
	name = str_lower(r->a, name);
	for (i = 1; i < r->out->sections && !str_eq(r->sections[i], name);)
		i++;
	if (i == COUNT(r->sections))
		return false;
	r->sections[i] = name;
	r->section = i;
	r->out->sections = MAX(r->out->sections, i + 1);
	r->fallback = read_owners(r, rest, &r->fallback_count);
	return true;
}

static void add_rule(Reading *r, const OwnerRule *rule)
{
	OwnerRules *out = r->out;

	if (out->count == OWNER_RULES_MOST)
		return;
	if (out->count == r->room) {
		OwnerRule *more = ARENA_ARRAY(r->a, OwnerRule, r->room ? 2 * r->room : 64);

		if (out->count)
			memcpy(more, out->at, out->count * sizeof(*more));
		out->at = more;
		r->room = r->room ? 2 * r->room : 64;
	}
	out->at[out->count++] = *rule;
}

static void read_line(Reading *r, Str line)
{
	OwnerRule rule = { .line = r->line, .section = r->section };
	bool bad;

	line = str_trim(line);
	if (!line.len || line.at[0] == '#')
		return;
	if (r->out->gitlab && read_section(r, line))
		return;
	rule.pattern = next_word(r, &line);
	bad = !r->out->gitlab &&
	      (rule.pattern.at[0] == '!' || str_find_char(rule.pattern, '[') >= 0);
	if (rule.pattern.at[0] == '!' && r->out->gitlab) {
		rule.except = true;
		rule.pattern = str_sub(rule.pattern, 1, rule.pattern.len);
	}
	rule.owners = read_owners(r, line, &rule.count);
	if (!rule.count && r->fallback_count) {
		rule.owners = r->fallback;
		rule.count = r->fallback_count;
	}
	if (!bad && rule.pattern.len)
		add_rule(r, &rule);
	else if (!r->out->bad_line)
		r->out->bad_line = r->line;
}

/* A line that stands for a section: then the file is GitLab's wherever it lies. */
static bool has_section(Str text)
{
	Str line, name, rest;

	while (str_split(&text, '\n', &line))
		if (cut_section(str_trim(line), &name, &rest))
			return true;
	return false;
}

void owner_rules_read(Arena *a, Str text, bool gitlab, OwnerRules *out)
{
	Reading r = { .a = a, .out = out };
	Str line;

	*out = (OwnerRules){ .gitlab = gitlab || has_section(text), .sections = 1 };
	while (str_split(&text, '\n', &line)) {
		r.line++;
		read_line(&r, line);
	}
}
