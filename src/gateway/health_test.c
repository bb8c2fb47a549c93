/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/health.c"

#include "snapshots.h"
#include "unit.h"

/* A check may come back while a reload waits for other loops: after the new one is in force, before the old one is ended. */
static Err *play_reload(void *arg)
{
	static const Err failed = ERR_STATIC(UPSTREAM, "test", "test");
	Snapshot *old = snapshot_of(NULL, "health: { path: /, interval: 1h, fall: 1 }"), *new;
	Upstream *up = old->targets[0].up;
	Server *server = up->servers[0].server;

	CHECK_OK(snapshot_begin(old, NULL));
	count(&up->checkers[0], &failed, 0, arg);
	CHECK_INT(server->health, BALANCE_DOWN);
	new = snapshot_of(old, "queue: 1");
	CHECK(new->targets[0].up->servers[0].server == server);
	CHECK_OK(snapshot_begin(new, old));
	CHECK_INT(server->health, BALANCE_UP);
	count(&up->checkers[0], &failed, 0, arg);
	CHECK_INT(server->health, BALANCE_UP);
	snapshot_over(old, new);
	snapshot_over(new, NULL);
	return NULL;
}

TEST(checks_of_an_old_configuration_take_nobody_out_for_ever)
{
	RtConf conf = { .loops = 2 };

	CHECK_OK(rt_run(&conf, play_reload, a));
}
