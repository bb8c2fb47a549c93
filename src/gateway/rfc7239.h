/* SPDX-License-Identifier: Apache-2.0
 *
 * The Forwarded field of RFC 7239, read and written. Pure. */
#pragma once
#include "http/trust.h"

/* What one proxy said. Empty: it did not. */
typedef struct Hop {
	Str node; /* for: an address, maybe with a port and brackets, "unknown" or "_name" */
	Str proto;
	Str host;
} Hop;

/* The elements in their order, at most `max` of them; the last ones when there are more. 0 when one of them is not as the
 * RFC says: nothing of the field is to be believed then. Values without escapes are views of the field. */
size_t rfc7239_read(Arena *a, Str field, Hop *into, size_t max);

/* `for=1.2.3.4;host=a.example;proto=http`: empty parts left out, and what no quotes can hold; quoted where need be. */
Str rfc7239_element(Arena *a, const Hop *hop);
/* An address as a node: "[2001:db8::1]" in brackets; "unknown" when it is none. */
Str rfc7239_node(Arena *a, Str address);
