/* SPDX-License-Identifier: Apache-2.0
 *
 * A user's cookies (RFC 6265, of one host): what answers set, and what requests then carry. */
#pragma once
#include "http/message.h"

typedef struct Jar {
	struct Cookie *first;
} Jar;

void jar_fini(Jar *jar);
/* Set-Cookie of an answer to a request for that target. */
void jar_take(Jar *jar, const Headers *answer, Str target);
/* The Cookie header of a request, when there is one; its strings are in the arena. */
void jar_put(const Jar *jar, Arena *a, Head *request);
bool jar_get(const Jar *jar, Str name, Str *value);
