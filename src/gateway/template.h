/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: texts of the configuration with names in braces, "/users/{id}", compiled once and filled in for a request.
 *
 * Names: parts of the route's path ({id}), groups of its expression ({name}, {1}), {rest} or {**} (what ** took, from its
 * slash on; may be empty), {host} (without a port), {path} (canonical), {query}, {scheme}, {client_ip}, {request_id},
 * {claim:NAME} (of who was proved to ask; empty: it has none). A
 * part hides the other of its name. "{{" and "}}" are braces. */
#pragma once
#include "gateway/conf.h"

typedef struct Identity Identity;
typedef struct Route Route;
typedef struct UrlRules UrlRules;
typedef struct Template Template; /* immutable; any thread */

typedef enum TemplateKind {
	TEMPLATE_FIELD, /* a header's value */
	TEMPLATE_PATH,  /* a path, "/..."; expands to a canonical one */
	TEMPLATE_URL,   /* a path or an address, as in Location */
} TemplateKind;

enum { TEMPLATE_BYTES_MAX = 16 << 10 };

/* What the names stand for, beside the parts of the route's path. */
typedef struct TemplateValues {
	const Route *route;
	const UrlRules *paths;
	Str path; /* canonical: the route takes it */
	Str query, host, scheme, client_ip, request_id;
	const Identity *identity; /* NULL: nobody is known */
} TemplateValues;

/* What is wrong with a text on a route with this pattern, for people; empty: nothing. match NULL: any name passes. */
Str template_mistake(Arena *a, TemplateKind kind, Str text, const MatchConf *match);
/* Of a text without mistakes, which is borrowed; lives as long as the arena. */
const Template *template_new(Arena *a, TemplateKind kind, Str text, const MatchConf *match)
	RETURNS_NONNULL;

/* Values are escaped for where they stand: nothing in them can end a header, leave its segment for the query, add a
 * parameter, or become another host. Fails with INVALID "gateway.template_host" (a value cannot stand in a host's name),
 * "gateway.template_claim" (nor a claim in a path: it is no segment, nor part of one), URI_TOO_LONG "gateway.template_long", and as url_canonical does. Does not park. */
Err *template_expand(const Template *t, Arena *a, const TemplateValues *values, Str *out) MUST_USE;

/* What ** took of a path that a route with this pattern takes: "/x/y" of "/api/x/y", nothing of "/api". */
Str template_rest(const MatchConf *match, Str path);
