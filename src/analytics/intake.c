/* SPDX-License-Identifier: Apache-2.0
 *
 * Many requests, one transaction. On each loop the first request that finds nobody writing writes for all that wait; those that come
 * meanwhile wait for the next one. So one event alone is not slower than one commit, and ten thousand a second are not ten thousand
 * commits.
 *
 * A commit has two parts. The numbers of persons that are met for the first time are given in a transaction of their own: one that is
 * never used harms nobody. Then, in one transaction: the ids are put down where they are not yet (seen), and what was new is written as
 * a segment (segment.h). Usually all is new, and the segment made beforehand is right; else it is made again without what was known.
 * An answer goes out after that; what was not answered may be sent again, and is known then.
 *
 * Numbers of persons, and names that are on the list, are remembered by their hashes, so that a busy site asks its database for
 * nothing it knows. */
#include "analytics/intake.h"

#include "analytics/segment.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/time.h"
#include "rt/loop.h"

#include "analytics_segment_sql.h"
#include "analytics_sql.h"

#include <stdlib.h>
#include <string.h>

enum {
	COMMIT_EVENTS = 4096,   /* of one transaction, about */
	WAITING_EVENTS = 50000, /* of one loop */
	KNOWN_SLOTS = 1 << 15,  /* a power of two */
	ALONE_SLOTS = 1 << 7,
	TAKE_US = 30 * 1000000,
	MERGE_EVERY = 48,        /* commits */
	FORGET_US = 60 * 1000000 /* other processes erase too */
};

typedef struct Known {
	uint64_t hash, other;
	uint64_t number;
} Known;

struct Intake {
	Analytics *service;
	List waiting; /* of Waiter */
	size_t waiting_events;
	bool busy;
	unsigned commits;
	unsigned generation; /* of what is known */
	Known *known;
	size_t slots; /* of known, a power of two */
};

typedef struct Waiter {
	Node node;
	Fiber *fiber;
	Hit *hits;
	size_t count;
	uint8_t *fates;
	bool taken, done; /* by who writes; it is written, or it failed */
	Arena *arena;     /* for err */
	Err *err;
} Waiter;

/* --- what is known ------------------------------------------------------------------------------------------------------ */

static uint64_t seeds[2];

Intake *intakes_new(Arena *a, Analytics *s, unsigned loops)
{
	Intake *intakes = ARENA_ARRAY(a, Intake, loops);

	if (!seeds[0])
		rand_bytes(seeds, sizeof(seeds));
	for (unsigned i = 0; i < loops; i++) {
		intakes[i].service = s;
		intakes[i].slots = KNOWN_SLOTS;
		list_init(&intakes[i].waiting);
	}
	return intakes;
}

void intakes_free(Intake *intakes, unsigned loops)
{
	for (unsigned i = 0; intakes && i < loops; i++)
		free(intakes[i].known);
}

#define KIND_PERSON S("i")
#define KIND_EVENT S("event")
#define KIND_PROPERTY S("property")

static Known *slot_of(Intake *in, Str kind, int64_t project, Str text, Known *key)
{
	if (!in->known)
		in->known = calloc(in->slots, sizeof(*in->known));
	if (!in->known)
		abort();
	key->hash =
		hash_stable(text, seeds[0] ^ (uint64_t)project, seeds[1] ^ (uint64_t)kind.at[0]);
	key->other = hash_str(text) ^ (uint64_t)project * 0x9e3779b97f4a7c15 ^ (uint64_t)kind.at[0];
	return &in->known[key->hash & (in->slots - 1)];
}

static uint64_t recall(Intake *in, Str kind, int64_t project, Str text)
{
	Known key, *slot = slot_of(in, kind, project, text, &key);

	return slot->hash == key.hash && slot->other == key.other ? slot->number : 0;
}

static void remember(Intake *in, Str kind, int64_t project, Str text, uint64_t number)
{
	Known key, *slot = slot_of(in, kind, project, text, &key);

	key.number = number;
	*slot = key;
}

