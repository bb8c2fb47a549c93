/* SPDX-License-Identifier: Apache-2.0
 *
 * The pool that hashes passwords: a few threads with memory of their own, one bounded queue, fibers that wait.
 *
 * Why not the runtime's workers: a hash takes fifty milliseconds and twenty megabytes. Behind a queue of logins nobody's file
 * would be read, and as many hashes as there are threads would want memory at once. Here both are fixed when the pool opens:
 * each thread maps what the costliest stored string may ask for, and touches what its job needs; the pages of a quiet pool go
 * back to the kernel after a while. What does not fit the queue is refused at once with 503, and counted: an attack on the login
 * then costs its share of processor and nothing else.
 *
 * A job is a struct in the frame of the fiber that waits (as in rt/work.c): until a thread has taken it, cancelling withdraws
 * it; after that the fiber waits for the thread, shielded.
 *
 * Somebody and nobody must take equally long. A login that nobody has is checked against a decoy: the recipe, not the digest, of
 * a stored string picked by the login from a sample of those there are. So whoever asks twice waits equally long twice, and among
 * unknown names the slow formats are as frequent as among known ones. The sample is sorted by its costs and the login's hash is a
 * place in it: another sample, or another process, picks the same cost for all but the few names at the borders. The key of the
 * hash must be the same in all processes, and a secret: who knew it could tell what a name would cost if nobody had it. */
#include "auth/password.h"

#include "auth/password_int.h"
#include "base/arena.h"
#include "base/conf.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/rand.h"
#include "base/time.h"
#include "obs/metric.h"
#include "rt/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { DECOYS = 256, QUIET_S = 10 };

typedef enum JobKind { JOB_MATCH, JOB_MAKE, JOB_WRAP } JobKind;

typedef struct Job {
	Node node; /* in pool.queue until a thread takes it */
	JobKind kind;
	PasswordPool *pool;
	const Recipe *recipe;
	Str stored;
	Str password;
	Loop *loop;
	Fiber *fiber;
	int64_t queued_us;
	bool match;
	bool failed;
	char room[PASSWORD_STORED_MAX_BYTES +
	          512]; /* what was made, or why not: no arena is two threads' at once */
	size_t room_bytes;
	bool done; /* the loop's thread only */
} Job;

typedef struct Decoys {
	Arena *arena;
	const Recipe *at[DECOYS];
	size_t count;
} Decoys;

typedef struct Cook {
	PasswordPool *pool;
	void *memory;
	bool warm; /* pages of it are in use */
	pthread_t thread;
} Cook;

struct PasswordPool {
	PasswordConf conf;
	RecipeLimits limits;
	size_t map_bytes;
	uint64_t decoy_key;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t filled;
	List queue;
	uint32_t queued;
	uint32_t idle;
	bool stopping;
	Decoys *decoys;
	MetricCell cells_queued, cells_busy, cells_refused, cells_wait;
	MetricCell cells_work[PASSWORD_FORMAT_COUNT];
	uint32_t started;
	Cook cooks[];
};

static Err full = ERR_STATIC(BUSY, "auth.password_busy", "too many passwords waited to be checked");

/* --- settings and metrics ------------------------------------------------------------------------------------------ */

static const ConfKey keys[] = {
	{ "workers", CONF_UINT, AT(PasswordConf, workers), .def = "2", .min = "1", .max = "64",
	  .help = "threads that hash passwords, one password each at a time" },
	{ "queue", CONF_UINT, AT(PasswordConf, queue), .def = "64", .min = "1", .max = "10000",
	  .help = "logins that may wait for one; beyond it 503 auth.password_busy" },
	{ "memory", CONF_BYTES, AT(PasswordConf, memory_bytes), .def = "19MiB", .min = "7MiB",
	  .max = "1GiB", .help = "that argon2id takes for a new password" },
	{ "passes", CONF_UINT, AT(PasswordConf, passes), .def = "2", .min = "1", .max = "16",
	  .help = "of argon2id over that memory" },
	{ "most_memory", CONF_BYTES, AT(PasswordConf, most_memory_bytes), .def = "128MiB",
	  .min = "16MiB", .max = "2GiB",
	  .help = "that a password taken over from another system may ask for" },
};

