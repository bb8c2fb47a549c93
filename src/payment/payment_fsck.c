/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan payment fsck`, the rows about money: what was charged and given back, against the ledger, the balance's movements and each
 * other. A group of the ledger is found by its cause: kind "intent" and "pi_...", kind "refund" and "re_...". */
#include "base/arena.h"
#include "payment/fsck.h"
#include "service/service.h"

#include "payment_fsck_sql.h"

static Err *count(Db *db, Arena *a, PaymentCountRow **out)
{
	TRY(db_one(db, a, payment_count, out));
	return *out ? NULL : err_new(a, ERR_INTERNAL, "db.rows", "a question without an answer");
}

static Err *intents(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	IntentsUnbookedRow *rows;
	IntentsOverbookedRow *over;
	PaymentCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->succeeded;
	TRY(db_all(db, a, intents_unbooked, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "%.*s: %" PRId64 " groups, %" PRId64 " booked of %" PRId64,
		              STR_ARG(rows[i].source), rows[i].groups, rows[i].booked,
		              rows[i].received);
	TRY(db_all(db, a, intents_overbooked, &over, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "%.*s is booked and did not succeed", STR_ARG(over[i].source));
	return NULL;
}

static Err *refunds(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	RefundsUnbookedRow *rows;
	PaymentCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->refunds;
	TRY(db_all(db, a, refunds_unbooked, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "%.*s: %" PRId64 " groups, %" PRId64 " booked of %" PRId64,
		              STR_ARG(rows[i].source), rows[i].groups, rows[i].booked,
		              rows[i].amount);
	return NULL;
}

static Err *received(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	IntentsReceivedWrongRow *rows;
	PaymentCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->succeeded;
	TRY(db_all(db, a, intents_received_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "pi_%.*s: received %" PRId64 ", captured %" PRId64,
		              STR_ARG(uuid_text(a, rows[i].id)), rows[i].received,
		              rows[i].captured);
	return NULL;
}

static Err *charges(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	ChargesWrongRow *rows;
	PaymentCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->charges;
	TRY(db_all(db, a, charges_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found,
		              "ch_%.*s: of %" PRId64 " captured %" PRId64 ", refunded %" PRId64
		              " (refunds of %" PRId64 "), disputed %" PRId64,
		              STR_ARG(uuid_text(a, rows[i].id)), rows[i].amount, rows[i].captured,
		              rows[i].refunded, rows[i].refunds, rows[i].disputed);
	return NULL;
}

static Err *once(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	IntentsPaidTwiceRow *rows;
	PaymentCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->charges;
	TRY(db_all(db, a, intents_paid_twice, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "pi_%.*s: %" PRId64 " charges",
		              STR_ARG(uuid_text(a, rows[i].id)), rows[i].charges);
	return NULL;
}

static Err *attempts(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	AttemptsWrongRow *rows;
	PaymentCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->attempts;
	TRY(db_all(db, a, attempts_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found,
		              "pi_%.*s: %" PRId64 " attempts are open, or nobody asks about one",
		              STR_ARG(uuid_text(a, rows[i].intent_id)), rows[i].open);
	return NULL;
}

static Err *movements(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	MovementsWrongRow *rows;
	PaymentCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->movements;
	TRY(db_all(db, a, movements_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "%.*s: %" PRId64 ", and the balance moved by %" PRId64,
		              STR_ARG(uuid_text(a, rows[i].id)), rows[i].amount, rows[i].moved);
	return NULL;
}

static const ServiceCheck checks[] = {
	{ "payment.intents", intents,
	  "what succeeded has one group in the ledger, of what was received; nothing else has" },
	{ "payment.refunds", refunds,
	  "a refund that succeeded has one group in the ledger, of its amount" },
	{ "payment.received", received, "an intent has received what its charges captured" },
	{ "payment.charges", charges,
	  "captured <= authorized, refunded + disputed <= captured, and the refunds say the same" },
	{ "payment.once", once, "no intent was paid by two charges" },
	{ "payment.attempts", attempts,
	  "one attempt of an intent is open at most, and is asked about" },
	{ "payment.balance", movements,
	  "each charge and refund moved the balance once, by its amount" },
};

const ServiceCheck *money_checks(size_t *n)
{
	*n = COUNT(checks);
	return checks;
}

const ServiceCheck *payment_checks(size_t *n)
{
	static const ServiceCheck *(*const lists[])(
		size_t * count) = { ledger_checks, money_checks, checkout_checks, billing_checks };
	static ServiceCheck all[40];
	size_t at = 0;

	for (size_t i = 0; i < COUNT(lists); i++) {
		size_t count;
		const ServiceCheck *some = lists[i](&count);

		for (size_t k = 0; k < count && at < COUNT(all); k++)
			all[at++] = some[k];
	}
	*n = at;
	return all;
}
