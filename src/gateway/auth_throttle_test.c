/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/auth_throttle.c"

#include "unit.h"

static void throttle_drop(AuthThrottle **throttle)
{
	auth_throttle_free(*throttle);
}

TEST(tries_come_back_one_by_one)
{
	AUTO(throttle_drop) AuthThrottle *t = auth_throttle_new(3, 10);

	for (int i = 0; i < 3; i++)
		CHECK_INT(auth_throttle_take(t, S("192.0.2.1"), 100), 0);
	CHECK_INT(auth_throttle_take(t, S("192.0.2.1"), 100), 10);
	CHECK_INT(auth_throttle_take(t, S("192.0.2.1"), 109), 1);
	CHECK_INT(auth_throttle_take(t, S("192.0.2.2"), 109), 0);
	CHECK_INT(auth_throttle_take(t, S("192.0.2.1"), 110), 0);
	CHECK_INT(auth_throttle_take(t, S("192.0.2.1"), 110), 10);
	auth_throttle_give(t, S("192.0.2.1"));
	CHECK_INT(auth_throttle_take(t, S("192.0.2.1"), 110), 0);
	for (int i = 0; i < 3; i++)
		CHECK_INT(auth_throttle_take(t, S("192.0.2.1"), 1000), 0);
	CHECK_INT(auth_throttle_take(t, S("192.0.2.1"), 1000), 10);
}

TEST(an_ipv6_network_is_one_address)
{
	AUTO(throttle_drop) AuthThrottle *t = auth_throttle_new(1, 10);

	CHECK_INT(auth_throttle_take(t, S("2001:db8::1"), 100), 0);
	CHECK_INT(auth_throttle_take(t, S("2001:db8::ffff:2"), 100), 10);
	CHECK_INT(auth_throttle_take(t, S("2001:db8:0:1::1"), 100), 0);
	CHECK_INT(auth_throttle_take(t, S("unix"), 100), 0);
	CHECK_INT(auth_throttle_take(t, S("unix"), 100), 10);
}

TEST(addresses_that_were_quiet_are_forgotten_and_no_limit_is_none)
{
	AUTO(throttle_drop) AuthThrottle *t = auth_throttle_new(1, 10);
	AUTO(throttle_drop) AuthThrottle *off = auth_throttle_new(0, 10);

	for (int i = 0; i <= ADDRESSES; i++)
		CHECK_INT(auth_throttle_take(t, str_fmt(a, "10.0.%d.%d", i / 256, i % 256), 100),
		          0);
	CHECK_INT(t->by_key.count, ADDRESSES);
	CHECK_INT(auth_throttle_take(t, S("10.0.0.0"), 100), 0);
	CHECK_INT(auth_throttle_take(t, S("10.0.9.9"), 100), 10);
	for (int i = 0; i < 100; i++)
		CHECK_INT(auth_throttle_take(off, S("10.0.0.0"), 100), 0);
}
