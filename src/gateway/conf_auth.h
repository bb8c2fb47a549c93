/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the configuration that says who may come. Its rows are in conf_auth.c. */
#pragma once
#include "base/conf.h"

typedef struct GatewayConf GatewayConf;

/* Bearer tokens: JWTs (RFC 7519) that somebody else signed. */
typedef struct JwtConf {
	Str issuer;
	Str jwks;   /* a file, or an address */
	Str ca;     /* of that address */
	Str secret; /* of HS */
	CONF_LIST_OF(Str) audience, require, scopes, scheme;
	CONF_LIST_OF(uint8_t) algorithms; /* JwsAlg */
	Str typ;
	Str cookie; /* that may hold the token instead of Authorization; empty: none */
	int64_t skew_us, refresh_us, refetch_us, timeout_us;
	uint32_t bytes; /* of a token */
	uint32_t cache; /* tokens */
	bool need_expiry;
	CONF_LIST_OF(Str) leave; /* tokens that begin so are not of this kind */
	Str keys_at;             /* where jwks is a service: its address */
	bool keys_tls;
} JwtConf;

/* Sessions in cookies that the monolith signed: auth/signed_session.h. */
typedef struct SignedConf {
	CONF_LIST_OF(Str) secrets;
	Str salt;
	Str subject; /* what of the session is its user */
	int64_t max_age_us;
	bool sha1;
} SignedConf;

/* The monolith's own sessions. */
typedef struct BridgeConf {
	Str cookie;
	Str whoami; /* an address; empty: it is not asked */
	Str ca;
	Str subject; /* what of its answer is the user */
	int64_t cache_us, timeout_us;
	uint32_t entries;
	bool cross_site; /* other sites may use them to change something */
	bool has_django, has_flask;
	SignedConf django, flask;
} BridgeConf;

/* Somebody else who is asked for every request. */
typedef struct ForwardClaimConf {
	Str header; /* of the answer */
	Str claim;
} ForwardClaimConf;
typedef struct ForwardConf {
	Str url;
	Str ca;
	CONF_LIST_OF(Str) send; /* headers of the request */
	CONF_LIST_OF(ForwardClaimConf) claims;
	int64_t cache_us, timeout_us;
	uint32_t entries;
} ForwardConf;

/* Keys of programs: auth/api_key.h. */
typedef struct ApiKeysConf {
	Str file;
	Str header; /* that holds one; empty: none */
	CONF_LIST_OF(Str) scheme, scopes;
} ApiKeysConf;

/* Names and passwords: auth/htpasswd.h. */
typedef struct BasicConf {
	Str file;
	Str realm; /* empty: the policy's name */
	int64_t cache_us, forget_us;
	uint64_t most_memory_bytes;
	uint32_t entries, workers, queue, tries;
	bool plain, cross_site;
} BasicConf;

/* Tokens of the gateway's own, for servers. */
typedef struct MintConf {
	Str issuer;
	CONF_LIST_OF(Str) audience, keys, claims;
	Str header;
	Str jwks; /* the path where the public keys are; empty: nowhere */
	int64_t life_us;
} MintConf;

/* What servers are told of who came. */
typedef struct IdentityHeaderConf {
	Str name;
	Str claim;
} IdentityHeaderConf;

typedef struct AuthConf {
	Str name;
	bool has_jwt;
	JwtConf jwt;
	bool certificate; /* the client's, of a listener with client_ca */
	bool has_basic, has_bridge, has_forward, has_keys, has_token;
	BasicConf basic;
	BridgeConf bridge;
	ForwardConf forward;
	ApiKeysConf keys;
	MintConf token;
	Str allow; /* a rule; empty: whoever is known */
	CONF_LIST_OF(IdentityHeaderConf) headers;
	bool optional;  /* without credentials it goes on, as nobody */
	bool preflight; /* CORS asks without credentials, and may */
	bool keep;      /* credentials go upstream too */
} AuthConf;

extern const ConfTable auth_conf_table;  /* AuthConf */
extern const ConfTable jwt_conf_table;   /* JwtConf */
extern const ConfTable basic_conf_table; /* BasicConf */

enum { AUTH_POLICIES = 100, AUTH_HEADERS = 32 };

/* Does a policy ask the upstream of that name? */
bool auth_conf_asks(const GatewayConf *g, Str upstream);
/* What rows alone cannot say, and the policies of routes. */
void auth_conf_check(Conf *conf, GatewayConf *g);
