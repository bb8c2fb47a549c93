/* SPDX-License-Identifier: Apache-2.0
 *
 * shift_detect RUNS
 *
 * Streams of requests to an old and a new side, 100 a second in all, three hours at most, and on each: our judge, and two rules
 * that others use, written from their descriptions. A "regression" stream has 0.1 % errors on old and 1 % on new, a "same" stream
 * 0.1 % on both. Every contender sees the same streams. Prints a line of JSON a share and contender: how many requests of new
 * it took (median and 90th percentile of those found), how many regressions were missed, how many same sides called bad.
 *
 *   banyan      errors alone, alpha 0.001; banyan.3: alpha split in three
 *   flagger     the success ratio of new over each minute against 99 %; back at the first failed check (the default), or
 *               at the fifth (flagger.5, as in its examples); flagger.tuned: against 99.5 %, for who knows what is to be found
 *   kayenta     the error ratios of both sides by the minute, Mann-Whitney at 98 %, tolerance 0.25, judged after one, two and
 *               three hours */
#include "shift/judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 100, MINUTES = 180, RUNS_MAX = 20000, EVENTS_MAX = 20000 };
#define BASE 0.001
#define WORSE 0.01
#define ALPHA 0.001
#define NOT_FOUND (-1.0)

typedef struct Side {
	double per_minute; /* requests */
	unsigned count;
	double at[EVENTS_MAX]; /* which of its requests failed, from 1 */
	double errors[MINUTES];
} Side;

typedef struct Stream {
	double share;
	Side old_side, new_side;
} Stream;

/* How many requests of new until it goes back, or NOT_FOUND. */
typedef double Contender(const Stream *stream);

static uint64_t state;

static double uniform(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.0;
}

static void make_side(Side *side, double per_minute, double ratio)
{
	double at = 0;

	memset(side->errors, 0, sizeof side->errors);
	side->per_minute = per_minute;
	side->count = 0;
	for (;;) {
		at += ceil(log(uniform()) / log1p(-ratio));
		if (at > per_minute * MINUTES || side->count == EVENTS_MAX)
			return;
		side->at[side->count++] = at;
		side->errors[MIN((int)((at - 0.5) / per_minute), MINUTES - 1)]++;
	}
}

static void make_stream(Stream *stream, double share, double ratio_of_new, uint64_t seed)
{
	state = seed * UINT64_C(0x2545f4914f6cdd1d);
	stream->share = share;
	make_side(&stream->new_side, 60 * RATE * share, ratio_of_new);
	make_side(&stream->old_side, 60 * RATE * (1 - share), BASE);
}

/* --- ours ----------------------------------------------------------------------------------------------------------- */

/* How many of the side's errors are among its first `upto` requests, those not counted yet. */
static uint64_t errors_until(const Side *side, unsigned *next, double upto)
{
	unsigned from = *next;

	while (*next < side->count && side->at[*next] <= upto)
		(*next)++;
	return *next - from;
}

/* Evenly spaced requests, batch by batch as the judge closes them. */
static double judge_stream(const Stream *stream, unsigned metrics)
{
	static const JudgeRule rules[] = { { .name = "errors" }, { .name = "p99" }, { .name = "mismatch" } };
	const Side *new_side = &stream->new_side, *old_side = &stream->old_side;
	uint64_t on_new = 0, on_old = 0, end = (uint64_t)(new_side->per_minute * MINUTES);
	double old_per_new = (1 - stream->share) / stream->share;
	Judge judge = judge_new(ALPHA, rules, metrics);
	unsigned x = 0, y = 0;

	judge_begin(&judge, NULL, (JudgeStep){ .share = stream->share });
	while (on_new < end && !judge.metrics[0].back) {
		uint64_t old_upto = (uint64_t)((double)(on_new + JUDGE_BATCH) * old_per_new);
		JudgeTally old_part = { .requests = old_upto - on_old };
		JudgeTally new_part = { .requests = JUDGE_BATCH };

		on_new += JUDGE_BATCH;
		on_old = old_upto;
		old_part.events = errors_until(old_side, &y, (double)on_old);
		new_part.events = errors_until(new_side, &x, (double)on_new);
		judge_add(&judge, 0, old_part, new_part);
	}
	return judge.metrics[0].back ? (double)on_new : NOT_FOUND;
}

static double banyan(const Stream *stream)
{
	return judge_stream(stream, 1);
}

static double banyan_3(const Stream *stream)
{
	return judge_stream(stream, 3);
}

/* --- a threshold on each minute ---------------------------------------------------------------------------------------- */

static double threshold(const Stream *stream, double least_success, int failed_checks)
{
	const Side *side = &stream->new_side;

	for (int minute = 0; minute < MINUTES; minute++) {
		if (1 - side->errors[minute] / side->per_minute < least_success && --failed_checks == 0)
			return (minute + 1) * side->per_minute;
	}
	return NOT_FOUND;
}

static double flagger(const Stream *stream)
{
	return threshold(stream, 0.99, 1);
}

