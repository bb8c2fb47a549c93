/* SPDX-License-Identifier: Apache-2.0
 *
 * What people and thieves do to grants, each with its line in the audit log, in one transaction. */
#pragma once
#include "user/accounts.h"
#include "user/oidc_store.h"

typedef struct OidcDeed {
	Uuid user;
	Str client;
	const Asker *asker;
	Str scope;  /* of a consent that is given: all there is now */
	Uuid grant; /* of a code or refresh token that was used before */
	int64_t now_us;
} OidcDeed;

Err *oidc_consent_give(Db *db, Arena *a, const OidcDeed *deed) MUST_USE; /* "consent.given" */
Err *oidc_consent_withdraw(Db *db, Arena *a, const OidcDeed *deed)
	MUST_USE; /* "consent.withdrawn" */
/* Ends the grant; one that has ended is no news. "token.reused" */
Err *oidc_grant_reused(Db *db, Arena *a, const OidcDeed *deed) MUST_USE;
