/* SPDX-License-Identifier: Apache-2.0
 *
 * At a share of one half, which never changes, the evidence follows from the two counts, so nothing else is kept.
 *
 * Why the parts of alpha fall with the number of the key: how many keys there will be is not known beforehand, and dividing by
 * those seen so far would take back what was promised to the earlier ones. The price is small where it matters: a key that
 * always differs and never did so by itself is found after 13 requests as the first, after 20 as the tenth, after 27 as the
 * hundredth (alpha 0.001). */
#include "shift/paired.h"

#include "shift/evidence.h"
#include "shift/figures.h"

#include <math.h>

void paired_add(Paired *paired, uint64_t raw_only, uint64_t noise_only)
{
	if (!(raw_only | noise_only))
		return;
	paired->raw_only += raw_only;
	paired->noise_only += noise_only;
	paired->peak = MAX(paired->peak, paired_log(paired));
}

void paired_note(Paired *paired, bool raw_differs, bool noise_differs)
{
	paired_add(paired, raw_differs && !noise_differs, noise_differs && !raw_differs);
}

double paired_alpha(double alpha, uint32_t number)
{
	return alpha * 6 / (M_PI * M_PI * (double)number * (double)number);
}

double paired_log(const Paired *paired)
{
	return evidence_log_of(EVIDENCE_WORSE, 0, 0.5, paired->raw_only, paired->noise_only);
}

double paired_p(const Paired *paired, double alpha_part)
{
	return MIN(1.0, exp(-paired->peak) / alpha_part);
}

PairedSay paired_say(const Paired *paired, double alpha)
{
	double limit = -log(paired_alpha(alpha, paired->number));

	if (paired->peak >= limit)
		return PAIRED_MISMATCH;
	if (evidence_log_of(EVIDENCE_FEWER, 1, 0.5, paired->raw_only, paired->noise_only) >= limit)
		return PAIRED_NOISE;
	return PAIRED_OPEN;
}

static const Figure figures[] = {
	{ "number", FIGURE_U32, offsetof(Paired, number) },
	{ "raw", FIGURE_U64, offsetof(Paired, raw_only) },
	{ "noise", FIGURE_U64, offsetof(Paired, noise_only) },
	{ "peak", FIGURE_REAL, offsetof(Paired, peak) },
};

void paired_put(JsonWriter *w, const Paired *paired)
{
	json_begin_object(w);
	figures_put(w, figures, COUNT(figures), paired);
	json_end(w);
}

Err *paired_read(Arena *a, const Json *from, Paired *out)
{
	Paired paired = { 0 };

	if (!figures_get(from, figures, COUNT(figures), &paired) || !paired.number)
		return figures_wrong(a, "paired test");
	*out = paired;
	return NULL;
}
