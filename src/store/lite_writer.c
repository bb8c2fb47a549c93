/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer: one thread, one connection, group commit.
 *
 * A group is BEGIN IMMEDIATE, then the jobs that are queued, and those that come while it works, each under a savepoint of its
 * own, then one COMMIT: the one fsync that makes all of them durable. Jobs are told after it, so NULL means durable. A job that
 * fails is rolled back to its savepoint and does not disturb the others. A COMMIT that fails fails every job of its group.
 *
 * Some failures take the open transaction with them (a full disk, an I/O error, an interrupted write). Then the jobs of the
 * group that had done well are run again, each in a transaction of its own, so that only the one whose failure it was fails:
 * their functions may be run again, that is the contract of db_txn.
 *
 * BEGIN IMMEDIATE is where other processes are waited for, before a job is taken: until then its fiber can still take it back.
 * While the lock cannot be had jobs wait in the queue; after LOCKED_US they are told db.busy. */
#include "store/lite_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"

enum {
	GROUP_JOBS = 256,
	GATHER_US = 60,       /* a big group is followed by another: wait so long for it */
	LOCKED_US = 30000000, /* another process has the lock */
};

typedef struct Group {
	LiteDb *lite;
	LiteJob *jobs, **end; /* done, waiting for the commit */
	unsigned count;
	int64_t begun_us;
} Group;

/* --- one job ----------------------------------------------------------------------------------------------------------- */

static Err *under_savepoint(LiteConn *conn, LiteJob *job)
{
	Err *err, *undo;

	TRY(lite_conn_script(conn, job->a, "savepoint job"));
	err = job->fn(conn, job);
	if (lite_lost(conn))
		return err ? err : db_err(job->a, DB_IO, NULL, "the transaction ended on its way");
	undo = lite_conn_script(conn, job->a, err ? "rollback to job; release job" : "release job");
	return err ? err : undo;
}

static void do_job(LiteConn *conn, LiteJob *job)
{
	conn->job = job;
	job->told = 0;
	job->err = job->alone ? job->fn(conn, job) : under_savepoint(conn, job);
	conn->job = NULL;
}

/* --- a group ----------------------------------------------------------------------------------------------------------- */

static void group_add(Group *group, LiteJob *job)
{
	job->next = NULL;
	*group->end = job;
	group->end = &job->next;
	group->count++;
}

static LiteJob *group_take(Group *group)
{
	LiteJob *job = NULL;
	LiteQueue *queue = &group->lite->writes;
	unsigned most = group->lite->solo ? 1 : GROUP_JOBS;

	if (group->count >= most ||
	    (group->count && time_mono_us() - group->begun_us > group->lite->group_us))
		return NULL;
	pthread_mutex_lock(&queue->lock);
	job = lite_queue_take(queue);
	pthread_mutex_unlock(&queue->lock);
	if (job && group->lite->solo)
		group->lite->solo--;
	return job;
}

/* The transaction is gone. The last one, whose doing it was, keeps its error; the others go back to the head of the queue, in
 * their order, to be run one by one. */
static void group_broke(Group *group, LiteJob *culprit)
{
	LiteQueue *queue = &group->lite->writes;
	LiteJob *jobs = group->jobs, *back[GROUP_JOBS], *failed = culprit;
	unsigned count = 0;

	culprit->next = NULL;
	while (jobs) {
		LiteJob *job = jobs;

		jobs = job->next;
		if (job->err) {
			job->next = failed;
			failed = job;
		} else {
			back[count++] = job;
		}
	}
	pthread_mutex_lock(&queue->lock);
	group->lite->solo += count;
	for (unsigned i = count; i > 0; i--) {
		arena_reset(back[i - 1]->a, back[i - 1]->mark);
		list_push(&queue->jobs, &back[i - 1]->node);
		queue->count++;
		metric_add(queue->queued, 1);
	}
	pthread_mutex_unlock(&queue->lock);
	*group = (Group){ .lite = group->lite, .end = &group->jobs };
	lite_jobs_back(failed);
}

