/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/split.c"

#include "unit.h"

#include <stdlib.h>

static const SplitKey key = { { 1, 2 } };
static const SplitKey other = { { 1, 3 } };

static Headers headers_of(Arena *a, const char *name, Str value)
{
	Headers headers = { 0 };

	if (value.len)
		headers_add(&headers, a, str_of(name), value);
	return headers;
}

static SplitRules rules_of(Arena *a, Str *sticky, size_t count)
{
	ShiftConf *conf = ARENA_NEW(a, ShiftConf);

	conf->sticky.at = sticky;
	conf->sticky.count = count;
	return split_rules(a, conf, S("banyan_id"));
}

/* What a browser sends back of a Set-Cookie. */
static Str pair_of(Str set)
{
	return str_sub(set, 0, (size_t)str_find_char(set, ';'));
}

TEST(split_a_stranger_is_given_a_cookie_and_known_by_it)
{
	SplitRules rules = rules_of(a, (Str[]){ S("auto") }, 1);
	Headers none = { 0 };
	SplitUser user = split_user(&rules, &key, &(SplitFrom){ &none, S("10.0.0.1") });
	Str cookie = split_cookie(a, &rules, &key, true);
	Headers headers = headers_of(a, "Cookie", pair_of(cookie));

	CHECK(user.stranger);
	CHECK_INT(user.hash, 0);
	CHECK(str_find(cookie, S("; Secure")) > 0);
	CHECK(str_find(cookie, S("HttpOnly")) > 0);
	user = split_user(&rules, &key, &(SplitFrom){ &headers, S("10.0.0.1") });
	CHECK(!user.stranger);
	CHECK(user.hash != 0);
	CHECK(split_user(&rules, &key, &(SplitFrom){ &headers, S("10.0.0.2") }).hash == user.hash);
	CHECK(split_user(&rules, &other, &(SplitFrom){ &headers, S("10.0.0.1") }).stranger);
}

TEST(split_a_cookie_that_was_changed_is_none)
{
	SplitRules rules = rules_of(a, (Str[]){ S("auto") }, 1);
	Str pair = pair_of(split_cookie(a, &rules, &key, false));

	for (size_t i = S("banyan_id=").len; i < pair.len; i++) {
		char *text = arena_alloc(a, pair.len);
		Headers headers;

		memcpy(text, pair.at, pair.len);
		text[i] = text[i] == '0' ? '1' : '0';
		headers = headers_of(a, "Cookie", (Str){ text, pair.len });
		CHECK(split_user(&rules, &key, &(SplitFrom){ &headers, S("10.0.0.1") }).stranger);
	}
}

TEST(split_of_two_cookies_of_that_name_the_signed_one_counts)
{
	SplitRules rules = rules_of(a, (Str[]){ S("auto") }, 1);
	Str pair = pair_of(split_cookie(a, &rules, &key, false));
	Headers headers =
		headers_of(a, "Cookie", str_fmt(a, "banyan_id=made-up; %.*s", STR_ARG(pair)));

	CHECK(!split_user(&rules, &key, &(SplitFrom){ &headers, S("") }).stranger);
}

TEST(split_the_first_rule_that_the_request_has_counts)
{
	SplitRules rules =
		rules_of(a, (Str[]){ S("header:X-Tenant"), S("cookie:who"), S("address") }, 3);
	static const struct {
		const char *header;
		Str value, id;
		StickyBy by;
	} cases[] = {
		{ "X-Tenant", S("acme"), S("acme"), STICKY_HEADER },
		{ "Cookie", S("a=b; who=ann"), S("ann"), STICKY_COOKIE },
		{ "Cookie", S("a=b"), S("10.0.0.1"), STICKY_ADDRESS },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Headers headers = headers_of(a, cases[i].header, cases[i].value);
		SplitUser user = split_user(&rules, &key, &(SplitFrom){ &headers, S("10.0.0.1") });

		CHECK_INT(user.by, cases[i].by);
		CHECK_STR(user.id, cases[i].id);
		CHECK(!user.stranger);
	}
	CHECK(split_hash(STICKY_HEADER, S("x")) != split_hash(STICKY_COOKIE, S("x")));
}

