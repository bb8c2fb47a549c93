/* SPDX-License-Identifier: Apache-2.0
 *
 * Policies of who may come, row by row, and what rows alone cannot say of them. */
#include "gateway/conf_auth.h"

#include "auth/htpasswd.h"
#include "auth/jwk.h"
#include "auth/jwks.h"
#include "auth/rule.h"
#include "base/arena.h"
#include "base/file.h"
#include "gateway/conf_int.h"
#include "gateway/forwarded.h"
#include "gateway/route_pattern.h"
#include "http/message.h"

static const ConfWord algorithm_words[] = {
	{ "RS256", JWS_RS256, "RSA, PKCS #1 1.5, SHA-256" },
	{ "RS384", JWS_RS384, "the same with SHA-384" },
	{ "RS512", JWS_RS512, "the same with SHA-512" },
	{ "PS256", JWS_PS256, "RSA, PSS, SHA-256" },
	{ "PS384", JWS_PS384, "the same with SHA-384" },
	{ "PS512", JWS_PS512, "the same with SHA-512" },
	{ "ES256", JWS_ES256, "ECDSA on P-256" },
	{ "ES384", JWS_ES384, "ECDSA on P-384" },
	{ "ES512", JWS_ES512, "ECDSA on P-521" },
	{ "EdDSA", JWS_EDDSA, "Ed25519" },
	{ "HS256", JWS_HS256, "a shared secret, SHA-256" },
	{ "HS384", JWS_HS384, "the same with SHA-384" },
	{ "HS512", JWS_HS512, "the same with SHA-512" },
	{ 0 },
};

static Err *verify_scheme(Arena *a, Str text)
{
	return http_is_token(text)
	               ? NULL
	               : err_new(a, ERR_INVALID, "conf.value", "expected a word: Bearer, Token");
}

static Err *verify_claim(Arena *a, Str text)
{
	return text.len && str_find_char(text, ' ') < 0
	               ? NULL
	               : err_new(a, ERR_INVALID, "conf.value",
	                         "expected the name of a claim: sub, or realm_access.roles");
}

