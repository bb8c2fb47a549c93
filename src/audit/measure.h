/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures of one file's syntax: its functions and classes, and how complex they are. Pure.
 *
 * Whose rules, to the digit: cyclomatic complexity, Halstead's figures and the maintainability index as radon has them (its 5.1; `match` as
 * its 6), or cyclomatic as mccabe or Sonar count; cognitive complexity as Sonar's analyser of Python. */
#pragma once
#include "audit/lex.h"
#include "audit/syntax.h"

typedef enum CcRules { CC_RADON, CC_MCCABE, CC_SONAR, CC_RULES } CcRules;

typedef struct Halstead {
	uint32_t h1, h2; /* different operators, operands */
	uint32_t n1, n2; /* all of them */
} Halstead;

typedef enum UnitKind { UNIT_FUNCTION, UNIT_CLASS } UnitKind;
enum { UNIT_NONE = UINT32_MAX };

/* A function or a class, in the order of the text. */
typedef struct Unit {
	UnitKind kind;
	Str name;
	uint32_t node;   /* its definition */
	uint32_t parent; /* the unit that it stands in; UNIT_NONE: the module */
	uint32_t line, end_line;
	bool method; /* a function that stands directly in a class's body (or under an if or such there) */
	bool async;
	uint32_t cc; /* of a class: all its methods and its body (radon's "real" complexity) */
	uint32_t cognitive; /* of a function with those inside of it; of a class: of its methods */
	uint32_t nesting;   /* deepest of its control structures */
	uint32_t arguments; /* of a function, self and cls too */
	uint32_t methods;   /* of a class */
	uint32_t
		lcom4; /* of a class: groups of methods that have nothing to do with each other; 0: no methods */
	uint32_t statements;
	Halstead halstead; /* of a function */
} Unit;

typedef struct Measures {
	LineCounts lines;
	Unit *units; /* in the arena */
	uint32_t unit_count;
	uint32_t cc;        /* of the file: radon's total */
	uint32_t cognitive; /* of all functions, and of what stands outside */
	Halstead halstead;
	double volume, mi;
} Measures;

void measure(Arena *a, const Syntax *s, CcRules rules, Measures *out);

double halstead_volume(const Halstead *h);
/* 0 to 100. comments: percent of the lines with code. */
double maintainability(double volume, uint32_t cc, uint32_t lloc, double comments);
char cc_rank(uint32_t cc);                 /* 'A' to 'F' */
uint32_t class_cc_shown(const Unit *unit); /* radon's figure for a class: the mean of its methods */
