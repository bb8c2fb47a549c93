/* SPDX-License-Identifier: Apache-2.0
 *
 * Events on SQLite: the outbox, consumers and the local bus. */
#include "store/consumer.c"

#include "events_suite.h"

#include "events_lite.h"

TEST(a_database_that_is_away_is_no_attempt)
{
	CHECK(is_the_worlds(&(Err){ .kind = ERR_BUSY, .slug = "db.unavailable" }));
	CHECK(is_the_worlds(&(Err){ .kind = ERR_BUSY, .slug = "db.serialization" }));
	CHECK(is_the_worlds(&(Err){ .kind = ERR_IO, .slug = "db.full_disk" }));
	CHECK(is_the_worlds(&(Err){ .kind = ERR_CANCELLED, .slug = "rt.cancelled" }));
	CHECK(!is_the_worlds(&(Err){ .kind = ERR_CONFLICT, .slug = "db.unique" }));
	CHECK(!is_the_worlds(&(Err){ .kind = ERR_INVALID, .slug = "db.check" }));
}