static const ConfKey jwt_keys[] = {
	{ "issuer", CONF_STR, AT(JwtConf, issuer), .value = "NAME",
	  .help = "what a token's iss must be, letter by letter; without it that is not looked at",
	  .more = "Without jwks and secret it is asked where its keys are, at /.well-known/openid-configuration." },
	{ "jwks", CONF_PATH, AT(JwtConf, jwks), .value = "FILE|URL",
	  .help = "the issuer's public keys: a JWK set, in a file or at an address; or service:user",
	  .more = "A file is looked at again every two seconds." },
	{ "ca", CONF_PATH, AT(JwtConf, ca),
	  .help = "PEM file of who may have signed that address's certificate; without it the system's" },
	{ "secret", CONF_STR, AT(JwtConf, secret), .secret = true,
	  .help = "instead of jwks: a secret that is shared with the issuer, for HS256 to HS512",
	  .more = "As many bytes as the hash at least: 32 for HS256. Whoever checks tokens with it can make them too." },
	{ "algorithms", CONF_ENUM, AT_LIST(JwtConf, algorithms), .names = algorithm_words,
	  .help = "which may be used; without it all that the keys are for",
	  .more = "A secret is for HS256 alone unless they are named." },
	{ "audience", CONF_STR, AT_LIST(JwtConf, audience), .value = "NAME",
	  .help = "one of them must be in a token's aud; without it that is not looked at" },
	{ "require", CONF_STR, AT_LIST(JwtConf, require), .value = "CLAIM", .verify = verify_claim,
	  .help = "claims that a token must have" },
	{ "scopes", CONF_STR, AT_LIST(JwtConf, scopes), .value = "SCOPE",
	  .help = "scopes that it must have, all of them, in scope or scp; else 403" },
	{ "scheme", CONF_STR, AT_LIST(JwtConf, scheme), .def = "Bearer", .verify = verify_scheme,
	  .value = "WORD", .help = "words before the token in Authorization: Bearer, Token" },
	{ "cookie", CONF_STR, AT(JwtConf, cookie), .value = "NAME",
	  .help = "a cookie that may hold the token instead" },
	{ "leave", CONF_STR, AT_LIST(JwtConf, leave), .value = "TEXT", .min = "1",
	  .help = "tokens that begin so are no JWTs but a server's own keys: sk_, bk_",
	  .more = "The request goes on to other ways of the policy, or as one that shows nothing." },
	{ "typ", CONF_STR, AT(JwtConf, typ), .value = "TYPE",
	  .help = "what a token's typ must be: at+jwt; without it that is not looked at" },
	{ "skew", CONF_DURATION, AT(JwtConf, skew_us), .def = "30s", .max = "10m",
	  .help = "how far the issuer's clock and this one may be apart" },
	{ "expiry", CONF_BOOL, AT(JwtConf, need_expiry), .def = "on",
	  .help = "refuse tokens that never end" },
	{ "refresh", CONF_DURATION, AT(JwtConf, refresh_us), .def = "5m", .min = "1s", .max = "24h",
	  .help = "how often the keys of an address are fetched",
	  .more = "While that fails those that are there go on to count." },
	{ "refetch", CONF_DURATION, AT(JwtConf, refetch_us), .def = "10s", .min = "100ms",
	  .max = "1h",
	  .help = "how often a token with an unknown kid may have them fetched at once" },
	{ "timeout", CONF_DURATION, AT(JwtConf, timeout_us), .def = "2s", .min = "10ms",
	  .max = "1m", .help = "for one fetch" },
	{ "token", CONF_BYTES, AT(JwtConf, bytes), .def = "8KiB", .min = "64", .max = "64KiB",
	  .help = "largest token" },
	{ "cache", CONF_UINT, AT(JwtConf, cache), .def = "10000", .max = "1000000",
	  .help = "tokens that are remembered, once verified, until they end; 0: none" },
};
const ConfTable jwt_conf_table = { "jwt", CONF_ROWS(JwtConf, jwt_keys),
	                           .help = "tokens that an issuer has signed (RFC 7519, 8725)" };

#define SIGNED_ROWS(salt_, subject_, age_) \
	{ "secret", \
	  CONF_STR, \
	  AT_LIST(SignedConf, secrets), \
	  .required = true, \
	  .secret = true, \
	  .min = "1", \
	  .help = "the monolith's SECRET_KEY; several while it is changed" }, \
		{ "salt", CONF_STR, AT(SignedConf, salt), .def = (salt_), \
		  .help = "as the monolith has it" }, \
		{ "subject", \
		  CONF_STR, \
		  AT(SignedConf, subject), \
		  .def = (subject_), \
		  .verify = verify_claim, \
		  .value = "NAME", \
		  .help = "what of the session says whose it is" }, \
	{ \
		"max_age", CONF_DURATION, AT(SignedConf, max_age_us), \
			.def = (age_), .min = "1s", .max = "8760h", \
			.help = "how long a session lasts" \
	}

static const ConfKey django_keys[] = {
	SIGNED_ROWS("django.contrib.sessions.backends.signed_cookies", "_auth_user_id", "336h"),
	{ "sha1", CONF_BOOL, AT(SignedConf, sha1), .def = "off",
	  .help = "take what Django before 3.1 signed" },
};
static const ConfTable django_table = { "django", CONF_ROWS(SignedConf, django_keys),

	                                .help = "sessions of Django's signed_cookies backend" };

static const ConfKey flask_keys[] = { SIGNED_ROWS("cookie-session", "_user_id", "744h") };
static const ConfTable flask_table = { "flask", CONF_ROWS(SignedConf, flask_keys),
	                               .help = "sessions of Flask" };

