/* SPDX-License-Identifier: Apache-2.0
 *
 * Who sent a bearer token. The kind of token is told by its beginning and, of a JWT, by its `typ`, which is under the signature: so
 * none can pass for one of another kind. A peer's token is for one service only (aud) and good for minutes; an issuer's is checked
 * against the keys of that issuer alone, chosen by its `iss`. ID tokens, which say who somebody is and not what may be done, are
 * refused by the user service's own issuer by their typ, elsewhere by the audience that must be named. */
#include "auth/b64.h"
#include "auth/jwt.h"
#include "auth/proved.h"
#include "base/arena.h"
#include "base/time.h"
#include "service/service.h"
#include "service/peer_int.h"

#include <string.h>

#define SKEW_US (30 * US_PER_S)
enum { PROVED = 10000 };
#define PEER_TYP S("peer+jwt")

typedef struct Issuer {
	const IssuerConf *conf;
	IssuerKeys *keys;
	AuthCache *proved; /* what was shown, until it ends or the keys are others */
	Str typ;           /* what its tokens must be; empty: anything */
} Issuer;

struct PeerIssuers {
	Issuer *at;
	size_t count;
};

static Err bad_token = ERR_STATIC(UNAUTHENTICATED, "auth.token", "the token is none, or no longer");

/* --- issuers ------------------------------------------------------------------------------------------------------------ */

static Err *verify_keys(Arena *a, Str text)
{
	AskUrl url;
	const char *mistake = NULL;

	if (str_starts(text, S("http://")) || str_starts(text, S("https://")))
		mistake = ask_url_read(a, text, &url);
	return mistake ? err_new(a, ERR_INVALID, "conf.value", "%s", mistake) : NULL;
}

static const ConfKey issuer_keys[] = {
	{ "issuer", CONF_STR, AT(IssuerConf, issuer), .required = true, .value = "NAME",
	  .help = "the iss of its tokens" },
	{ "keys", CONF_STR, AT(IssuerConf, keys), .required = true, .verify = verify_keys,
	  .value = "WHERE",
	  .help = "its public keys: the address of a JWKS, a file (JWKS or PEM), or service:user" },
	{ "audience", CONF_STR, AT_LIST(IssuerConf, audience), .required = true, .value = "NAME",
	  .help = "one of these must be among the aud of a token" },
	{ "scopes", CONF_STR, AT(IssuerConf, scopes), .value = "SCOPES",
	  .help = "what all of its tokens may do beside their own scopes, with blanks between" },
};
static const ConfTable table = { "issuer", CONF_ROWS(IssuerConf, issuer_keys),
	                         .help = "whose tokens are believed" };

const ConfTable *issuer_conf_table(void)
{
	return &table;
}

PeerIssuers *peer_issuers_new(Arena *a, const IssuerConf *at, size_t count)
{
	static const IssuerConf user = { .keys = { "service:user", 12 } };
	PeerIssuers *issuers = ARENA_NEW(a, PeerIssuers);

	issuers->count = MAX(count, (size_t)1);
	issuers->at = ARENA_ARRAY(a, Issuer, issuers->count);
	for (size_t i = 0; i < issuers->count; i++) {
		const IssuerConf *conf = count ? &at[i] : &user;

		issuers->at[i] =
			(Issuer){ .conf = conf,
			          .keys = issuer_keys_new(conf->keys),
			          .proved = auth_cache_new(PROVED, S("services")),
			          .typ = str_starts(conf->keys, S("service:")) ? S("at+jwt")
			                                                       : S("") };
	}
	return issuers;
}

void peer_issuers_end(PeerIssuers *issuers)
{
	for (size_t i = 0; issuers && i < issuers->count; i++) {
		issuer_keys_free(issuers->at[i].keys);
		auth_cache_free(issuers->at[i].proved);
	}
}

