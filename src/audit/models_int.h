/* SPDX-License-Identifier: Apache-2.0
 *
 * What is taken from one file, before anything is known of the others: names stand as they are written. The rows are kept in the cache. */
#pragma once
#include "audit/models.h"
#include "base/map.h"

/* "from a.b import c as d" is { "d", "a.b.c" }; "import a.b" is { "a", "a" }; a star's target is the module. */
typedef struct ImportFact {
	Str local, target;
	uint32_t line;
	uint8_t level; /* dots before it */
	bool star;
} ImportFact;

/* A name that a call's result is given to outside of functions: db = SQLAlchemy(), bp = Blueprint("x", url_prefix="/x"). */
typedef struct VarFact {
	Str name, callee;
	Str prefix; /* url_prefix=, prefix= */
	Str first;  /* its first argument, if that is a text */
	uint32_t line;
} VarFact;

enum {
	FIELD_NULL = 1,
	FIELD_UNIQUE = 2,
	FIELD_INDEX = 4,
	FIELD_DEFAULT = 8,
	FIELD_PRIMARY = 16,
	FIELD_SERVER_DEFAULT = 32, /* the database's own */
	FIELD_UNCHECKED = 64,      /* db_constraint=False, postgresql_not_valid=True */
	FIELD_NOT_NULL = 128       /* said */
};
typedef struct FieldFact {
	Str name;
	Str type; /* "models.ForeignKey" */
	Str to;   /* "Order", "cart.Cart", "self", "carts.id" */
	Str through, on_delete, related_name, db_table;
	Str length; /* max_length, or the type's own argument */
	uint32_t line;
	uint8_t flags;
} FieldFact;

enum {
	CLASS_ABSTRACT = 1,
	CLASS_PROXY = 2,
	CLASS_UNMANAGED = 4,
	CLASS_TABLE = 8 /* SQLModel's table=True */,
	CLASS_CALL = 16 /* Table(..) */
};
typedef struct ClassFact {
	Str name; /* "Order", "Order.Line" */
	uint32_t unit, line;
	Str *bases;
	FieldFact *fields;
	uint32_t base_count, field_count;
	Str table, app;
	uint8_t flags;
} ClassFact;

enum { DOES_READ = 1, DOES_WRITE = 2, DOES_LOCK = 4, DOES_DEFINE = 8 };
typedef enum UseOf {
	USE_MODEL,   /* "Order", "models.Order", "Order.objects" */
	USE_SELF,    /* of the class around it; path: what comes after "self." */
	USE_RELATED, /* of some object: its attribute `path` */
	USE_TABLE    /* SQL: the table's name */
} UseOf;
typedef struct UseFact {
	Str on, path; /* path of a join: "order__customer" */
	uint32_t unit, line;
	uint8_t of, via, does;
} UseFact;

typedef struct BlockFact { /* of one transaction */
	uint32_t unit, line, end_line;
} BlockFact;

typedef enum RouteKind {
	ROUTE_PATH,      /* Django's */
	ROUTE_INCLUDE,   /* target: a module or a list of this file, or "router.urls" */
	ROUTE_REGISTER,  /* of a router of Django REST framework */
	ROUTE_ACTION,    /* of a view set: on is the class */
	ROUTE_DECORATED, /* @on.route(path) */
	ROUTE_ADDED,     /* on.add_url_rule(path, view_func=target) */
	ROUTE_RESOURCE,  /* api.add_resource(target, path) */
	ROUTE_AIOHTTP,
	ROUTE_MOUNT /* on.register_blueprint(target, url_prefix=path) */
} RouteKind;
typedef struct RouteFact {
	Str on, path, target, view, methods, name, list;
	uint32_t unit, line;
	uint32_t within; /* 1 + the row that includes it in place; 0: none */
	uint8_t kind;
	bool computed; /* its path or target is no plain text or name */
	bool detail;   /* of an action */
} RouteFact;

typedef enum TaskFactKind { TASK_DEFINED, TASK_CALLED, TASK_SCHEDULED } TaskFactKind;
typedef struct TaskFact {
	Str on; /* DEFINED: the decorator; CALLED, SCHEDULED: whom */
	Str name, schedule;
	uint32_t unit, line;
	uint8_t kind;
} TaskFact;

typedef enum SignalFactKind { SIGNAL_RECEIVED, SIGNAL_SENT } SignalFactKind;
typedef struct SignalFact {
	Str signal, sender, receiver; /* receiver empty: the unit */
	uint32_t unit, line;
	uint8_t kind;
} SignalFact;