static const ConfKey bridge_keys[] = {
	{ "cookie", CONF_STR, AT(BridgeConf, cookie), .required = true, .verify = verify_scheme,
	  .value = "NAME", .help = "the session's: sessionid (Django), session (Flask)" },
	{ "whoami", CONF_STR, AT(BridgeConf, whoami), .value = "URL",
	  .help = "what the monolith is asked, with that cookie: it answers 200 and a JSON object, or that nobody is logged in",
	  .more = "A host that is called as an upstream is that upstream. 401, 403, 404 and redirects mean nobody." },
	{ "ca", CONF_PATH, AT(BridgeConf, ca),
	  .help = "PEM file of who may have signed that address's certificate" },
	{ "subject", CONF_STR, AT(BridgeConf, subject), .def = "id", .verify = verify_claim,
	  .value = "NAME", .help = "what of its answer says who it is: id, username, user.id" },
	{ "cache", CONF_DURATION, AT(BridgeConf, cache_us), .def = "30s", .max = "1h",
	  .help = "how long an answer counts, and so how long after log-out a session may still be used" },
	{ "timeout", CONF_DURATION, AT(BridgeConf, timeout_us), .def = "2s", .min = "10ms",
	  .max = "1m", .help = "for one answer" },
	{ "entries", CONF_UINT, AT(BridgeConf, entries), .def = "10000", .max = "1000000",
	  .help = "sessions that are remembered" },
	{ "cross_site", CONF_BOOL, AT(BridgeConf, cross_site), .def = "off",
	  .help = "let pages of other sites change things with it",
	  .more = "A browser sends the cookie whoever wrote the page; services that take the gateway's word look for no CSRF token." },
	{ "django", CONF_OBJECT, AT(BridgeConf, django), GIVEN(BridgeConf, has_django),
	  .table = &django_table, .help = "read sessions in signed cookies without asking" },
	{ "flask", CONF_OBJECT, AT(BridgeConf, flask), GIVEN(BridgeConf, has_flask),
	  .table = &flask_table, .help = "read Flask's sessions without asking" },
};
static const ConfTable bridge_table = { "bridge", CONF_ROWS(BridgeConf, bridge_keys),
	                                .help = "who is logged in at the monolith" };

static const ConfKey forward_claim_keys[] = {
	{ "header", CONF_NAME, AT(ForwardClaimConf, header), .verify = verify_field_name,
	  .help = "of its answer" },
	{ "claim", CONF_STR, AT(ForwardClaimConf, claim), .required = true, .verify = verify_claim,
	  .value = "CLAIM", .help = "what it is called here: sub, email" },
};
static const ConfTable forward_claim_table = { "forward claim",
	                                       CONF_ROWS(ForwardClaimConf, forward_claim_keys),
	                                       .shorthand = "claim",
	                                       .help = "what an answer says of who came" };

static const ConfKey forward_keys[] = {
	{ "url", CONF_STR, AT(ForwardConf, url), .required = true, .value = "URL",
	  .help = "who is asked, with X-Forwarded-Method, -Proto, -Host and -Uri of the request",
	  .more = "2xx lets it pass; 401, 403 and redirects are the client's answer; all else is 503. A host that is called as an "
	          "upstream is that upstream." },
	{ "ca", CONF_PATH, AT(ForwardConf, ca),
	  .help = "PEM file of who may have signed that address's certificate" },
	{ "send", CONF_STR, AT_LIST(ForwardConf, send), .def = "authorization, cookie",
	  .verify = verify_scheme, .value = "HEADER",
	  .help = "headers of the request that it sees" },
	{ "claims", CONF_OBJECT, AT_MAP(ForwardConf, claims), .table = &forward_claim_table,
	  .help = "headers of its answer, and the claims they are" },
	{ "cache", CONF_DURATION, AT(ForwardConf, cache_us), .def = "5s", .max = "1h",
	  .help = "how long a 2xx counts for who would be told the same; 0: not at all" },
	{ "timeout", CONF_DURATION, AT(ForwardConf, timeout_us), .def = "2s", .min = "10ms",
	  .max = "1m", .help = "for one answer" },
	{ "entries", CONF_UINT, AT(ForwardConf, entries), .def = "10000", .max = "1000000",
	  .help = "answers that are remembered" },
};
static const ConfTable forward_table = { "forward", CONF_ROWS(ForwardConf, forward_keys),
	                                 .shorthand = "url",
	                                 .help = "another server decides, request by request" };

