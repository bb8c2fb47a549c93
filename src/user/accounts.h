/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts: who the users are, how they prove it and for how long that holds. Everything else of this folder (pages, OpenID,
 * import, commands) goes through here.
 *
 *   Login *login;
 *   TRY(account_login(accounts, a, &(LoginTry){ .login = S("ann@shop.test"), .password = ..., .asker = ... }, &login));
 *   login->state: LOGIN_DONE | LOGIN_FACTOR (a code is due: account_login_code) | LOGIN_REFUSED | LOGIN_LIMITED
 *
 * All of it parks, but what is said to be pure. Errors are those of db.h and of password.h ("password.busy": the pool's
 * queue is full). What a client got wrong is an outcome and no error where anybody must be answered the same; else INVALID,
 * DENIED, NOT_FOUND or CONFLICT with a slug "user....".
 *
 * Whatever takes a Db runs in the transaction that is given. Whatever takes Accounts has one of its own, in which event and
 * line of the audit log are written too. */
#pragma once
#include "service/fields.h"
#include "user/user_domain.h"

typedef struct Accounts Accounts; /* of one process; any loop */
typedef struct Db Db;
typedef struct Seal Seal;
typedef struct ServiceHome ServiceHome;

Accounts *accounts_of(const ServiceHome *home); /* of the user service's */
Db *accounts_db(const Accounts *accounts);
const Seal *accounts_seal(
	const Accounts *
		accounts); /* for what must be read again: secrets of authenticators, signing keys */

/* --- users -------------------------------------------------------------------------------------------------------------- */

/* NULL: there is none. An erased one is found by its id only, and has nothing but that and its times. */
Err *account_by_id(Accounts *accounts, Arena *a, Uuid id, User **out) MUST_USE;
/* By e-mail address or username, as people type them. */
Err *account_by_login(Accounts *accounts, Arena *a, Str login, User **out) MUST_USE;
/* By any name in a path: "usr_018f...", the UUID alone, "shop:42". */
Err *account_by_name(Accounts *accounts, Arena *a, Str name, User **out) MUST_USE;
/* The id on the wire, "usr_018f..."; pure. False: it is none. */
Str account_id_text(Arena *a, Uuid id);
bool account_id_read(Str text, Uuid *out);

/* --- who asks ----------------------------------------------------------------------------------------------------------- */

typedef struct Asker {
	Str address; /* of the client, without port */
	Str agent;   /* User-Agent, cut to 200 bytes */
	Str actor; /* who it is, for the audit log: "usr_...", "token:NAME", "command"; empty: nobody yet */
	Str traceparent;   /* empty: none */
	int64_t *retry_us; /* where LIMITED "user.limited" says how long to wait; may be NULL */
} Asker;

/* --- sessions ----------------------------------------------------------------------------------------------------------- */

enum { SESSION_TOKEN = 43 }; /* bytes of a token: 256 random bits in base64url */

/* The session of a cookie's or header's token, with its user; *out NULL: there is none, it is over, or its user may not log in
 * any more. One of level 0 counts for account_login_code and for its end only. Marks it as used, now and then. */
Err *session_find(Accounts *accounts, Arena *a, Str token, Session **out, User **user) MUST_USE;
/* For who is logged in by another way than account_login; *token is in the arena and nowhere else. */
Err *session_begin(Accounts *accounts, Arena *a, Uuid user, int level, Str methods,
                   const Asker *asker, Session **out, Str *token) MUST_USE;
/* Log-out. False: there was none. */
Err *session_end(Accounts *accounts, Arena *a, Str token, const Asker *asker, bool *ended) MUST_USE;
Err *session_list(Accounts *accounts, Arena *a, Uuid user, Session **out, size_t *count) MUST_USE;
/* One of the user's, by its id; nil: all but `keep`, which may be nil too. *ended: how many. */
Err *session_revoke(Accounts *accounts, Arena *a, Uuid user, Uuid id, Uuid keep, const Asker *asker,
                    int64_t *ended) MUST_USE;
/* What a page sends beside the cookie with everything that changes something; pure. */
Str session_csrf(Arena *a, Str token);
bool session_csrf_is(Arena *a, Str token, Str csrf); /* takes the same time whatever it is */
Str session_id_text(Arena *a, Uuid id);
bool session_id_read(Str text, Uuid *out);

/* --- logging in --------------------------------------------------------------------------------------------------------- */

typedef enum LoginState { LOGIN_REFUSED, LOGIN_LIMITED, LOGIN_FACTOR, LOGIN_DONE } LoginState;

