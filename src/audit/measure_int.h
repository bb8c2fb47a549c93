/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "audit/measure.h"

/* Decisions between two rows, definitions inside passed over. */
uint32_t cc_decisions(const Syntax *s, uint32_t from, uint32_t end, CcRules rules);
void measure_cc(const Syntax *s, CcRules rules, Measures *m);
void measure_cognitive(const Syntax *s, Measures *m);
void measure_halstead(Arena *a, const Syntax *s, Measures *m);
void measure_cohesion(Arena *a, const Syntax *s, Measures *m);

/* The body of a definition; SYNTAX_NONE where there is none (broken text). */
static inline uint32_t unit_body(const Syntax *s, uint32_t node)
{
	return syntax_child(s, node, PY_F_BODY);
}
static inline bool is_definition(const PyNode *node)
{
	return node->kind == PY_FUNCTION_DEFINITION || node->kind == PY_CLASS_DEFINITION;
}
