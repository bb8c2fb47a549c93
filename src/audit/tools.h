/* SPDX-License-Identifier: Apache-2.0
 *
 * What other tools found, as findings of the same kind: reports, ignores, the gate and the debt in minutes take them as their own. Read by content,
 * whatever the file is called: SARIF 2.1.0, bandit (JSON), mypy (text, JSON), pylint (JSON of both kinds, text), ruff (JSON, text), flake8 (text).
 *
 * A rule is called as its tool calls it, with the tool before it: "bandit:B101". Its minutes are by the tool's severity (tools_rules.c has the
 * table), as the tools say nothing of it. Paths are brought to those of the project: a path of another machine is the file whose end it has. */
#pragma once
#include "audit/audit.h"

enum { TOOL_NAMES = 8 };
typedef struct ToolFile {
	Str path;
	const char *format; /* "bandit's JSON" */
	Str names
		[TOOL_NAMES]; /* of the tools that speak in it; none: it is empty, and may be any tool's */
	size_t name_count;
	size_t findings;
	size_t elsewhere; /* of these, in files that were not read here */
	size_t twice; /* of these, that another tool before, or we, found too: they are left out */
	size_t skipped; /* lines or results that say nothing that is understood */
} ToolFile;

typedef struct Tools {
	ToolFile *files;
	size_t count;
} Tools;

/* Reads one file's text. Prints are not set yet. Pure; strings are borrowed from it or in the arena. Fails with INVALID "audit.with" when it is
 * nothing of the above, and as json_read does. */
Err *tools_read(Arena *a, Str text, Findings *out, ToolFile *about) MUST_USE;

/* Was what this tool ("bandit") found read? With an empty file among those read: perhaps, so yes. tools NULL: no. */
bool tools_have(const Tools *tools, Str tool);
/* "bandit" of "bandit:B101"; empty: it is ours. */
Str tool_of_rule(Str id);

AuditStep tools_step; /* reads rules->with */
void tools_screen(FILE *out, const Tools *tools);
/* An array of { file, format, findings, elsewhere, twice, skipped } */
void tools_put(JsonWriter *w, const Tools *tools);
