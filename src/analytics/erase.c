/* SPDX-License-Identifier: Apache-2.0
 *
 * A person is a set of numbers; an event has one of them. Segments that hold such events are written anew without them, and without the
 * values that only they had (segment.c); their days' versions rise, so that what was counted of them counts no more. Last the names go:
 * a process that dies on the way leaves the names, and is begun again.
 *
 * Events that are taken while this runs may still get the old number from the memory of their process, for a minute. So the job comes
 * again after two, by the numbers, for the names are gone then; that it does is written with the end of the names. A job is kept for a
 * while when it is done: it knows a number, not the name. */
#include "analytics/erase.h"

#include "analytics/intake.h"
#include "analytics/merge.h"
#include "analytics/person.h"
#include "analytics/segment.h"
#include "base/arena.h"
#include "base/time.h"

#include "analytics_segment_sql.h"
#include "analytics_sql.h"

enum { AGAIN_US = 120 * 1000000, TRIES = 8 };

typedef struct Erasing {
	Db *db;
	Arena *a;
	int64_t project;
	bool *gone; /* by number: is it one of the person's? */
	uint32_t most;
	Erased *out;
} Erasing;

/* --- who ---------------------------------------------------------------------------------------------------------------- */

static Err *find_numbers(Erasing *e, int64_t number, Str *numbers)
{
	AUTO(buf_fini) Buf b = { 0 };
	Persons persons;
	uint32_t root;

	TRY(persons_load(e->db, e->a, e->project, &persons));
	e->most = persons.most;
	e->gone = ARENA_ARRAY(e->a, bool, (size_t)persons.most + 1);
	root = person_root(&persons, (uint32_t)number);
	for (uint32_t n = 1; n <= persons.most; n++) {
		e->gone[n] = person_root(&persons, n) == root;
		if (e->gone[n])
			buf_fmt(&b, "%s%u", b.len ? "," : "", n);
		e->out->names += e->gone[n];
	}
	*numbers = str_fmt(e->a, "[%.*s]", STR_ARG(buf_str(&b)));
	return NULL;
}

/* --- events -------------------------------------------------------------------------------------------------------------- */

static Err *persons_in(Erasing *e, Arena *a, const SegmentsListedRow *s, Str *bytes)
{
	SegmentRow *row;
	SegmentPartRow *part;
	ColumnPart *parts;
	size_t count;

	*bytes = S("");
	if (!s->is_packed) {
		TRY(db_one(e->db, a, segment_part, &part, .segment = s->id,
		           .name = SEGMENT_PERSON));
		*bytes = part ? part->data : S("");
		return NULL;
	}
	TRY(db_one(e->db, a, segment_by_id, &row, .id = s->id));
	if (!row || !row->packed.set)
		return NULL;
	TRY(columns_unpack(a, row->packed.v, &parts, &count));
	for (size_t i = 0; i < count; i++)
		if (str_eq(parts[i].name, SEGMENT_PERSON))
			*bytes = parts[i].bytes;
	return NULL;
}

static Err *erase_in(Erasing *e, Arena *a, int64_t day, const SegmentsListedRow *s, bool *moved)
{
	bool *dropped = ARENA_ARRAY(a, bool, (size_t)s->events);
	const void *at;
	uint64_t count = 0;
	Str bytes;

	TRY(persons_in(e, a, s, &bytes));
	*moved = !bytes.len;
	if (*moved)
		return NULL;
	TRY(column_read_fixed(a, bytes, 4, (size_t)s->events, &at));
	for (int64_t i = 0; i < s->events; i++) {
		uint32_t person = ((const uint32_t *)at)[i];

		dropped[i] = person <= e->most && e->gone[person];
		count += dropped[i];
	}
	if (!count)
		return NULL;
	TRY(merge_rewrite(e->db, a, e->project, day, s->id, dropped, moved));
	e->out->events += *moved ? 0 : count;
	return NULL;
}

static Err *erase_segment(Erasing *e, int64_t day, const SegmentsListedRow *s, bool *moved)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Err *err = erase_in(e, a, day, s, moved);

	return err ? err_copy(e->a, err) : NULL;
}

/* A segment that was merged meanwhile makes the day be looked at again. */
static Err *erase_day(Erasing *e, int64_t day)
{
	for (int i = 0; i < TRIES; i++) {
		SegmentsListedRow *rows;
		size_t count;
		bool again = false;

		TRY(db_all(e->db, e->a, segments_listed, &rows, &count, .project = e->project,
		           .day = day));
		for (size_t k = 0; k < count; k++) {
			bool moved;

			TRY(erase_segment(e, day, &rows[k], &moved));
			again = again || moved;
		}
		if (!again)
			return NULL;
	}
	return err_new(e->a, ERR_BUSY, "erase.moving", "a day's events were moved too often");
}

