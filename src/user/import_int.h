/* SPDX-License-Identifier: Apache-2.0
 *
 * Between import.c and import_refresh.c. */
#pragma once
#include "user/accounts_int.h"
#include "user/import.h"

/* In a transaction: password and status of an account that is there, as its own system has them now. *changed: something was
 * another. Fails with NOT_FOUND "user.unknown" when it was erased meanwhile. */
Err *import_refresh(Db *tx, Arena *a, const User *there, const AccountDraft *draft,
                    const Asker *asker, bool *changed) MUST_USE;
