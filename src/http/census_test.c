/* SPDX-License-Identifier: Apache-2.0 */
#include "http/census.c"

#include "base/arena.h"
#include "unit.h"

static Peer peer_at(Arena *a, const char *text)
{
	Addr addr;

	CHECK_OK(addr_parse(a, str_of(text), &addr));
	return peer_of(&addr);
}

TEST(the_total_is_never_above_its_limit)
{
	CHECK(census_enter(2));
	CHECK(census_enter(2));
	CHECK(!census_enter(2));
	CHECK(census_enter(0));
	CHECK_INT(census_stats().connections, 3);
	census_leave();
	CHECK(!census_enter(2));
	census_leave();
	CHECK(census_enter(2));
	CHECK_INT(census_stats().connections, 2);
}

TEST(what_is_one_address)
{
	static const struct {
		const char *first, *second;
		bool same;
	} cases[] = {
		{ "192.0.2.1:80", "192.0.2.1:81", true },
		{ "192.0.2.1:80", "192.0.2.2:80", false },
		{ "[2001:db8::1]:80", "[2001:db8::ffff:1]:80", true },
		{ "[2001:db8::1]:80", "[2001:db8:0:1::1]:80", false },
		{ "[::ffff:192.0.2.1]:80", "192.0.2.1:80", true },
		{ "[::]:80", "0.0.0.0:80", false },
		{ "unix:/a", "unix:/b", true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Peer first = peer_at(a, cases[i].first), second = peer_at(a, cases[i].second);

		CHECK(census_enter_address(&first, 1));
		CHECK_INT(census_enter_address(&second, 1), !cases[i].same);
		CHECK_INT(census_stats().addresses, cases[i].same ? 1 : 2);
		if (!cases[i].same)
			census_leave_address(&second);
		census_leave_address(&first);
		CHECK_INT(census_stats().addresses, 0);
	}
}

/* The tables beside a plain array of what they ought to hold. */
TEST(addresses_agree_with_a_model)
{
	enum { PEERS = 5000, STEPS = 200000, LIMIT = 3 };
	static uint8_t model[PEERS];
	uint64_t seed = 1;
	uint32_t there = 0;

	for (unsigned step = 0; step < STEPS; step++) {
		Peer peer = { .family = AF_INET };
		unsigned i;

		seed = seed * 6364136223846793005 + 1442695040888963407;
		i = (unsigned)(seed >> 33) % PEERS;
		memcpy(peer.ip, &i, sizeof i);
		if (seed >> 63 ||
		    (step > STEPS / 2 && seed >> 62)) { /* more leave than come in the end */
			if (!model[i])
				continue;
			census_leave_address(&peer);
			there -= !--model[i];
		} else {
			CHECK_INT(census_enter_address(&peer, LIMIT), model[i] < LIMIT);
			there += !model[i];
			model[i] = (uint8_t)MIN(model[i] + 1, LIMIT);
		}
	}
	CHECK_INT(census_stats().addresses, there);
	for (unsigned i = 0; i < PEERS; i++) {
		Peer peer = { .family = AF_INET };

		memcpy(peer.ip, &i, sizeof i);
		while (model[i]--)
			census_leave_address(&peer);
	}
	CHECK_INT(census_stats().addresses, 0);
	CHECK_INT(census_stats().most, 0);
}

static void *come_and_go(void *arg)
{
	unsigned *worst = arg;

	for (unsigned i = 0; i < 5000; i++) {
		Peer peer = { .family = AF_INET, .ip = { (uint8_t)i } };
		unsigned now;

		if (!census_enter(3))
			continue;
		now = census_stats().connections;
		if (now > __atomic_load_n(worst, __ATOMIC_RELAXED))
			__atomic_store_n(worst, now, __ATOMIC_RELAXED);
		if (i % 16 == 0 && census_enter_address(&peer, 1))
			census_leave_address(&peer);
		census_leave();
	}
	return NULL;
}

TEST(threads_agree)
{
	pthread_t threads[4];
	unsigned worst = 0;

	for (size_t i = 0; i < COUNT(threads); i++)
		CHECK_INT(pthread_create(&threads[i], NULL, come_and_go, &worst), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	CHECK(worst <= 3);
	CHECK_INT(census_stats().connections, 0);
	CHECK_INT(census_stats().addresses, 0);
}
