/* SPDX-License-Identifier: Apache-2.0
 *
 * What an application is made of besides its code: models and their tables, who touches which table, routes, tasks, signals, templates,
 * settings. Django, SQLAlchemy (declarative, Mapped, Table), Flask, FastAPI, aiohttp, Django REST framework, Celery, RQ, Huey, Dramatiq.
 *
 * Rows refer to each other by index. A package is a Django app, or else the folder of a file, or the group that rules put it into; it owns the tables of the models in it.
 * What could not be followed is counted, not guessed. The JSON (models_put) has the same lists under the same names. */
#pragma once
#include "audit/audit.h"
#include "audit/models_app.h"
#include "base/json.h"

#include <stdio.h>

typedef enum ModelKind {
	MODEL_DJANGO,
	MODEL_SQLALCHEMY, /* a mapped class */
	MODEL_TABLE,      /* SQLAlchemy's Table("name", ...) */
	MODEL_KINDS
} ModelKind;

typedef struct Model {
	ModelKind kind;
	Str name;   /* "Order" */
	Str module; /* "orders.models", by the folders above it */
	Str app;    /* Django's label; empty: it has none */
	ModelPlace place;
	uint32_t package, table; /* MODEL_NONE: an abstract one has no table */
	uint32_t columns;        /* its own and its abstract parents', as far as they were read */
	bool abstract, proxy, unmanaged;
	bool partial; /* some of its parents stand outside of what was read */
} Model;

typedef enum RelationKind {
	RELATION_KEY,
	RELATION_ONE,
	RELATION_MANY,
	RELATION_GENERIC,
	RELATION_KINDS
} RelationKind;

typedef struct Relation {
	RelationKind kind;
	uint32_t from, to; /* models; to MODEL_NONE: outside of what was read */
	uint32_t through;  /* of MANY: the model between, or MODEL_NONE */
	Str field, to_text /* as it is written */, on_delete /* "CASCADE"; empty: not said */,
		related_name;
	bool null;
	bool crosses;     /* into another package */
	bool backs;       /* SQLAlchemy's relationship(): a view of a key that is there already */
	ModelPlace place; /* of an inherited field: in its abstract parent */
} Relation;

typedef struct Table {
	Str name;
	uint32_t model;    /* MODEL_NONE: seen in SQL or between two models only */
	uint32_t package;  /* that owns it; MODEL_NONE: nobody known */
	uint32_t packages; /* how many touch it */
	uint64_t reads, writes, locks;
} Table;

typedef enum TouchVia {
	TOUCH_QUERY,
	TOUCH_INSTANCE,
	TOUCH_JOIN /* "customer__name" */,
	TOUCH_SQL,
	TOUCH_FORM,
	TOUCH_VIAS
} TouchVia;

/* One package's or one function's dealings with one table: places in tests, migrations and generated code do not count. */
typedef struct Touch {
	uint32_t table, package;
	ModelPlace place; /* the first one in this unit */
	uint32_t reads, writes, locks;
	uint32_t vias;       /* bits, by TouchVia */
	uint32_t write_line; /* of the first that writes; 0: none does */
} Touch;

/* The matrix, its cells that are not empty; by table, then package. */
typedef struct TableCell {
	uint32_t table, package;
	uint32_t reads, writes, locks;
	uint32_t joins; /* of the reads: by a path of names from a model of another table */
} TableCell;

/* A path of names in a query that ends in another package's table: a join that a service could not make. */
typedef struct CrossJoin {
	ModelPlace place;
	uint32_t from, to; /* tables */
	Str path;          /* "order__customer__email" */
} CrossJoin;

/* A block of one transaction that writes tables of several packages. */
typedef struct CrossTransaction {
	ModelPlace place;
	uint32_t end_line;
	const uint32_t *tables; /* written in it */
	uint32_t table_count, packages;
	uint32_t by_calls; /* of the tables: written by functions that the block calls */
} CrossTransaction;

typedef struct Models {
	Str *packages;        /* "orders", "shop.billing" */
	uint32_t *package_of; /* by file of the Project */
	Model *models;
	Relation *relations;
	Table *tables;
	Touch *touches;
	TableCell *cells;
	CrossJoin *joins;
	CrossTransaction *transactions;
	AppRoute *routes;
	AppTask *tasks;
	AppSignal *signals;
	AppTemplate *templates;
	AppSetting *settings;
	uint32_t package_count, model_count, relation_count, table_count, touch_count, cell_count,
		join_count, transaction_count, route_count, task_count, signal_count,
		template_count, setting_count;
	uint32_t migrations;      /* files of Django's and Alembic's that were judged */
	Str migrations_why_not;   /* not empty: why those that have run could not be told apart */
	uint32_t unknown_queries; /* query-like calls of something that is no known model */
	uint32_t unknown_sql; /* SQL that is put together while running: its tables are not known */
	uint32_t unknown_routes; /* routes whose path or view is computed */
} Models;

/* Sets audit->models. Adds findings PY601 to PY629. Fails with INVALID "audit.revision" (audit.models.migrations_since). */
AuditStep models_step;
/* FACTS_MODELS */
const FactsModule *models_facts(void) RETURNS_NONNULL;
Str model_package_name(const Models *m, uint32_t package); /* "?" for MODEL_NONE */

void models_screen(FILE *out, const Models *m, const Audit *audit);
/* {"packages": [name], "models": [{"name", "kind", "app", "module", "path", "line", "package", "table", "columns", "abstract", "proxy",
 * "managed", "partial"}], "relations": [{"kind", "from", "to", "to_text", "field", "on_delete", "related_name", "through", "null", "crosses",
 * "path", "line"}], "tables": [{"name", "model", "package", "packages", "reads", "writes", "locks"}], "cells": [{"table", "package", "reads",
 * "writes", "locks", "joins"}], "touches": [{"table", "package", "path", "line", "unit", "reads", "writes", "locks", "via": [..]}],
 * "joins": [{"path", "line", "unit", "from", "to", "names"}], "transactions": [{"path", "line", "end_line", "unit", "tables", "packages", "by_calls"}],
 * "routes": [{"framework", "methods", "route", "name", "view", "package", "path", "line", "target_path", "target_line", "target_unit"}],
 * "tasks", "signals", "templates", "settings", "unknown": {"queries", "sql", "routes"}, "migrations"}; models, tables and packages are
 * referred to by index, null where there is none. Touches, joins, templates and settings end at 5,000 rows: "left_out" has the rest's counts. */
void models_put(JsonWriter *w, const Models *m, const Audit *audit);
