/* SPDX-License-Identifier: Apache-2.0 */
#include "user/limits.c"

#include "suite.h"

#include "events_lite.h"
#include "user_suite.h"

TEST(networks_are_what_one_owner_has)
{
	static const struct {
		Str address, network;
	} cases[] = {
		{ S("192.0.2.77"), S("192.0.2.0/24") },
		{ S("2001:db8:1:2::3"), S("2001:db8:1::/48") },
		{ S("::ffff:192.0.2.77"), S("192.0.2.0/24") },
		{ S("fe80::1"), S("fe80:0:0::/48") },
		{ S("unix"), S("unix") },
		{ S(""), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(limit_network(a, cases[i].address), cases[i].network);
}

static const ThrottleConf few = {
	.account = { .free = 2,
	             .forget_us = 3600 * US_PER_S,
	             .delay_us = 60 * US_PER_S,
	             .most_us = 60 * US_PER_S },
	.address = { .free = 4, .forget_us = 3600 * US_PER_S },
	.all = { .free = 100, .forget_us = 3600 * US_PER_S },
};

static Err *try(Db *db, Arena *a, Str address, const char *what, bool *may)
{
	Limits limits = limits_of(a, &few, address, "login", str_of(what));
	int64_t wait_us;

	TRY(limits_take(db, a, &limits, &wait_us));
	*may = wait_us == 0;
	return NULL;
}

SUITE_TEST(what_is_tried_at_and_where_it_comes_from_both_count)
{
	static const struct {
		Str address;
		const char *what;
		bool may;
	} tries[] = {
		{ S("192.0.2.1"), "ann", true },
		{ S("192.0.2.2"), "ann", true },
		{ S("192.0.2.3"), "ann", false }, /* two tries at ann */
		{ S("192.0.2.1"), "bob", true },
		{ S("192.0.2.1"), "cid", true },
		{ S("192.0.2.1"), "dan", true },
		{ S("192.0.2.1"), "eve", false }, /* four from there */
		{ S("192.0.2.3"), "eve", true },  /* the refused ones did not count */
	};
	bool may = false;

	for (size_t i = 0; i < COUNT(tries); i++) {
		NOTE("try %zu", i);
		TRY(try(db, a, tries[i].address, tries[i].what, &may));
		CHECK_INT(may, tries[i].may);
	}
	return NULL;
}

static Err *give_in(Db *tx, Arena *a, void *arg)
{
	return limits_give(tx, a, arg);
}

SUITE_TEST(a_good_try_is_given_back)
{
	Limits limits = limits_of(a, &few, S("192.0.2.1"), "login", S("ann"));
	int64_t wait_us;

	for (int i = 0; i < 20; i++) {
		TRY(limits_take(db, a, &limits, &wait_us));
		CHECK_INT(wait_us, 0);
		TRY(db_txn(db, a, DB_READ_COMMITTED, give_in, &limits));
	}
	return NULL;
}

SUITE_TEST(without_an_address_the_rest_counts)
{
	bool may = false;

	for (int i = 0; i < 3; i++)
		TRY(try(db, a, S(""), "ann", &may));
	CHECK(!may);
	return NULL;
}

SUITE_TEST(a_try_that_nobody_looked_at_is_as_if_it_had_not_been)
{
	Limits limits = limits_of(a, &few, S("192.0.2.1"), "login", S("ann"));
	int64_t wait_us;

	TRY(limits_take(db, a, &limits, &wait_us)); /* this one was */
	for (int i = 0; i < 5; i++) {
		TRY(limits_take(db, a, &limits, &wait_us));
		CHECK_INT(wait_us, 0);
		TRY(limits_return(db, a, &limits));
	}
	TRY(limits_take(db, a, &limits, &wait_us));
	CHECK_INT(wait_us, 0);
	TRY(limits_take(db, a, &limits, &wait_us));
	CHECK(wait_us > 0);
	return NULL;
}
