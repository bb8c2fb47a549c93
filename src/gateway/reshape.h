/* SPDX-License-Identifier: Apache-2.0
 *
 * Reshape: a request of the old form made into one of the new side's form, and the new side's answer back into the old one.
 *
 * Compiled once for a configuration; the canary's requests and the shadow's go through the same two functions. They work
 * on what is held in memory. Cookies and CSRF tokens pass as they are, in headers and in form bodies; so does every body
 * that is not JSON. */
#pragma once
#include "gateway/conf_reshape.h"
#include "gateway/template.h"
#include "http/message.h"

typedef struct Reshape Reshape; /* immutable; any thread */

/* Of rows without mistakes. Borrows conf and match; lives as long as the arena. `name` is the route's. */
const Reshape *reshape_new(Arena *a, Str name, const ReshapeConf *conf, const MatchConf *match);
/* Has this loop's filters compiled before the first request needs them. Parks; an error is worth a warning only. */
Err *reshape_warm(const Reshape *r, Arena *a) MUST_USE;

typedef struct ReshapeIn {
	const TemplateValues *values; /* of the request as the client sent it */
	Str target;                   /* "/path?query" for the old side, after its own rewrite */
	const Headers *headers;
	Str body;
} ReshapeIn;

typedef struct ReshapeOut {
	Str target;
	Headers headers; /* of a list of its own, in the arena */
	Str body;
	bool body_changed; /* it has another length, and digests of it are gone */
} ReshapeOut;

/* Is the body of a request with these headers to be held for it? If it is not, pass an empty one and send what came. */
bool reshape_wants_request(const Reshape *r, const Headers *headers);
/* The same for an answer's. `head` true: of a HEAD request, whose length must not be passed on where this is true. */
bool reshape_wants_answer(const Reshape *r, unsigned status, const Headers *headers);
uint64_t reshape_body_max(
	const Reshape *r); /* bytes; a larger body is refused: see the two errors */
/* The errors of a body that is larger than that: TOO_LARGE "shift.reshape_large" for a request, UPSTREAM "shift.reshape"
 * for an answer. */
Err *reshape_too_large(const Reshape *r, Arena *a, bool answer) MUST_USE RETURNS_NONNULL;

/* Both park where there is a filter. Fail with UPSTREAM "shift.reshape" (502; the sentence names the filter and why), and
 * INVALID "shift.reshape_body" where the request's body is no JSON text, or has numbers that a filter would damage, and
 * as template_expand does. The answer's `target` is not looked at. */
Err *reshape_request(const Reshape *r, Arena *a, const ReshapeIn *in, ReshapeOut *out) MUST_USE;
Err *reshape_answer(const Reshape *r, Arena *a, unsigned status, const ReshapeIn *in,
                    ReshapeOut *out) MUST_USE;
