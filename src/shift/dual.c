/* SPDX-License-Identifier: Apache-2.0
 *
 * Dual writes as a whole: three fibers of loop 0. One tells the book what became of requests (dual_outcome.c), one delivers
 * (dual_deliver.c), and one, here, says every two seconds that this process is alive, takes up what those have left that are not, and
 * counts what there is.
 *
 * A process that has not been heard of for ten seconds is taken to be gone. It may be asleep instead: what it writes after that is fenced
 * (dual_book.c), and an outcome that comes late is taken all the same, for it is the truth. One that was killed and starts again on the same
 * machine does not wait for that: its number is nobody's any more. */
#include "shift/dual_int.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "rt/loop.h"
#include "shift/book.h"

#include <stdio.h>
#include <unistd.h>

#define BEAT_US (2 * US_PER_S)
#define ALIVE_US (10 * US_PER_S)
#define LOOK_US (500 * US_PER_MS)
#define LEAVE_US (5 * US_PER_S)
#define LATE_US (10 * US_PER_S)

static struct {
	Arena *arena;
	Db *db;
	Uuid owner;
	Str gateway, place;
	Child alive, outcomes, deliveries;
	int64_t beaten_us; /* loop clock; 0: never */
	bool closing;
	bool warned;
} dual;

Db *dual_db(void)
{
	return dual.db;
}

Uuid dual_owner(void)
{
	return dual.owner;
}

Str dual_gateway(void)
{
	return dual.gateway;
}

bool dual_is_closing(void)
{
	return dual.closing;
}

Str dual_side(bool is_new)
{
	return is_new ? S("new") : S("old");
}

void dual_count(Subject *s, unsigned count)
{
	__atomic_add_fetch(&s->writes.counts[count], 1, __ATOMIC_RELAXED);
}

Err *dual_rules(Arena *a, const RouteConf *route, Subject *subject, const DualRules **out)
{
	DualRules *rules = ARENA_NEW(a, DualRules);

	*out = NULL;
	if (route->writes.mode != WRITES_DUAL || !subject)
		return NULL;
	*rules = (DualRules){ .conf = &route->writes,
		              .subject = subject,
		              .name = subject->name,
		              .route = route->name };
	TRY(writes_key_read(a, route->writes.key, &rules->key));
	*out = rules;
	return NULL;
}

bool dual_asks_user(const DualRules *rules)
{
	return rules && rules->key.by == WRITES_BY_USER;
}

/* --- where processes have numbers of their own ------------------------------------------------------------------------------ */

/* The boot and the namespace of process ids: two processes of the same place can ask the kernel of each other. */
static Str find_place(Arena *a)
{
	char space[64] = "", boot[64] = "";
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (readlink("/proc/self/ns/pid", space, sizeof space - 1) < 0 || !f)
		space[0] = '\0';
	if (f) {
		if (!fgets(boot, sizeof boot, f))
			space[0] = '\0';
		(void)fclose(f);
	}
	return space[0] ? str_fmt(a, "%.36s %s", boot, space) : uuid_text(a, uuid_new());
}

/* --- counting ----------------------------------------------------------------------------------------------------------------- */

static void add_row(SubjectWrites *w, const WriteCountsRow *row)
{
	uint64_t count = (uint64_t)row->count;

	if (str_eq(row->state, S("skipped"))) {
		w->skipped += count;
		return;
	}
	if (str_eq(row->state, S("differs"))) {
		w->differs += count;
		return;
	}
	w->to_side[str_eq(row->target, S("new")) ? JUDGE_NEW : JUDGE_OLD] += count;
	if (str_eq(row->state, S("open")))
		w->open += count;
	else if (str_eq(row->state, S("unknown")))
		w->unknown += count;
	else if (str_eq(row->state, S("dead")))
		w->dead += count;
	if (!w->oldest_us || row->oldest < w->oldest_us)
		w->oldest_us = row->oldest;
}

