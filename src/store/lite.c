/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite as an engine: a writer's thread, readers' threads, and one that looks after the log. What writes goes to the writer's
 * queue, what only reads to the readers'. Inside a transaction's function statements run where the function runs, on the
 * connection that is the transaction's state.
 *
 * Isolation is serializable whatever is asked for: writers come one after another, and readers see one moment. */
#include "store/lite_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "rt/work.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUEUE = 1024, READERS_LEAST = 2, GROUP_US = 4000, KEPT_BYTES = 4 << 20 };

static LiteDb *lite_of(Db *db)
{
	return CONTAINER(db->root, LiteDb, db);
}

/* --- jobs -------------------------------------------------------------------------------------------------------------- */

Err *lite_job_calls(LiteConn *conn, LiteJob *job)
{
	for (size_t i = 0; i < job->count; i++) {
		db_call_begin(&job->calls[i]);
		TRY(lite_conn_call(conn, &job->calls[i]));
	}
	return NULL;
}

/* A batch that only reads, on a reader: all of one moment. */
static Err *job_reads(LiteConn *conn, LiteJob *job)
{
	Err *err;

	TRY(lite_conn_script(conn, job->a, "begin"));
	err = lite_job_calls(conn, job);
	sqlite3_exec(conn->db, "rollback", NULL, NULL, NULL);
	return err;
}

Err *lite_job_txn(LiteConn *conn, LiteJob *job)
{
	return db_txn_body(job->root, job->txn, conn, &job->told);
}

static Err *job_snapshot(LiteConn *conn, LiteJob *job)
{
	Err *err;

	TRY(lite_conn_script(conn, job->a, "begin"));
	err = lite_job_txn(conn, job);
	sqlite3_exec(conn->db, "rollback", NULL, NULL, NULL);
	return err;
}

static Err *queue_run(Db *root, bool reads, LiteJob *job)
{
	LiteDb *lite = lite_of(root);

	job->root = root;
	job->mark = arena_mark(job->a);
	return lite_queue_run(reads ? &lite->reads : &lite->writes, job);
}

/* --- the engine's functions -------------------------------------------------------------------------------------------- */

static Err *run(Db *db, DbCall *call)
{
	LiteJob job = { .fn = lite_job_calls,
		        .a = call->a,
		        .calls = call,
		        .count = 1,
		        .alone = call->sql->kind == SQL_EXEC };

	bool done;

	if (db->depth)
		return lite_conn_call(db->state, call);
	if (call->sql->reads && !call->each && fiber_self()) {
		TRY(lite_near_call(lite_of(db), call, &done));
		if (done)
			return NULL;
	}
	return queue_run(db, call->sql->reads, &job);
}

static Err *batch(Db *db, Arena *a, DbCall *calls, size_t count)
{
	LiteJob job = { .a = a, .calls = calls, .count = count };
	bool reads = true;

	if (db->depth)
		return lite_job_calls(db->state, &job);
	for (size_t i = 0; i < count; i++)
		reads &= calls[i].sql->reads;
	job.fn = reads ? job_reads : lite_job_calls;
	return queue_run(db, reads, &job);
}

static Err *txn(Db *root, const DbTxn *txn)
{
	bool reads = txn->isolation == DB_SNAPSHOT;
	LiteJob job = { .fn = reads ? job_snapshot : lite_job_txn, .a = txn->a, .txn = txn };

	return queue_run(root, reads, &job);
}

static Err *save(Db *tx, Arena *a, DbSave what)
{
	static const char *const texts[] = {
		[DB_SAVE] = "savepoint s%u",
		[DB_RELEASE] = "release s%u",
		[DB_BACK] = "rollback to s%u; release s%u",
	};
	char text[64];

	/* the formats are those above */
	sqlite3_snprintf(sizeof text, text, texts[what], tx->depth, tx->depth);
	return lite_conn_script(tx->state, a, text);
}

/* One writes at a time, so whoever writes holds every lock there is. */
static Err *lock(Db *tx, Arena *a, Str name)
{
	(void)tx;
	(void)a;
	(void)name;
	return NULL;
}

static Err *script(Db *tx, Arena *a, const char *text)
{
	return lite_conn_script(tx->state, a, text);
}

