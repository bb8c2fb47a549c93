/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts by the hour. Numbers are not kept: each has a counter by its hash among 65,536, so that two numbers in a hundred thousand
 * may share one, which makes the guard stricter, never laxer. Memory is the same however many numbers somebody tries. */
#include "notification/sms_caps.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/time.h"

#include <pthread.h>
#include <string.h>

enum { COUNTERS = 1 << 16, HOUR_S = 3600 };

struct SmsCaps {
	const SmsConf *conf;
	pthread_mutex_t lock;
	int64_t hour;
	uint32_t *by_cap;
	uint16_t by_number[COUNTERS];
};

SmsCaps *sms_caps_new(Arena *a, const SmsConf *conf)
{
	SmsCaps *caps = ARENA_NEW(a, SmsCaps);

	caps->conf = conf;
	caps->by_cap = ARENA_ARRAY(a, uint32_t, MAX((size_t)1, conf->caps.count));
	pthread_mutex_init(&caps->lock, NULL);
	return caps;
}

bool sms_caps_serves(const SmsConf *conf, Str number)
{
	for (size_t i = 0; i < conf->countries.count; i++)
		if (str_starts(number, conf->countries.at[i]))
			return true;
	return !conf->countries.count;
}

/* The most exact cap for a number; NULL: none. */
static const SmsCap *cap_of(const SmsConf *conf, Str number)
{
	const SmsCap *best = NULL;

	for (size_t i = 0; i < conf->caps.count; i++) {
		const SmsCap *cap = &conf->caps.at[i];

		if (str_starts(number, cap->prefix) &&
		    (!best || cap->prefix.len > best->prefix.len))
			best = cap;
	}
	return best;
}

static const char *take(SmsCaps *caps, Arena *a, Str number, int64_t hour)
{
	const SmsConf *conf = caps->conf;
	const SmsCap *cap = cap_of(conf, number);
	uint16_t *own = &caps->by_number[hash_str(number) % COUNTERS];
	uint32_t *all = cap ? &caps->by_cap[cap - conf->caps.at] : NULL;

	if (hour != caps->hour) {
		caps->hour = hour;
		memset(caps->by_number, 0, sizeof caps->by_number);
		memset(caps->by_cap, 0, conf->caps.count * sizeof *caps->by_cap);
	}
	if (conf->per_number && *own >= conf->per_number)
		return str_fmt(a, "this number was written to %u times in this hour",
		               conf->per_number)
		        .at;
	if (all && *all >= cap->most)
		return str_fmt(a, "%u messages went to %.*s in this hour", cap->most,
		               STR_ARG(cap->prefix))
		        .at;
	if (*own < UINT16_MAX)
		(*own)++;
	if (all)
		(*all)++;
	return NULL;
}

const char *sms_caps_take(SmsCaps *caps, Arena *a, Str number, int64_t now_us, int64_t *wait_us)
{
	int64_t hour = now_us / US_PER_S / HOUR_S;
	const char *why;

	pthread_mutex_lock(&caps->lock);
	why = take(caps, a, number, hour);
	pthread_mutex_unlock(&caps->lock);
	*wait_us = why ? (hour + 1) * HOUR_S * US_PER_S - now_us : 0;
	return why;
}
