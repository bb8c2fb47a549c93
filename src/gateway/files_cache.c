/* SPDX-License-Identifier: Apache-2.0
 *
 * Each loop's files.
 *
 * An entry is the answer to one question, "what is PATH below FOLDER?", and is believed for a second. After that it is
 * asked again: the path is opened anew (a link may lead elsewhere by now) and, when it is the very same file (inode, size,
 * times to the nanosecond), what was kept goes on. Opening costs no thread when the names are in memory (rt/disk.h), and
 * while a worker is at it for one request, others go on with the old answer.
 *
 * A File is immutable and counted, so one that is being sent survives its entry. Small ones are read whole: they cost no
 * descriptor, and head and body leave in one system call. A file that changes while it is read is not kept whole.
 *
 * Folders are opened once a second too: deployments switch them by renaming a link. Their descriptor is counted, because a
 * worker may still walk from it.
 *
 * Nothing is shared between loops and nothing is locked. docs/decisions/0014-files-and-the-disk.md has the reasons. */
#include "gateway/files_cache.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/time.h"
#include "rt/disk.h"
#include "rt/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SWEEP_US = 5 * 1000 * 1000, WEAK_S = 2, KEY_BYTES = 8192, ETAG_BYTES = 40, DATE_BYTES = 29 };

typedef struct Kept {
	File file; /* first */
	unsigned refs;
	dev_t dev;
	ino_t ino;
	struct timespec mtime, ctime;
	char etag[ETAG_BYTES];
	char modified[DATE_BYTES + 1];
} Kept;

typedef struct Folder {
	Node node; /* cache.all_folders */
	unsigned refs;
	int fd;
	int64_t asked_us;
	Str name;
	char text[];
} Folder;

typedef struct Entry {
	Node node; /* cache.recent */
	Kept *kept;
	int64_t asked_us, used_us;
	FileKind kind;
	bool asking; /* somebody is: the old answer serves till then */
	Str key;     /* folder, NUL, path */
	char text[];
} Entry;

typedef struct Cache {
	Map entries, folders;
	List recent; /* the latest last */
	List all_folders;
	Timer sweep;
	size_t open, bytes;
} Cache;

static _Thread_local Cache *own;

static Err broken = ERR_STATIC(IO, "rt.disk", "a file could not be read");
static Err no_files = ERR_STATIC(BUSY, "rt.too_many_files", "the limit of open files was reached");

/* --- metrics -------------------------------------------------------------------------------------------------------- */

static const MetricFamily families[] = {
	{ "banyan_files_kept",
	  METRIC_GAUGE,
	  "files",
	  "Static files kept, over all threads",
	  { 0 } },
	{ "banyan_files_open",
	  METRIC_GAUGE,
	  "files",
	  "Of them, or being sent, with an open descriptor",
	  { 0 } },
	{ "banyan_files_kept_bytes",
	  METRIC_GAUGE,
	  "bytes",
	  "Bytes of small static files kept whole",
	  { 0 } },
	{ "banyan_files_hits_total",
	  METRIC_COUNTER,
	  "looks",
	  "Looks for a static file that what was kept could answer",
	  { 0 } },
	{ "banyan_files_misses_total",
	  METRIC_COUNTER,
	  "looks",
	  "Looks for a static file that asked the disk",
	  { 0 } },
};

typedef enum Count { COUNT_KEPT, COUNT_OPEN, COUNT_BYTES, COUNT_HITS, COUNT_MISSES, COUNTS } Count;
_Static_assert(COUNT(families) == COUNTS, "each has its row");

static MetricCell cells[COUNTS];
static pthread_once_t cells_once = PTHREAD_ONCE_INIT;

const MetricFamily *files_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static void cells_take(void)
{
	for (size_t i = 0; i < COUNTS; i++)
		cells[i] = metric_cell(&families[i], NULL, 0);
}

/* --- files ---------------------------------------------------------------------------------------------------------- */

static void kept_unref(Kept *k)
{
	if (!k || --k->refs)
		return;
	if (k->file.fd >= 0) {
		close(k->file.fd);
		metric_sub(cells[COUNT_OPEN], 1);
	}
	if (k->file.content.at)
		metric_sub(cells[COUNT_BYTES], k->file.size);
	free((void *)(uintptr_t)k->file.content.at);
	free(k);
}

