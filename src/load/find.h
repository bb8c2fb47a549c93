/* SPDX-License-Identifier: Apache-2.0
 *
 * How much is too much: the rate is stepped until a limit breaks, then narrowed down. */
#pragma once
#include "load/verdict.h"

typedef struct FindTry {
	double rate;
	double got; /* requests a second that ended */
	bool holds;
	Verdict broken; /* the first that did not hold; threshold.text empty: the rate itself was not reached */
} FindTry;

typedef struct FindResult {
	FindTry *tries;
	size_t try_count;
	double holds; /* the highest rate at which all limits held, whenever it was tried; 0: none did */
	double breaks; /* the lowest at which one broke; 0: none did */
} FindResult;

typedef struct FindAsk {
	LoadAsk load; /* its scenario's load is replaced */
	const Threshold *limits;
	size_t limit_count;
	double from;      /* first rate */
	double most;      /* highest that is tried */
	int64_t step_us;  /* length of one try */
	double precision; /* how near holds and breaks must come: 0.05 */
	unsigned confirm; /* times that the edge is tried again */
	void (*tried)(void *arg, const FindTry *one);
	void *arg;
	const bool *stop; /* ends the search; NULL: nobody does */
} FindAsk;

/* Parks. Fails as load_run does. */
Err *find_run(Arena *a, const FindAsk *ask, FindResult *result) MUST_USE;
void find_put_json(Buf *out, const FindResult *result);
void find_put(Buf *out, const FindResult *result, const FindAsk *ask);
/* The next rate to try, 0: the edge is known well enough. Pure. */
double find_next(const FindResult *result, const FindAsk *ask);
