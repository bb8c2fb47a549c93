/* SPDX-License-Identifier: Apache-2.0
 *
 * Between provider.c (asking one, and what that says about its health), provider_choose.c (who gets what), provider_wire.c (HTTP) and the
 * kinds: provider_sandbox.c, provider_fault.c, provider_stripe.c. */
#pragma once
#include "base/json.h"
#include "http/ask.h"
#include "obs/metric.h"
#include "payment/provider.h"
#include "store/breaker.h"

#include <pthread.h>

typedef Err *ProviderVerify(const Provider *p, Arena *a, const Headers *headers, Str body,
                            int64_t now_s);
typedef Err *ProviderParse(Arena *a, const Json *json, ProviderEvent *out);

typedef enum ProviderAct {
	PROVIDER_AUTHORIZE,
	PROVIDER_CAPTURE,
	PROVIDER_CANCEL,
	PROVIDER_REFUND,
	PROVIDER_GET,
	PROVIDER_ACTS
} ProviderAct;

typedef struct ProviderKind {
	const char *name;
	const char *url; /* where there is one for all; NULL: it must be said */
	const char *version_header, *version; /* of its API, said with every request; NULL: none */
	bool local;                           /* nothing is asked over the network */
	ProviderDo *acts[PROVIDER_ACTS];
	ProviderVerify *verify; /* NULL: there are no webhooks */
	ProviderParse *parse;
} ProviderKind;

const ProviderKind *provider_sandbox_kind(void);
const ProviderKind *provider_fault_kind(void);
const ProviderKind *provider_stripe_kind(void);

typedef struct ProviderHealth {
	pthread_mutex_t lock;
	Breaker breaker;
} ProviderHealth;

struct Provider {
	const ProviderConf *conf;
	const ProviderKind *kind;
	AskClient *client; /* NULL: local */
	Str secret;        /* bytes of the webhook's, where it is Base64 */
	ProviderHealth *health;
	MetricCell results[PROVIDER_ACTS][PROVIDER_RESULTS], times[PROVIDER_ACTS], up;
};

struct Providers {
	const ProvidersConf *conf;
	Provider *at;
	size_t count;
};

/* May it be asked now? An open breaker lets one through when its time has come, if `take`. */
bool provider_may_try(const Provider *p, bool take);

/* --- provider_wire.c ------------------------------------------------------------------------------------------------------ */

typedef struct ProviderReply {
	bool got;        /* an answer that says something: else *out has been set */
	unsigned status; /* below 500, and none of 401, 403, 429 */
	const Json *json;
} ProviderReply;

/* Asks `target` ("/payments/1") at the provider's URL. form: application/x-www-form-urlencoded, else JSON; body empty: GET. key: its
 * Idempotency-Key; empty: none. Fails when the fiber was cancelled only. */
typedef struct ProviderWire {
	Str target, body, key, traceparent;
	bool form;
} ProviderWire;
Err *provider_wire(const Provider *p, Arena *a, const ProviderWire *what, ProviderReply *reply,
                   ProviderAnswer *out) MUST_USE;

/* A member's text or number; what is not there is empty, 0. In the arena of the JSON. */
Str provider_text(const Json *object, const char *member);
int64_t provider_number(const Json *object, const char *member);
/* This answer and nothing more. */
void provider_answer(ProviderAnswer *out, ProviderResult result, Str code, Str text);
