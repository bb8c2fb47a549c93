/* SPDX-License-Identifier: Apache-2.0
 *
 * What the readers of other tools' output share. */
#pragma once
#include "audit/tools.h"
#include "base/json.h"
#include "base/map.h"

typedef struct ToolReader {
	Arena *a;
	Findings *out;
	ToolFile *about;
	Map rules; /* by id and severity; FindingRule */
} ToolReader;

/* One thing that a tool says. Only tool, id and text must be there. */
typedef struct ToolHit {
	Str tool;     /* "bandit" */
	Str id, name; /* "B101", "assert_used" */
	Str path, unit, text;
	Str severity; /* in the tool's own words, which tools_rules.c knows; empty: by the id */
	Str why;      /* a sentence or an address about the rule */
	Str ignored;  /* it is suppressed, and this is why */
	int64_t line, end_line;
	FindingClass class;
	bool has_class; /* else by tool and id */
	uint64_t print; /* 0: by the text of the line */
	const Str *paths;
	size_t path_count;
} ToolHit;

/* A member's text; empty: it has none. */
static inline Str tool_text(const Json *object, const char *key)
{
	Str text = { 0 };

	(void)json_to_str(json_get(object, str_of(key)), &text);
	return text;
}

static inline int64_t tool_number(const Json *object, const char *key, int64_t none)
{
	(void)json_to_i64(json_get(object, str_of(key)), &none);
	return none;
}

void tool_add(ToolReader *r, const ToolHit *hit);
/* The class, level and minutes that a tool's severity stands for. */
void tool_judge(const ToolHit *hit, FindingRule *rule);

/* True: it was of that format, and is read. */
bool tool_read_array(ToolReader *r, const Json *json);  /* pylint, ruff */
bool tool_read_object(ToolReader *r, const Json *json); /* bandit, pylint's json2 */
Err *tool_read_lines(ToolReader *r, Str text, bool *known)
	MUST_USE;                             /* an object a line: mypy, ruff */
bool tool_read_text(ToolReader *r, Str text); /* mypy, pylint, ruff, flake8 */
bool tool_read_sarif(ToolReader *r, const Json *json);

/* What was found so far, by place and code: the same thing that another tool found too is known. Keys are in the arena. */
void tool_know(Arena *a, Map *same, const Finding *finding);
bool tool_is_known(Arena *a, const Map *same, const Finding *finding);
