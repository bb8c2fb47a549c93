/* SPDX-License-Identifier: Apache-2.0
 *
 * The cache of an audit: a file of values and, behind them, an index sorted by key. It is mapped and searched as it lies there.
 *
 *	Head | value | value | ... | IndexRow, by key | ... | Foot
 *
 * Keys are 128 bits of SipHash over what the caller names; every value has a checksum, which is looked at when it is found. What is new goes
 * straight to a file beside the old one, so that it takes no memory, and at the end of the run those old values follow that were asked for in this
 * run or one of the last few; then the new file takes the name. Two audits at once each leave a whole file, and the last one stays.
 *
 * A file belongs to one build of the program, by the size and the time of its executable: packed structs mean nothing to another one. Limits: a
 * file takes no more than MOST_BYTES, files that no audit has opened for KEPT_DAYS are removed by the next that writes. */
#include "audit/audit_cache.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEPT_RUNS = 8, KEPT_DAYS = 30, DAY_S = 86400 };
#define MOST_BYTES ((uint64_t)1 << 30)
#define SUFFIX ".audit"
#define NEW ".new"

typedef struct Head {
	char magic[16];
	uint64_t build[2];
} Head;

typedef struct IndexRow {
	uint64_t key[2];
	uint64_t at, len, sum;
	uint64_t age; /* runs that wrote since one asked for it */
} IndexRow;

typedef struct Foot {
	uint64_t count, sum; /* of the index */
} Foot;

typedef struct Building {
	FILE *file;
	Str path;
	uint64_t bytes;
	IndexRow *rows; /* heap */
	size_t count, room;
	bool failed;
} Building;

struct AuditCache {
	Str folder, path; /* empty: nothing is kept */
	uint64_t build[2];
	Str map;
	const IndexRow *rows;
	uint64_t count;
	atomic_uchar *used; /* heap; one a row */
	pthread_mutex_t adding;
	Building next;
	_Atomic uint64_t found, missed;
	Str trouble;
};

static const char magic[16] = "banyan audit 2\n";

/* Against accidents, not against anybody: eight bytes a step. */
static uint64_t sum_of(Str bytes)
{
	uint64_t sum = bytes.len + 1, word;

	while (bytes.len) {
		size_t step = MIN(bytes.len, sizeof(word));

		word = 0;
		memcpy(&word, bytes.at, step);
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
		bytes = (Str){ bytes.at + step, bytes.len - step };
	}
	return sum;
}

/* --- where it is -------------------------------------------------------------------------------------------------------------------------------- */

static Str usual_folder(Arena *a)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (cache && cache[0] == '/')
		return str_fmt(a, "%s/banyan", cache);
	return home && home[0] == '/' ? str_fmt(a, "%s/.cache/banyan", home) : S("");
}

static bool make_folders(Arena *a, Str path)
{
	char *at = (char *)str_z(a, path);

	for (size_t i = 1; i < path.len; i++)
		if (at[i] == '/') {
			at[i] = 0;
			if (mkdir(at, 0700) != 0 && errno != EEXIST)
				return false;
			at[i] = '/';
		}
	return mkdir(at, 0700) == 0 || errno == EEXIST;
}

static Str file_name(Arena *a, Str folder, Str root)
{
	char *real = realpath(str_z(a, root), NULL);
	Str path = str_fmt(a, "%.*s/%016" PRIx64 SUFFIX, STR_ARG(folder),
	                   hash_stable(real ? str_of(real) : root, 0x726f6f74, 0));

	free(real);
	return path;
}

static void find_build(uint64_t build[2])
{
	struct stat about;

	if (stat("/proc/self/exe", &about) != 0)
		return;
	build[0] = (uint64_t)about.st_size;
	build[1] = (uint64_t)about.st_mtim.tv_sec * 1000000000 + (uint64_t)about.st_mtim.tv_nsec;
}

/* --- what was kept -------------------------------------------------------------------------------------------------------------------------------- */

static const char *check(AuditCache *c)
{
	Head head;
	Foot foot;
	uint64_t index_bytes;

	if (c->map.len < sizeof(head) + sizeof(foot))
		return "was cut short";
	memcpy(&head, c->map.at, sizeof(head));
	if (memcmp(head.magic, magic, sizeof(magic)) != 0)
		return "is not one of ours";
	if (memcmp(head.build, c->build, sizeof(head.build)) != 0)
		return "was written by another build";
	memcpy(&foot, c->map.at + c->map.len - sizeof(foot), sizeof(foot));
	if (foot.count > c->map.len / sizeof(IndexRow))
		return "is damaged";
	index_bytes = foot.count * sizeof(IndexRow);
	if (index_bytes + sizeof(head) + sizeof(foot) > c->map.len)
		return "is damaged";
	c->rows = (const void *)(c->map.at + c->map.len - sizeof(foot) - index_bytes);
	if ((uintptr_t)c->rows % sizeof(uint64_t) ||
	    sum_of((Str){ (const char *)c->rows, index_bytes }) != foot.sum)
		return "is damaged";
	c->count = foot.count;
	return NULL;
}

