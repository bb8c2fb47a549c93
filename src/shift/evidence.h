/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence that one side has more events (errors, slow answers) than chance gives it, good at any time.
 *
 * Of the requests that could have had an event, a share rho is the new side's. Were both sides alike, an event would be
 * new's with probability rho, whatever the hour and the traffic; is new r times as bad, with rho r / (rho r + 1 - rho).
 * The evidence is how many times likelier what was seen is under "r times as bad", meaned over a grid of r, than under
 * "alike". It may be looked at after every event: were new no worse, it would reach 1 / alpha with a probability of at
 * most alpha, ever (Ville). After Lindon and Malek, Anytime-Valid Inference for Multinomial Count Data (NeurIPS 2022).
 *
 * Plain and copyable; no threads, no clock, no allocation. */
#pragma once
#include "base/json.h"

enum { EVIDENCE_GRID = 24 };

typedef enum EvidenceOf {
	EVIDENCE_WORSE, /* against "new has at most 1 + margin times the events" */
	EVIDENCE_FEWER, /* against "new has at least 1 + margin times the events": that it is no worse than so,
	                 * or, with a margin of 0, that it has too few of what is wanted */
} EvidenceOf;

typedef struct Evidence {
	EvidenceOf of;
	double margin; /* above -1 */
	double log
		[EVIDENCE_GRID]; /* of the likelihood ratio, for each ratio of the grid; adds up over gateways */
	double peak;                     /* the highest logarithm of the evidence so far */
	uint64_t new_events, old_events; /* that bore on it */
	double expected;                 /* of them, how many would be new's were both alike */
} Evidence;

Evidence evidence_new(EvidenceOf of, double margin);

/* So many events while new had this share of the requests (0 to 1; at 0 and 1 nothing can be compared and nothing is
 * counted). The share must have been settled without a look at which side the events fell on. */
void evidence_add(Evidence *e, double share, uint64_t new_events, uint64_t old_events);

/* One event of those counted is taken back, for another gateway counts it: at the mean of the shares that they were counted at.
 * The peak stays. */
void evidence_take_back(Evidence *e, bool of_new);

/* What two gateways saw of the same comparison. The peak is then that of the sum now: a part's own says nothing. */
void evidence_merge(Evidence *into, const Evidence *from);

double evidence_log(
	const Evidence *e); /* natural logarithm of the evidence now; 0: none either way */
double evidence_p(
	const Evidence *e); /* p good at any time: the least 1 / evidence so far, at most 1 */

/* The same from counts alone, while the share never changed. */
double evidence_log_of(EvidenceOf of, double margin, double share, uint64_t new_events,
                       uint64_t old_events);

void evidence_put(JsonWriter *w, const Evidence *e); /* an object */
/* Fails with INVALID "shift.state". */
Err *evidence_read(Arena *a, const Json *from, Evidence *out) MUST_USE;
