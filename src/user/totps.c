/* SPDX-License-Identifier: Apache-2.0
 *
 * Authenticators. The secret is closed under the account's id, so that a row put beside another account opens for nobody. A step
 * is taken by a conditional update: of two logins with one code one gets in. An authenticator counts once a code of it was shown,
 * for a QR code that was not scanned must not lock anybody out; with it come recovery codes. */
#include "user/totps.h"

#include "auth/seal.h"
#include "auth/totp.h"
#include "base/arena.h"
#include "base/time.h"
#include "user/secret.h"

#include "user_sql.h"

static const Str algorithms[] = {
	[TOTP_SHA1] = S("SHA1"), [TOTP_SHA256] = S("SHA256"), [TOTP_SHA512] = S("SHA512")
};

static Str context_of(Arena *a, Uuid user)
{
	return str_fmt(a, "totp:%.*s", STR_ARG(account_id_text(a, user)));
}

static Err *totp_of_row(const Accounts *accounts, Arena *a, const TotpRow *row, Totp *out)
{
	*out = (Totp){ .digits = (uint32_t)row->digits, .period_s = (uint32_t)row->period_s };
	for (size_t i = 0; i < COUNT(algorithms); i++)
		if (str_eq(row->algorithm, algorithms[i]))
			out->hash = (TotpHash)i;
	return seal_open(accounts->seal, a, context_of(a, row->user_id), row->secret, &out->secret);
}

static Err *match(Accounts *accounts, Arena *a, const TotpRow *row, Str code, TotpUse *use)
{
	Totp totp;

	TRY(totp_of_row(accounts, a, row, &totp));
	use->secret = row->secret;
	use->matched = totp_check(&totp, time_utc_us(), code, row->step, &use->step);
	return NULL;
}

Err *totp_match(Accounts *accounts, Arena *a, Uuid user, Str code, TotpUse *use)
{
	TotpRow *row;

	*use = (TotpUse){ .matched = false };
	TRY(db_one(accounts->db, a, totp_of, &row, .user_id = user));
	return row && row->confirmed_at.set ? match(accounts, a, row, code, use) : NULL;
}

Err *totp_take(Db *tx, Arena *a, Uuid user, const TotpUse *use, bool *taken)
{
	int64_t changed = 0;

	TRY(db_exec(tx, a, totp_use, &changed, .user_id = user, .step = use->step,
	            .secret = use->secret));
	*taken = changed == 1;
	return NULL;
}

static Err *put(const Accounts *accounts, Db *tx, Arena *a, Uuid user, const Totp *totp,
                bool confirmed)
{
	int64_t now_us = time_utc_us();
	OptInt confirmed_at = { .set = confirmed, .v = now_us };
	Str sealed;

	TRY(accounts_may_seal(accounts, a));
	TRY(seal_close(accounts->seal, a, context_of(a, user), totp->secret, &sealed));
	TRY(db_exec(tx, a, totp_put, NULL, .user_id = user, .secret = sealed,
	            .algorithm = algorithms[totp->hash], .digits = totp->digits,
	            .period_s = totp->period_s, .step = -1, .now = now_us,
	            .confirmed_at = confirmed_at));
	if (!confirmed)
		return NULL;
	return db_exec(tx, a, user_totp_at, NULL, .id = user, .at = confirmed_at, .now = now_us);
}

Err *totp_import(const Accounts *accounts, Db *tx, Arena *a, Uuid user, Str secret)
{
	Totp totp = { .secret = secret, .digits = 6, .period_s = 30 };

	TRY(totp_verify(a, &totp));
	return put(accounts, tx, a, user, &totp, true);
}

/* --- offering and confirming -------------------------------------------------------------------------------------------- */

typedef struct Change {
	Accounts *accounts;
	const User *user;
	Uuid id;
	const Asker *asker;
	Totp totp;
	TotpUse use;
	const Str *codes;
	bool done;
} Change;

static Err *offer(Db *tx, Arena *a, void *arg)
{
	Change *c = arg;
	UserHold hold;
	TotpRow *row;

	TRY(user_hold(tx, a, c->id, &hold));
	TRY(db_one(tx, a, totp_of, &row, .user_id = c->id));
	if (row && row->confirmed_at.set)
		return err_new(a, ERR_CONFLICT, "user.totp_there",
		               "the account has an authenticator: remove it first");
	TRY(put(c->accounts, tx, a, c->id, &c->totp, false));
	return audit_put(tx, a, c->asker, &(AuditLine){ .action = "totp.offered", .user = c->id });
}

Err *totp_offer(Accounts *accounts, Arena *a, const User *user, const Asker *asker, TotpOffer *out)
{
	Change c = { .accounts = accounts, .id = user->id, .asker = asker, .totp = totp_make(a) };
	Str account = user->email.len ? user->email : user->username;

	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, offer, &c));
	out->secret = totp_secret_text(a, c.totp.secret);
	out->uri = totp_uri(a, &c.totp, accounts->conf->issuer, account);
	return NULL;
}

