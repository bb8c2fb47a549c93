/* SPDX-License-Identifier: Apache-2.0
 *
 * Providers opened, asked and judged. Whatever the kind, an act goes through here: it is counted, and what comes of it says whether the
 * provider is well. One that answers is well, whatever it answers; silence, 5xx and "not now" in a row open its breaker, and
 * provider_choose then prefers others, but for one payment now and then that tries. */
#include "payment/provider_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "auth/signing.h"
#include "rt/loop.h"

#define PAUSE_MAX_US (300 * US_PER_S)

static const char *const results[] = {
	[PROVIDER_OK] = "ok",           [PROVIDER_ACTION] = "action",
	[PROVIDER_PENDING] = "pending", [PROVIDER_DECLINED] = "declined",
	[PROVIDER_REFUSED] = "refused", [PROVIDER_UNSENT] = "unsent",
	[PROVIDER_UNKNOWN] = "unknown", [PROVIDER_ABSENT] = "absent",
};
_Static_assert(COUNT(results) == PROVIDER_RESULTS, "a result has no name");
static const char *const states[] = {
	[PROVIDER_NOTHING] = "nothing",       [PROVIDER_WAITS] = "waits",
	[PROVIDER_AUTHORIZED] = "authorized", [PROVIDER_CAPTURED] = "captured",
	[PROVIDER_VOIDED] = "voided",         [PROVIDER_FAILED] = "failed",
};
_Static_assert(COUNT(states) == PROVIDER_STATES, "a state has no name");
static const char *const acts[] = {
	[PROVIDER_AUTHORIZE] = "authorize",
	[PROVIDER_CAPTURE] = "capture",
	[PROVIDER_CANCEL] = "cancel",
	[PROVIDER_REFUND] = "refund",
	[PROVIDER_GET] = "get",
};
_Static_assert(COUNT(acts) == PROVIDER_ACTS, "an act has no name");

static const MetricFamily families[] = {
	{ "banyan_payment_provider_requests_total",
	  METRIC_COUNTER,
	  "requests",
	  "asked of a provider, by what came of it",
	  { "provider", "act", "result" } },
	{ "banyan_payment_provider_seconds",
	  METRIC_HISTOGRAM,
	  "seconds",
	  "until a provider had answered, or was given up",
	  { "provider", "act" } },
	{ "banyan_payment_provider_up",
	  METRIC_GAUGE,
	  "providers",
	  "1: it answers; 0: it failed several times in a row",
	  { "provider" } },
};

const MetricFamily *provider_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

const char *provider_result_name(ProviderResult result)
{
	return results[result];
}

const char *provider_state_name(ProviderState state)
{
	return states[state];
}

Str provider_name(const Provider *p)
{
	return p->conf->name;
}

const char *provider_kind_name(const Provider *p)
{
	return p->kind->name;
}

int64_t provider_absent_us(const Provider *p)
{
	return p->kind->local ? 0 : p->conf->absent_us;
}

/* --- health -------------------------------------------------------------------------------------------------------------- */

static BreakerConf breaker_conf(const Provider *p)
{
	return (BreakerConf){ .failures = MAX(p->conf->failures, 1u),
		              .wait_us = MAX(p->conf->pause_us, 1),
		              .wait_max_us = MAX(PAUSE_MAX_US, p->conf->pause_us) };
}

static bool is_failure(const ProviderAnswer *out)
{
	return out->result == PROVIDER_UNSENT || out->result == PROVIDER_UNKNOWN ||
	       (out->result == PROVIDER_REFUSED && str_starts(out->code, S("provider.")));
}

static void learn(const Provider *p, const ProviderAnswer *out)
{
	ProviderHealth *health = p->health;
	BreakerConf conf = breaker_conf(p);
	int64_t now_us = time_mono_us();

	pthread_mutex_lock(&health->lock);
	if (is_failure(out))
		breaker_failed(&health->breaker, &conf, now_us);
	else if (health->breaker.open)
		breaker_close(&health->breaker, now_us);
	else
		breaker_worked(&health->breaker);
	metric_set(p->up, !health->breaker.open);
	pthread_mutex_unlock(&health->lock);
}

bool provider_may_try(const Provider *p, bool take)
{
	ProviderHealth *health = p->health;
	int64_t now_us = time_mono_us();
	bool may;

	pthread_mutex_lock(&health->lock);
	may = !health->breaker.open || now_us >= health->breaker.try_at_us;
	if (take && health->breaker.open && may)
		health->breaker.try_at_us =
			now_us + p->conf->timeout_us; /* others go on waiting meanwhile */
	pthread_mutex_unlock(&health->lock);
	return may;
}

bool provider_healthy(const Provider *p)
{
	bool open;

	pthread_mutex_lock(&p->health->lock);
	open = p->health->breaker.open;
	pthread_mutex_unlock(&p->health->lock);
	return !open;
}

/* --- acts ---------------------------------------------------------------------------------------------------------------- */

static Err *act(const Provider *p, Arena *a, ProviderAct what, const ProviderAsk *ask,
                ProviderAnswer *out)
{
	int64_t begun_us = time_mono_us();

	*out = (ProviderAnswer){ .result = PROVIDER_UNKNOWN };
	TRY(p->kind->acts[what](p, a, ask, out));
	metric_add(p->results[what][out->result], 1);
	metric_observe_us(p->times[what], time_mono_us() - begun_us);
	if (!p->kind->local)
		learn(p, out);
	return NULL;
}

Err *provider_authorize(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	return act(p, a, PROVIDER_AUTHORIZE, ask, out);
}

Err *provider_capture(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	return act(p, a, PROVIDER_CAPTURE, ask, out);
}

