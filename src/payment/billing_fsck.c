/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan payment fsck`, the rows about billing: invoices against their lines, their intents and the ledger. */
#include "base/arena.h"
#include "payment/fsck.h"
#include "service/service.h"

#include "payment_billing_fsck_sql.h"

static Err *count(Db *db, Arena *a, BillingCountRow **out)
{
	TRY(db_one(db, a, billing_count, out));
	return *out ? NULL : err_new(a, ERR_INTERNAL, "db.rows", "a question without an answer");
}

static Err *lines(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	InvoicesNotTheirLinesRow *rows;
	BillingCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->invoices;
	TRY(db_all(db, a, invoices_not_their_lines, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "in_%.*s: %" PRId64 ", its lines %" PRId64,
		              STR_ARG(uuid_text(a, rows[i].id)), rows[i].total, rows[i].lines);
	return NULL;
}

static Err *periods(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	PeriodsTwiceRow *rows;
	BillingCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->lines;
	TRY(db_all(db, a, periods_twice, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "si_%.*s: a period is invoiced %" PRId64 " times",
		              STR_ARG(uuid_text(a, rows[i].item_id)), rows[i].times);
	return NULL;
}

static Err *paid(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	InvoicesUnpaidWrongRow *unpaid;
	InvoicesPaidWrongRow *rows;
	BillingCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->invoices;
	TRY(db_all(db, a, invoices_paid_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "in_%.*s: paid, and %" PRId64 " received of %" PRId64,
		              STR_ARG(uuid_text(a, rows[i].id)), rows[i].received, rows[i].due);
	TRY(db_all(db, a, invoices_unpaid_wrong, &unpaid, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "in_%.*s: %.*s, and its intent succeeded",
		              STR_ARG(uuid_text(a, unpaid[i].id)), STR_ARG(unpaid[i].status));
	return NULL;
}

static Err *receivable(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	ReceivableWrongRow *rows;
	BillingCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->invoices;
	TRY(db_all(db, a, receivable_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "%.*s: open invoices of %" PRId64 ", receivable %" PRId64,
		              STR_ARG(rows[i].currency), rows[i].owed, rows[i].booked);
	return NULL;
}

static Err *credits(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	CreditsWrongRow *rows;
	BillingCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->customers;
	TRY(db_all(db, a, credits_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found,
		              "%.*s: customers have %" PRId64
		              " to their credit, in the ledger %" PRId64,
		              STR_ARG(rows[i].currency), rows[i].balance, rows[i].booked);
	return NULL;
}

static Err *subscriptions(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	SubscriptionsForgottenRow *rows;
	BillingCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->subscriptions;
	TRY(db_all(db, a, subscriptions_forgotten, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "sub_%.*s: %.*s, and nothing is ever due of it",
		              STR_ARG(uuid_text(a, rows[i].id)), STR_ARG(rows[i].status));
	return NULL;
}

static const ServiceCheck checks[] = {
	{ "billing.lines", lines, "an invoice is the sum of its lines" },
	{ "billing.periods", periods, "a period of an item is invoiced once" },
	{ "billing.paid", paid,
	  "what is paid was received, by an intent, a credit or elsewhere; what was received is paid" },
	{ "billing.receivable", receivable,
	  "what is receivable in the ledger is what open invoices ask for" },
	{ "billing.credits", credits, "what customers have to their credit is in the ledger" },
	{ "billing.subscriptions", subscriptions,
	  "a subscription is over, or something is due of it" },
};

const ServiceCheck *billing_checks(size_t *n)
{
	*n = COUNT(checks);
	return checks;
}
