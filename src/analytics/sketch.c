/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of numbers that gives up its members when they are too many. Most sets that a report has are small (a page of a site on one
 * day), so a small one is small: a table that doubles. At 10,000 its members go through the hash into registers, in any order with the
 * same outcome, so that two that became dense on different days are the same as one.
 *
 * The hash of a number is a fixed mixing: registers are stored and merged across processes and years. Persons' numbers are given by us;
 * nobody outside can choose them to collide. */
#include "analytics/sketch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REGISTERS = 1 << SKETCH_BITS, FIRST_CAP = 8, EXACT = 'e', DENSE = 'd' };

static uint64_t mix(uint64_t n)
{
	n += 0x9e3779b97f4a7c15;
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
	n = (n ^ n >> 27) * 0x94d049bb133111eb;
	return n ^ n >> 31;
}

void sketch_fini(Sketch *s)
{
	free(s->set);
	free(s->registers);
	*s = (Sketch){ 0 };
}

static void *need(void *at)
{
	if (!at)
		abort();
	return at;
}

static void add_dense(uint8_t *registers, uint32_t person)
{
	uint64_t h = mix(person);
	size_t at = h >> (64 - SKETCH_BITS);
	uint64_t rest = h << SKETCH_BITS | (uint64_t)1 << (SKETCH_BITS - 1);
	uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);

	if (registers[at] < rank)
		registers[at] = rank;
}

static void add_to(uint32_t *set, uint32_t cap, uint32_t person, uint32_t *count)
{
	uint32_t at = (uint32_t)mix(person) & (cap - 1);

	while (set[at] && set[at] != person)
		at = (at + 1) & (cap - 1);
	if (!set[at]) {
		set[at] = person;
		++*count;
	}
}

static void make_dense(Sketch *s)
{
	s->registers = need(calloc(REGISTERS, 1));
	for (uint32_t i = 0; i < s->cap; i++)
		if (s->set[i])
			add_dense(s->registers, s->set[i]);
	free(s->set);
	s->set = NULL;
	s->cap = s->count = 0;
}

static void grow(Sketch *s)
{
	uint32_t cap = s->cap ? s->cap * 2 : FIRST_CAP, count = 0;
	uint32_t *set = need(calloc(cap, sizeof(*set)));

	for (uint32_t i = 0; i < s->cap; i++)
		if (s->set[i])
			add_to(set, cap, s->set[i], &count);
	free(s->set);
	s->set = set;
	s->cap = cap;
}

void sketch_add(Sketch *s, uint32_t person)
{
	if (s->registers) {
		add_dense(s->registers, person);
		return;
	}
	if (s->count * 4 >= s->cap * 3)
		grow(s);
	add_to(s->set, s->cap, person, &s->count);
	if (s->count > SKETCH_EXACT)
		make_dense(s);
}

void sketch_merge(Sketch *into, const Sketch *from)
{
	if (from->registers && !into->registers)
		make_dense(into);
	for (size_t i = 0; from->registers && i < REGISTERS; i++)
		if (into->registers[i] < from->registers[i])
			into->registers[i] = from->registers[i];
	for (uint32_t i = 0; i < from->cap; i++)
		if (from->set[i])
			sketch_add(into, from->set[i]);
}

/* --- the estimate: Ertl 2017, "New cardinality estimation algorithms for HyperLogLog sketches", algorithm 6 ------------------ */

static double sigma(double x)
{
	double y = 1, z = x, before;

	if (x == 1)
		return INFINITY;
	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z != before);
	return z;
}

static double tau(double x)
{
	double y = 1, z = 1 - x, before;

	if (x == 0 || x == 1)
		return 0;
	do {
		x = sqrt(x);
		before = z;
		y /= 2;
		z -= (1 - x) * (1 - x) * y;
	} while (z != before);
	return z / 3;
}

uint64_t sketch_count(const Sketch *s)
{
	enum { Q = 64 - SKETCH_BITS };
	uint32_t of_rank[Q + 2] = { 0 };
	double m = REGISTERS, z;

	if (!s->registers)
		return s->count;
	for (size_t i = 0; i < REGISTERS; i++)
		of_rank[s->registers[i] > Q + 1 ? Q + 1 : s->registers[i]]++;
	z = m * tau(1 - of_rank[Q + 1] / m);
	for (int k = Q; k >= 1; k--)
		z = 0.5 * (z + of_rank[k]);
	z += m * sigma(of_rank[0] / m);
	return (uint64_t)llround(m * m / (2 * M_LN2 * z));
}

size_t sketch_bytes(const Sketch *s)
{
	return s->registers ? REGISTERS : s->cap * sizeof(uint32_t);
}

/* --- bytes ------------------------------------------------------------------------------------------------------------- */

static int by_number(const void *x, const void *y)
{
	uint32_t p = *(const uint32_t *)x, q = *(const uint32_t *)y;

	return p < q ? -1 : p > q;
}

/* The same set is the same bytes: fsck compares them. */
void sketch_put(Buf *b, const Sketch *s)
{
	uint32_t *sorted = need(malloc((s->count + 1) * sizeof(*sorted)));
	uint32_t n = 0;

	buf_putc(b, s->registers ? DENSE : EXACT);
	if (s->registers) {
		buf_put(b, (Str){ (const char *)s->registers, REGISTERS });
	} else {
		for (uint32_t i = 0; i < s->cap; i++)
			if (s->set[i])
				sorted[n++] = s->set[i];
		qsort(sorted, n, sizeof(*sorted), by_number);
		buf_put(b, (Str){ (const char *)&n, sizeof(n) });
		buf_put(b, (Str){ (const char *)sorted, n * sizeof(*sorted) });
	}
	free(sorted);
}

static bool read_exact(Str bytes, Sketch *out, size_t *used)
{
	uint32_t n, person;

	if (bytes.len < 5)
		return false;
	memcpy(&n, bytes.at + 1, sizeof(n));
	if (n > SKETCH_EXACT || (bytes.len - 5) / sizeof(person) < n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		memcpy(&person, bytes.at + 5 + i * sizeof(person), sizeof(person));
		if (person)
			sketch_add(out, person);
	}
	*used = 5 + n * sizeof(person);
	return true;
}

bool sketch_read(Str bytes, Sketch *out, size_t *used)
{
	*out = (Sketch){ 0 };
	if (bytes.len && bytes.at[0] == EXACT)
		return read_exact(bytes, out, used);
	if (bytes.len < 1 + REGISTERS || bytes.at[0] != DENSE)
		return false;
	out->registers = need(malloc(REGISTERS));
	memcpy(out->registers, bytes.at + 1, REGISTERS);
	*used = 1 + REGISTERS;
	return true;
}