bool intake_knows(Analytics *s, int64_t project, Str name, bool property)
{
	Intake *in = &s->intakes[loop_index(loop_self())];

	return recall(in, property ? KIND_PROPERTY : KIND_EVENT, project, name);
}

void intake_forget(Analytics *s)
{
	__atomic_add_fetch(&s->forgotten, 1, __ATOMIC_RELEASE);
}

static void forget_if_told(Intake *in)
{
	unsigned now = __atomic_load_n(&in->service->forgotten, __ATOMIC_ACQUIRE) +
	               (unsigned)(loop_now_us() / FORGET_US);

	if (now != in->generation && in->known)
		memset(in->known, 0, in->slots * sizeof(*in->known));
	in->generation = now;
}

/* --- a commit ---------------------------------------------------------------------------------------------------------- */

typedef struct Entry {
	Hit *hit;
	uint8_t *fate;
} Entry;

/* Of one project. */
typedef struct Group {
	int64_t project;
	Entry *entries; /* by id, each id once */
	size_t count;
	char *keys;        /* 16 bytes of each */
	Segment *segments; /* if all of them are new */
	size_t segment_count;
} Group;

typedef struct Commit {
	Intake *in;
	Arena *a;
	Entry *entries;
	size_t count;
	Group *groups;
	size_t group_count;
	int64_t now_us, stamp;
	bool merge; /* time to put what is small together */
} Commit;

static int by_id(const void *x, const void *y)
{
	const Entry *p = x, *q = y;
	int order = uuid_cmp(p->hit->id, q->hit->id);

	if (p->hit->project != q->hit->project)
		return p->hit->project < q->hit->project ? -1 : 1;
	return order ? order : p->hit < q->hit ? -1 : p->hit > q->hit;
}

static void add_to_group(Commit *c, Entry entry)
{
	Group *g = c->group_count ? &c->groups[c->group_count - 1] : NULL;

	if (!g || g->project != entry.hit->project) {
		g = &c->groups[c->group_count++];
		*g = (Group){ .project = entry.hit->project,
			      .entries = &c->entries[c->count],
			      .keys = arena_alloc_raw(c->a, 16) };
	}
	if (g->count && uuid_eq(g->entries[g->count - 1].hit->id, entry.hit->id)) {
		*entry.fate = INTAKE_DUPLICATE;
		return;
	}
	*entry.fate = INTAKE_STORED;
	g->entries[g->count++] = entry;
	c->count++;
}

/* Entries become groups, in place: those that are there twice are left out. */
static void find_groups(Commit *c)
{
	size_t count = c->count;

	qsort(c->entries, count, sizeof(*c->entries), by_id);
	c->groups = ARENA_ARRAY(c->a, Group, count);
	c->count = 0;
	for (size_t i = 0; i < count; i++)
		add_to_group(c, c->entries[i]);
	for (size_t i = 0; i < c->group_count; i++) {
		Group *g = &c->groups[i];

		g->keys = arena_alloc_raw(c->a, g->count * 16);
		for (size_t k = 0; k < g->count; k++)
			memcpy(g->keys + k * 16, g->entries[k].hit->id.at, 16);
	}
}

static int by_day(const void *x, const void *y)
{
	const Hit *const *p = x, *const *q = y;
	int64_t one = segment_day((*p)->time_ms), other = segment_day((*q)->time_ms);

	if (one != other)
		return one < other ? -1 : 1;
	return *p < *q ? -1 : *p > *q;
}

/* Those whose fate is to be stored, a segment a day. */
static void build_segments(Arena *a, Group *g)
{
	const Hit **hits = ARENA_ARRAY(a, const Hit *, g->count + 1);
	size_t count = 0, from = 0;

	for (size_t i = 0; i < g->count; i++)
		if (*g->entries[i].fate == INTAKE_STORED)
			hits[count++] = g->entries[i].hit;
	qsort(hits, count, sizeof(*hits), by_day);
	g->segments = ARENA_ARRAY(a, Segment, count + 1);
	g->segment_count = 0;
	for (size_t i = 1; i <= count; i++) {
		if (i < count && segment_day(hits[i]->time_ms) == segment_day(hits[from]->time_ms))
			continue;
		segment_build(a, &hits[from], i - from, &g->segments[g->segment_count++]);
		from = i;
	}
}

