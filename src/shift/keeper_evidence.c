/* SPDX-License-Identifier: Apache-2.0
 *
 * What gateways tell each other of an attempt, once a second: what each has seen, as a sum, and which users it has counted.
 *
 * Rows are of runs, not of gateways: in a take-over two processes of one name count at the same time. All rows of an attempt are
 * added up, those of runs that were killed too. A run that ends says so in its last row, and the next of the same name takes it
 * over into its own, both rows in one transaction: once, whoever else tries.
 *
 * Users are told as news: those counted since the last time, in the same transaction as the sum that has them. Whoever hears of
 * one counts him no more. Two who counted the same user within that second find it out when they hear of each other: the
 * younger run gives its event up. Until it has, a sum may have a user twice, and so the judge asks for as many more events
 * before it goes back. What is heard is bounded (seen.h); beyond that the judge asks for more all the time. */
#include "shift/keeper_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STALE_US (30 * US_PER_S)  /* a run that has said nothing for so long is at work no more */
#define DOUBLED_US (5 * US_PER_S) /* by then who was to give up an event has */

enum { RUNS_MAX = 256 };

typedef struct RunHeard {
	Str run;
	int64_t users; /* how far its users were heard */
} RunHeard;

/* Of one attempt. */
typedef struct SubjectRuns {
	Arena *arena;
	uint32_t attempt;
	int64_t users; /* the last number of one's own */
	bool said;     /* the book has had a row of this run */
	int64_t doubled_us;
	RunHeard heard[RUNS_MAX];
	size_t count;
} SubjectRuns;

static SubjectRuns *runs_of(Subject *s, uint32_t attempt)
{
	Arena *a;

	if (s->runs && s->runs->attempt == attempt)
		return s->runs;
	if (s->runs)
		arena_free(s->runs->arena);
	a = arena_new(0);
	s->runs = ARENA_NEW(a, SubjectRuns);
	*s->runs = (SubjectRuns){ .arena = a, .attempt = attempt };
	return s->runs;
}

/* NULL: there are too many. */
static RunHeard *heard_of(SubjectRuns *runs, Str run)
{
	for (size_t i = 0; i < runs->count; i++)
		if (str_eq(runs->heard[i].run, run))
			return &runs->heard[i];
	if (runs->count == RUNS_MAX)
		return NULL;
	runs->heard[runs->count] = (RunHeard){ .run = str_dup(runs->arena, run) };
	return &runs->heard[runs->count++];
}

static Str gateway_of(Str run)
{
	ptrdiff_t at = str_rfind_char(run, '#');

	return at < 0 ? run : str_sub(run, 0, (size_t)at);
}

/* --- telling ------------------------------------------------------------------------------------------------------------- */

static Err *put_row(Arena *a, const Judge *judge, int64_t users, bool ended, Str *out)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);

	json_begin_object(&w);
	json_key(&w, S("judge"));
	judge_put(&w, judge);
	json_put_i64(&w, "users", users);
	json_put_bool(&w, "ended", ended);
	json_end(&w);
	TRY(json_done(&w, out));
	*out = str_dup(a, *out);
	return NULL;
}

typedef struct Telling {
	Judge judge;
	SeenNews *news;
	size_t count;
	int32_t step;
	uint32_t attempt;
} Telling;

static void free_news(Telling *t)
{
	free(t->news);
}

/* A copy, so that no request waits for text to be written. */
static void take(Subject *s, Telling *t)
{
	subject_lock(s);
	t->judge = s->judge;
	t->step = s->state.step;
	t->attempt = s->judged.attempt;
	t->news = seen_take_news(&s->seen, &t->count);
	subject_unlock(s);
}

static Err *write_row(Subject *s, Arena *a, const Telling *t, bool ended)
{
	AUTO(buf_fini) Buf text = { 0 };
	SubjectRuns *runs = runs_of(s, t->attempt);
	BookUsers users = { .seq = runs->users + 1, .step = t->step };
	BookSeen seen = { .run = keeper_run(), .at_us = time_utc_us(), .step = t->step };

	if (t->count) {
		runs->users =
			users.seq; /* what may have been written is not written anew as something else */
		seen_put_news(&text, t->news, t->count);
		users.users = buf_str(&text);
	}
	TRY(put_row(a, &t->judge, runs->users, ended, &seen.evidence));
	TRY(book_see(keeper_book(), a, s->name, t->attempt, &seen, t->count ? &users : NULL));
	if (!runs->said)
		TRY(book_forget(keeper_book(), a, s->name, t->attempt));
	runs->said = true;
	return NULL;
}

