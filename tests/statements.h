/* SPDX-License-Identifier: Apache-2.0
 *
 * All statements of a .sql file against a schema that is in place. For suites of any engine. */
#pragma once
#include "store/db_int.h"
#include "unit.h"

#include <string.h>

/* Prepares each against the schema; one that reads a whole table says so in its file. */
static void suite_statements(Db *db, Arena *a, const SqlList *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const Sql *sql = list->at[i];
		DbPlan plan;

		NOTE("%s:%d %s", sql->file, sql->line, sql->name);
		if (!sql->text[db_engine(db)] || strcmp(sql->name, "no_such_table") == 0)
			continue;
		CHECK_OK(db->engine->plan(db, a, sql, &plan));
		NOTE("%s:%d %s: %.*s", sql->file, sql->line, sql->name, STR_ARG(plan.text));
		CHECK(!plan.scans || sql->scans);
		CHECK(!sql->reads || plan.reads);
	}
}
