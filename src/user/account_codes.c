/* SPDX-License-Identifier: Apache-2.0
 *
 * Coming in and back in by mail: registration, verification, recovery.
 *
 * A registration is not an account yet. It waits as the code that was mailed, with the password's hash and what else was filled in;
 * the account is made when the code comes back, so nobody can occupy an address that is not theirs. And the code alone is not
 * enough: the owner of an address who clicks on a link they never asked for would otherwise open an account whose password a
 * stranger has chosen. So the code needs what only who registered has: the proof from the answer, or the password.
 *
 * Whether an address has an account is told to its owner by mail and to nobody else: the statements, the hash and the answer are
 * the same, a code that nothing comes of included. */
#include "user/account_change.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "user/secret.h"

#include "user_access_sql.h"
#include "user_sql.h"

Err *account_limit(const Accounts *accounts, Arena *a, const char *scope, Str what,
                   const Asker *asker)
{
	Limits limits = limits_of(a, &accounts->conf->throttle, asker->address, scope, what);
	int64_t wait_us;

	TRY(limits_take(accounts->db, a, &limits, &wait_us));
	if (!wait_us)
		return NULL;
	if (asker->retry_us)
		*asker->retry_us = wait_us;
	return err_new(a, ERR_LIMITED, "user.limited",
	               "this was tried too often: wait %" PRId64 " s", wait_us / US_PER_S + 1);
}

Err *code_put(Db *tx, Arena *a, const CodeDraft *d, Str code)
{
	int64_t now_us = time_utc_us();
	OptStr proof = { .set = d->proof.len > 0 };

	if (proof.set)
		proof.v = secret_hash(a, d->proof);
	return db_exec(tx, a, mail_code_add, NULL, .hash = secret_hash(a, code),
	               .purpose = str_of(d->purpose),
	               .user_id = { .set = !uuid_is_nil(d->user), .v = d->user }, .email = d->email,
	               .proof = proof, .data = d->data.len ? d->data : S("{}"),
	               .created_at = now_us, .until = now_us + d->life_us);
}

/* NULL: there is none, it was used, or it is too old. */
static Err *code_find(Db *db, Arena *a, Str code, MailCodeRow **out)
{
	MailCodeRow *row = NULL;

	*out = NULL;
	if (code.len == SESSION_TOKEN)
		TRY(db_one(db, a, mail_code_of, &row, .hash = secret_hash(a, code)));
	if (row && !row->used_at.set && row->until > time_utc_us() &&
	    !str_eq(row->purpose, S("none")))
		*out = row;
	return NULL;
}

static Err *code_use(Db *tx, Arena *a, const MailCodeRow *row, bool *used)
{
	int64_t changed = 0;

	TRY(db_exec(tx, a, mail_code_use, &changed, .hash = row->hash, .now = time_utc_us()));
	*used = changed == 1;
	return NULL;
}

/* --- registration ------------------------------------------------------------------------------------------------------- */

typedef struct Registering {
	Accounts *accounts;
	const Asker *asker;
	UserNames names;
	Str data, proof;
	Mail mail;
} Registering;

static Err *register_json(Arena *a, const Registration *r, Str stored, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_object(&w);
	json_put_str(&w, "password", stored);
	json_put_str(&w, "name", r->name);
	json_put_str(&w, "locale", r->locale);
	json_put_str(&w, "profile", r->profile);
	json_end(&w);
	TRY(json_done(&w, out));
	*out = str_dup(a, *out);
	return NULL;
}

static Err *register_in(Db *tx, Arena *a, void *arg)
{
	Registering *r = arg;
	CodeDraft code = { .purpose = "registration",
		           .email = r->names.email,
		           .proof = r->proof,
		           .data = r->data,
		           .life_us = r->accounts->conf->codes.registration_us };
	User *owner;

	TRY(user_by_email(tx, a, r->names.email_norm, &owner));
	r->mail.template = owner ? "registration_taken" : "registration";
	if (owner)
		code.purpose = "none";
	TRY(code_put(tx, a, &code, r->mail.code));
	TRY(account_mail(r->accounts, tx, a, &r->mail, r->asker));
	return audit_put(tx, a, r->asker, &(AuditLine){ .action = "registration.asked" });
}