static const Issuer *find_issuer(const PeerIssuers *issuers, Str iss)
{
	for (size_t i = 0; i < issuers->count; i++)
		if (!issuers->at[i].conf->issuer.len || str_eq(issuers->at[i].conf->issuer, iss))
			return &issuers->at[i];
	return NULL;
}

/* --- claims --------------------------------------------------------------------------------------------------------------- */

/* `scope` as text, or `scp`, or either as a list. */
static Str scopes_of(Arena *a, const Json *claims)
{
	const Json *scope = json_get(claims, S("scope"));
	AUTO(buf_fini) Buf b = { 0 };
	Str text;

	if (!scope)
		scope = json_get(claims, S("scp"));
	if (json_to_str(scope, &text))
		return text;
	for (size_t i = 0; i < json_count(scope); i++)
		if (json_to_str(json_at(scope, i), &text))
			buf_fmt(&b, "%s%.*s", b.len ? " " : "", STR_ARG(text));
	return str_dup(a, buf_str(&b));
}

static void set_who(Arena *a, const Issuer *issuer, const Json *claims, ServiceWho *who)
{
	Str scopes = scopes_of(a, claims), own = issuer->conf->scopes;

	*who = (ServiceWho){ .known = true, .claims = claims, .scopes = scopes.len ? scopes : own };
	if (scopes.len && own.len)
		who->scopes = str_fmt(a, "%.*s %.*s", STR_ARG(scopes), STR_ARG(own));
	json_to_str(json_get(claims, S("sub")), &who->name);
	if (!service_id_read(who->name, "usr_", &who->id))
		who->id = (Uuid){ { 0 } };
}

/* *generation: of the keys that proved it. */
static Err *prove(Arena *a, Jws *jws, const Issuer *issuer, uint32_t *generation)
{
	AUTO(key_set_unrefp) KeySet *set = NULL;
	AUTO(key_set_unrefp) KeySet *fresh = NULL;
	Err *err;

	TRY(issuer_keys_get(issuer->keys, a, false, &set));
	*generation = set->generation;
	err = jws_prove(a, jws, set->keys);
	if (!err_is(err, "jws.key"))
		return err;
	TRY(issuer_keys_get(issuer->keys, a, true, &fresh));
	*generation = fresh->generation;
	return jws_prove(a, jws, fresh->keys);
}

static Err *check(ServiceCall *c, const Issuer *issuer, Jws *jws, AuthId id, const Json **claims)
{
	const IssuerConf *conf = issuer->conf;
	JwtRules rules = { .issuer = conf->issuer,
		           .audiences = conf->audience.at,
		           .audience_count = conf->audience.count,
		           .skew_us = SKEW_US,
		           .need_expiry = true };
	uint32_t generation;
	Jwt jwt;

	TRY(prove(c->arena, jws, issuer, &generation));
	TRY(jwt_check(c->arena, jws->payload, &rules, time_utc_us(), &jwt));
	auth_cache_add(issuer->proved, id, generation, jwt.claims, jwt.expires_us + SKEW_US);
	*claims = jwt.claims;
	return NULL;
}

static void let_go(void *entry)
{
	auth_entry_unref(entry);
}

/* As it was proved before, while the keys are the same. */
static bool recall(ServiceCall *c, const Issuer *issuer, AuthId id, const Json **claims)
{
	const AuthEntry *entry =
		auth_cache_find(issuer->proved, id, issuer_keys_generation(issuer->keys),
	                        time_utc_us());

	if (!entry)
		return false;
	arena_defer(c->arena, let_go, (void *)(uintptr_t)entry);
	*claims = entry->claims;
	return true;
}

static Err *of_issuer(ServiceCall *c, Str token, Jws *jws, ServiceWho *who)
{
	AuthId id = auth_id(token);
	const Issuer *issuer;
	const Json *claims;
	Str iss = { 0 };

	TRY(json_read(c->arena, jws->payload, 0, &claims));
	json_to_str(json_get(claims, S("iss")), &iss);
	issuer = find_issuer(issuers_of(c), iss);
	if (!issuer || (issuer->typ.len && !str_eq_nocase(jws->typ, issuer->typ)))
		return &bad_token;
	if (!recall(c, issuer, id, &claims))
		TRY(check(c, issuer, jws, id, &claims));
	set_who(c->arena, issuer, claims, who);
	return NULL;
}

