/* SPDX-License-Identifier: Apache-2.0
 *
 * Scorecards, loads' reports and metrics from anywhere: a scorecard that is taken is written and taken again as the same. */
#include "audit/scorecard.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf b = { 0 }, shown = { 0 };
	Str text = { (const char *)data, size };
	Scorecard card = { 0 }, again, other = { 0 };

	(void)scorecard_take_metrics(&other, text);
	if (scorecard_take_load(a, &other, text))
		other = (Scorecard){ 0 };
	if (scorecard_set(a, &other, text))
		other = (Scorecard){ 0 };
	if (scorecard_read(a, text, &card))
		return 0;
	scorecard_put_change(&shown, &card, &other);
	scorecard_put_json(&b, &card);
	if (scorecard_read(a, buf_str(&b), &again) || again.taken_utc_us != card.taken_utc_us)
		abort();
	for (int i = 0; i < SCORES; i++)
		if (again.rows[i].source != card.rows[i].source ||
		    memcmp(&again.rows[i].value, &card.rows[i].value, sizeof(double)) != 0)
			abort();
	return 0;
}
