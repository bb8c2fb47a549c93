/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of accounts: what may become of one, which words are roles and scopes, when a session is over, what a password
 * must be. Nothing here knows of a database or a socket; nothing parks. */
#pragma once
#include "user/accounts.h"

/* --- statuses ------------------------------------------------------------------------------------------------------------ */

Str user_status_name(UserStatus status); /* "active" */
bool user_status_read(Str text, UserStatus *out);
/* invited -> active <-> suspended, and all of them -> erased; nothing comes after that. */
bool user_may_become(UserStatus from, UserStatus to);
bool user_may_log_in(UserStatus status);

/* --- words --------------------------------------------------------------------------------------------------------------- */

enum { ROLE_BYTES = 64, USER_ROLES = 32, NAME_CHARACTERS = 200, PROFILE_BYTES = 16 * 1024 };

bool role_is(Str text);     /* a-z, then a-z 0-9 . _ -, at most ROLE_BYTES */
bool locale_is(Str text);   /* the form of BCP 47: "de", "en-GB", "zh-Hant-TW" */
bool external_is(Str text); /* SOURCE:ID: "shop:42" */
/* Sorted, each once, with blanks between. What is wrong goes to `wrong` below `pointer`. */
Str roles_text(Arena *a, const Str *roles, size_t count, Str pointer, FieldMistakes *wrong);
const Str *roles_read(Arena *a, Str text, size_t *count);

/* Scopes of a token, with blanks between: is it one of them? "users:write" holds "users:read" too. */
bool scope_has(Str scopes, Str wanted);
bool scopes_known(Str scopes, Str *unknown); /* the first that is none */

/* --- sessions ------------------------------------------------------------------------------------------------------------ */

typedef struct SessionRule {
	int64_t idle_us;  /* without a request */
	int64_t most_us;  /* in all */
	int64_t half_us;  /* of one that waits for a second factor */
	int64_t fresh_us; /* what changes the account wants a secret given within that */
} SessionRule;

void session_dates(Session *s, const SessionRule *rule,
                   int64_t now_us); /* of a new one, by its level */
bool session_is_over(const Session *s, int64_t now_us);
/* Used: is it time to write that down? Then its dates have moved. */
bool session_touch(Session *s, const SessionRule *rule, int64_t now_us);
bool session_is_fresh(const Session *s, const SessionRule *rule, int64_t now_us);

/* --- passwords ----------------------------------------------------------------------------------------------------------- */

typedef struct PasswordRule {
	uint32_t least; /* characters */
	uint32_t most;  /* bytes */
} PasswordRule;

/* Length, and not what the account itself is called. (Whether everyone knows it is breached.h's.) */
void password_rule_check(const PasswordRule *rule, Str password, const Str *own, size_t count,
                         Str pointer, FieldMistakes *wrong);
