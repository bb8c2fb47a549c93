/* SPDX-License-Identifier: Apache-2.0
 *
 * From fibers to the threads of a SQLite database and back. As rt/work.c does it: a job is a struct in the frame of the fiber
 * that waits for it; while it is queued its fiber can take it back, after that the fiber waits until it is returned, and a
 * cancelled one only makes it end sooner (`ended`, which the connection looks at).
 *
 * What a fiber is told: how the job went. A job that was committed although its fiber had been cancelled meanwhile *is*
 * committed, and says so; the cancellation is seen at the fiber's next park. */
#include "store/lite_int.h"

#include "base/time.h"

#include <stdlib.h>

void lite_queue_init(LiteQueue *queue, uint32_t most, const DbCells *cells)
{
	*queue = (LiteQueue){ .most = most,
		              .queued = cells->queued,
		              .refused = cells->refused,
		              .wait = cells->wait };
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->filled, NULL);
	list_init(&queue->jobs);
}

void lite_queue_fini(LiteQueue *queue)
{
	pthread_cond_destroy(&queue->filled);
	pthread_mutex_destroy(&queue->lock);
}

void lite_queue_stop(LiteQueue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->stopping = true;
	pthread_cond_broadcast(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}

/* --- threads ----------------------------------------------------------------------------------------------------------- */

LiteJob *lite_queue_take(LiteQueue *queue)
{
	LiteJob *job = LIST_TAKE(&queue->jobs, LiteJob, node);

	if (!job)
		return NULL;
	queue->count--;
	metric_sub(queue->queued, 1);
	metric_observe_us(queue->wait, time_mono_us() - job->queued_us);
	return job;
}

LiteJob *lite_queue_await(LiteQueue *queue)
{
	LiteJob *job;

	pthread_mutex_lock(&queue->lock);
	while (list_empty(&queue->jobs) && !queue->stopping) {
		queue->idle++;
		pthread_cond_wait(&queue->filled, &queue->lock);
		queue->idle--;
	}
	job = lite_queue_take(queue);
	pthread_mutex_unlock(&queue->lock);
	return job;
}

static void jobs_back(void *arg)
{
	LiteJob *job = arg;

	while (job) {
		LiteJob *next = job->next;

		job->done = true;
		fiber_wake(job->fiber);
		job = next;
	}
}

/* Those of one loop are taken out of *jobs, in order. */
static LiteJob *take_of_loop(LiteJob **jobs, const Loop *loop)
{
	LiteJob *first = NULL, **end = &first;

	for (LiteJob **at = jobs; *at;) {
		LiteJob *job = *at;

		if (job->loop != loop) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		job->next = NULL;
		*end = job;
		end = &job->next;
	}
	return first;
}

void lite_jobs_back(LiteJob *jobs)
{
	while (jobs) {
		Loop *loop = jobs->loop;

		loop_post(loop, jobs_back, take_of_loop(&jobs, loop));
	}
}

/* --- fibers ------------------------------------------------------------------------------------------------------------ */

static bool job_submit(LiteQueue *queue, LiteJob *job)
{
	bool taken;

	job->queued_us = time_mono_us();
	pthread_mutex_lock(&queue->lock);
	taken = queue->count < queue->most && !queue->stopping;
	if (taken) {
		list_add(&queue->jobs, &job->node);
		queue->count++;
		if (queue->idle)
			pthread_cond_signal(&queue->filled);
	}
	pthread_mutex_unlock(&queue->lock);
	metric_add(taken ? queue->queued : queue->refused, 1);
	return taken;
}

/* False when a thread has it. */
static bool job_withdraw(LiteQueue *queue, LiteJob *job)
{
	bool queued;

	pthread_mutex_lock(&queue->lock);
	queued = node_linked(&job->node);
	if (queued) {
		list_remove(&job->node);
		queue->count--;
	}
	pthread_mutex_unlock(&queue->lock);
	if (queued)
		metric_sub(queue->queued, 1);
	return queued;
}

/* Until it is back; true when it was taken back from the queue instead, into which its group's end may put it again. */
static bool job_join(LiteQueue *queue, LiteJob *job)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	while (!job->done) {
		if (job_withdraw(queue, job))
			return true;
		if (fiber_park())
			continue; /* cannot be: shielded, no deadline */
	}
	return false;
}

Err *lite_queue_run(LiteQueue *queue, LiteJob *job)
{
	Err *ended = NULL;

	job->loop = loop_self();
	job->fiber = fiber_self();
	if (!job->fiber)
		return db_err(
			job->a, DB_MISUSE, NULL,
			"a transaction's function, or a thread without fibers, used the database");
	if (fiber_cancelled())
		TRY(fiber_park()); /* says so without parking */
	if (!job_submit(queue, job))
		return db_err(job->a, DB_BUSY, NULL, "%u calls waited for the database already",
		              queue->most);
	while (!job->done && !ended)
		ended = fiber_park();
	if (!ended)
		return job->err;
	__atomic_store_n(&job->ended, true, __ATOMIC_RELAXED);
	if (job_join(queue, job))
		return ended;
	return job->err && err_is(job->err, "rt.cancelled") ? ended : job->err;
}
