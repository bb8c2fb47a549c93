/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/outlier.c"

#include "base/arena.h"
#include "snapshots.h"
#include "unit.h"

TEST(a_share_may_be_ejected_but_one_and_never_the_last)
{
	static const struct {
		size_t servers, ejected, others;
		uint32_t share_ppm;
		bool may;
	} cases[] = {
		{ 1, 0, 0, 100000, false }, /* the only one */
		{ 2, 0, 1, 100000, true },  /* a tenth of two is none, but one */
		{ 2, 1, 0, 100000, false },   { 2, 0, 0, 100000, false }, /* the other is down */
		{ 19, 1, 17, 100000, false }, { 20, 1, 18, 100000, true },
		{ 20, 2, 17, 100000, false }, { 4, 2, 1, 1000000, true },
		{ 4, 3, 0, 1000000, false },  { 4, 0, 3, 0, true },
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("case %zu", i);
		CHECK_INT(may_eject(cases[i].servers, cases[i].ejected, cases[i].others,
		                    cases[i].share_ppm),
		          cases[i].may);
	}
}

TEST(each_ejection_is_longer_up_to_the_longest)
{
	OutlierConf conf = { .ejection_us = 30 * US_PER_S, .ejection_max_us = 100 * US_PER_S };

	(void)a;
	CHECK_INT(time_of(&conf, 1), 30 * US_PER_S);
	CHECK_INT(time_of(&conf, 3), 90 * US_PER_S);
	CHECK_INT(time_of(&conf, 4), 100 * US_PER_S);
	CHECK_INT(time_of(&conf, UINT32_MAX), 100 * US_PER_S);
	conf.ejection_max_us = INT64_MAX;
	CHECK_INT(time_of(&conf, UINT32_MAX), 30 * US_PER_S * (int64_t)UINT32_MAX);
}

/* Until its requests are over an old configuration lives on beside the new one. */
static Err *play_reload(void *arg)
{
	Snapshot *old = snapshot_of(NULL, "outlier: 1"), *new;
	Upstream *up = old->targets[0].up;

	(void)arg;
	CHECK_OK(snapshot_begin(old, NULL));
	outlier_bad(up, 0, S("test"));
	CHECK(is_ejected(up->servers[0].server));
	new = snapshot_of(old, "outlier: 0");
	CHECK(new->targets[0].up->servers[0].server == up->servers[0].server);
	CHECK_OK(snapshot_begin(new, old));
	CHECK(!is_ejected(up->servers[0].server));
	outlier_bad(up, 0, S("test"));
	CHECK(!is_ejected(up->servers[0].server));
	snapshot_over(old, new);
	snapshot_over(new, NULL);
	return NULL;
}

TEST(requests_of_an_old_configuration_eject_nobody_for_ever)
{
	RtConf conf = { .loops = 2 };

	(void)a;
	CHECK_OK(rt_run(&conf, play_reload, NULL));
}
