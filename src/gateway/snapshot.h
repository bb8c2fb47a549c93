/* SPDX-License-Identifier: Apache-2.0
 *
 * A configuration at work: immutable, counted by the servers (HttpServer) that go by it, so that a reload frees the old
 * one when its last request is over. Upstreams that did not change are shared with the one before. */
#pragma once
#include "gateway/route.h"
#include "gateway/upstream.h"
#include "http/server.h"
#include "http/url.h"

typedef struct Auth Auth;             /* auth.h */
typedef struct AuthPolicy AuthPolicy; /* auth.h */
typedef struct Rule Rule;             /* auth/rule.h */
typedef struct Fields Fields;         /* fields.h */
typedef struct Template Template;     /* template.h */
typedef struct Recorder Recorder;
typedef struct Reshape Reshape; /* reshape.h */

/* Where requests can go: an upstream of this configuration. */
typedef struct Target {
	Upstream *up;
	const UpstreamConf *conf;
	MetricCell bytes_in, bytes_out; /* of bodies */
} Target;

/* What a route needs beside its row. */
typedef struct RouteState {
	const Target *target;         /* NULL: the route has none */
	const Target *new_target;     /* the new side; NULL: the route has one */
	const AuthPolicy *auth;       /* NULL: anybody may come */
	const Rule *allow;            /* NULL: whoever may come */
	void *shift;                  /* the hooks' (hooks.h); NULL: nothing is moved */
	Str content;                  /* of `answer` */
	Str etag;                     /* of that */
	Str sendfile_dir;             /* of `sendfile`: its folder, links resolved */
	Str page;                     /* of `maintenance`, its HTML; empty: the one of errors */
	const Template *location;     /* of `redirect` */
	const Template *rewrite;      /* NULL: none */
	const Fields *request_fields; /* NULL: nothing is changed */
	const Fields *answer_fields;
	const Reshape *reshape; /* for the new side; NULL: it has the old one's form */
	MetricCell answers[6];  /* by class of status; [0]: none was sent */
	MetricCell seconds;
	MetricCell bytes_in, bytes_out; /* of bodies */
} RouteState;

typedef struct Snapshot {
	unsigned refs; /* atomic */
	ConfHold *hold;
	const GatewayConf *conf;
	Str text; /* the configuration in effect, secrets hidden */
	const RouteTable *routes;
	RouteState *states; /* by Route.index */
	Target *targets;    /* by index in conf->upstreams */
	Auth *auth;
	UrlRules paths;
	HttpLimits limits;
	Recorder *recorder; /* the process's; NULL: off */
	Str error_page;     /* the team's own HTML; empty: the built-in */
	MetricCell unrouted[6];
} Snapshot;

/* conf lies in `a`, which `hold` keeps; the snapshot has a reference to it. before: NULL, or the snapshot whose upstreams
 * may go on. Reads TLS files of upstreams: blocks. */
Err *snapshot_new(Arena *a, ConfHold *hold, const GatewayConf *conf, const Snapshot *before,
                  Snapshot **out) MUST_USE;
Snapshot *snapshot_ref(Snapshot *snap);
void snapshot_unref(Snapshot *snap); /* on any loop; NULL is fine */

/* Its upstreams are those in force, and their health checks are started; those of `before` that are not in it are stopped.
 * After an error, too, snapshot_end(snap, before) takes it back. On loop 0. */
Err *snapshot_begin(Snapshot *snap, const Snapshot *before) MUST_USE;
void snapshot_end(Snapshot *snap, const Snapshot *after); /* after: NULL at the end of all */

MetricList snapshot_metrics;
