/* SPDX-License-Identifier: Apache-2.0
 *
 * Linked into every program of the check build in the place of gcc's own keeper of coverage (libgcov), which at the end of each process reads,
 * adds to and writes a file for each of the 700 objects in it: 8,000 system calls, a tenth of a second, and locks that all processes of a test
 * run wait for. Here all processes add what they counted to one shared map in memory, by atomic additions; when the tests are through,
 * scripts/test runs each program once with BANYAN_COVERAGE_WRITE, and that one writes the files that gcov reads, with the counts of all.
 *
 * gcc's side of it, for gcc 12 (gcc/libgcov.h): objects hand over what they have with __gcov_init when the program starts, and call
 * __gcov_exit when it ends. Without COVERAGE_COUNTS (a path; the build gives it) or with a gcc that is another nothing is counted, and
 * scripts/test says that no line was reached. */
#include <errno.h>
#include <fcntl.h>
#include <gcov.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GCOV_COUNTERS = 8, SLOTS = 1 << 14 };
#define MAP_BYTES ((size_t)256 << 20) /* of a file with holes */

typedef int64_t Counter;
typedef struct gcov_info Info;

typedef struct Counters {
	unsigned count;
	Counter *at;
} Counters;

typedef struct Function {
	const Info *key; /* another object's: that one's is the function that is linked */
	unsigned id, lines_sum, graph_sum;
	Counters arcs;
} Function;

struct gcov_info {
	unsigned version;
	Info *next;
	unsigned stamp, sum;
	const char *path; /* of the file that gcov will read */
	void (*merge[GCOV_COUNTERS])(Counter *, unsigned);
	unsigned function_count;
	const Function *const *functions;
};

/* Open addressing; never removed from. An entry is there once `key` is. */
typedef struct Slot {
	uint64_t key;
	uint64_t from; /* counters from the beginning of the counters */
	uint64_t count;
	uint64_t written;
} Slot;

typedef struct Shared {
	uint64_t used; /* counters */
	Slot slots[SLOTS];
	Counter counters[];
} Shared;

static Info *first;

void __gcov_init(Info *info);
void __gcov_exit(void);
pid_t __gcov_fork(void);
void __gcov_merge_add(Counter *counters, unsigned count);

void __gcov_init(Info *info)
{
	if (info->version >> 24 != 'B' || (info->version >> 16 & 0xff) != '2') /* "B2": gcc 12 */
		return;
	info->next = first;
	first = info;
}

/* Only its address is asked for. */
void __gcov_merge_add(Counter *counters, unsigned count)
{
	(void)counters, (void)count;
}

static Shared *shared_open(int *fd)
{
	Shared *shared;

	*fd = open(COVERAGE_COUNTS, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (*fd < 0 || ftruncate(*fd, (off_t)MAP_BYTES))
		return NULL;
	shared = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	return shared == MAP_FAILED ? NULL : shared;
}

static uint64_t key_of(const Info *info)
{
	uint64_t hash = 0xcbf29ce484222325U ^ info->stamp ^ (uint64_t)info->sum << 32;

	for (const char *at = info->path; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 0x100000001b3U;
	return hash | 1;
}

static uint64_t count_of(const Info *info)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < info->function_count; i++)
		if (info->functions[i] && info->functions[i]->key == info)
			count += info->functions[i]->arcs.count;
	return count;
}

static Slot *look(Shared *shared, uint64_t key)
{
	size_t i = key % SLOTS;

	for (size_t tries = 0; tries < SLOTS; tries++, i = (i + 1) % SLOTS) {
		uint64_t there = __atomic_load_n(&shared->slots[i].key, __ATOMIC_ACQUIRE);

		if (there == key || !there)
			return &shared->slots[i];
	}
	return NULL;
}

/* Of an object that no process had before. */
static Slot *take(Shared *shared, int fd, uint64_t key, uint64_t count)
{
	Slot *slot;

	while (flock(fd, LOCK_EX) && errno == EINTR)
		continue;
	slot = look(shared, key);
	if (slot && !slot->key) {
		if (sizeof *shared + (shared->used + count) * sizeof(Counter) > MAP_BYTES) {
			slot = NULL;
		} else {
			slot->from = shared->used;
			slot->count = count;
			shared->used += count;
			__atomic_store_n(&slot->key, key, __ATOMIC_RELEASE);
		}
	}
	flock(fd, LOCK_UN);
	return slot;
}

/* Gives this process's counts, and takes those of all when it is the one that writes. */
static void exchange(const Info *info, Counter *total, bool writes)
{
	for (unsigned i = 0; i < info->function_count; i++) {
		const Function *f = info->functions[i];

		if (!f || f->key != info)
			continue;
		for (unsigned k = 0; k < f->arcs.count; k++, total++) {
			if (f->arcs.at[k])
				__atomic_fetch_add(total, f->arcs.at[k], __ATOMIC_RELAXED);
			f->arcs.at[k] = writes ? *total : 0;
		}
	}
}

static void open_file(const char *path, void *arg)
{
	*(FILE **)arg = fopen(path, "we");
}

static void write_bytes(const void *bytes, unsigned count, void *arg)
{
	FILE *file = *(FILE **)arg;

	if (file)
		fwrite(bytes, 1, count, file);
}

static void *no_memory(unsigned bytes, void *arg)
{
	(void)bytes, (void)arg;
	abort(); /* only for kinds of counters that coverage has not */
}

static void write_file(const Info *info)
{
	FILE *file = NULL;

	__gcov_info_to_gcda(info, open_file, write_bytes, no_memory, &file);
	if (file)
		fclose(file);
}

static void one(Shared *shared, int fd, const Info *info, bool writes)
{
	uint64_t key = key_of(info), count = count_of(info);
	Slot *slot = look(shared, key);

	if (slot && !slot->key)
		slot = take(shared, fd, key, count);
	if (!slot || slot->count != count)
		return;
	exchange(info, shared->counters + slot->from, writes);
	if (writes && !__atomic_exchange_n(&slot->written, 1, __ATOMIC_RELAXED))
		write_file(info);
}

static void give(const Info *info, bool writes)
{
	int fd;
	Shared *shared = shared_open(&fd);

	for (; shared && info; info = info->next)
		one(shared, fd, info, writes);
	if (shared)
		munmap(shared, MAP_BYTES);
	if (fd >= 0)
		close(fd);
}

/* The first of the objects that ends does it for all. */
void __gcov_exit(void)
{
	const Info *info = first;

	first = NULL;
	if (info)
		give(info, getenv("BANYAN_COVERAGE_WRITE") != NULL);
}

/* gcc puts it in fork's place: else the child would give what its parent counted, once more. */
pid_t __gcov_fork(void)
{
	give(first, false);
	return fork();
}