typedef struct PlanJob {
	LiteJob job;
	const Sql *sql;
	DbPlan *out;
} PlanJob;

static Err *job_plan(LiteConn *conn, LiteJob *job)
{
	PlanJob *plan = CONTAINER(job, PlanJob, job);

	return lite_conn_plan(conn, job->a, plan->sql, plan->out);
}

static Err *plan(Db *db, Arena *a, const Sql *sql, DbPlan *out)
{
	PlanJob plan = { { .fn = job_plan, .a = a, .alone = true }, sql, out };

	return db->depth ? lite_conn_plan(db->state, a, sql, out) : queue_run(db, false, &plan.job);
}

typedef struct StatusJob {
	LiteJob job;
	DbStatus *out;
} StatusJob;

static uint64_t file_bytes(Arena *a, const char *path, const char *suffix)
{
	struct stat st;

	return stat(str_z(a, str_fmt(a, "%s%s", path, suffix)), &st) == 0 ? (uint64_t)st.st_size
	                                                                  : 0;
}

static Err *job_status(LiteConn *conn, LiteJob *job)
{
	DbStatus *out = CONTAINER(job, StatusJob, job)->out;

	*out = (DbStatus){
		.version = str_fmt(job->a, "SQLite %s", sqlite3_libversion()),
		.where = str_dup(job->a, str_of(conn->path)),
		.bytes = file_bytes(job->a, conn->path, ""),
		.log_bytes = file_bytes(job->a, conn->path, "-wal"),
		.read_only = access(conn->path, W_OK) != 0,
	};
	return NULL;
}

static Err *status(Db *root, Arena *a, DbStatus *out)
{
	StatusJob status = { { .fn = job_status, .a = a, .alone = true }, out };

	return queue_run(root, true, &status.job);
}

static Err *job_check(LiteConn *conn, LiteJob *job)
{
	return lite_care_check(conn, job->a);
}

static Err *check(Db *root, Arena *a)
{
	LiteJob job = { .fn = job_check, .a = a, .alone = true };

	return queue_run(root, true, &job);
}

/* --- opening and closing ----------------------------------------------------------------------------------------------- */

typedef struct Opening {
	LiteDb *lite;
	Arena *a;
	const DbConf *conf;
	Err *err;
} Opening;

static Err *open_writer(LiteDb *lite, Arena *a, const DbConf *conf)
{
	bool check = false;

	TRY(lite_care_begin(lite, a, conf->create, &check));
	lite_near_begin(lite);
	TRY(lite_conn_open(&lite->writer, a, lite->path, LITE_WRITER));
	TRY(lite_conn_open(&lite->care, a, lite->path, LITE_WRITER));
	if (!check)
		return NULL;
	log_info("database %s was not closed in order: it is read through before it serves",
	         lite->path);
	return lite_care_check(&lite->writer, a);
}

static void open_job(void *arg)
{
	Opening *opening = arg;

	opening->err = open_writer(opening->lite, opening->a, opening->conf);
}

static void thread_start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	if (pthread_create(thread, NULL, fn, arg) != 0)
		abort();
}

static void threads_start(LiteDb *lite)
{
	lite->started = true;
	thread_start(&lite->writer_thread, lite_writer_main, lite);
	thread_start(&lite->care_thread, lite_care_main, lite);
	for (unsigned i = 0; i < lite->reader_count; i++) {
		lite->readers[i].lite = lite;
		thread_start(&lite->readers[i].thread, lite_reader_main, &lite->readers[i]);
	}
}

/* Blocks: joins threads, carries over the log. */
static void close_job(void *arg)
{
	LiteDb *lite = arg;

	if (lite->started) {
		lite_queue_stop(&lite->writes);
		lite_queue_stop(&lite->reads);
		pthread_mutex_lock(&lite->care_lock);
		lite->care_stopping = true;
		pthread_cond_signal(&lite->care_due);
		pthread_mutex_unlock(&lite->care_lock);
		pthread_join(lite->writer_thread, NULL);
		pthread_join(lite->care_thread, NULL);
		for (unsigned i = 0; i < lite->reader_count; i++)
			pthread_join(lite->readers[i].thread, NULL);
	}
	for (unsigned i = 0; i < rt_loops(); i++)
		lite_conn_close(&lite->near[i].conn);
	lite_conn_close(&lite->care);
	lite_conn_close(&lite->writer);
	lite_near_end(lite);
	if (lite->lock_fd >= 0)
		close(lite->lock_fd);
}

