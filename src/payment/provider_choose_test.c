/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/provider_choose.c"

#include "unit.h"

#include "base/time.h"

static ProviderConf rows[] = {
	{ .name = S("alpha"),
	  .failures = 1,
	  .timeout_us = 3600 * US_PER_S,
	  .pause_us = 3600 * US_PER_S },
	{ .name = S("beta"),
	  .failures = 1,
	  .timeout_us = 3600 * US_PER_S,
	  .pause_us = 3600 * US_PER_S },
	{ .name = S("gamma"),
	  .failures = 1,
	  .timeout_us = 3600 * US_PER_S,
	  .pause_us = 3600 * US_PER_S },
};
static Str euros[] = { S("eur") }, visas[] = { S("visa") };
static ProviderShare small[] = { { S("beta"), 0 }, { S("alpha"), 0 } };
static ProviderShare split[] = { { S("alpha"), 90 }, { S("beta"), 10 }, { S("gamma"), 0 } };
static ProviderRule rules[] = {
	{ .currencies = { euros, 1 },
	  .brands = { visas, 1 },
	  .least = 100,
	  .most = 999,
	  .to = { small, 2 } },
	{ .currencies = { euros, 1 }, .to = { split, 3 } },
};

static Providers *providers_with(Arena *a, size_t rule_count)
{
	ProvidersConf *conf = ARENA_NEW(a, ProvidersConf);
	Providers *all;

	conf->providers.at = rows;
	conf->providers.count = COUNT(rows);
	conf->routing.at = rules;
	conf->routing.count = rule_count;
	CHECK_OK(providers_open(a, conf, false, &all));
	return all;
}

static Str chosen(const Providers *all, ProviderWish wish, const char *tried)
{
	Str list[3], rest = str_of(tried);
	size_t count = 0;
	const Provider *p;

	while (rest.len && str_split(&rest, ' ', &list[count]))
		count++;
	p = provider_choose(all, &wish, list, count);
	return p ? p->conf->name : S("nobody");
}

TEST(the_first_rule_that_fits_says_who)
{
	static const struct {
		const char *currency, *brand, *tried, *who;
		int64_t amount;
	} cases[] = {
		{ "eur", "visa", "", "beta", 100 },
		{ "EUR", "Visa", "", "beta", 999 },
		{ "eur", "visa", "beta", "alpha", 500 },
		{ "eur", "visa", "beta alpha", "nobody", 500 },
		{ "usd", "visa", "", "nobody", 500 },
		{ "eur", "visa", "alpha beta", "gamma", 1000 },
		{ "eur", "amex", "alpha beta", "gamma", 500 },
		{ "eur", "", "alpha beta gamma", "nobody", 99 },
	};
	Providers *all = providers_with(a, COUNT(rules));

	for (size_t i = 0; i < COUNT(cases); i++) {
		ProviderWish wish = { str_of(cases[i].currency),
			              cases[i].amount,
			              str_of(cases[i].brand),
			              S("k"),
			              NULL,
			              0 };

		CHECK_STR(chosen(all, wish, cases[i].tried), str_of(cases[i].who));
	}
	providers_close(all);
}

TEST(weights_share_the_payments_and_one_payment_stays_with_one)
{
	Providers *all = providers_with(a, COUNT(rules));
	unsigned alphas = 0;

	for (int i = 0; i < 2000; i++) {
		ProviderWish wish = { .currency = S("eur"),
			              .amount = 5000,
			              .key = str_fmt(a, "pi_%d", i) };
		Str who = chosen(all, wish, "");

		CHECK_STR(chosen(all, wish, ""), who);
		CHECK(!str_eq(who, S("gamma")));
		alphas += str_eq(who, S("alpha"));
	}
	CHECK(alphas > 1740 && alphas < 1860);
	providers_close(all);
}

TEST(without_rules_all_in_their_order_that_know_the_method)
{
	Providers *all = providers_with(a, 0);
	Str only[] = { S("gamma"), S("beta") };
	ProviderWish wish = { .currency = S("usd"), .amount = 5 };

	CHECK_STR(chosen(all, wish, ""), S("alpha"));
	CHECK_STR(chosen(all, wish, "alpha"), S("beta"));
	wish.only = only;
	wish.only_count = 2;
	CHECK_STR(chosen(all, wish, ""), S("beta"));
	CHECK_STR(chosen(all, wish, "beta gamma"), S("nobody"));
	providers_close(all);
}

static void fail(const Provider *p)
{
	BreakerConf conf = { 1, p->conf->pause_us, p->conf->pause_us };

	CHECK(breaker_failed(&p->health->breaker, &conf, time_mono_us()));
}

TEST(those_that_are_well_come_first_and_the_others_after_them)
{
	Providers *all = providers_with(a, 0);
	ProviderWish wish = { .currency = S("usd"), .amount = 5 };

	fail(&all->at[0]);
	CHECK_STR(chosen(all, wish, ""), S("beta"));
	CHECK_STR(chosen(all, wish, "beta gamma"), S("alpha"));
	all->at[0].health->breaker.try_at_us = 0; /* its time has come: one may try */
	CHECK_STR(chosen(all, wish, ""), S("alpha"));
	CHECK_STR(chosen(all, wish, ""), S("beta"));
	providers_close(all);
}