/* --- persons and names ------------------------------------------------------------------------------------------------- */

typedef struct Unknown {
	Str kind;
	int64_t project;
	Map texts; /* each once; the value is the first hit that has it, or anything */
	Buf json;
	IdsOfRow *rows;
	size_t count;
} Unknown;

static void unknown_fini(Unknown *u)
{
	map_fini(&u->texts);
	buf_fini(&u->json);
}

static void unknown_add(Unknown *u, Str text)
{
	if (map_get(&u->texts, text))
		return;
	map_put(&u->texts, text, u);
	buf_put(&u->json, u->json.len ? S(",") : S("["));
	json_put_quoted(&u->json, text);
}

static Err *give_numbers(Db *tx, Arena *a, void *arg)
{
	Unknown *u = arg;
	Str json = buf_str(&u->json);

	TRY(db_lock(tx, a, str_fmt(a, "analytics.ids.%" PRId64, u->project)));
	TRY(db_exec(tx, a, ids_add, NULL, .project = u->project, .names = json,
	            .now = time_utc_us()));
	TRY(db_all(tx, a, ids_of, &u->rows, &u->count, .project = u->project, .names = json));
	return u->count == u->texts.count
	               ? NULL
	               : err_new(a, ERR_INTERNAL, "db.rows", "a person has no number");
}

static Err *number_persons(Commit *c, Db *db, Group *g)
{
	AUTO(unknown_fini) Unknown u = { .project = g->project };
	Hit **asked = ARENA_ARRAY(c->a, Hit *, g->count);
	size_t count = 0;

	for (size_t i = 0; i < g->count; i++) {
		Hit *hit = g->entries[i].hit;

		hit->number = (uint32_t)recall(c->in, KIND_PERSON, g->project, hit->who);
		if (!hit->number) {
			asked[count++] = hit;
			unknown_add(&u, hit->who);
		}
	}
	if (!count)
		return NULL;
	buf_putc(&u.json, ']');
	TRY(db_txn(db, c->a, DB_READ_COMMITTED, give_numbers, &u));
	for (size_t i = 0, next = 0; i < count; i++) { /* rows are in the order of first sight */
		uint64_t number = (uintptr_t)map_get(&u.texts, asked[i]->who);

		if (number == (uintptr_t)&u) {
			number = (uint64_t)u.rows[next++].number;
			map_put(&u.texts, asked[i]->who, (void *)(uintptr_t)number);
			remember(c->in, KIND_PERSON, g->project, asked[i]->who, number);
		}
		asked[i]->number = (uint32_t)number;
	}
	return NULL;
}

static Err *list_names(Commit *c, Db *db, int64_t project, Str kind, const Str *names, size_t count)
{
	AUTO(unknown_fini) Unknown u = { .project = project, .kind = kind };

	for (size_t i = 0; i < count; i++)
		if (!recall(c->in, kind, project, names[i]))
			unknown_add(&u, names[i]);
	if (!u.json.len)
		return NULL;
	buf_putc(&u.json, ']');
	TRY(db_exec(db, c->a, names_add, NULL, .project = project, .kind = kind,
	            .names = buf_str(&u.json), .now = c->now_us));
	for (size_t i = 0; i < count; i++)
		remember(c->in, kind, project, names[i], 1);
	return NULL;
}

