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