static Err *tell(Subject *s, Arena *a, bool ended)
{
	AUTO(free_news) Telling t = { 0 };
	Err *err;

	take(s, &t);
	err = write_row(s, a, &t, ended);
	if (!err)
		return NULL;
	subject_lock(s);
	if (s->judged.attempt == t.attempt)
		seen_give_news(&s->seen, t.news, t.count);
	subject_unlock(s);
	return err;
}

/* --- hearing ------------------------------------------------------------------------------------------------------------- */

/* A row of another run. */
typedef struct Row {
	const BookSeen *seen;
	bool has_judge, ended, tells_users;
	int64_t users;
	Judge judge;
} Row;

typedef struct Hearing {
	Subject *s;
	Arena *arena;
	uint32_t attempt;
	SubjectRuns *runs;
	Judge own, sum;
	Row *to_fold;
	uint32_t gateways, others; /* at work now; rows */
	bool vague;
	Str names[RUNS_MAX];
} Hearing;

static bool read_row(Arena *a, const BookSeen *seen, Row *row)
{
	const Json *json, *judge;

	*row = (Row){ .seen = seen };
	if (json_read(a, seen->evidence, 0, &json))
		return false;
	judge = json_get(json, S("judge"));
	row->has_judge = judge && !judge_read(a, judge, &row->judge);
	row->tells_users = json_to_i64(json_get(json, S("users")), &row->users);
	(void)json_to_bool(json_get(json, S("ended")), &row->ended);
	return row->has_judge || !judge; /* else of a release that this one cannot read */
}

/* Evidence is of the attempt, but counts of users and requests are of a step: those of another say nothing of this one. */
static void forget_other_step(const Subject *s, const BookSeen *seen, Judge *judge)
{
	if (seen->step == s->state.step && fabs(judge->step.share - s->judge.step.share) < 1e-9)
		return;
	for (unsigned i = 0; i < judge->count; i++)
		memset(judge->metrics[i].in_step, 0, sizeof judge->metrics[i].in_step);
	memset(judge->requests, 0, sizeof judge->requests);
	memset(judge->uncounted, 0, sizeof judge->uncounted);
	judge->ratio = ratio_new(s->judge.step.share);
	judge->full = false;
}

static void give_up(Subject *s, uint16_t events, JudgeSide side)
{
	for (unsigned i = 0; i < s->judge.count; i++)
		if ((events >> i & 1) && (int)i != s->metrics.mismatch)
			judge_give_up(&s->judge, i, side);
}

/* With the lock. */
static void hear_user(Hearing *h, SeenNews theirs, bool yield)
{
	SeenNews both = seen_hear(&h->s->seen, &theirs, yield);

	if (!(both.on_new | both.on_old))
		return;
	h->runs->doubled_us = time_utc_us();
	if (!yield)
		return;
	give_up(h->s, both.on_new, JUDGE_NEW);
	give_up(h->s, both.on_old, JUDGE_OLD);
}

/* Of two runs the younger yields; of other gateways' any, as long as both say the same. */
static void hear_users(Hearing *h, Str run, const BookUsers *row)
{
	bool yield = str_cmp(run, keeper_run()) < 0;
	Str text = row->users;
	SeenNews theirs;

	subject_lock(h->s);
	while (h->s->judged.attempt == h->attempt && seen_read_news(&text, &theirs)) {
		if (row->step != h->s->state.step)
			theirs.on_old = 0;
		hear_user(h, theirs, yield);
	}
	subject_unlock(h->s);
}

static Err *hear_news(Hearing *h, const Row *row)
{
	RunHeard *heard = heard_of(h->runs, row->seen->run);

	h->vague |= !heard || !row->tells_users;
	while (heard && heard->users < row->users) {
		BookUsers *rows;
		size_t count;

		TRY(book_users(keeper_book(), h->arena, h->s->name, h->attempt, heard->run,
		               heard->users, &rows, &count));
		for (size_t i = 0; i < count; i++) {
			hear_users(h, heard->run, &rows[i]);
			heard->users = MAX(heard->users, rows[i].seq);
		}
		if (!count) /* the book has lost them */
			heard->users = row->users;
	}
	return NULL;
}

static void count_gateway(Hearing *h, const Row *row)
{
	Str name = gateway_of(row->seen->run);

	if (row->ended || time_utc_us() - row->seen->at_us > STALE_US ||
	    str_eq(name, keeper_gateway()))
		return;
	for (uint32_t i = 0; i < h->gateways; i++)
		if (str_eq(h->names[i], name))
			return;
	if (h->gateways < RUNS_MAX)
		h->names[h->gateways++] = name;
}

