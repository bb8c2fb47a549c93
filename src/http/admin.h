/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages of the admin port. A feature hands over rows, the port asks its guards (gateway/admin.c) and calls the handler:
 *
 *   static const AdminPage pages[] = {
 *           { S("/shift/events"), S("GET"), shift_events },
 *           { S("/shift/" "**"), S("GET"), shift_show },
 *           { S("/shift/" "**"), S("POST"), shift_verb, .changes = true, .role = ADMIN_OPERATE },
 *   };
 *   admin_extend(pages, COUNT(pages));
 */
#pragma once
#include "base/err.h"

typedef struct Exchange Exchange;

/* What somebody may do; each may all that those before it may. */
typedef enum AdminRole { ADMIN_VIEW, ADMIN_OPERATE, ADMIN_APPROVE, ADMIN_ROLES } AdminRole;
Str admin_role_name(AdminRole role); /* "operate" */

/* Who asks. */
typedef struct AdminWho {
	Str name; /* of the token that was given; empty: nobody in particular, no token is configured */
	AdminRole role;
} AdminWho;

/* Answers. rest: the canonical path behind a prefix ("users/plan" of "/shift/users/plan"; escapes are as url_canonical leaves
 * them, slashes too), or empty. x->user is the
 * port's own. What it returns before an answer has begun becomes a problem document. */
typedef Err *AdminHandler(Exchange *x, Str rest);

typedef struct AdminPage {
	Str path;    /* "/shift", or a prefix that ends in "/" and two stars */
	Str methods; /* with a blank between them; GET means HEAD too */
	AdminHandler *run;
	bool open;      /* no token is asked for, and any Host may be named */
	bool logs_in;   /* no token is asked for */
	bool changes;   /* no page of another site may ask for it, and it always takes a token */
	AdminRole role; /* that who asks must have at least */
} AdminPage;

/* Adds pages to the admin port of this process; before it opens. Rows stay the caller's. The first that fits is taken. */
void admin_extend(const AdminPage *rows, size_t count);
/* The page for a path and a method. NULL: there is none, and then *allow are the methods the path has, with commas (in the
 * arena, empty when there is no such path). Does not park. */
const AdminPage *admin_find(Arena *a, Str path, Str method, Str *rest, Str *allow);
/* Every path, with commas, in the arena. */
Str admin_paths(Arena *a);

/* Looks for a session in a request that carries no token (a cookie), for a page that changes something or not. Leaves who
 * alone when there is none; fails when there is one that may not ask like this. Any loop. */
typedef Err *AdminSession(Exchange *x, bool changes, AdminWho *who);
void admin_sessions(AdminSession *session); /* one in a process; before the port opens */
AdminSession *admin_session(void);          /* NULL: there are none */

/* In a handler. Lives as long as the request. */
const AdminWho *admin_who(const Exchange *x) RETURNS_NONNULL;
/* For a page that wants more of some who ask. Fails with DENIED "admin.role", and says who lacks what. */
Err *admin_need(Exchange *x, AdminRole role) MUST_USE;
