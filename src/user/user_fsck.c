/* SPDX-License-Identifier: Apache-2.0
 *
 * What `banyan user fsck` looks at: the audit log is the chain that was written, what was erased is gone, and nobody who may not be there has a
 * session. What one row alone must be the schema says already. */
#include "base/arena.h"
#include "service/service.h"
#include "user/accounts.h"
#include "user/audit.h"
#include "user/user.h"
#include "user_fsck_sql.h"

static Err *audit_chain(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	AuditVerdict verdict;

	(void)home;
	TRY(audit_verify(db, a, 0, S(""), &verdict));
	found->looked = (uint64_t)verdict.lines;
	if (verdict.broken_at)
		service_wrong(found, "line %" PRId64 ": %.*s", verdict.broken_at,
		              STR_ARG(verdict.why));
	return NULL;
}

static Err *erased_gone(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	FsckUserCountsRow *counts;
	FsckErasedLeftRow *rows;
	size_t count;

	(void)home;
	TRY(db_one(db, a, fsck_user_counts, &counts));
	TRY(db_all(db, a, fsck_erased_left, &rows, &count));
	found->looked = (uint64_t)counts->erased;
	for (size_t i = 0; i < count; i++)
		service_wrong(found, "%.*s has %.*s still", STR_ARG(account_id_text(a, rows[i].id)),
		              STR_ARG(rows[i].what));
	return NULL;
}

static Err *sessions_allowed(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	FsckUserCountsRow *counts;
	FsckSessionsOfNoneRow *rows;
	size_t count;

	(void)home;
	TRY(db_one(db, a, fsck_user_counts, &counts));
	TRY(db_all(db, a, fsck_sessions_of_none, &rows, &count));
	found->looked = (uint64_t)counts->sessions;
	for (size_t i = 0; i < count; i++)
		service_wrong(found, "session %.*s is of an account that is %.*s",
		              STR_ARG(uuid_text(a, rows[i].id)), STR_ARG(rows[i].status));
	return NULL;
}

static const ServiceCheck checks[] = {
	{ "audit.chain", audit_chain, "no line was changed, taken out or put elsewhere" },
	{ "erased.gone", erased_gone, "nothing is left by which an erased account could be used" },
	{ "sessions.allowed", sessions_allowed, "nobody suspended or erased has a session" },
};

const ServiceCheck *user_checks(size_t *count)
{
	*count = COUNT(checks);
	return checks;
}
