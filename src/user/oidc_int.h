/* SPDX-License-Identifier: Apache-2.0
 *
 * The provider from inside: what its endpoints and pages share. */
#pragma once
#include "http/form.h"
#include "user/oidc.h"
#include "user/oidc_keys.h"
#include "user/oidc_store.h"
#include "user/secret.h"

struct Oidc {
	OidcConf conf;
	Str issuer; /* without a slash at its end */
	const ServiceHome *home;
	Db *db;
	Accounts *accounts;
	const Seal *seal;
	OidcKeys *keys;
	bool secure; /* cookies go over https only */
	bool registration;
	uint32_t password_least;
	Str theme, logo, logo_type; /* their bytes; empty: none */
};

OidcKeyPlan oidc_key_plan(const OidcConf *conf, const Seal *seal);

/* --- requests and answers: oidc_reply.c ----------------------------------------------------------------------------------- */

Oidc *oidc_of(const ServiceCall *c);
/* Is it a provider at all? Fails with NOT_FOUND "oauth.invalid_request" without an issuer. */
Err *oidc_need_issuer(ServiceCall *c) MUST_USE;
/* Slug "oauth.ERROR": what OAuth calls it. One of 401 asks for Basic. */
#define oauth_err(a, kind, error, ...) err_new((a), (kind), "oauth." error, __VA_ARGS__)
/* An error as OAuth writes it (RFC 6749, section 5.2). */
Err *oidc_fail(ServiceCall *c, const Err *err) MUST_USE;
/* As RFC 6750, section 3 has it: for what a Bearer token is asked of. */
Err *oidc_bearer_fail(ServiceCall *c, const Err *err) MUST_USE;
/* Fails with "oauth.invalid_request". */
Err *oidc_read_query(ServiceCall *c, Form *out) MUST_USE;
Err *oidc_read_body(ServiceCall *c, Form *out) MUST_USE;
void oidc_no_store(ServiceCall *c);
/* The same for a page of any origin: where no cookie counts. */
void oidc_for_anybody(ServiceCall *c);
Err *oidc_preflight(ServiceCall *c) MUST_USE; /* may a page of another origin ask? Yes */

/* --- clients: oidc_client.c --------------------------------------------------------------------------------------------- */

/* Who asks, and has proved it the way it registered; a public client by its name only. Fails with "oauth.invalid_client". */
Err *oidc_client_proved(ServiceCall *c, const Form *form, OidcClient **out) MUST_USE;

/* --- tokens: oidc_mint.c ------------------------------------------------------------------------------------------------ */

typedef struct OidcMint {
	const OidcClient *client;
	const OidcGrant *grant; /* NULL: the client's own token */
	Str scope;
	int64_t now_us;
	Str nonce;
} OidcMint;
Str oidc_access_claims(const Oidc *oidc, Arena *a, const OidcMint *mint);
Err *oidc_access_token(Oidc *oidc, Arena *a, const OidcMint *mint, Str *out) MUST_USE;
Err *oidc_id_token(Oidc *oidc, Arena *a, const OidcMint *mint, Str access, Str *out) MUST_USE;
int64_t oidc_access_s(const Oidc *oidc);

typedef struct OidcProved { /* an access token that is good here and now */
	const Json *claims;
	Str client, scope, subject;
	OidcGrant *grant; /* NULL: a client's own */
	int64_t expires_us;
	Str id_hash; /* of its id, as what is spent is kept */
} OidcProved;
/* *out NULL: it is none of ours, over, revoked, or its person may not log in. Parks. */
Err *oidc_access_prove(Oidc *oidc, Arena *a, Str token, OidcProved **out) MUST_USE;

/* A refresh token: the family's handle and a secret. */
typedef struct OidcTicket {
	Str text;
	Str handle; /* its bytes */
	Str handle_hash, secret_hash;
} OidcTicket;
OidcTicket oidc_ticket_new(Arena *a, Str handle); /* empty handle: a new one */
bool oidc_ticket_read(Arena *a, Str text, OidcTicket *out);

/* --- endpoints: one table a file ----------------------------------------------------------------------------------------- */

const ServiceRoutes *oidc_token_routes(void);
const ServiceRoutes *oidc_inspect_routes(void);
const ServiceRoutes *oidc_info_routes(void);
const ServiceRoutes *oidc_authorize_routes(void);
const ServiceRoutes *oidc_logout_routes(void);