static void kept_unrefp(Kept **k)
{
	kept_unref(*k);
}

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* Written so lately that it may be written again within the same second, with the same size: such a tag is no proof. */
static bool is_young(const struct stat *st)
{
	int64_t age_s = time_utc_us() / US_PER_S - st->st_mtim.tv_sec;

	return age_s < WEAK_S && age_s >= -WEAK_S;
}

static void put_validators(Kept *k, const struct stat *st)
{
	AUTO(buf_fini) Buf etag = { 0 };
	AUTO(buf_fini) Buf date = { 0 };
	int64_t seconds = st->st_mtim.tv_sec;

	buf_fmt(&etag, "%s\"%" PRIx64 "-%" PRIx64 "\"", is_young(st) ? "W/" : "", (uint64_t)seconds,
	        (uint64_t)st->st_size);
	time_put_http(&date, seconds * US_PER_S);
	memcpy(k->etag, etag.at, MIN(etag.len, sizeof k->etag));
	memcpy(k->modified, date.at, MIN(date.len, sizeof k->modified));
	k->file.etag = (Str){ k->etag, MIN(etag.len, sizeof k->etag) };
	k->file.modified = (Str){ k->modified, MIN(date.len, sizeof k->modified) };
	k->file.modified_s = seconds;
}

static bool same_time(const struct timespec *x, const struct timespec *y)
{
	return x->tv_sec == y->tv_sec && x->tv_nsec == y->tv_nsec;
}

static bool is_same(const Kept *k, const struct stat *st)
{
	return k->dev == st->st_dev && k->ino == st->st_ino &&
	       k->file.size == (uint64_t)st->st_size && same_time(&k->mtime, &st->st_mtim) &&
	       same_time(&k->ctime, &st->st_ctim);
}

/* The whole of a small file; nothing when it changes meanwhile. */
static Err *read_whole(Kept *k)
{
	size_t size = (size_t)k->file.size, have = 0, got = 1;
	char *bytes = must(malloc(size + 1));
	struct stat st;
	Err *err = NULL;

	while (!err && have <= size && got) {
		err = disk_read(k->file.fd, bytes + have, size + 1 - have, have, &got);
		have += got;
	}
	if (err || have != size || fstat(k->file.fd, &st) != 0 || !is_same(k, &st)) {
		free(bytes);
		return err;
	}
	k->file.content = (Str){ bytes, size };
	metric_add(cells[COUNT_BYTES], size);
	close(k->file.fd);
	k->file.fd = -1;
	metric_sub(cells[COUNT_OPEN], 1);
	return NULL;
}

/* Takes the descriptor. */
static Err *kept_new(DiskFile *found, Str path, Kept **out)
{
	AUTO(kept_unrefp) Kept *k = must(calloc(1, sizeof *k));

	*k = (Kept){ .file = { .fd = found->fd, .size = (uint64_t)found->st.st_size },
		     .refs = 1,
		     .dev = found->st.st_dev,
		     .ino = found->st.st_ino,
		     .mtime = found->st.st_mtim,
		     .ctime = found->st.st_ctim };
	found->fd = -1;
	metric_add(cells[COUNT_OPEN], 1);
	k->file.type = file_type(path);
	put_validators(k, &found->st);
	if (k->file.size <= FILES_SMALL_BYTES)
		TRY(read_whole(k));
	*out = TAKE(k);
	return NULL;
}

/* --- folders -------------------------------------------------------------------------------------------------------- */

static void folder_unref(Folder *f)
{
	if (!f || --f->refs)
		return;
	close(f->fd);
	free(f);
}

static void folder_unrefp(Folder **f)
{
	folder_unref(*f);
}

static void folder_drop(Cache *c, Folder *f)
{
	map_remove(&c->folders, f->name);
	list_remove(&f->node);
	folder_unref(f);
}

static Folder *folder_new(Cache *c, Str name, int fd)
{
	Folder *f = must(calloc(1, sizeof *f + name.len)), *before = map_get(&c->folders, name);

	if (before)
		folder_drop(c, before);
	memcpy(f->text, name.at, name.len);
	f->name = (Str){ f->text, name.len };
	f->refs = 1;
	f->fd = fd;
	f->asked_us = loop_now_us();
	map_put(&c->folders, f->name, f);
	list_add(&c->all_folders, &f->node);
	return f;
}

