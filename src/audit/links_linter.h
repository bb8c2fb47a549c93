/* SPDX-License-Identifier: Apache-2.0
 *
 * The contracts that a project has for import-linter, of .importlinter, setup.cfg or pyproject.toml, as ours. */
#pragma once
#include "audit/links_conf.h"
#include "audit/links.h"

typedef struct LinterContracts {
	LinkContract *at;
	size_t count;
	LinkContractState *odd; /* those that are of a kind we do not know */
	size_t odd_count;
} LinterContracts;

/* From the first of the files that has any. Fails as file_read does, but not when there is none. */
Err *linter_load(Arena *a, Str root, LinterContracts *out) MUST_USE;
/* `[importlinter:contract:...]` of an INI; what is not understood is passed over. */
void linter_read_ini(Arena *a, Str name, Str text, LinterContracts *out);
/* `[[tool.importlinter.contracts]]` of a TOML. */
void linter_read_toml(Arena *a, Str name, Str text, LinterContracts *out);