Err *account_register(Accounts *accounts, Arena *a, const Registration *given, FieldMistakes *wrong,
                      Str *proof)
{
	Registration r = *given;
	UserNames typed = { .email = r.email };
	Registering in = { .accounts = accounts, .asker = r.asker };
	size_t before = wrong->count;
	Str stored;

	*proof = S("");
	names_read(a, &typed, true, &in.names, wrong);
	if (!r.email.len)
		field_mistake(wrong, S("/email"), "required", "an e-mail address is needed");
	details_read(accounts, a, &r.name, &r.locale, &r.profile, wrong);
	if (wrong->count == before)
		TRY(account_limit(accounts, a, "register", in.names.email_norm, r.asker));
	TRY(password_new(accounts, a, r.password,
	                 (const Str[]){ r.email, r.name, in.names.email_norm }, 3, S("/password"),
	                 wrong, &stored));
	if (wrong->count > before)
		return NULL;
	in.proof = secret_token(a);
	in.mail = (Mail){ .to = in.names.email,
		          .name = r.name,
		          .locale = r.locale,
		          .purpose = "registration",
		          .code = secret_token(a) };
	TRY(register_json(a, &r, stored, &in.data));
	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, register_in, &in));
	account_mailed(accounts, a, &in.mail);
	*proof = in.proof;
	return NULL;
}

/* --- verification ------------------------------------------------------------------------------------------------------- */

typedef struct Verifying {
	Accounts *accounts;
	const Asker *asker;
	const MailCodeRow *row;
	UserRecord record;
	UserNames names;
	Uuid user;
	bool done;
} Verifying;

static Err *verify_registration(Db *tx, Arena *a, void *arg)
{
	Verifying *v = arg;

	TRY(code_use(tx, a, v->row, &v->done));
	if (!v->done)
		return NULL;
	TRY(account_insert(tx, a, &v->record, v->asker));
	v->user = v->record.id;
	return NULL;
}

static Err *verify_email(Db *tx, Arena *a, void *arg)
{
	Verifying *v = arg;
	int64_t now_us = time_utc_us();
	UserHold hold;

	TRY(code_use(tx, a, v->row, &v->done));
	if (!v->done)
		return NULL;
	v->user = v->row->user_id.v;
	TRY(user_hold(tx, a, v->user, &hold));
	TRY(user_names_free(tx, a, &v->names));
	TRY(db_exec(tx, a, user_readdress, NULL, .id = v->user, .email = opt_str(v->names.email),
	            .email_norm = opt_str(v->names.email_norm), .verified_at = opt_int(now_us),
	            .now = now_us));
	TRY(db_exec(tx, a, mail_codes_void, NULL, .user_id = v->user, .now = now_us));
	TRY(account_tell(tx, a, "user.email_changed", v->user, S(""), v->asker));
	return audit_put(tx, a, v->asker,
	                 &(AuditLine){ .action = "email.changed", .user = v->user });
}

static Err *record_of(Arena *a, const Verifying *v, UserRecord *r)
{
	const Json *data;
	Str stored;

	TRY(json_read(a, v->row->data, 0, &data));
	TRY(json_need_str(a, data, "password", &stored));
	*r = (UserRecord){ .id = uuid_new(),
		           .status = USER_ACTIVE,
		           .names = v->names,
		           .email_verified = true,
		           .roles = S(""),
		           .now_us = time_utc_us(),
		           .stored = stored,
		           .source = S("native"),
		           .format = password_format_text(a, stored) };
	r->created_us = r->now_us;
	TRY(json_need_str(a, data, "name", &r->name));
	TRY(json_need_str(a, data, "locale", &r->locale));
	return json_need_str(a, data, "profile", &r->profile);
}

/* Is who brings the code who registered? */
static Err *proven(Verifying *v, Arena *a, const Verification *given, bool *yes)
{
	PasswordOutcome outcome = { .match = false };

	*yes = v->row->proof.set && given->proof.len == SESSION_TOKEN &&
	       secret_eq(secret_hash(a, given->proof), v->row->proof.v);
	if (*yes || !given->password.len)
		return NULL;
	TRY(account_limit(v->accounts, a, "verify", v->row->hash, given->asker));
	TRY(password_verify(v->accounts->pool, a, v->record.stored, given->password, &outcome));
	*yes = outcome.match;
	return NULL;
}