/* Counted. *out NULL: it cannot be opened, *errnum says why. */
static Err *folder_ask(Cache *c, Str name, const char *path, Folder **out, int *errnum)
{
	Folder *f = map_get(&c->folders, name);
	DiskFile found;

	if (!f || loop_now_us() - f->asked_us >= FILES_FRESH_US) {
		TRY(disk_open_folder(path, &found));
		*errnum = found.errnum;
		f = found.fd >= 0 ? folder_new(c, name, found.fd) : NULL;
	}
	if (f)
		f->refs++;
	*out = f;
	return NULL;
}

/* --- entries -------------------------------------------------------------------------------------------------------- */

static void entry_clear(Cache *c, Entry *e)
{
	if (!e->kept)
		return;
	c->open -= e->kept->file.fd >= 0;
	c->bytes -= e->kept->file.content.len;
	kept_unref(TAKE(e->kept));
}

static void entry_free(Cache *c, Entry *e)
{
	map_remove(&c->entries, e->key);
	list_remove(&e->node);
	entry_clear(c, e);
	metric_sub(cells[COUNT_KEPT], 1);
	free(e);
}

/* The one that was not used for the longest time goes first. */
static void trim(Cache *c)
{
	for (Entry *e; (e = LIST_FIRST(&c->recent, Entry, node));) {
		if (c->entries.count <= FILES_KEPT && c->open <= FILES_KEPT_OPEN &&
		    c->bytes <= FILES_KEPT_BYTES)
			return;
		entry_free(c, e);
	}
}

static void sweep(Timer *timer)
{
	Cache *c = CONTAINER(timer, Cache, sweep);
	int64_t before_us = loop_now_us() - FILES_IDLE_US;

	for (Entry *e; (e = LIST_FIRST(&c->recent, Entry, node)) && e->used_us <= before_us;)
		entry_free(c, e);
	LIST_EACH (&c->all_folders, Folder, node, f)
		if (f->asked_us <= before_us)
			folder_drop(c, f);
	if (!list_empty(&c->recent) || !list_empty(&c->all_folders))
		timer_set(timer, loop_now_us() + SWEEP_US);
}

static Cache *cache_here(void)
{
	if (LIKELY(own != NULL))
		return own;
	pthread_once(&cells_once, cells_take);
	own = must(calloc(1, sizeof *own));
	list_init(&own->recent);
	list_init(&own->all_folders);
	own->sweep = (Timer)TIMER_INIT(sweep);
	return own;
}

static Entry *entry_need(Cache *c, Str key)
{
	Entry *e = map_get(&c->entries, key);

	if (e)
		return e;
	e = must(calloc(1, sizeof *e + key.len));
	memcpy(e->text, key.at, key.len);
	e->key = (Str){ e->text, key.len };
	map_put(&c->entries, e->key, e);
	list_add(&c->recent, &e->node);
	metric_add(cells[COUNT_KEPT], 1);
	return e;
}

static void entry_use(Cache *c, Entry *e)
{
	e->used_us = loop_now_us();
	list_remove(&e->node);
	list_add(&c->recent, &e->node);
}

/* --- asking --------------------------------------------------------------------------------------------------------- */

/* A question, and its answer before it is kept. */
typedef struct Question {
	Cache *cache;
	Str folder;
	Str key;          /* folder, NUL, path; NUL after it */
	const char *path; /* within it */
	FileKind kind;
	Kept *kept;
} Question;

static FileKind kind_of(const DiskFile *found)
{
	if (found->errnum)
		return found->errnum == EACCES || found->errnum == EPERM ? FILE_DENIED : FILE_NONE;
	if (S_ISDIR(found->st.st_mode))
		return FILE_FOLDER;
	return S_ISREG(found->st.st_mode) ? FILE_REGULAR : FILE_NONE;
}

static Err *trouble(int errnum)
{
	if (errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM)
		return &no_files;
	return errnum == EIO || errnum == ESTALE ? &broken : NULL;
}

/* What was kept, if that is what is there still, with nothing new to say of it. */
static Kept *same_before(const Question *q, const struct stat *st)
{
	const Entry *e = map_get(&q->cache->entries, q->key);
	Kept *k = e ? e->kept : NULL;

	if (!k || !is_same(k, st) || (str_starts(k->file.etag, S("W/")) && !is_young(st)))
		return NULL;
	k->refs++;
	return k;
}

