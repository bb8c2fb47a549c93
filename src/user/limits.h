/* SPDX-License-Identifier: Apache-2.0
 *
 * Throttles where every process sees them. What is tried is counted before it is known how it ends, and given back when it was
 * good. */
#pragma once
#include "store/db.h"
#include "user/user_conf.h"

enum { LIMITS = 4 };

typedef struct Limit {
	const char *scope;
	const ThrottleRule *rule;
	Str what; /* is kept as a hash only */
	bool own; /* of what is tried at, and not of where the try comes from */
} Limit;

typedef struct Limits {
	Limit at[LIMITS];
	size_t count;
} Limits;

/* Of a try from an address (empty: none is known) at something: `scope` and `what` name it, "login" and the account. */
Limits limits_of(Arena *a, const ThrottleConf *conf, Str address, const char *scope, Str what);
/* *wait_us: how long until it may be tried, then nothing was counted; 0: it may be now, and was. In a transaction of its own. */
Err *limits_take(Db *db, Arena *a, const Limits *limits, int64_t *wait_us) MUST_USE;
/* In a transaction: that try was good. What was tried at is as new. */
Err *limits_give(Db *tx, Arena *a, const Limits *limits) MUST_USE;
/* In a transaction of its own: that try was not looked at. */
Err *limits_return(Db *db, Arena *a, const Limits *limits) MUST_USE;

Str limit_network(
	Arena *a,
	Str address); /* "192.0.2.0/24", "2001:db8:1::/48"; the address itself when it is none; pure */
