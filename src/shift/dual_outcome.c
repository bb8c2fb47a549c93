/* SPDX-License-Identifier: Apache-2.0
 *
 * What became of a write at the side that its user is on.
 *
 * It is known when that side's answer has its head, or, where answers are compared, when it is whole; the client's answer goes its
 * way meanwhile. It is handed to one fiber of loop 0, which tells the book, as often as that takes: until then it is in memory, and a
 * process that is killed leaves an intent that nobody knows the end of. What never reached anybody was refused, whatever the
 * client was told. */
#include "shift/dual_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "shift/hooks.h"

#include <pthread.h>

#define AGAIN_US (200 * US_PER_MS)

enum { AT_ONCE = 32, POSTED_MAX = 4096 };

static struct {
	pthread_mutex_t lock;
	List posted;
	size_t count;
	Fiber *fiber; /* of loop 0, while it waits */
} outcomes = { .lock = PTHREAD_MUTEX_INITIALIZER };

DualWrite *dual_write_new(const DualRules *rules, Uuid id, bool to_new)
{
	Arena *a = arena_new(0);
	DualWrite *w = ARENA_NEW(a, DualWrite);

	*w = (DualWrite){ .arena = a,
		          .rules = rules,
		          .subject = rules->subject,
		          .id = id,
		          .to_new = to_new,
		          .keeps_answer = rules->conf->compare == WRITES_COMPARE_ANSWER };
	return w;
}

void dual_write_free(DualWrite *w)
{
	buf_fini(&w->answer.body);
	arena_free(w->arena);
}

/* --- posting ---------------------------------------------------------------------------------------------------------------- */

static void wake(void *arg)
{
	(void)arg;
	if (outcomes.fiber)
		fiber_wake(outcomes.fiber);
}

static void make_answer(DualWrite *w)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (w->fate != DUAL_TAKEN || !w->keeps_answer)
		return;
	dual_put_answer(&b, &w->answer);
	w->kept = str_dup(w->arena, buf_str(&b));
}

void dual_post(DualWrite *w, DualFate fate)
{
	static const DualCount counts[] = { [DUAL_TAKEN] = DUAL_COUNT_TAKEN,
		                            [DUAL_REFUSED] = DUAL_COUNT_REFUSED,
		                            [DUAL_UNKNOWN] = DUAL_COUNT_UNKNOWN };

	w->fate = fate;
	w->rules = NULL;
	make_answer(w);
	dual_count(w->subject, counts[fate]);
	pthread_mutex_lock(&outcomes.lock);
	list_add(&outcomes.posted, &w->node);
	outcomes.count++;
	pthread_mutex_unlock(&outcomes.lock);
	loop_post(rt_loop(0), wake, NULL);
}

bool dual_outcomes_full(void)
{
	bool full;

	pthread_mutex_lock(&outcomes.lock);
	full = outcomes.count >= POSTED_MAX;
	pthread_mutex_unlock(&outcomes.lock);
	return full;
}

/* --- hooks ------------------------------------------------------------------------------------------------------------------ */

static DualWrite *write_of(const Passage *p)
{
	return ((const ShiftTrip *)p->shift)->write;
}

/* A try before this one may have been done, and its answer lost: then a refusal says little. */
static DualFate fate_of(const Passage *p, unsigned status)
{
	DualFate fate = dual_fate_of(status);

	return fate == DUAL_REFUSED && p->doubted ? DUAL_UNKNOWN : fate;
}

static void let_go(Passage *p, DualFate fate, const Err *err)
{
	ShiftTrip *trip = p->shift;
	DualWrite *w = trip->write;

	trip->write = NULL;
	if (w->rescued)
		w->to_new = !w->to_new;
	if (fate == DUAL_UNKNOWN)
		w->said = p->answered ? str_fmt(w->arena, "the first side answered %u",
		                                p->answer.status)
		          : err       ? dual_text(w->arena, err_chain(w->arena, err), DUAL_SAID_MAX)
		                      : S("the first side gave no answer");
	dual_post(w, fate);
}

