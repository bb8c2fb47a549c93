/* SPDX-License-Identifier: Apache-2.0
 *
 * Which client asks, and has it proved that? (RFC 6749, section 2.3; RFC 7523.)
 *
 * A client proves itself in the one way that it registered: a secret in the header is none in the body, and a client with a secret
 * is never taken without it. Secrets are 256 random bits, so a SHA-256 of each is kept, and compared in constant time. An assertion
 * is for us, short-lived, and good once. Whatever is wrong is one answer. */
#include "user/oidc_int.h"

#include "auth/b64.h"
#include "auth/jwt.h"
#include "base/arena.h"
#include "base/time.h"

enum { ASSERTION_LONGEST_S = 3600, SKEW_S = 60 };

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

typedef struct Proof { /* what came */
	OidcAuth by;
	Str id;
	Str secret;
	Str assertion;
} Proof;

static Err *no_client(Arena *a)
{
	return oauth_err(a, ERR_UNAUTHENTICATED, "invalid_client",
	                 "the client is not known, or has not proved who it is");
}

/* One part of Basic: a form's value (RFC 6749, section 2.3.1). */
static bool basic_part(Arena *a, Str raw, Str *out)
{
	Form form;

	if (str_find_char(raw, '&') >= 0 || str_find_char(raw, '=') >= 0)
		return false;
	if (form_read(a, str_fmt(a, "v=%.*s", STR_ARG(raw)), &form))
		return false;
	*out = form_get(&form, "v");
	return true;
}

static bool read_basic(Arena *a, Str header, Proof *out)
{
	Str both;
	ptrdiff_t colon;

	if (!str_eq_nocase(str_sub(header, 0, 6), S("Basic ")))
		return false;
	if (!b64_read(a, str_trim(str_sub(header, 6, header.len)), &both))
		return false;
	colon = str_find_char(both, ':');
	out->by = OIDC_AUTH_BASIC;
	return colon > 0 && basic_part(a, str_sub(both, 0, (size_t)colon), &out->id) &&
	       basic_part(a, str_sub(both, (size_t)colon + 1, both.len), &out->secret);
}

/* Who an assertion says it is of: nothing is proved yet. */
static Str claimed_client(Arena *a, Str assertion)
{
	JwsRules rules = { .algs = JWS_PUBLIC };
	const Json *claims;
	Str id = { 0 };
	Jws jws;

	if (!jws_open(a, assertion, &rules, &jws) && !json_read(a, jws.payload, 0, &claims))
		(void)json_to_str(json_get(claims, S("sub")), &id);
	return id;
}

static Err *read_proof(ServiceCall *c, const Form *form, Proof *out)
{
	Str header = service_header(c, "Authorization"), secret = form_get(form, "client_secret");
	Str assertion = form_get(form, "client_assertion"), named = form_get(form, "client_id");

	*out = (Proof){ .id = named };
	if (!!header.len + !!secret.len + !!assertion.len > 1)
		return oauth_err(c->arena, ERR_INVALID, "invalid_request",
		                 "the client proves itself in more than one way");
	if (header.len) {
		if (!read_basic(c->arena, header, out))
			return no_client(c->arena);
	} else if (secret.len) {
		out->by = OIDC_AUTH_POST;
		out->secret = secret;
	} else if (assertion.len) {
		if (!str_eq(form_get(form, "client_assertion_type"), S(ASSERTION_TYPE)))
			return no_client(c->arena);
		out->by = OIDC_AUTH_KEY;
		out->assertion = assertion;
		out->id = claimed_client(c->arena, assertion);
	}
	if (named.len && !str_eq(named, out->id))
		return no_client(c->arena);
	return NULL;
}

static Err *check_claims(ServiceCall *c, const OidcClient *client, const Jws *jws)
{
	Oidc *oidc = oidc_of(c);
	const Str audiences[] = {
		oidc->issuer, str_fmt(c->arena, "%.*s/oauth2/token", STR_ARG(oidc->issuer)),
		str_fmt(c->arena, "%.*s%.*s", STR_ARG(oidc->issuer), STR_ARG(c->path))
	};
	static const Str required[] = { S("jti"), S("sub") };
	JwtRules rules = { .issuer = client->id,
		           .audiences = audiences,
		           .audience_count = COUNT(audiences),
		           .required = required,
		           .required_count = COUNT(required),
		           .skew_us = SKEW_S * US_PER_S,
		           .need_expiry = true };
	int64_t now = time_utc_us();
	bool first;
	Str id;
	Jwt jwt;

	if (jwt_check(c->arena, jws->payload, &rules, now, &jwt) ||
	    !str_eq(jwt.subject, client->id) || !json_to_str(json_get(jwt.claims, S("jti")), &id) ||
	    jwt.expires_us > now + ASSERTION_LONGEST_S * US_PER_S)
		return no_client(c->arena);
	TRY(oidc_spend(c->db, c->arena,
	               secret_hash(c->arena, str_fmt(c->arena, "assertion %.*s %.*s",
	                                             STR_ARG(client->id), STR_ARG(id))),
	               jwt.expires_us + 2 * SKEW_S * US_PER_S, &first));
	return first ? NULL : no_client(c->arena);
}

static Err *check_assertion(ServiceCall *c, const OidcClient *client, Str assertion)
{
	JwsRules rules = { .algs = JWS_PUBLIC };
	const Jwks *keys;
	Jws jws;

	TRY(jwks_read(c->arena, client->jwks, JWK_TAKE_PUBLIC, &keys));
	if (jws_verify(c->arena, assertion, keys, &rules, &jws))
		return no_client(c->arena);
	return check_claims(c, client, &jws);
}

Err *oidc_client_proved(ServiceCall *c, const Form *form, OidcClient **out)
{
	OidcClient *client = NULL;
	Proof proof;

	TRY(read_proof(c, form, &proof));
	if (proof.id.len)
		TRY(oidc_client_load(c->db, c->arena, proof.id, &client));
	if (!client || client->auth != proof.by)
		return no_client(c->arena);
	if (proof.by == OIDC_AUTH_BASIC || proof.by == OIDC_AUTH_POST) {
		if (!secret_eq(secret_hash(c->arena, proof.secret), client->secret_hash))
			return no_client(c->arena);
	} else if (proof.by == OIDC_AUTH_KEY) {
		TRY(check_assertion(c, client, proof.assertion));
	}
	*out = client;
	return NULL;
}
