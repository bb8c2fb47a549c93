/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker threads and one bounded queue between them and the loops.
 *
 * A job is a struct in the frame of the fiber that waits for it, so a job costs no memory; that is also why the fiber
 * must not go on before the job is back. Until a worker took it, cancelling withdraws it. After that the fiber waits on,
 * shielded, and sees the cancellation at its next park (rule 4). A full queue refuses at once: waiting behind 256 password
 * hashes would only hide that there are too few workers. */
#include "rt/work.h"

#include "rt/work_int.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Job {
	Node node; /* in pool.queue until a worker takes it */
	WorkFn *fn;
	void *arg;
	Loop *loop;
	Fiber *fiber;
	bool done; /* the loop's thread only */
} Job;

static struct {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t filled;
	List queue;
	pthread_t *threads;
	bool stopping;
	uint32_t idle;
	WorkStats stats;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER };

static Err full = ERR_STATIC(BUSY, "rt.workers_full", "too many jobs waited for a worker thread");

/* --- workers -------------------------------------------------------------------------------------------------------- */

static void job_back(void *arg)
{
	Job *job = arg;

	job->done = true;
	fiber_wake(job->fiber);
}

/* Called with the lock held; NULL when the pool stops. */
static Job *job_await(void)
{
	while (list_empty(&pool.queue) && !pool.stopping) {
		pool.idle++;
		pthread_cond_wait(&pool.filled, &pool.lock);
		pool.idle--;
	}
	return LIST_TAKE(&pool.queue, Job, node);
}

static void *worker_main(void *arg)
{
	Job *job;
	char name[16];

	snprintf(name, sizeof name, "worker-%u", (unsigned)(uintptr_t)arg);
	pthread_setname_np(pthread_self(), name);
	pthread_mutex_lock(&pool.lock);
	while ((job = job_await())) {
		Loop *loop = job->loop;

		pool.stats.queued--;
		pool.stats.busy++;
		pthread_mutex_unlock(&pool.lock);
		job->fn(job->arg);
		pthread_mutex_lock(&pool.lock);
		pool.stats.busy--;
		pool.stats.done++;
		loop_post(loop, job_back,
		          job); /* after it was counted, so that its fiber sees it so */
	}
	pthread_mutex_unlock(&pool.lock);
	return NULL;
}

void workers_start(unsigned threads, unsigned queue)
{
	list_init(&pool.queue);
	pool.stopping = false;
	pool.stats = (WorkStats){ .queue_max = queue, .threads = threads };
	pool.threads = calloc(threads, sizeof *pool.threads);
	for (unsigned i = 0; i < threads; i++) {
		if (!pool.threads || pthread_create(&pool.threads[i], NULL, worker_main,
		                                    (void *)(uintptr_t)i) != 0) {
			fputs("banyan: worker threads could not be started\n", stderr);
			abort();
		}
	}
}

void workers_stop(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.stopping = true;
	pthread_cond_broadcast(&pool.filled);
	pthread_mutex_unlock(&pool.lock);
	for (unsigned i = 0; i < pool.stats.threads; i++)
		pthread_join(pool.threads[i], NULL);
	free(pool.threads);
	pool.threads = NULL;
	pool.stats.threads = 0;
}

/* --- fibers --------------------------------------------------------------------------------------------------------- */

static Err *job_submit(Job *job)
{
	bool refused;

	pthread_mutex_lock(&pool.lock);
	refused = pool.stats.queued >= pool.stats.queue_max;
	if (refused) {
		pool.stats.refused++;
	} else {
		list_add(&pool.queue, &job->node);
		pool.stats.queued++;
		if (pool.idle)
			pthread_cond_signal(&pool.filled);
	}
	pthread_mutex_unlock(&pool.lock);
	return refused ? &full : NULL;
}

/* False when a worker has it. */
static bool job_withdraw(Job *job)
{
	bool queued;

	pthread_mutex_lock(&pool.lock);
	queued = node_linked(&job->node);
	if (queued) {
		list_remove(&job->node);
		pool.stats.queued--;
	}
	pthread_mutex_unlock(&pool.lock);
	return queued;
}

static void job_join(const Job *job)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	while (!job->done)
		if (fiber_park())
			continue; /* cannot be: shielded, no deadline */
}

Err *work_run(WorkFn *fn, void *arg)
{
	Job job = { .fn = fn, .arg = arg, .loop = loop_self(), .fiber = fiber_self() };
	Err *err;

	if (fiber_cancelled())
		TRY(fiber_park()); /* says so without parking */
	TRY(job_submit(&job));
	while (!job.done) {
		err = fiber_park();
		if (err && !job.done && job_withdraw(&job))
			return err;
		if (err)
			job_join(&job);
	}
	return NULL;
}

WorkStats work_stats(void)
{
	WorkStats stats;

	pthread_mutex_lock(&pool.lock);
	stats = pool.stats;
	pthread_mutex_unlock(&pool.lock);
	return stats;
}