static const ConfKey api_keys_keys[] = {
	{ "file", CONF_PATH, AT(ApiKeysConf, file), .required = true,
	  .help = "what `banyan keys add` writes; looked at again every two seconds" },
	{ "header", CONF_STR, AT(ApiKeysConf, header), .def = "X-Api-Key",
	  .verify = verify_field_name, .value = "NAME", .help = "the header that holds a key" },
	{ "scheme", CONF_STR, AT_LIST(ApiKeysConf, scheme), .verify = verify_scheme,
	  .value = "WORD", .help = "words before a key in Authorization: Bearer, ApiKey" },
	{ "scopes", CONF_STR, AT_LIST(ApiKeysConf, scopes), .value = "SCOPE",
	  .help = "scopes that it must have, all of them; else 403" },
};
static const ConfTable api_keys_table = { "keys", CONF_ROWS(ApiKeysConf, api_keys_keys),
	                                  .shorthand = "file", .help = "keys of programs" };

static Err *verify_realm(Arena *a, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < 0x20 || text.at[i] == 0x7f || text.at[i] == '"' ||
		    text.at[i] == '\\')
			return err_new(a, ERR_INVALID, "conf.value",
			               "expected ASCII without quotes and backslashes");
	return NULL;
}

static const ConfKey basic_keys[] = {
	{ "file", CONF_PATH, AT(BasicConf, file), .required = true,
	  .help = "name:password lines, as htpasswd writes them; looked at again every two seconds",
	  .more = "Passwords of any format that the user service takes: argon2id, bcrypt, scrypt, PBKDF2, yescrypt, crypt's." },
	{ "realm", CONF_STR, AT(BasicConf, realm), .verify = verify_realm, .value = "TEXT",
	  .help = "what browsers show when they ask; without it the policy's name" },
	{ "cache", CONF_DURATION, AT(BasicConf, cache_us), .def = "5m", .max = "24h",
	  .help = "how long a verified login is known without hashing; another file ends it; 0: not at all" },
	{ "entries", CONF_UINT, AT(BasicConf, entries), .def = "10000", .max = "1000000",
	  .help = "logins that are known so" },
	{ "workers", CONF_UINT, AT(BasicConf, workers), .def = "1", .min = "1", .max = "64",
	  .help = "threads that hash passwords" },
	{ "queue", CONF_UINT, AT(BasicConf, queue), .def = "64", .min = "1", .max = "10000",
	  .help = "logins that may wait for one; beyond it 503 auth.password_busy" },
	{ "most_memory", CONF_BYTES, AT(BasicConf, most_memory_bytes), .def = "128MiB",
	  .min = "19MiB", .max = "2GiB", .help = "that a password of the file may ask for" },
	{ "tries", CONF_UINT, AT(BasicConf, tries), .def = "10", .max = "10000",
	  .help = "wrong passwords that an address may try; then 429; 0: any number",
	  .more = "An IPv6 address counts by its first 64 bits. Logins that are known go on." },
	{ "forget", CONF_DURATION, AT(BasicConf, forget_us), .def = "10s", .min = "100ms",
	  .max = "1h", .help = "in what time one of them is forgotten" },
	{ "plain", CONF_BOOL, AT(BasicConf, plain), .def = "off",
	  .help = "take passwords over plain HTTP from other machines, where others can read them" },
	{ "cross_site", CONF_BOOL, AT(BasicConf, cross_site), .def = "off",
	  .help = "let pages of other sites change things with a browser's login" },
};
const ConfTable basic_conf_table = { "basic", CONF_ROWS(BasicConf, basic_keys), .shorthand = "file",
	                             .help = "names and passwords of a file (RFC 7617)" };

