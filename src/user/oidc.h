/* SPDX-License-Identifier: Apache-2.0
 *
 * The OpenID Connect provider and the pages people see of it: what the user service takes from here. */
#pragma once
#include "service/service.h"
#include "user/oidc_conf.h"

typedef struct Accounts Accounts;
typedef struct Oidc Oidc; /* of one process */
typedef struct Seal Seal;
typedef struct Cmd Cmd;

typedef struct OidcSetup {
	const OidcConf *conf;
	const ServiceHome *home;
	Accounts *accounts; /* NULL: a command that looks after keys */
	const Seal *seal;
	bool registration;       /* open to anybody */
	uint32_t password_least; /* characters of a new one */
} OidcSetup;
/* Lives as long as the arena; in a fiber. Makes the first keys. Fails with INVALID "oidc.issuer", "oidc.theme". */
Err *oidc_open(Arena *a, const OidcSetup *setup, Oidc **out) MUST_USE;
void oidc_close(Oidc *oidc); /* NULL is fine */

/* Where a request finds it: the user service has it. */
Oidc *oidc_of_home(const ServiceHome *home);

enum { OIDC_TABLES = 9 };
void oidc_routes(ServiceRoutes out[OIDC_TABLES]);
/* Grants end with their sessions and people: at the program's start, for commands too. */
void oidc_listen(void);
/* New keys in time, and no rows that nobody asks for: every hour. */
Err *oidc_tend(Oidc *oidc, Arena *a) MUST_USE;