static bool asks_for_it(const Subject *s, const WriteCountsRow *rows, size_t count,
                        SubjectWrites *sum)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(rows[i].subject, s->name))
			add_row(sum, &rows[i]);
	return sum->to_side[JUDGE_OLD] + sum->to_side[JUDGE_NEW] > 0;
}

static void put_sum(Subject *s, const SubjectWrites *sum, bool left, uint64_t added_before)
{
	SubjectWrites *w = &s->writes;
	uint64_t since;

	subject_lock(s);
	memcpy(w->to_side, sum->to_side, sizeof w->to_side);
	w->open = sum->open;
	w->unknown = sum->unknown;
	w->dead = sum->dead;
	w->skipped = sum->skipped;
	w->differs = sum->differs;
	w->oldest_us = sum->oldest_us;
	w->left = left;
	since = __atomic_load_n(&w->added, __ATOMIC_RELAXED) - added_before;
	__atomic_store_n(&w->kept, sum->to_side[0] + sum->to_side[1] + since, __ATOMIC_RELAXED);
	subject_unlock(s);
}

static Err *count_all(Arena *a)
{
	uint64_t added[256];
	WriteCountsRow *rows;
	size_t count, n = 0;
	Subject *s = NULL;

	while ((s = subject_next(s)) && n < COUNT(added))
		added[n++] = __atomic_load_n(&s->writes.added, __ATOMIC_RELAXED);
	TRY(dual_book_counts(a, &rows, &count));
	n = 0;
	while ((s = subject_next(s))) {
		SubjectWrites sum = { 0 };
		bool left = asks_for_it(s, rows, count, &sum);

		put_sum(s, &sum, left,
		        n < COUNT(added) ? added[n]
		                         : __atomic_load_n(&s->writes.added, __ATOMIC_RELAXED));
		n++;
	}
	return NULL;
}

/* --- being alive --------------------------------------------------------------------------------------------------------------- */

static bool is_anything(void)
{
	Subject *s = NULL;

	while ((s = subject_next(s)))
		if (dual_backlog(s).on)
			return true;
	return false;
}

/* Where no route asks for it nobody knocks at the book twice a second. */
static Err *look(Arena *a, bool first)
{
	int64_t found = 0;

	if (!first && !is_anything())
		return NULL;
	if (!dual.beaten_us || loop_now_us() - dual.beaten_us >= BEAT_US) {
		TRY(dual_book_beat(a, dual.place, ALIVE_US));
		dual.beaten_us = loop_now_us();
	}
	TRY(dual_book_orphans(a, &found));
	if (found)
		log_warn("%" PRId64 " writes were open when their gateway ended: nobody knows "
		         "whether the first side did them",
		         found);
	return count_all(a);
}

static void say(const Err *err)
{
	if (err && !dual.warned)
		log_err(err, "the book of writes does not answer: what is in it waits");
	dual.warned = err != NULL;
}

static Err *live(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	(void)arg;
	for (;;) {
		Err *err = look(a, false);

		if (err && err->kind == ERR_CANCELLED)
			return err;
		say(err);
		arena_clear(a);
		TRY(fiber_sleep(LOOK_US));
	}
}

/* --- begin and end --------------------------------------------------------------------------------------------------------------- */

/* A process is alive before its first write is. A book that is away is no reason not to begin. */
static void begin_alive(void)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(deadline_end) Deadline limit = deadline_begin(BEAT_US);
	Err *err = dual_book_bury(a, dual.place);

	say(err ? err : look(a, true));
}

static void begin_first(const Book *book, Str gateway)
{
	dual.arena = arena_new(0);
	dual.owner = uuid_new();
	dual.gateway = str_dup(dual.arena, gateway);
	dual.place = find_place(dual.arena);
	dual.closing = false;
	dual.beaten_us = 0;
	dual_outcomes_init();
	dual_deliver_init();
	dual.db = book_db(book);
}

