/* SPDX-License-Identifier: Apache-2.0
 *
 * Second factors: authenticators (each step counts once) and recovery codes. */
#pragma once
#include "user/accounts_int.h"

/* A code that fits; it counts once it is taken. */
typedef struct TotpUse {
	bool matched;
	int64_t step;
	Str secret; /* as it is stored */
} TotpUse;

/* Is it a code of the user's confirmed authenticator, of a step after the last one used? */
Err *totp_match(Accounts *accounts, Arena *a, Uuid user, Str code, TotpUse *use) MUST_USE;
/* In a transaction. *taken false: that step, or a later one, was used meanwhile. */
Err *totp_take(Db *tx, Arena *a, Uuid user, const TotpUse *use, bool *taken) MUST_USE;

/* A new secret, which counts for nothing until it is confirmed; the one before, if it was not, is gone. Fails with CONFLICT
 * "user.totp_there" when there is a confirmed one. */
typedef struct TotpOffer {
	Str secret; /* base32, for typing */
	Str uri;    /* for a QR code */
} TotpOffer;
Err *totp_offer(Accounts *accounts, Arena *a, const User *user, const Asker *asker, TotpOffer *out)
	MUST_USE;
/* By a code of it. *codes: SECRET_CODES recovery codes, shown once; NULL: the code was wrong. */
Err *totp_confirm(Accounts *accounts, Arena *a, const User *user, Str code, const Asker *asker,
                  const Str **codes) MUST_USE;
Err *totp_drop(Accounts *accounts, Arena *a, Uuid user, const Asker *asker, bool *dropped) MUST_USE;
/* New recovery codes in place of the old ones. Fails with CONFLICT "user.no_totp". */
Err *recovery_codes_new(Accounts *accounts, Arena *a, const User *user, const Asker *asker,
                        const Str **codes) MUST_USE;
Err *recovery_codes_left(Accounts *accounts, Arena *a, Uuid user, int64_t *left) MUST_USE;