static void close_db(Db *db)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);
	LiteDb *lite = lite_of(db);
	Err *err = work_run(close_job, lite);

	if (err)
		close_job(lite); /* no worker is free: rather block than leak */
	lite_queue_fini(&lite->writes);
	lite_queue_fini(&lite->reads);
	pthread_cond_destroy(&lite->care_due);
	pthread_mutex_destroy(&lite->care_lock);
	db_fini(&lite->db);
	free((char *)lite->path);
	free(lite->readers);
	free(lite->near);
	free(lite);
}

static void configure_once(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
	               0); /* a lock that every allocation of every thread would take */
	sqlite3_initialize();
	/* A group of transactions takes hundreds of kilobytes and frees them. Given back to the system each time, they come back a page
	 * fault a page: half of what a write costs. */
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	lite_near_register();
}

static LiteDb *lite_new(const DbConf *conf, Str path)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	LiteDb *lite = calloc(1, sizeof *lite);
	uint32_t most = conf->queue ? conf->queue : QUEUE;

	pthread_once(&once, configure_once);
	if (!lite)
		abort();
	db_init(&lite->db, lite_engine(), conf->name.len ? conf->name : S("main"));
	lite->path = strndup(path.at, path.len);
	lite->lock_fd = -1;
	lite->group_us = GROUP_US;
	lite->reader_count =
		conf->connections ? conf->connections : MAX(rt_loops(), (unsigned)READERS_LEAST);
	lite->readers = calloc(lite->reader_count, sizeof *lite->readers);
	lite->near = calloc(rt_loops(), sizeof *lite->near);
	if (!lite->path || !lite->readers || !lite->near)
		abort();
	lite_queue_init(&lite->writes, most, lite->db.cells);
	lite_queue_init(&lite->reads, most, lite->db.cells);
	pthread_mutex_init(&lite->care_lock, NULL);
	pthread_cond_init(&lite->care_due, NULL);
	return lite;
}

static Err *path_of(Arena *a, Str url, Str *path)
{
	*path = str_sub(url, strlen("sqlite:"), url.len);
	if (path->len && !memchr(path->at, '?', path->len) && !memchr(path->at, 0, path->len) &&
	    path->at[0] != ':' && !str_starts(*path, S("//")))
		return NULL;
	return db_err(a, DB_URL, NULL, "sqlite: is followed by the path of a file, not by \"%.*s\"",
	              STR_ARG(*path));
}

static Err *verify(Arena *a, Str url)
{
	Str path;

	return path_of(a, url, &path);
}

static Err *restore(Arena *a, Str url, Str from, Str *kept)
{
	Str path;

	TRY(path_of(a, url, &path));
	return lite_care_restore(a, str_z(a, path), from, kept);
}

static Err *open_db(Arena *a, const DbConf *conf, Db **out)
{
	Opening opening = { .a = a, .conf = conf };
	Str path;
	Err *err;

	TRY(path_of(a, conf->url, &path));
	opening.lite = lite_new(conf, path);
	err = work_run(open_job, &opening);
	if (!err)
		err = opening.err;
	if (err) {
		close_db(&opening.lite->db);
		return err;
	}
	threads_start(opening.lite);
	*out = &opening.lite->db;
	return NULL;
}

const DbEngine *lite_engine(void)
{
	static const char *const schemes[] = { "sqlite:", NULL };
	static const DbEngine engine = {
		.id = SQL_SQLITE,
		.name = "sqlite",
		.schemes = schemes,
		.verify = verify,
		.open = open_db,
		.close = close_db,
		.run = run,
		.batch = batch,
		.txn = txn,
		.save = save,
		.lock = lock,
		.script = script,
		.plan = plan,
		.status = status,
		.check = check,
		.backup = lite_care_backup,
		.restore = restore,
	};

	return &engine;
}