static const ConfKey mint_keys[] = {
	{ "issuer", CONF_STR, AT(MintConf, issuer), .required = true, .value = "NAME",
	  .help = "its iss" },
	{ "audience", CONF_STR, AT_LIST(MintConf, audience), .value = "NAME", .help = "its aud" },
	{ "claims", CONF_STR, AT_LIST(MintConf, claims), .verify = verify_claim, .value = "CLAIM",
	  .help = "claims that go into it beside sub" },
	{ "key", CONF_PATH, AT_LIST(MintConf, keys), .value = "FILE",
	  .help = "PEM file of the private key; several: the first signs, all are published",
	  .more = "Without it one is made when the process starts, which is enough for one gateway: openssl genpkey -algorithm EC "
	          "-pkeyopt ec_paramgen_curve:P-256" },
	{ "life", CONF_DURATION, AT(MintConf, life_us), .def = "1m", .min = "5s", .max = "1h",
	  .help = "how long it may be used" },
	{ "header", CONF_STR, AT(MintConf, header), .def = "Authorization",
	  .verify = verify_field_name, .value = "NAME",
	  .help = "the header that carries it; Authorization: after the word Bearer, instead of the client's" },
	{ "jwks", CONF_STR, AT(MintConf, jwks), .verify = verify_health_path, .value = "PATH",
	  .help = "where the gateway answers with its public keys: /.well-known/jwks.json" },
};
static const ConfTable mint_table = {
	"token", CONF_ROWS(MintConf, mint_keys),
	.help = "a short-lived token of the gateway's own, for servers"
};

static const ConfKey header_keys[] = {
	{ "name", CONF_NAME, AT(IdentityHeaderConf, name), .verify = verify_field_name,
	  .help = "of the header" },
	{ "claim", CONF_STR, AT(IdentityHeaderConf, claim), .required = true,
	  .verify = verify_claim, .value = "CLAIM",
	  .help = "what it says: sub, email, realm_access.roles" },
};
static const ConfTable header_table = { "identity header",
	                                CONF_ROWS(IdentityHeaderConf, header_keys),
	                                .shorthand = "claim",
	                                .help = "a header that tells servers who came" };

static const ConfKey auth_keys[] = {
	{ "name", CONF_NAME, AT(AuthConf, name), .verify = verify_name,
	  .help = "what routes and metrics call it" },
	{ "jwt", CONF_OBJECT, AT(AuthConf, jwt), GIVEN(AuthConf, has_jwt), .table = &jwt_conf_table,
	  .help = "tokens that an issuer has signed" },
	{ "keys", CONF_OBJECT, AT(AuthConf, keys), GIVEN(AuthConf, has_keys),
	  .table = &api_keys_table, .help = "keys of programs" },
	{ "basic", CONF_OBJECT, AT(AuthConf, basic), GIVEN(AuthConf, has_basic),
	  .table = &basic_conf_table, .help = "names and passwords" },
	{ "certificate", CONF_BOOL, AT(AuthConf, certificate), .def = "off",
	  .help = "the certificate that a client has shown to a listener with client_ca",
	  .more = "Its claims are sub (its CN, else its first name), subject and names: \"DNS:billing.internal\" in names." },
	{ "bridge", CONF_OBJECT, AT(AuthConf, bridge), GIVEN(AuthConf, has_bridge),
	  .table = &bridge_table, .help = "who is logged in at the monolith" },
	{ "forward", CONF_OBJECT, AT(AuthConf, forward), GIVEN(AuthConf, has_forward),
	  .table = &forward_table, .help = "another server decides",
	  .more = "Of several ways the first counts whose credentials a request has: jwt, keys, basic, certificate, bridge, then forward." },
	{ "token", CONF_OBJECT, AT(AuthConf, token), GIVEN(AuthConf, has_token),
	  .table = &mint_table, .help = "what servers get instead of credentials" },
	{ "allow", CONF_STR, AT(AuthConf, allow), .value = "RULE",
	  .help = "what must be so of who came: \"admin\" in roles; else 403" },
	{ "headers", CONF_OBJECT, AT_MAP(AuthConf, headers), .table = &header_table,
	  .help = "what servers are told of who came, by header",
	  .more = "These headers are the gateway's alone: what a client sends under such a name, in any case and with _ for -, is "
	          "taken out on every route, those without a policy too." },
	{ "optional", CONF_BOOL, AT(AuthConf, optional), .def = "off",
	  .help = "let those pass who show nothing; what is shown must be right all the same" },
	{ "preflight", CONF_BOOL, AT(AuthConf, preflight), .def = "off",
	  .help = "let CORS preflights pass, which browsers send without credentials" },
	{ "keep", CONF_BOOL, AT(AuthConf, keep), .def = "on",
	  .help = "send the credentials on to the server" },
};
const ConfTable auth_conf_table = { "policy", CONF_ROWS(AuthConf, auth_keys),
	                            .help = "who may come" };