static void map_file(Arena *a, AuditCache *c)
{
	int fd = open(str_z(a, c->path), O_RDONLY | O_CLOEXEC);
	struct stat about;
	const char *why = NULL;
	void *at;

	if (fd < 0) {
		if (errno != ENOENT)
			c->trouble = str_fmt(a, "%.*s cannot be read", STR_ARG(c->path));
		return;
	}
	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size <= 0) {
		why = "is empty";
	} else {
		at = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (at == MAP_FAILED)
			why = "cannot be mapped";
		else
			c->map = (Str){ at, (size_t)about.st_size };
	}
	futimens(fd, NULL); /* somebody still uses it */
	close(fd);
	if (!why)
		why = check(c);
	if (why)
		c->trouble = str_fmt(a, "%.*s %s, and is made anew", STR_ARG(c->path), why);
	else
		c->used = calloc(c->count + 1, sizeof(*c->used));
}

static void drop_building(Building *b)
{
	if (b->file) {
		fclose(b->file);
		unlink(b->path.at);
	}
	free(b->rows);
	*b = (Building){ .failed = true };
}

static void close_cache(void *arg)
{
	AuditCache *c = arg;

	drop_building(&c->next);
	if (c->map.len)
		munmap((void *)c->map.at, c->map.len);
	free(c->used);
	pthread_mutex_destroy(&c->adding);
}

AuditCache *audit_cache_open(Arena *a, Str folder, Str root)
{
	AuditCache *c = ARENA_NEW(a, AuditCache);

	pthread_mutex_init(&c->adding, NULL);
	arena_defer(a, close_cache, c);
	c->folder = folder.len ? folder : usual_folder(a);
	if (!c->folder.len || !make_folders(a, c->folder)) {
		c->trouble = c->folder.len
		                     ? str_fmt(a, "there is no folder %.*s, and none can be made",
		                               STR_ARG(c->folder))
		                     : S("neither XDG_CACHE_HOME nor HOME is known");
		c->folder = S("");
		c->next.failed = true;
		return c;
	}
	find_build(c->build);
	c->path = file_name(a, c->folder, root);
	c->next.path = str_fmt(a, "%.*s.XXXXXX" NEW, STR_ARG(c->path));
	map_file(a, c);
	return c;
}

/* --- finding and adding -------------------------------------------------------------------------------------------------------------------------------- */

static void hash_key(const char *what, Str key, uint64_t out[2])
{
	uint64_t sort = hash_stable(str_of(what), 0x77686174, 0);

	out[0] = hash_stable(key, sort, 0x6f6e65);
	out[1] = hash_stable(key, sort, 0x74776f);
}

static int key_order(const uint64_t x[2], const uint64_t y[2])
{
	if (x[0] != y[0])
		return x[0] < y[0] ? -1 : 1;
	return (x[1] > y[1]) - (x[1] < y[1]);
}

