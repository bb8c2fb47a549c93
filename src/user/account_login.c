/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in: identified -> password right -> (second factor due ->) logged in.
 *
 * Whoever is asked about, known or not, suspended or without a password, the same is done: one look for the account, one round of
 * throttles, one hash, one transaction with one line of the audit log; and the same is answered. What nobody's password is hashed
 * against costs what somebody's does (password_verify_nobody). tests/plays/test_user.py counts and compares.
 *
 * Between the hash and the transaction anything may have happened to the account, so the transaction holds its row and looks
 * again: is it still active, is this still its stored password? Otherwise a password that was changed to shut somebody out could
 * let them in once more. */
#include "user/accounts_int.h"

#include "auth/seal.h"
#include "auth/totp.h"
#include "base/arena.h"
#include "base/time.h"
#include "user/secret.h"
#include "user/totps.h"

#include "user_sql.h"

#define SCOPE_LOGIN "login"
#define SCOPE_CODE "code"

/* --- a password --------------------------------------------------------------------------------------------------------- */

typedef struct Passing {
	Accounts *accounts;
	const Asker *asker;
	const Limits *limits;
	Uuid user;
	Str verified; /* the stored password that matched */
	Str fresh;    /* to be stored in its place; empty: it stays */
	SessionDraft draft;
	bool refused; /* it is not so any more */
	User *found;
} Passing;

static bool may_rehash(const UserConf *conf, Str source)
{
	for (size_t i = 0; i < conf->rehash.count; i++)
		if (str_eq(conf->rehash.at[i], source))
			return true;
	return false;
}

/* Is it still this account's password, and may it log in? Holds its row. */
static Err *still_right(Db *tx, Arena *a, Uuid user, Str verified, bool *right)
{
	PasswordOfRow *row;
	UserHold hold;
	Err *err = user_hold(tx, a, user, &hold);

	*right = false;
	if (err_is(err, "user.unknown"))
		return NULL;
	TRY(err);
	TRY(db_one(tx, a, password_of, &row, .user_id = user));
	*right = user_may_log_in(hold.status) && row && str_eq(row->stored, verified);
	return NULL;
}

static Err *pass(Db *tx, Arena *a, void *arg)
{
	Passing *p = arg;
	bool right;
	int64_t now_us = time_utc_us();

	TRY(still_right(tx, a, p->user, p->verified, &right));
	p->refused = !right;
	if (!right)
		return audit_put(tx, a, p->asker,
		                 &(AuditLine){ .action = "login.failed", .user = p->user });
	TRY(user_by_id(tx, a, p->user, &p->found));
	p->draft.session.level = p->found->totp ? 0 : 1;
	session_dates(&p->draft.session, &p->accounts->conf->sessions, now_us);
	TRY(session_put(tx, a, &p->draft));
	TRY(db_exec(tx, a, user_logged_in, NULL, .id = p->user, .now = now_us));
	if (p->fresh.len)
		TRY(db_exec(tx, a, password_rehash, NULL, .user_id = p->user, .before = p->verified,
		            .stored = p->fresh, .format = password_format_text(a, p->fresh),
		            .now = now_us));
	TRY(limits_give(tx, a, p->limits));
	return audit_put(tx, a, p->asker,
	                 &(AuditLine){ .action = p->found->totp ? "login.password" : "login",
	                               .user = p->user });
}

static Err *passed(Accounts *accounts, Arena *a, Passing *p, Login *login)
{
	SessionDraft *draft = &p->draft;

	*draft = (SessionDraft){
		.user = p->user, .level = 1, .methods = S("pwd"), .asker = p->asker
	};
	session_draft(accounts, a, draft);
	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, pass, p));
	if (p->refused)
		return NULL;
	accounts_forget(accounts, a, p->user);
	login->state = draft->session.level ? LOGIN_DONE : LOGIN_FACTOR;
	login->user = p->found;
	login->session = &draft->session;
	login->token = draft->token;
	return NULL;
}

typedef struct Failing {
	const Asker *asker;
	const char *action;
	Uuid user;
} Failing;

static Err *fail(Db *tx, Arena *a, void *arg)
{
	const Failing *f = arg;

	return audit_put(tx, a, f->asker, &(AuditLine){ .action = f->action, .user = f->user });
}

static Err *failed(Accounts *accounts, Arena *a, const char *action, Uuid user, const Asker *asker)
{
	Failing f = { asker, action, user };

	return db_txn(accounts->db, a, DB_READ_COMMITTED, fail, &f);
}

