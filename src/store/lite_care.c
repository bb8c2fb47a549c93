/* SPDX-License-Identifier: Apache-2.0
 *
 * What a SQLite database needs beside reading and writing.
 *
 * The log (PATH-wal) is carried over into the database by a thread of its own, with a checkpoint that waits for nobody, each
 * time it has grown by CARRY_PAGES. When the log grows faster than that is done the writer does it too, between two commits:
 * then nothing is added meanwhile, and the log can begin anew. A reader that stays long in one moment holds both up; that is
 * why results are never streamed to clients (design, rule 7).
 *
 * PATH-lock is held, shared, by everyone who has the database open. Who gets it alone at the start and finds a log left behind
 * knows that the last one did not end in order (SQLite takes the log away when it does) and looks whether the file is whole.
 * Whoever puts another file in its place (restore) needs it alone too. */
#include "store/lite_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "rt/work.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CARRY_PAGES = 1000,  /* 4 MiB */
	WRITER_PAGES = 8000, /* the writer helps */
	COPY_PAGES = 512,    /* at a time */
	CHECK_LINE = 256,
};

/* --- files ------------------------------------------------------------------------------------------------------------- */

static DbErr what(int errnum)
{
	if (errnum == ENOSPC || errnum == EDQUOT)
		return DB_FULL_DISK;
	if (errnum == EROFS || errnum == EACCES || errnum == EPERM)
		return DB_READ_ONLY;
	return DB_IO;
}

static Err *file_err(Arena *a, const char *path, const char *doing)
{
	int errnum = errno;

	return db_err(a, what(errnum), NULL, "%s could not be %s: %s", path, doing,
	              strerror(errnum));
}