static const Str *make_codes(Arena *a)
{
	Str *codes = ARENA_ARRAY(a, Str, SECRET_CODES);

	for (size_t i = 0; i < SECRET_CODES; i++)
		codes[i] = secret_recovery_code(a);
	return codes;
}

static Err *put_codes(Db *tx, Arena *a, Uuid user, const Str *codes)
{
	DbBatch *batch = db_batch(a);

	batch_exec(batch, recovery_codes_remove, NULL, .user_id = user);
	for (size_t i = 0; i < SECRET_CODES; i++) {
		const Str parts[] = { uuid_text(a, user), secret_recovery_norm(a, codes[i]) };

		batch_exec(batch, recovery_code_add, NULL, .user_id = user,
		           .hash = secret_hash_of(a, parts, COUNT(parts)));
	}
	return db_batch_run(tx, a, batch);
}

static Err *confirm(Db *tx, Arena *a, void *arg)
{
	Change *c = arg;
	UserHold hold;
	int64_t changed = 0, now_us = time_utc_us();

	c->done = false;
	TRY(user_hold(tx, a, c->id, &hold));
	TRY(totp_take(tx, a, c->id, &c->use, &c->done));
	if (!c->done)
		return NULL;
	TRY(db_exec(tx, a, totp_confirm, &changed, .user_id = c->id, .now = now_us));
	c->done = changed == 1;
	if (!c->done)
		return NULL;
	TRY(db_exec(tx, a, user_totp_at, NULL, .id = c->id, .at = opt_int(now_us), .now = now_us));
	TRY(put_codes(tx, a, c->id, c->codes));
	TRY(account_tell(tx, a, "user.second_factor_added", c->id, S(""), c->asker));
	return audit_put(tx, a, c->asker,
	                 &(AuditLine){ .action = "totp.confirmed", .user = c->id });
}

Err *totp_confirm(Accounts *accounts, Arena *a, const User *user, Str code, const Asker *asker,
                  const Str **codes)
{
	Change c = { .accounts = accounts, .id = user->id, .asker = asker };
	TotpRow *row;

	*codes = NULL;
	TRY(db_one(accounts->db, a, totp_of, &row, .user_id = user->id));
	if (!row || row->confirmed_at.set)
		return NULL;
	TRY(match(accounts, a, row, code, &c.use));
	if (!c.use.matched)
		return NULL;
	c.codes = make_codes(a);
	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, confirm, &c));
	*codes = c.done ? c.codes : NULL;
	accounts_forget(accounts, a, user->id);
	return NULL;
}

/* --- taking away, new codes --------------------------------------------------------------------------------------------- */

static Err *drop(Db *tx, Arena *a, void *arg)
{
	Change *c = arg;
	UserHold hold;
	int64_t changed = 0, now_us = time_utc_us();

	TRY(user_hold(tx, a, c->id, &hold));
	TRY(db_exec(tx, a, totp_remove, &changed, .user_id = c->id));
	c->done = changed == 1;
	if (!c->done)
		return NULL;
	TRY(db_exec(tx, a, recovery_codes_remove, NULL, .user_id = c->id));
	TRY(db_exec(tx, a, user_totp_at, NULL, .id = c->id, .now = now_us));
	TRY(account_tell(tx, a, "user.second_factor_removed", c->id, S(""), c->asker));
	return audit_put(tx, a, c->asker, &(AuditLine){ .action = "totp.removed", .user = c->id });
}

Err *totp_drop(Accounts *accounts, Arena *a, Uuid user, const Asker *asker, bool *dropped)
{
	Change c = { .accounts = accounts, .id = user, .asker = asker };

	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, drop, &c));
	accounts_forget(accounts, a, user);
	*dropped = c.done;
	return NULL;
}

static Err *renew(Db *tx, Arena *a, void *arg)
{
	Change *c = arg;
	UserHold hold;
	TotpRow *row;

	TRY(user_hold(tx, a, c->id, &hold));
	TRY(db_one(tx, a, totp_of, &row, .user_id = c->id));
	if (!row || !row->confirmed_at.set)
		return err_new(a, ERR_CONFLICT, "user.no_totp",
		               "recovery codes come with an authenticator, and there is none");
	TRY(put_codes(tx, a, c->id, c->codes));
	return audit_put(tx, a, c->asker,
	                 &(AuditLine){ .action = "recovery_codes.made", .user = c->id });
}

Err *recovery_codes_new(Accounts *accounts, Arena *a, const User *user, const Asker *asker,
                        const Str **codes)
{
	Change c = { .accounts = accounts, .id = user->id, .asker = asker, .codes = make_codes(a) };

	TRY(db_txn(accounts->db, a, DB_READ_COMMITTED, renew, &c));
	*codes = c.codes;
	return NULL;
}

Err *recovery_codes_left(Accounts *accounts, Arena *a, Uuid user, int64_t *left)
{
	RecoveryCodesLeftRow *row;

	TRY(db_one(accounts->db, a, recovery_codes_left, &row, .user_id = user));
	*left = row ? row->left_over : 0;
	return NULL;
}
