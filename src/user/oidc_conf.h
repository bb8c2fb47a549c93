/* SPDX-License-Identifier: Apache-2.0
 *
 * `services.user.openid` of the configuration file. */
#pragma once
#include "base/conf.h"

typedef struct OidcConf {
	Str issuer; /* "https://id.shop.example"; empty: services.public_url */
	int64_t code_us, access_us, id_us;
	int64_t refresh_us; /* of a family, absolute */
	int64_t grace_us;
	int64_t rotate_us;
	Str name;  /* on pages */
	Str theme; /* a CSS file */
	Str logo;
} OidcConf;
const ConfTable *oidc_conf_table(void); /* `openid:` of the user service */
