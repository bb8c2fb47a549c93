/* SPDX-License-Identifier: Apache-2.0
 *
 * The OpenID Connect provider and the pages people see of it: what the user service takes from here. */
#pragma once
#include "service/service.h"

typedef struct Accounts Accounts;
typedef struct Oidc Oidc; /* of one process */
typedef struct Seal Seal;
typedef struct Cmd Cmd;

typedef struct OidcConf {
	Str issuer; /* "https://id.shop.example"; empty: services.public_url */
	int64_t code_us, access_us, id_us;
	int64_t refresh_us; /* of a family, absolute */
	int64_t grace_us;
	int64_t rotate_us;
	Str name;  /* on pages */
	Str theme; /* a CSS file */
	Str logo;
} OidcConf;
const ConfTable *oidc_conf_table(void); /* `openid:` of the user service */

typedef struct OidcSetup {
	const OidcConf *conf;
	const ServiceHome *home;
	Accounts *accounts; /* NULL: a command that looks after keys */
	const Seal *seal;
	Str cookie; /* name of the session's cookie */
	bool registration; /* open to anybody */
} OidcSetup;
/* Lives as long as the arena; in a fiber. Makes the first keys. Fails with INVALID "oidc.issuer", "oidc.theme". */
Err *oidc_open(Arena *a, const OidcSetup *setup, Oidc **out) MUST_USE;
void oidc_close(Oidc *oidc); /* NULL is fine */

/* Where a request finds it: the user service says, once, when it begins. */
typedef Oidc *OidcFind(const ServiceHome *home);
void oidc_find_by(OidcFind *fn);

const ServiceRoutes *oidc_routes(size_t *count);
/* New keys in time, and no rows that nobody asks for: every hour. */
Err *oidc_tend(Oidc *oidc, Arena *a) MUST_USE;
