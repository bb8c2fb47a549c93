/* SPDX-License-Identifier: Apache-2.0
 *
 * What gateways tell each other of an attempt. Each writes what it has seen into the book once a second, and adds up what the
 * others have. */
#include "shift/keeper_int.h"

#include "base/arena.h"
#include "base/time.h"

#include <math.h>
#include <string.h>

#define STALE_US (30 * US_PER_S) /* evidence of a gateway that has ended */

static Err *publish(Subject *s, Arena *a)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	BookSeen seen = { .run = keeper_gateway(), .at_us = time_utc_us() };
	uint32_t attempt;

	subject_lock(s);
	json_begin_object(&w);
	json_key(&w, S("judge"));
	judge_put(&w, &s->judge);
	json_key(&w, S("seen"));
	seen_write(&w, &s->seen);
	json_end(&w);
	seen.step = s->state.step;
	attempt = s->state.attempt;
	subject_unlock(s);
	TRY(json_done(&w, &seen.evidence));
	return book_see(keeper_book(), a, s->name, attempt, &seen, NULL);
}

static Err *take_up(Subject *s, Arena *a, const Json *json, const Judge *judge)
{
	Err *err = NULL;

	subject_lock(s);
	if (judge_merge(&s->judge, judge))
		err = seen_read(a, json_get(json, S("seen")), &s->seen);
	subject_unlock(s);
	return err;
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

/* Others', summed up; and at the start one's own of before. */
static Err *collect(Subject *s, Arena *a, bool own)
{
	Judge sum = { 0 };
	BookSeen *seen;
	size_t count;
	uint32_t gateways = 0;

	TRY(book_seen(keeper_book(), a, s->name, s->state.attempt, &seen, &count));
	for (size_t i = 0; i < count; i++) {
		bool is_own = str_eq(seen[i].run, keeper_gateway());
		const Json *json;
		Judge judge;

		if (is_own != own || (!own && time_utc_us() - seen[i].at_us > STALE_US &&
		                      seen[i].step != s->state.step))
			continue;
		if (json_read(a, seen[i].evidence, 0, &json) ||
		    judge_read(a, json_get(json, S("judge")), &judge))
			continue; /* of a release that this one cannot read */
		forget_other_step(s, &seen[i], &judge);
		if (!own) /* users of both would count twice */
			judge.ratio = ratio_new(judge.ratio.expected);
		if (own) {
			TRY(take_up(s, a, json, &judge));
		} else if (!gateways++)
			sum = judge;
		else
			(void)judge_merge(&sum, &judge);
	}
	if (own)
		return NULL;
	subject_lock(s);
	s->others = sum;
	s->others_count = gateways;
	subject_unlock(s);
	return NULL;
}

Err *keeper_share(Arena *a)
{
	Subject *s = NULL;

	while ((s = subject_next(s))) {
		bool judged;

		subject_lock(s);
		judged = s->conf && s->judge.count &&
		         (s->state.phase == SHIFT_CANARY || s->state.phase == SHIFT_NEW);
		subject_unlock(s);
		if (!judged)
			continue;
		TRY(publish(s, a));
		TRY(collect(s, a, false));
	}
	return NULL;
}

void keeper_share_anew(Subject *s)
{
	(void)s;
}

void keeper_share_last(Arena *a)
{
	Err *err = keeper_share(a);

	(void)err; /* a second of evidence is lost */
}
