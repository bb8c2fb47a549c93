/* SPDX-License-Identifier: Apache-2.0
 *
 * Between proxy.c (where a request goes), attempt.c (servers, one after another), relay.c and deliver.c (what flows). All
 * park unless said otherwise. */
#pragma once
#include "gateway/passage.h"

typedef struct SpoolRules SpoolRules;

/* proxy.c: what goes upstream is what was routed by: as it came when that is canonical already, else the canonical form,
 * and what the route makes of it. Fails as template_expand does. Does not park. */
Err *proxy_target(const Passage *p, Str *out) MUST_USE;

/* relay.c: the request's body. Gather reads what of it is held before a server is chosen: all of it, unless it is to be
 * streamed or cannot be held. The time for the request (p->limit) begins after it. */
Err *relay_gather(Passage *p) MUST_USE;
void relay_frame(Passage *p);          /* how it goes upstream; does not park */
bool relay_is_small(const Passage *p); /* p->body is all of it */
/* What of it is not in p->body, held bytes first: an upload fiber's own. */
Err *relay_upload(void *passage) MUST_USE;
void relay_forget(Passage *p); /* what was held: it will not be sent again */

/* deliver.c: the answer. The final head, informational ones passed on; head_us: its time. */
Err *relay_receive(Passage *p, int64_t head_us) MUST_USE;
/* p->answer and its body, to the client. The call and the lease may have ended long before. */
Err *relay_answer(Passage *p) MUST_USE;

SpoolRules relay_rules(const Passage *p);
bool relay_is_live(Str content_type); /* never held: event streams, gRPC */
/* Adds to what was moved since others had their turn, and gives them one when that was much. */
Err *relay_took(size_t *turn, size_t bytes) MUST_USE;

/* What was made of the body, whole, in the request's arena: it is sent instead of what came. */
Err *relay_hold(Passage *p, Str body) MUST_USE;

/* proxy_reshape.c: requests to, and answers of, a side that has another form (p->reshape). The request's head and, when it
 * is to be changed, its body, read whole: to be called instead of relay_gather then (*gathered). Fails as
 * reshape_request does. */
Err *proxy_reshape_request(Passage *p, bool *gathered) MUST_USE;
/* Must the answer's body be read whole for it? Does not park. */
bool proxy_reshape_reads(const Passage *p);
/* Before that: makes p->answer's own what names the server's bytes. *body: where it goes, piece by piece. Both fail with
 * UPSTREAM "shift.reshape" when it is too large. Do not park. */
Err *proxy_reshape_begin(Passage *p, Buf **body) MUST_USE;
Err *proxy_reshape_took(Passage *p, Buf *body, Str piece) MUST_USE;
/* p->answer's headers and, when it was read, its body. Fails as reshape_answer does. */
Err *proxy_reshape_answer(Passage *p, Str *body) MUST_USE;

/* One server after another until one has answered and the client has it all. */
Err *attempts_run(Passage *p) MUST_USE;
