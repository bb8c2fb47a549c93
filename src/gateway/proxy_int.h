/* SPDX-License-Identifier: Apache-2.0
 *
 * Between proxy.c (where a request goes), attempt.c (servers, one after another) and relay.c (what flows). All park. */
#pragma once
#include "gateway/passage.h"

/* Reads what of the request's body is to be held before a server is chosen. */
Err *relay_gather(Passage *p) MUST_USE;
void relay_frame(Passage *p);              /* how it goes upstream; does not park */
Err *relay_upload(void *passage) MUST_USE; /* the rest of it: an upload fiber's own */
/* The final head of an answer, informational ones passed on; head_us: its time. */
Err *relay_receive(Passage *p, int64_t head_us) MUST_USE;
Err *relay_answer(Passage *p) MUST_USE; /* p->answer and its body, to the client */

/* One server after another until one has answered and the client has it all. */
Err *attempts_run(Passage *p) MUST_USE;
