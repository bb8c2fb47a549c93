/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of an account: what it is called, what it may, whether it may log in, and its end.
 *
 * Erasing leaves the row with its id and its times (a tombstone): orders and comments of others go on pointing to something, and
 * the id is never given again. Everything that says who it was goes in the same transaction, with sessions, secrets and codes.
 * The audit log stays, for it never had a name in it. */
#include "user/account_change.h"

#include "base/arena.h"
#include "base/time.h"
#include "user/secret.h"

#include "user_access_sql.h"
#include "user_session_sql.h"
#include "user_sql.h"

/* --- details ------------------------------------------------------------------------------------------------------------ */

static Err *rename_user(Db *tx, Arena *a, Uuid id, const AccountChange *c, FieldMistakes *wrong)
{
	UserNames given = { .username = c->username }, names;
	size_t before = wrong->count;
	User *user;

	names_read(a, &given, true, &names, wrong);
	if (wrong->count > before)
		return NULL;
	TRY(user_by_id(tx, a, id, &user));
	if (user && str_eq(user->username, names.username))
		return NULL;
	/* Its own name in other letters is not taken by itself. */
	TRY(db_exec(tx, a, user_rename, NULL, .id = id, .now = time_utc_us()));
	TRY(user_names_free(tx, a, &names));
	return db_exec(tx, a, user_rename, NULL, .id = id,
	               .username = { names.username.len > 0, names.username },
	               .username_norm = { names.username.len > 0, names.username_norm },
	               .username_looks = { names.username.len > 0, names.username_looks },
	               .now = time_utc_us());
}

static void merge(Arena *a, const User *user, const AccountChange *c, AccountChange *whole,
                  FieldMistakes *wrong)
{
	*whole = *c;
	if (!c->has_name)
		whole->name = user->name;
	if (!c->has_locale)
		whole->locale = user->locale;
	if (!c->has_profile)
		whole->profile = user->profile;
	if (!c->has_roles) {
		whole->roles = user->roles;
		whole->role_count = user->role_count;
	}
	whole->roles_text = roles_checked(a, whole->roles, whole->role_count, wrong);
}

static Str roles_detail(Arena *a, bool changed, Str roles)
{
	return changed ? str_fmt(a, "{\"roles\":\"%.*s\"}", STR_ARG(roles)) : S("{}");
}

Err *account_change(const Accounts *accounts, Db *tx, Arena *a, Uuid id, const AccountChange *c,
                    const Asker *asker, FieldMistakes *wrong)
{
	size_t before = wrong->count;
	AccountChange whole;
	UserHold hold;
	User *user;

	TRY(user_hold(tx, a, id, &hold));
	TRY(user_by_id(tx, a, id, &user));
	merge(a, user, c, &whole, wrong);
	details_read(accounts, a, c->has_name ? &whole.name : &(Str){ 0 },
	             c->has_locale ? &whole.locale : &(Str){ 0 },
	             c->has_profile ? &whole.profile : &(Str){ 0 }, wrong);
	if (c->has_username)
		TRY(rename_user(tx, a, id, c, wrong));
	if (wrong->count > before)
		return NULL;
	TRY(db_exec(tx, a, user_change, NULL, .id = id, .name = whole.name, .locale = whole.locale,
	            .profile = whole.profile.len ? whole.profile : S("{}"),
	            .roles = whole.roles_text, .now = time_utc_us()));
	TRY(account_tell(tx, a, "user.updated", id, S(""), asker));
	return audit_put(tx, a, asker,
	                 &(AuditLine){ .action =
	                                       c->has_roles ? "user.roles_changed" : "user.updated",
	                               .user = id,
	                               .detail = roles_detail(a, c->has_roles, whole.roles_text) });
}

/* --- status ------------------------------------------------------------------------------------------------------------- */

