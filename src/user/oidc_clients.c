/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client must be to be registered, and what the audit log says of it.
 *
 * `banyan user client` and /v1/clients are two ways to the same: what one refuses the other does, and the log has the same lines
 * of both. A client has no counter of changes; its version is a hash of all it says, which is as good for If-Match. */
#include "user/oidc_clients.h"

#include "auth/jwks.h"
#include "base/arena.h"
#include "base/time.h"
#include "user/audit.h"
#include "user/secret.h"

bool oidc_client_id_is(Str id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.at[i];

		if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		      c == '-' || c == '_' || c == '.'))
			return false;
	}
	return id.len > 0 && id.len <= 100 && !str_starts(id, S("usr_"));
}

static bool are_redirects(Str words)
{
	Str one;

	while (words.len && str_split(&words, ' ', &one))
		if (!oidc_redirect_is(one))
			return false;
	return true;
}

#define REDIRECT_WHY \
	S("an address is https://, http:// on a loopback address, or a scheme with a dot in its name")

static OidcClientFault check_keys(Arena *a, const OidcClient *client)
{
	const Jwks *keys;
	Err *err;

	if ((client->auth == OIDC_AUTH_KEY) != (client->jwks.len > 0))
		return (OidcClientFault){ "jwks",
			                  S("keys go with private_key_jwt, and it with keys") };
	err = client->jwks.len ? jwks_read(a, client->jwks, JWK_TAKE_PUBLIC, &keys) : NULL;
	return err ? (OidcClientFault){ "jwks", err->text } : (OidcClientFault){ 0 };
}

OidcClientFault oidc_client_check(Arena *a, const OidcClient *client)
{
	const struct {
		bool wrong;
		OidcClientFault fault;
	} faults[] = {
		{ !oidc_client_id_is(client->id),
		  { "client_id",
		    S("an id has letters, digits, - _ . and does not begin with usr_") } },
		{ !client->name.len, { "client_name", S("people are shown a name") } },
		{ !are_redirects(client->redirects), { "redirect_uris", REDIRECT_WHY } },
		{ !are_redirects(client->logout_redirects),
		  { "post_logout_redirect_uris", REDIRECT_WHY } },
		{ !client->grants,
		  { "grant_types",
		    S("a grant is authorization_code, refresh_token or client_credentials") } },
		{ (client->grants & OIDC_GRANT_CODE) && !client->redirects.len,
		  { "redirect_uris", S("who takes codes has an address to take them at") } },
		{ (client->grants & OIDC_GRANT_CLIENT) && client->auth == OIDC_AUTH_NONE,
		  { "token_endpoint_auth_method",
		    S("who asks for itself proves who it is: another than none") } },
		{ !oidc_scope_is(client->scope),
		  { "scope", S("the scope has a character too many") } },
	};

	for (size_t i = 0; i < COUNT(faults); i++)
		if (faults[i].wrong)
			return faults[i].fault;
	return check_keys(a, client);
}

Str oidc_client_secret(Arena *a, OidcClient *client)
{
	Str secret;

	if (client->auth != OIDC_AUTH_BASIC && client->auth != OIDC_AUTH_POST)
		return S("");
	secret = secret_token(a);
	client->secret_hash = secret_hash(a, secret);
	return secret;
}

int64_t oidc_client_version(Arena *a, const OidcClient *c)
{
	const Str parts[] = { c->id,
		              c->name,
		              oidc_auth_name(c->auth),
		              oidc_grants_text(a, c->grants),
		              c->redirects,
		              c->logout_redirects,
		              c->scope,
		              c->audience,
		              c->trusted ? S("trusted") : S("asked"),
		              c->rs256 ? S("RS256") : S("ES256"),
		              c->secret_hash,
		              c->jwks };
	Str hash = secret_hash_of(a, parts, COUNT(parts));
	uint64_t version = 0;

	for (size_t i = 0; i < sizeof version; i++)
		version = version << 8 | (uint8_t)hash.at[i];
	return (int64_t)(version >> 1);
}

/* --- the audit log ------------------------------------------------------------------------------------------------------ */

/* An id is letters, digits and few others: it needs no escapes. */
static Err *tell(Db *tx, Arena *a, const char *action, Str id, const Asker *asker)
{
	AuditLine line = { .action = action,
		           .detail = str_fmt(a, "{\"client\":\"%.*s\"}", STR_ARG(id)) };

	return audit_put(tx, a, asker, &line);
}

Err *oidc_client_add_told(Db *tx, Arena *a, const OidcClient *client, const Asker *asker)
{
	TRY(oidc_client_store(tx, a, client, time_utc_us()));
	return tell(tx, a, "client.added", client->id, asker);
}

Err *oidc_client_change_told(Db *tx, Arena *a, const OidcClient *client, const Asker *asker)
{
	TRY(oidc_client_change(tx, a, client));
	return tell(tx, a, "client.changed", client->id, asker);
}

Err *oidc_client_remove_told(Db *tx, Arena *a, Str id, const Asker *asker, bool *removed)
{
	TRY(oidc_client_remove(tx, a, id, removed));
	return *removed ? tell(tx, a, "client.removed", id, asker) : NULL;
}

/* --- told ----------------------------------------------------------------------------------------------------------------- */

static void put_words(JsonWriter *w, const char *name, Str words)
{
	Str one;

	json_key(w, str_of(name));
	json_begin_array(w);
	while (words.len && str_split(&words, ' ', &one))
		json_add_str(w, one);
	json_end(w);
}

Err *oidc_client_put(JsonWriter *w, Arena *a, const OidcClient *c, Str secret)
{
	const Json *jwks;

	json_begin_object(w);
	json_put_str(w, "client_id", c->id);
	if (secret.len)
		json_put_str(w, "client_secret", secret);
	json_put_str(w, "client_name", c->name);
	json_put_str(w, "token_endpoint_auth_method", oidc_auth_name(c->auth));
	put_words(w, "grant_types", oidc_grants_text(a, c->grants));
	put_words(w, "redirect_uris", c->redirects);
	put_words(w, "post_logout_redirect_uris", c->logout_redirects);
	json_put_str(w, "scope", c->scope);
	json_put_str(w, "audience", c->audience);
	if (c->jwks.len) {
		TRY(json_read(a, c->jwks, 0, &jwks));
		json_key(w, S("jwks"));
		json_put(w, jwks);
	}
	json_put_bool(w, "trusted", c->trusted);
	json_put_str(w, "id_token_signed_response_alg", c->rs256 ? S("RS256") : S("ES256"));
	json_end(w);
	return NULL;
}
