/* SPDX-License-Identifier: Apache-2.0
 *
 * What is taken from one file, before anything is known of the others: names stand as they are written. The rows are kept in the cache. */
#pragma once
#include "audit/models.h"
#include "audit/models_sql.h"

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
	uint8_t scale; /* decimal_places */
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

typedef enum UseOf {
	USE_MODEL,   /* "Order", "models.Order", "Order.objects" */
	USE_SELF,    /* of the class around it; path: what comes after "self." */
	USE_RELATED, /* of some object: its attribute `path` */
	USE_TABLE,   /* SQL: the table's name */
	USE_CALL     /* in a transaction: of a function, "new_payment", "Order.go", "self.go" */
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

/* Room for one more at the end of a list whose count is given. */
void *take_grow(Arena *a, void *list, size_t each, uint32_t count) RETURNS_NONNULL;
#define TAKE_ADD(a, list, counter) \
	({ \
		uint32_t take_at_ = (counter)++; \
		(list) = take_grow((a), (list), sizeof(*(list)), take_at_); \
		&(list)[take_at_]; \
	})
Str name_last(Str dotted);  /* after the last dot */
Str name_first(Str dotted); /* before the first one */