static Err *take_file(Question *q, DiskFile *found)
{
	q->kept = same_before(q, &found->st);
	return q->kept ? NULL : kept_new(found, (Str){ q->path, strlen(q->path) }, &q->kept);
}

static void found_close(DiskFile *found)
{
	if (found->fd >= 0)
		close(found->fd);
}

static Err *ask(Question *q)
{
	AUTO(folder_unrefp) Folder *folder = NULL;
	AUTO(found_close) DiskFile found = { .fd = -1 };

	metric_add(cells[COUNT_MISSES], 1);
	TRY(folder_ask(q->cache, q->folder, q->key.at, &folder, &found.errnum));
	if (folder)
		TRY(disk_open_below(folder->fd, q->path, &found));
	TRY(trouble(found.errnum));
	q->kind = kind_of(&found);
	return q->kind == FILE_REGULAR ? take_file(q, &found) : NULL;
}

/* Between the question and its answer anything may have happened to what is kept. */
static void keep_answer(Question *q, bool nothing)
{
	Cache *c = q->cache;
	Entry *e;

	if (q->kind == FILE_NONE && !nothing) {
		e = map_get(&c->entries, q->key);
		if (e)
			entry_free(c, e);
		return;
	}
	e = entry_need(c, q->key);
	if (e->kept != q->kept) {
		entry_clear(c, e);
		e->kept = q->kept;
		c->open += q->kept && q->kept->file.fd >= 0;
		c->bytes += q->kept ? q->kept->file.content.len : 0;
		if (q->kept)
			q->kept->refs++;
	}
	e->kind = q->kind;
	e->asked_us = loop_now_us();
	e->asking = false;
	entry_use(c, e);
	trim(c);
	if (c->sweep.at_us == INT64_MAX)
		timer_set(&c->sweep, loop_now_us() + SWEEP_US);
}

static Err *ask_and_keep(Question *q, bool nothing)
{
	Err *err = ask(q);
	Entry *e = err ? map_get(&q->cache->entries, q->key) : NULL;

	if (e)
		e->asking = false;
	TRY(err);
	keep_answer(q, nothing);
	return NULL;
}

/* From what is kept, or from the disk. q->kept is counted. */
static Err *answer(Question *q, bool nothing)
{
	Entry *e = map_get(&q->cache->entries, q->key);

	if (!e || (!e->asking && loop_now_us() - e->asked_us >= FILES_FRESH_US)) {
		if (e)
			e->asking = true;
		return ask_and_keep(q, nothing);
	}
	metric_add(cells[COUNT_HITS], 1);
	entry_use(q->cache, e);
	q->kind = e->kind;
	q->kept = e->kept;
	if (e->kept)
		e->kept->refs++;
	return NULL;
}

static void give_back(void *kept)
{
	kept_unref(kept);
}

Err *files_look(Arena *a, Str folder, Str path, bool keep, FileKind *kind, const File **out)
{
	char text[KEY_BYTES];
	Question q = { .cache = cache_here(), .folder = folder, .path = text + folder.len + 1 };

	*kind = FILE_NONE;
	*out = NULL;
	if (folder.len + path.len + 2 > sizeof text)
		return NULL;
	memcpy(text, folder.at, folder.len);
	text[folder.len] = 0;
	memcpy(text + folder.len + 1, path.at, path.len);
	q.key = (Str){ text, folder.len + 1 + path.len };
	text[q.key.len] = 0;
	TRY(answer(&q, keep));
	*kind = q.kind;
	if (!q.kept)
		return NULL;
	arena_defer(a, give_back, q.kept);
	*out = &q.kept->file;
	return NULL;
}

/* --- the end -------------------------------------------------------------------------------------------------------- */

static void forget(void *arg)
{
	Cache *c = TAKE(own);
	(void)arg;

	if (!c)
		return;
	timer_remove(&c->sweep);
	LIST_EACH (&c->recent, Entry, node, e)
		entry_free(c, e);
	LIST_EACH (&c->all_folders, Folder, node, f)
		folder_drop(c, f);
	map_fini(&c->entries);
	map_fini(&c->folders);
	free(c);
}

void files_forget(void)
{
	loop_each(forget, NULL);
}