static Err *of_peer(ServiceCall *c, Jws *jws, ServiceWho *who)
{
	Str name = str_of(c->home->service->name);
	JwtRules rules = { .issuer = S("banyan"),
		           .audiences = &name,
		           .audience_count = 1,
		           .skew_us = SKEW_US,
		           .need_expiry = true };
	const Jwk *key;
	Jwt jwt;

	TRY(peer_secret(c->arena, false, &key));
	TRY(jws_prove(c->arena, jws, jwks_of(c->arena, key)));
	TRY(jwt_check(c->arena, jws->payload, &rules, time_utc_us(), &jwt));
	if (!str_starts(jwt.subject, S("service:")))
		return &bad_token;
	*who = (ServiceWho){
		.known = true, .name = jwt.subject, .peer = true, .claims = jwt.claims
	};
	return NULL;
}

/* --- minting ---------------------------------------------------------------------------------------------------------------- */

enum { PEER_LIFE_S = 300 };

Err *peer_token(Arena *a, const char *from, const char *to, bool elsewhere, Str *token)
{
	AUTO(buf_fini) Buf payload = { 0 };
	JsonWriter w = json_writer(&payload);
	int64_t now_s = time_utc_us() / US_PER_S;
	const Jwk *key;

	TRY(peer_secret(a, elsewhere, &key));
	json_begin_object(&w);
	json_put_str(&w, "iss", S("banyan"));
	json_put_str(&w, "sub", str_fmt(a, "service:%s", from));
	json_put_str(&w, "aud", str_of(to));
	json_put_i64(&w, "iat", now_s);
	json_put_i64(&w, "exp", now_s + PEER_LIFE_S);
	json_end(&w);
	return jws_sign(a, key, JWS_HS256, PEER_TYP, buf_str(&payload), token);
}

/* --- the edge --------------------------------------------------------------------------------------------------------------- */

Str service_bearer(const ServiceCall *c, bool basic)
{
	Str field = service_header(c, "Authorization"), scheme, pair;

	if (!str_split(&field, ' ', &scheme))
		return S("");
	field = str_trim(field);
	if (str_eq_nocase(scheme, S("Bearer")))
		return field;
	if (!basic || !str_eq_nocase(scheme, S("Basic")) || !b64_read(c->arena, field, &pair))
		return S("");
	return str_find_char(pair, ':') < 0 ? pair
	                                    : str_sub(pair, 0, (size_t)str_find_char(pair, ':'));
}

static Err *of_jwt(ServiceCall *c, Str token, ServiceWho *who)
{
	Jws jws;

	TRY(jws_open(c->arena, token, &(JwsRules){ 0 }, &jws));
	return str_eq_nocase(jws.typ, PEER_TYP) ? of_peer(c, &jws, who)
	                                        : of_issuer(c, token, &jws, who);
}

Err *service_who_token(ServiceCall *c, Str token, ServiceWho *who)
{
	Err *err =
		str_starts(token, S("bk_")) ? peer_api_key(c, token, who) : of_jwt(c, token, who);

	if (!err || (err->kind != ERR_UNAUTHENTICATED && err->kind != ERR_INVALID))
		return err;
	return err_because(c->arena, err, ERR_UNAUTHENTICATED, "auth.token",
	                   "the token is none, or no longer");
}

Err *service_who_bearer(ServiceCall *c, ServiceWho *who)
{
	Str token = service_bearer(c, false);

	return token.len ? service_who_token(c, token, who) : NULL;
}

const Json *service_who_claims(const ServiceCall *c)
{
	return c->who.claims;
}
