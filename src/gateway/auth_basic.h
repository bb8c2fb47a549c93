/* SPDX-License-Identifier: Apache-2.0
 *
 * Basic: names and passwords of a file (RFC 7617). Counted, as it goes on over reloads that do not change it: verified logins
 * and wrong tries are not forgotten. */
#pragma once
#include "auth/proved.h"
#include "gateway/conf_auth.h"

typedef struct Basic Basic;
typedef struct ConfHold ConfHold;
typedef struct Passage Passage;

/* Blocks. Fails as file_read and htpasswd_read do. */
Err *basic_new(Arena *a, ConfHold *hold, const BasicConf *conf, Str policy, Basic **out) MUST_USE;
Basic *basic_ref(Basic *basic);
void basic_unref(Basic *basic); /* NULL is fine; on any loop */
const BasicConf *basic_conf(const Basic *basic);
Err *basic_look(Basic *basic, Arena *a) MUST_USE; /* at its file, now. Blocks. Fails as basic_new */
/* The threads that hash, and what looks after the file, which has a reference of its own. On loop 0, inside rt_run. Fails with IO
 * "auth.password_threads". */
Err *basic_start(Basic *basic) MUST_USE;
void basic_stop(Basic *basic);

typedef struct BasicTry {
	/* given */
	Arena *arena;
	Str text; /* after the word Basic */
	Str ip;   /* who tries */
	/* found */
	AuthId id;
	bool known; /* it had been verified before */
	const Json *claims;
	uint32_t retry_after_s; /* with "auth.tries" */
} BasicTry;
/* Parks. Fails with UNAUTHENTICATED "auth.login", LIMITED "auth.tries", BUSY "auth.password_busy", and as fiber_park does. */
Err *basic_check(Basic *basic, BasicTry *try) MUST_USE;

/* May others read a request's password on its way? Plain HTTP from elsewhere than this machine. (auth_login.c) */
bool basic_is_plain(const Basic *basic, const Passage *p);
