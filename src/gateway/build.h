/* SPDX-License-Identifier: Apache-2.0
 *
 * A configuration from its file to something that could serve: read, checked, certificates and log opened. What blocks is
 * done on a worker; nothing is in force before the gateway says so. */
#pragma once
#include "gateway/gateway.h"
#include "gateway/snapshot.h"

enum { RECORDERS_MAX = 16 };

/* Every access log there was a configuration for, until the process ends. Changed by one build at a time. */
typedef struct Recorders {
	Recorder *at[RECORDERS_MAX];
	size_t count;
} Recorders;

typedef struct Build {
	const GatewayArgs *args;
	const Snapshot *before; /* NULL at the start */
	Recorders *recorders;
	Arena *arena; /* the hold's */
	ConfHold *hold;
	Conf *conf;
	GatewayConf *loaded;
	Snapshot *snap;
	TlsContext **tls; /* one a listener; NULL: plain */
	bool applied;     /* the snapshot is the gateway's */
} Build;

void build_begin(Build *b, const GatewayArgs *args, Recorders *recorders, const Snapshot *before);
/* Both block. The first reads the configuration; the second does it if nobody has, and all the rest. */
Err *build_load(Build *b) MUST_USE;
Err *build_make(Build *b) MUST_USE;
/* The servers have references of their own. */
void build_let_tls_go(Build *b);
/* The snapshot and its upstreams hold the arena as long as they need it; errors that live in it are gone. Fine twice. */
void build_end(Build *b);

/* To the log: what is wrong, or worth a look. */
void build_say_mistakes(const Build *b);
void build_say_warnings(const Build *b);
/* The outcome as one JSON object, for who asked: what is different from `before`, or what is wrong. */
void build_put_changes(const Build *b, Buf *out);
unsigned build_status(const Err *err); /* of HTTP, for what build_make failed with */
void build_put_mistakes(const Build *b, const Err *err, Buf *out);