static Err *erase_events(Erasing *e)
{
	DaysBetweenRow *days;
	size_t count;

	TRY(db_all(e->db, e->a, days_between, &days, &count, .project = e->project,
	           .from_day = INT32_MIN, .to_day = INT32_MAX));
	for (size_t i = 0; i < count; i++)
		TRY(erase_day(e, days[i].day));
	return NULL;
}

/* --- names --------------------------------------------------------------------------------------------------------------- */

static Err *put_job(Db *db, Arena *a, int64_t project, const char *what, Str value, int64_t at_us,
                    Uuid *id)
{
	JobDraft draft = { .kind = S("analytics.erase"), .run_at_us = at_us };

	draft.data =
		str_fmt(a, "{\"project\":%" PRId64 ",\"%s\":%.*s}", project, what, STR_ARG(value));
	return job_put(db, a, &draft, id, NULL);
}

typedef struct Naming {
	Erasing *e;
	Str numbers;
	bool again; /* by a job */
} Naming;

static Err *erase_names(Db *tx, Arena *a, void *arg)
{
	const Naming *n = arg;
	IdsNamedRow *rows;
	size_t count;

	TRY(db_all(tx, a, ids_named, &rows, &count, .project = n->e->project,
	           .numbers = n->numbers));
	for (size_t i = 0; i < count; i++) {
		TRY(db_exec(tx, a, failed_erase, NULL, .project = n->e->project,
		            .name = rows[i].name));
		TRY(db_exec(tx, a, merges_erase, NULL, .project = n->e->project,
		            .number = rows[i].number));
		TRY(db_exec(tx, a, id_erase, NULL, .project = n->e->project,
		            .number = rows[i].number));
	}
	return n->again ? put_job(tx, a, n->e->project, "numbers", n->numbers,
	                          time_utc_us() + AGAIN_US, NULL)
	                : NULL;
}

/* number: 0 is nobody. */
static Err *erase(Db *db, Arena *a, int64_t project, int64_t number, bool again, Erased *out)
{
	Erasing e = { .db = db, .a = a, .project = project, .out = out };
	Naming naming = { .e = &e, .again = again };

	*out = (Erased){ 0 };
	if (!number)
		return NULL;
	TRY(find_numbers(&e, number, &naming.numbers));
	TRY(erase_events(&e));
	return db_txn(db, a, DB_READ_COMMITTED, erase_names, &naming);
}

static Err *number_of(Db *db, Arena *a, int64_t project, Str name, int64_t *number)
{
	IdByNameRow *row;

	TRY(db_one(db, a, id_by_name, &row, .project = project, .name = name));
	*number = row ? row->number : 0;
	return NULL;
}

Err *erase_person(Db *db, Arena *a, int64_t project, Str name, Erased *out)
{
	int64_t number;

	TRY(number_of(db, a, project, name, &number));
	return erase(db, a, project, number, false, out);
}

/* --- as a job ------------------------------------------------------------------------------------------------------------ */

Err *erase_later(Db *db, Arena *a, int64_t project, Str name, Uuid *id)
{
	int64_t number;

	TRY(number_of(db, a, project, name, &number));
	return put_job(db, a, project, "number", str_fmt(a, "%" PRId64, number), 0, id);
}

/* What came under the old numbers after all. */
static Err *erase_again(Db *db, Arena *a, int64_t project, const Json *numbers)
{
	Erased out = { 0 };
	Erasing e = { .db = db, .a = a, .project = project, .out = &out };
	IdsMostRow *most;

	TRY(db_one(db, a, ids_most, &most, .project = project));
	e.most = (uint32_t)most->number;
	e.gone = ARENA_ARRAY(a, bool, (size_t)e.most + 1);
	for (size_t i = 0; i < json_count(numbers); i++) {
		int64_t n;

		if (json_to_i64(json_at(numbers, i), &n) && n > 0 && n <= most->number)
			e.gone[n] = true;
	}
	return erase_events(&e);
}

Err *analytics_erase(JobRun *run, void *arg)
{
	Arena *a = job_arena(run);
	int64_t project, number;
	const Json *data;
	Erased out;
	Err *err;

	TRY(json_read(a, job_data(run), 0, &data));
	TRY(json_need_i64(a, data, "project", &project));
	if (json_get(data, S("numbers")))
		return erase_again(job_db(run), a, project, json_get(data, S("numbers")));
	TRY(json_need_i64(a, data, "number", &number));
	err = erase(job_db(run), a, project, number, true, &out);
	intake_forget(analytics_of(arg));
	return err;
}
