/* SPDX-License-Identifier: Apache-2.0
 *
 * What the judge says, and the line that says why.
 *
 * Back needs proof (the limit); on needs time, requests and the absence of suspicion; everything else waits. Suspicion is
 * evidence of 10 or more at this moment. A side that is alike has so much at some time in one of ten metrics at most, and
 * loses it as requests come in: that costs a delay. A side that is worse by what the step was planned for is then already
 * back nine times of ten, and of the tenth most stand above 10: going on in front of growing evidence would only send
 * more users to it. The step may be longer than planned for this; it cannot be shorter. */
#include "shift/judge_int.h"

#include "shift/words.h"

#include <math.h>

static const struct {
	const char *events; /* "5 % of errors would be new's" */
	const char *with;   /* "9 of 541 without it on new" */
} nouns[JUDGE_KINDS] = {
	[JUDGE_ERRORS] = { "errors", "" },
	[JUDGE_LATENCY] = { "slow answers", "" },
	[JUDGE_MISMATCH] = { "differences", "" },
	[JUDGE_WITHOUT] = { "requests without it", " without it" },
	[JUDGE_WITH] = { "those", " with it" },
	[JUDGE_RISE] = { "those", " with it" },
};

static const char *const says[] = {
	[JUDGE_WAIT] = "wait", [JUDGE_ON] = "on", [JUDGE_BACK] = "back"
};

const char *judge_say_name(JudgeSay say)
{
	return says[say];
}

JudgeView judge_view(const Judge *judge, unsigned metric)
{
	const JudgeMetric *at = &judge->metrics[metric];
	const Evidence *e = &at->worse;
	uint64_t events = e->new_events + e->old_events;
	double now = MIN(evidence_log(e), 600.0);

	return (JudgeView){
		.name = str_of(at->rule.name),
		.old_side = at->judged[JUDGE_OLD],
		.new_side = at->judged[JUDGE_NEW],
		.share = events ? e->expected / (double)events : judge->step.share,
		.evidence = exp(now),
		.limit = 1 / at->alpha,
		.alpha = at->alpha,
		.p = evidence_p(e),
		.suspicious = now >= log(MIN(JUDGE_SUSPICIOUS, 1 / at->alpha)),
	};
}

/* --- lines ---------------------------------------------------------------------------------------------------------- */

static void put_side(Buf *b, JudgeTally tally, const char *with, const char *side)
{
	words_put_count(b, tally.events);
	buf_put(b, S(" of "));
	words_put_count(b, tally.requests);
	buf_fmt(b, "%s on %s", with, side);
	if (tally.requests) {
		buf_put(b, S(" ("));
		words_put_percent(b, (double)tally.events / (double)tally.requests);
		buf_put(b, S(")"));
	}
}

static void put_sides(Buf *b, const JudgeMetric *metric, const JudgeView *view)
{
	const char *with = nouns[metric->rule.kind].with;

	if (metric->rule.kind == JUDGE_LATENCY)
		buf_fmt(b, " above %.6g ms", (double)metric->rule.threshold_us / 1000);
	buf_put(b, S(": "));
	put_side(b, view->new_side, with, "new");
	buf_put(b, S(", "));
	put_side(b, view->old_side, with, "old");
}

static void put_metric(Buf *b, const Judge *judge, unsigned i)
{
	const JudgeMetric *metric = &judge->metrics[i];
	const Evidence *e = &metric->worse;
	JudgeView view = judge_view(judge, i);
	uint64_t events = e->new_events + e->old_events;

	buf_put(b, view.name);
	put_sides(b, metric, &view);
	if (!events) {
		buf_put(b, S("; nothing to compare"));
		return;
	}
	buf_put(b, S("; were both alike, "));
	words_put_percent(b, view.share);
	buf_fmt(b, " of %s would be new's; ", nouns[metric->rule.kind].events);
	words_put_count(b, e->new_events);
	buf_put(b, S(" of "));
	words_put_count(b, events);
	buf_put(b, e->new_events == 1 ? S(" was: evidence ") : S(" were: evidence "));
	words_put_evidence(b, view.evidence);
	buf_put(b, S(" against "));
	words_put_evidence(b, view.limit);
}

Str judge_metric_line(const Judge *judge, unsigned metric, Arena *a)
{
	AUTO(buf_fini) Buf b = { 0 };

	put_metric(&b, judge, metric);
	return words_take(a, &b);
}

/* --- what holds it up ----------------------------------------------------------------------------------------------- */

static unsigned most_evidence(const Judge *judge)
{
	unsigned most = 0;

	for (unsigned i = 1; i < judge->count; i++)
		if (evidence_log(&judge->metrics[i].worse) + log(judge->metrics[i].alpha) >
		    evidence_log(&judge->metrics[most].worse) + log(judge->metrics[most].alpha))
			most = i;
	return most;
}

static void put_progress(Buf *b, const Judge *judge, int64_t now_us)
{
	int64_t lasted_us = MAX(now_us - judge->step.since_us, INT64_C(0));

	words_put_count(b, judge->requests[JUDGE_NEW]);
	if (judge->step.requests) {
		buf_put(b, S(" of "));
		words_put_count(b, judge->step.requests);
	}
	buf_put(b, S(" requests of the new side, "));
	words_put_time(b, floor((double)lasted_us / 1e6));
	if (judge->step.hold_us) {
		buf_put(b, S(" of "));
		words_put_time(b, (double)judge->step.hold_us / 1e6);
	}
	if (2 * judge->uncounted[JUDGE_NEW] > judge->requests[JUDGE_NEW]) {
		buf_put(b, S(" ("));
		words_put_count(b, judge->uncounted[JUDGE_NEW]);
		buf_fmt(b, " of them by users counted before: not counted again)");
	}
}

