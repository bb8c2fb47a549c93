/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan payment fsck`, the ledger's rows: what must be true of it, worked out anew from what was written. Most of it the schema
 * refuses already, and the posting before it; this is for the day when one of them is wrong, or a disk, or somebody with a console. */
#include "payment/fsck.h"

#include "base/arena.h"
#include "service/service.h"

#include "payment_ledger_fsck_sql.h"

static Err *count(Db *db, Arena *a, LedgerCountRow **out)
{
	TRY(db_one(db, a, ledger_count, out));
	return *out ? NULL : err_new(a, ERR_INTERNAL, "db.rows", "a question without an answer");
}

static Err *balanced(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	LedgerUnbalancedRow *rows;
	LedgerCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->accounts;
	TRY(db_all(db, a, ledger_unbalanced, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found,
		              "%.*s: debits %" PRId64 ", credits %" PRId64 "; held %" PRId64
		              " and %" PRId64,
		              STR_ARG(rows[i].currency), rows[i].debits, rows[i].credits,
		              rows[i].held_debits, rows[i].held_credits);
	return NULL;
}

static Err *sums(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	LedgerSumsWrongRow *rows;
	LedgerCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->transfers;
	TRY(db_all(db, a, ledger_sums_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found,
		              "%.*s in %.*s: debits %" PRId64 " of %" PRId64 ", credits %" PRId64
		              " of %" PRId64 ", held %" PRId64 " of %" PRId64 " and %" PRId64
		              " of %" PRId64,
		              STR_ARG(rows[i].code), STR_ARG(rows[i].currency), rows[i].debits,
		              rows[i].want_debits, rows[i].credits, rows[i].want_credits,
		              rows[i].held_debits, rows[i].want_held_debits, rows[i].held_credits,
		              rows[i].want_held_credits);
	return NULL;
}

static Err *transfers(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	LedgerTransfersWrongRow *rows;
	LedgerOrphansRow *orphans;
	LedgerCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->transfers;
	TRY(db_all(db, a, ledger_transfers_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "ltr_%.*s: %" PRId64 " from %.*s to %.*s",
		              STR_ARG(uuid_text(a, rows[i].id)), rows[i].amount,
		              STR_ARG(rows[i].credit), STR_ARG(rows[i].debit));
	TRY(db_one(db, a, ledger_orphans, &orphans));
	if (orphans && orphans->found)
		service_wrong(found, "%" PRId64 " transfers without their group or an account",
		              orphans->found);
	return NULL;
}

static Err *groups(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	LedgerGroupsWrongRow *rows;
	LedgerCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->groups;
	TRY(db_all(db, a, ledger_groups_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "%.*s %.*s: %" PRId64 " transfers of %" PRId64,
		              STR_ARG(rows[i].kind), STR_ARG(rows[i].source), rows[i].found,
		              rows[i].wanted);
	return NULL;
}

static Err *resolved(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	LedgerResolvedWrongRow *rows;
	LedgerCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->transfers;
	TRY(db_all(db, a, ledger_resolved_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found,
		              "ltr_%.*s: resolved %" PRId64 " times, %" PRId64 " of %" PRId64,
		              STR_ARG(uuid_text(a, rows[i].id)), rows[i].times, rows[i].amount,
		              rows[i].held);
	return NULL;
}

static Err *open_holds(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	LedgerOpenWrongRow *rows;
	LedgerCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->holds;
	TRY(db_all(db, a, ledger_open_wrong, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "ltr_%.*s: %s", STR_ARG(uuid_text(a, rows[i].id)),
		              rows[i].open ? "resolved, and still open"
		                           : "neither open nor resolved");
	return NULL;
}

static Err *limits(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	LedgerLimitsPassedRow *rows;
	LedgerCountRow *all;
	size_t n;

	(void)home;
	TRY(count(db, a, &all));
	found->looked = (uint64_t)all->accounts;
	TRY(db_all(db, a, ledger_limits_passed, &rows, &n));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "%.*s in %.*s: debits %" PRId64 ", credits %" PRId64,
		              STR_ARG(rows[i].code), STR_ARG(rows[i].currency), rows[i].debits,
		              rows[i].credits);
	return NULL;
}

static const ServiceCheck checks[] = {
	{ "ledger.balanced", balanced, "in each currency debits equal credits, held ones too" },
	{ "ledger.sums", sums, "an account's balance is the sum of its transfers" },
	{ "ledger.transfers", transfers,
	  "both accounts are there, differ and are of the transfer's currency" },
	{ "ledger.groups", groups, "a group has all its transfers" },
	{ "ledger.resolved", resolved,
	  "a hold is resolved once, between its accounts, for no more than it held" },
	{ "ledger.holds", open_holds, "a hold is open or resolved, not both, not neither" },
	{ "ledger.limits", limits, "no account is beyond its limit" },
};

const ServiceCheck *ledger_checks(size_t *n)
{
	*n = COUNT(checks);
	return checks;
}
