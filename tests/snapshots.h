/* SPDX-License-Identifier: Apache-2.0
 *
 * Configurations that follow one another, for a unit test: one upstream of two servers, with keys of the test's own. On a
 * loop. */
#pragma once
#include "gateway/snapshot.h"
#include "unit.h"

static inline Snapshot *snapshot_of(const Snapshot *before, const char *keys)
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

static inline void snapshot_over(Snapshot *snap, const Snapshot *after)
{
	snapshot_end(snap, after);
	snapshot_unref(snap);
}
