/* SPDX-License-Identifier: Apache-2.0
 *
 * The dependency matrix of any parts: packages, groups of the configuration, services that are proposed. */
#pragma once
#include "audit/links.h"

/* Edges between parts that modules are in, by from and to, in the arena. of: every module's part; PART_NONE (part.h): none, it is left out. */
LinkPackageEdge *links_matrix(Arena *a, const Links *links, const uint32_t *of, size_t *count)
	RETURNS_NONNULL;
