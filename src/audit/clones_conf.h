/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts as the same code twice. */
#pragma once
#include "base/conf.h"

/* `audit.clones` of banyan.yaml. */
typedef struct ClonesConf {
	uint32_t tokens; /* at least; twice as many when more than half of the names differ */
	uint32_t lines;  /* at least, at every place */
	bool tests;      /* those among tests are findings too (they are counted in any case) */
} ClonesConf;
const ConfTable *clones_table(void) RETURNS_NONNULL;
