/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of users. An account is one row, so that it is read by one look into one index; what belongs to it and is seldom asked for
 * (password, authenticator, codes) has tables of its own. */
#include "user/user_store.h"

#include "base/arena.h"

#include "user_sql.h"

static Str text_of(OptStr text)
{
	return text.set ? text.v : S("");
}

static void user_of(Arena *a, const UserRow *row, User *out)
{
	*out = (User){
		.id = row->id,
		.status = USER_ERASED,
		.email = text_of(row->email),
		.email_verified = row->email_verified_at.set,
		.username = text_of(row->username),
		.external = text_of(row->external),
		.name = row->name,
		.locale = row->locale,
		.profile = row->profile,
		.version = row->version,
		.created_us = row->created_at,
		.updated_us = row->updated_at,
		.login_us = row->login_at.set ? row->login_at.v : 0,
		.password_us = row->password_at.set ? row->password_at.v : 0,
		.totp = row->totp_at.set,
	};
	user_status_read(row->status, &out->status); /* the schema has no others */
	out->roles = roles_read(a, row->roles, &out->role_count);
}

static Err *one(Arena *a, const UserRow *row, User **out)
{
	*out = NULL;
	if (row) {
		*out = ARENA_NEW(a, User);
		user_of(a, row, *out);
	}
	return NULL;
}

Err *user_by_id(Db *db, Arena *a, Uuid id, User **out)
{
	UserRow *row;

	TRY(db_one(db, a, user_by_id, &row, .id = id));
	return one(a, row, out);
}

Err *user_by_email(Db *db, Arena *a, Str norm, User **out)
{
	UserRow *row;

	TRY(db_one(db, a, user_by_email, &row, .norm = norm));
	return one(a, row, out);
}

Err *user_by_external(Db *db, Arena *a, Str external, User **out)
{
	UserRow *row;

	TRY(db_one(db, a, user_by_external, &row, .external = external));
	return one(a, row, out);
}

Err *user_by_login(Db *db, Arena *a, Str email_norm, Str name_norm, User **out)
{
	UserRow *row;

	TRY(db_one(db, a, user_by_login, &row, .email = email_norm, .name = name_norm));
	return one(a, row, out);
}

Err *users_after(Db *db, Arena *a, Uuid after, const UserStatus *status, size_t most, User **out,
                 size_t *count)
{
	UserRow *rows;
	size_t n;

	if (status)
		TRY(db_all(db, a, users_after_of, &rows, &n, .after = after,
		           .status = user_status_name(*status), .most = (int64_t)most));
	else
		TRY(db_all(db, a, users_after, &rows, &n, .after = after, .most = (int64_t)most));
	*out = ARENA_ARRAY(a, User, n + 1);
	for (size_t i = 0; i < n; i++)
		user_of(a, &rows[i], &(*out)[i]);
	*count = n;
	return NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------------ */

Err *user_hold(Db *tx, Arena *a, Uuid id, UserHold *out)
{
	UserLockRow *row;
	UserStatus status = USER_ERASED;

	TRY(db_one(tx, a, user_lock, &row, .id = id));
	if (row)
		user_status_read(row->status, &status);
	if (status == USER_ERASED)
		return err_new(a, ERR_NOT_FOUND, "user.unknown", "there is no such user");
	*out = (UserHold){ status, row->version, row->roles };
	return NULL;
}

Err *user_names_free(Db *tx, Arena *a, UserNames *names)
{
	UserNameTakenRow *row;

	TRY(db_one(tx, a, user_name_taken, &row, .email_norm = names->email_norm,
	           .username_norm = names->username_norm, .username_looks = names->username_looks,
	           .external = names->external));
	if (!row)
		return err_new(a, ERR_INTERNAL, "db.rows", "a question without an answer");
	if (row->email && names->email_norm.len)
		return err_new(a, ERR_CONFLICT, "user.email_taken",
		               "another account has this e-mail address");
	if (row->looks && names->username_given)
		names->username_looks = S("");
	if (names->username_norm.len && (row->username || (row->looks && !names->username_given)))
		return err_new(a, ERR_CONFLICT, "user.username_taken",
		               "another account has this username, or one that looks like it");
	if (row->external && names->external.len)
		return err_new(a, ERR_CONFLICT, "user.external_taken",
		               "another account has this external id");
	return NULL;
}

static OptStr or_null(Str text)
{
	return (OptStr){ .set = text.len > 0, .v = text };
}

static OptInt or_never(int64_t us)
{
	return (OptInt){ .set = us != 0, .v = us };
}

Err *user_insert(Db *tx, Arena *a, const UserRecord *r)
{
	const UserNames *n = &r->names;

	TRY(db_exec(tx, a, user_add, NULL, .id = r->id, .status = user_status_name(r->status),
	            .email = or_null(n->email), .email_norm = or_null(n->email_norm),
	            .email_verified_at = or_never(r->email_verified ? r->now_us : 0),
	            .username = or_null(n->username), .username_norm = or_null(n->username_norm),
	            .username_looks = or_null(n->username_looks), .external = or_null(n->external),
	            .name = r->name, .locale = r->locale,
	            .profile = r->profile.len ? r->profile : S("{}"), .roles = r->roles,
	            .created_at = r->created_us, .updated_at = r->now_us,
	            .login_at = or_never(r->login_us),
	            .password_at = or_never(r->stored.len ? r->now_us : 0)));
	if (!r->stored.len)
		return NULL;
	return db_exec(tx, a, password_put, NULL, .user_id = r->id, .stored = r->stored,
	               .format = r->format, .source = r->source, .now = r->now_us);
}
