/* SPDX-License-Identifier: Apache-2.0
 *
 * What the provider tells everybody of itself: its metadata (OpenID Connect Discovery 1.0, RFC 8414) and its public keys. */
#include "user/oidc_int.h"

#include "base/arena.h"

static void put_words(JsonWriter *w, const char *key, const char *words)
{
	Str rest = str_of(words), one;

	json_key(w, str_of(key));
	json_begin_array(w);
	while (str_split(&rest, ' ', &one))
		json_add_str(w, one);
	json_end(w);
}

static const struct {
	const char *key, *path;
} addresses[] = {
	{ "authorization_endpoint", "/oauth2/authorize" },
	{ "token_endpoint", "/oauth2/token" },
	{ "userinfo_endpoint", "/oauth2/userinfo" },
	{ "jwks_uri", "/oauth2/jwks" },
	{ "introspection_endpoint", "/oauth2/introspect" },
	{ "revocation_endpoint", "/oauth2/revoke" },
	{ "end_session_endpoint", "/oauth2/logout" },
};

#define CLIENT_AUTH "client_secret_basic client_secret_post private_key_jwt"
#define CLIENT_ALGS "ES256 ES384 ES512 RS256 RS384 RS512 PS256 PS384 PS512 EdDSA"

static const struct {
	const char *key, *words;
} lists[] = {
	{ "scopes_supported", "openid profile email roles offline_access" },
	{ "response_types_supported", "code" },
	{ "response_modes_supported", "query" },
	{ "grant_types_supported", "authorization_code refresh_token client_credentials" },
	{ "subject_types_supported", "public" },
	{ "id_token_signing_alg_values_supported", "RS256 ES256" },
	{ "token_endpoint_auth_methods_supported", "none " CLIENT_AUTH },
	{ "token_endpoint_auth_signing_alg_values_supported", CLIENT_ALGS },
	{ "introspection_endpoint_auth_methods_supported", CLIENT_AUTH },
	{ "introspection_endpoint_auth_signing_alg_values_supported", CLIENT_ALGS },
	{ "revocation_endpoint_auth_methods_supported", "none " CLIENT_AUTH },
	{ "revocation_endpoint_auth_signing_alg_values_supported", CLIENT_ALGS },
	{ "code_challenge_methods_supported", "S256" },
	{ "acr_values_supported", "aal1 aal2" },
	{ "claim_types_supported", "normal" },
	{ "claims_supported", "sub iss aud exp iat auth_time nonce acr amr sid at_hash name "
	                      "preferred_username locale updated_at email email_verified roles" },
	{ "prompt_values_supported", "none login consent select_account create" },
	{ "ui_locales_supported", "en de" },
};

static const struct {
	const char *key;
	bool yes;
} flags[] = {
	{ "authorization_response_iss_parameter_supported", true },
	{ "claims_parameter_supported", false },
	{ "request_parameter_supported", false },
	{ "request_uri_parameter_supported", false },
};

static Err *discovery(ServiceCall *c)
{
	const Oidc *oidc = oidc_of(c);
	JsonWriter *w;

	TRY(oidc_need_issuer(c));
	w = service_json(c);
	service_say_header(c, "Cache-Control", S("public, max-age=300"));
	service_say_header(c, "Access-Control-Allow-Origin", S("*"));
	json_begin_object(w);
	json_put_str(w, "issuer", oidc->issuer);
	for (size_t i = 0; i < COUNT(addresses); i++)
		json_put_str(w, addresses[i].key,
		             str_fmt(c->arena, "%.*s%s", STR_ARG(oidc->issuer), addresses[i].path));
	for (size_t i = 0; i < COUNT(lists); i++)
		put_words(w, lists[i].key, lists[i].words);
	for (size_t i = 0; i < COUNT(flags); i++)
		json_put_bool(w, flags[i].key, flags[i].yes);
	json_end(w);
	return NULL;
}

static Err *jwks(ServiceCall *c)
{
	const OidcRing *ring;

	TRY(oidc_keys_ring(oidc_of(c)->keys, c->arena, false, &ring));
	service_say_header(c, "Cache-Control", S("public, max-age=300"));
	service_say_header(c, "Access-Control-Allow-Origin", S("*"));
	jwks_put(service_json(c), &ring->all);
	return NULL;
}

static const ServiceRoute routes[] = {
	{ "GET", "/.well-known/openid-configuration", discovery, .tag = "openid",
	  .help = "what the provider is and where (OpenID Connect Discovery)" },
	{ "GET", "/.well-known/oauth-authorization-server", discovery, .tag = "openid",
	  .help = "the same (RFC 8414)" },
	{ "GET", "/oauth2/jwks", jwks, .tag = "openid", .help = "public keys (RFC 7517)" },
};

const ServiceRoutes *oidc_info_routes(void)
{
	static const ServiceRoutes all = SERVICE_ROUTES(routes);

	return &all;
}
