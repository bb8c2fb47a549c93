/* SPDX-License-Identifier: Apache-2.0
 *
 * The providers of each channel, asked in their order. */
#include "notification/provider.h"

#include "base/arena.h"

struct Providers {
	Arena *arena;
	Provider *at;
	size_t count, cap;
};

enum { PROVIDERS_MOST = 32 };

Providers *channel_providers_new(Arena *a)
{
	Providers *providers = ARENA_NEW(a, Providers);

	providers->arena = a;
	providers->at = ARENA_ARRAY(a, Provider, PROVIDERS_MOST);
	return providers;
}

void channel_providers_close(Providers *providers)
{
	for (size_t i = 0; providers && i < providers->count; i++)
		if (providers->at[i].kind->close)
			providers->at[i].kind->close(providers->at[i].state);
}

const Provider *provider_find(const Providers *providers, Channel channel, Str name)
{
	for (size_t i = 0; i < providers->count; i++)
		if (providers->at[i].kind->channel == channel &&
		    str_eq(providers->at[i].name, name))
			return &providers->at[i];
	return NULL;
}

const Provider *provider_at(const Providers *providers, size_t i)
{
	return i < providers->count ? &providers->at[i] : NULL;
}

Err *provider_add(Providers *providers, const Provider *provider)
{
	size_t i = providers->count;

	if (provider_find(providers, provider->kind->channel, provider->name))
		return err_new(providers->arena, ERR_INVALID, "provider.name",
		               "there are two providers %.*s of one channel",
		               STR_ARG(provider->name));
	if (i == PROVIDERS_MOST)
		return err_new(providers->arena, ERR_INVALID, "provider.name",
		               "there are more than %d providers", PROVIDERS_MOST);
	for (; i && providers->at[i - 1].order > provider->order; i--)
		providers->at[i] = providers->at[i - 1];
	providers->at[i] = *provider;
	providers->count++;
	return NULL;
}

static bool was_tried(Str tried, Str name)
{
	Str word;

	while (str_split(&tried, ' ', &word))
		if (str_eq(word, name))
			return true;
	return false;
}

const Provider *provider_pick(Providers *providers, Arena *a, const Message *message, Str tried,
                              int64_t *wait_us)
{
	(void)a;
	*wait_us = 0;
	for (size_t i = 0; i < providers->count; i++) {
		const Provider *p = &providers->at[i];

		if (p->kind->channel == message->channel && !was_tried(tried, p->name) &&
		    (!p->kind->takes || p->kind->takes(p->state, message)))
			return p;
	}
	return NULL;
}

void provider_told(Providers *providers, const Provider *provider, const SendResult *result)
{
	(void)providers;
	(void)provider;
	(void)result;
}