static Err *list_segment(Commit *c, Db *db, const Segment *s)
{
	Str *names = ARENA_ARRAY(c->a, Str, s->part_count + s->events);
	size_t count = 0;
	Words words;

	for (size_t i = 0; i < s->part_count; i++)
		if (str_starts(s->parts[i].name, SEGMENT_PROPERTY))
			names[count++] = str_sub(s->parts[i].name, 2, s->parts[i].name.len);
	TRY(list_names(c, db, s->project, KIND_PROPERTY, names, count));
	for (size_t i = 0; i < s->part_count; i++) {
		if (!str_eq(s->parts[i].name, SEGMENT_EVENT))
			continue;
		TRY(column_read_words(c->a, s->parts[i].bytes, s->events, &words));
		for (count = 0; count + 1 < words.count; count++)
			names[count] = words.cells[count + 1].text;
		TRY(list_names(c, db, s->project, KIND_EVENT, names, count));
	}
	return NULL;
}

static Err *prepare(Commit *c, Db *db)
{
	find_groups(c);
	for (size_t i = 0; i < c->group_count; i++) {
		Group *g = &c->groups[i];

		TRY(number_persons(c, db, g));
		build_segments(c->a, g);
		for (size_t s = 0; s < g->segment_count; s++)
			TRY(list_segment(c, db, &g->segments[s]));
	}
	return NULL;
}

/* --- the transaction --------------------------------------------------------------------------------------------------- */

static Err *write_segment(Db *tx, Arena *a, const Segment *s, int64_t now_us)
{
	AUTO(buf_fini) Buf packed = { 0 };
	SegmentAddRow *row;

	columns_pack(&packed, s->parts, s->part_count);
	TRY(db_one(tx, a, segment_add, &row, .project = s->project, .day = s->day,
	           .events = s->events, .first_ms = s->first_ms, .last_ms = s->last_ms,
	           .now = now_us, .packed = opt_str(buf_str(&packed))));
	return db_exec(tx, a, day_add, NULL, .project = s->project, .day = s->day,
	               .events = s->events);
}

/* Some were taken before: segments of the others, in the transaction's memory. */
static Err *write_rest(Commit *c, Db *tx, Arena *a, const Group *g)
{
	Group rest = *g;
	SeenMineRow *mine;
	size_t count;

	TRY(db_all(tx, a, seen_mine, &mine, &count, .project = g->project,
	           .keys = (Str){ g->keys, g->count * 16 }, .count = (int64_t)g->count,
	           .at = c->stamp));
	for (size_t i = 0; i < g->count; i++)
		*g->entries[i].fate = INTAKE_DUPLICATE;
	for (size_t i = 0; i < count; i++)
		*g->entries[mine[i].place].fate = INTAKE_STORED;
	build_segments(a, &rest);
	for (size_t i = 0; i < rest.segment_count; i++)
		TRY(write_segment(tx, a, &rest.segments[i], c->now_us));
	return NULL;
}

static Err *write_group(Commit *c, Db *tx, Arena *a, const Group *g)
{
	int64_t fresh;

	TRY(db_exec(tx, a, seen_add, &fresh, .project = g->project,
	            .keys = (Str){ g->keys, g->count * 16 }, .count = (int64_t)g->count,
	            .at = c->stamp));
	if ((size_t)fresh != g->count)
		return write_rest(c, tx, a, g);
	for (size_t i = 0; i < g->count; i++)
		*g->entries[i].fate = INTAKE_STORED;
	for (size_t i = 0; i < g->segment_count; i++)
		TRY(write_segment(tx, a, &g->segments[i], c->now_us));
	return NULL;
}

static Err *write_all(Db *tx, Arena *a, void *arg)
{
	Commit *c = arg;

	for (size_t i = 0; i < c->group_count; i++)
		TRY(write_group(c, tx, a, &c->groups[i]));
	if (!c->merge)
		return NULL;
	return job_put(tx, a, &(JobDraft){ .kind = S("analytics.merge"), .unique_key = S("merge") },
	               NULL, NULL);
}

/* A stamp of our own: microseconds, and below them chance, so that no other commit has it for the same id. */
static Err *commit(Commit *c, Db *db)
{
	c->now_us = time_utc_us();
	c->stamp = c->now_us << 10 | (int64_t)rand_below(1 << 10);
	TRY(prepare(c, db));
	return db_txn(db, c->a, DB_READ_COMMITTED, write_all, c);
}

/* --- leading ----------------------------------------------------------------------------------------------------------- */