static void check_conf(Conf *conf, void *object)
{
	const PasswordConf *c = object;

	if (c->most_memory_bytes < c->memory_bytes)
		conf_mistake(conf, &c->most_memory_bytes, "most_memory is less than memory");
	if (c->memory_bytes / 1024 * c->passes > 1024 * 1024)
		conf_mistake(conf, &c->passes,
		             "memory times passes is above 1GiB: a login would take seconds");
}

const ConfTable *password_conf_table(void)
{
	static const ConfTable table = { "password", CONF_ROWS(PasswordConf, keys),
		                         .check = check_conf, .help = "how passwords are hashed" };

	return &table;
}

enum { QUEUED, BUSY, REFUSED, WAIT, WORK };

static const MetricFamily families[] = {
	[QUEUED] = { "banyan_password_queued", METRIC_GAUGE, "passwords",
	             "Passwords that wait for a thread" },
	[BUSY] = { "banyan_password_busy", METRIC_GAUGE, "passwords",
	           "Passwords that are hashed at this moment" },
	[REFUSED] = { "banyan_password_refused_total", METRIC_COUNTER, "passwords",
	              "Passwords refused because the queue was full" },
	[WAIT] = { "banyan_password_wait_seconds", METRIC_HISTOGRAM, "seconds",
	           "How long passwords waited for a thread" },
	[WORK] = { "banyan_password_seconds",
	           METRIC_HISTOGRAM,
	           "seconds",
	           "How long one took, by the format of what was stored",
	           { "format" } },
};

const MetricFamily *password_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

void password_put_metrics(Buf *out)
{
	metrics_put_markdown(out, families, COUNT(families));
}

static void take_cells(PasswordPool *pool)
{
	pool->cells_queued = metric_cell(&families[QUEUED], NULL, 0);
	pool->cells_busy = metric_cell(&families[BUSY], NULL, 0);
	pool->cells_refused = metric_cell(&families[REFUSED], NULL, 0);
	pool->cells_wait = metric_cell(&families[WAIT], NULL, 0);
	for (unsigned i = 0; i < PASSWORD_FORMAT_COUNT; i++) {
		Str label = str_of(password_format_name(i));

		pool->cells_work[i] = metric_cell(&families[WORK], &label, 1);
	}
}

static void free_cells(PasswordPool *pool)
{
	metric_cell_free(pool->cells_queued);
	metric_cell_free(pool->cells_busy);
	metric_cell_free(pool->cells_refused);
	metric_cell_free(pool->cells_wait);
	for (unsigned i = 0; i < PASSWORD_FORMAT_COUNT; i++)
		metric_cell_free(pool->cells_work[i]);
}

/* --- threads ------------------------------------------------------------------------------------------------------- */

static void job_back(void *arg)
{
	Job *job = arg;

	job->done = true;
	fiber_wake(job->fiber);
}

static Err *job_work(Job *job, Arena *scratch, Str *made)
{
	uint64_t memory_kib = job->pool->conf.memory_bytes / 1024;
	uint64_t passes = job->pool->conf.passes;

	switch (job->kind) {
	case JOB_MATCH:
		return recipe_match(scratch, job->recipe, job->password, &job->match);
	case JOB_MAKE:
		return recipe_make(scratch, memory_kib, passes, job->password, made);
	case JOB_WRAP:
		return recipe_wrap(scratch, job->stored, job->recipe, memory_kib, passes, made);
	}
	return NULL;
}

static void job_work_done(Job *job, Arena *scratch)
{
	Str said = S("");
	Err *err = job_work(job, scratch, &said);

	if (err)
		said = err->text;
	job->failed = err != NULL;
	job->room_bytes = MIN(said.len, sizeof job->room);
	if (job->room_bytes)
		memcpy(job->room, said.at, job->room_bytes);
}

static void job_do(Job *job, Arena *scratch)
{
	PasswordFormat format = job->kind == JOB_MATCH ? job->recipe->format : PASSWORD_ARGON2;
	int64_t began_us = time_mono_us();
	PasswordPool *pool = job->pool;

	metric_observe_us(pool->cells_wait, began_us - job->queued_us);
	metric_add(pool->cells_busy, 1);
	job_work_done(job, scratch);
	metric_sub(pool->cells_busy, 1);
	metric_observe_us(pool->cells_work[format], time_mono_us() - began_us);
	arena_clear(scratch);
}

