/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts as a whole: what they need to work (hash workers, keys, lists), how one is found, how one is made.
 *
 * Everything that changes an account holds its row first (user_hold), writes, tells (event), and writes a line of the audit log
 * last, all in one transaction. So what concerns one account happens one after another, whichever process does it, and whoever
 * verified a password or a session before that looks again once it holds the row. */
#include "user/accounts_int.h"

#include "auth/breached.h"
#include "auth/seal.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/time.h"
#include "rt/work.h"
#include "service/service.h"
#include "user/key_file.h"
#include "user/profile.h"

#include "user_sql.h"

/* --- beginning ---------------------------------------------------------------------------------------------------------- */

enum { DECOYS = 64, SCHEMA_BYTES = 256 * 1024 };

typedef struct Files {
	Arena *a;
	Accounts *accounts;
	Err *err;
} Files;

static Err *read_files(Arena *a, Accounts *accounts)
{
	const UserConf *conf = accounts->conf;
	const Str *keys = conf->keys.at;
	size_t count = conf->keys.count;
	Str text;

	if (!count) {
		TRY(key_file_read(a, conf->key_file, &text));
		keys = &text;
		count = 1;
	}
	TRY(seal_new(a, keys, count, &accounts->seal));
	if (conf->breached.len)
		TRY(breached_open(a, conf->breached, &accounts->breached));
	if (!conf->profile.len)
		return NULL;
	TRY(file_read(a, conf->profile, SCHEMA_BYTES, &text));
	return profile_schema_read(a, text, &accounts->schema);
}

static void read_on_worker(void *arg)
{
	Files *f = arg;

	f->err = read_files(f->a, f->accounts);
}

/* Somebody and nobody take equally long to refuse: nobody's hash is like somebody's. */
static Err *sample_decoys(Accounts *accounts)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	PasswordSampleRow *rows;
	size_t count;
	Str stored[DECOYS];

	TRY(db_all(accounts->db, a, password_sample, &rows, &count, .most = DECOYS));
	for (size_t i = 0; i < count; i++)
		stored[i] = rows[i].stored;
	password_decoys(accounts->pool, stored, count);
	return NULL;
}

Err *accounts_decoys(Accounts *accounts)
{
	return sample_decoys(accounts);
}

Err *accounts_open(Arena *a, const AccountsSetup *setup, Accounts **out)
{
	Accounts *accounts = ARENA_NEW(a, Accounts);
	Files files = { .a = a, .accounts = accounts };

	*accounts = (Accounts){ .conf = setup->conf,
		                .db = setup->db,
		                .development = setup->development,
		                .home = setup->home };
	*out = accounts;
	TRY(work_run(read_on_worker, &files));
	TRY(files.err);
	TRY(password_pool_open(a, &setup->conf->password, &accounts->pool));
	/* The same in every process: which decoy an unknown name is checked against tells nothing then. */
	password_decoy_key(accounts->pool, seal_number(accounts->seal, S("decoys")));
	return sample_decoys(accounts);
}

void accounts_close(Accounts *accounts)
{
	if (!accounts)
		return;
	password_pool_closep(&accounts->pool);
	breached_close(accounts->breached);
}

Err *accounts_may_seal(const Accounts *accounts, Arena *a)
{
	if (!accounts->other_keys)
		return NULL;
	return err_new(a, ERR_INVALID, "user.keys",
	               "this keeps a secret, and the keys here are not the service's: give its "
	               "configuration (-c)");
}

Db *accounts_db(const Accounts *accounts)
{
	return accounts->db;
}

const Seal *accounts_seal(const Accounts *accounts)
{
	return accounts->seal;
}

Str account_cache_key(Arena *a, Uuid user)
{
	return str_fmt(a, "user %.*s", STR_ARG(uuid_text(a, user)));
}

void accounts_forget(const Accounts *accounts, Arena *a, Uuid user)
{
	Err *err = accounts->home ? service_forget_at(accounts->home, a, account_cache_key(a, user))
	                          : NULL;

	(void)err; /* it is forgotten here; other processes are told once they can be */
}

