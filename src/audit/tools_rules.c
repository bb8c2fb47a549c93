/* SPDX-License-Identifier: Apache-2.0
 *
 * What another tool's finding is to us. No tool says how long it takes to mend what it found, so the minutes are ours, by the tool's own severity:
 * rows of one table, the first that fits. They are guesses, in round figures, and called so in the guide. */
#include "audit/tools_int.h"

#include "base/arena.h"

typedef struct Row {
	Str tool, severity, id; /* empty: any; id: how it begins */
	FindingClass class;
	FindingLevel level;
	double minutes;
} Row;

static const Row rows[] = {
	{ S("bandit"), S("HIGH"), S(""), FINDING_SECURITY, FINDING_ERROR, 60 },
	{ S("bandit"), S("error"), S(""), FINDING_SECURITY, FINDING_ERROR, 60 }, /* as SARIF */
	{ S("bandit"), S("MEDIUM"), S(""), FINDING_SECURITY, FINDING_WARNING, 30 },
	{ S("bandit"), S("warning"), S(""), FINDING_SECURITY, FINDING_WARNING, 30 },
	{ S("bandit"), S(""), S(""), FINDING_SECURITY, FINDING_NOTE, 15 },
	{ S("mypy"), S("note"), S(""), FINDING_BUG, FINDING_NOTE, 5 },
	{ S("mypy"), S(""), S(""), FINDING_BUG, FINDING_ERROR, 10 },
	{ S("pylint"), S(""), S("F"), FINDING_BUG, FINDING_ERROR, 15 },
	{ S("pylint"), S(""), S("E"), FINDING_BUG, FINDING_ERROR, 15 },
	{ S("pylint"), S(""), S("W"), FINDING_BUG, FINDING_WARNING, 5 },
	{ S("pylint"), S(""), S("R"), FINDING_MAINTAIN, FINDING_NOTE, 15 },
	{ S("pylint"), S(""), S(""), FINDING_MAINTAIN, FINDING_NOTE, 2 },
	/* ruff and flake8: by the plugin that the letters name */
	{ S(""), S("code"), S("SIM"), FINDING_MAINTAIN, FINDING_NOTE, 5 },
	{ S(""), S("code"), S("SLF"), FINDING_MAINTAIN, FINDING_NOTE, 5 },
	{ S(""), S("code"), S("S"), FINDING_SECURITY, FINDING_WARNING, 30 },
	{ S(""), S("code"), S("PERF"), FINDING_SPEED, FINDING_WARNING, 10 },
	{ S(""), S("code"), S("PLE"), FINDING_BUG, FINDING_ERROR, 15 },
	{ S(""), S("code"), S("E9"), FINDING_BUG, FINDING_ERROR, 15 },
	{ S(""), S("code"), S("syntax"), FINDING_BUG, FINDING_ERROR, 15 },
	{ S(""), S("code"), S("invalid-syntax"), FINDING_BUG, FINDING_ERROR, 15 },
	{ S(""), S("code"), S("FURB"), FINDING_MAINTAIN, FINDING_NOTE, 2 },
	{ S(""), S("code"), S("FA"), FINDING_MAINTAIN, FINDING_NOTE, 2 },
	{ S(""), S("code"), S("FBT"), FINDING_MAINTAIN, FINDING_NOTE, 5 },
	{ S(""), S("code"), S("FLY"), FINDING_MAINTAIN, FINDING_NOTE, 2 },
	{ S(""), S("code"), S("FIX"), FINDING_MAINTAIN, FINDING_NOTE, 5 },
	{ S(""), S("code"), S("F"), FINDING_BUG, FINDING_WARNING, 5 },
	{ S(""), S("code"), S("BLE"), FINDING_BUG, FINDING_WARNING, 10 },
	{ S(""), S("code"), S("B"), FINDING_BUG, FINDING_WARNING, 10 },
	{ S(""), S("code"), S("ASYNC"), FINDING_BUG, FINDING_WARNING, 15 },
	{ S(""), S("code"), S("C901"), FINDING_MAINTAIN, FINDING_WARNING, 15 },
	{ S(""), S("code"), S("PLR"), FINDING_MAINTAIN, FINDING_NOTE, 15 },
	{ S(""), S("code"), S(""), FINDING_MAINTAIN, FINDING_NOTE, 2 },
	/* SARIF's levels */
	{ S(""), S("error"), S(""), FINDING_MAINTAIN, FINDING_ERROR, 30 },
	{ S(""), S("note"), S(""), FINDING_MAINTAIN, FINDING_NOTE, 5 },
	{ S(""), S(""), S(""), FINDING_MAINTAIN, FINDING_WARNING, 15 },
};

void tool_judge(const ToolHit *hit, FindingRule *rule)
{
	const Row *row = rows;
	bool coded = str_eq(hit->tool, S("ruff")) || str_eq(hit->tool, S("flake8"));
	/* In SARIF ruff calls everything an error. */
	Str severity = coded ? S("code") : hit->severity;

	while ((row->tool.len && !str_eq(row->tool, hit->tool)) ||
	       (row->severity.len && !str_eq_nocase(row->severity, severity)) ||
	       !str_starts(hit->id, row->id))
		row++;
	rule->class = hit->has_class ? hit->class : row->class;
	rule->level = row->level;
	rule->base_minutes = row->minutes;
}

/* On one line: a sentence of ours is, and what is printed line by line must not be continued by a tool. */
static Str one_line(Arena *a, Str text)
{
	char *at = arena_alloc_raw(a, text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		at[i] = (unsigned char)text.at[i] < ' ' ? ' ' : text.at[i];
	return (Str){ at, text.len };
}

static const char *joined(Arena *a, Str tool, Str name)
{
	return str_fmt(a, "%.*s:%.*s", STR_ARG(tool), STR_ARG(one_line(a, name))).at;
}

/* A row for each severity that a tool gives a rule: bandit's B602 is high with a variable in it and low without. */
static const FindingRule *rule_of(ToolReader *r, const ToolHit *hit)
{
	Str name = hit->name.len ? hit->name : hit->id, key;
	FindingRule judged = { .id = joined(r->a, hit->tool, hit->id) }, *rule;

	tool_judge(hit, &judged);
	key = str_fmt(r->a, "%s %d %d", judged.id, (int)judged.level, (int)judged.class);
	rule = map_get(&r->rules, key);
	if (rule)
		return rule;
	rule = ARENA_NEW(r->a, FindingRule);
	*rule = judged;
	rule->name = joined(r->a, hit->tool, name);
	rule->summary =
		str_fmt(r->a, "%.*s of %.*s", STR_ARG(one_line(r->a, name)), STR_ARG(hit->tool)).at;
	rule->why = hit->why.len ? str_z(r->a, hit->why)
	                         : str_fmt(r->a, "%.*s knows why.", STR_ARG(hit->tool)).at;
	map_put(&r->rules, key, rule);
	return rule;
}

static uint32_t line_of(int64_t n)
{
	return n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

void tool_add(ToolReader *r, const ToolHit *hit)
{
	uint32_t line = line_of(hit->line);

	r->about->findings++;
	finding_add(r->a, r->out,
	            &(Finding){ .rule = rule_of(r, hit),
	                        .path = hit->path,
	                        .line = line,
	                        .end_line = MAX(line, line_of(hit->end_line)),
	                        .unit = one_line(r->a, hit->unit),
	                        .text = one_line(r->a, hit->text),
	                        .paths = hit->paths,
	                        .path_count = hit->path_count,
	                        .print = hit->print,
	                        .ignored_why = hit->ignored });
}