static Err *find_verification(Verifying *v, Arena *a, const Verification *given, DbTxnFn **fn)
{
	FieldMistakes wrong = { .arena = a };
	UserNames typed = { .email = v->row->email };
	bool yes = false;

	*fn = NULL;
	names_read(a, &typed, true, &v->names, &wrong);
	if (wrong.count)
		return NULL;
	if (str_eq(v->row->purpose, S("registration"))) {
		TRY(record_of(a, v, &v->record));
		TRY(proven(v, a, given, &yes));
		*fn = yes ? verify_registration : NULL;
	} else if (str_eq(v->row->purpose, S("email")) && v->row->user_id.set &&
	           uuid_eq(v->row->user_id.v, given->session_user)) {
		*fn = verify_email;
	}
	return NULL;
}

Err *account_verify(Accounts *accounts, Arena *a, const Verification *given, User **user)
{
	Verifying v = { .accounts = accounts, .asker = given->asker };
	MailCodeRow *row;
	DbTxnFn *fn;
	Err *err;

	*user = NULL;
	TRY(code_find(accounts->db, a, given->code, &row));
	if (!row)
		return NULL;
	v.row = row;
	TRY(find_verification(&v, a, given, &fn));
	if (!fn)
		return NULL;
	err = db_txn(accounts->db, a, DB_READ_COMMITTED, fn, &v);
	if (err && err->kind == ERR_CONFLICT) /* the address was taken meanwhile */
		return NULL;
	TRY(err);
	if (!v.done)
		return NULL;
	accounts_forget(accounts, a, v.user);
	return user_by_id(accounts->db, a, v.user, user);
}

/* --- recovery ----------------------------------------------------------------------------------------------------------- */

typedef struct Recovering {
	Accounts *accounts;
	const Asker *asker;
	const User *user; /* NULL: nobody, or nobody to write to */
	Mail mail;
	const char *purpose, *action;
	int64_t life_us;
} Recovering;

static Err *recover(Db *tx, Arena *a, void *arg)
{
	Recovering *r = arg;
	CodeDraft code = { .purpose = r->user ? r->purpose : "none",
		           .user = r->user ? r->user->id : (Uuid){ { 0 } },
		           .email = r->mail.to,
		           .life_us = r->life_us };

	TRY(code_put(tx, a, &code, r->mail.code));
	TRY(account_mail(r->accounts, tx, a, &r->mail, r->asker));
	return audit_put(tx, a, r->asker, &(AuditLine){ .action = r->action, .user = code.user });
}

static void mail_to(Recovering *r, Arena *a)
{
	const User *u = r->user;
	bool invited = u && u->status == USER_INVITED;

	r->purpose = invited ? "invitation" : "recovery";
	r->life_us = invited ? r->accounts->conf->codes.invitation_us
	                     : r->accounts->conf->codes.recovery_us;
	r->mail = (Mail){ .template = u ? r->purpose : "none",
		          .to = u ? u->email : S(""),
		          .name = u ? u->name : S(""),
		          .locale = u ? u->locale : S(""),
		          .purpose = r->purpose,
		          .code = secret_token(a) };
}

static bool may_recover(const User *user)
{
	return user && user->email.len &&
	       (user->status == USER_ACTIVE || user->status == USER_INVITED);
}

Err *account_recover(Accounts *accounts, Arena *a, Str login, const Asker *asker)
{
	Recovering r = { .accounts = accounts, .asker = asker, .action = "recovery.asked" };
	LoginForms forms = login_forms(a, login);
	User *user;

	TRY(user_by_login(accounts->db, a, forms.email, forms.name, &user));
	TRY(account_limit(accounts, a, "recover", forms.any, asker)); /* see tried_at */
	r.user = may_recover(user) ? user : NULL;
	mail_to(&r, a);
	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, recover, &r));
	account_mailed(accounts, a, &r.mail);
	return NULL;
}