void dual_answer(Passage *p)
{
	DualWrite *w = write_of(p);

	if (!w || w->answer.status)
		return;
	shadow_take_head(w->arena, &p->answer, &w->answer);
	w->limit = ((const ShiftTrip *)p->shift)->binding->conf->shadow.body_bytes;
	if (!w->keeps_answer || p->answer.body == HTTP_BODY_NONE ||
	    fate_of(p, p->answer.status) != DUAL_TAKEN)
		let_go(p, fate_of(p, p->answer.status), NULL);
}

void dual_piece(Passage *p, Str piece)
{
	DualWrite *w = write_of(p);

	if (!w || !w->answer.status)
		return;
	shadow_take_piece(&w->answer, piece, w->limit);
	if (!piece.len || p->call.read_all)
		let_go(p, fate_of(p, w->answer.status), NULL);
}

void dual_done(Passage *p, const Err *err)
{
	DualWrite *w = write_of(p);

	if (!w)
		return;
	if (p->answered) { /* what of its answer there is: it is cut */
		if (!w->answer.status)
			shadow_take_head(w->arena, &p->answer, &w->answer);
		w->answer.cut = true;
		let_go(p, fate_of(p, p->answer.status), err);
	} else {
		let_go(p, p->reached ? DUAL_UNKNOWN : DUAL_REFUSED, err);
	}
}

/* --- telling the book ------------------------------------------------------------------------------------------------------- */

static size_t look(DualWrite *at[AT_ONCE])
{
	size_t count = 0;

	pthread_mutex_lock(&outcomes.lock);
	LIST_EACH (&outcomes.posted, DualWrite, node, w)
		if (count < AT_ONCE)
			at[count++] = w;
	pthread_mutex_unlock(&outcomes.lock);
	return count;
}

static void drop(DualWrite *const *at, size_t count)
{
	pthread_mutex_lock(&outcomes.lock);
	for (size_t i = 0; i < count; i++)
		list_remove(&at[i]->node);
	outcomes.count -= count;
	pthread_mutex_unlock(&outcomes.lock);
	for (size_t i = 0; i < count; i++) {
		dual_deliver_hurry(at[i]->subject);
		dual_write_free(at[i]);
	}
}

static bool is_passing(const Err *err)
{
	return err->kind == ERR_BUSY || err->kind == ERR_TIMEOUT || err->kind == ERR_CANCELLED ||
	       err_is(err, "db.unknown");
}

/* One that the book will never take must not hold up the others. */
static Err *tell_each(Arena *a, DualWrite *const *at, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Err *err = dual_book_outcomes(a, &at[i], 1);

		if (err && is_passing(err))
			return err;
		if (err)
			log_err(err, "what became of a write cannot be noted: it stays open");
		drop(&at[i], 1);
	}
	return NULL;
}

Err *dual_outcomes_flush(Arena *a)
{
	DualWrite *at[AT_ONCE];
	size_t count;
	Err *err;

	while ((count = look(at)) > 0) {
		err = dual_book_outcomes(a, at, count);
		if (err && !is_passing(err))
			err = tell_each(a, at, count);
		else if (!err)
			drop(at, count);
		TRY(err);
		arena_clear(a);
	}
	return NULL;
}

static bool is_empty(void)
{
	bool empty;

	pthread_mutex_lock(&outcomes.lock);
	empty = list_empty(&outcomes.posted);
	pthread_mutex_unlock(&outcomes.lock);
	return empty;
}

static Err *await(void)
{
	Err *err = NULL;

	outcomes.fiber = fiber_self();
	while (!err && is_empty())
		err = fiber_park();
	outcomes.fiber = NULL;
	return err;
}

Err *dual_outcomes_run(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	(void)arg;
	for (;;) {
		Err *err;

		TRY(await());
		err = dual_outcomes_flush(a);
		if (err && err->kind == ERR_CANCELLED)
			return err;
		if (err)
			TRY(fiber_sleep(AGAIN_US));
		arena_clear(a);
	}
}

void dual_outcomes_init(void)
{
	list_init(&outcomes.posted);
	outcomes.count = 0;
}

void dual_outcomes_fini(void)
{
	DualWrite *at[AT_ONCE];
	size_t count;

	while ((count = look(at)) > 0)
		drop(at, count);
}
