/* SPDX-License-Identifier: Apache-2.0
 *
 * Smells: what makes code hard to change (PY1xx), wrong (PY2xx), unsafe (PY3xx) or slow (PY4xx). What can be told from one file without limits
 * is a fact of that file (smells_facts); what depends on limits of the configuration, or on other files, is told by smells_step.
 * Everything it has to say is Findings. */
#pragma once
#include "audit/ignore.h"
#include "audit/rules.h"
#include "audit/smells_conf.h"

const FactsModule *smells_facts(void) RETURNS_NONNULL; /* FACTS_SMELLS: gives a FileSmells */
AuditStep smells_step;

/* bandit's ids of the same thing, with blanks between; NULL: it has none. For parity, and for `# nosec`. */
const char *smells_bandit_ids(const FindingRule *rule);
/* Is the finding's line itself not to be shown, because a secret stands in it? Whoever prints code asks. */
bool smells_hides_line(const FindingRule *rule);

/* --- facts of a file, plain ---------------------------------------------------------------------------------------------------------- */

typedef struct Smell {
	uint32_t rule; /* of smells_rules */
	uint32_t line, end_line;
	Str unit, text;
	double amount;
	uint64_t place; /* hash of the place's own text, for Finding.print */
} Smell;

/* Arguments of a function, for clumps of them. */
typedef struct SmellSignature {
	Str unit;
	uint32_t line;
	Str *names; /* sorted; without self and cls */
	uint32_t name_count;
} SmellSignature;

/* A relation of a model: `customer = ForeignKey(Customer, related_name="orders")`; many: it gives a set. */
typedef struct SmellRelation {
	Str name, target; /* "customer", "Customer" */
	Str back;         /* "orders"; empty: the usual name */
	bool many;
	bool mapped; /* SQLAlchemy's: reading it alone asks, and nobody has a usual name */
} SmellRelation;

typedef struct SmellClass {
	Str name;
	uint32_t unit; /* of AuditFile.measures */
	Str *bases;    /* their last parts: "Model" of models.Model */
	uint32_t base_count;
	SmellRelation *relations;
	uint32_t relation_count;
} SmellClass;

/* In a loop over rows of a model: an attribute that is another query if it is a relation. */
typedef struct SmellTouch {
	Str model; /* "Order" of Order.objects.filter(...) */
	Str name;  /* "customer" of order.customer.name; "items" of order.items.all() */
	Str unit;
	uint32_t line, loop_line;
	bool many;  /* asked as a set is: .all(), .filter() */
	bool alone; /* read, and nothing of it: order.lines */
	uint64_t place;
} SmellTouch;

typedef struct FileSmells {
	Smell *smells;
	uint32_t smell_count;
	Ignore *ignores;
	uint32_t ignore_count;
	SmellSignature *signatures;
	uint32_t signature_count;
	SmellClass *classes;
	uint32_t class_count;
	SmellTouch *touches;
	uint32_t touch_count;
	uint32_t *views; /* functions that answer requests: units of AuditFile.measures */
	uint32_t view_count;
} FileSmells;
