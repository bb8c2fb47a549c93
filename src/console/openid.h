/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in at a provider of OpenID Connect: authorization code with PKCE (RFC 7636), state, nonce and `iss` (RFC 9207). What
 * comes between the two steps is sealed and lies with the browser; this process keeps nothing. */
#pragma once
#include "http/admin.h"
#include "http/admin_openid.h"

enum { OPENID_ANSWER_BYTES = 8 << 10, OPENID_LOGIN_S = 10 * 60 };

typedef struct OpenidBegun {
	Str to;     /* where the browser goes */
	Str sealed; /* for a cookie */
	Str proof;  /* for the page: without it the cookie is of no use */
} OpenidBegun;

/* base: "http://127.0.0.1:8081", as the browser knows this port. now_us: UTC. Parks. Fails with UPSTREAM "openid.provider". */
Err *openid_begin(Arena *a, const AdminOpenidConf *conf, Str base, int64_t now_us, OpenidBegun *out)
	MUST_USE;

typedef struct OpenidBack {
	Str query;  /* what the provider's redirect brought */
	Str sealed; /* the cookie's */
	Str proof;  /* the page's */
} OpenidBack;

/* Who came, and in *leave where they go when they log out (empty: nowhere). Parks. Fails with INVALID "openid.query"; DENIED
 * "openid.stale" (the cookie or the proof are not those of a log-in that began less than OPENID_LOGIN_S ago), "openid.state", "openid.issuer",
 * "openid.refused" (the provider said no), "openid.token", "openid.nonce", "openid.name", "openid.role"; UPSTREAM
 * "openid.provider". */
Err *openid_end(Arena *a, const AdminOpenidConf *conf, Str base, int64_t now_us,
                const OpenidBack *back, AdminWho *who, Str *leave) MUST_USE;
