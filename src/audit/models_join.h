/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting together what the files say: names over files, and the parts of the join with what all of them ask. */
#pragma once
#include "audit/models_facts.h"
#include "base/map.h"

/* --- names over files (models_names.c) */

typedef struct Names Names;
typedef struct Found {
	uint32_t file; /* MODEL_NONE: outside of what was read, or a variable */
	uint32_t unit; /* UNIT_NONE: the module itself, or a variable of it */
	Str outside; /* the whole name as it was imported first: "django.db.models.Model"; empty: not imported */
	Str rest; /* what follows the unit or the module: "objects" */
	const VarFact *var;
} Found;
Names *model_names_new(Arena *a, const Project *project);
const FileModels *names_facts(const Project *project, uint32_t file); /* NULL: none */
Found names_find(const Names *names, uint32_t file, Str dotted);
/* The same of a whole name from the top, as texts have it: "shop.tasks.clean". */
Found names_path(const Names *names, uint32_t file, Str dotted);
uint32_t names_module(const Names *names, uint32_t from_file, Str dotted); /* MODEL_NONE */
Str names_of_file(const Names *names, uint32_t file);                      /* "orders.models" */

/* --- putting together (models.c and those after it) */

/* Pairs of numbers to a number. */
typedef struct PairSlot {
	uint64_t key;
	uint32_t value; /* and 1; 0: empty */
} PairSlot;
typedef struct PairMap {
	PairSlot *slots;
	size_t count, cap;
} PairMap;
uint32_t pair_get(const PairMap *map, uint32_t one, uint32_t other); /* MODEL_NONE */
void pair_put(Arena *a, PairMap *map, uint32_t one, uint32_t other, uint32_t value);

/* A class of the project, whatever it is. */
typedef struct JoinClass {
	uint32_t file, index; /* of the file's ClassFacts */
	uint32_t model;       /* MODEL_NONE: it is none */
	uint32_t *bases;      /* classes of the project */
	uint32_t base_count;
	bool outside; /* some base is not in the project */
} JoinClass;

typedef struct Join {
	Arena *a;
	const AuditRules *rules;
	Audit *audit;
	const Project *project;
	Names *names;
	Models *m;
	JoinClass *classes;
	uint32_t class_count;
	uint32_t *class_of_model;
	PairMap class_at; /* file and unit */
	PairMap touch_at; /* table and place */
	Map labels;       /* "app.name", lower case: model and 1 */
	Map by_name;      /* of SQLAlchemy's: model and 1 */
	Map related;      /* related_name, x_set: relation and 1; JOIN_AMBIGUOUS */
	Map table_at;     /* lower case: table and 1 */
	Map field_at;   /* "model field": relation and 1, forward; "model related_name": backward */
	Str user_model; /* AUTH_USER_MODEL */
	Str *label_of;  /* Django's, by file */
} Join;

const ClassFact *join_fact(const Join *j, uint32_t class);
uint32_t join_class(const Join *j, uint32_t file, Str dotted, Str *rest); /* MODEL_NONE */

void join_packages(Join *j);
void join_models(Join *j);
void join_relations(Join *j);
void join_touches(Join *j);
void join_transactions(Join *j);
void join_routes(Join *j);
void join_tasks(Join *j);
void join_signals(Join *j);
void join_templates(Join *j);
void join_settings(Join *j);
Err *join_migrations(Join *j) MUST_USE; /* fails as since_open does */
void join_findings(Join *j);

/* The model that a name stands for in a file; MODEL_NONE. rest: what follows it. */
uint32_t join_model(const Join *j, uint32_t file, Str dotted, Str *rest);
bool join_is_user(const Join *j, uint32_t file,
                  Str dotted); /* User = get_user_model(), settings.AUTH_USER_MODEL */
uint32_t join_model_of_unit(const Join *j, uint32_t file, uint32_t unit); /* of the class around */
uint32_t join_model_by_label(const Join *j, Str app, Str name);
uint32_t join_table(Join *j, Str name); /* added when it is new */
/* The relation that a name leads along from a model, either way; MODEL_NONE. *to: where it leads. */
uint32_t join_step(const Join *j, uint32_t model, Str name, uint32_t *to);
/* The method of that name in the class around a unit, or that it is; UNIT_NONE. */
uint32_t join_method(const Join *j, uint32_t file, uint32_t unit, Str name);
/* The table that a query or a piece of SQL is of; MODEL_NONE. */
uint32_t join_use(Join *j, uint32_t file, const UseFact *use);
bool join_counts(const Join *j, uint32_t file); /* code that is the team's own */
Str join_unit_name(Arena *a, const AuditFile *file, uint32_t unit); /* "Order.save" */
