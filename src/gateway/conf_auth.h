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
} JwtConf;

/* What servers are told of who came. */
typedef struct IdentityHeaderConf {
	Str name;
	Str claim;
} IdentityHeaderConf;

typedef struct AuthConf {
	Str name;
	bool has_jwt;
	JwtConf jwt;
	Str allow; /* a rule; empty: whoever is known */
	CONF_LIST_OF(IdentityHeaderConf) headers;
	bool optional;  /* without credentials it goes on, as nobody */
	bool preflight; /* CORS asks without credentials, and may */
	bool keep;      /* credentials go upstream too */
} AuthConf;

extern const ConfTable auth_conf_table; /* AuthConf */
extern const ConfTable jwt_conf_table;  /* JwtConf */

enum { AUTH_POLICIES = 100, AUTH_HEADERS = 32 };

/* What rows alone cannot say, and the policies of routes. */
void auth_conf_check(Conf *conf, GatewayConf *g);
