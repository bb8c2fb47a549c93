/* SPDX-License-Identifier: Apache-2.0
 *
 * Idempotency-Key: see idempotency.c. */
#pragma once
#include "service/service.h"

/* Looks whether the request carries a key that was here before: then the answer is filled in and *done. Fails with CONFLICT
 * "idempotency.running", INVALID "idempotency.mismatch", "idempotency.key". */
Err *idempotency_begin(ServiceCall *c, bool *done) MUST_USE;
void idempotency_end(
	const ServiceCall *c); /* nobody runs under its key any more; fine when there is none */
/* Deletes what is older than that. */
Err *idempotency_purge(Db *db, Arena *a, int64_t keep_us) MUST_USE;
/* Is the database there? */
Err *database_ping(Db *db, Arena *a) MUST_USE;
