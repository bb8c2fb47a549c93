/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings as the page has them. The totals of a rule are of all its findings; of a project with more than a page can hold those stay that weigh
 * most (not ignored, by level, by minutes), and before that the first of each rule, so that no rule is without an example. */
#include "audit/html_int.h"

#include "audit/smells.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_OF_RULE = 50, MOST_PATHS = 30, BESIDE_BYTES = 1 << 20, KEY_BYTES = 200 };

typedef struct RuleRow {
	const FindingRule *rule;
	uint64_t count, ignored, shown;
	double minutes;
	uint32_t number;
} RuleRow;

typedef struct Chosen {
	Arena *arena;
	const Findings *all;
	RuleRow **rule_of; /* of each finding */
	RuleRow **rules;   /* as they come */
	size_t rule_count;
	bool *is_shown;
	size_t shown, most;
} Chosen;

/* A row for each level of a rule: other tools have rules with several. */
static void count_rules(Chosen *c)
{
	AUTO(map_fini) Map known = { 0 };

	for (size_t i = 0; i < c->all->count; i++) {
		const Finding *f = &c->all->at[i];
		char key[KEY_BYTES];
		int len = snprintf(key, sizeof(key), "%d %s", (int)f->rule->level, f->rule->id);
		Str id = { key, (size_t)MIN(len, KEY_BYTES - 1) };
		RuleRow *row = map_get(&known, id);

		if (!row) {
			row = ARENA_NEW(c->arena, RuleRow);
			*row = (RuleRow){ .rule = f->rule, .number = (uint32_t)c->rule_count };
			c->rules[c->rule_count++] = row;
			map_put(&known, str_dup(c->arena, id), row);
		}
		c->rule_of[i] = row;
		if (f->ignored_why.len) {
			row->ignored++;
			continue;
		}
		row->count++;
		row->minutes += finding_minutes(f);
	}
}

typedef struct Weighed {
	const Finding *finding;
	double minutes;
	size_t at;
} Weighed;

static int by_weight(const void *x, const void *y)
{
	const Weighed *p = x, *q = y;
	int ignored = (p->finding->ignored_why.len > 0) - (q->finding->ignored_why.len > 0);
	int level = (int)q->finding->rule->level - (int)p->finding->rule->level;

	if (ignored || level)
		return ignored ? ignored : level;
	if (p->minutes != q->minutes)
		return p->minutes < q->minutes ? 1 : -1;
	return (p->at > q->at) - (p->at < q->at);
}

static void choose(Chosen *c, size_t each)
{
	size_t count = c->all->count;
	Weighed *order = ARENA_ARRAY(c->arena, Weighed, count + 1);

	for (size_t i = 0; i < count; i++)
		order[i] = (Weighed){ &c->all->at[i], finding_minutes(&c->all->at[i]), i };
	qsort(order, count, sizeof(*order), by_weight);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < count && c->shown < c->most; i++) {
			RuleRow *row = c->rule_of[order[i].at];

			if (c->is_shown[order[i].at] || (!pass && row->shown >= each))
				continue;
			c->is_shown[order[i].at] = true;
			row->shown++;
			c->shown++;
		}
}

/* --- code ----------------------------------------------------------------------------------------------------------------------------- */

/* Ours say so themselves; those of other tools by their names and numbers. */
bool html_hides(const FindingRule *rule)
{
	static const Str words[] = { S("secret"), S("password"), S("credential"), S("private-key"),
		                     S("B105"),   S("B106"),     S("B107"),       S("S105"),
		                     S("S106"),   S("S107") };

	if (smells_hides_line(rule))
		return true;
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_find(str_of(rule->name), words[i]) >= 0 ||
		    str_find(str_of(rule->id), words[i]) >= 0)
			return true;
	return false;
}

