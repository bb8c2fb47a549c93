/* SPDX-License-Identifier: Apache-2.0
 *
 * A lease is a row; its token rises when the owner changes and never falls, as the row is never deleted. */
#include "store/db_lease.h"

#include "base/time.h"
#include "store_db_lease_sql.h"

Err *db_lease_take(Db *db, Arena *a, DbLease *lease, int64_t for_us)
{
	int64_t now = time_utc_us();
	LeaseTakeRow *row;

	lease->held = false;
	TRY(db_one(db, a, lease_take, &row, .name = lease->name, .owner = lease->owner, .now = now,
	           .until = now + for_us));
	if (!row)
		return NULL;
	lease->held = true;
	lease->token = row->token;
	lease->until_us = now + for_us;
	return NULL;
}

Err *db_lease_renew(Db *db, Arena *a, DbLease *lease, int64_t for_us)
{
	int64_t now = time_utc_us(), changed;

	TRY(db_exec(db, a, lease_renew, &changed, .name = lease->name, .owner = lease->owner,
	            .token = lease->token, .now = now, .until = now + for_us));
	lease->held = changed > 0;
	if (lease->held)
		lease->until_us = now + for_us;
	return NULL;
}

Err *db_lease_drop(Db *db, Arena *a, DbLease *lease)
{
	lease->held = false;
	return db_exec(db, a, lease_drop, NULL, .name = lease->name, .owner = lease->owner,
	               .token = lease->token, .now = time_utc_us());
}

Err *db_lease_hold(Db *tx, Arena *a, const DbLease *lease)
{
	int64_t changed;

	TRY(db_exec(tx, a, lease_hold, &changed, .name = lease->name, .token = lease->token));
	if (changed)
		return NULL;
	return err_new(a, ERR_CONFLICT, "db.lease_lost", "another took the lease %.*s",
	               STR_ARG(lease->name));
}
