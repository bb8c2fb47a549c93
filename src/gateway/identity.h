/* SPDX-License-Identifier: Apache-2.0
 *
 * Identity: who a request is from, as it was proved. In the request's arena. */
#pragma once
#include "auth/proved.h"

typedef struct Identity {
	const char *by; /* "jwt" */
	Str subject;    /* the claim sub as text; empty: none */
	const Json *claims;
	AuthId id; /* of what was shown */
} Identity;

/* A claim as text: strings as they are, numbers, true and false, the items of a list with "," between; null, objects and
 * what is not there are empty. "a.b" is the member b of a, unless a claim is called that. NULL identity: empty. */
Str identity_claim(const Identity *identity, Arena *a, Str name);
const Json *identity_find(const Json *claims, Str name); /* the value itself, or NULL */