static size_t take_waiting(Intake *in, List *mine)
{
	size_t count = 0;

	while (!list_empty(&in->waiting)) {
		Waiter *w = LIST_FIRST(&in->waiting, Waiter, node);

		if (count && count + w->count > COMMIT_EVENTS)
			break;
		list_remove(&w->node);
		list_add(mine, &w->node);
		w->taken = true;
		count += w->count;
	}
	in->waiting_events -= count;
	metric_sub(in->service->cells.at[CELL_WAITING], count);
	return count;
}

static Err *commit_for(Intake *in, Arena *a, List *mine, size_t count)
{
	Commit c = { .in = in, .a = a, .entries = ARENA_ARRAY(a, Entry, count) };
	int64_t before_us = time_mono_us();
	Err *err;

	LIST_EACH (mine, Waiter, node, w)
		for (size_t i = 0; i < w->count; i++)
			c.entries[c.count++] = (Entry){ &w->hits[i], &w->fates[i] };
	c.merge = ++in->commits % MERGE_EVERY == 0;
	err = commit(&c, in->service->db);
	metric_add(in->service->cells.at[CELL_COMMITS], err == NULL);
	metric_observe_us(in->service->cells.at[CELL_COMMIT_TIME], time_mono_us() - before_us);
	return err;
}

static void lead(Intake *in)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	List mine;
	Waiter *next;
	Err *err;

	in->busy = true;
	list_init(&mine);
	err = fiber_gather(); /* others are about to come */
	forget_if_told(in);
	if (!err)
		err = commit_for(in, a, &mine, take_waiting(in, &mine));
	else
		take_waiting(in, &mine);
	in->busy = false;
	for (Waiter *w; (w = LIST_TAKE(&mine, Waiter, node));) {
		w->err = err ? err_copy(w->arena, err) : NULL;
		w->done = true;
		fiber_wake(w->fiber);
	}
	next = LIST_FIRST(&in->waiting, Waiter, node);
	if (next)
		fiber_wake(next->fiber);
}

static Err *wait_turn(Intake *in, Waiter *w)
{
	while (!w->done) {
		if (!in->busy)
			lead(in);
		else
			TRY(fiber_park());
	}
	return NULL;
}

Err *intake_take(Analytics *s, Arena *a, Hit *hits, size_t count, uint8_t *fates)
{
	Intake *in = &s->intakes[loop_index(loop_self())];
	Waiter w = {
		.fiber = fiber_self(), .hits = hits, .count = count, .fates = fates, .arena = a
	};
	AUTO(shield_end) Shield shield = { 0 };
	Err *err;

	if (!count)
		return NULL;
	if (in->waiting_events + count > WAITING_EVENTS)
		return err_new(a, ERR_BUSY, "analytics.busy", "too many events wait to be written");
	shield = shield_begin(TAKE_US);
	list_add(&in->waiting, &w.node);
	in->waiting_events += count;
	metric_add(s->cells.at[CELL_WAITING], count);
	err = wait_turn(in, &w);
	if (err && !w.taken) {
		list_remove(&w.node);
		in->waiting_events -= count;
		metric_sub(s->cells.at[CELL_WAITING], count);
		return err;
	}
	while (!w.done) { /* whoever writes it is about to end: its time is over too */
		AUTO(shield_end) Shield rest = shield_begin(TAKE_US);

		if (fiber_park())
			continue;
	}
	return w.err;
}

Err *intake_take_alone(Db *db, Arena *a, Hit *hits, size_t count, uint8_t *fates)
{
	Analytics none = { .db = db };
	Intake *in = intakes_new(a, &none, 1);
	Commit c = { .in = in, .a = a, .entries = ARENA_ARRAY(a, Entry, count + 1) };
	Err *err;

	for (size_t i = 0; i < count; i++)
		c.entries[c.count++] = (Entry){ &hits[i], &fates[i] };
	in->slots = ALONE_SLOTS;
	err = count ? commit(&c, db) : NULL;
	intakes_free(in, 1);
	return err;
}
