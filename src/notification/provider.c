/* SPDX-License-Identifier: Apache-2.0
 *
 * The providers of each channel: which of them is asked, and which is left alone for a while.
 *
 * The lowest order that is well is asked; several of one order share by their weights. One that fails five times in a row is left
 * alone for a second, then asked for one message; each time that fails too, the pause doubles, up to a minute (store/breaker.h). A failure is
 * the provider's own: no answer, an answer of 5xx, SMTP's 421, credentials that it does not take (those count as five). That a
 * recipient is refused, or put off (greylisting: 4yz), says nothing about the provider. Whoever says 429 is left alone as
 * long as he asks. Limits of messages a second are buckets of a second's worth.
 *
 * One lock for all, held for a few comparisons and never across a park. What is known is of this process: each learns by itself. */
#include "notification/provider.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "store/breaker.h"

#include <pthread.h>

enum { PROVIDERS_MOST = 32, RATES_MOST = 32, FAILURES = 5 };
#define WAIT_US US_PER_S
#define WAIT_MAX_US (60 * US_PER_S)
#define PROBE_US \
	(30 * \
	 US_PER_S) /* after which another is tried, should nobody tell what came of the one before */
#define AILS_US (5 * US_PER_S)
#define SOON_US (100 * US_PER_MS)

typedef struct Slot {
	Provider pub; /* first */
	Breaker breaker;
	int64_t quiet_until_us; /* it asked for that */
	int64_t bucket_us;      /* of the rate: when it is full again */
} Slot;

typedef struct Rate {
	Str name;
	uint32_t per_second;
} Rate;

struct Providers {
	Arena *arena;
	pthread_mutex_t lock;
	Slot at[PROVIDERS_MOST];
	size_t count;
	Rate rates[RATES_MOST];
	size_t rate_count;
};

static const BreakerConf breaker_conf = { .failures = FAILURES,
	                                  .wait_us = WAIT_US,
	                                  .wait_max_us = WAIT_MAX_US };

static void fini(void *arg)
{
	pthread_mutex_destroy(&((Providers *)arg)->lock);
}

Providers *channel_providers_new(Arena *a)
{
	Providers *providers = ARENA_NEW(a, Providers);

	providers->arena = a;
	pthread_mutex_init(&providers->lock, NULL);
	arena_defer(a, fini, providers);
	return providers;
}

void channel_providers_close(Providers *providers)
{
	for (size_t i = 0; providers && i < providers->count; i++)
		if (providers->at[i].pub.kind->close)
			providers->at[i].pub.kind->close(providers->at[i].pub.state);
}

const Provider *provider_find(const Providers *providers, Channel channel, Str name)
{
	for (size_t i = 0; i < providers->count; i++) {
		const Provider *p = &providers->at[i].pub;

		if (p->kind->channel == channel && str_eq(p->name, name))
			return p;
	}
	return NULL;
}

const Provider *provider_at(const Providers *providers, size_t i)
{
	return i < providers->count ? &providers->at[i].pub : NULL;
}

Err *provider_add(Providers *providers, const Provider *provider)
{
	Slot *slot = &providers->at[providers->count];

	if (provider_find(providers, provider->kind->channel, provider->name))
		return err_new(providers->arena, ERR_INVALID, "provider.name",
		               "there are two providers %.*s of one channel",
		               STR_ARG(provider->name));
	if (providers->count == PROVIDERS_MOST)
		return err_new(providers->arena, ERR_INVALID, "provider.name",
		               "there are more than %d providers", PROVIDERS_MOST);
	*slot = (Slot){ .pub = *provider };
	for (size_t i = 0; i < providers->rate_count; i++)
		if (str_eq(providers->rates[i].name, provider->name))
			slot->pub.per_second = providers->rates[i].per_second;
	providers->count++;
	return NULL;
}

void provider_rate(Providers *providers, Str name, uint32_t per_second)
{
	if (providers->rate_count < RATES_MOST)
		providers->rates[providers->rate_count++] = (Rate){ name, per_second };
	for (size_t i = 0; i < providers->count; i++)
		if (str_eq(providers->at[i].pub.name, name))
			providers->at[i].pub.per_second = per_second;
}

/* --- may it be asked? ------------------------------------------------------------------------------------------------------ */

static int64_t gap_us(const Slot *slot)
{
	return US_PER_S / slot->pub.per_second;
}

/* The bucket is full at bucket_us; each message puts that off by its gap; a second's worth may be owed. */
static int64_t rate_wait(const Slot *slot, int64_t now_us)
{
	int64_t owed;

	if (!slot->pub.per_second)
		return 0;
	owed = MAX(slot->bucket_us - now_us, INT64_C(0)) + gap_us(slot);
	return MAX(owed - US_PER_S, INT64_C(0));
}

static void look(const Slot *slot, Arena *a, int64_t now_us, ProviderState *out)
{
	*out = (ProviderState){ .health = PROVIDER_WELL, .failures = slot->breaker.failures };
	if (slot->quiet_until_us > now_us) {
		out->health = PROVIDER_THROTTLED;
		out->wait_us = slot->quiet_until_us - now_us;
	} else if (slot->breaker.open) {
		out->health = PROVIDER_OPEN;
		out->wait_us = MAX(slot->breaker.try_at_us - now_us, INT64_C(0));
	} else if (rate_wait(slot, now_us)) {
		out->health = PROVIDER_THROTTLED;
		out->wait_us = rate_wait(slot, now_us);
	} else if (slot->pub.kind->ails &&
	           (out->why = slot->pub.kind->ails(slot->pub.state, a)).len) {
		out->health = PROVIDER_AILS;
		out->wait_us = AILS_US;
	}
}

