/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch is closed by the number of requests on both sides, never by what happened to them, so that its share says nothing
 * about where its events fell.
 *
 * Which share. Users are drawn, so an event that has nothing to do with the side is new's with the probability of the split,
 * however much each user asks: the split's share is exact. But when new has clearly more of the requests than that (three
 * standard deviations of a draw of as many requests), it is theirs: whoever asks more, errs more. The larger of the two
 * is the careful one where more events are worse, the smaller where fewer are. Without a split it is the batch's own.
 *
 * Only a user's first event counts, so requests count only as long as he has had none. What a user had on old is
 * forgotten with the step, since by the next one he may have been drawn to new, and no likelier than anybody. */
#include "shift/judge.h"

#include "shift/judge_int.h"

#include <math.h>
#include <string.h>

JudgeKind judge_counter_kind(double ratio)
{
	return ratio > 0.5 ? JUDGE_WITHOUT : JUDGE_WITH;
}

static double weight_of(const JudgeRule *rule)
{
	return rule->weight > 0 ? rule->weight : 1;
}

Judge judge_new(double alpha, const JudgeRule *rules, unsigned count)
{
	Judge judge = { .alpha = alpha, .count = MIN(count, (unsigned)JUDGE_MAX) };
	double sum = 0;

	for (unsigned i = 0; i < judge.count; i++)
		sum += weight_of(&rules[i]);
	for (unsigned i = 0; i < judge.count; i++) {
		JudgeMetric *metric = &judge.metrics[i];

		metric->rule = rules[i];
		metric->rule.name[JUDGE_NAME_BYTES - 1] = '\0';
		metric->alpha = alpha * weight_of(&rules[i]) / sum;
		metric->worse =
			evidence_new(judge_is_wanted(metric) ? EVIDENCE_FEWER : EVIDENCE_WORSE,
		                     judge_is_wanted(metric) ? -rules[i].margin : rules[i].margin);
		metric->fine =
			evidence_new(judge_is_wanted(metric) ? EVIDENCE_WORSE : EVIDENCE_FEWER,
		                     judge_is_wanted(metric) ? -rules[i].prove : rules[i].prove);
	}
	return judge;
}

/* --- batches -------------------------------------------------------------------------------------------------------- */

/* The share of new for evidence that must not take it too small (too large: fewer). */
static double careful_share(double split, double requests, double share, bool fewer)
{
	double off = 3 * sqrt(split * (1 - split) / requests);

	if (!(split > 0 && split < 1))
		return share;
	if (fewer)
		return share < split - off ? share : split;
	return share > split + off ? share : split;
}

static double share_for(const Judge *judge, const JudgeMetric *metric, EvidenceOf of)
{
	double on_new = (double)metric->batch[JUDGE_NEW].requests;
	double all = on_new + (double)metric->batch[JUDGE_OLD].requests;
	double split = metric->rule.kind == JUDGE_MISMATCH ? 0 : judge->step.share;

	if (split > 0) {
		on_new = (double)metric->in_step[JUDGE_NEW];
		all = on_new + (double)metric->in_step[JUDGE_OLD];
	}
	return careful_share(split, all, on_new / all, of == EVIDENCE_FEWER);
}

bool judge_is_over(const JudgeMetric *metric)
{
	const Evidence *e = &metric->worse;
	double enough = judge_is_wanted(metric) ? e->expected : (double)e->new_events;

	return enough >= JUDGE_LEAST_EVENTS * MAX(metric->watchers, 1u) &&
	       evidence_log(e) >= -log(metric->alpha);
}

static void weigh(const Judge *judge, JudgeMetric *metric, Evidence *e)
{
	evidence_add(e, share_for(judge, metric, e->of), metric->batch[JUDGE_NEW].events,
	             metric->batch[JUDGE_OLD].events);
}

static void close_batch(const Judge *judge, JudgeMetric *metric)
{
	for (unsigned side = 0; side < JUDGE_SIDES; side++) {
		metric->judged[side].requests += metric->batch[side].requests;
		metric->judged[side].events += metric->batch[side].events;
		metric->in_step[side] += metric->batch[side].requests;
	}
	if (metric->batch[JUDGE_OLD].events | metric->batch[JUDGE_NEW].events) {
		weigh(judge, metric, &metric->worse);
		weigh(judge, metric, &metric->fine);
		metric->back |= judge_is_over(metric);
	}
	memset(metric->batch, 0, sizeof metric->batch);
}

static void close_when_full(const Judge *judge, JudgeMetric *metric)
{
	if (metric->batch[JUDGE_OLD].requests >= JUDGE_BATCH &&
	    metric->batch[JUDGE_NEW].requests >= JUDGE_BATCH)
		close_batch(judge, metric);
}

