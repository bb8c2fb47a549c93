/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ports.c"

#include "unit.h"

#include <unistd.h>

static Snapshot *snapshot_with(Str listen)
{
	Arena *a = arena_new(0);
	Str text =
		str_fmt(a,
	                "listen: [ %.*s ]\naccess_log: off\nroutes: [ { name: all, answer: x } ]\n",
	                STR_ARG(listen));
	GatewayConf *conf = NULL;
	ConfHold *hold;
	Snapshot *snap = NULL;

	CHECK_OK(gateway_conf_read(a, conf_new(a), S("test"), text, &conf));
	hold = conf_hold_new(a);
	CHECK_OK(snapshot_new(a, hold, conf, NULL, &snap));
	conf_hold_unref(hold);
	return snap;
}

/* As a reload does, and as nothing that waits does in between. */
static void serve_with(Arena *a, Ports *ports, Str listen)
{
	Snapshot *snap = snapshot_with(listen);
	TlsContext *tls[2] = { NULL, NULL };

	CHECK_OK(ports_open(ports, a, snap->conf));
	CHECK_OK(ports_serve(ports, a, snap, tls));
	snapshot_unref(snap);
}

static Err *play_changes(void *arg)
{
	Arena *a = arg;
	Ports *ports = ports_new(a, NULL);
	Str one = str_fmt(a, "\"unix:%s/one\"", unit_dir());
	Str both = str_fmt(a, "%.*s, \"unix:%s/two\"", STR_ARG(one), unit_dir());

	for (unsigned i = 0; i < 10; i++) {
		serve_with(a, ports, both);
		serve_with(a, ports, one);
	}
	CHECK_INT(access(str_z(a, str_fmt(a, "%s/one", unit_dir())), F_OK), 0);
	ports_close(ports);
	CHECK(list_empty(&ports->open) && list_empty(&ports->retiring));
	CHECK_INT(access(str_z(a, str_fmt(a, "%s/two", unit_dir())), F_OK), -1);
	return NULL;
}

TEST(ports_that_one_configuration_drops_the_next_may_have_at_once)
{
	RtConf conf = { .loops = 2 };

	CHECK_OK(rt_run(&conf, play_changes, a));
}