/* --- what rows cannot say ------------------------------------------------------------------------------------------------ */

static void check_keys_file(Conf *conf, const JwtConf *jwt)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	const Jwks *keys;
	Err *err;
	Str text;

	err = file_read(a, jwt->jwks, JWKS_BYTES, &text);
	err = err ? err : jwks_read(a, text, JWK_TAKE_PUBLIC, &keys);
	if (err)
		conf_mistake(conf, &jwt->jwks, "jwks: %.*s", STR_ARG(err_chain(a, err)));
}

static uint32_t algs_of(const JwtConf *jwt)
{
	uint32_t algs = 0;

	for (size_t i = 0; i < jwt->algorithms.count; i++)
		algs |= JWS_BIT(jwt->algorithms.at[i]);
	return algs;
}

static void check_secret(Conf *conf, const JwtConf *jwt)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	uint32_t algs = algs_of(jwt);
	const Jwk *key;
	Err *err;

	if (algs & JWS_PUBLIC)
		conf_mistake(conf, &jwt->algorithms, "algorithms: a secret is for HS256 to HS512");
	err = jwk_of_secret(a, jwt->secret, S(""), algs ? algs : JWS_BIT(JWS_HS256), &key);
	if (err)
		conf_mistake(conf, &jwt->secret, "secret: %.*s", STR_ARG(err->text));
}

/* Its issuer is asked where the keys are. */
static void check_discovery(Conf *conf, const JwtConf *jwt)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	WebhookUrl url;
	const char *mistake;

	if (!jwt->issuer.len) {
		conf_mistake(conf, jwt, "jwt: one of issuer, jwks and secret is needed");
		return;
	}
	mistake = webhook_url_read(a, jwt->issuer, &url);
	if (mistake || str_find_char(jwt->issuer, '?') >= 0)
		conf_mistake(conf, &jwt->issuer,
		             "issuer: without jwks it is asked where its keys are: %s",
		             mistake ? mistake : "an issuer has no query");
}

static void check_jwt(Conf *conf, const JwtConf *jwt)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	bool address = str_find(jwt->jwks, S("://")) > 0;
	const char *mistake;
	WebhookUrl url;

	if (jwt->jwks.len && jwt->secret.len)
		conf_mistake(conf, jwt, "jwt: jwks and secret do not go together");
	if (!jwt->jwks.len && !jwt->secret.len)
		check_discovery(conf, jwt);
	if (jwt->secret.len)
		check_secret(conf, jwt);
	else if (algs_of(jwt) & JWS_SECRET)
		conf_mistake(conf, &jwt->algorithms,
		             "algorithms: HS needs a secret, and a public key is none");
	if (address) {
		mistake = webhook_url_read(a, jwt->jwks, &url);
		if (mistake)
			conf_mistake(conf, &jwt->jwks, "jwks: %s", mistake);
	} else if (jwt->jwks.len && !str_starts(jwt->jwks, S("service:"))) {
		check_keys_file(conf, jwt);
	}
	if (jwt->ca.len && !str_starts(jwt->jwks.len ? jwt->jwks : jwt->issuer, S("https://")))
		conf_mistake(conf, &jwt->ca, "ca: is for https://");
	if (jwt->cookie.len && !http_is_token(jwt->cookie))
		conf_mistake(conf, &jwt->cookie, "cookie: that is no name of a cookie");
}