/* One hash, whoever it is. A stored form that cannot be verified here is nobody's either; its import said so. */
static Err *verify(Accounts *accounts, Arena *a, const LoginOfRow *row, Str any, Str password,
                   PasswordOutcome *out)
{
	UserStatus status = USER_ERASED;
	Err *err;

	*out = (PasswordOutcome){ .match = false };
	if (password.len > PASSWORD_MAX_BYTES)
		password = str_sub(password, 0, PASSWORD_MAX_BYTES);
	if (row)
		user_status_read(row->status, &status);
	if (!row || !row->stored.set || !user_may_log_in(status))
		return password_verify_nobody(accounts->pool, a, any, password);
	err = password_verify(accounts->pool, a, row->stored.v, password, out);
	if (err_is(err, "auth.password_format"))
		return password_verify_nobody(accounts->pool, a, any, password);
	return err;
}

/* A try that nobody had the time to look at does not count. */
static Err *looked_at(Accounts *accounts, Arena *a, const Limits *limits, Err *err)
{
	if (err && err->kind == ERR_BUSY)
		TRY(limits_return(accounts->db, a, limits));
	return err;
}

/* Counted is what was typed, and not whose it is: two names that are counted together would be told to be of one account. Who has
 * been let in from this address before is counted by themselves there: otherwise whoever guesses at an account from elsewhere,
 * without a pause, would keep its owner out. */
static Str tried_at(Arena *a, const LoginOfRow *row, const LoginForms *forms, Str address)
{
	if (!row || !row->known || !address.len)
		return forms->any;
	return str_fmt(a, "%.*s %.*s", STR_ARG(forms->any), STR_ARG(address));
}

Err *account_login(Accounts *accounts, Arena *a, const LoginTry *try, Login **out)
{
	LoginForms forms = login_forms(a, try->login);
	Login *login = ARENA_NEW(a, Login);
	PasswordOutcome outcome;
	LoginOfRow *row;
	Limits limits;
	Passing *p;

	*out = login;
	TRY(db_one(accounts->db, a, login_of, &row, .email = forms.email, .name = forms.name,
	           .address = try->asker->address));
	limits = limits_of(a, &accounts->conf->throttle, try->asker->address, SCOPE_LOGIN,
	                   tried_at(a, row, &forms, try->asker->address));
	TRY(limits_take(accounts->db, a, &limits, &login->retry_us));
	if (login->retry_us) {
		login->state = LOGIN_LIMITED;
		return NULL;
	}
	TRY(looked_at(accounts, a, &limits,
	              verify(accounts, a, row, forms.any, try->password, &outcome)));
	if (!outcome.match)
		return failed(accounts, a, "login.failed", row ? row->id : (Uuid){ { 0 } },
		              try->asker);
	p = ARENA_NEW(a, Passing);
	*p = (Passing){ .accounts = accounts,
		        .asker = try->asker,
		        .limits = &limits,
		        .user = row->id,
		        .verified = row->stored.v };
	if (outcome.outdated && may_rehash(accounts->conf, row->source.v))
		TRY(password_make(accounts->pool, a, try->password, &p->fresh));
	return passed(accounts, a, p, login);
}

/* --- a code ------------------------------------------------------------------------------------------------------------- */

typedef struct Rising {
	Accounts *accounts;
	const Asker *asker;
	const Limits *limits;
	Session *session;
	Str before, token; /* of the session */
	int level;
	Str methods;
	const char *action, *failed_action;
	/* what was shown */
	Str verified; /* a stored password; empty: a code */
	TotpUse use;  /* of an authenticator, if used */
	Str code;     /* a recovery code's hash, if none */
	bool refused;
	User *found;
} Rising;

static Err *shown_is_right(Db *tx, Arena *a, Rising *r, bool *right)
{
	UserHold hold;
	int64_t changed = 0;

	if (r->verified.len)
		return still_right(tx, a, r->session->user, r->verified, right);
	TRY(user_hold(tx, a, r->session->user, &hold));
	if (r->use.matched)
		TRY(totp_take(tx, a, r->session->user, &r->use, right));
	else if (r->code.len) {
		TRY(db_exec(tx, a, recovery_code_use, &changed, .user_id = r->session->user,
		            .hash = r->code, .now = time_utc_us()));
		*right = changed == 1;
	}
	*right = *right && user_may_log_in(hold.status);
	return NULL;
}

