/* SPDX-License-Identifier: Apache-2.0
 *
 * `providers` and `routing` under `services.payment`: who moves the money, and who gets which payment.
 *
 *   providers:
 *     stripe: { kind: stripe, key: "file:secrets/stripe", webhook_secret: "file:secrets/stripe-webhook" }
 *     second: { kind: fault, url: http://127.0.0.1:9100 }
 *   routing:
 *     - { currencies: [eur], brands: [visa], most: 100000, to: [second, stripe] }
 *     - { to: [{ provider: stripe, weight: 90 }, { provider: second, weight: 10 }] } */
#pragma once
#include "base/conf.h"

typedef enum ProviderType {
	PROVIDER_SANDBOX,
	PROVIDER_FAULT,
	PROVIDER_STRIPE,
	PROVIDER_TYPES
} ProviderType;

typedef struct ProviderConf {
	Str name;
	uint8_t type; /* ProviderType */
	Str url;      /* empty: the kind's own */
	Str key;
	Str webhook_secret; /* empty: webhooks of it are refused */
	Str ca;
	int64_t timeout_us;
	int64_t absent_us;
	uint32_t failures; /* in a row, then it is left alone */
	int64_t pause_us;  /* for so long first */
} ProviderConf;

typedef struct ProviderShare {
	Str provider;
	uint32_t weight; /* 0: after those that have one, in the order of the list */
} ProviderShare;

typedef struct ProviderRule {
	CONF_LIST_OF(Str) currencies; /* none: all */
	CONF_LIST_OF(Str) brands;
	int64_t least, most; /* minor units, both included; most 0: no limit */
	CONF_LIST_OF(ProviderShare) to;
} ProviderRule;

typedef struct ProvidersConf {
	CONF_LIST_OF(ProviderConf) providers;
	CONF_LIST_OF(ProviderRule)
	routing; /* the first that fits; none: all providers in their order */
} ProvidersConf;

/* The two keys, for the table of the whole: a ProvidersConf in place. Fills rows[0] and rows[1] with offsets of one that stands at
 * `offset` of the caller's struct. */
enum { PROVIDERS_KEYS = 2 };
void providers_conf_keys(ConfKey *rows, size_t offset);
/* Names that a rule has and nobody else: for the check of the whole table. */
void providers_conf_check(Conf *conf, ProvidersConf *providers);