typedef enum NameFactKind {
	NAME_TEMPLATE,
	NAME_SETTING,
	NAME_DEFINED,
	NAME_COMPUTED_SQL
} NameFactKind;
typedef struct NameFact {
	Str name;
	Str value; /* DEFINED: if it is a text */
	uint32_t unit, line;
	uint8_t kind;
} NameFact;

typedef enum OperationKind {
	OP_OTHER,
	OP_CREATE_MODEL,
	OP_DELETE_MODEL,
	OP_RENAME_MODEL,
	OP_RENAME_TABLE,
	OP_ADD_FIELD,
	OP_REMOVE_FIELD,
	OP_ALTER_FIELD,
	OP_RENAME_FIELD,
	OP_ADD_INDEX,
	OP_ADD_INDEX_CONCURRENTLY,
	OP_REMOVE_INDEX,
	OP_TOGETHER, /* unique_together, index_together */
	OP_ADD_CONSTRAINT,
	OP_VALIDATE,
	OP_RUN_PYTHON,
	OP_RUN_SQL,
	OP_KINDS
} OperationKind;
enum {
	OP_ALEMBIC = 1,
	OP_REVERSIBLE = 2,
	OP_STATE_ONLY = 4, /* within SeparateDatabaseAndState's state_operations */
	OP_DOWN = 8,       /* within Alembic's downgrade() */
	OP_CHECK = 16,     /* a constraint: CHECK */
	OP_UNIQUE = 32,
	OP_NOT_VALID = 64,
	OP_IF_ATOMIC_NO = 128 /* RunPython(atomic=False), autocommit_block() */
};
typedef struct OperationFact {
	Str model; /* lower case, of Django; the table, of Alembic */
	FieldFact field;
	Str target;         /* the new name; the function of RunPython; the SQL */
	FieldFact *columns; /* of CREATE_MODEL */
	uint32_t column_count;
	uint32_t line, end_line;
	uint8_t kind, flags;
} OperationFact;

typedef struct FileModels {
	ImportFact *imports;
	VarFact *vars;
	ClassFact *classes;
	UseFact *uses;
	BlockFact *blocks;
	RouteFact *routes;
	TaskFact *tasks;
	SignalFact *signals;
	NameFact *names;
	OperationFact *operations;
	Str *needs; /* of a migration: "app.0001_initial"; of Alembic's: its down_revision */
	uint32_t import_count, var_count, class_count, use_count, block_count, route_count,
		task_count, signal_count, name_count, operation_count, need_count;
	Str app_name;   /* of a urls module: its namespace */
	Str app_label;  /* of an AppConfig: its label */
	Str app_module; /* of an AppConfig: its name */
	Str revision;   /* of Alembic's */
	bool migration, not_atomic, initial, squashed;
	bool downgrade_empty; /* of Alembic's */
} FileModels;

/* --- reading syntax (models_syntax.c) */

/* "a.b.c" of a name or attributes of names; empty: it is something else. Borrowed from the text. */
Str syntax_dotted(const Syntax *s, uint32_t node);
/* What a string says, its pieces put together, escapes as they are. False: it is no string, or has something computed in it. */
bool syntax_literal(Arena *a, const Syntax *s, uint32_t node, Str *out);
Str syntax_raw(Arena *a, const Syntax *s,
               uint32_t string); /* what is computed in it stays as {..} */
uint32_t syntax_argument(const Syntax *s, uint32_t call,
                         uint32_t n);                              /* by its place; SYNTAX_NONE */
uint32_t syntax_keyword(const Syntax *s, uint32_t call, Str name); /* its value; SYNTAX_NONE */
Str syntax_callee(const Syntax *s, uint32_t call);                 /* as syntax_dotted */
Str syntax_last(const Syntax *s,
                uint32_t call); /* the name that is called: "filter" of anything.filter() */
Str name_last(Str dotted);      /* after the last dot */
Str name_first(Str dotted);     /* before the first one */
bool is_upper_name(Str name);   /* "DEBUG" */
Str syntax_short(Arena *a, const Syntax *s,
                 uint32_t node); /* its text on one line, cut at 80 bytes; a copy */

/* --- taking (models_take.c and those after it) */

