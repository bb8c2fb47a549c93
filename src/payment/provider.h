/* SPDX-License-Identifier: Apache-2.0
 *
 * Providers: those who move the money. One table of functions a kind; what comes of an attempt is one of few results, and each says
 * what may be done next.
 *
 *   provider = provider_choose(providers, &wish, tried, count);                       NULL: nobody is left
 *   ... the attempt's row is written with key and provider->name: before the wire ...
 *   TRY(provider_authorize(provider, a, &ask, &answer));
 *   switch (answer.result) ...
 *
 *   OK       it is done: answer.state says what (authorized, captured)
 *   ACTION   the customer has to do something first (answer.action_url); the webhook, or provider_get, tells the rest
 *   PENDING  taken on; the outcome comes later, by webhook or provider_get
 *   DECLINED the bank or the provider said no: answer.code. Final for this key
 *   REFUSED  nothing was done, and that is no fault of the card (our key, a limit, a method that this provider does not know):
 *            another provider may be asked, under a new key
 *   UNSENT   nothing was sent: as REFUSED
 *   UNKNOWN  it was sent and nobody knows: provider_get later, on a schedule; NO other attempt of that payment meanwhile, nowhere
 *   ABSENT   (of provider_get, _cancel) the provider has nothing of that key. One that is still on its way may come: final when
 *            provider_absent_us have gone by since it was sent, or after a provider_cancel that gave OK or ABSENT with `sealed`
 *
 * Functions return an Err only when the fiber was cancelled (what was sent is then UNKNOWN: the row says `sent`); trouble with a
 * provider is a result. All park and may be called on any loop; none inside a transaction. */
#pragma once
#include "base/err.h"
#include "payment/provider_conf.h"

typedef struct Headers Headers;
typedef struct Provider Provider;   /* one of the configuration */
typedef struct Providers Providers; /* all of them, and the rules who gets what */

typedef enum ProviderResult {
	PROVIDER_OK,
	PROVIDER_ACTION,
	PROVIDER_PENDING,
	PROVIDER_DECLINED,
	PROVIDER_REFUSED,
	PROVIDER_UNSENT,
	PROVIDER_UNKNOWN,
	PROVIDER_ABSENT,
	PROVIDER_RESULTS
} ProviderResult;

typedef enum ProviderState { /* of a payment at the provider */
	                     PROVIDER_NOTHING,
	                     PROVIDER_WAITS, /* for the customer, or for the bank */
	                     PROVIDER_AUTHORIZED,
	                     PROVIDER_CAPTURED, /* some of it at least; what was not is free again */
	                     PROVIDER_VOIDED,
	                     PROVIDER_FAILED,
	                     PROVIDER_STATES
} ProviderState;

typedef struct ProviderAsk {
	Str key; /* of this one act, 8 to 100 of [A-Za-z0-9_-]; the same however often it is asked. Of provider_get and _cancel
	          * without a reference: of the authorization that is meant */
	Str reference; /* the payment at the provider (answer.reference of its authorization): capture, cancel, refund, get */
	Str refund; /* get: this refund of it (answer.refund); empty with key and reference: the refund of that key */
	bool of_refund;  /* get: it is a refund that is asked for */
	int64_t amount;  /* minor units, above 0: authorize, capture, refund */
	Str currency;    /* "eur": authorize */
	Str token;       /* authorize: the payment method as the provider knows it */
	Str customer;    /* authorize: the customer as the provider knows it; may be empty */
	Str subject;     /* authorize: ours, "pi_..."; the provider keeps it with the payment */
	Str order;       /* authorize: what it is for, kept too; may be empty */
	Str description; /* on the statement, where it can be; may be empty */
	Str return_url;  /* where the customer comes back to after an action; may be empty */
	bool capture;    /* authorize: and take it at once */
	bool off_session; /* authorize: the customer is not there: ACTION becomes DECLINED "authentication_required" */
	int64_t created_us; /* get without a reference: when the authorization was sent, UTC */
	Str traceparent;
} ProviderAsk;

