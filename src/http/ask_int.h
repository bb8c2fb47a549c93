/* SPDX-License-Identifier: Apache-2.0
 *
 * Between ask.c, which talks, and ask_pool.c, which has the connections. */
#pragma once
#include "http/ask.h"
#include "http/client.h"
#include "obs/metric.h"
#include "rt/loop.h"

typedef struct AskLink AskLink; /* a connection, in use */
typedef struct AskLoop AskLoop;

enum { ASK_RESULTS = 8 };

struct AskClient {
	AskConf conf;    /* defaults filled in */
	Arena *arena;    /* of its texts */
	TlsContext *tls; /* atomic; made when it is first needed, unless conf names files */
	AskLoop **loops; /* by index, each its own loop's */
	unsigned loop_count;
	MetricCell results[ASK_RESULTS], seconds, opened, again;
};

typedef struct AskWish {
	Arena *arena;
	const AskUrl *url;
	Str via;
	bool fresh; /* none that was used before */
	bool safe;  /* it may be sent twice: then one that rested long will do */
} AskWish;

void ask_cells_take(AskClient *client); /* ask.c */
void ask_cells_free(AskClient *client);

/* A connection that may take a call now. Parks. Fails as dns, streams and tls do, "ask.private", "ask.protocol". */
Err *ask_link_take(AskClient *client, const AskWish *wish, AskLink **out) MUST_USE;
void ask_link_givep(AskLink **link); /* for AUTO: its call has ended; NULL is fine */
HttpConn *ask_link_conn(AskLink *link);
bool ask_link_reused(const AskLink *link); /* it had a call before this one */
const char *ask_link_address(const AskLink *link);
