/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch: one request of the intake, whatever its shape: its body read and opened, its events put together, taken, and those that
 * are none kept aside. Shapes (intake_*.c) only say how a body becomes events. */
#pragma once
#include "analytics/intake.h"
#include "analytics/project.h"

/* What became of one event of the body. */
typedef struct BatchRow {
	Str raw; /* as it came, for those refused */
	Uuid id;
	HitRefusal refusal; /* code NULL: it is hits[hit] */
	size_t hit;
} BatchRow;

typedef struct Batch {
	ServiceCall *call;
	Analytics *service;
	Arena *arena; /* its own: batch_end gives it back */
	const char *source;
	Str body;
	Str key; /* that the body has; empty: none */
	Project *project;
	HitLimits limits;
	int64_t shift_ms; /* of the client's clock */
	Str visitor;      /* whoever it is today, where privacy says so; empty: not known yet */
	bool hidden;      /* the client asks not to be followed (Sec-GPC, DNT) */
	BatchRow *rows;
	size_t count, cap;
	Hit *hits;
	uint8_t *fates;
	size_t hit_count, hit_cap;
	size_t held; /* of the memory for bodies */
	size_t stored, duplicates, refused;
} Batch;

/* Reads the body, opens gzip (by its name, or its first bytes), up to the limit. Parks. Fails with TOO_LARGE
 * "http.body_too_large", INVALID "request.coding", BUSY "analytics.busy". */
Err *batch_begin(ServiceCall *c, const char *source, Batch *out) MUST_USE;
void batch_end(Batch *b); /* for AUTO */
/* Runs fn(b) where it belongs: here when the body is small, on a worker when it is not. fn does not park. */
typedef Err *BatchRead(Batch *b);
Err *batch_read(Batch *b, BatchRead *fn) MUST_USE;
/* By its key. Fails with UNAUTHENTICATED "analytics.key". Parks. */
Err *batch_project(Batch *b, Str key) MUST_USE;

/* One event as an object, or why it is none. Fails with TOO_LARGE "analytics.batch" when they are too many. */
Err *batch_add(Batch *b, Str raw, const Json *object) MUST_USE;
Err *batch_add_hit(Batch *b, Str raw, const Hit *hit) MUST_USE;
Err *batch_refuse(Batch *b, Str raw, const char *code, Str text) MUST_USE;

/* All of it: who they are as the project's privacy has it, taken, the refused kept, persons merged. NULL: it is durable. Parks. */
Err *batch_take(Batch *b) MUST_USE;
void batch_allow_origin(ServiceCall *c); /* pages of any origin may send */
ServiceHandler batch_options;            /* and ask whether */
