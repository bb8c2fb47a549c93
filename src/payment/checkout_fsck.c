/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan payment fsck`, the rows about checkouts: what has ended is charged or not, as it says; what has not is carried on. A database in
 * which no service has run yet has no sagas, and nothing is wrong with them. */
#include "base/arena.h"
#include "payment/checkout.h"
#include "payment/fsck.h"
#include "store/schema.h"

#include "payment_checkout_sql.h"

static Err *are_there(Db *db, Arena *a, bool *there)
{
	StepLine *lines;
	size_t count;

	TRY(schema_look(db, a, saga_own_schema(), &lines, &count));
	*there = count && lines[0].state != STEP_PENDING;
	return NULL;
}

static Err *carried(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	SagaWrong *wrong;
	int64_t looked;
	size_t n;
	bool there;

	(void)home;
	TRY(are_there(db, a, &there));
	if (!there)
		return NULL;
	TRY(sagas_check(db, a, &wrong, &n, &looked));
	found->looked = (uint64_t)looked;
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "co_%.*s %.*s", STR_ARG(uuid_text(a, wrong[i].id)),
		              STR_ARG(wrong[i].what));
	return NULL;
}

static Err *charged(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	CheckoutsUnchargedRow *rows;
	CheckoutsEndedRow *ended;
	size_t n;
	bool there;

	(void)home;
	TRY(are_there(db, a, &there));
	if (!there)
		return NULL;
	TRY(db_one(db, a, checkouts_ended, &ended));
	found->looked = ended ? (uint64_t)ended->count : 0;
	TRY(db_all(db, a, checkouts_uncharged, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found,
		              "co_%.*s is %.*s, and %" PRId64 " was captured, %" PRId64 " kept",
		              STR_ARG(uuid_text(a, rows[i].saga)), STR_ARG(rows[i].state),
		              rows[i].captured, rows[i].kept);
	return NULL;
}

static const ServiceCheck checks[] = {
	{ "checkout.carried", carried,
	  "a checkout that has not ended is carried on; one that has, has ended in all its steps" },
	{ "checkout.charged", charged,
	  "a completed checkout was charged; of one that is undone nothing is kept" },
};

const ServiceCheck *checkout_checks(size_t *count)
{
	*count = COUNT(checks);
	return checks;
}
