/* SPDX-License-Identifier: Apache-2.0
 *
 * Hit: one event as analytics keeps it (store/event.h has those that services tell each other): who did what, when, with
 * which properties. Pure. Time is in milliseconds here: what is finer is dropped. */
#pragma once
#include "base/json.h"
#include "base/uuid.h"

enum {
	HIT_NAME_MOST = 200, /* bytes */
	HIT_WHO_MOST = 200,
	HIT_KEY_MOST = 200,
	HIT_PROPS_MOST = 128,
	HIT_VALUE_MOST = 8 << 10,
};

typedef enum CellKind {
	CELL_NONE, /* there is no such property */
	CELL_STR,
	CELL_INT,
	CELL_REAL,
	CELL_BOOL,
	CELL_JSON, /* a list or an object, as JSON */
	CELL_KINDS
} CellKind;

/* A value, as text: "12.5", "true". */
typedef struct Cell {
	CellKind kind;
	Str text;
} Cell;

typedef struct HitProp {
	Str key;
	Cell value;
} HitProp;

typedef struct Hit {
	int64_t project;
	Uuid id; /* the same: the same event */
	Str name;
	Str who;         /* the client's name for the person: PostHog's distinct_id */
	int64_t time_ms; /* UTC since 1970 */
	int64_t received_ms;
	const HitProp *props;
	uint32_t prop_count;
	uint32_t number; /* of `who`; 0: not known yet */
} Hit;

typedef struct HitLimits {
	int64_t now_ms;
	int64_t past_ms;   /* not before now by more than that; 0: any time */
	int64_t future_ms; /* nor after it */
} HitLimits;

/* Why something is no event. */
typedef struct HitRefusal {
	const char *code; /* stable: "time.future" */
	Str text;         /* a sentence */
} HitRefusal;

/* { id|uuid, event, distinct_id, timestamp, properties }: our own form and PostHog's, which also has distinct_id, $insert_id
 * among the properties. Without an id it is a new one, without a time it happened now, or `offset` milliseconds ago. shift_ms is added to its time (a clock
 * that is wrong). False: *refusal says why. Views into `object` and `a`. */
bool hit_read(Arena *a, const Json *object, const HitLimits *limits, int64_t shift_ms, Hit *out,
              HitRefusal *refusal);
/* Names that nobody can be given: those of who was erased have it before their number. */
#define HIT_WHO_ERASED "erased:"
bool hit_who_is_ours(Str who);
/* The same checks of one that was put together otherwise. */
bool hit_check(Arena *a, const Hit *hit, const HitLimits *limits, HitRefusal *refusal);
/* An id out of anything: a UUID as it is, other text by its hash. */
Uuid hit_id(Str text);
/* Properties of an object, nested values as JSON. False: there are more than HIT_PROPS_MOST, or a key is too long. */
bool hit_props(Arena *a, const Json *object, Hit *out, HitRefusal *refusal);

Cell hit_cell(Arena *a, const Json *value);
bool cell_eq(Cell x, Cell y);
bool cell_number(Cell cell, double *out); /* numbers, and text that is one */
void cell_put_json(JsonWriter *w, Cell cell);
const HitProp *hit_prop(const Hit *hit, Str key); /* NULL: it has none */