static bool was_tried(Str tried, Str name)
{
	Str word;

	while (str_split(&tried, ' ', &word))
		if (str_eq(word, name))
			return true;
	return false;
}

static uint32_t weight_of(const Slot *slot)
{
	return slot->pub.weight ? slot->pub.weight : 1;
}

/* One of those whose bit is set, by weight. */
static Slot *draw(Providers *providers, uint32_t may)
{
	uint64_t sum = 0, at;

	for (size_t i = 0; i < providers->count; i++)
		sum += may >> i & 1 ? weight_of(&providers->at[i]) : 0;
	if (!sum)
		return NULL;
	at = rand_below(sum);
	for (size_t i = 0; i < providers->count; i++) {
		if (!(may >> i & 1))
			continue;
		if (at < weight_of(&providers->at[i]))
			return &providers->at[i];
		at -= weight_of(&providers->at[i]);
	}
	return NULL;
}

static const Provider *pick_at(Providers *providers, Arena *a, const Message *message, Str tried,
                               int64_t now_us, int64_t *wait_us)
{
	int64_t order = INT64_MAX, wait = 0;
	uint32_t may = 0;
	const Slot *drawn;

	for (size_t i = 0; i < providers->count; i++) {
		const Provider *p = &providers->at[i].pub;
		ProviderState state;

		if (p->kind->channel != message->channel || was_tried(tried, p->name) ||
		    (p->kind->takes && !p->kind->takes(p->state, message)))
			continue;
		look(&providers->at[i], a, now_us, &state);
		if (state.wait_us) {
			wait = wait ? MIN(wait, state.wait_us) : state.wait_us;
			continue;
		}
		may = p->order < order ? 0 : may;
		if (p->order <= order) {
			order = p->order;
			may |= UINT32_C(1) << i;
		}
	}
	*wait_us = may ? 0 : wait ? MAX(wait, (int64_t)SOON_US) : 0;
	drawn = draw(providers, may);
	return drawn ? &drawn->pub : NULL;
}

const Provider *provider_pick(Providers *providers, Arena *a, const Message *message, Str tried,
                              int64_t *wait_us)
{
	const Provider *p;

	pthread_mutex_lock(&providers->lock);
	p = pick_at(providers, a, message, tried, time_mono_us(), wait_us);
	pthread_mutex_unlock(&providers->lock);
	return p;
}

/* --- what came of it ------------------------------------------------------------------------------------------------------- */

static Slot *slot_of(Providers *providers, const Provider *provider)
{
	size_t i = 0;

	while (&providers->at[i].pub != provider)
		i++;
	return &providers->at[i];
}

static void begin_at(Slot *slot, int64_t now_us)
{
	if (slot->pub.per_second)
		slot->bucket_us = MAX(slot->bucket_us, now_us) + gap_us(slot);
	if (slot->breaker.open)
		slot->breaker.try_at_us = now_us + PROBE_US;
}

void provider_begin(Providers *providers, const Provider *provider)
{
	pthread_mutex_lock(&providers->lock);
	begin_at(slot_of(providers, provider), time_mono_us());
	pthread_mutex_unlock(&providers->lock);
}

/* Put off by a provider that is well: greylisting, a full mailbox. */
static bool of_the_recipient(const SendResult *result)
{
	return result->outcome == SEND_SOFT && str_starts(result->code, S("4")) &&
	       !str_starts(result->code, S("421"));
}

static void told_at(Slot *slot, const SendResult *result, int64_t now_us)
{
	bool open = slot->breaker.open;

	if (result->outcome == SEND_THROTTLED) {
		int64_t wait_us = result->retry_after_us ? result->retry_after_us : US_PER_S;

		slot->quiet_until_us = MAX(slot->quiet_until_us, now_us + wait_us);
	} else if (result->outcome == SEND_REFUSED ||
	           (open && (result->outcome == SEND_SOFT || result->outcome == SEND_UNKNOWN) &&
	            !of_the_recipient(result))) {
		breaker_trip(&slot->breaker, &breaker_conf, now_us);
	} else if ((result->outcome == SEND_SOFT || result->outcome == SEND_UNKNOWN) &&
	           !of_the_recipient(result)) {
		breaker_failed(&slot->breaker, &breaker_conf, now_us);
	} else if (open) {
		breaker_close(&slot->breaker, now_us);
	} else {
		breaker_worked(&slot->breaker);
	}
}

void provider_told(Providers *providers, const Provider *provider, const SendResult *result)
{
	pthread_mutex_lock(&providers->lock);
	told_at(slot_of(providers, provider), result, time_mono_us());
	pthread_mutex_unlock(&providers->lock);
}

void provider_state(Providers *providers, Arena *a, const Provider *provider, ProviderState *out)
{
	pthread_mutex_lock(&providers->lock);
	look(slot_of(providers, provider), a, time_mono_us(), out);
	pthread_mutex_unlock(&providers->lock);
}