Err *provider_cancel(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	return act(p, a, PROVIDER_CANCEL, ask, out);
}

Err *provider_refund(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	return act(p, a, PROVIDER_REFUND, ask, out);
}

/* A question that was not sent leaves what it is about as unknown as before. */
Err *provider_get(const Provider *p, Arena *a, const ProviderAsk *ask, ProviderAnswer *out)
{
	TRY(act(p, a, PROVIDER_GET, ask, out));
	if (out->result == PROVIDER_UNSENT || out->result == PROVIDER_REFUSED)
		out->result = PROVIDER_UNKNOWN;
	return NULL;
}

/* --- webhooks in ----------------------------------------------------------------------------------------------------------- */

bool provider_hears(const Provider *p)
{
	return p->kind->verify && p->conf->webhook_secret.len;
}

Err *provider_verify_webhook(const Provider *p, Arena *a, const Headers *headers, Str body,
                             int64_t now_us)
{
	Err *err;

	if (!provider_hears(p))
		return err_new(a, ERR_UNAUTHENTICATED, "provider.signature",
		               "no secret of its webhooks is configured");
	err = p->kind->verify(p, a, headers, body, now_us / US_PER_S);
	if (!err)
		return NULL;
	return err_because(a, err, ERR_UNAUTHENTICATED,
	                   err_is(err, "signing.stale") ? "provider.stale" : "provider.signature",
	                   "this webhook is not believed");
}

Err *provider_parse_webhook(const Provider *p, Arena *a, Str body, ProviderEvent *out)
{
	const Json *json;
	Err *err = json_read(a, body, 0, &json);

	*out = (ProviderEvent){ 0 };
	if (!err && p->kind->parse)
		err = p->kind->parse(a, json, out);
	if (err)
		return err_because(a, err, ERR_INVALID, "provider.event",
		                   "this webhook could not be read");
	if (!out->id.len || !out->type.len)
		return err_new(a, ERR_INVALID, "provider.event", "a webhook has an id and a type");
	return NULL;
}

/* --- begin and end ------------------------------------------------------------------------------------------------------- */

static const ProviderKind *kind_of(ProviderType type)
{
	switch (type) {
	case PROVIDER_FAULT:
		return provider_fault_kind();
	case PROVIDER_STRIPE:
		return provider_stripe_kind();
	case PROVIDER_SANDBOX:
	case PROVIDER_TYPES:
		break;
	}
	return provider_sandbox_kind();
}

static void take_cells(Provider *p)
{
	for (size_t i = 0; i < PROVIDER_ACTS; i++) {
		Str labels[3] = { p->conf->name, str_of(acts[i]) };

		p->times[i] = metric_cell(&families[1], labels, 2);
		for (size_t k = 0; k < PROVIDER_RESULTS; k++) {
			labels[2] = str_of(results[k]);
			p->results[i][k] = metric_cell(&families[0], labels, 3);
		}
	}
	p->up = metric_cell(&families[2], &p->conf->name, 1);
	metric_set(p->up, 1);
}

static Err *open_one(Arena *a, const ProviderConf *conf, Provider *p)
{
	AskConf settings = { .name = "provider", .ca = conf->ca };

	*p = (Provider){ .conf = conf, .kind = kind_of((ProviderType)conf->type) };
	p->health = ARENA_NEW(a, ProviderHealth);
	pthread_mutex_init(&p->health->lock, NULL);
	if (conf->webhook_secret.len && !signing_key(a, conf->webhook_secret, &p->secret))
		p->secret = conf->webhook_secret; /* Stripe's are text */
	take_cells(p);
	return p->kind->local ? NULL : ask_open_away(a, &settings, &p->client);
}

static const ProvidersConf *with_sandbox(Arena *a)
{
	static const ProviderConf sandbox = { .name = S("sandbox"), .type = PROVIDER_SANDBOX };
	ProvidersConf *conf = ARENA_NEW(a, ProvidersConf);

	conf->providers.at = ARENA_NEW(a, ProviderConf);
	conf->providers.at[0] = sandbox;
	conf->providers.count = 1;
	return conf;
}

Err *providers_open(Arena *a, const ProvidersConf *conf, bool development, Providers **out)
{
	Providers *all = ARENA_NEW(a, Providers);
	Err *err = NULL;

	if (!conf->providers.count && development)
		conf = with_sandbox(a);
	all->conf = conf;
	all->at = ARENA_ARRAY(a, Provider, conf->providers.count + 1);
	for (size_t i = 0; !err && i < conf->providers.count; i++) {
		err = open_one(a, &conf->providers.at[i], &all->at[i]);
		all->count++;
	}
	if (err) {
		providers_close(all);
		return err;
	}
	*out = all;
	return NULL;
}

static void free_cells(Provider *p)
{
	for (size_t i = 0; i < PROVIDER_ACTS; i++) {
		metric_cell_free(p->times[i]);
		for (size_t k = 0; k < PROVIDER_RESULTS; k++)
			metric_cell_free(p->results[i][k]);
	}
	metric_cell_free(p->up);
}

void providers_close(Providers *all)
{
	for (size_t i = 0; all && i < all->count; i++) {
		ask_close(all->at[i].client);
		free_cells(&all->at[i]);
		pthread_mutex_destroy(&all->at[i].health->lock);
	}
}

size_t providers_count(const Providers *all)
{
	return all->count;
}

const Provider *providers_at(const Providers *all, size_t i)
{
	return &all->at[i];
}

const Provider *provider_named(const Providers *all, Str name)
{
	for (size_t i = 0; i < all->count; i++)
		if (str_eq(all->at[i].conf->name, name))
			return &all->at[i];
	return NULL;
}
