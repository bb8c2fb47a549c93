/* SPDX-License-Identifier: Apache-2.0
 *
 * All that is kept of a person, for that person (GDPR, articles 15 and 20). */
#pragma once
#include "base/json.h"
#include "user/accounts.h"

/* One JSON object; secrets are named and not told. Fails as db.h. */
Err *account_export(Accounts *accounts, Arena *a, const User *user, JsonWriter *w) MUST_USE;