static const SourceFile *source_of(const Sources *sources, Str path)
{
	size_t low = 0, high = sources->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (str_cmp(sources->files[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < sources->count && str_eq(sources->files[low].path, path) ? &sources->files[low]
	                                                                      : NULL;
}

/* A file of the root that is no source: a lock file, a template. Not one that another tool's report names, and none that a link leads out to. */
static bool read_beside(Arena *a, Str root, const Finding *f, Str *bytes)
{
	char *whole = realpath(str_z(a, root), NULL);
	char *file = realpath(str_fmt(a, "%.*s/%.*s", STR_ARG(root), STR_ARG(f->path)).at, NULL);
	bool inside = whole && file && str_starts(str_of(f->rule->id), S("PY")) &&
	              str_starts(str_of(file), str_fmt(a, "%s/", whole));

	if (inside)
		inside = !file_read_plain(a, str_of(file), BESIDE_BYTES, bytes);
	free(whole);
	free(file);
	return inside;
}

/* Empty when there is none. */
static Str text_of(Arena *a, const Audit *audit, const AuditRules *rules, const Finding *f)
{
	const SourceFile *file = source_of(&audit->project.sources, f->path);
	SkipWhy why = SKIPS;
	Str bytes, text = S("");

	if (rules->from) {
		if (!file || rules->from->bytes(rules->from->arg, a, file, &bytes))
			return S("");
		why = source_decode(a, bytes, &text);
	} else if (file) {
		source_text(a, audit->project.sources.root, file, &text, &why);
	} else if (read_beside(a, rules->root, f, &bytes)) {
		why = source_decode(a, bytes, &text);
	}
	return why == SKIPS ? text : S("");
}

/* The file that the findings from `from` on are in. */
static HtmlCode open_code(Arena *a, const Audit *audit, const AuditRules *rules, size_t from)
{
	const Findings *all = &audit->findings;
	Str path = all->at[from].path;
	HtmlCode code = { .text = text_of(a, audit, rules, &all->at[from]) };
	uint32_t *hidden;
	size_t end = from;

	while (end < all->count && str_eq(all->at[end].path, path))
		end++;
	hidden = ARENA_ARRAY(a, uint32_t, 2 * (end - from));
	for (size_t i = from; i < end; i++) {
		if (!html_hides(all->at[i].rule))
			continue;
		hidden[2 * code.hidden_count] = all->at[i].line;
		hidden[2 * code.hidden_count++ + 1] = MAX(all->at[i].line, all->at[i].end_line);
	}
	code.hidden = hidden;
	return code;
}

/* --- as JSON -------------------------------------------------------------------------------------------------------------------------- */

static void put_rule(JsonWriter *w, const RuleRow *row)
{
	json_begin_object(w);
	json_put_str(w, "id", str_of(row->rule->id));
	json_put_str(w, "name", str_of(row->rule->name));
	json_put_str(w, "class", str_of(finding_class_name(row->rule->class)));
	json_put_str(w, "level", str_of(finding_level_name(row->rule->level)));
	json_put_str(w, "summary", str_of(row->rule->summary));
	json_put_str(w, "why", str_of(row->rule->why));
	json_put_u64(w, "count", row->count);
	json_put_u64(w, "ignored", row->ignored);
	json_put_u64(w, "shown", row->shown);
	json_put_real(w, "minutes", row->minutes);
	json_end(w);
}

static void put_paths(JsonWriter *w, const Finding *f)
{
	if (!f->path_count)
		return;
	json_key(w, S("paths"));
	json_begin_array(w);
	for (size_t i = 0; i < MIN(f->path_count, (size_t)MOST_PATHS); i++)
		json_add_str(w, f->paths[i]);
	json_end(w);
	json_put_u64(w, "path_count", f->path_count);
}

static void put_finding(JsonWriter *w, const Finding *f, const RuleRow *row, HtmlCode *code)
{
	json_begin_object(w);
	json_put_u64(w, "rule", row->number);
	json_put_str(w, "path", f->path);
	json_put_u64(w, "line", f->line);
	if (f->unit.len)
		json_put_str(w, "unit", f->unit);
	json_put_str(w, "text", f->text);
	json_put_real(w, "minutes", finding_minutes(f));
	if (f->ignored_why.len)
		json_put_str(w, "ignored", f->ignored_why);
	put_paths(w, f);
	if (f->line && code->text.len) {
		json_key(w, S("code"));
		html_put_code(w, code, f->line, f->end_line);
	}
	json_end(w);
}

/* Findings come by path and line, so each file is read once and walked once. */
static void put_shown(const Chosen *c, JsonWriter *w, const Audit *audit, const AuditRules *rules)
{
	Mark mark = arena_mark(c->arena);
	HtmlCode code = { 0 };
	Str path = S("");
	size_t first = 0;
	bool opened = true;

	json_key(w, S("findings"));
	json_begin_array(w);
	for (size_t i = 0; i < c->all->count; i++) {
		const Finding *f = &c->all->at[i];

		if (!str_eq(f->path, path)) {
			code = (HtmlCode){ 0 };
			path = f->path;
			first = i;
			opened = false;
			arena_reset(c->arena, mark);
		}
		if (!c->is_shown[i])
			continue;
		if (!opened)
			code = open_code(c->arena, audit, rules, first);
		opened = true;
		put_finding(w, f, c->rule_of[i], &code);
	}
	json_end(w);
}

void html_put_findings(Arena *a, JsonWriter *w, const Audit *audit, const AuditRules *rules,
                       size_t most, Cuts *cuts)
{
	const Findings *all = &audit->findings;
	Chosen c = { .arena = a,
		     .all = all,
		     .rule_of = ARENA_ARRAY(a, RuleRow *, all->count + 1),
		     .rules = ARENA_ARRAY(a, RuleRow *, all->count + 1),
		     .is_shown = ARENA_ARRAY(a, bool, all->count + 1),
		     .most = most };

	count_rules(&c);
	choose(&c, FIRST_OF_RULE);
	if (c.shown < all->count)
		cuts_add(a, cuts, S("findings"), c.shown, all->count);
	json_key(w, S("rules"));
	json_begin_array(w);
	for (size_t i = 0; i < c.rule_count; i++)
		put_rule(w, c.rules[i]);
	json_end(w);
	put_shown(&c, w, audit, rules);
}
