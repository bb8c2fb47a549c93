/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of an account, by its owner or an administrator. What takes a Db runs in the transaction that is given. */
#pragma once
#include "user/accounts_int.h"

typedef struct AccountChange {
	bool has_name, has_locale, has_profile, has_roles, has_username; /* what is not stays */
	Str name, locale, profile, username;                             /* empty: none */
	const Str *roles;
	size_t role_count;
	Str roles_text; /* account_change's own */
} AccountChange;
/* Fails with CONFLICT "user.username_taken", NOT_FOUND "user.unknown". When something was added to `wrong` the transaction is not to
 * be committed. */
Err *account_change(const Accounts *accounts, Db *tx, Arena *a, Uuid id, const AccountChange *c,
                    const Asker *asker, FieldMistakes *wrong) MUST_USE;

/* ACTIVE or SUSPENDED; nothing when it is. Suspended: every session ends. Fails with CONFLICT "user.status". */
Err *account_status(Db *tx, Arena *a, Uuid id, UserStatus to, const Asker *asker) MUST_USE;
/* For ever. What another system calls it stays as a hash, for account_was_erased. */
Err *account_erase(Db *tx, Arena *a, Uuid id, const Asker *asker) MUST_USE;
/* One that another system called so ("shop:42"; empty: none). */
Err *account_was_erased(Db *tx, Arena *a, Str external, bool *erased) MUST_USE;

/* A mail to the new address, a notice to the old one; it changes once the code comes back. Fails with LIMITED "user.limited". */
Err *account_email(Accounts *accounts, Arena *a, const User *user, Str email, const Asker *asker,
                   FieldMistakes *wrong) MUST_USE;

typedef struct PasswordChange {
	const User *user;
	Session *session;
	Str token; /* of the session */
	Str current, fresh;
	const Asker *asker;
} PasswordChange;
/* All other sessions end, this one gets another token. *token empty: see `wrong`. Fails with LIMITED "user.limited", CONFLICT
 * "user.changed". */
Err *account_password(Accounts *accounts, Arena *a, const PasswordChange *c, FieldMistakes *wrong,
                      Str *token) MUST_USE;

/* The mail of a recovery, or of an invitation that was not taken up, sent by an administrator; *code is what it has. Fails with
 * CONFLICT "user.no_address". */
Err *account_send_code(Accounts *accounts, Arena *a, const User *user, const Asker *asker,
                       Str *code) MUST_USE;
