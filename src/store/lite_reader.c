/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers: threads with a connection each, which see whatever was committed before they begin, and never wait for the writer
 * nor make it wait. A reader opens its connection at its first job, and again after one that broke it (a disk that was full or
 * away), so that a database comes back to life by itself. */
#include "store/lite_int.h"

#include "base/arena.h"

#include <stdio.h>

static Err *ready(LiteReader *reader, Arena *a)
{
	Err *err;

	if (reader->open)
		return NULL;
	err = lite_conn_open(&reader->conn, a, reader->lite->path, LITE_READER);
	if (err)
		lite_conn_close(&reader->conn);
	else
		reader->open = true;
	return err;
}

static bool broke(const Err *err)
{
	static const char *const slugs[] = { "db.io", "db.corrupt", "db.full_disk",
		                             "db.read_only" };

	for (size_t i = 0; i < COUNT(slugs); i++)
		if (err_is(err, slugs[i]))
			return true;
	return false;
}

static void do_job(LiteReader *reader, LiteJob *job)
{
	job->err = ready(reader, job->a);
	if (!job->err) {
		reader->conn.job = job;
		job->err = job->fn(&reader->conn, job);
		reader->conn.job = NULL;
	}
	if (reader->open && job->err && broke(job->err)) {
		lite_conn_close(&reader->conn);
		reader->open = false;
	}
}

void *lite_reader_main(void *arg)
{
	LiteReader *reader = arg;
	LiteJob *job;

	pthread_setname_np(pthread_self(), "db-reader");
	while ((job = lite_queue_await(&reader->lite->reads))) {
		do_job(reader, job);
		lite_jobs_back(job);
	}
	if (reader->open)
		lite_conn_close(&reader->conn);
	return NULL;
}
