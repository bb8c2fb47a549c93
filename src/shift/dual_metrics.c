/* SPDX-License-Identifier: Apache-2.0
 *
 * Dual writes on /metrics. What happened is of this gateway; what there is, is the same on all that share a book. */
#include "shift/dual.h"

#include "base/time.h"
#include "shift/subject.h"

_Static_assert((int)DUAL_COUNTS <= (int)SUBJECT_WRITE_COUNTS, "a count has no place");

static const Str results[] = {
	[DUAL_COUNT_TAKEN] = S("taken"),
	[DUAL_COUNT_REFUSED] = S("refused"),
	[DUAL_COUNT_UNKNOWN] = S("unknown"),
	[DUAL_COUNT_DELIVERED] = S("delivered"),
	[DUAL_COUNT_RETRIED] = S("retried"),
	[DUAL_COUNT_DEAD] = S("dead"),
	[DUAL_COUNT_REPEATED] = S("repeated"),
	[DUAL_COUNT_SAME] = S("same"),
	[DUAL_COUNT_DIFFERS] = S("differs"),
	[DUAL_COUNT_PINNED] = S("pinned"),
	[DUAL_COUNT_PASSED] = S("passed"),
	[DUAL_COUNT_SINGLE + DUAL_FULL] = S("single_full"),
	[DUAL_COUNT_SINGLE + DUAL_AWAY] = S("single_away"),
	[DUAL_COUNT_SINGLE + DUAL_BEHIND] = S("single_behind"),
	[DUAL_COUNT_SINGLE + DUAL_LARGE] = S("single_large"),
	[DUAL_COUNT_TURNED_AWAY + DUAL_FULL] = S("turned_away_full"),
	[DUAL_COUNT_TURNED_AWAY + DUAL_AWAY] = S("turned_away_away"),
	[DUAL_COUNT_TURNED_AWAY + DUAL_BEHIND] = S("turned_away_behind"),
	[DUAL_COUNT_TURNED_AWAY + DUAL_LARGE] = S("turned_away_large"),
};
_Static_assert(COUNT(results) == DUAL_COUNTS, "a count without a name");

static bool backlog_of(Subject *s, DualBacklog *out)
{
	subject_lock(s);
	*out = dual_backlog(s);
	out->on = out->on && s->conf;
	subject_unlock(s);
	return out->on;
}

static void read_results(MetricOut *out)
{
	DualBacklog backlog;
	Subject *s = NULL;

	while ((s = subject_next(s)))
		for (unsigned i = 0; backlog_of(s, &backlog) && i < DUAL_COUNTS; i++)
			metric_emit(out, (Str[]){ s->name, results[i] },
			            (double)__atomic_load_n(&s->writes.counts[i],
			                                    __ATOMIC_RELAXED));
}

static void read_waiting(MetricOut *out)
{
	DualBacklog b;
	Subject *s = NULL;

	while ((s = subject_next(s))) {
		if (!backlog_of(s, &b))
			continue;
		metric_emit(out, (Str[]){ s->name, S("old") }, (double)b.to_old);
		metric_emit(out, (Str[]){ s->name, S("new") }, (double)b.to_new);
	}
}

static void read_dead(MetricOut *out)
{
	DualBacklog b;
	Subject *s = NULL;

	while ((s = subject_next(s)))
		if (backlog_of(s, &b))
			metric_emit(out, &s->name, (double)b.dead);
}

static void read_oldest(MetricOut *out)
{
	DualBacklog b;
	Subject *s = NULL;

	while ((s = subject_next(s)))
		if (backlog_of(s, &b))
			metric_emit(out, &s->name,
			            b.oldest_us ? (double)(time_utc_us() - b.oldest_us) / 1e6 : 0);
}

static const MetricFamily families[] = {
	{ "banyan_shift_writes_total",
	  METRIC_COUNTER,
	  "writes",
	  "Requests that both sides are to have: what the first side made of them, what became of them at the other, and those "
	  "that went to one side only or were turned away, by why",
	  { "subject", "result" },
	  read_results },
	{ "banyan_shift_writes_waiting",
	  METRIC_GAUGE,
	  "writes",
	  "Writes that a side lacks",
	  { "subject", "side" },
	  read_waiting },
	{ "banyan_shift_writes_dead",
	  METRIC_GAUGE,
	  "writes",
	  "Of those, the ones that wait for a person",
	  { "subject" },
	  read_dead },
	{ "banyan_shift_writes_oldest_seconds",
	  METRIC_GAUGE,
	  "seconds",
	  "How old the oldest write is that a side lacks",
	  { "subject" },
	  read_oldest },
};

const MetricFamily *dual_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}
