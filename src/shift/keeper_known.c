/* SPDX-License-Identifier: Apache-2.0
 *
 * The copy of where moves stand, of a book on a server. It is loaded before the book is asked for the first time, so that what
 * is known is never less than what this gateway went by before, and written whenever that has changed: a change is in the book
 * first, and in the copy within a look. A book in a file beside it needs none. */
#include "shift/keeper_int.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "rt/work.h"
#include "shift/known.h"

#include <string.h>

enum { BYTES_MAX = 64 << 20 };

static struct {
	Arena *arena; /* NULL: no copy is kept */
	Str path, store;
	uint64_t print; /* of what the file has */
	int64_t at_us;  /* atomic */
	bool failing;   /* and that was said */
} copy;

void keeper_known_begin(Str path, Str url)
{
	keeper_known_end();
	if (!path.len)
		return;
	copy.arena = arena_new(0);
	copy.path = str_dup(copy.arena, path);
	copy.store = known_store(copy.arena, url);
}

void keeper_known_end(void)
{
	if (copy.arena)
		arena_free(copy.arena);
	copy.arena = NULL;
	copy.print = 0;
	__atomic_store_n(&copy.at_us, 0, __ATOMIC_RELAXED);
}

void keeper_known_met(void)
{
	__atomic_store_n(&copy.at_us, 0, __ATOMIC_RELAXED);
}

int64_t keeper_known_at_us(void)
{
	return __atomic_load_n(&copy.at_us, __ATOMIC_RELAXED);
}

/* Of all that a reader would miss. */
static uint64_t print_now(const SplitKey *key, size_t *count)
{
	uint64_t print = key ? key->of[0] ^ 1 : 1;
	Subject *s = NULL;

	*count = 0;
	while ((s = subject_next(s))) {
		subject_lock(s);
		if (s->state.revision) {
			print = (print ^ (uint64_t)s->state.revision) *
			        UINT64_C(0x9e3779b97f4a7c15);
			print = (print ^ s->halted ^ (uintptr_t)s) * UINT64_C(0xbf58476d1ce4e5b9);
			++*count;
		}
		subject_unlock(s);
	}
	return print;
}

/* --- loading ------------------------------------------------------------------------------------------------------------- */

typedef struct FileWork {
	Arena *arena;
	Str text;
	Err *err;
} FileWork;

static void read_work(void *arg)
{
	FileWork *work = arg;

	work->err = file_read(work->arena, copy.path, BYTES_MAX, &work->text);
}

static void apply(const KnownSubject *known)
{
	Subject *s = subject_find(known->name);

	if (!s)
		return;
	subject_lock(s);
	(void)subject_apply(s, &known->state);
	if (known->halted && s->state.revision == known->state.revision)
		subject_halt(s, known->line, known->by);
	subject_unlock(s);
}

static Err *load(Arena *a, Known *out)
{
	FileWork work = { .arena = a };

	TRY(work_run(read_work, &work));
	TRY(work.err);
	return known_read(a, work.text, out);
}

bool keeper_known_load(Arena *a, SplitKey *key)
{
	Known known = { 0 };
	Err *err = copy.arena ? load(a, &known) : NULL;
	size_t count;

	if (err && err->kind != ERR_NOT_FOUND)
		log_err(err, "%.*s is not gone by", STR_ARG(copy.path));
	if (err || !copy.arena)
		return false;
	if (!str_eq(known.store, copy.store)) {
		log_warn("%.*s is of another book than shift.store names: it is not gone by",
		         STR_ARG(copy.path));
		return false;
	}
	if (known.has_key)
		memcpy(key->of, known.key, sizeof known.key);
	for (size_t i = 0; i < known.count; i++)
		if (known.has_key || known.at[i].state.phase == SHIFT_OLD)
			apply(&known.at[i]);
	__atomic_store_n(&copy.at_us, known.at_us, __ATOMIC_RELAXED);
	if (known.has_key) /* the file stays as old as it is until there is something new */
		copy.print = print_now(key, &count);
	return known.has_key;
}

/* --- keeping ------------------------------------------------------------------------------------------------------------- */

static void take_known(Arena *a, Known *known, size_t room)
{
	Subject *s = NULL;

	known->at = ARENA_ARRAY(a, KnownSubject, room + 1);
	while (known->count < room && (s = subject_next(s))) {
		subject_lock(s);
		if (s->state.revision) {
			KnownSubject *at = &known->at[known->count++];

			*at = (KnownSubject){ .name = s->name,
				              .state = s->state,
				              .halted = s->halted };
			at->line = str_dup(a, str_of(s->halted_line));
			at->by = str_dup(a, str_of(s->halted_by));
		}
		subject_unlock(s);
	}
}

static void write_work(void *arg)
{
	FileWork *work = arg;

	work->err = known_store_file(work->arena, copy.path, work->text);
}

static Err *keep(Arena *a, const SplitKey *key, size_t count)
{
	AUTO(buf_fini) Buf text = { 0 };
	Known known = { .store = copy.store, .at_us = time_utc_us(), .has_key = key != NULL };
	FileWork work = { .arena = a };

	if (key)
		memcpy(known.key, key->of, sizeof known.key);
	take_known(a, &known, count);
	TRY(known_put(&text, &known));
	work.text = buf_str(&text);
	TRY(work_run(write_work, &work));
	return work.err;
}

void keeper_known_keep(Arena *a, const SplitKey *key)
{
	uint64_t print;
	size_t count;
	Err *err;

	if (!copy.arena)
		return;
	print = print_now(key, &count);
	if (print == copy.print || !count)
		return;
	err = keep(a, key, count);
	if (!err)
		copy.print = print;
	else if (!copy.failing && err->kind != ERR_CANCELLED)
		log_err(err, "a start while the book of moves is away would not know of the last "
		             "change");
	copy.failing = err != NULL;
}