static double flagger_5(const Stream *stream)
{
	return threshold(stream, 0.99, 5);
}

static double flagger_tuned(const Stream *stream)
{
	return threshold(stream, 0.995, 1);
}

/* --- Mann-Whitney over minutes ------------------------------------------------------------------------------------------ */

static int by_size(const void *x, const void *y)
{
	double one = *(const double *)x, other = *(const double *)y;

	return (one > other) - (one < other);
}

/* z of the rank sum of x - shift against y, both sorted, with the corrections for ties and continuity. */
static double rank_z(const double *x, const double *y, int n, double shift)
{
	double wins = 0, ties = 0, all = 2.0 * n, off, sigma;
	int i = 0, j = 0;

	while (i < n || j < n) {
		double value = i < n && (j >= n || x[i] - shift <= y[j]) ? x[i] - shift : y[j];
		int same_x = 0, same_y = 0;

		while (i < n && fabs(x[i] - shift - value) < 1e-12)
			same_x++, i++;
		while (j < n && fabs(y[j] - value) < 1e-12)
			same_y++, j++;
		wins += (double)same_x * ((j - same_y) + 0.5 * same_y);
		ties += pow(same_x + same_y, 3) - (same_x + same_y);
	}
	off = wins - (double)n * n / 2;
	off -= off > 0 ? 0.5 : off < 0 ? -0.5 : 0;
	sigma = sqrt((double)n * n / 12 * (all + 1 - ties / (all * (all - 1))));
	return sigma > 0 ? off / sigma : 0;
}

/* The shift at which z falls to this: z falls with the shift. */
static double shift_at(const double *x, const double *y, int n, double z)
{
	double low = x[0] - y[n - 1], high = x[n - 1] - y[0];

	while (high - low > 1e-4) {
		double middle = (low + high) / 2;

		if (rank_z(x, y, n, middle) > z)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static bool is_high(const Stream *stream, int minutes)
{
	double x[MINUTES], y[MINUTES], sum_x = 0, sum_y = 0;

	for (int i = 0; i < minutes; i++) {
		sum_x += x[i] = 100 * stream->new_side.errors[i] / stream->new_side.per_minute;
		sum_y += y[i] = 100 * stream->old_side.errors[i] / stream->old_side.per_minute;
	}
	qsort(x, (size_t)minutes, sizeof *x, by_size);
	qsort(y, (size_t)minutes, sizeof *y, by_size);
	if (memcmp(x, y, (size_t)minutes * sizeof *x) == 0 || sum_x < sum_y)
		return false;
	return shift_at(x, y, minutes, 2.326) > 0.25 * fabs(shift_at(x, y, minutes, 0));
}

static double kayenta(const Stream *stream)
{
	for (int minutes = 60; minutes <= MINUTES; minutes += 60)
		if (is_high(stream, minutes))
			return minutes * stream->new_side.per_minute;
	return NOT_FOUND;
}

/* --- the table ---------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	Contender *run;
} contenders[] = {
	{ "banyan", banyan },       { "banyan.3", banyan_3 },           { "flagger", flagger },
	{ "flagger.5", flagger_5 }, { "flagger.tuned", flagger_tuned }, { "kayenta", kayenta },
};

static double results[COUNT(contenders)][RUNS_MAX];
static unsigned alarms[COUNT(contenders)];

static void put_line(size_t who, double share, unsigned runs)
{
	double *found = results[who];
	unsigned missed = 0;

	qsort(found, runs, sizeof *found, by_size);
	while (missed < runs && found[missed] == NOT_FOUND)
		missed++;
	found += missed;
	printf("{\"share\":%g,\"contender\":\"%s\",\"runs\":%u,\"missed\":%u,\"alarms\":%u", share,
	       contenders[who].name, runs, missed, alarms[who]);
	if (missed < runs)
		printf(",\"median\":%.0f,\"p90\":%.0f", found[(runs - missed - 1) / 2],
		       found[(runs - missed - 1) * 9 / 10]);
	puts("}");
}

int main(int argc, char **argv)
{
	static const double shares[] = { 0.01, 0.05, 0.1, 0.25, 0.5 };
	unsigned runs = argc > 1 ? (unsigned)atoi(argv[1]) : 2000;
	static Stream stream;

	if (runs < 1 || runs > RUNS_MAX)
		return 2;
	for (size_t s = 0; s < COUNT(shares); s++) {
		memset(alarms, 0, sizeof alarms);
		for (unsigned run = 0; run < runs; run++) {
			make_stream(&stream, shares[s], WORSE, 1 + run);
			for (size_t who = 0; who < COUNT(contenders); who++)
				results[who][run] = contenders[who].run(&stream);
			make_stream(&stream, shares[s], BASE, 1000001 + run);
			for (size_t who = 0; who < COUNT(contenders); who++)
				alarms[who] += contenders[who].run(&stream) != NOT_FOUND;
		}
		for (size_t who = 0; who < COUNT(contenders); who++)
			put_line(who, shares[s], runs);
	}
	return 0;
}
