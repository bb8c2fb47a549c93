/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of an nginx configuration: times, sizes, paths, names, variables (nginx_carry_text.c) and expressions
 * (nginx_carry_regex.c). Pure; results are in the arena. */
#pragma once
#include "gateway/nginx_carry_int.h"

/* As nginx writes them, and as ours. False: it is none. */
bool text_read_time(Str text, int64_t *us);
bool text_read_size(Str text, uint64_t *bytes);
Str text_time(Arena *a, int64_t us, int64_t min_us, int64_t max_us); /* within these */
Str text_size(Arena *a, uint64_t bytes);
bool text_is_url(Str text); /* http:// or https:// or $scheme:// */
/* A path as nginx compares it, in the canonical form that routes are compared with (http/url.h). False: no literal part of
 * a pattern can say it. */
bool text_path(Arena *a, Str path, Str *out);
/* Letters for a name of a route or upstream: "/static/css/" gives "static-css"; `none` when nothing is left. */
Str text_name(Arena *a, Str text, Str none);
Str text_join(Arena *a, Str folder,
              Str path); /* one slash between them; "/x/." and "//" are not cleaned */

/* Has it a group of this name or number? */
bool regex_has_group(Arena *a, Str expression, Str name);
/* What every path that matches begins with; empty: nothing is known. */
Str regex_head(Arena *a, Str expression);
/* "^/x/(.*)$" and its like: *head "/x/", *tail: there is something after it. False: another shape. */
bool regex_is_plain(Arena *a, Str expression, Str *head, bool *tail);
bool regex_is_all(Str expression); /* takes every path; is plain too */
Str regex_quote(Arena *a, Str text);
bool regex_takes(Str expression, bool nocase, Str path); /* false too when it is no expression */

/* A text with variables as a template of ours; groups of p->regex may stand in it. False: *bad is the variable that
 * cannot be said. */
bool template_of(Place *p, Str text, Str *out, Str *bad);
/* The same of a URL: a client's query at its end is taken off and told in *query. */
bool template_of_url(Place *p, Str text, Str *out, bool *query, Str *bad);
bool text_has_variable(Str text);
Str template_text(Arena *a, Str text); /* a text without variables: its braces doubled */