static Err *rise(Db *tx, Arena *a, void *arg)
{
	Rising *r = arg;
	Session risen = *r->session;
	bool right = false;

	TRY(shown_is_right(tx, a, r, &right));
	if (right)
		TRY(session_raise(r->accounts, tx, a, &risen, r->before, r->level, r->methods,
		                  r->token, &right));
	r->refused = !right;
	if (right) {
		TRY(user_by_id(tx, a, r->session->user, &r->found));
		TRY(limits_give(tx, a, r->limits));
		*r->session = risen;
	}
	return audit_put(tx, a, r->asker,
	                 &(AuditLine){ .action = right ? r->action : r->failed_action,
	                               .user = r->session->user });
}

static Err *risen(Accounts *accounts, Arena *a, Rising *r, Login *login)
{
	Session before = *r->session;

	r->token = secret_token(a);
	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, rise, r));
	if (r->refused) {
		*r->session = before;
		return NULL;
	}
	login->state = LOGIN_DONE;
	login->user = r->found;
	login->session = r->session;
	login->token = r->token;
	return NULL;
}

/* Six to eight digits are of an authenticator, anything else is a recovery code. */
static bool is_digits(Str code)
{
	for (size_t i = 0; i < code.len; i++)
		if (code.at[i] != ' ' && (code.at[i] < '0' || code.at[i] > '9'))
			return false;
	return code.len > 0;
}

Err *account_login_code(Accounts *accounts, Arena *a, Str token, Str code, const Asker *asker,
                        Login **out)
{
	Rising *r = ARENA_NEW(a, Rising);
	Login *login = ARENA_NEW(a, Login);
	Limits limits;

	*out = login;
	*r = (Rising){ .accounts = accounts,
		       .asker = asker,
		       .before = token,
		       .level = 2,
		       .action = "login.code",
		       .failed_action = "login.code_failed" };
	TRY(session_by_token(accounts->db, a, token, &r->session));
	if (!r->session)
		return NULL;
	limits = limits_of(a, &accounts->conf->throttle, asker->address, SCOPE_CODE,
	                   uuid_text(a, r->session->user));
	r->limits = &limits;
	TRY(limits_take(accounts->db, a, &limits, &login->retry_us));
	if (login->retry_us) {
		login->state = LOGIN_LIMITED;
		return NULL;
	}
	if (is_digits(code)) {
		TRY(totp_match(accounts, a, r->session->user, code, &r->use));
		r->methods = S("pwd otp");
	} else {
		const Str parts[] = { uuid_text(a, r->session->user),
			              secret_recovery_norm(a, code) };

		r->code = secret_hash_of(a, parts, COUNT(parts));
		r->methods = S("pwd kba");
	}
	return risen(accounts, a, r, login);
}

/* --- the password again ------------------------------------------------------------------------------------------------- */

Err *account_prove(Accounts *accounts, Arena *a, Str token, Str password, const Asker *asker,
                   Login **out)
{
	Rising *r = ARENA_NEW(a, Rising);
	Login *login = ARENA_NEW(a, Login);
	PasswordOutcome outcome = { .match = false };
	PasswordOfRow *row;
	Limits limits;

	*out = login;
	*r = (Rising){ .accounts = accounts,
		       .asker = asker,
		       .before = token,
		       .action = "login.proved",
		       .failed_action = "login.prove_failed" };
	TRY(session_by_token(accounts->db, a, token, &r->session));
	if (!r->session || !r->session->level)
		return NULL;
	r->level = r->session->level;
	r->methods = r->session->methods;
	limits = limits_of(a, &accounts->conf->throttle, asker->address, SCOPE_LOGIN,
	                   uuid_text(a, r->session->user));
	r->limits = &limits;
	TRY(limits_take(accounts->db, a, &limits, &login->retry_us));
	if (login->retry_us) {
		login->state = LOGIN_LIMITED;
		return NULL;
	}
	TRY(db_one(accounts->db, a, password_of, &row, .user_id = r->session->user));
	if (row)
		TRY(looked_at(accounts, a, &limits,
		              password_verify(accounts->pool, a, row->stored, password, &outcome)));
	if (!outcome.match)
		return failed(accounts, a, r->failed_action, r->session->user, asker);
	r->verified = row->stored;
	return risen(accounts, a, r, login);
}