Err *account_send_code(Accounts *accounts, Arena *a, const User *user, const Asker *asker,
                       Str *code)
{
	Recovering r = {
		.accounts = accounts, .asker = asker, .user = user, .action = "recovery.sent"
	};

	if (!may_recover(user))
		return err_new(a, ERR_CONFLICT, "user.no_address",
		               "the account has no e-mail address, or may not log in");
	mail_to(&r, a);
	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, recover, &r));
	account_mailed(accounts, a, &r.mail);
	*code = r.mail.code;
	return NULL;
}

/* --- a new password ----------------------------------------------------------------------------------------------------- */

typedef struct Resetting {
	Accounts *accounts;
	const Asker *asker;
	const MailCodeRow *row;
	Str stored;
	User *user;
	bool done;
} Resetting;

/* Does the code's mail have the address that the account has now? Of two mails at once, a recovery and a change of address, the
 * first may have gone to the old one after the change had made all codes useless. */
static Err *is_sent_there(Db *tx, Arena *a, const Resetting *r, bool *yes)
{
	LoginForms sent = login_forms(a, r->row->email), now;
	User *user;

	TRY(user_by_id(tx, a, r->row->user_id.v, &user));
	now = login_forms(a, user->email);
	*yes = now.email.len && str_eq(sent.email, now.email);
	return NULL;
}

/* The mail arrived, so the address is theirs. */
static Err *reset_address(Db *tx, Arena *a, const Resetting *r, UserHold hold)
{
	int64_t now_us = time_utc_us();
	Uuid id = r->row->user_id.v;

	if (hold.status == USER_INVITED)
		TRY(db_exec(tx, a, user_status_set, NULL, .id = id,
		            .status = user_status_name(USER_ACTIVE), .now = now_us));
	return db_exec(tx, a, user_email_verified, NULL, .id = id, .now = now_us);
}

static Err *reset(Db *tx, Arena *a, void *arg)
{
	Resetting *r = arg;
	Uuid id = r->row->user_id.v;
	UserHold hold;

	TRY(code_use(tx, a, r->row, &r->done));
	if (!r->done)
		return NULL;
	TRY(user_hold(tx, a, id, &hold));
	TRY(is_sent_there(tx, a, r, &r->done));
	r->done = r->done && (hold.status == USER_ACTIVE || hold.status == USER_INVITED);
	if (!r->done)
		return NULL;
	TRY(password_set(tx, a, id, r->stored, r->asker));
	TRY(reset_address(tx, a, r, hold));
	TRY(sessions_end_others(tx, a, id, (Uuid){ { 0 } }, NULL));
	TRY(db_exec(tx, a, mail_codes_void, NULL, .user_id = id, .now = time_utc_us()));
	TRY(account_hooks(tx, a, &(AccountNews){ .event = ACCOUNT_PASSWORD_CHANGED, .user = id }));
	return audit_put(tx, a, r->asker, &(AuditLine){ .action = "password.reset", .user = id });
}

Err *account_reset(Accounts *accounts, Arena *a, Str code, Str password, const Asker *asker,
                   FieldMistakes *wrong, User **user)
{
	Resetting r = { .accounts = accounts, .asker = asker };
	size_t before = wrong->count;
	MailCodeRow *row;
	User *owner;

	*user = NULL;
	TRY(account_limit(accounts, a, "reset", secret_hash(a, code), asker));
	TRY(code_find(accounts->db, a, code, &row));
	if (!row || !row->user_id.set ||
	    (!str_eq(row->purpose, S("recovery")) && !str_eq(row->purpose, S("invitation"))))
		return NULL;
	TRY(user_by_id(accounts->db, a, row->user_id.v, &owner));
	if (!owner)
		return NULL;
	r.row = row;
	TRY(password_new(accounts, a, password,
	                 (const Str[]){ owner->email, owner->username, owner->name }, 3,
	                 S("/password"), wrong, &r.stored));
	if (wrong->count > before)
		return NULL;
	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, reset, &r));
	if (!r.done)
		return NULL;
	accounts_forget(accounts, a, row->user_id.v);
	return user_by_id(accounts->db, a, row->user_id.v, user);
}