typedef struct Take {
	Arena *a;
	const Syntax *s;
	const AuditFile *file;
	FileModels *out;
	uint32_t unit;           /* of the row that is looked at */
	uint32_t class;          /* 1 + the class whose body the row stands in directly; 0: none */
	uint32_t *class_of;      /* the same, by unit; NULL: there is no class yet */
	struct TakeQuery *query; /* models_take_query.c */
	struct {
		uint32_t row, end;
	} include[16];
	uint32_t includes;
} Take;

/* Room for one more at the end of a list whose count is given. */
void *take_grow(Arena *a, void *list, size_t each, uint32_t count) RETURNS_NONNULL;
#define TAKE_ADD(a, list, counter) \
	({ \
		uint32_t take_at_ = (counter)++; \
		(list) = take_grow((a), (list), sizeof(*(list)), take_at_); \
		&(list)[take_at_]; \
	})
const ImportFact *take_import(const FileModels *f, Str local); /* NULL: none */
bool take_is_from(const Take *t, Str dotted,
                  Str package); /* its first name was imported from there */

void take_import_row(Take *t, uint32_t node);
void take_class(Take *t, uint32_t node);
void take_field(Take *t, uint32_t assignment);
void take_table(Take *t, uint32_t call, Str name);
void take_field_call(Arena *a, const Syntax *s, uint32_t call, FieldFact *out);

void take_query_call(Take *t, uint32_t call);
void take_query_binding(Take *t, uint32_t left, uint32_t right); /* assignment, for */
void take_query_parameter(Take *t, uint32_t node);
void take_query_keyword(Take *t, uint32_t node);
void take_query_string(Take *t, uint32_t node);
void take_query_row(Take *t, uint32_t row); /* before each row: forgets what has ended */
void take_with(Take *t, uint32_t node);
void take_block_decorator(Take *t, uint32_t what, uint32_t unit);
typedef struct TakeQuery TakeQuery;
TakeQuery *take_query_new(Arena *a) RETURNS_NONNULL;

void take_route_call(Take *t, uint32_t call, Str callee, Str last);
void take_route_decorator(Take *t, uint32_t call, uint32_t unit);
void take_task_decorator(Take *t, uint32_t node, uint32_t unit);
void take_task_call(Take *t, uint32_t call, Str last);
void take_schedule_pair(Take *t, uint32_t pair);
void take_name_call(Take *t, uint32_t call, Str last);
void take_name_attribute(Take *t, uint32_t node);
void take_name_subscript(Take *t, uint32_t node);
void take_name_assignment(Take *t, uint32_t node, Str left);

void take_migration(Arena *a, const Syntax *s, const AuditFile *file, FileModels *out);

/* --- SQL (models_sql.c) */

typedef struct SqlTable {
	Str name; /* as it is written, without quotes and schema */
	uint8_t does;
} SqlTable;
typedef struct SqlTables {
	SqlTable at[32];
	uint32_t count;
	bool computed; /* a name is put in later: %s, {}, :x */
	bool is_sql;
	bool data, schema; /* what kinds of statements are there */
	bool index_plain;  /* CREATE INDEX without CONCURRENTLY */
	bool concurrently;
	bool not_valid; /* a constraint, to be validated later */
	bool alters;    /* ALTER TABLE of something that waits for all */
} SqlTables;
/* Pure; no recursion; linear in the text. sure: it is SQL, whatever its letters' case. */
void sql_tables(Str sql, bool sure, SqlTables *out);

/* --- names over files (models_names.c) */

typedef struct Names Names;
typedef struct Found {
	uint32_t file; /* MODEL_NONE: outside of what was read, or a variable */
	uint32_t unit; /* UNIT_NONE: the module itself, or a variable of it */
	Str outside; /* the whole name as it was imported first: "django.db.models.Model"; empty: not imported */
	Str rest; /* what follows the unit or the module: "objects" */
	const VarFact *var;
} Found;
Names *names_new(Arena *a, const Project *project);
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
	Str *labels_of; /* by package */
} Join;

const ClassFact *join_fact(const Join *j, uint32_t class);
uint32_t join_class(const Join *j, uint32_t file, Str dotted, Str *rest); /* MODEL_NONE */

void join_packages(Join *j);
void join_models(Join *j);
void join_relations(Join *j);
void join_touches(Join *j);
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
bool join_counts(const Join *j, uint32_t file); /* code that is the team's own */
Str join_unit_name(Arena *a, const AuditFile *file, uint32_t unit); /* "Order.save" */
