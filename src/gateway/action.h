/* SPDX-License-Identifier: Apache-2.0
 *
 * What a route does with a request: one function each, by RouteConf.action. Each answers the exchange or returns the error
 * that proxy_fail makes an answer of. All park. */
#pragma once
#include "gateway/passage.h"

typedef Err *Action(Passage *p);
Action action_files;    /* files.c: static files */
Action action_redirect; /* action.c */
Action action_answer;   /* action.c */

/* What a route's row is made into, once for a configuration: templates, changes of headers. state->content is there. */
void action_prepare(Arena *a, const RouteConf *conf, RouteState *state);
/* The path that goes upstream, or is looked for in a folder: canonical; of a route with `rewrite`. Fails as
 * template_expand does. Does not park. */
Err *action_rewrite(const Passage *p, Str *path) MUST_USE;
/* Where a redirect leads, the client's query with it. The same holds for it. */
Err *action_location(const Passage *p, Str *out) MUST_USE;
