/* SPDX-License-Identifier: Apache-2.0
 *
 * The fault provider's API, over HTTP. Every act has a `key`: the same key is the same act, whose answer is told again.
 *
 *   POST /payments {key, amount, currency, token, capture, subject, order, customer, off_session}   200, or 402 when declined
 *   POST /payments/ID/capture {key, amount}     POST /payments/ID/void {key}     POST /payments/ID/refunds {key, amount}
 *   POST /void {key, of}                        what key `of` has authorized is given back, or never will be: "sealed"
 *   GET /payments/ID   /payments?key=K   /refunds/ID   /refunds?key=K
 *   GET /book                                   everything, for judges
 *   GET, POST, DELETE /script                   what goes wrong: fault_script.h
 *   GET /act/ID                                 the customer confirms; /act/ID?no: or does not
 *   GET /healthz */
#pragma once
#include "payment/fault_script.h"
#include "payment/fault_tell.h"

typedef struct Addr Addr;
typedef struct FaultServer FaultServer;

typedef struct FaultServerConf {
	Str listen; /* "127.0.0.1:9100"; port 0: the kernel's choice */
	Str key; /* who asks must say "Bearer KEY"; empty: anybody. /book, /script, /act and /healthz are open */
	FaultBook *book;
	FaultTeller *teller;
	const Json *script; /* NULL: the book's, or none */
} FaultServerConf;

/* Parks. Lives in the arena; what conf points to outlives it. Fails as listener_open, fault_script_read. */
Err *fault_server_open(Arena *lasting, const FaultServerConf *conf, FaultServer **out) MUST_USE;
Str fault_server_address(const FaultServer *server, Arena *a); /* "127.0.0.1:41234" */
void fault_server_close(FaultServer *server);                  /* parks; NULL is fine */