/* --- finding ------------------------------------------------------------------------------------------------------------ */

Str account_id_text(Arena *a, Uuid id)
{
	return service_id_text(a, "usr_", id);
}

bool account_id_read(Str text, Uuid *out)
{
	return service_id_read(text, "usr_", out);
}

Err *account_by_id(Accounts *accounts, Arena *a, Uuid id, User **out)
{
	return user_by_id(accounts->db, a, id, out);
}

Err *account_by_login(Accounts *accounts, Arena *a, Str login, User **out)
{
	LoginForms forms = login_forms(a, login);

	return user_by_login(accounts->db, a, forms.email, forms.name, out);
}

Err *account_by_name(Accounts *accounts, Arena *a, Str name, User **out)
{
	Uuid id;

	if (account_id_read(name, &id) || uuid_read(name, &id))
		return user_by_id(accounts->db, a, id, out);
	*out = NULL;
	return external_is(name) ? user_by_external(accounts->db, a, name, out) : NULL;
}

/* --- making ------------------------------------------------------------------------------------------------------------- */

static Err *registered_json(Arena *a, const UserRecord *r, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_object(&w);
	json_put_str(&w, "id", account_id_text(a, r->id));
	json_put_str(&w, "status", user_status_name(r->status));
	json_put_str(&w, "email", r->names.email);
	json_put_bool(&w, "email_verified", r->email_verified);
	json_put_str(&w, "username", r->names.username);
	json_put_str(&w, "external", r->names.external);
	json_put_str(&w, "name", r->name);
	json_put_str(&w, "locale", r->locale);
	json_end(&w);
	TRY(json_done(&w, out));
	*out = str_dup(a, *out);
	return NULL;
}

Err *account_insert(Db *tx, Arena *a, UserRecord *r, const Asker *asker)
{
	Str data;

	TRY(user_names_free(tx, a, &r->names));
	TRY(user_insert(tx, a, r));
	TRY(registered_json(a, r, &data));
	TRY(account_tell(tx, a, "user.registered", r->id, data, asker));
	return audit_put(tx, a, asker, &(AuditLine){ .action = "user.registered", .user = r->id });
}

static void record_of(const Accounts *accounts, Arena *a, const AccountDraft *d, UserRecord *r,
                      FieldMistakes *wrong)
{
	UserNames given = { .email = d->email, .username = d->username, .external = d->external };
	int64_t now_us = time_utc_us();

	*r = (UserRecord){
		.id = uuid_is_nil(d->id) ? uuid_new() : d->id,
		.status = d->status,
		.email_verified = d->email_verified && d->email.len,
		.name = d->name,
		.locale = d->locale,
		.profile = d->profile,
		.created_us = d->created_us ? d->created_us : now_us,
		.login_us = d->last_login_us,
		.now_us = now_us,
		.stored = d->password,
		.source = d->source.len ? d->source : S("native"),
	};
	names_read(a, &given, str_eq(r->source, S("native")), &r->names, wrong);
	details_read(accounts, a, &r->name, &r->locale, &r->profile, wrong);
	r->roles = roles_checked(a, d->roles, d->role_count, wrong);
	r->format = r->stored.len ? password_format_text(a, r->stored) : S("");
}

Err *account_put(Accounts *accounts, Db *tx, Arena *a, const AccountDraft *draft,
                 const Asker *asker, FieldMistakes *wrong, Uuid *id)
{
	size_t before = wrong->count;
	UserRecord record;

	*id = (Uuid){ { 0 } };
	record_of(accounts, a, draft, &record, wrong);
	if (wrong->count > before)
		return NULL;
	TRY(account_insert(tx, a, &record, asker));
	if (draft->totp_secret.len)
		TRY(totp_import(accounts, tx, a, record.id, draft->totp_secret));
	*id = record.id;
	return NULL;
}
