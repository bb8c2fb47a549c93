/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts out of rows, and into them. A Db is a database or a transaction of it. */
#pragma once
#include "store/db.h"
#include "user/user_domain.h"

/* NULL: there is none. */
Err *user_by_id(Db *db, Arena *a, Uuid id, User **out) MUST_USE;
Err *user_by_email(Db *db, Arena *a, Str norm, User **out) MUST_USE;
Err *user_by_external(Db *db, Arena *a, Str external, User **out) MUST_USE;
Err *user_by_login(Db *db, Arena *a, Str email_norm, Str name_norm, User **out) MUST_USE;
/* By id, those after one; status NULL: any. */
Err *users_after(Db *db, Arena *a, Uuid after, const UserStatus *status, size_t most, User **out,
                 size_t *count) MUST_USE;

/* The user's row, held until the transaction ends: whoever changes something of an account does this first. Fails with NOT_FOUND
 * "user.unknown", of an erased one too. */
typedef struct UserHold {
	UserStatus status;
	int64_t version;
	Str roles;
} UserHold;
Err *user_hold(Db *tx, Arena *a, Uuid id, UserHold *out) MUST_USE;

/* Names in the forms they are stored in; empty: none. */
typedef struct UserNames {
	Str email, email_norm;
	Str username, username_norm, username_looks;
	bool username_given; /* by another system: one that looks like another is let be, without a form for its looks */
	Str external;
} UserNames;
/* Fails with CONFLICT "user.email_taken", "user.username_taken", "user.external_taken" before anything is written. */
Err *user_names_free(Db *tx, Arena *a, UserNames *names) MUST_USE;

typedef struct UserRecord {
	Uuid id;
	UserStatus status;
	UserNames names;
	bool email_verified;
	Str name, locale, profile, roles;
	int64_t created_us, login_us, now_us;
	Str stored, format, source; /* of the password; empty: none */
} UserRecord;
Err *user_insert(Db *tx, Arena *a, const UserRecord *record) MUST_USE;
