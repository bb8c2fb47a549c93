/* SPDX-License-Identifier: Apache-2.0
 *
 * Between fault_server.c (HTTP), fault_acts.c (what is done) and fault_strike.c (what goes wrong). */
#pragma once
#include "base/json.h"
#include "base/map.h"
#include "http/exchange.h"
#include "payment/fault_server.h"

struct FaultServer {
	Arena *lasting;
	FaultServerConf conf;
	Arena *script_arena;
	FaultScript *script;
	Map seen; /* keys that came: what a token asks for it gets once */
	struct Listener *listener;
	HttpServer *server;
	struct HttpListener *http;
};

/* One request. */
typedef struct FaultCall {
	FaultServer *s;
	Exchange *x;
	Arena *arena;
	Str id, query; /* of the path */
	const Json *in;
	FaultHit hit;
	unsigned status; /* of the answer */
	Buf body;
	JsonWriter w;
} FaultCall;

typedef Err *FaultHandler(FaultCall *c);

/* fault_acts.c */
FaultHandler fault_authorize, fault_capture, fault_void, fault_void_key, fault_refund;
FaultHandler fault_payment_get, fault_payment_find, fault_refund_get, fault_refund_find,
	fault_act_get;
void fault_confirm_later(FaultServer *s, FaultPayment *payment, int64_t us);
/* Those that a process before this one left pending. */
void fault_confirm_left(FaultServer *s);

/* fault_strike.c: what is to go wrong with this request, before and after `fn` did it and it is in the book. */
Err *fault_strike(FaultCall *c, FaultOn on, FaultHandler *fn) MUST_USE;

/* fault_server.c: an answer, { "code", "text" }. */
Err *fault_say(FaultCall *c, unsigned status, const char *code, const char *text) MUST_USE;
Str fault_text(const FaultCall *c, const char *member); /* of the body; empty: none */
int64_t fault_number(const FaultCall *c, const char *member);
Str fault_parameter(FaultCall *c, const char *name); /* of the query */
