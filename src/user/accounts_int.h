/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts from inside: what its parts share. */
#pragma once
#include "store/db.h"
#include "user/accounts.h"
#include "user/audit.h"
#include "user/limits.h"
#include "user/user_conf.h"
#include "user/user_store.h"

typedef struct Breached Breached;
typedef struct ProfileSchema ProfileSchema;

struct Accounts {
	const UserConf *conf;
	Db *db;
	PasswordPool *pool;
	Seal *seal;
	Breached *breached;          /* NULL: no list */
	const ProfileSchema *schema; /* NULL: any profile */
	bool development;
	bool other_keys; /* what is closed with them the service could not open: nothing is */
	const ServiceHome *home; /* whose answers are kept, perhaps; NULL: nobody's */
};

typedef struct AccountsSetup {
	const UserConf *conf;
	Db *db;
	bool development;
	const ServiceHome *home; /* may be NULL */
} AccountsSetup;
/* Lives as long as the arena. Starts the hash workers; in a fiber. */
Err *accounts_open(Arena *a, const AccountsSetup *setup, Accounts **out) MUST_USE;
void accounts_close(Accounts *accounts); /* NULL is fine */

Err *accounts_may_seal(const Accounts *accounts, Arena *a) MUST_USE; /* INVALID "user.keys" */

Err *accounts_decoys(Accounts *accounts) MUST_USE; /* looks anew what passwords there are like */

/* After a commit that changed an account: answers that are kept of it are forgotten. */
void accounts_forget(const Accounts *accounts, Arena *a, Uuid user);
Str account_cache_key(Arena *a, Uuid user); /* of such an answer */

/* A new account of checked parts: names free, row, event, line of the log. */
Err *account_insert(Db *tx, Arena *a, UserRecord *record, const Asker *asker) MUST_USE;
/* An authenticator that another system has confirmed. */
Err *totp_import(const Accounts *accounts, Db *tx, Arena *a, Uuid user, Str secret) MUST_USE;

/* --- what one can be called --------------------------------------------------------------------------------------------- */

/* How a login is looked for: as an address and as a name, in their forms to compare; empty: it cannot be one. `any`: never empty. */
typedef struct LoginForms {
	Str email, name, any;
} LoginForms;
LoginForms login_forms(Arena *a, Str login);

/* Checks what a person is called, fills the forms that are stored; adds to wrong. own: chosen by somebody who registers here, and
 * not given by another system. */
void names_read(Arena *a, const UserNames *given, bool own, UserNames *out, FieldMistakes *wrong);
/* Name, locale and profile in their stored form. */
void details_read(const Accounts *accounts, Arena *a, Str *name, Str *locale, Str *profile,
                  FieldMistakes *wrong);

/* As they are stored; adds to wrong under /roles. */
Str roles_checked(Arena *a, const Str *roles, size_t count, FieldMistakes *wrong);

/* --- telling ------------------------------------------------------------------------------------------------------------ */

/* An event of the user's, `data` a JSON object. */
Err *account_tell(Db *tx, Arena *a, const char *type, Uuid user, Str data, const Asker *asker)
	MUST_USE;
Err *account_hooks(Db *tx, Arena *a, const AccountNews *news) MUST_USE;

typedef struct Mail {
	const char *template; /* "registration" */
	Str to, name, locale;
	const char *purpose; /* of the code: what its link is for; NULL: there is no code */
	Str code;
	Uuid user; /* nil: nobody's */
} Mail;
/* user.mail_wanted, the code in it sealed. */
Err *account_mail(Accounts *accounts, Db *tx, Arena *a, const Mail *mail, const Asker *asker)
	MUST_USE;

/* After the commit: in development a line of the log says it too. */
void account_mailed(const Accounts *accounts, Arena *a, const Mail *mail);

/* --- codes of mails ------------------------------------------------------------------------------------------------------ */

typedef struct CodeDraft {
	const char *purpose; /* as the table has it; "none": nothing comes of it */
	Uuid user;           /* nil: none */
	Str email;
	Str proof; /* empty: none is asked for */
	Str data;  /* JSON; empty: {} */
	int64_t life_us;
} CodeDraft;
Err *code_put(Db *tx, Arena *a, const CodeDraft *draft, Str code) MUST_USE;
/* Counts a try at `what`. Fails with LIMITED "user.limited". */
Err *account_limit(const Accounts *accounts, Arena *a, const char *scope, Str what,
                   const Asker *asker) MUST_USE;

/* --- passwords ---------------------------------------------------------------------------------------------------------- */

/* A new one: may it be? Adds to wrong under `pointer`. Where nothing is wrong its stored form. Parks. */
Err *password_new(Accounts *accounts, Arena *a, Str password, const Str *own, size_t count,
                  Str pointer, FieldMistakes *wrong, Str *stored) MUST_USE;
/* In a transaction, of a held user: with its date, and its event. */
Err *password_set(Db *tx, Arena *a, Uuid user, Str stored, const Asker *asker) MUST_USE;
Str password_format_text(Arena *a, Str stored);

/* --- sessions ----------------------------------------------------------------------------------------------------------- */

typedef struct SessionDraft {
	Uuid user;
	int level;
	Str methods;
	const Asker *asker;
	/* filled by session_draft, outside of the transaction */
	Session session;
	Str token, hash;
} SessionDraft;
void session_draft(const Accounts *accounts, Arena *a, SessionDraft *draft);
Err *session_put(Db *tx, Arena *a, const SessionDraft *draft) MUST_USE;
Err *session_by_token(Db *db, Arena *a, Str token, Session **out)
	MUST_USE; /* NULL: none that lives */
/* Another token, level and proof. *risen false: somebody else did, or it has ended. */
Err *session_raise(const Accounts *accounts, Db *tx, Arena *a, Session *session, Str token_before,
                   int level, Str methods, Str token, bool *risen) MUST_USE;
Err *sessions_end_others(Db *tx, Arena *a, Uuid user, Uuid keep, int64_t *ended) MUST_USE;
