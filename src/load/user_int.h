/* SPDX-License-Identifier: Apache-2.0
 *
 * Between user.c (what a user does next), talk.c (one request) and talk_ws.c (a WebSocket). */
#pragma once
#include "load/jar.h"
#include "load/run_int.h"

typedef struct User {
	Node node; /* RunLoop.users */
	LoadRun *run;
	RunLoop *l;
	UserKind kind;
	const JourneyConf *journey;
	uint32_t number, round;
	uint32_t entry; /* of a replay */
	int64_t due_us; /* of its next step */
	HttpConn *conn; /* its own, between two requests; NULL: none */
	uint32_t turn;
	Jar jar;
	Variables variables;
	Fiber *fiber;
	uint32_t rows[]; /* of each set of data */
} User;

/* One request of a step, with the redirects it follows; what came of it is recorded. Parks. An error only when the user
 * is cut. */
Err *talk_request(User *u, const Step *step) MUST_USE;
/* The same for a conversation over a WebSocket: opening it and each message are recorded. */
Err *talk_websocket(User *u, const Step *step) MUST_USE;
void talk_end(User *u); /* its connection is closed */

/* What a name in a text stands for, to this user: a TextLookup with the User as its argument. */
bool user_look_up(void *user, Str name, Buf *out);
Str user_fill(User *u, Arena *a, const Text *text);
LoadFailure talk_failure_of(const Err *err, bool sent);