typedef struct LoginTry {
	Str login, password;
	const Asker *asker;
} LoginTry;

typedef struct Login {
	LoginState state;
	int64_t retry_us; /* LIMITED: after so long */
	User *user;       /* FACTOR, DONE */
	Session *session; /* FACTOR (level 0), DONE */
	Str token;        /* of the session */
} Login;

/* REFUSED whatever was wrong: no such user, another password, suspended, none set; with the same work. */
Err *account_login(Accounts *accounts, Arena *a, const LoginTry *try, Login **out) MUST_USE;
/* The code of an authenticator, or a recovery code, for a session of level 0 (then it rises: a new token) or for a step-up. */
Err *account_login_code(Accounts *accounts, Arena *a, Str token, Str code, const Asker *asker,
                        Login **out) MUST_USE;
/* The password again, of a session of level 1 or 2: proved_us is now, the token another. */
Err *account_prove(Accounts *accounts, Arena *a, Str token, Str password, const Asker *asker,
                   Login **out) MUST_USE;

/* --- coming in, and back in --------------------------------------------------------------------------------------------- */

typedef struct Registration {
	Str email, password;
	Str name, locale, profile; /* may be empty */
	const Asker *asker;
} Registration;

/* *proof is given whether or not the address is taken: who owns it is told by mail. What is wrong with the fields is added to
 * `wrong`; then nothing was done, and *proof is empty. Fails with LIMITED "user.limited". */
Err *account_register(Accounts *accounts, Arena *a, const Registration *r, FieldMistakes *wrong,
                      Str *proof) MUST_USE;
/* The code of the mail, and who may use it: the proof that account_register gave, or the password given then; for a changed
 * address, a session of the user's. *user NULL: the code or the proof is none, or no longer. */
typedef struct Verification {
	Str code, proof, password;
	Uuid session_user; /* nil: none */
	const Asker *asker;
} Verification;
Err *account_verify(Accounts *accounts, Arena *a, const Verification *v, User **user) MUST_USE;

/* A mail with a code, if there is such a user. Fails with LIMITED "user.limited". */
Err *account_recover(Accounts *accounts, Arena *a, Str login, const Asker *asker) MUST_USE;
/* A new password by such a code, or by that of an invitation; ends all sessions. *user NULL: the code is none, or no longer. */
Err *account_reset(Accounts *accounts, Arena *a, Str code, Str password, const Asker *asker,
                   FieldMistakes *wrong, User **user) MUST_USE;

/* --- what others hang on an account ------------------------------------------------------------------------------------- */

/* In the transaction in which sessions of a user end, or the user goes: tokens that came of them go too. */
typedef enum AccountEvent {
	ACCOUNT_SESSIONS_ENDED,
	ACCOUNT_PASSWORD_CHANGED,
	ACCOUNT_SUSPENDED,
	ACCOUNT_ERASED
} AccountEvent;
typedef struct AccountNews {
	AccountEvent event;
	Uuid user;
	Uuid session; /* SESSIONS_ENDED: this one; nil: all but `keep` */
	Uuid keep;    /* nil: none stays */
} AccountNews;
typedef Err *AccountHook(Db *tx, Arena *a, const AccountNews *news);
void accounts_hook(AccountHook *hook); /* at the program's start; at most 4 */

/* --- from elsewhere ----------------------------------------------------------------------------------------------------- */

typedef struct AccountDraft {
	Uuid id;                                              /* nil: a new one */
	UserStatus status;                                    /* USER_ERASED: none such */
	Str email, username, external, name, locale, profile; /* may be empty */
	bool email_verified;
	Str password; /* stored form, as password_format() knows it; empty: none */
	Str source;   /* of the password: "native", "shop"; policies of rehashing go by it */
	const Str *roles;
	size_t role_count;
	int64_t created_us;    /* 0: now */
	int64_t last_login_us; /* 0: not known */
	Str totp_secret;       /* its bytes; empty: none */
} AccountDraft;

/* A new account, with its event and line of the audit log, in a transaction that is not done here. Text is normalised and
 * checked, the password's policy is not asked. Fails with CONFLICT "user.email_taken", "user.username_taken", "user.external_taken"
 * (then the transaction can go on only from a savepoint), and adds to `wrong`: then *id is nil and nothing was done. Until the transaction
 * ends no other account can change (the audit log is one chain): a few hundred at a time. */
Err *account_put(Accounts *accounts, Db *tx, Arena *a, const AccountDraft *draft,
                 const Asker *asker, FieldMistakes *wrong, Uuid *id) MUST_USE;