Err *account_status(Db *tx, Arena *a, Uuid id, UserStatus to, const Asker *asker)
{
	bool suspend = to == USER_SUSPENDED;
	UserHold hold;

	TRY(user_hold(tx, a, id, &hold));
	if (hold.status == to)
		return NULL;
	if (!user_may_become(hold.status, to))
		return err_new(a, ERR_CONFLICT, "user.status",
		               "an account that is %.*s cannot become %.*s",
		               STR_ARG(user_status_name(hold.status)),
		               STR_ARG(user_status_name(to)));
	TRY(db_exec(tx, a, user_status_set, NULL, .id = id, .status = user_status_name(to),
	            .now = time_utc_us()));
	if (suspend) {
		TRY(sessions_end_others(tx, a, id, (Uuid){ { 0 } }, NULL));
		TRY(db_exec(tx, a, mail_codes_void, NULL, .user_id = id, .now = time_utc_us()));
		TRY(account_hooks(tx, a, &(AccountNews){ .event = ACCOUNT_SUSPENDED, .user = id }));
	}
	TRY(account_tell(tx, a, suspend ? "user.suspended" : "user.activated", id, S(""), asker));
	return audit_put(tx, a, asker,
	                 &(AuditLine){ .action = suspend ? "user.suspended" : "user.activated",
	                               .user = id });
}

static Str erased_hash(Arena *a, Str external)
{
	const Str parts[] = { S("external"), external };

	return secret_hash_of(a, parts, COUNT(parts));
}

Err *account_was_erased(Db *tx, Arena *a, Str external, bool *erased)
{
	UserErasedRow *row = NULL;

	if (external.len)
		TRY(db_one(tx, a, user_erased, &row, .hash = erased_hash(a, external)));
	*erased = row != NULL;
	return NULL;
}

Err *account_erase(Db *tx, Arena *a, Uuid id, const Asker *asker)
{
	int64_t now_us = time_utc_us();
	DbBatch *batch = db_batch(a);
	UserHold hold;
	User *user;

	TRY(user_hold(tx, a, id, &hold));
	TRY(user_by_id(tx, a, id, &user));
	if (user->external.len)
		batch_exec(batch, user_erased_add, NULL, .hash = erased_hash(a, user->external),
		           .now = now_us);
	batch_exec(batch, password_remove, NULL, .user_id = id);
	batch_exec(batch, totp_remove, NULL, .user_id = id);
	batch_exec(batch, recovery_codes_remove, NULL, .user_id = id);
	batch_exec(batch, mail_codes_erase, NULL, .user_id = id);
	batch_exec(batch, sessions_erase, NULL, .user_id = id, .now = now_us);
	batch_exec(batch, user_erase, NULL, .id = id, .now = now_us);
	TRY(db_batch_run(tx, a, batch));
	TRY(account_hooks(tx, a, &(AccountNews){ .event = ACCOUNT_ERASED, .user = id }));
	TRY(account_tell(tx, a, "user.erased", id, S(""), asker));
	return audit_put(tx, a, asker, &(AuditLine){ .action = "user.erased", .user = id });
}

/* --- address ------------------------------------------------------------------------------------------------------------ */

typedef struct Readdressing {
	Accounts *accounts;
	const User *user;
	const Asker *asker;
	UserNames names;
	Mail mail, notice;
} Readdressing;

static Err *readdress(Db *tx, Arena *a, void *arg)
{
	Readdressing *r = arg;
	CodeDraft code = { .purpose = "email",
		           .user = r->user->id,
		           .email = r->names.email,
		           .life_us = r->accounts->conf->codes.email_us };
	UserHold hold;
	User *owner;

	TRY(user_hold(tx, a, r->user->id, &hold));
	TRY(user_by_email(tx, a, r->names.email_norm, &owner));
	if (owner && !uuid_eq(owner->id, r->user->id))
		code.purpose = "none";
	r->mail.template = str_eq(str_of(code.purpose), S("none")) ? "email_taken" : "email";
	TRY(code_put(tx, a, &code, r->mail.code));
	TRY(account_mail(r->accounts, tx, a, &r->mail, r->asker));
	TRY(account_mail(r->accounts, tx, a, &r->notice, r->asker));
	return audit_put(tx, a, r->asker,
	                 &(AuditLine){ .action = "email.asked", .user = r->user->id });
}

