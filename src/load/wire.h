/* SPDX-License-Identifier: Apache-2.0
 *
 * What processes of one run tell each other: one JSON value a line over a stream. */
#pragma once
#include "base/json.h"
#include "load/run.h"

enum { WIRE_LINE_MAX = 64 << 20 };

typedef struct Wire {
	Stream *stream;
	Buf in; /* read and not yet taken */
} Wire;

void wire_fini(Wire *wire);                    /* not the stream */
Err *wire_send(Wire *wire, Str line) MUST_USE; /* adds the line's end; parks */
/* The next line, in the arena. Parks. Fails with CLOSED "load.worker_gone" at the end, TOO_LARGE "load.line", INVALID
 * "json.*". */
Err *wire_receive(Wire *wire, Arena *a, const Json **out) MUST_USE;

/* A result's counts and histograms, whole: what is read adds up with what is there, exactly. */
void wire_put_stats(JsonWriter *w, const LoadStats *stats);
Err *wire_add_stats(const Json *json, LoadStats *into) MUST_USE;
void wire_put_moment(JsonWriter *w, const Moment *moment);
void wire_read_moment(const Json *json, Moment *out);
