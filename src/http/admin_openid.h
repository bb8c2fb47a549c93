/* SPDX-License-Identifier: Apache-2.0
 *
 * People who come to the admin port by an account they have elsewhere (OpenID Connect): what the configuration says of it, and
 * how that place is asked. The port's owner has both; who logs people in takes them from here. */
#pragma once
#include "base/conf.h"

typedef struct AdminOpenidRolesConf {
	CONF_LIST_OF(Str) view, operate, approve; /* values of the claim */
} AdminOpenidRolesConf;

typedef struct AdminOpenidConf {
	Str issuer;
	Str client_id;
	Str client_secret; /* empty: a public client */
	Str ca;            /* PEM file; empty: the system's */
	CONF_LIST_OF(Str) scopes;
	Str claim; /* that holds the roles; with dots for what is inside of another */
	AdminOpenidRolesConf roles;
	Str name; /* the claim that says what the journal calls them */
	bool end_session;
} AdminOpenidConf;

typedef struct AdminOpenidAsk {
	Str url;
	Str form;          /* of a POST; empty: GET */
	Str authorization; /* empty: none */
} AdminOpenidAsk;

/* In the arena: *status and *body. Parks. Fails when there was no answer. */
typedef Err *AdminOpenidFetch(Arena *a, const AdminOpenidAsk *ask, unsigned *status, Str *body);

/* Before the port opens, and with NULL after it has closed. What is given is borrowed. */
void admin_openid_set(const AdminOpenidConf *conf, AdminOpenidFetch *fetch);
const AdminOpenidConf *admin_openid(void); /* NULL: nobody comes like that */
AdminOpenidFetch *admin_openid_fetch(void);
