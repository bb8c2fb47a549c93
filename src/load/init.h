/* SPDX-License-Identifier: Apache-2.0
 *
 * A first scenario out of something that exists: a browser's recording (HAR 1.2) or a description of an API (OpenAPI 3).
 * What is written reads back as a scenario. */
#pragma once
#include "load/scenario.h"

/* One step. Texts are as a scenario has them, braces of the source doubled (init_text). */
typedef struct SketchStep {
	Str name, method, path;
	CONF_LIST_OF(NamedText) headers;
	CONF_LIST_OF(NamedText) form;
	Str body;
	bool has_body;
	int64_t think_us;
	Str check; /* of its status; empty: the default */
} SketchStep;

typedef struct Sketch {
	Str name, target, journey;
	Str about; /* a comment, one line */
	bool todo; /* the target is a guess */
	CONF_LIST_OF(NamedText) headers;
	CONF_LIST_OF(NamedText) variables; /* whose values nobody knows; text: what for */
	CONF_LIST_OF(SketchStep) steps;
} Sketch;

Str init_text(Arena *a, Str plain); /* braces doubled */
/* The method is one that a step can have. */
bool init_has_method(Str method);
void init_put(Buf *out, const Sketch *sketch);

/* notes: sentences for people, one a line: what was left out. Fail with INVALID "load.init" when nothing is left, or the
 * text is of another kind. */
Err *init_har(Arena *a, Str name, Str text, Sketch *out, Buf *notes) MUST_USE;
Err *init_openapi(Arena *a, Str name, Str text, bool writes, Sketch *out, Buf *notes) MUST_USE;
