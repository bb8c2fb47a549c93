/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of models.h: what an application is reached by (routes, tasks, signals), and what it reaches by name (templates, settings). */
#pragma once
#include "base/str.h"

enum { MODEL_NONE = UINT32_MAX }; /* no such row */

/* Where something stands. */
typedef struct ModelPlace {
	uint32_t file; /* in Project.files; MODEL_NONE: nowhere that was read */
	uint32_t line;
	uint32_t unit; /* in the file's Measures.units; UNIT_NONE: outside of all */
} ModelPlace;

typedef enum AppFramework {
	APP_DJANGO,
	APP_DRF,
	APP_FLASK,
	APP_FASTAPI,
	APP_AIOHTTP,
	APP_FRAMEWORKS
} AppFramework;

typedef struct AppRoute {
	AppFramework framework;
	Str methods; /* "GET,POST"; empty: not said */
	Str path; /* the whole of it, with what includes it: "/api/v1/orders/<int:pk>" ("^" and "$" of expressions stay) */
	Str name; /* "orders:detail" */
	Str view; /* as it is written */
	ModelPlace target; /* the function or class, followed through imports */
	ModelPlace place;  /* where the route is written */
	uint32_t package;  /* of the target; MODEL_NONE: unknown */
} AppRoute;

typedef enum TaskKind {
	TASK_CELERY,
	TASK_RQ,
	TASK_HUEY,
	TASK_DRAMATIQ,
	TASK_COMMAND /* manage.py x */,
	TASK_KINDS
} TaskKind;

typedef struct AppTask {
	TaskKind kind;
	Str name;     /* as the queue or manage.py has it */
	Str schedule; /* as it is written; empty: none known */
	ModelPlace place;
	uint32_t package;
	uint32_t calls;   /* places that put it into a queue */
	uint32_t callers; /* packages of these, besides its own */
} AppTask;

typedef struct AppSignal {
	Str name;                  /* "post_save", "orders.signals.order_paid" */
	Str sender;                /* as it is written; empty: any */
	ModelPlace receiver, sent; /* sent.file MODEL_NONE: not sent in what was read */
	uint32_t package,
		from; /* of the receiver; of the sender's model or of the place of sending */
	uint32_t sends;
} AppSignal;

typedef struct AppTemplate {
	Str name;          /* "orders/list.html" */
	Str path;          /* from the root; empty: there is no such file */
	uint32_t uses;     /* by code */
	uint32_t included; /* by templates: extends and include */
	ModelPlace first;
} AppTemplate;

typedef struct AppSetting {
	Str name; /* "DEBUG", "env:HOME", "config:SECRET" */
	uint32_t reads, packages;
	ModelPlace first;
	bool defined; /* in a settings module that was read */
} AppSetting;
