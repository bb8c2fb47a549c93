/* SPDX-License-Identifier: Apache-2.0
 *
 * What the provider keeps: clients, grants (the family of all tokens that came of one yes), codes, consents, what is spent.
 * Everything here parks, but inside a transaction, and fails as db.h says. NULL where a row is asked for: there is none. */
#pragma once
#include "base/uuid.h"
#include "store/db.h"
#include "user/oidc_domain.h"

typedef struct OidcGrant {
	Uuid id;
	Str client;
	Uuid user, session;
	Str scope;
	int level;
	Str methods; /* RFC 8176, blanks between */
	int64_t auth_us;
	bool offline; /* outlives its session */
	int64_t until_us;
	bool ended;
	bool active;              /* its person may log in */
	Str newest, last, before; /* SHA-256 of refresh tokens; empty: none */
	int64_t last_used_us, before_used_us;
	Str sealed;
} OidcGrant;

typedef struct OidcKept { /* a code as it is kept */
	Str hash;
	Uuid grant;
	Str redirect_uri, challenge, nonce;
	int64_t until_us;
	bool used;
} OidcKept;

Err *oidc_client_load(Db *db, Arena *a, Str id, OidcClient **out) MUST_USE;
Err *oidc_client_list(Db *db, Arena *a, OidcClient **out, size_t *count) MUST_USE;
/* In the order of their ids, those after one (empty: from the first). */
Err *oidc_clients_page(Db *db, Arena *a, Str after, size_t most, OidcClient **out, size_t *count)
	MUST_USE;
/* The same as load; nobody else changes it until the transaction ends. */
Err *oidc_client_keep(Db *tx, Arena *a, Str id, OidcClient **out) MUST_USE;
/* All but its id, how it proves itself, and its secret. */
Err *oidc_client_change(Db *tx, Arena *a, const OidcClient *client) MUST_USE;
/* CONFLICT "db.unique" when the id is taken. */
Err *oidc_client_store(Db *db, Arena *a, const OidcClient *client, int64_t now_us) MUST_USE;
/* With all that was granted to it. */
Err *oidc_client_remove(Db *db, Arena *a, Str id, bool *removed) MUST_USE;
Str oidc_grants_text(Arena *a, uint32_t grants);

/* Both or neither. *begun false: the session has ended meanwhile. */
Err *oidc_grant_begin(Db *db, Arena *a, const OidcGrant *grant, const OidcKept *code, bool *begun)
	MUST_USE;
Err *oidc_grant_load(Db *db, Arena *a, Uuid id, OidcGrant **out) MUST_USE;
Err *oidc_grant_of_refresh(Db *db, Arena *a, Str handle_hash, OidcGrant **out) MUST_USE;
Err *oidc_code_load(Db *db, Arena *a, Str hash, OidcKept **out) MUST_USE;
/* The code becomes used, and its family has its first refresh token when `handle` is not empty; all or nothing. *used false:
 * somebody was quicker. */
Err *oidc_code_spend(Db *db, Arena *a, const OidcKept *code, Str handle_hash, Str newest,
                     int64_t until_us, int64_t now_us, bool *used) MUST_USE;
/* `old` becomes the last one and `newest` takes its place. *rotated false: somebody was quicker, or the family is over. */
Err *oidc_grant_rotate(Db *db, Arena *a, Uuid id, Str old, Str newest, Str sealed, int64_t now_us,
                       bool *rotated) MUST_USE;
/* *ended false: it had ended before. */
Err *oidc_grant_end(Db *db, Arena *a, Uuid id, int64_t now_us, bool *ended) MUST_USE;
/* All but those of the session `keep`, which may be nil. */
Err *oidc_grants_end_of_user(Db *db, Arena *a, Uuid user, Uuid keep, int64_t now_us) MUST_USE;
/* Those that do not outlive a session; session nil: of all sessions of the user but `keep`. */
Err *oidc_grants_end_of_session(Db *db, Arena *a, Uuid user, Uuid session, Uuid keep,
                                int64_t now_us) MUST_USE;

Err *oidc_consent_load(Db *db, Arena *a, Uuid user, Str client, Str *scope) MUST_USE;
Err *oidc_consent_store(Db *db, Arena *a, Uuid user, Str client, Str scope, int64_t now_us)
	MUST_USE;
/* With the grants that it stood for. */
Err *oidc_consent_remove(Db *db, Arena *a, Uuid user, Str client, int64_t now_us) MUST_USE;
Err *oidc_consents_forget(Db *db, Arena *a, Uuid user) MUST_USE;
typedef struct OidcConsent {
	Str client, name, scope;
	int64_t given_us;
} OidcConsent;
Err *oidc_consent_list(Db *db, Arena *a, Uuid user, OidcConsent **out, size_t *count) MUST_USE;

/* *first: it had not been spent before. */
Err *oidc_spend(Db *db, Arena *a, Str hash, int64_t until_us, bool *first) MUST_USE;
Err *oidc_is_spent(Db *db, Arena *a, Str hash, bool *spent) MUST_USE;
/* What no longer matters at that time, a few hundred rows of each. */
Err *oidc_purge(Db *db, Arena *a, int64_t now_us) MUST_USE;

/* Keys as they are kept: see oidc_keys.h. */
typedef struct OidcKeyRow {
	Str kid, alg, sealed;
	int64_t created_us, signs_us;
	int64_t until_us; /* INT64_MAX: not known yet */
} OidcKeyRow;
Err *oidc_key_rows(Db *db, Arena *a, int64_t now_us, OidcKeyRow **out, size_t *count) MUST_USE;
Err *oidc_key_store(Db *db, Arena *a, const OidcKeyRow *key) MUST_USE;
Err *oidc_key_signs(Db *db, Arena *a, Str kid, int64_t signs_us) MUST_USE;
Err *oidc_key_ends(Db *db, Arena *a, Str kid, int64_t until_us) MUST_USE;