typedef bool Hindrance(const Judge *judge, int64_t now_us, Buf *b, int *metric);

static Hindrance no_requests, table_full, split_broken, suspicious, too_early, not_proven;

static bool no_requests(const Judge *judge, int64_t now_us, Buf *b, int *metric)
{
	bool alone = judge->step.share >= 1;

	(void)now_us;
	(void)metric;
	if (!judge->requests[JUDGE_NEW])
		buf_put(b, S("no request of the new side yet; without traffic nothing is judged"));
	else if (!alone && judge->requests[JUDGE_OLD] < JUDGE_BATCH)
		buf_put(b, S("the old side has too few requests to compare with"));
	else
		return false;
	return true;
}

static bool table_full(const Judge *judge, int64_t now_us, Buf *b, int *metric)
{
	(void)now_us;
	(void)metric;
	if (judge->full)
		buf_put(b,
		        S("the table of users is full, so that no more can be counted in this step"));
	return judge->full;
}

static bool split_broken(const Judge *judge, int64_t now_us, Buf *b, int *metric)
{
	const Ratio *ratio = &judge->ratio;

	(void)now_us;
	(void)metric;
	if (ratio_p(ratio) >= RATIO_ALPHA)
		return false;
	buf_put(b, S("the split is not what it should be: "));
	words_put_count(b, ratio->new_users);
	buf_put(b, S(" of "));
	words_put_count(b, ratio->new_users + ratio->old_users);
	buf_put(b, S(" users came to new ("));
	words_put_percent(b, ratio_seen(ratio));
	buf_put(b, S("), expected were "));
	words_put_percent(b, ratio->expected);
	buf_fmt(b, ": p %.2g", ratio_p(ratio));
	return true;
}

static bool suspicious(const Judge *judge, int64_t now_us, Buf *b, int *metric)
{
	(void)now_us;
	for (unsigned i = 0; i < judge->count; i++) {
		if (!judge_view(judge, i).suspicious)
			continue;
		*metric = (int)i;
		buf_put(b, S("suspicious, but not proven: "));
		put_metric(b, judge, i);
		return true;
	}
	return false;
}

static bool too_early(const Judge *judge, int64_t now_us, Buf *b, int *metric)
{
	(void)metric;
	if (judge->requests[JUDGE_NEW] >= judge->step.requests &&
	    now_us - judge->step.since_us >= judge->step.hold_us)
		return false;
	put_progress(b, judge, now_us);
	if (judge->count) {
		buf_put(b, S("; "));
		put_metric(b, judge, most_evidence(judge));
	}
	return true;
}

static bool not_proven(const Judge *judge, int64_t now_us, Buf *b, int *metric)
{
	(void)now_us;
	for (unsigned i = 0; i < judge->count; i++) {
		const JudgeMetric *at = &judge->metrics[i];

		if (at->rule.prove <= 0 || evidence_log(&at->fine) >= log(JUDGE_PROOF))
			continue;
		*metric = (int)i;
		buf_put(b, S("not yet proven to be at most "));
		words_put_percent(b, at->rule.prove);
		buf_put(b, S(" worse (evidence "));
		words_put_evidence(b, exp(MIN(evidence_log(&at->fine), 600.0)));
		buf_put(b, S(" against "));
		words_put_evidence(b, JUDGE_PROOF);
		buf_put(b, S("): "));
		put_metric(b, judge, i);
		return true;
	}
	return false;
}

/* In the order in which they matter to who reads. */
static Hindrance *const hindrances[] = { no_requests, table_full, split_broken,
	                                 suspicious,  too_early,  not_proven };

static bool put_back(const Judge *judge, Buf *b, int *metric)
{
	for (unsigned i = 0; i < judge->count; i++) {
		const JudgeMetric *at = &judge->metrics[i];

		if (!at->back)
			continue;
		*metric = (int)i;
		put_metric(b, judge, i);
		if (!judge_is_over(at)) {
			buf_put(b, S(" (it had reached "));
			words_put_evidence(b, exp(MIN(at->worse.peak, 600.0)));
			buf_put(b, S(")"));
		}
		return true;
	}
	return false;
}

static bool put_wait(const Judge *judge, int64_t now_us, Buf *b, int *metric)
{
	for (size_t i = 0; i < COUNT(hindrances); i++)
		if (hindrances[i](judge, now_us, b, metric))
			return true;
	return false;
}

static void put_on(const Judge *judge, int64_t now_us, Buf *b)
{
	put_progress(b, judge, now_us);
	buf_put(b, S(", nothing suspicious"));
	if (judge->count) {
		buf_put(b, S("; "));
		put_metric(b, judge, most_evidence(judge));
	}
}

JudgeVerdict judge_look(const Judge *judge, int64_t now_us, Arena *a)
{
	AUTO(buf_fini) Buf b = { 0 };
	JudgeVerdict verdict = { .metric = -1 };

	if (put_back(judge, &b, &verdict.metric)) {
		verdict.say = JUDGE_BACK;
	} else if (put_wait(judge, now_us, &b, &verdict.metric)) {
		verdict.say = JUDGE_WAIT;
	} else {
		verdict.say = JUDGE_ON;
		put_on(judge, now_us, &b);
	}
	verdict.line = words_take(a, &b);
	return verdict;
}
