/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/provider.c"

#include "unit.h"

typedef struct Fake {
	Str ails;
	bool picky;
} Fake;

static bool takes(void *state, const Message *message)
{
	return !((Fake *)state)->picky || message->urgent;
}

static Str ails(void *state, Arena *a)
{
	(void)a;
	return ((Fake *)state)->ails;
}

static const ProviderKind kind = {
	.name = "fake", .channel = CHANNEL_SMS, .takes = takes, .ails = ails
};
static const Message sms = { .channel = CHANNEL_SMS };

static void add(Providers *providers, Str name, int64_t order, uint32_t weight, Fake *fake)
{
	CHECK_OK(provider_add(providers, &(Provider){ .name = name,
	                                              .kind = &kind,
	                                              .state = fake,
	                                              .order = order,
	                                              .weight = weight }));
}

/* "b 0": who is asked, and how long to wait when nobody is. */
static Str asked(Providers *providers, Arena *a, Str tried, int64_t now_us)
{
	int64_t wait_us;
	const Provider *p = pick_at(providers, a, &sms, tried, now_us, &wait_us);

	return p ? p->name : str_fmt(a, "%" PRId64, wait_us);
}

static void tell(Providers *providers, Str name, SendOutcome outcome, Str code, int64_t now_us)
{
	const Provider *p = provider_find(providers, CHANNEL_SMS, name);

	told_at(slot_of(providers, p), &(SendResult){ .outcome = outcome, .code = code }, now_us);
}

TEST(the_lowest_order_that_takes_it_is_asked)
{
	Providers *providers = channel_providers_new(a);
	Fake fine = { 0 }, picky = { .picky = true }, ill = { .ails = S("no credit") };

	add(providers, S("c"), 3, 0, &fine);
	add(providers, S("p"), 0, 0, &picky);
	add(providers, S("i"), 1, 0, &ill);
	add(providers, S("b"), 2, 0, &fine);
	CHECK_STR(asked(providers, a, S(""), 0), S("b"));
	CHECK_STR(asked(providers, a, S("b "), 0), S("c"));
	CHECK_STR(asked(providers, a, S("b c "), 0), str_fmt(a, "%" PRId64, (int64_t)AILS_US));
	CHECK_STR(asked(providers, a, S("b c i "), 0), S("0"));
	CHECK_ERR(provider_add(providers, &(Provider){ .name = S("b"), .kind = &kind }),
	          "provider.name");
}

TEST(those_of_one_order_share_by_weight)
{
	Providers *providers = channel_providers_new(a);
	Fake fine = { 0 };
	int counts[2] = { 0 };

	add(providers, S("a"), 0, 3, &fine);
	add(providers, S("b"), 0, 1, &fine);
	for (int i = 0; i < 4000; i++)
		counts[str_eq(asked(providers, a, S(""), 0), S("b"))]++;
	CHECK(counts[1] > 800 && counts[1] < 1200);
}

TEST(one_that_fails_is_left_alone_and_tried_with_one_message)
{
	Providers *providers = channel_providers_new(a);
	const Provider *first;
	Fake fine = { 0 };
	int64_t now = 1000 * US_PER_S;

	add(providers, S("a"), 0, 0, &fine);
	add(providers, S("b"), 1, 0, &fine);
	first = provider_find(providers, CHANNEL_SMS, S("a"));
	for (int i = 0; i < FAILURES; i++) {
		CHECK_STR(asked(providers, a, S(""), now), S("a"));
		tell(providers, S("a"), i % 2 ? SEND_SOFT : SEND_UNKNOWN, S("rt.refused"), now);
	}
	CHECK_STR(asked(providers, a, S(""), now), S("b"));
	now += 2 * US_PER_S;
	CHECK_STR(asked(providers, a, S(""), now), S("a"));
	begin_at(slot_of(providers, first), now);
	CHECK_STR(asked(providers, a, S(""), now), S("b")); /* one is enough */
	tell(providers, S("a"), SEND_SOFT, S("503"), now);
	CHECK_STR(asked(providers, a, S(""), now + US_PER_S / 2), S("b"));
	now += 4 * US_PER_S;
	CHECK_STR(asked(providers, a, S(""), now), S("a"));
	begin_at(slot_of(providers, first), now);
	tell(providers, S("a"), SEND_ACCEPTED, S(""), now);
	CHECK_STR(asked(providers, a, S(""), now), S("a"));
}

TEST(what_says_nothing_of_the_provider_does_not_count)
{
	static const struct {
		SendOutcome outcome;
		Str code;
		bool counts;
	} cases[] = {
		{ SEND_SOFT, S("451 4.7.1"), false }, { SEND_SOFT, S("421 4.3.0"), true },
		{ SEND_SOFT, S("503"), true },        { SEND_SOFT, S(""), true },
		{ SEND_HARD, S("550 5.1.1"), false }, { SEND_GONE, S("410"), false },
		{ SEND_UNKNOWN, S(""), true },        { SEND_ACCEPTED, S(""), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Providers *providers = channel_providers_new(a);
		Fake fine = { 0 };

		NOTE("case %zu", i);
		add(providers, S("a"), 0, 0, &fine);
		for (int n = 0; n < FAILURES; n++)
			tell(providers, S("a"), cases[i].outcome, cases[i].code, 5);
		CHECK_INT(str_eq(asked(providers, a, S(""), 5), S("a")), !cases[i].counts);
	}
}

TEST(credentials_that_are_refused_count_at_once_and_a_wait_is_kept)
{
	Providers *providers = channel_providers_new(a);
	Fake fine = { 0 };
	SendResult slow = { .outcome = SEND_THROTTLED, .retry_after_us = 7 * US_PER_S };

	add(providers, S("a"), 0, 0, &fine);
	add(providers, S("b"), 1, 0, &fine);
	tell(providers, S("a"), SEND_REFUSED, S("401"), 5);
	CHECK_STR(asked(providers, a, S(""), 5), S("b"));
	told_at(slot_of(providers, provider_find(providers, CHANNEL_SMS, S("b"))), &slow, 5);
	CHECK_STR(asked(providers, a, S("a "), 5), str_fmt(a, "%" PRId64, (int64_t)(7 * US_PER_S)));
	CHECK_STR(asked(providers, a, S("a "), 5 + 7 * US_PER_S), S("b"));
}

TEST(a_rate_is_a_bucket_of_a_second)
{
	Providers *providers = channel_providers_new(a);
	Fake fine = { 0 };
	int64_t now = 50 * US_PER_S;
	int sent = 0;

	provider_rate(providers, S("a"), 10);
	add(providers, S("a"), 0, 0, &fine);
	for (int ms = 0; ms < 3000; ms++)
		if (str_eq(asked(providers, a, S(""), now + ms * US_PER_MS), S("a"))) {
			begin_at(&providers->at[0], now + ms * US_PER_MS);
			sent++;
		}
	CHECK(sent >= 38 && sent <= 40); /* ten at once, then ten a second */
}