static void add_up(Hearing *h, Row *row)
{
	Judge own = h->own;

	if (!row->has_judge)
		return;
	count_gateway(h, row);
	forget_other_step(h->s, row->seen, &row->judge);
	if (!judge_merge(&own, &row->judge)) /* of other rules */
		return;
	if (row->ended && !h->to_fold && str_eq(gateway_of(row->seen->run), keeper_gateway()))
		h->to_fold = row; /* and so no part of the sum */
	else if (!h->others++)
		h->sum = row->judge;
	else
		(void)judge_merge(&h->sum, &row->judge);
}

/* The row of this run, if the book has it still. */
static void check_own(const Hearing *h, const Row *own)
{
	if (h->runs->said && (!own || own->users < h->runs->users))
		keeper_share_anew(h->s);
}

static Err *hear_all(Hearing *h, const BookSeen *seen, size_t count)
{
	Row *own = NULL;

	for (size_t i = 0; i < count; i++) {
		Row *row = ARENA_NEW(h->arena, Row);

		if (!read_row(h->arena, &seen[i], row))
			continue;
		if (str_eq(seen[i].run, keeper_run())) {
			own = row;
			continue;
		}
		TRY(hear_news(h, row));
		add_up(h, row);
	}
	check_own(h, own);
	return NULL;
}

/* taken_over: NULL, or whose sum is one's own from now on. */
static void set_others(const Hearing *h, const Judge *taken_over)
{
	Subject *s = h->s;
	bool vague = h->vague || time_utc_us() - h->runs->doubled_us < DOUBLED_US;

	subject_lock(s);
	if (s->judged.attempt == h->attempt) {
		if (taken_over)
			(void)judge_take_over(&s->judge, taken_over);
		s->others = h->sum;
		s->others_count = h->gateways;
		s->watchers = vague || s->seen.unheard ? h->others + 1 : 1;
	}
	subject_unlock(s);
}

/* --- an ended run -------------------------------------------------------------------------------------------------------- */

static Err *take_over(const Hearing *h)
{
	const Row *row = h->to_fold;
	BookSeen own = { .run = keeper_run(), .at_us = time_utc_us() }, stub = *row->seen;
	Judge judge;
	bool done;

	subject_lock(h->s);
	judge = h->s->judge;
	own.step = h->s->state.step;
	subject_unlock(h->s);
	(void)judge_take_over(&judge, &row->judge);
	TRY(put_row(h->arena, &judge, h->runs->users, false, &own.evidence));
	stub.evidence = str_fmt(h->arena, "{\"users\":%" PRId64 ",\"ended\":true}", row->users);
	TRY(book_fold(keeper_book(), h->arena, h->s->name, h->attempt, &own, &stub, &done));
	if (!done) /* somebody else has it now: the next second tells who */
		return NULL;
	set_others(h, &row->judge);
	log_info("%.*s: what %.*s had seen was taken over", STR_ARG(h->s->name),
	         STR_ARG(row->seen->run));
	return NULL;
}

static Err *hear(Subject *s, Arena *a)
{
	Hearing *h = ARENA_NEW(a, Hearing);
	BookSeen *seen;
	size_t count;

	*h = (Hearing){ .s = s, .arena = a };
	subject_lock(s);
	h->attempt = s->judged.attempt;
	h->own = s->judge;
	subject_unlock(s);
	h->runs = runs_of(s, h->attempt);
	TRY(book_seen(keeper_book(), a, s->name, h->attempt, &seen, &count));
	TRY(hear_all(h, seen, count));
	if (h->to_fold)
		return take_over(h);
	set_others(h, NULL);
	return NULL;
}

/* --- all of them --------------------------------------------------------------------------------------------------------- */

static bool is_told(Subject *s)
{
	bool told;

	subject_lock(s);
	told = s->conf && s->judge.count && s->judged.attempt == s->state.attempt &&
	       (s->state.phase == SHIFT_CANARY || s->state.phase == SHIFT_NEW);
	subject_unlock(s);
	return told;
}

static Err *share(Subject *s, Arena *a)
{
	TRY(hear(s, a));
	return tell(s, a, false);
}

Err *keeper_share(Arena *a)
{
	AUTO(arena_freep) Arena *turn = arena_new(0);
	Subject *s = NULL;

	while ((s = subject_next(s))) {
		Err *err = is_told(s) ? err_copy(a, share(s, turn)) : NULL;

		arena_clear(turn);
		TRY(err);
	}
	return NULL;
}

void keeper_share_anew(Subject *s)
{
	subject_lock(s);
	if (s->seen.slots)
		seen_say_all(&s->seen);
	subject_unlock(s);
}

void keeper_share_last(Arena *a)
{
	Subject *s = NULL;

	while ((s = subject_next(s)))
		if (is_told(s)) {
			Err *err = tell(s, a, true);

			(void)err; /* a second of evidence is lost */
		}
}
