/* SPDX-License-Identifier: Apache-2.0
 *
 * Cron lines. What was read has a next time, which is later, on a whole minute of the wall clock (or the moment of a leap), and
 * the time after that is later still. */
#include "base/arena.h"
#include "base/time.h"
#include "base/zone.h"
#include "store/cron.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const zones[] = { "Europe/Berlin", "America/New_York",
		                             "Australia/Lord_Howe", "UTC" };
	const Zone *zone = NULL;
	uint32_t after_s;
	int64_t after_us, next_us, then_us;
	Cron cron;
	Arena *a;

	if (size < 5)
		return 0;
	a = arena_new(0);
	must(!zone_load(a, str_of(zones[data[0] % COUNT(zones)]), &zone));
	memcpy(&after_s, data + 1, sizeof after_s);
	after_us = (int64_t)after_s * US_PER_S + data[0];
	if (!cron_read(a, (Str){ (const char *)data + 5, size - 5 }, zone, &cron)) {
		must(cron_next(&cron, after_us, &next_us));
		must(next_us > after_us && next_us % (60 * US_PER_S) == 0);
		must(cron_next(&cron, next_us, &then_us) && then_us > next_us);
		must(!cron_next(&cron, next_us - 1, &then_us) || then_us == next_us);
	}
	arena_free(a);
	return 0;
}