typedef struct ProviderAnswer { /* texts are of the arena */
	ProviderResult result;
	ProviderState state;
	Str reference, refund;                  /* ids at the provider; empty: not known */
	int64_t authorized, captured, refunded; /* of the payment, minor units */
	int64_t fee; /* of what was captured or refunded, minor units of the same currency; 0: not said */
	Str currency;
	Str code;         /* DECLINED: "card_declined", "expired_card", ... as Stripe calls them */
	Str decline_code; /* DECLINED by the bank: "insufficient_funds" */
	Str text;         /* a sentence, for logs and people; never what a customer typed */
	Str action_url;   /* ACTION */
	bool sealed; /* cancel: that key will not be authorized any more, whatever still comes */
	int64_t retry_us; /* REFUSED, UNSENT: do not ask it again before that; 0: not said */
} ProviderAnswer;

typedef struct
	ProviderEvent { /* a webhook in, as far as it is believed: which payment to look at */
	Str id;         /* of the event: what is told twice is told under the same */
	Str type;       /* the provider's word, for the log */
	Str reference;  /* of the payment; empty: none of ours */
	Str refund;     /* of the refund it is about; empty: none */
	Str key;        /* of the attempt, where it is in there; may be empty */
} ProviderEvent;

/* --- asking one ---------------------------------------------------------------------------------------------------------- */

typedef Err *ProviderDo(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out);
ProviderDo provider_authorize, provider_capture, provider_refund, provider_get;
/* Gives back what was authorized and not captured. Without a reference: by the authorization's key, so that it may never take
 * effect (`sealed`); providers that cannot do so: REFUSED "provider.by_key". */
ProviderDo provider_cancel;

Str provider_name(const Provider *p);
const char *provider_kind_name(const Provider *p); /* "stripe" */
/* No second attempt's worth of doubt is left that long after a request was sent: ABSENT is final then. */
int64_t provider_absent_us(const Provider *p);

/* Is this signed by the provider, and recent? Fails with UNAUTHENTICATED "provider.signature", "provider.stale". now_us: UTC. */
Err *provider_verify_webhook(const Provider *p, Arena *a, const Headers *headers, Str body,
                             int64_t now_us) MUST_USE;
/* Fails with INVALID "provider.event". */
Err *provider_parse_webhook(const Provider *p, Arena *a, Str body, ProviderEvent *out) MUST_USE;

/* --- choosing one -------------------------------------------------------------------------------------------------------- */

typedef struct ProviderWish {
	Str currency; /* "eur" */
	int64_t amount;
	Str brand;       /* "visa"; empty: not known */
	Str key;         /* of the payment: the same one gives the same share of weights */
	const Str *only; /* providers that know the payment method; none: all */
	size_t only_count;
} ProviderWish;

/* The rules' next that was not tried, healthy ones first; NULL: nobody is left. Does not park. Never ask another one after
 * UNKNOWN, ACTION, PENDING or DECLINED. */
const Provider *provider_choose(const Providers *all, const ProviderWish *wish, const Str *tried,
                                size_t tried_count);
const Provider *provider_named(const Providers *all, Str name); /* NULL: there is none */
size_t providers_count(const Providers *all);
const Provider *providers_at(const Providers *all, size_t i);
/* Are webhooks of it taken: is there a secret? */
bool provider_hears(const Provider *p);
/* Has it answered of late? For /healthz and people. */
bool provider_healthy(const Provider *p);

/* conf lives as long. development: a service without any gets a `sandbox`. Parks; fails as ask_open. */
Err *providers_open(Arena *a, const ProvidersConf *conf, bool development, Providers **out)
	MUST_USE;
void providers_close(Providers *all); /* parks; NULL is fine */

struct MetricFamily;
const struct MetricFamily *provider_metrics(size_t *count);

const char *provider_result_name(ProviderResult result); /* "ok", "unknown": rows, logs, metrics */
const char *provider_state_name(ProviderState state);
