/* SPDX-License-Identifier: Apache-2.0
 *
 * What must be true of notifications. Each check is a statement that finds the rows of which it is not. The database sees to some
 * of it by itself (one open digest, one open attempt, one notification of a digest); these are what it cannot see: that nothing that
 * is to go out has been forgotten, that nothing went out twice that must not, that a timeline tells all. */
#include "notification/fsck.h"

#include "base/arena.h"

#include "notification_fsck_sql.h"

enum { MOST = 10000 };

static void tell(ServiceFinding *found, const char *prefix, const char *what, const BrokenRow *rows,
                 size_t n)
{
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "%s%.*s (%.*s) %s", prefix,
		              STR_ARG(uuid_text(found->arena, rows[i].id)), STR_ARG(rows[i].state),
		              what);
}

typedef enum Looked { NOTIFICATIONS, DELIVERIES, DIGESTS, TEMPLATES } Looked;

static Err *count(Db *db, Arena *a, Looked what, ServiceFinding *found)
{
	FsckCountsRow *row;

	TRY(db_one(db, a, fsck_counts, &row));
	found->looked = (uint64_t)(what == NOTIFICATIONS ? row->notifications
	                           : what == DELIVERIES  ? row->deliveries
	                           : what == DIGESTS     ? row->digests
	                                                 : row->templates);
	return NULL;
}

#define CHECK_ROWS(name_, looked_, prefix_, what_) \
	static Err *check_##name_(const ServiceHome *home, Db *db, Arena *a, \
	                          ServiceFinding *found) \
	{ \
		BrokenRow *rows; \
		size_t n; \
\
		(void)home; \
		TRY(count(db, a, looked_, found)); \
		TRY(db_all(db, a, fsck_##name_, &rows, &n, .most = MOST)); \
		tell(found, prefix_, what_, rows, n); \
		return NULL; \
	}

CHECK_ROWS(attempts, DELIVERIES, "dlv_", "has another number of attempts than it says")
CHECK_ROWS(sending, DELIVERIES, "dlv_", "does not agree with its attempts")
CHECK_ROWS(once, DELIVERIES, "dlv_", "was taken twice")
CHECK_ROWS(taken, DELIVERIES, "dlv_", "was taken by nobody")
CHECK_ROWS(timeline, DELIVERIES, "dlv_", "has a timeline with holes")
CHECK_ROWS(alive, DELIVERIES, "dlv_", "is waited for by no job")
CHECK_ROWS(expanding, NOTIFICATIONS, "ntf_", "is waited for by no job")
CHECK_ROWS(digest_left, DELIVERIES, "dlv_", "was left in a digest that is closed")
CHECK_ROWS(digest_open, DIGESTS, "digest ", "is closed by no job")
CHECK_ROWS(digest_sent, DIGESTS, "digest ", "was closed and gave no notification")

static Err *check_templates(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	FsckTemplatesRow *rows;
	size_t n;

	(void)home;
	TRY(count(db, a, TEMPLATES, found));
	TRY(db_all(db, a, fsck_templates, &rows, &n, .most = MOST));
	for (size_t i = 0; i < n; i++)
		service_wrong(found, "template %.*s lacks a version", STR_ARG(rows[i].name));
	return NULL;
}

static const ServiceCheck checks[] = {
	{ "notification.expanded", check_expanding,
	  "what was accepted has a job that makes its deliveries" },
	{ "delivery.alive", check_alive, "what is to go out has a job that sends it" },
	{ "delivery.attempts", check_attempts, "a delivery has as many attempts as it says" },
	{ "delivery.sending", check_sending,
	  "whatever is being sent has one attempt without an outcome" },
	{ "delivery.taken", check_taken, "what is accepted was taken by a provider" },
	{ "delivery.once", check_once,
	  "no transactional or bulk message was taken twice by providers" },
	{ "delivery.timeline", check_timeline, "every change of a state is in the timeline" },
	{ "digest.closed", check_digest_left, "a closed digest has nothing left in it" },
	{ "digest.open", check_digest_open, "an open digest has a job that closes it" },
	{ "digest.sent", check_digest_sent,
	  "a digest that was closed with something in it gave one notification" },
	{ "template.versions", check_templates, "no version of a template is lost" },
};

const ServiceCheck *notification_checks(size_t *n)
{
	*n = COUNT(checks);
	return checks;
}
