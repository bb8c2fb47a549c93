/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens made and looked at.
 *
 * Access tokens are JWTs (RFC 9068), so that services check them without asking us. Their id begins with that of the grant they
 * came of: where we are asked ourselves (userinfo, introspection) a token ends with its grant, or alone when its id was spent.
 * Refresh tokens are opaque: 16 bytes that name the family, 32 that are the secret; of both only hashes are kept. */
#include "user/oidc_int.h"

#include "auth/b64.h"
#include "auth/jwt.h"
#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "user/accounts.h"

#include <string.h>

enum { HANDLE = 16, SECRET = 32, TICKET = HANDLE + SECRET };

int64_t oidc_access_s(const Oidc *oidc)
{
	return oidc->conf.access_us / US_PER_S;
}

static Str subject_of(Arena *a, const OidcMint *m)
{
	return m->grant ? account_id_text(a, m->grant->user) : m->client->id;
}

static Str id_of(Arena *a, const OidcMint *m)
{
	char bytes[12];
	Uuid id = m->grant ? m->grant->id : uuid_new();

	rand_bytes(bytes, sizeof(bytes));
	return str_fmt(a, "%.*s.%.*s", STR_ARG(uuid_text(a, id)),
	               STR_ARG(b64url(a, (Str){ bytes, sizeof(bytes) })));
}

/* How it was proved who it is (OpenID Connect Core 2). */
static void put_proof(JsonWriter *w, const OidcGrant *g)
{
	Str rest = g->methods, one;

	json_put_i64(w, "auth_time", g->auth_us / US_PER_S);
	json_put_str(w, "acr", g->level >= 2 ? S("aal2") : S("aal1"));
	json_key(w, S("amr"));
	json_begin_array(w);
	while (str_split(&rest, ' ', &one))
		if (one.len)
			json_add_str(w, one);
	if (g->level >= 2)
		json_add_str(w, S("mfa"));
	json_end(w);
}

static void put_times(JsonWriter *w, int64_t now_us, int64_t longest_us)
{
	json_put_i64(w, "iat", now_us / US_PER_S);
	json_put_i64(w, "exp", (now_us + longest_us) / US_PER_S);
}

Str oidc_access_claims(const Oidc *oidc, Arena *a, const OidcMint *m)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);

	json_begin_object(&w);
	json_put_str(&w, "iss", oidc->issuer);
	json_put_str(&w, "sub", subject_of(a, m));
	json_put_str(&w, "aud", m->client->audience.len ? m->client->audience : oidc->issuer);
	put_times(&w, m->now_us, oidc->conf.access_us);
	json_put_str(&w, "jti", id_of(a, m));
	json_put_str(&w, "client_id", m->client->id);
	json_put_str(&w, "scope", m->scope);
	if (m->grant)
		put_proof(&w, m->grant);
	json_end(&w);
	return str_dup(a, buf_str(&text));
}

Err *oidc_access_token(Oidc *oidc, Arena *a, const OidcMint *m, Str *out)
{
	const OidcRing *ring;
	const Jwk *key;

	TRY(oidc_keys_ring(oidc->keys, a, false, &ring));
	TRY(oidc_ring_signer(ring, a, JWS_ES256, m->now_us, &key));
	return jws_sign(a, key, JWS_ES256, S("at+jwt"), oidc_access_claims(oidc, a, m), out);
}

Err *oidc_id_token(Oidc *oidc, Arena *a, const OidcMint *m, Str access, Str *out)
{
	JwsAlg alg = m->client->rs256 ? JWS_RS256 : JWS_ES256;
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	const OidcRing *ring;
	const Jwk *key;
	Str payload;

	json_begin_object(&w);
	json_put_str(&w, "iss", oidc->issuer);
	json_put_str(&w, "sub", subject_of(a, m));
	json_put_str(&w, "aud", m->client->id);
	put_times(&w, m->now_us, oidc->conf.id_us);
	put_proof(&w, m->grant);
	if (m->nonce.len)
		json_put_str(&w, "nonce", m->nonce);
	json_put_str(&w, "sid", session_id_text(a, m->grant->session));
	json_put_str(&w, "at_hash", b64url(a, str_sub(secret_hash(a, access), 0, 16)));
	json_end(&w);
	TRY(json_done(&w, &payload));
	TRY(oidc_keys_ring(oidc->keys, a, false, &ring));
	TRY(oidc_ring_signer(ring, a, alg, m->now_us, &key));
	return jws_sign(a, key, alg, S("JWT"), payload, out);
}