static void check_address(Conf *conf, const Str *at, const char *key)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	WebhookUrl url;
	const char *mistake = at->len ? webhook_url_read(a, *at, &url) : NULL;

	if (mistake)
		conf_mistake(conf, at, "%s: %s", key, mistake);
}

static bool is_host_of(Str url, Str upstream)
{
	Str rest = str_sub(url, S("http://").len, url.len);

	return str_starts(url, S("http://")) && str_starts(rest, upstream) &&
	       (rest.len == upstream.len || rest.at[upstream.len] == '/');
}

bool auth_conf_asks(const GatewayConf *g, Str upstream)
{
	for (size_t i = 0; i < g->auth.count; i++)
		if (is_host_of(g->auth.at[i].bridge.whoami, upstream) ||
		    is_host_of(g->auth.at[i].forward.url, upstream))
			return true;
	return false;
}

static void check_bridge(Conf *conf, const BridgeConf *bridge)
{
	check_address(conf, &bridge->whoami, "whoami");
	if (!bridge->whoami.len && !bridge->has_django && !bridge->has_flask)
		conf_mistake(conf, bridge, "bridge: one of whoami, django and flask is needed");
}

static void check_users(Conf *conf, const BasicConf *basic)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Htpasswd *users = ARENA_NEW(a, Htpasswd);
	Str text;
	Err *err = file_read(a, basic->file, HTPASSWD_BYTES, &text);

	err = err ? err : htpasswd_read(a, text, basic->most_memory_bytes, users);
	if (err)
		conf_mistake(conf, &basic->file, "file: %.*s", STR_ARG(err_chain(a, err)));
}

static void check_mint(Conf *conf, const GatewayConf *g, const AuthConf *policy)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	const MintConf *mint = &policy->token;
	HeaderId id = header_id(mint->header);

	if (id != HTTP_OTHER && id != HTTP_AUTHORIZATION)
		conf_mistake(conf, &mint->header,
		             "header: is another's: choose a name of your own");
	for (size_t i = 0; i < mint->keys.count; i++) {
		const Jwk *key;
		Str pem;
		Err *err = file_read(a, mint->keys.at[i], 64 << 10, &pem);

		err = err ? err : jwk_read_pem(a, pem, S(""), 0, &key);
		if (err)
			conf_mistake(conf, &mint->keys.at[i], "key: %.*s",
			             STR_ARG(err_chain(a, err)));
		else if (i == 0 && !key->signs)
			conf_mistake(conf, &mint->keys.at[i],
			             "key: the private half is needed to sign");
	}
	for (size_t i = 0; mint->jwks.len && &g->auth.at[i] < policy; i++)
		if (g->auth.at[i].has_token && str_eq(g->auth.at[i].token.jwks, mint->jwks))
			conf_mistake(conf, &mint->jwks,
			             "jwks: the keys of policy %.*s are there already",
			             STR_ARG(g->auth.at[i].name));
}

static void check_policy(Conf *conf, const GatewayConf *g, const AuthConf *policy)
{
	if (!policy->has_jwt && !policy->has_keys && !policy->has_bridge && !policy->has_forward &&
	    !policy->certificate && !policy->has_basic)
		conf_mistake(
			conf, policy,
			"policy %.*s: says nothing of how anybody is known: jwt, keys, basic, certificate, bridge or forward",
			STR_ARG(policy->name));
	if (policy->has_jwt)
		check_jwt(conf, &policy->jwt);
	if (policy->has_basic)
		check_users(conf, &policy->basic);
	if (policy->has_bridge)
		check_bridge(conf, &policy->bridge);
	if (policy->has_forward)
		check_address(conf, &policy->forward.url, "url");
	if (policy->has_token)
		check_mint(conf, g, policy);
}