static bool folder_sync(Arena *a, const char *path)
{
	char *copy = (char *)str_z(a, str_of(path));
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

static Err *folders_make(Arena *a, const char *path)
{
	char *copy = (char *)str_z(a, str_of(path));

	for (char *at = strchr(copy + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			return file_err(a, copy, "made");
		*at = '/';
	}
	return NULL;
}

/* Never opens a file that is there: to close it again would take away the locks that this process may have on it. */
static Err *file_make(Arena *a, const char *path)
{
	int fd;

	TRY(folders_make(a, path));
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? NULL : file_err(a, path, "made");
	close(fd);
	return folder_sync(a, path) ? NULL : file_err(a, path, "made");
}

Err *lite_care_begin(LiteDb *lite, Arena *a, bool create, bool *check)
{
	const char *lock = str_z(a, str_fmt(a, "%s-lock", lite->path));
	struct stat st;

	if (stat(lite->path, &st) != 0) {
		if (errno != ENOENT)
			return file_err(a, lite->path, "opened");
		if (!create)
			return err_new(a, ERR_NOT_FOUND, "db.missing", "there is no database %s",
			               lite->path);
		TRY(file_make(a, lite->path));
	} else if (!S_ISREG(st.st_mode)) {
		return db_err(a, DB_URL, NULL, "%s is not a file", lite->path);
	}
	lite->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lite->lock_fd < 0)
		return file_err(a, lock, "made");
	if (flock(lite->lock_fd, LOCK_EX | LOCK_NB) == 0) {
		const char *log = str_z(a, str_fmt(a, "%s-wal", lite->path));

		*check = stat(log, &st) == 0 && st.st_size > 0;
	}
	return flock(lite->lock_fd, LOCK_SH) == 0 ? NULL : file_err(a, lock, "locked");
}

/* --- is it whole? ------------------------------------------------------------------------------------------------------ */

Err *lite_care_check(LiteConn *conn, Arena *a)
{
	sqlite3_stmt *stmt = NULL;
	char said[CHECK_LINE] = "";
	int code = sqlite3_prepare_v2(conn->db, "pragma quick_check(1)", -1, &stmt, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		snprintf(said, sizeof said, "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	if (code != SQLITE_ROW)
		return lite_err(conn, a, NULL, code);
	if (strcmp(said, "ok") != 0)
		return db_err(a, DB_CORRUPT, NULL, "%s is damaged: %s", conn->path, said);
	return NULL;
}

/* --- the log ----------------------------------------------------------------------------------------------------------- */

/* Says a failure once, and that it is over once. */
static void carry(LiteDb *lite, LiteConn *conn, bool *failing)
{
	int code = sqlite3_wal_checkpoint_v2(conn->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	bool failed =
		code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY && (code & 0xff) != SQLITE_LOCKED;

	metric_add(lite->db.cells->checkpoints, !failed);
	if (failed && !*failing)
		log_error("database %s: the log could not be carried over: %s", lite->path,
		          sqlite3_errmsg(conn->db));
	if (!failed && *failing)
		log_info("database %s: the log is carried over again", lite->path);
	*failing = failed;
}

void lite_care_log(LiteDb *lite, int pages)
{
	bool failing = true; /* the other thread says so */

	metric_set(lite->db.cells->log_bytes, (int64_t)pages * 4096);
	if (pages < lite->carried_pages)
		lite->carried_pages = 0;
	if (pages > lite->carried_pages + WRITER_PAGES) {
		lite->carried_pages = pages;
		carry(lite, &lite->writer, &failing);
	}
	pthread_mutex_lock(&lite->care_lock);
	lite->log_pages = pages;
	if (pages > CARRY_PAGES)
		pthread_cond_signal(&lite->care_due);
	pthread_mutex_unlock(&lite->care_lock);
}

void *lite_care_main(void *arg)
{
	LiteDb *lite = arg;
	bool failing = false;
	int tried = 0;

	pthread_setname_np(pthread_self(), "db-care");
	pthread_mutex_lock(&lite->care_lock);
	while (!lite->care_stopping) {
		if (lite->log_pages < tried)
			tried = 0;
		if (lite->log_pages <= tried + CARRY_PAGES) {
			pthread_cond_wait(&lite->care_due, &lite->care_lock);
			continue;
		}
		tried = lite->log_pages;
		pthread_mutex_unlock(&lite->care_lock);
		carry(lite, &lite->care, &failing);
		pthread_mutex_lock(&lite->care_lock);
	}
	pthread_mutex_unlock(&lite->care_lock);
	return NULL;
}

/* --- copies ------------------------------------------------------------------------------------------------------------ */

typedef struct Copy {
	const char *from;
	const char *part; /* the copy until it is whole */
	const char *to;
	Arena *a;
	Err *err;
} Copy;

static Err *copy_pages(LiteConn *from, LiteConn *to, Arena *a)
{
	sqlite3_backup *backup = sqlite3_backup_init(to->db, "main", from->db, "main");
	int code = SQLITE_OK;

	while (backup && code == SQLITE_OK)
		code = sqlite3_backup_step(backup, COPY_PAGES);
	if (!backup || sqlite3_backup_finish(backup) != SQLITE_OK || code != SQLITE_DONE)
		return lite_err(to, a, NULL, sqlite3_extended_errcode(to->db));
	return NULL;
}

/* From within one read transaction, so that it is of one moment and never begins anew. */
static Err *copy_all(LiteConn *from, LiteConn *to, Copy *copy)
{
	int64_t objects;

	TRY(lite_conn_open(from, copy->a, copy->from, LITE_READER));
	TRY(lite_conn_open(to, copy->a, copy->part, LITE_READER));
	TRY(lite_conn_script(to, copy->a, "pragma query_only = off"));
	TRY(lite_conn_script(from, copy->a, "begin"));
	TRY(lite_conn_int(from, copy->a, "select count(*) from sqlite_schema", &objects));
	TRY(copy_pages(from, to, copy->a));
	TRY(lite_conn_script(to, copy->a, "pragma journal_mode = delete"));
	return lite_care_check(to, copy->a);
}

static Err *copy_finish(const Copy *copy)
{
	int fd = open(copy->part, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	if (!good || renameat2(AT_FDCWD, copy->part, AT_FDCWD, copy->to, RENAME_NOREPLACE) != 0)
		return file_err(copy->a, copy->to, "written");
	return folder_sync(copy->a, copy->to) ? NULL : file_err(copy->a, copy->to, "written");
}

static void copy_job(void *arg)
{
	Copy *copy = arg;
	LiteConn from = { 0 }, to = { 0 };
	int fd = open(copy->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		copy->err = file_err(copy->a, copy->part, "made");
		return;
	}
	close(fd);
	copy->err = copy_all(&from, &to, copy);
	lite_conn_close(&to);
	lite_conn_close(&from);
	if (!copy->err)
		copy->err = copy_finish(copy);
	if (copy->err)
		unlink(copy->part);
}

Err *lite_care_backup(Db *root, Arena *a, Str path)
{
	Copy copy = { .from = CONTAINER(root, LiteDb, db)->path,
		      .a = a,
		      .to = str_z(a, path),
		      .part = str_z(a, str_fmt(a, "%.*s.part", STR_ARG(path))) };

	TRY(work_run(copy_job, &copy));
	return copy.err;
}

/* --- and back ---------------------------------------------------------------------------------------------------------- */

typedef struct Restore {
	const char *path, *from, *part;
	Str *kept;
	Arena *a;
	Err *err;
} Restore;

static Err *copy_bytes(const Restore *r)
{
	int from = open(r->from, O_RDONLY | O_CLOEXEC);
	int to = from < 0 ? -1 : open(r->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t got = -1;

	while (to >= 0 && (got = copy_file_range(from, NULL, to, NULL, 1 << 30, 0)) > 0)
		continue;
	if (got == 0)
		got = fsync(to);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return got == 0 ? NULL
	                : file_err(r->a, from < 0 ? r->from : r->part,
	                           from < 0 ? "read" : "written");
}

static Err *part_check(const Restore *r)
{
	LiteConn conn = { 0 };
	int64_t objects;
	Err *err = lite_conn_open(&conn, r->a, r->part, LITE_READER);

	if (!err)
		err = lite_conn_int(&conn, r->a, "select count(*) from sqlite_schema", &objects);
	if (!err)
		err = lite_care_check(&conn, r->a);
	lite_conn_close(&conn);
	return err;
}

/* The one before is moved aside, with its log, which belongs to it. */
static Err *put_aside(const Restore *r)
{
	AUTO(buf_fini) Buf b = { 0 };
	static const char *const suffixes[] = { "-wal", "" };
	const char *kept;
	struct stat st;

	*r->kept = S("");
	if (stat(r->path, &st) != 0)
		return NULL;
	buf_fmt(&b, "%s.before-%" PRId64, r->path, time_utc_us() / US_PER_S);
	*r->kept = str_dup(r->a, (Str){ b.at, b.len });
	kept = str_z(r->a, *r->kept);
	for (size_t i = 0; i < COUNT(suffixes); i++) {
		const char *old = str_z(r->a, str_fmt(r->a, "%s%s", r->path, suffixes[i]));
		const char *new = str_z(r->a, str_fmt(r->a, "%s%s", kept, suffixes[i]));

		if (rename(old, new) != 0 && errno != ENOENT)
			return file_err(r->a, old, "moved aside");
	}
	unlink(str_z(r->a, str_fmt(r->a, "%s-shm", r->path)));
	return NULL;
}

static Err *restore_locked(const Restore *r)
{
	TRY(put_aside(r));
	if (rename(r->part, r->path) != 0 || !folder_sync(r->a, r->path))
		return file_err(r->a, r->path, "put in its place");
	return NULL;
}

static Err *restore(const Restore *r)
{
	const char *lock = str_z(r->a, str_fmt(r->a, "%s-lock", r->path));
	Err *err;
	int fd;

	TRY(folders_make(r->a, r->path));
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return file_err(r->a, lock, "made");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		err = db_err(r->a, DB_BUSY, NULL, "%s is in use: stop whoever has it open first",
		             r->path);
	else
		err = copy_bytes(r);
	if (!err)
		err = part_check(r);
	if (!err)
		err = restore_locked(r);
	close(fd);
	if (err && !err_is(err, "db.busy"))
		unlink(r->part);
	return err;
}

static void restore_job(void *arg)
{
	Restore *r = arg;

	r->err = restore(r);
}

Err *lite_care_restore(Arena *a, const char *path, Str from, Str *kept)
{
	Restore r = { path, str_z(a, from), str_z(a, str_fmt(a, "%s.restore-part", path)), kept, a,
		      NULL };

	TRY(work_run(restore_job, &r));
	return r.err;
}
