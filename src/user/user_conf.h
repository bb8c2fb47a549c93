/* SPDX-License-Identifier: Apache-2.0
 *
 * `services.user` of the configuration file: what the user service has beside the keys of every service. */
#pragma once
#include "auth/password.h"
#include "base/conf.h"
#include "user/oidc_conf.h"
#include "user/throttle.h"
#include "user/user_domain.h"

typedef struct ThrottleConf {
	ThrottleRule account, address, network, all;
} ThrottleConf;

typedef struct CookieConf {
	Str name;
	Str domain;
	bool insecure; /* sent over http too */
} CookieConf;

typedef struct CodeConf {
	int64_t registration_us, email_us, recovery_us, invitation_us;
	Str link; /* "https://shop.example/account/{purpose}?code={code}" */
} CodeConf;

typedef struct UserConf {
	PasswordConf password; /* how it is hashed */
	PasswordRule rule;     /* what one must be */
	Str breached;          /* a file; empty: none */
	CONF_LIST_OF(Str) rehash;
	SessionRule sessions;
	CookieConf cookie;
	ThrottleConf throttle;
	CodeConf codes;
	bool registration; /* open to anybody */
	OidcConf openid;
	Str issuer;  /* how an authenticator calls us */
	Str profile; /* a file with a JSON Schema; empty: any object */
	CONF_LIST_OF(Str) keys;
	Str key_file; /* where there are none */
	CONF_LIST_OF(Str)
	tokens; /* "NAME:SCOPES:SHA256" of service tokens that stand in the file */
} UserConf;

const ConfTable *user_conf_table(void);