/* 99.99 % of a chi-square of 99 degrees of freedom. */
#define CHI_SQUARE_99 161.3

TEST(split_is_monotone_uniform_and_drawn_anew_by_a_salt)
{
	enum { CELLS = 100 };
	const uint64_t users = getenv("BANYAN_PROOF") ? 1000000 : 100000;
	static const uint32_t shares[] = { 10000, 50000, 250000, 500000, 980000, PPM_WHOLE };
	uint64_t cells[CELLS] = { 0 }, moved = 0;
	double chi = 0, each = (double)users / CELLS;

	for (uint64_t i = 1; i <= users; i++) {
		uint64_t user =
			split_hash(STICKY_COOKIE_OF_OURS, (Str){ (const char *)&i, sizeof i });
		uint32_t at = draw(7, user);

		for (size_t k = 0; k < COUNT(shares) && at >= shares[k]; k++)
			if (split_is_in(7, user, shares[k]))
				unit_fail(__FILE__, __LINE__, "in at %u, drawn %u", shares[k], at);
		cells[at / (PPM_WHOLE / CELLS)]++;
		moved += (at < 500000) != split_is_in(8, user, 500000);
	}
	for (size_t i = 0; i < CELLS; i++)
		chi += ((double)cells[i] - each) * ((double)cells[i] - each) / each;
	CHECK(chi < CHI_SQUARE_99);
	CHECK(moved * 100 > users * 49);
	CHECK(moved * 100 < users * 51);
}

/* What gateways of other releases, and after restarts, must come to as well. */
TEST(split_draws_the_same_for_ever)
{
	static const struct {
		uint64_t salt, user;
		uint32_t draw;
	} cases[] = { { 1, 1, 712886 }, { 1, 2, 390976 }, { 77, 1, 835129 } };

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(draw(cases[i].salt, cases[i].user), cases[i].draw);
	CHECK(split_hash(STICKY_HEADER, S("acme")) == UINT64_C(13965186844878921625));
}

TEST(split_nobody_is_in_at_nothing_and_everybody_at_all)
{
	for (uint64_t user = 1; user < 1000; user++) {
		CHECK(!split_is_in(user * 3, user, 0));
		CHECK(split_is_in(user * 3, user, PPM_WHOLE));
	}
}

TEST(split_overrides_say_before_the_draw_does)
{
	OverrideConf rows[2] = { { .name = S("header:X-Canary"), .field = S("X-Canary") },
		                 { .name = S("address") } };
	ShiftConf conf = { 0 };
	SplitUser user = { 0 };
	bool is_new = false;
	static const struct {
		Str canary, ip;
		bool said, is_new;
	} cases[] = {
		{ S("yes"), S("10.0.0.1"), true, true },
		{ S("no"), S("10.0.0.9"), true, false },
		{ S("maybe"), S("10.0.0.1"), false, false },
		{ S(""), S("10.0.0.9"), true, true },
	};

	rows[0].by = STICKY_HEADER;
	rows[0].to_new.at = (Str[]){ S("yes") };
	rows[0].to_new.count = 1;
	rows[0].to_old.at = (Str[]){ S("no") };
	rows[0].to_old.count = 1;
	rows[1].by = STICKY_ADDRESS;
	rows[1].to_new.at = (Str[]){ S("10.0.0.9") };
	rows[1].to_new.count = 1;
	conf.overrides.at = rows;
	conf.overrides.count = 2;
	for (size_t i = 0; i < COUNT(cases); i++) {
		Headers headers = headers_of(a, "X-Canary", cases[i].canary);

		CHECK_INT(split_override(&conf, &user, &(SplitFrom){ &headers, cases[i].ip },
		                         &is_new),
		          cases[i].said);
		if (cases[i].said)
			CHECK_INT(is_new, cases[i].is_new);
	}
}