static Err *start_fibers(void)
{
	TRY(child_start(&dual.outcomes, dual_outcomes_run, NULL, "write outcomes"));
	TRY(child_start(&dual.deliveries, dual_deliver_run, NULL, "write deliveries"));
	return child_start(&dual.alive, live, NULL, "writes");
}

Err *dual_begin(const Book *book, Str gateway)
{
	bool first = !dual.db;
	Err *err = NULL;
	size_t rows;
	const MetricFamily *families = dual_metrics(&rows);

	metrics_add(families, rows);
	if (!book || !book_db(book))
		return NULL;
	if (first)
		begin_first(book, gateway);
	begin_alive();
	if (first)
		err = start_fibers();
	if (err)
		dual_end();
	return err;
}

/* What the last requests came to is told; what is claimed is given back, so that another gateway need not wait. */
static void leave(void)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(shield_end) Shield shield = shield_begin(LEAVE_US);
	Err *err = dual_outcomes_flush(a);

	err = err ? err : dual_book_leave(a);
	if (err)
		log_err(err, "what became of the last writes could not be noted: they stay open");
}

void dual_end(void)
{
	if (!dual.db)
		return;
	dual.closing = true;
	child_end(&dual.deliveries);
	child_end(&dual.outcomes);
	child_end(&dual.alive);
	dual_deliver_fini();
	leave();
	dual_outcomes_fini();
	dual.db = NULL;
	arena_free(TAKE(dual.arena));
}

/* --- what is told ------------------------------------------------------------------------------------------------------------------ */

DualBacklog dual_backlog(const Subject *s)
{
	const SubjectWrites *w = &s->writes;

	return (DualBacklog){ .on = w->on || w->left,
		              .to_new = w->to_side[JUDGE_NEW],
		              .to_old = w->to_side[JUDGE_OLD],
		              .open = w->open,
		              .unknown = w->unknown,
		              .dead = w->dead,
		              .skipped = w->skipped,
		              .differs = w->differs,
		              .oldest_us = w->oldest_us };
}

bool dual_is_late(const DualBacklog *backlog)
{
	return backlog->to_new + backlog->to_old &&
	       (backlog->dead || time_utc_us() - backlog->oldest_us > LATE_US);
}

static Str lacks(Arena *a, uint64_t count, Str side)
{
	return count ? str_fmt(a, "%" PRIu64 " write%s %s not reached %.*s", count,
	                       count == 1 ? "" : "s", count == 1 ? "has" : "have", STR_ARG(side))
	             : (Str){ 0 };
}

Str dual_backlog_text(Arena *a, const DualBacklog *backlog, Str old, Str new)
{
	Str to_new = lacks(a, backlog->to_new, new), to_old = lacks(a, backlog->to_old, old);
	Str both = to_new.len && to_old.len
	                   ? str_fmt(a, "%.*s, %.*s", STR_ARG(to_new), STR_ARG(to_old))
	           : to_new.len ? to_new
	                        : to_old;

	if (!backlog->dead)
		return both;
	return str_fmt(a, "%.*s (%" PRIu64 " wait%s for a person)", STR_ARG(both), backlog->dead,
	               backlog->dead == 1 ? "s" : "");
}

void dual_put(JsonWriter *w, const DualBacklog *b)
{
	json_begin_object(w);
	json_put_bool(w, "dual", b->on);
	json_put_u64(w, "pending", b->to_new + b->to_old);
	json_put_u64(w, "to_new", b->to_new);
	json_put_u64(w, "to_old", b->to_old);
	json_put_u64(w, "open", b->open);
	json_put_u64(w, "unknown", b->unknown);
	json_put_u64(w, "dead", b->dead);
	json_put_u64(w, "skipped", b->skipped);
	json_put_u64(w, "differs", b->differs);
	json_put_real(w, "oldest_seconds",
	              b->oldest_us ? (double)(time_utc_us() - b->oldest_us) / 1e6 : 0);
	json_end(w);
}