/* False when the group broke. */
static bool group_run(Group *group)
{
	LiteConn *conn = &group->lite->writer;
	LiteJob *job;

	while ((job = group_take(group))) {
		do_job(conn, job);
		if (lite_lost(conn)) {
			group_broke(group, job);
			return false;
		}
		group_add(group, job);
	}
	return true;
}

static void group_back(Group *group)
{
	for (LiteJob *job = group->jobs; job; job = job->next)
		if (!job->err && job->told)
			db_told(job->root, job->told);
	lite_jobs_back(group->jobs);
}

static void group_fail(Group *group, int code)
{
	for (LiteJob *job = group->jobs; job; job = job->next)
		if (!job->err)
			job->err = lite_err(&group->lite->writer, job->a, NULL, code);
}

static void group_commit(Group *group)
{
	LiteConn *conn = &group->lite->writer;
	int code = sqlite3_exec(conn->db, "commit", NULL, NULL, NULL);

	if (code == SQLITE_OK) {
		metric_add(group->lite->db.cells->commits, 1);
	} else {
		group_fail(group, code);
		if (!lite_lost(conn))
			sqlite3_exec(conn->db, "rollback", NULL, NULL, NULL);
	}
	group_back(group);
}

/* --- the thread -------------------------------------------------------------------------------------------------------- */

/* Every job there is fails with this. */
static void fail_all(LiteDb *lite, int code)
{
	Group group = { .lite = lite, .end = &group.jobs };
	LiteJob *job;

	lite->solo = 0;
	pthread_mutex_lock(&lite->writes.lock);
	while ((job = lite_queue_take(&lite->writes)))
		group_add(&group, job);
	pthread_mutex_unlock(&lite->writes.lock);
	group_fail(&group, code);
	lite_jobs_back(group.jobs);
}

/* Jobs may be taken back while this waits for the lock. */
static bool begin(LiteDb *lite)
{
	int64_t since_us = time_mono_us();
	int code;

	do {
		code = sqlite3_exec(lite->writer.db, "begin immediate", NULL, NULL, NULL);
	} while ((code & 0xff) == SQLITE_BUSY && time_mono_us() - since_us < LOCKED_US);
	if (code != SQLITE_OK)
		fail_all(lite, code);
	return code == SQLITE_OK;
}

/* After a big group its fibers come back with more: a moment's patience makes one group of them instead of two. */
static void gather(LiteQueue *queue, unsigned last)
{
	int64_t until_us = time_mono_us() + GATHER_US;

	pthread_mutex_lock(&queue->lock);
	while (queue->count < last / 2 && !queue->stopping && time_mono_us() < until_us) {
		struct timespec at;

		clock_gettime(CLOCK_REALTIME, &at);
		at.tv_nsec += GATHER_US * 1000;
		if (at.tv_nsec >= 1000000000) {
			at.tv_nsec -= 1000000000;
			at.tv_sec++;
		}
		queue->idle++;
		pthread_cond_timedwait(&queue->filled, &queue->lock, &at);
		queue->idle--;
	}
	pthread_mutex_unlock(&queue->lock);
}

/* Until there is something to do; false: stopping. */
static bool await(LiteQueue *queue)
{
	bool more;

	pthread_mutex_lock(&queue->lock);
	while (list_empty(&queue->jobs) && !queue->stopping) {
		queue->idle++;
		pthread_cond_wait(&queue->filled, &queue->lock);
		queue->idle--;
	}
	more = !list_empty(&queue->jobs);
	pthread_mutex_unlock(&queue->lock);
	return more;
}

static int on_log(void *lite, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	lite_care_log(lite, pages);
	return SQLITE_OK;
}

void *lite_writer_main(void *arg)
{
	LiteDb *lite = arg;
	unsigned last = 0;

	pthread_setname_np(pthread_self(), "db-writer");
	sqlite3_wal_hook(lite->writer.db, on_log, lite);
	while (await(&lite->writes)) {
		Group group = { .lite = lite, .end = &group.jobs };

		if (last > 4)
			gather(&lite->writes, last);
		if (!begin(lite))
			continue;
		group.begun_us = time_mono_us();
		if (group_run(&group))
			group_commit(&group);
		last = group.count;
	}
	return NULL;
}
