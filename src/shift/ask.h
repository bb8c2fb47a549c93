/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking the admin port of a gateway that runs. */
#pragma once
#include "base/json.h"

typedef struct AskPort {
	Str address; /* 127.0.0.1:8081, unix:/path */
	Str token;   /* empty: none */
} AskPort;

/* Parks. body empty: GET, else POST. *out: what it answered. Fails with UPSTREAM "shift.admin" when nobody answers there, and as
 * the port did: its problem document's kind, slug and sentence. */
Err *ask_admin(Arena *a, const AskPort *port, Str target, Str body, Str *out) MUST_USE;
