/* SPDX-License-Identifier: Apache-2.0
 *
 * Below 256 us each time has a slot; above, each power of two has 128, so that a slot is at most 1/128 of its value wide.
 *
 * The histogram of src/load keeps three digits and an encoding for other tools; here a threshold is wanted, small enough to
 * be copied under a lock, and the error of a slot does no harm: the share above the threshold is counted with the same
 * slots. */
#include "shift/latency.h"

#include "shift/figures.h"

#include <math.h>

enum { HALF_BITS = 7, HALF = 1 << HALF_BITS };
#define MAX_US ((INT64_C(1) << 32) - 1)

static unsigned slot_of(int64_t us)
{
	unsigned shift;

	us = us < 0 ? 0 : us > MAX_US ? MAX_US : us;
	if (us < 2 * HALF)
		return (unsigned)us;
	shift = 63 - HALF_BITS - (unsigned)__builtin_clzll((uint64_t)us);
	return shift * HALF + (unsigned)(us >> shift);
}

static int64_t end_of(unsigned slot)
{
	unsigned shift = slot < 2 * HALF ? 0 : slot / HALF - 1;

	return ((int64_t)(slot - shift * HALF + 1) << shift) - 1;
}

void latency_note(Latency *latency, int64_t us)
{
	latency->slots[slot_of(us)]++;
	latency->count++;
}

void latency_merge(Latency *into, const Latency *from)
{
	for (size_t i = 0; i < LATENCY_SLOTS; i++)
		into->slots[i] += from->slots[i];
	into->count += from->count;
}

int64_t latency_percentile_us(const Latency *latency, double percent)
{
	double wanted = ceil(percent / 100 * (double)latency->count - 1e-9);
	uint64_t target = wanted < 1 ? 1 : (uint64_t)wanted, seen = 0;

	for (unsigned i = 0; latency->count && i < LATENCY_SLOTS; i++) {
		seen += latency->slots[i];
		if (seen >= target)
			return end_of(i);
	}
	return 0;
}

double latency_share_above(const Latency *latency, int64_t us)
{
	uint64_t above = 0;

	for (unsigned i = slot_of(us) + 1; i < LATENCY_SLOTS; i++)
		above += latency->slots[i];
	return latency->count ? (double)above / (double)latency->count : 0;
}

void latency_put(JsonWriter *w, const Latency *latency)
{
	json_begin_array(w);
	for (unsigned i = 0; i < LATENCY_SLOTS; i++) {
		if (!latency->slots[i])
			continue;
		json_add_u64(w, i);
		json_add_u64(w, latency->slots[i]);
	}
	json_end(w);
}

Err *latency_read(Arena *a, const Json *from, Latency *out)
{
	Latency *latency = out;

	if (json_kind(from) != JSON_KIND_ARRAY || json_count(from) % 2)
		return figures_wrong(a, "histogram");
	*latency = (Latency){ 0 };
	for (size_t i = 0; i < json_count(from); i += 2) {
		int64_t slot, count;

		if (!json_to_i64(json_at(from, i), &slot) || slot < 0 || slot >= LATENCY_SLOTS ||
		    !json_to_i64(json_at(from, i + 1), &count) || count < 0)
			return figures_wrong(a, "histogram");
		latency->slots[slot] += (uint64_t)count;
		latency->count += (uint64_t)count;
	}
	return NULL;
}
