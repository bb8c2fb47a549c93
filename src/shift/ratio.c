/* SPDX-License-Identifier: Apache-2.0
 *
 * The evidence is how much likelier the users seen are under "some other split" than under the expected one. The other
 * split is a Beta distribution around the expected, as wide as four users of the smaller side are certain: wide enough to
 * notice a split that is off by a half after a hundred of its users, by a tenth after some thousands. */
#include "shift/ratio.h"

#include "shift/figures.h"

#include <math.h>

#define PRIOR_USERS 4.0

Ratio ratio_new(double expected)
{
	return (Ratio){ .expected = expected };
}

static double log_gamma(double x)
{
	int sign; /* lgamma would put it where all threads see it */

	return lgamma_r(x, &sign);
}

static double log_beta(double x, double y)
{
	return log_gamma(x) + log_gamma(y) - log_gamma(x + y);
}

static double evidence_now(const Ratio *ratio)
{
	double p = ratio->expected, on_new = (double)ratio->new_users;
	double on_old = (double)ratio->old_users, all, x, y;

	if (!(p > 0 && p < 1))
		return 0;
	all = PRIOR_USERS / MIN(p, 1 - p);
	x = p * all;
	y = (1 - p) * all;
	return log_beta(x + on_new, y + on_old) - log_beta(x, y) - on_new * log(p) -
	       on_old * log1p(-p);
}

void ratio_note(Ratio *ratio, bool on_new)
{
	ratio->new_users += on_new;
	ratio->old_users += !on_new;
	ratio->peak = MAX(ratio->peak, evidence_now(ratio));
}

static uint32_t checks_of(const Ratio *ratio)
{
	return MAX(ratio->checks, 1u);
}

void ratio_merge(Ratio *into, const Ratio *from)
{
	uint32_t checks = checks_of(into) + checks_of(from);

	if (from->peak > into->peak)
		*into = *from;
	into->checks = checks;
}

double ratio_seen(const Ratio *ratio)
{
	uint64_t users = ratio->new_users + ratio->old_users;

	return users ? (double)ratio->new_users / (double)users : ratio->expected;
}

double ratio_p(const Ratio *ratio)
{
	return MIN(1.0, checks_of(ratio) * exp(-ratio->peak));
}

static const Figure figures[] = {
	{ "expected", FIGURE_SHARE, offsetof(Ratio, expected) },
	{ "new", FIGURE_U64, offsetof(Ratio, new_users) },
	{ "old", FIGURE_U64, offsetof(Ratio, old_users) },
	{ "peak", FIGURE_REAL, offsetof(Ratio, peak) },
};

void ratio_put(JsonWriter *w, const Ratio *ratio)
{
	json_begin_object(w);
	figures_put(w, figures, COUNT(figures), ratio);
	json_end(w);
}

Err *ratio_read(Arena *a, const Json *from, Ratio *out)
{
	Ratio ratio = { 0 };

	if (!figures_get(from, figures, COUNT(figures), &ratio))
		return figures_wrong(a, "sample ratio");
	*out = ratio;
	return NULL;
}
