/* SPDX-License-Identifier: Apache-2.0
 *
 * Who gets a payment. The first rule that fits it has a list; without a rule it is all providers in the order of the file. Of those with
 * a weight one is drawn, by the payment's own key: so the same payment asks the same one first wherever and however often it is asked.
 * The rest of the list follows for when that one was REFUSED or UNSENT. Whose breaker is open comes after all others, and is still
 * asked when nobody else is left: a refused connection costs nothing, and a payment not tried is one lost. */
#include "payment/provider_int.h"

#include "base/hash.h"

typedef struct Draw {
	const Providers *all;
	const ProviderWish *wish;
	const Str *tried;
	size_t tried_count;
} Draw;

static bool among(const Str *list, size_t count, Str text)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_nocase(list[i], text))
			return true;
	return false;
}

static bool rule_fits(const ProviderRule *rule, const ProviderWish *wish)
{
	if (rule->currencies.count &&
	    !among(rule->currencies.at, rule->currencies.count, wish->currency))
		return false;
	if (rule->brands.count && !among(rule->brands.at, rule->brands.count, wish->brand))
		return false;
	return wish->amount >= rule->least && (!rule->most || wish->amount <= rule->most);
}

static bool is_free(const Draw *draw, const Provider *p)
{
	return p && !among(draw->tried, draw->tried_count, p->conf->name) &&
	       (!draw->wish->only_count ||
	        among(draw->wish->only, draw->wish->only_count, p->conf->name));
}

/* What is left of a rule's list: the one at this place, or NULL. */
static const Provider *at_place(const Draw *draw, const ProviderRule *rule, size_t i, bool well)
{
	const Provider *p =
		rule ? provider_named(draw->all, rule->to.at[i].provider) : &draw->all->at[i];

	return is_free(draw, p) && provider_may_try(p, false) == well ? p : NULL;
}

static uint32_t weight_at(const ProviderRule *rule, size_t i)
{
	return rule ? rule->to.at[i].weight : 0;
}

static const Provider *draw_one(const Draw *draw, const ProviderRule *rule, bool well)
{
	size_t count = rule ? rule->to.count : draw->all->count;
	const Provider *first = NULL;
	uint64_t sum = 0, at;

	for (size_t i = 0; i < count; i++) {
		const Provider *p = at_place(draw, rule, i, well);

		first = first ? first : p;
		sum += p ? weight_at(rule, i) : 0;
	}
	if (!sum)
		return first;
	at = hash_stable(draw->wish->key, 0x70726f7669646572, 0) % sum;
	for (size_t i = 0; i < count; i++) {
		const Provider *p = at_place(draw, rule, i, well);
		uint32_t weight = p ? weight_at(rule, i) : 0;

		if (at < weight)
			return p;
		at -= weight;
	}
	return first;
}

const Provider *provider_choose(const Providers *all, const ProviderWish *wish, const Str *tried,
                                size_t tried_count)
{
	Draw draw = { all, wish, tried, tried_count };
	const ProviderRule *rule = NULL;
	const Provider *p;

	for (size_t i = 0; !rule && i < all->conf->routing.count; i++)
		if (rule_fits(&all->conf->routing.at[i], wish))
			rule = &all->conf->routing.at[i];
	if (!rule && all->conf->routing.count)
		return NULL;
	p = draw_one(&draw, rule, true);
	if (p)
		(void)provider_may_try(p, true);
	return p ? p : draw_one(&draw, rule, false);
}
