/* SPDX-License-Identifier: Apache-2.0
 *
 * What an ID token says, once it is proved (OpenID Connect Core, 3.1.3.7), and what that allows here. Nothing parks. */
#pragma once
#include "auth/jwt.h"
#include "http/admin.h"
#include "http/admin_openid.h"

/* The token, proved with those keys: *claims. `none` and secrets are never taken. Fails with DENIED "openid.token",
 * "openid.nonce"; "jws.key" comes as it is, for whoever can ask for newer keys. */
Err *openid_token_check(Arena *a, const AdminOpenidConf *conf, Str token, const Jwks *keys,
                        Str nonce, int64_t now_us, const Json **claims) MUST_USE;
/* A claim by its name, or by names with dots between; NULL: it is not there. */
const Json *openid_claim(const Json *claims, Str path);
/* claims: the ID token's; more: those of the provider's other answer, or NULL; the first that has one counts. Fails with DENIED
 * "openid.name", "openid.role". */
Err *openid_who(Arena *a, const AdminOpenidConf *conf, const Json *claims, const Json *more,
                AdminWho *who) MUST_USE;