Err *account_email(Accounts *accounts, Arena *a, const User *user, Str email, const Asker *asker,
                   FieldMistakes *wrong)
{
	Readdressing r = { .accounts = accounts, .user = user, .asker = asker };
	UserNames typed = { .email = email };
	size_t before = wrong->count;

	names_read(a, &typed, true, &r.names, wrong);
	if (!email.len)
		field_mistake(wrong, S("/email"), "required", "an e-mail address is needed");
	if (wrong->count > before)
		return NULL;
	TRY(account_limit(accounts, a, "email", uuid_text(a, user->id), asker));
	r.mail = (Mail){ .to = r.names.email,
		         .name = user->name,
		         .locale = user->locale,
		         .purpose = "email",
		         .code = secret_token(a) };
	r.notice = (Mail){ .template = "email_asked",
		           .to = user->email,
		           .name = user->name,
		           .locale = user->locale };
	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, readdress, &r));
	account_mailed(accounts, a, &r.mail);
	return NULL;
}

/* --- password ----------------------------------------------------------------------------------------------------------- */

typedef struct Repassing {
	Accounts *accounts;
	const User *user;
	const Asker *asker;
	Str verified, stored;
	Session *session;
	Str before, token;
	bool done;
} Repassing;

static Err *repass(Db *tx, Arena *a, void *arg)
{
	Repassing *r = arg;
	Session risen = *r->session;
	PasswordOfRow *row;
	UserHold hold;
	Mail notice = { .template = "password_changed",
		        .to = r->user->email,
		        .name = r->user->name,
		        .locale = r->user->locale };

	TRY(user_hold(tx, a, r->user->id, &hold));
	TRY(db_one(tx, a, password_of, &row, .user_id = r->user->id));
	r->done = row && str_eq(row->stored, r->verified);
	if (r->done)
		TRY(session_raise(r->accounts, tx, a, &risen, r->before, risen.level, risen.methods,
		                  r->token, &r->done));
	if (!r->done)
		return NULL;
	TRY(password_set(tx, a, r->user->id, r->stored, r->asker));
	TRY(sessions_end_others(tx, a, r->user->id, r->session->id, NULL));
	TRY(db_exec(tx, a, mail_codes_void, NULL, .user_id = r->user->id, .now = time_utc_us()));
	TRY(account_hooks(tx, a,
	                  &(AccountNews){ .event = ACCOUNT_PASSWORD_CHANGED,
	                                  .user = r->user->id,
	                                  .keep = r->session->id }));
	TRY(account_mail(r->accounts, tx, a, &notice, r->asker));
	return audit_put(tx, a, r->asker,
	                 &(AuditLine){ .action = "password.changed", .user = r->user->id });
}

Err *account_password(Accounts *accounts, Arena *a, const PasswordChange *c, FieldMistakes *wrong,
                      Str *token)
{
	Repassing r = { .accounts = accounts,
		        .user = c->user,
		        .asker = c->asker,
		        .session = c->session,
		        .before = c->token };
	const User *u = c->user;
	PasswordOutcome outcome = { .match = false };
	size_t before = wrong->count;
	PasswordOfRow *row;

	*token = S("");
	TRY(account_limit(accounts, a, "login", uuid_text(a, u->id), c->asker));
	TRY(db_one(accounts->db, a, password_of, &row, .user_id = u->id));
	if (row)
		TRY(password_verify(accounts->pool, a, row->stored, c->current, &outcome));
	if (!outcome.match) {
		field_mistake(wrong, S("/current"), "wrong", "the current password is another");
		return NULL;
	}
	TRY(password_new(accounts, a, c->fresh, (const Str[]){ u->email, u->username, u->name }, 3,
	                 S("/password"), wrong, &r.stored));
	if (wrong->count > before)
		return NULL;
	r.verified = row->stored;
	r.token = secret_token(a);
	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, repass, &r));
	if (!r.done)
		return err_new(a, ERR_CONFLICT, "user.changed",
		               "the account has changed meanwhile");
	accounts_forget(accounts, a, u->id);
	*token = r.token;
	return NULL;
}