static void check_headers(Conf *conf, const GatewayConf *g, const AuthConf *policy)
{
	if (policy->headers.count > AUTH_HEADERS)
		conf_mistake(conf, &policy->headers, "headers: %d at most", (int)AUTH_HEADERS);
	for (size_t i = 0; i < policy->headers.count; i++) {
		const IdentityHeaderConf *h = &policy->headers.at[i];

		if (header_id(h->name) != HTTP_OTHER || forwarded_is_own(&g->request_id, h->name))
			conf_mistake(conf, h,
			             "%.*s: is another's header: choose a name of your own",
			             STR_ARG(h->name));
		for (size_t k = 0; k < i; k++)
			if (str_eq_nocase(policy->headers.at[k].name, h->name))
				conf_mistake(conf, h, "%.*s: is there already", STR_ARG(h->name));
	}
}

/* An expression's groups are not looked for: what it has not is null. */
static bool has_part(const MatchConf *match, Str name)
{
	Str rest = match->path, segment, expression;

	if (route_is_expression(match->path, &expression))
		return true;
	while (str_split(&rest, '/', &segment))
		if (route_is_named(segment) && str_eq(str_sub(segment, 1, segment.len - 1), name))
			return true;
	return false;
}

/* at: where the rule stands; r: a route that goes by it, or NULL. */
static void check_rule(Conf *conf, const Str *at, const RouteConf *r)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	const Rule *rule;
	unsigned column;
	Err *err;
	Str name;

	if (!at->len)
		return;
	err = rule_read(a, *at, &rule);
	if (err && (!r || at == &r->allow))
		conf_mistake(conf, at, "allow: %.*s", STR_ARG(err->text));
	for (size_t i = 0; !err && r && rule_part(rule, i, &name, &column); i++)
		if (!has_part(&r->match, name))
			conf_mistake(conf, at,
			             "allow: column %u: the path %.*s of route %.*s has no {%.*s}",
			             column, STR_ARG(r->match.path), STR_ARG(r->name),
			             STR_ARG(name));
}

static void check_sticky(Conf *conf, const RouteConf *r)
{
	uint8_t by;
	Str name;

	for (size_t i = 0; r->has_shift && !r->policy && i < r->shift.sticky.count; i++)
		if (sticky_split(r->shift.sticky.at[i], &by, &name) && by == STICKY_CLAIM)
			conf_mistake(
				conf, &r->shift.sticky,
				"sticky: a claim must have been verified: the route has no auth");
}

static void check_route(Conf *conf, const GatewayConf *g, RouteConf *r)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str *names = ARENA_ARRAY(a, Str, g->auth.count + 1);
	Str near;

	r->policy = NULL;
	for (size_t i = 0; i < g->auth.count; i++) {
		names[i] = g->auth.at[i].name;
		if (str_eq(names[i], r->auth))
			r->policy = &g->auth.at[i];
	}
	check_rule(conf, &r->allow, r);
	check_sticky(conf, r);
	if (r->policy)
		check_rule(conf, &r->policy->allow, r);
	if (!r->auth.len || r->policy)
		return;
	near = str_nearest(r->auth, names, g->auth.count);
	conf_mistake(conf, &r->auth, "auth: there is no policy \"%.*s\"%s%.*s%s", STR_ARG(r->auth),
	             near.len ? ": did you mean " : "", STR_ARG(near), near.len ? "?" : "");
}

void auth_conf_check(Conf *conf, GatewayConf *g)
{
	if (g->auth.count > AUTH_POLICIES)
		conf_mistake(conf, &g->auth, "auth: %d policies at most", (int)AUTH_POLICIES);
	for (size_t i = 0; i < g->auth.count; i++) {
		const AuthConf *policy = &g->auth.at[i];

		check_policy(conf, g, policy);
		check_rule(conf, &policy->allow, NULL);
		check_headers(conf, g, policy);
	}
	for (size_t i = 0; i < g->routes.count; i++)
		check_route(conf, g, &g->routes.at[i]);
}
