/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP API of accounts: what its files share. */
#pragma once
#include "service/service.h"
#include "user/account_change.h"

/* Who asks with a session: ServiceWho.more of a user. */
typedef struct Seen {
	Session *session;
	User *user;
	Str token;
	bool cookie; /* it came as one, and goes back as one */
} Seen;

Err *user_who(ServiceCall *c, ServiceWho *who) MUST_USE; /* Service.who */
/* The session's token, wherever it stands in the request; empty: none. */
Str user_token(ServiceCall *c, bool *cookie);
const Seen *user_seen(const ServiceCall *c) RETURNS_NONNULL; /* on a route whose scope is "me" */
/* For what changes how one logs in. Fails with DENIED "user.reauthenticate". */
Err *user_need_fresh(ServiceCall *c) MUST_USE;
/* Is what asks through a cookie from our own pages? Fails with DENIED "auth.csrf". */
Err *user_csrf(ServiceCall *c, Str token) MUST_USE;

Asker *user_asker(ServiceCall *c, int64_t *retry_us);
/* An error of a limited flow: with its Retry-After. */
Err *user_limited(ServiceCall *c, const int64_t *retry_us, Err *err) MUST_USE;

void user_put(JsonWriter *w, Arena *a, const User *user);
void session_json(JsonWriter *w, Arena *a, const Session *session, bool current);
/* Sets or, of an empty token, takes away the cookie. */
void user_cookie(ServiceCall *c, Str token, int64_t until_us);

const FieldTable *user_fields(void);
const FieldTable *session_fields(void);

void audit_json(JsonWriter *w, Arena *a, const AuditEntry *entry);

/* A session's answer with its token: into a cookie, or into the body. */
void user_session_json(ServiceCall *c, const Session *session, Str token, bool bearer);
/* PATCH of an account; roles: may they be changed. */
Err *user_change(ServiceCall *c, Uuid id, bool roles) MUST_USE;
const FieldTable *user_change_fields(void);
Err *user_sessions(ServiceCall *c, Uuid user, Uuid current) MUST_USE;

/* Tables of routes. */
ServiceRoutes user_admin_routes(void);
ServiceRoutes user_login_routes(void);
ServiceRoutes user_me_routes(void);
ServiceRoutes oidc_clients_routes(void);
