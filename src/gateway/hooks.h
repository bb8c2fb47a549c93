/* SPDX-License-Identifier: Apache-2.0
 *
 * Hooks: what a feature above the gateway does with its requests. main fills the table and hands it over before anything
 * runs; the gateway works the same without. Nothing is asked for a route whose RouteState.shift is NULL. */
#pragma once
#include "gateway/passage.h"

typedef struct GatewayHooks {
	/* A configuration may be in force soon: fills states[].shift, which must outlive the snapshot, and gets ready for it. An
	 * error keeps it from that, as other things may: nothing but the snapshot goes by it yet. On loop 0; parks. */
	Err *(*begin)(Arena *a, Snapshot *snap);
	/* It is in force with the next request, or again after one that was not to be. Cannot fail. On loop 0; may park. */
	void (*take)(Snapshot *snap);
	/* As gateway_waiting (waiting.h). */
	size_t (*waiting)(const GatewayConf *conf, Str out[]);
	/* The process has served its last request. On loop 0; parks. */
	void (*end)(void);
	/* Which side serves: may set p->target, p->times and p->shift. Does not park. */
	void (*choose)(Passage *p);
	/* The request is about to be sent: p->head, and p->body when relay_is_small. May set p->target and p->times to another
	 * side. An error is the client's answer, and nobody gets the request. Parks. */
	Err *(*ready)(Passage *p);
	/* No server got a byte of the request, and err says why: may set p->target and p->times to another side. True: it did,
	 * and the request is sent there. Does not park. */
	bool (*rescue)(Passage *p, const Err *err);
	/* An upstream's answer is about to be given: may change the headers. Does not park. */
	void (*answer)(Passage *p, Headers *headers);
	/* A piece of that answer's body, on its way. Does not park. */
	void (*piece)(Passage *p, Str piece);
	/* The request is over, p->err said why when it failed. Does not park. */
	void (*done)(Passage *p, const Err *err);
} GatewayHooks;

/* Once, before gateway_run; borrowed. */
void gateway_hook(const GatewayHooks *hooks);
const GatewayHooks *gateway_hooks(void) RETURNS_NONNULL;
