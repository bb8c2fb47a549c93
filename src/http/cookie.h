/* SPDX-License-Identifier: Apache-2.0
 *
 * Cookies of a request (RFC 6265 5.4). */
#pragma once
#include "http/message.h"

/* The value of the first cookie of that name, quotes taken off; the empty view when there is none. */
Str http_cookie(const Headers *headers, Str name);

/* Every value of that name: `CookieAt at = { 0 }; while (http_cookie_next(headers, name, &at, &value))`. */
typedef struct CookieAt {
	uint32_t next; /* line of the head */
	Str rest;      /* of the line before it */
} CookieAt;
bool http_cookie_next(const Headers *headers, Str name, CookieAt *at, Str *value);

/* A Cookie line without the cookies of those names (empty ones are none); the line itself where it has none of them. */
Str http_cookie_without(Arena *a, Str line, const Str *names, size_t count);
