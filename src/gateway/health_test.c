/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/health.c"

#include "gateway/snapshot.h"
#include "unit.h"

static Snapshot *snapshot_of(const Snapshot *before, const char *keys)
{
	Arena *a = arena_new(0);
	Str text = str_fmt(
		a,
		"listen: [ 127.0.0.1:0 ]\naccess_log: off\nroutes: [ { name: all, to: u } ]\n"
		"upstreams: { u: { servers: [ 127.0.0.1:1, 127.0.0.1:2 ], %s } }\n",
		keys);
	GatewayConf *conf = NULL;
	ConfHold *hold;
	Snapshot *snap = NULL;

	CHECK_OK(gateway_conf_read(a, conf_new(a), S("test"), text, &conf));
	hold = conf_hold_new(a);
	CHECK_OK(snapshot_new(a, hold, conf, before, &snap));
	conf_hold_unref(hold);
	return snap;
}

static void end(Snapshot *snap, const Snapshot *after)
{
	snapshot_end(snap, after);
	snapshot_unref(snap);
}

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
	end(old, new);
	end(new, NULL);
	return NULL;
}

TEST(checks_of_an_old_configuration_take_nobody_out_for_ever)
{
	RtConf conf = { .loops = 2 };

	CHECK_OK(rt_run(&conf, play_reload, a));
}
