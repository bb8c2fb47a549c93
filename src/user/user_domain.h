/* SPDX-License-Identifier: Apache-2.0
 *
 * What accounts and sessions are, and their rules: what may become of one, which words are roles and scopes, when a session is
 * over, what a password must be. Nothing here knows of a database or a socket; nothing parks. */
#pragma once
#include "base/uuid.h"

/* --- accounts ------------------------------------------------------------------------------------------------------------ */

typedef enum UserStatus { USER_INVITED, USER_ACTIVE, USER_SUSPENDED, USER_ERASED } UserStatus;

typedef struct User {
	Uuid id;
	UserStatus status;
	Str email; /* as it was written; empty: none */
	bool email_verified;
	Str username;     /* empty: none */
	Str external;     /* "shop:42": what another system calls the account; empty: none */
	Str name;         /* as it is shown; may be empty */
	Str locale;       /* "de", "en-GB"; may be empty */
	Str profile;      /* custom fields, a JSON object */
	const Str *roles; /* sorted */
	size_t role_count;
	int64_t version; /* rises with every change: the ETag */
	int64_t created_us, updated_us;
	int64_t login_us;    /* of the last login; 0: none */
	int64_t password_us; /* when the password was set; 0: there is none */
	bool totp;           /* a second factor is confirmed */
} User;

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
/* Sorted, each once, with blanks between. */
Str roles_text(Arena *a, const Str *roles, size_t count);
const Str *roles_read(Arena *a, Str text, size_t *count);

bool scopes_known(
	Str scopes,
	Str *unknown); /* of a token, with blanks between; unknown: the first that is none */

/* --- sessions ------------------------------------------------------------------------------------------------------------ */

/* How far somebody has come: 0 the password was right and a code is due, 1 one factor, 2 two of them. */
typedef struct Session {
	Uuid id; /* "ses_..." on the wire; stays when the token changes */
	Uuid user;
	int level;
	Str methods;        /* RFC 8176, blanks between: "pwd", "pwd otp" */
	Str address, agent; /* of who began it */
	int64_t created_us;
	int64_t proved_us; /* when a secret was given last: auth_time */
	int64_t used_us;
	int64_t idle_until_us, until_us;
} Session;

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

/* NULL: it may be; else "too_short", "too_long", or "own_name": it is what the account itself is called. (Whether everyone knows
 * it is breached.h's.) */
const char *password_fault(const PasswordRule *rule, Str password, const Str *own, size_t count);
