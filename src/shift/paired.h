/* SPDX-License-Identifier: Apache-2.0
 *
 * The paired noise test of one kind of difference (a path and a kind): are there more between the sides than the old side has
 * with itself?
 *
 * Each of the requests counted was asked three times: old, new, and old again. raw_only: only new differed; noise_only: only
 * old's second answer did; those where both or neither did tell nothing. Were new like one more old, raw and noise would be
 * even, so this is the evidence of evidence.h at a share of one half. Keys are numbered from 1 in the order in which
 * they first differed; the i-th has 6 / (pi i)^2 of alpha, which sums up to alpha however many there will be. */
#pragma once
#include "base/json.h"

typedef struct Paired {
	uint32_t number; /* from 1 */
	uint64_t raw_only, noise_only;
	double peak; /* highest logarithm of the evidence so far */
} Paired;

typedef enum PairedSay { PAIRED_OPEN, PAIRED_MISMATCH, PAIRED_NOISE } PairedSay;

void paired_note(Paired *paired, bool raw_differs, bool noise_differs);
void paired_add(Paired *paired, uint64_t raw_only, uint64_t noise_only);
double paired_alpha(double alpha, uint32_t number); /* the part of the key of this number */
double paired_log(const Paired *paired);            /* natural logarithm of the evidence now */
double paired_p(const Paired *paired,
                double alpha_part); /* good at any time, times what its part costs: below alpha
                                                           * is a mismatch; alpha_part = paired_alpha(1, number) */
/* A mismatch; or noise: proven at alpha to be less than twice as frequent as noise; else open. */
PairedSay paired_say(const Paired *paired, double alpha);

void paired_put(JsonWriter *w, const Paired *paired); /* an object */
Err *paired_read(Arena *a, const Json *from, Paired *out)
	MUST_USE; /* fails with INVALID "shift.state" */
