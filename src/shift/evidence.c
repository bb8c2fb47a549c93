/* SPDX-License-Identifier: Apache-2.0
 *
 * With d = rho r + 1 - rho, an event of new multiplies the likelihood ratio of "r times as bad" by r / d, one of old by
 * 1 / d. Under "r' times as bad" with r' <= 1 the mean of that factor is at most 1, for each event whatever its rho: the
 * product is a supermartingale, and so is the mean over the grid. Nothing is ever taken back or begun anew when the
 * share changes, and the products of gateways multiply: their logarithms are summed.
 *
 * A margin m moves the border from 1 to 1 + m: rho is replaced by the probability that an event is new's at that border.
 * EVIDENCE_FEWER is the same with the sides exchanged. */
#include "shift/evidence.h"

#include "shift/figures.h"

#include <math.h>

/* 1.25 to 64, evenly by logarithm: below, no rollout is long enough to see it; above, 64 sees it as well. */
static const double grid[EVIDENCE_GRID] = {
	1.25,           1.483290100571, 1.760119617963, 2.088614404117,
	2.47841685563,  2.940968949636, 3.489848103266, 4.141165715259,
	4.914040088215, 5.831157613329, 6.919438690178, 8.210827928522,
	9.743231827098, 11.56163145337, 13.71940278499, 16.27988346938,
	19.31823199087, 22.92363381808, 27.20191928919, 32.27867007856,
	38.30290542971, 45.45145635761, 53.93415621744, 64,
};

#define LOG_FIRST 0.22314355131420976 /* of 1.25 */
#define LOG_STEP 0.17111911008893313  /* of 51.2, by 23 */

Evidence evidence_new(EvidenceOf of, double margin)
{
	return (Evidence){ .of = of, .margin = margin };
}

/* The share of events that the suspected side has at the border of what is tested. */
static double border_share(EvidenceOf of, double margin, double share)
{
	double weighed = share * (1 + margin);
	double border = weighed / (weighed + 1 - share);

	return of == EVIDENCE_FEWER ? 1 - border : border;
}

static void add_events(double log_ratio[EVIDENCE_GRID], double share, double suspected,
                       double other)
{
	for (size_t k = 0; k < EVIDENCE_GRID; k++)
		log_ratio[k] += suspected * (LOG_FIRST + LOG_STEP * (double)k) -
		                (suspected + other) * log1p(share * (grid[k] - 1));
}

static double log_mean_exp(const double log_ratio[EVIDENCE_GRID])
{
	double most = log_ratio[0], sum = 0;

	for (size_t k = 1; k < EVIDENCE_GRID; k++)
		most = MAX(most, log_ratio[k]);
	for (size_t k = 0; k < EVIDENCE_GRID; k++)
		sum += exp(log_ratio[k] - most);
	return most + log(sum / EVIDENCE_GRID);
}

static bool is_comparable(double share)
{
	return share > 0 && share < 1;
}

void evidence_add(Evidence *e, double share, uint64_t new_events, uint64_t old_events)
{
	bool fewer = e->of == EVIDENCE_FEWER;

	if (!is_comparable(share) || !(new_events | old_events))
		return;
	add_events(e->log, border_share(e->of, e->margin, share),
	           (double)(fewer ? old_events : new_events),
	           (double)(fewer ? new_events : old_events));
	e->new_events += new_events;
	e->old_events += old_events;
	e->expected += share * (double)(new_events + old_events);
	e->peak = MAX(e->peak, evidence_log(e));
}

void evidence_take_back(Evidence *e, bool of_new)
{
	uint64_t events = e->new_events + e->old_events;
	double share = events ? e->expected / (double)events : 0;
	bool suspected = of_new == (e->of != EVIDENCE_FEWER);

	if (!is_comparable(share) || !(of_new ? e->new_events : e->old_events))
		return;
	add_events(e->log, border_share(e->of, e->margin, share), suspected ? -1 : 0,
	           suspected ? 0 : -1);
	e->new_events -= of_new;
	e->old_events -= !of_new;
	e->expected -= share;
}

void evidence_merge(Evidence *into, const Evidence *from)
{
	for (size_t k = 0; k < EVIDENCE_GRID; k++)
		into->log[k] += from->log[k];
	into->new_events += from->new_events;
	into->old_events += from->old_events;
	into->expected += from->expected;
	into->peak = MAX(0.0, evidence_log(into));
}

double evidence_log(const Evidence *e)
{
	return log_mean_exp(e->log);
}

double evidence_p(const Evidence *e)
{
	return exp(-e->peak);
}

double evidence_log_of(EvidenceOf of, double margin, double share, uint64_t new_events,
                       uint64_t old_events)
{
	Evidence e = evidence_new(of, margin);

	evidence_add(&e, share, new_events, old_events);
	return evidence_log(&e);
}

void evidence_put(JsonWriter *w, const Evidence *e)
{
	json_begin_object(w);
	json_put_bool(w, "fewer", e->of == EVIDENCE_FEWER);
	json_put_real(w, "margin", e->margin);
	json_put_u64(w, "new", e->new_events);
	json_put_u64(w, "old", e->old_events);
	json_put_real(w, "expected", e->expected);
	json_put_real(w, "peak", e->peak);
	json_key(w, S("log"));
	json_begin_array(w);
	for (size_t k = 0; k < EVIDENCE_GRID; k++)
		json_add_real(w, e->log[k]);
	json_end(w);
	json_end(w);
}

static bool read_grid(const Json *from, double log_ratio[EVIDENCE_GRID])
{
	if (json_count(from) != EVIDENCE_GRID)
		return false;
	for (size_t k = 0; k < EVIDENCE_GRID; k++)
		if (!json_to_real(json_at(from, k), &log_ratio[k]) || !isfinite(log_ratio[k]))
			return false;
	return true;
}

Err *evidence_read(Arena *a, const Json *from, Evidence *out)
{
	Evidence e = { 0 };
	bool fewer;

	if (!json_to_bool(json_get(from, S("fewer")), &fewer) ||
	    !figures_get_real(from, "margin", &e.margin) || e.margin <= -1 ||
	    !figures_get_u64(from, "new", &e.new_events) ||
	    !figures_get_u64(from, "old", &e.old_events) ||
	    !figures_get_real(from, "expected", &e.expected) ||
	    !figures_get_real(from, "peak", &e.peak) || !read_grid(json_get(from, S("log")), e.log))
		return figures_wrong(a, "evidence");
	e.of = fewer ? EVIDENCE_FEWER : EVIDENCE_WORSE;
	*out = e;
	return NULL;
}