void judge_begin(Judge *judge, Seen *seen, JudgeStep step)
{
	for (unsigned i = 0; i < judge->count; i++) {
		JudgeMetric *metric = &judge->metrics[i];

		if (metric->batch[JUDGE_OLD].requests && metric->batch[JUDGE_NEW].requests)
			close_batch(judge, metric);
		memset(metric->batch, 0, sizeof metric->batch);
		memset(metric->in_step, 0, sizeof metric->in_step);
	}
	memset(judge->requests, 0, sizeof judge->requests);
	memset(judge->uncounted, 0, sizeof judge->uncounted);
	judge->step = step;
	judge->ratio = ratio_new(step.share);
	judge->full = false;
	if (seen)
		seen_step(seen);
}

void judge_note_more(Judge *judge, Seen *seen, JudgeSide side, uint64_t user, uint32_t measured,
                     uint32_t events)
{
	bool known = seen && user;
	uint32_t had = known ? seen_get(seen, user) : 0;
	uint32_t left = measured & ~had & ((UINT32_C(1) << judge->count) - 1);

	if (known && (events & left))
		seen_put(seen, user, side == JUDGE_NEW, events & left);
	if (known && seen->full) {
		judge->full = true;
		return;
	}
	for (; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		JudgeMetric *metric = &judge->metrics[i];

		metric->batch[side].requests++;
		metric->batch[side].events += events >> i & 1;
		close_when_full(judge, metric);
	}
}

void judge_note(Judge *judge, Seen *seen, JudgeSide side, uint64_t user, uint32_t measured,
                uint32_t events)
{
	judge->requests[side]++;
	judge->uncounted[side] += seen && user ? seen_get(seen, user) & 1 : 0;
	judge_note_more(judge, seen, side, user, measured, events);
}

void judge_add(Judge *judge, unsigned metric, JudgeTally old_side, JudgeTally new_side)
{
	JudgeMetric *at = &judge->metrics[metric];

	at->batch[JUDGE_OLD].requests += old_side.requests;
	at->batch[JUDGE_OLD].events += old_side.events;
	at->batch[JUDGE_NEW].requests += new_side.requests;
	at->batch[JUDGE_NEW].events += new_side.events;
	close_when_full(judge, at);
}

void judge_note_user(Judge *judge, JudgeSide side)
{
	ratio_note(&judge->ratio, side == JUDGE_NEW);
}

/* --- several gateways ----------------------------------------------------------------------------------------------- */

static bool is_same(const Judge *judge, const Judge *other)
{
	bool same = judge->count == other->count;

	for (unsigned i = 0; same && i < judge->count; i++)
		same = judge->metrics[i].rule.kind == other->metrics[i].rule.kind &&
		       str_eq(str_of(judge->metrics[i].rule.name),
		              str_of(other->metrics[i].rule.name));
	return same;
}

static void merge_metric(JudgeMetric *into, const JudgeMetric *from)
{
	for (unsigned side = 0; side < JUDGE_SIDES; side++) {
		into->judged[side].requests += from->judged[side].requests;
		into->judged[side].events += from->judged[side].events;
		into->in_step[side] += from->in_step[side];
	}
	evidence_merge(&into->worse, &from->worse);
	evidence_merge(&into->fine, &from->fine);
	into->back = judge_is_over(into);
}

bool judge_merge(Judge *into, const Judge *from)
{
	if (!is_same(into, from))
		return false;
	for (unsigned i = 0; i < into->count; i++)
		merge_metric(&into->metrics[i], &from->metrics[i]);
	for (unsigned side = 0; side < JUDGE_SIDES; side++) {
		into->requests[side] += from->requests[side];
		into->uncounted[side] += from->uncounted[side];
	}
	ratio_merge(&into->ratio, &from->ratio);
	into->full |= from->full;
	return true;
}

/* Batches of another step are of another share: they are closed by that. */
static void take_batch(Judge *into, Judge *from, unsigned i)
{
	JudgeMetric *metric = &from->metrics[i];

	if (fabs(into->step.share - from->step.share) < 1e-9)
		judge_add(into, i, metric->batch[JUDGE_OLD], metric->batch[JUDGE_NEW]);
	else if (metric->batch[JUDGE_OLD].requests && metric->batch[JUDGE_NEW].requests)
		close_batch(from, metric);
}

bool judge_take_over(Judge *into, const Judge *from)
{
	Judge ended = *from;

	if (!is_same(into, from))
		return false;
	for (unsigned i = 0; i < into->count; i++)
		take_batch(into, &ended, i);
	return judge_merge(into, &ended);
}

void judge_give_up(Judge *judge, unsigned metric, JudgeSide side)
{
	JudgeMetric *at = &judge->metrics[metric];

	if (at->batch[side].events) {
		at->batch[side].events--;
	} else if (at->judged[side].events) {
		at->judged[side].events--;
		evidence_take_back(&at->worse, side == JUDGE_NEW);
		evidence_take_back(&at->fine, side == JUDGE_NEW);
		at->back = judge_is_over(at);
	}
}
