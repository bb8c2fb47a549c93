/* SPDX-License-Identifier: Apache-2.0
 *
 * From which figures on code smells. */
#pragma once
#include "base/conf.h"

/* Limits, `audit.limits` of banyan.yaml: the largest figure that is fine. */
typedef struct SmellsConf {
	uint32_t cognitive, statements, arguments, nesting;    /* of a function */
	uint32_t class_methods, class_lines, class_complexity; /* of a class */
	uint32_t module_lines, module_units;                   /* of a file */
	uint32_t view_statements, model_methods;               /* fat views, fat models */
	uint32_t clump_size,
		clump_places; /* arguments that travel together; in so many functions */
} SmellsConf;
const ConfTable *smells_table(void) RETURNS_NONNULL;
