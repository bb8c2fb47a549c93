/* SPDX-License-Identifier: Apache-2.0
 *
 * Who a request is from, and on which side that user is.
 *
 * The draw is a function of the attempt's salt and the user, the same on every gateway and after every restart: a user who is
 * in at 1 % is in at 25 %. A new salt draws everybody anew. Nothing here locks, parks or allocates but for texts. */
#pragma once
#include "gateway/conf_shift.h"
#include "gateway/identity.h"
#include "http/message.h"

enum { SPLIT_COOKIE_BYTES = 48 };

typedef struct SplitKey {
	uint64_t of[2]; /* shared by all gateways: signs the cookie */
} SplitKey;

/* `sticky` taken apart; made at configuration time. */
typedef struct SplitBy {
	uint8_t by; /* StickyBy */
	Str name;
} SplitBy;
typedef struct SplitRules {
	CONF_LIST_OF(SplitBy) by;
	Str cookie; /* the name of ours */
	bool ours;  /* `auto` is among them */
} SplitRules;
SplitRules split_rules(Arena *a, const ShiftConf *conf, Str cookie);

typedef struct SplitUser {
	uint64_t hash; /* 0: nobody knows */
	uint8_t by;    /* StickyBy, when known */
	Str id;        /* as it was given; of the cookie of ours its id */
	bool stranger; /* `auto` is asked for, and it carries no valid cookie of ours */
} SplitUser;
/* What of a request it is told by. */
typedef struct SplitFrom {
	const Headers *headers;
	Str client_ip;
	const Identity *identity; /* NULL: nobody is known */
	Arena *arena;             /* for claims */
} SplitFrom;
/* The first of the rules that the request has. */
SplitUser split_user(const SplitRules *rules, const SplitKey *key, const SplitFrom *from);

/* The user of this id, as `sticky` would hash it: for overrides and tests. */
uint64_t split_hash(StickyBy by, Str id);
bool split_is_in(uint64_t salt, uint64_t user, uint32_t share_ppm); /* on the new side */

/* new or old by an override; false: none of them says anything. */
bool split_override(const ShiftConf *conf, const SplitUser *user, const SplitFrom *from,
                    bool *is_new);

/* A new cookie of ours, as the value of Set-Cookie. */
Str split_cookie(Arena *a, const SplitRules *rules, const SplitKey *key, bool secure);
