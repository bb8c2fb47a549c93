/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the gateway's own: what they have in common. */
#pragma once
#include "gateway/passage.h"

/* Date, the request's id, and what the route changes in its answers. */
void reply_headers(const Passage *p, Headers *headers);
/* The same for an error, which keeps what it says of its body; p->route may be NULL. */
void reply_error_headers(const Passage *p, Headers *headers);

/* A whole answer; head has its status and headers but for those above. An empty body: none, and Content-Length 0 where the
 * status may have one. Parks. */
Err *reply_whole(Passage *p, Head *head, Str body) MUST_USE;