/* Called with the lock held, which it lets go meanwhile. */
static void cool_down(Cook *cook)
{
	cook->warm = false;
	pthread_mutex_unlock(&cook->pool->lock);
	madvise(cook->memory, cook->pool->map_bytes, MADV_DONTNEED);
	pthread_mutex_lock(&cook->pool->lock);
}

/* Called with the lock held. */
static void await_job(Cook *cook)
{
	PasswordPool *pool = cook->pool;
	struct timespec until;
	int late = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += QUIET_S;
	pool->idle++;
	if (cook->warm)
		late = pthread_cond_timedwait(&pool->filled, &pool->lock, &until);
	else
		pthread_cond_wait(&pool->filled, &pool->lock);
	pool->idle--;
	if (late && list_empty(&pool->queue))
		cool_down(cook);
}

/* Called with the lock held; NULL when the pool stops. */
static Job *next_job(Cook *cook)
{
	PasswordPool *pool = cook->pool;
	Job *job;

	while (list_empty(&pool->queue) && !pool->stopping)
		await_job(cook);
	job = LIST_TAKE(&pool->queue, Job, node);
	if (job)
		pool->queued--;
	cook->warm = true;
	return job;
}

static void *cook_main(void *arg)
{
	Cook *cook = arg;
	PasswordPool *pool = cook->pool;
	Arena *scratch = arena_new(0);
	Job *job;

	pthread_setname_np(pthread_self(), "password");
	kitchen_enter(cook->memory, pool->map_bytes);
	pthread_mutex_lock(&pool->lock);
	while ((job = next_job(cook))) {
		Loop *loop = job->loop;

		pthread_mutex_unlock(&pool->lock);
		metric_sub(pool->cells_queued, 1);
		job_do(job, scratch);
		loop_post(loop, job_back, job);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	arena_free(scratch);
	return NULL;
}

static Err *cook_start(Arena *a, PasswordPool *pool, Cook *cook)
{
	void *memory = mmap(NULL, pool->map_bytes, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int error;

	if (memory == MAP_FAILED)
		return err_errno(a, errno, "auth.password_memory",
		                 "no %zu bytes for a thread that hashes passwords",
		                 pool->map_bytes);
	*cook = (Cook){ .pool = pool, .memory = memory };
	error = pthread_create(&cook->thread, NULL, cook_main, cook);
	if (error) {
		munmap(memory, pool->map_bytes);
		return err_errno(a, error, "auth.password_threads", "no thread to hash passwords");
	}
	pool->started++;
	return NULL;
}

Err *password_pool_open(Arena *a, const PasswordConf *conf, PasswordPool **out)
{
	AUTO(password_pool_closep) PasswordPool *pool =
		calloc(1, sizeof *pool + conf->workers * sizeof(Cook));
	pthread_condattr_t attr;

	if (!pool)
		return err_errno(a, ENOMEM, "auth.password_memory", "no memory for passwords");
	pool->conf = *conf;
	pool->map_bytes = MAX(conf->most_memory_bytes, conf->memory_bytes);
	pool->limits.most_memory_kib = pool->map_bytes / 1024;
	rand_bytes(&pool->decoy_key, sizeof pool->decoy_key);
	list_init(&pool->queue);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->filled, &attr);
	pthread_condattr_destroy(&attr);
	take_cells(pool);
	for (uint32_t i = 0; i < conf->workers; i++)
		TRY(cook_start(a, pool, &pool->cooks[i]));
	*out = TAKE(pool);
	return NULL;
}

static void decoys_free(Decoys *decoys)
{
	if (decoys)
		arena_free(decoys->arena);
}

void password_pool_close(PasswordPool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
	for (uint32_t i = 0; i < pool->started; i++) {
		pthread_join(pool->cooks[i].thread, NULL);
		munmap(pool->cooks[i].memory, pool->map_bytes);
	}
	decoys_free(pool->decoys);
	free_cells(pool);
	pthread_cond_destroy(&pool->filled);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void password_pool_closep(PasswordPool **pool)
{
	password_pool_close(*pool);
}

/* --- fibers -------------------------------------------------------------------------------------------------------- */

static Err *job_submit(Job *job)
{
	PasswordPool *pool = job->pool;
	bool refused;

	pthread_mutex_lock(&pool->lock);
	refused = pool->queued >= pool->conf.queue;
	if (!refused) {
		list_add(&pool->queue, &job->node);
		pool->queued++;
		metric_add(pool->cells_queued, 1);
		if (pool->idle)
			pthread_cond_signal(&pool->filled);
	}
	pthread_mutex_unlock(&pool->lock);
	if (!refused)
		return NULL;
	metric_add(pool->cells_refused, 1);
	return &full;
}

/* False when a thread has it. */
static bool job_withdraw(Job *job)
{
	PasswordPool *pool = job->pool;
	bool queued;

	pthread_mutex_lock(&pool->lock);
	queued = node_linked(&job->node);
	if (queued) {
		list_remove(&job->node);
		pool->queued--;
		metric_sub(pool->cells_queued, 1);
	}
	pthread_mutex_unlock(&pool->lock);
	return queued;
}

static void job_join(const Job *job)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	while (!job->done)
		if (fiber_park())
			continue; /* cannot be: shielded, no deadline */
}

static Err *job_run(PasswordPool *pool, Arena *a, Job *job)
{
	Err *err;

	job->pool = pool;
	job->loop = loop_self();
	job->fiber = fiber_self();
	job->queued_us = time_mono_us();
	if (fiber_cancelled())
		TRY(fiber_park()); /* says so without parking */
	TRY(job_submit(job));
	while (!job->done) {
		err = fiber_park();
		if (err && !job->done && job_withdraw(job))
			return err;
		if (err)
			job_join(job);
	}
	return job->failed ? err_new(a, ERR_IO, "auth.password_work", "%.*s", (int)job->room_bytes,
	                             job->room)
	                   : NULL;
}

static Err *check_length(Arena *a, Str password)
{
	if (password.len <= PASSWORD_MAX_BYTES)
		return NULL;
	return err_new(a, ERR_INVALID, "auth.password_too_long",
	               "the password was longer than %d bytes", PASSWORD_MAX_BYTES);
}

/* What an account without a password is checked against: as costly as a new one. */
static Recipe own_decoy(const PasswordPool *pool)
{
	static const char salt[16], tag[32];

	return (Recipe){
		.work = WORK_ARGON2,
		.type = 2,
		.version = 0x13,
		.memory_kib = pool->conf.memory_bytes / 1024,
		.rounds = pool->conf.passes,
		.p = 1,
		.salt = { salt, sizeof salt },
		.tag = { tag, sizeof tag },
	};
}

static bool outdated(const PasswordPool *pool, const Recipe *r)
{
	return r->format != PASSWORD_ARGON2 || r->type != 2 || r->version != 0x13 ||
	       r->memory_kib * r->rounds < pool->conf.memory_bytes / 1024 * pool->conf.passes;
}

/* Of a password; DES' setting has 2 characters. */
static size_t bytes_that_count(const Recipe *r)
{
	if (r->work != WORK_CRYPT || r->first)
		return SIZE_MAX;
	return r->salt.len == 2 ? 8 : str_starts(r->salt, S("$2")) ? 72 : SIZE_MAX;
}

Err *password_verify(PasswordPool *pool, Arena *a, Str stored, Str password, PasswordOutcome *out)
{
	Job job = { .kind = JOB_MATCH, .password = password };
	PasswordFormat format;
	Recipe recipe = { 0 };
	bool none;

	TRY(check_length(a, password));
	TRY(recipe_read(a, stored, &pool->limits, &recipe, &format));
	none = recipe.format == PASSWORD_NONE;
	if (none)
		recipe = own_decoy(pool);
	job.recipe = &recipe;
	TRY(job_run(pool, a, &job));
	*out = (PasswordOutcome){
		.match = job.match && !none,
		.format = format,
		.outdated = !none && outdated(pool, &recipe),
		.weak = recipe.weak,
		.truncated = password.len > bytes_that_count(&recipe),
	};
	return NULL;
}

void password_decoy_key(PasswordPool *pool, uint64_t key)
{
	pthread_mutex_lock(&pool->lock);
	pool->decoy_key = key;
	pthread_mutex_unlock(&pool->lock);
}

/* Called with the lock held; there is a sample. */
static size_t decoy_place(const PasswordPool *pool, Str login)
{
	uint64_t hash = hash_stable(login, pool->decoy_key, ~pool->decoy_key);

	return (size_t)(((unsigned __int128)hash * pool->decoys->count) >> 64);
}

static int number_cmp(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

/* By all that a recipe's cost depends on. */
static int recipe_cmp(const void *left, const void *right)
{
	const Recipe *x = *(const Recipe *const *)left, *y = *(const Recipe *const *)right;
	const uint64_t a[] = { x->format, x->hash, x->rounds, x->memory_kib,
		               x->n,      x->r,    x->p,      x->tag.len };
	const uint64_t b[] = { y->format, y->hash, y->rounds, y->memory_kib,
		               y->n,      y->r,    y->p,      y->tag.len };
	int order = 0;

	for (size_t i = 0; i < COUNT(a) && !order; i++)
		order = number_cmp(a[i], b[i]);
	return order || x->work != WORK_CRYPT
	               ? order
	               : str_cmp(str_sub(x->salt, 0, 7), str_sub(y->salt, 0, 7));
}

/* A copy in `a`, as the sample may be renewed meanwhile; NULL: there is none. */
static const Recipe *pick_decoy(PasswordPool *pool, Arena *a, Str login)
{
	const Recipe *picked = NULL;

	pthread_mutex_lock(&pool->lock);
	if (pool->decoys && pool->decoys->count)
		picked = recipe_blur(a, pool->decoys->at[decoy_place(pool, login)]);
	pthread_mutex_unlock(&pool->lock);
	return picked;
}

Err *password_verify_nobody(PasswordPool *pool, Arena *a, Str login, Str password)
{
	Recipe own = own_decoy(pool);
	Job job = { .kind = JOB_MATCH, .password = password };

	TRY(check_length(a, password));
	job.recipe = pick_decoy(pool, a, login);
	if (!job.recipe)
		job.recipe = &own;
	return job_run(pool, a, &job);
}

void password_decoys(PasswordPool *pool, const Str *stored, size_t count)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	Arena *kept = arena_new(0);
	Decoys *decoys = ARENA_NEW(kept, Decoys), *before;
	PasswordFormat format;
	Recipe recipe;

	decoys->arena = kept;
	for (size_t i = 0; i < count && decoys->count < DECOYS; i++) {
		if (recipe_read(scratch, stored[i], &pool->limits, &recipe, &format))
			continue;
		if (recipe.format == PASSWORD_NONE)
			recipe = own_decoy(pool);
		decoys->at[decoys->count++] = recipe_blur(kept, &recipe);
	}
	qsort(decoys->at, decoys->count, sizeof(decoys->at[0]), recipe_cmp);
	pthread_mutex_lock(&pool->lock);
	before = pool->decoys;
	pool->decoys = decoys;
	pthread_mutex_unlock(&pool->lock);
	decoys_free(before);
}

Err *password_make(PasswordPool *pool, Arena *a, Str password, Str *stored)
{
	Job job = { .kind = JOB_MAKE, .password = password };

	TRY(check_length(a, password));
	TRY(job_run(pool, a, &job));
	*stored = str_dup(a, (Str){ job.room, job.room_bytes });
	return NULL;
}

Err *password_wrap(PasswordPool *pool, Arena *a, Str weak, Str *stored)
{
	Job job = { .kind = JOB_WRAP, .stored = weak };
	PasswordFormat format;
	Recipe recipe = { 0 };

	TRY(recipe_read(a, weak, &pool->limits, &recipe, &format));
	if (!recipe.weak)
		return err_new(a, ERR_INVALID, "auth.password_format",
		               "what was stored is not weak, nothing has to be wrapped");
	job.recipe = &recipe;
	TRY(job_run(pool, a, &job));
	*stored = str_dup(a, (Str){ job.room, job.room_bytes });
	return NULL;
}
