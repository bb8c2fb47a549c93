/* SPDX-License-Identifier: Apache-2.0
 *
 * What OAuth 2.0 and OpenID Connect decide, without a database or a socket: may this client ask this, what comes next for the
 * person, may this code or refresh token be taken. RFC 6749, 7636, 8252, 9700; OpenID Connect Core 1.0. */
#pragma once
#include "base/str.h"

/* --- scopes: words with one blank between, in the order of `known` or as asked --------------------------------------- */

bool oidc_scope_has(Str scope, Str word);
/* Those of `asked` that are in `allowed` too, each once, in the order asked. */
Str oidc_scope_common(Arena *a, Str asked, Str allowed);
bool oidc_scope_covers(Str scope, Str all_of);
Str oidc_scope_join(Arena *a, Str x, Str y); /* without saying a word twice */
bool oidc_scope_is(Str scope);               /* RFC 6749, section 3.3: its characters */

/* --- clients ------------------------------------------------------------------------------------------------------------ */

typedef enum OidcAuth {
	OIDC_AUTH_NONE, /* a public client: PKCE is all it proves */
	OIDC_AUTH_BASIC,
	OIDC_AUTH_POST,
	OIDC_AUTH_KEY, /* private_key_jwt */
	OIDC_AUTHS
} OidcAuth;
Str oidc_auth_name(OidcAuth auth); /* "client_secret_basic" */
bool oidc_auth_read(Str name, OidcAuth *out);

enum { OIDC_GRANT_CODE = 1, OIDC_GRANT_REFRESH = 2, OIDC_GRANT_CLIENT = 4 };
/* "authorization_code refresh_token"; 0: a word that is none. */
uint32_t oidc_grants_read(Str words);

typedef struct OidcClient {
	Str id;
	Str name; /* for people */
	OidcAuth auth;
	uint32_t grants;
	Str redirects;        /* addresses with a blank between */
	Str logout_redirects; /* the same */
	Str scope;            /* the most it may have */
	Str audience;         /* of its access tokens; empty: the issuer */
	bool trusted;         /* people are not asked for consent */
	bool rs256;           /* its ID tokens: RS256, else ES256 */
	Str secret_hash;      /* SHA-256, or empty */
	Str jwks;             /* of private_key_jwt: a JSON text */
} OidcClient;

/* May this be registered? https, a private scheme with a dot in it (RFC 8252, 7.1), or http on a loopback address; no fragment, no
 * blank, no control character, no user. */
bool oidc_redirect_is(Str uri);
/* Is it one of them, byte for byte? Of http on a loopback address the port may be another (RFC 8252, 7.3). */
bool oidc_redirect_known(Str known, Str uri);

/* --- what is asked at the authorization endpoint ------------------------------------------------------------------------- */

typedef struct OidcAsk { /* as it came; empty: not there */
	Str response_type, response_mode, redirect_uri, scope, state, nonce;
	Str code_challenge, code_challenge_method;
	Str prompt, max_age, acr_values;
	bool has_request, has_request_uri, has_registration;
} OidcAsk;

enum {
	OIDC_PROMPT_NONE = 1,
	OIDC_PROMPT_LOGIN = 2,
	OIDC_PROMPT_CONSENT = 4,
	OIDC_PROMPT_CREATE = 8
};

typedef struct OidcAsked { /* what it means */
	Str scope;
	uint32_t prompt;
	int64_t max_age_s; /* -1: not said */
	int level;         /* 2: only with a second factor */
} OidcAsked;

typedef struct OidcFault {
	const char *error; /* of OAuth: "invalid_request"; NULL: none */
	const char *why;   /* one sentence, ASCII */
} OidcFault;

/* The client and its address: a fault here is shown to the person and never sent anywhere. */
OidcFault oidc_ask_where(const OidcClient *client, Str redirect_uri);
/* All the rest: a fault here goes to that address. */
OidcFault oidc_ask_check(Arena *a, const OidcClient *client, const OidcAsk *ask, OidcAsked *out);

typedef struct OidcPerson { /* who sits at the browser */
	bool known;         /* there is a session */
	int64_t auth_us;    /* when it was last proved who it is, UTC */
	int level;          /* 1: password; 2: with a second factor */
	bool has_second;    /* there is one to ask for */
	int64_t asked_us;   /* 0, or when it was sent to log in because of this very request */
	Str consented;      /* scope */
	bool consent_now;   /* given with this very request */
} OidcPerson;

typedef enum OidcStep {
	OIDC_STEP_CODE,
	OIDC_STEP_LOGIN,
	OIDC_STEP_CREATE,
	OIDC_STEP_SECOND, /* the second factor */
	OIDC_STEP_CONSENT,
	OIDC_STEP_FAULT,
} OidcStep;
OidcStep oidc_next_step(const OidcClient *client, const OidcAsked *asked, const OidcPerson *person,
                        int64_t now_us, OidcFault *fault);

/* --- codes and refresh tokens ------------------------------------------------------------------------------------------- */

bool oidc_verifier_is(Str verifier); /* 43 to 128 unreserved characters (RFC 7636, section 4.1) */

typedef struct OidcCode { /* as it was kept */
	Str client, redirect_uri;
	int64_t expires_us;
	bool used, revoked;
} OidcCode;

typedef enum OidcVerdict {
	OIDC_TAKE,   /* it is good */
	OIDC_REFUSE, /* it is not */
	OIDC_REVOKE, /* it was good once already: all that came of it ends */
	OIDC_REPEAT, /* a refresh token within the grace: its successor once more */
} OidcVerdict;
OidcVerdict oidc_code_judge(const OidcCode *code, const OidcClient *client, Str redirect_uri,
                            int64_t now_us);

typedef struct OidcRefresh { /* as it was kept */
	Str client;
	int64_t expires_us; /* of its family, absolute */
	bool revoked;       /* the family */
	bool used;
	int64_t used_us;
	bool successor_used; /* so that it is known to have arrived */
} OidcRefresh;
OidcVerdict oidc_refresh_judge(const OidcRefresh *token, const OidcClient *client, int64_t grace_us,
                               int64_t now_us);
