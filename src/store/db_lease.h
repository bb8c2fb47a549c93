/* SPDX-License-Identifier: Apache-2.0
 *
 * Leases: something that only one process does at a time, for a while, over crashes and pauses. A lease that is over may be
 * taken by another, even while its first holder, which slept meanwhile, still believes in it. So each new holder has a higher
 * token, and what the holder writes is written in a transaction that asks first (lease_hold): the database then refuses the
 * one who slept. Clocks of the machines may differ: by how much, is what a lease's time must bear.
 *
 *	DbLease lease = { .name = S("relay"), .owner = instance };
 *	TRY(db_lease_take(db, a, &lease, 30 * US_PER_S));
 *	if (!lease.held) ...another has it...                                                                         */
#pragma once
#include "store/db.h"

typedef struct DbLease {
	Str name;
	Uuid owner; /* this process: a uuid_new() of its start */
	bool held;
	int64_t token;    /* higher with every new holder */
	int64_t until_us; /* UTC */
} DbLease;

/* Takes it, or has it for longer: held says whether. */
Err *db_lease_take(Db *db, Arena *a, DbLease *lease, int64_t for_us) MUST_USE;
/* For longer, if nobody took it meanwhile and it is not over: held says whether. */
Err *db_lease_renew(Db *db, Arena *a, DbLease *lease, int64_t for_us) MUST_USE;
Err *db_lease_drop(Db *db, Arena *a, DbLease *lease) MUST_USE;
/* In the transaction of what is done under it: fails with CONFLICT "db.lease_lost" when another has it since, and keeps others
 * from taking it until the transaction ends. */
Err *db_lease_hold(Db *tx, Arena *a, const DbLease *lease) MUST_USE;
