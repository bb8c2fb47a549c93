/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepting a notification: a row and a job. */
#pragma once
#include "notification/delivery_domain.h"
#include "store/db.h"

typedef struct NotificationRow NotificationRow;
typedef struct WorkflowRow WorkflowRow;

Err *workflow_need(Db *db, Arena *a, Str name, WorkflowRow **out)
	MUST_USE; /* NOT_FOUND "workflow.unknown" */

typedef struct Asked {
	Str recipients; /* JSON: [{ "recipient" | "topic" | "email", "phone": ... }] */
	Str channels;   /* "email push"; empty: the workflow's */
	Str data;       /* a JSON object; empty: {} */
	Str content;    /* JSON; empty: the workflow's template */
	Str raw_ref;    /* empty: none */
	int64_t nudge;  /* added to the class's priority */
	int64_t send_at_us, expires_us;
	Str collapse_key, author, traceparent;
	MessageClass class; /* as it turned out, for who counts */
} Asked;

/* In a transaction. *out: the row as it is. */
Err *notification_accept(Db *tx, Arena *a, const WorkflowRow *workflow, const Asked *asked,
                         NotificationRow **out) MUST_USE;
/* What is unsent is cancelled, *cancelled of them; deliveries that are still to be made never are. */
Err *notification_cancel_all(Db *tx, Arena *a, Uuid id, Str author, int64_t *cancelled) MUST_USE;
/* A person has it sent again: one that failed, or of which nobody knows. Fails with NOT_FOUND "delivery.unknown", CONFLICT
 * "delivery.state". */
Err *delivery_retry(Db *tx, Arena *a, Uuid id, Str author) MUST_USE;