/* The row of a key, or count. */
static uint64_t look_up(const AuditCache *c, const uint64_t key[2])
{
	uint64_t from = 0, to = c->count;

	while (from < to) {
		uint64_t middle = from + (to - from) / 2;
		int order = key_order(c->rows[middle].key, key);

		if (!order)
			return middle;
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return c->count;
}

/* A row's bytes, as far as they are within the file and those that were written. */
static bool value_of(const AuditCache *c, const IndexRow *row, Str *out)
{
	if (row->at > c->map.len || row->len > c->map.len - row->at)
		return false;
	*out = (Str){ c->map.at + row->at, row->len };
	return sum_of(*out) == row->sum;
}

bool audit_cache_find(AuditCache *cache, const char *what, Str key, Str *value)
{
	uint64_t hashed[2], at;

	if (!cache)
		return false;
	hash_key(what, key, hashed);
	at = look_up(cache, hashed);
	if (at == cache->count || !value_of(cache, &cache->rows[at], value)) {
		atomic_fetch_add(&cache->missed, 1);
		return false;
	}
	atomic_store(&cache->used[at], 1);
	atomic_fetch_add(&cache->found, 1);
	return true;
}

static bool begin_building(AuditCache *c)
{
	const Head head = { .build = { c->build[0], c->build[1] } };
	Building *b = &c->next;
	int fd;

	if (b->file || b->failed)
		return !b->failed;
	fd = mkostemps((char *)b->path.at, sizeof(NEW) - 1, O_CLOEXEC);
	b->file = fd < 0 ? NULL : fdopen(fd, "wb");
	if (!b->file) {
		b->failed = true;
		return false;
	}
	fwrite(magic, 1, sizeof(magic), b->file);
	fwrite(head.build, 1, sizeof(head.build), b->file);
	b->bytes = sizeof(head);
	return true;
}

/* Values begin at multiples of eight, so that the index does too. */
static void add(Building *b, IndexRow row, Str value)
{
	static const char zeros[8];
	size_t gap = -value.len & 7;

	if (b->bytes + value.len + gap > MOST_BYTES)
		return;
	if (b->count == b->room) {
		size_t room = b->room ? 2 * b->room : 256;
		IndexRow *more = realloc(b->rows, room * sizeof(*more));

		if (!more)
			return;
		b->rows = more;
		b->room = room;
	}
	row.at = b->bytes;
	row.len = value.len;
	fwrite(value.at, 1, value.len, b->file);
	fwrite(zeros, 1, gap, b->file);
	b->rows[b->count++] = row;
	b->bytes += value.len + gap;
}

void audit_cache_put(AuditCache *cache, const char *what, Str key, Str value)
{
	IndexRow row = { .sum = sum_of(value) };

	if (!cache)
		return;
	hash_key(what, key, row.key);
	pthread_mutex_lock(&cache->adding);
	if (begin_building(cache))
		add(&cache->next, row, value);
	pthread_mutex_unlock(&cache->adding);
}

/* --- keeping ----------------------------------------------------------------------------------------------------------------------------------------- */

static int by_key(const void *x, const void *y)
{
	const IndexRow *p = x, *q = y;
	int order = key_order(p->key, q->key);

	/* Of two with one key the one of this run, which stands first in the file. */
	return order ? order : (p->at > q->at) - (p->at < q->at);
}

/* Those that were asked for first: when there is no room for all, the others go. */
static void add_old(AuditCache *c, bool used)
{
	for (uint64_t i = 0; i < c->count; i++) {
		IndexRow row = c->rows[i];
		Str value;

		if ((atomic_load(&c->used[i]) != 0) != used || !value_of(c, &row, &value))
			continue;
		row.age = used ? 0 : row.age + 1;
		if (row.age <= KEPT_RUNS)
			add(&c->next, row, value);
	}
}

static void put_index(Building *b)
{
	size_t kept = 0;
	Foot foot;
	Str index;

	qsort(b->rows, b->count, sizeof(*b->rows), by_key);
	for (size_t i = 0; i < b->count; i++)
		if (!kept || key_order(b->rows[kept - 1].key, b->rows[i].key) != 0)
			b->rows[kept++] = b->rows[i];
	index = (Str){ (const char *)b->rows, kept * sizeof(*b->rows) };
	foot = (Foot){ kept, sum_of(index) };
	fwrite(index.at, 1, index.len, b->file);
	fwrite(&foot, 1, sizeof(foot), b->file);
}

/* A run does not take a day: what is being written for longer was left by one that was killed. */
static time_t kept_s(Str name)
{
	if (str_ends(name, S(SUFFIX)))
		return (time_t)KEPT_DAYS * DAY_S;
	return str_find(name, S(SUFFIX ".")) > 0 && str_ends(name, S(NEW)) ? DAY_S : 0;
}

static void prune(AuditCache *c)
{
	DIR *folder = opendir(c->folder.at);
	time_t now = time(NULL);
	struct dirent *entry;

	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		Str name = str_of(entry->d_name);
		struct stat about;

		if (kept_s(name) &&
		    fstatat(dirfd(folder), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(about.st_mode) && about.st_mtime < now - kept_s(name))
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
	closedir(folder);
}

void audit_cache_store(AuditCache *cache)
{
	Building *b;
	bool written;

	if (!cache || !cache->next.file)
		return;
	b = &cache->next;
	add_old(cache, true);
	add_old(cache, false);
	put_index(b);
	written = !ferror(b->file);
	written = fclose(TAKE(b->file)) == 0 && written;
	if (!written || rename(b->path.at, cache->path.at) != 0)
		unlink(b->path.at);
	else
		prune(cache);
	drop_building(b);
}

AuditCacheFigures audit_cache_figures(const AuditCache *cache)
{
	if (!cache)
		return (AuditCacheFigures){ 0 };
	return (AuditCacheFigures){ atomic_load(&cache->found), atomic_load(&cache->missed),
		                    cache->map.len, cache->trouble };
}