/* --- access tokens that come back ----------------------------------------------------------------------------------------- */

static bool verify(Oidc *oidc, Arena *a, Str token, const OidcRing *ring, Jwt *out)
{
	JwsRules jws_rules = { .algs = JWS_BIT(JWS_ES256), .typ = S("at+jwt") };
	JwtRules jwt_rules = { .issuer = oidc->issuer, .need_expiry = true };
	Jws jws;

	return !jws_verify(a, token, &ring->all, &jws_rules, &jws) &&
	       !jwt_check(a, jws.payload, &jwt_rules, time_utc_us(), out);
}

static Err *still_good(Oidc *oidc, Arena *a, Str id, OidcProved *proved, bool *good)
{
	Str grant_text = str_sub(id, 0, UUID_TEXT);
	bool spent;
	Uuid grant;

	*good = false;
	TRY(oidc_is_spent(oidc->db, a, proved->id_hash, &spent));
	if (spent || !uuid_read(grant_text, &grant))
		return NULL;
	if (!account_id_read(proved->subject, &(Uuid){ 0 })) {
		OidcClient *client; /* a client's own: while there is that client */

		TRY(oidc_client_load(oidc->db, a, proved->client, &client));
		*good = client != NULL;
		return NULL;
	}
	TRY(oidc_grant_load(oidc->db, a, grant, &proved->grant));
	*good = proved->grant && !proved->grant->ended && proved->grant->active;
	return NULL;
}

Err *oidc_access_prove(Oidc *oidc, Arena *a, Str token, OidcProved **out)
{
	OidcProved *proved = ARENA_NEW(a, OidcProved);
	const OidcRing *ring;
	bool good;
	Str id;
	Jwt jwt;

	*out = NULL;
	TRY(oidc_keys_ring(oidc->keys, a, false, &ring));
	if (!verify(oidc, a, token, ring, &jwt)) {
		TRY(oidc_keys_ring(oidc->keys, a, true, &ring)); /* another process has rotated */
		if (!verify(oidc, a, token, ring, &jwt))
			return NULL;
	}
	if (!json_to_str(json_get(jwt.claims, S("jti")), &id) ||
	    !json_to_str(json_get(jwt.claims, S("client_id")), &proved->client) ||
	    !json_to_str(json_get(jwt.claims, S("scope")), &proved->scope))
		return NULL;
	proved->claims = jwt.claims;
	proved->subject = jwt.subject;
	proved->expires_us = jwt.expires_us;
	proved->id_hash = secret_hash(a, str_fmt(a, "access %.*s", STR_ARG(id)));
	TRY(still_good(oidc, a, id, proved, &good));
	if (good)
		*out = proved;
	return NULL;
}

/* --- refresh tokens ----------------------------------------------------------------------------------------------------- */

static OidcTicket ticket_of(Arena *a, Str bytes)
{
	return (OidcTicket){ .text = b64url(a, bytes),
		             .handle_hash = secret_hash(a, str_sub(bytes, 0, HANDLE)),
		             .secret_hash = secret_hash(a, str_sub(bytes, HANDLE, TICKET)),
		             .handle = str_sub(bytes, 0, HANDLE) };
}

OidcTicket oidc_ticket_new(Arena *a, Str handle)
{
	char *at = arena_alloc_raw(a, TICKET);

	rand_bytes(at, TICKET);
	if (handle.len == HANDLE)
		memcpy(at, handle.at, HANDLE);
	return ticket_of(a, (Str){ at, TICKET });
}

bool oidc_ticket_read(Arena *a, Str text, OidcTicket *out)
{
	Str bytes;

	if (text.len != TICKET * 4 / 3 || !b64url_read(a, text, &bytes) || bytes.len != TICKET)
		return false;
	*out = ticket_of(a, bytes);
	return true;
}
