/* SPDX-License-Identifier: Apache-2.0
 *
 * Providers: the configured ways of each channel, and which of them is asked next. */
#pragma once
#include "base/err.h"
#include "notification/channel.h"

typedef struct Providers Providers; /* of one service at work; shared by all loops */

typedef struct Provider {
	Str name; /* as the configuration calls it: "ses"; unique in its channel; lives as long as the arena of channel_providers_new */
	const ProviderKind *kind;
	void *state;
	int64_t order;       /* the lower is asked first; the same: in turn, by weight */
	uint32_t weight;     /* 0: 1 */
	uint32_t per_second; /* messages, at most; 0: no limit */
} Provider;

Providers *channel_providers_new(Arena *a) RETURNS_NONNULL; /* lives as long as the arena */
void channel_providers_close(Providers *providers);         /* parks; NULL is fine */
/* While the service begins. Fails with INVALID "provider.name" when the channel has one of that name. */
Err *provider_add(Providers *providers, const Provider *provider) MUST_USE;
/* Of a name; NULL: there is none (any more). */
const Provider *provider_find(const Providers *providers, Channel channel, Str name);
/* All, in the order of their being added. */
const Provider *provider_at(const Providers *providers, size_t i); /* NULL past the last */

/* At most so many messages a second, whatever the channel. For all of that name, also those that come later. */
void provider_rate(Providers *providers, Str name, uint32_t per_second);

/* Which is asked for this message: of those that take it, are well, may have one more and are none of `tried` (names with a blank after
 * each) one of the lowest order, by weight. NULL: none; then *wait_us says after how long one may be (0: no other takes such a message at
 * all). Changes nothing: whoever then sends says provider_begin, without a park in between. */
const Provider *provider_pick(Providers *providers, Arena *a, const Message *message, Str tried,
                              int64_t *wait_us);
void provider_begin(Providers *providers, const Provider *provider);
/* What came of it: for its health. */
void provider_told(Providers *providers, const Provider *provider, const SendResult *result);

typedef enum ProviderHealth {
	PROVIDER_WELL,
	PROVIDER_OPEN,
	PROVIDER_THROTTLED,
	PROVIDER_AILS
} ProviderHealth;
typedef struct ProviderState {
	ProviderHealth health;
	int64_t wait_us;   /* until it is asked again; 0: it is asked */
	uint32_t failures; /* in a row */
	Str why;           /* it ails */
} ProviderState;
void provider_state(Providers *providers, Arena *a, const Provider *provider, ProviderState *out);
