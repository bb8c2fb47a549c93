/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics: the registry, recording, and the text of a scrape.
 *
 * A cell is an index into an array of 64-bit slots that every thread has for itself (in chunks, made when first
 * written). Only its thread adds to a slot, with a relaxed load and a relaxed store, so nobody waits and no cache line
 * wanders; a reader sums the slots of all threads and of `base`, which holds what ended threads left and what metric_set
 * wrote. Slots at the very start belong to nobody: a cell that is "none" records into them, without a branch.
 *
 * The registry (families, their label sets, free slots, the list of threads) is behind one mutex that recording never
 * takes, but for a thread's first touch of a chunk. A slot that is given back is zeroed in all threads at once: its
 * users are gone by contract, and whoever gets it next learns of it after that. */
#include "obs/metric.h"

#include "base/list.h"
#include "base/map.h"
#include "base/time.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK = 1024,
	CHUNKS = METRIC_SLOTS / CHUNK,
	HISTOGRAM_SLOTS = METRIC_BUCKETS + 2, /* the buckets, +Inf, the sum */
	SUM = METRIC_BUCKETS + 1,
};

typedef struct Family Family;

typedef struct Set Set;
struct Set {
	Node node;
	Family *family;
	Str labels; /* as a scrape shows them, without braces */
	uint32_t at;
	uint32_t refs;
};

struct Family {
	Node node;
	const MetricFamily *row;
	Map sets; /* by labels */
	List in_order;
	Set *extra; /* "other", beyond the limit */
};

typedef struct Thread {
	Node node;
	uint64_t *chunks[CHUNKS];
} Thread;

typedef struct FreeSlots {
	uint32_t *at;
	size_t count, cap;
} FreeSlots;

static const struct Bucket {
	int64_t us;
	const char *le;
} buckets[METRIC_BUCKETS] = {
	{ 1000, "0.001" },  { 2000, "0.002" },  { 5000, "0.005" },  { 10000, "0.01" },
	{ 20000, "0.02" },  { 50000, "0.05" },  { 100000, "0.1" },  { 200000, "0.2" },
	{ 500000, "0.5" },  { 1000000, "1" },   { 2000000, "2" },   { 5000000, "5" },
	{ 10000000, "10" }, { 20000000, "20" }, { 30000000, "30" }, { 60000000, "60" },
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static List families = { .head = { &families.head, &families.head } };
static List threads = { .head = { &threads.head, &threads.head } };
static Thread base;
static Set *owners[METRIC_SLOTS]; /* of a cell's first slot */
static uint32_t next_slot = HISTOGRAM_SLOTS;
static FreeSlots free_single, free_histogram;
static uint64_t overflows;
static pthread_key_t at_exit;
static pthread_once_t at_exit_once = PTHREAD_ONCE_INIT;
static _Thread_local Thread *self;

static void *alloc(size_t count, size_t each)
{
	void *memory = calloc(count, each);

	if (!memory)
		abort();
	return memory;
}

static void unlock(pthread_mutex_t **held)
{
	pthread_mutex_unlock(*held);
}
#define LOCKED() \
	AUTO(unlock) UNUSED pthread_mutex_t *held_ = &lock; \
	pthread_mutex_lock(held_)

/* Slots. */

static uint64_t slot_load(const uint64_t *slot)
{
	return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

static void slot_store(uint64_t *slot, uint64_t n)
{
	__atomic_store_n(slot, n, __ATOMIC_RELAXED);
}

/* NULL: that thread has never written near it. */
static uint64_t *thread_slot(const Thread *t, uint32_t at)
{
	uint64_t *chunk = __atomic_load_n(&t->chunks[at / CHUNK], __ATOMIC_ACQUIRE);

	return chunk ? &chunk[at % CHUNK] : NULL;
}

static uint64_t thread_value(const Thread *t, uint32_t at)
{
	const uint64_t *slot = thread_slot(t, at);

	return slot ? slot_load(slot) : 0;
}

static void thread_zero(const Thread *t, uint32_t at)
{
	uint64_t *slot = thread_slot(t, at);

	if (slot)
		slot_store(slot, 0);
}

static uint64_t *chunk_need(Thread *t, uint32_t at)
{
	uint64_t *chunk = thread_slot(t, at - at % CHUNK);

	if (!chunk) {
		chunk = alloc(CHUNK, sizeof *chunk);
		__atomic_store_n(&t->chunks[at / CHUNK], chunk, __ATOMIC_RELEASE);
	}
	return chunk;
}

static void thread_end(void *arg)
{
	Thread *t = arg;
	LOCKED();

	for (uint32_t i = 0; i < CHUNKS; i++) {
		if (!t->chunks[i])
			continue;
		uint64_t *into = chunk_need(&base, i * CHUNK);

		for (uint32_t k = 0; k < CHUNK; k++)
			slot_store(&into[k], slot_load(&into[k]) + t->chunks[i][k]);
		free(t->chunks[i]);
	}
	list_remove(&t->node);
	free(t);
	self = NULL;
}

static void at_exit_make(void)
{
	if (pthread_key_create(&at_exit, thread_end) != 0)
		abort();
}

static uint64_t *slot_first(uint32_t at)
{
	if (!self) {
		pthread_once(&at_exit_once, at_exit_make);
		self = alloc(1, sizeof *self);
		pthread_setspecific(at_exit, self);
		LOCKED();
		list_add(&threads, &self->node);
	}
	return &chunk_need(self, at)[at % CHUNK];
}

static inline uint64_t *slot_own(uint32_t at)
{
	uint64_t *chunk = LIKELY(self != NULL)
	                          ? __atomic_load_n(&self->chunks[at / CHUNK], __ATOMIC_RELAXED)
	                          : NULL;

	return LIKELY(chunk != NULL) ? &chunk[at % CHUNK] : slot_first(at);
}

static uint64_t sum(uint32_t at)
{
	uint64_t total = thread_value(&base, at);

	LIST_EACH (&threads, Thread, node, t)
		total += thread_value(t, at);
	return total;
}

/* Recording. */

void metric_add(MetricCell cell, uint64_t n)
{
	uint64_t *slot = slot_own(cell.at);

	slot_store(slot, slot_load(slot) + n);
}

void metric_sub(MetricCell cell, uint64_t n)
{
	metric_add(cell, 0 - n);
}

void metric_set(MetricCell cell, int64_t n)
{
	uint64_t *slot = thread_slot(&base, cell.at);

	if (slot && cell.at)
		slot_store(slot, (uint64_t)n);
}

void metric_observe_us(MetricCell cell, int64_t us)
{
	uint64_t *slot = slot_own(cell.at);
	size_t i = 0;

	us = MAX(us, (int64_t)0);
	while (i < METRIC_BUCKETS && us > buckets[i].us)
		i++;
	slot_store(&slot[i], slot_load(&slot[i]) + 1);
	slot_store(&slot[SUM], slot_load(&slot[SUM]) + (uint64_t)us);
}

/* The registry. */

static uint32_t width(const MetricFamily *row)
{
	return row->type == METRIC_HISTOGRAM ? HISTOGRAM_SLOTS : 1;
}

/* 0: no room. A cell never spans two chunks. */
static uint32_t slots_take(const MetricFamily *row)
{
	FreeSlots *free_ones = row->type == METRIC_HISTOGRAM ? &free_histogram : &free_single;
	uint32_t at = next_slot;

	if (free_ones->count)
		return free_ones->at[--free_ones->count];
	if (at % CHUNK + width(row) > CHUNK)
		at += CHUNK - at % CHUNK;
	if (at + width(row) > METRIC_SLOTS)
		return 0;
	chunk_need(&base, at);
	next_slot = at + width(row);
	return at;
}

static void slots_give(const MetricFamily *row, uint32_t at)
{
	FreeSlots *free_ones = row->type == METRIC_HISTOGRAM ? &free_histogram : &free_single;

	for (uint32_t i = 0; i < width(row); i++) {
		thread_zero(&base, at + i);
		LIST_EACH (&threads, Thread, node, t)
			thread_zero(t, at + i);
	}
	if (free_ones->count == free_ones->cap) {
		free_ones->cap = MAX(free_ones->cap * 2, (size_t)64);
		free_ones->at = realloc(free_ones->at, free_ones->cap * sizeof *free_ones->at);
		if (!free_ones->at)
			abort();
	}
	free_ones->at[free_ones->count++] = at;
}

static Family *family_need(const MetricFamily *row)
{
	Family *new;

	LIST_EACH (&families, Family, node, family)
		if (family->row == row)
			return family;
	new = alloc(1, sizeof *new);
	new->row = row;
	list_init(&new->in_order);
	list_add(&families, &new->node);
	return new;
}

void metrics_add(const MetricFamily *rows, size_t count)
{
	LOCKED();

	for (size_t i = 0; i < count; i++)
		family_need(&rows[i]);
}

static size_t label_count(const MetricFamily *row)
{
	size_t count = 0;

	while (count < METRIC_LABELS && row->labels[count])
		count++;
	return count;
}

static void put_label_value(Buf *out, Str value)
{
	while (value.len) {
		uint32_t code;
		size_t len = str_utf8(value, &code);

		if (value.at[0] == '\\' || value.at[0] == '"')
			buf_putc(out, '\\');
		if (value.at[0] == '\n')
			buf_put(out, S("\\n"));
		else
			buf_put(out, len ? str_sub(value, 0, len) : S("\xef\xbf\xbd"));
		value = str_sub(value, MAX(len, (size_t)1), value.len);
	}
}

static void put_labels(Buf *out, const MetricFamily *row, const Str *values)
{
	for (size_t i = 0; values && i < label_count(row); i++) {
		buf_put(out, i ? S(",") : S(""));
		buf_put(out, str_of(row->labels[i]));
		buf_put(out, S("=\""));
		put_label_value(out, values[i]);
		buf_putc(out, '"');
	}
}

static Set *set_new(Family *family, Str labels)
{
	uint32_t at = slots_take(family->row);
	Set *set;
	char *text;

	if (!at)
		return NULL;
	set = alloc(1, sizeof *set + labels.len + 1);
	text = (char *)(set + 1);
	if (labels.len)
		memcpy(text, labels.at, labels.len);
	*set = (Set){ .family = family, .labels = { text, labels.len }, .at = at };
	owners[at] = set;
	map_put(&family->sets, set->labels, set);
	list_add(&family->in_order, &set->node);
	return set;
}

static Set *set_need(Family *family, const Str *values)
{
	static const Str other[METRIC_LABELS] = { S("other"), S("other"), S("other"), S("other") };
	size_t limit = family->row->sets ? family->row->sets : METRIC_SETS;
	AUTO(buf_fini) Buf text = { 0 };
	Set *set;

	put_labels(&text, family->row, values);
	set = map_get(&family->sets, buf_str(&text));
	if (set)
		return set;
	if (family->sets.count - (family->extra != NULL) < limit)
		return set_new(family, buf_str(&text));
	overflows++;
	buf_clear(&text);
	put_labels(&text, family->row, other);
	set = map_get(&family->sets, buf_str(&text));
	if (!set)
		set = family->extra = set_new(family, buf_str(&text));
	return set;
}

MetricCell metric_cell(const MetricFamily *row, const Str *labels, size_t count)
{
	Set *set;
	LOCKED();

	if (count != label_count(row))
		abort();
	set = set_need(family_need(row), labels);
	if (!set) {
		overflows++;
		return (MetricCell){ 0 };
	}
	set->refs++;
	return (MetricCell){ set->at };
}

void metric_cell_free(MetricCell cell)
{
	Set *set;
	LOCKED();

	set = cell.at ? owners[cell.at] : NULL;
	if (!set || --set->refs)
		return;
	if (set->family->extra == set)
		set->family->extra = NULL;
	owners[cell.at] = NULL;
	list_remove(&set->node);
	map_remove(&set->family->sets, set->labels);
	slots_give(set->family->row, cell.at);
	free(set);
}

int64_t metric_value(MetricCell cell)
{
	uint64_t total = 0;
	LOCKED();

	if (!cell.at || !owners[cell.at])
		return 0;
	if (owners[cell.at]->family->row->type != METRIC_HISTOGRAM)
		return (int64_t)sum(cell.at);
	for (uint32_t i = 0; i <= METRIC_BUCKETS; i++)
		total += sum(cell.at + i);
	return (int64_t)total;
}

/* The text of a scrape. */

struct MetricOut {
	Buf *buf;
	const MetricFamily *row;
};

static bool in_seconds(const MetricFamily *row)
{
	return row->unit && strcmp(row->unit, "seconds") == 0;
}

static void put_escaped_help(Buf *out, const char *help)
{
	for (; *help; help++) {
		if (*help == '\\' || *help == '\n')
			buf_putc(out, '\\');
		buf_putc(out, *help == '\n' ? 'n' : *help);
	}
}

static void put_head(Buf *out, const MetricFamily *row)
{
	static const char *const names[] = { [METRIC_COUNTER] = "counter",
		                             [METRIC_GAUGE] = "gauge",
		                             [METRIC_HISTOGRAM] = "histogram" };

	buf_fmt(out, "# HELP %s ", row->name);
	put_escaped_help(out, row->help);
	buf_fmt(out, "\n# TYPE %s %s\n", row->name, names[row->type]);
}

/* `le` NULL: without it. */
static void put_sample(Buf *out, const MetricFamily *row, const char *suffix, Str labels,
                       const char *le)
{
	buf_put(out, str_of(row->name));
	buf_put(out, str_of(suffix));
	if (labels.len || le) {
		buf_putc(out, '{');
		buf_put(out, labels);
		if (le)
			buf_fmt(out, "%sle=\"%s\"", labels.len ? "," : "", le);
		buf_putc(out, '}');
	}
	buf_putc(out, ' ');
}

/* Exactly: a double would round above 2^53. */
static void put_number(Buf *out, int64_t n, bool micro)
{
	uint64_t size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	if (n < 0)
		buf_putc(out, '-');
	if (micro)
		buf_fmt(out, "%" PRIu64 ".%06d\n", size / US_PER_S, (int)(size % US_PER_S));
	else
		buf_fmt(out, "%" PRIu64 "\n", size);
}

static void put_histogram(Buf *out, const Set *set)
{
	const MetricFamily *row = set->family->row;
	uint64_t total = 0;

	for (uint32_t i = 0; i <= METRIC_BUCKETS; i++) {
		total += sum(set->at + i);
		put_sample(out, row, "_bucket", set->labels,
		           i < METRIC_BUCKETS ? buckets[i].le : "+Inf");
		put_number(out, (int64_t)total, false);
	}
	put_sample(out, row, "_sum", set->labels, NULL);
	put_number(out, (int64_t)sum(set->at + SUM), true);
	put_sample(out, row, "_count", set->labels, NULL);
	put_number(out, (int64_t)total, false);
}

static void put_cells(Buf *out, const Family *family)
{
	const MetricFamily *row = family->row;
	LOCKED();

	if (!list_empty(&family->in_order))
		put_head(out, row);
	LIST_EACH (&family->in_order, Set, node, set) {
		if (row->type == METRIC_HISTOGRAM) {
			put_histogram(out, set);
			continue;
		}
		put_sample(out, row, "", set->labels, NULL);
		put_number(out, (int64_t)sum(set->at), in_seconds(row));
	}
}

/* Families are never taken out, so a family is a place to go on from. */
static const Family *family_after(const Family *family)
{
	Node *node;
	LOCKED();

	node = family ? family->node.next : families.head.next;
	return node == &families.head ? NULL : CONTAINER(node, Family, node);
}

/* Whoever is asked may give cells back, such as those of a configuration whose last user it turns out to be: no lock. */
void metrics_put(Buf *out)
{
	const Family *family = NULL;

	while ((family = family_after(family))) {
		if (!family->row->read) {
			put_cells(out, family);
			continue;
		}
		put_head(out, family->row);
		family->row->read(&(MetricOut){ out, family->row });
	}
}

static void put_real(Buf *out, double value)
{
	char text[32];

	snprintf(text, sizeof text, "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof text, "%.17g", value);
	buf_fmt(out, "%s\n", text);
}

void metric_emit(MetricOut *out, const Str *labels, double value)
{
	AUTO(buf_fini) Buf text = { 0 };

	put_labels(&text, out->row, labels);
	put_sample(out->buf, out->row, "", buf_str(&text), NULL);
	if (isnan(value))
		buf_put(out->buf, S("NaN\n"));
	else if (isinf(value))
		buf_put(out->buf, value < 0 ? S("-Inf\n") : S("+Inf\n"));
	else
		put_real(out->buf, value);
}

/* What the registry says about itself. */

static void read_overflows(MetricOut *out)
{
	LOCKED();

	metric_emit(out, NULL, (double)overflows);
}

static void read_slots(MetricOut *out)
{
	size_t kept;
	LOCKED();

	kept = free_single.count + free_histogram.count * HISTOGRAM_SLOTS;
	metric_emit(out, NULL,
	            (double)(next_slot - HISTOGRAM_SLOTS - kept) /
	                    (METRIC_SLOTS - HISTOGRAM_SLOTS));
}

const MetricFamily *obs_metrics(size_t *count)
{
	static const MetricFamily rows[] = {
		{ "banyan_metric_overflows_total", METRIC_COUNTER, "cells",
		  "Label sets that found their family or the registry full",
		  .read = read_overflows },
		{ "banyan_metric_fill_ratio", METRIC_GAUGE, "ratio",
		  "Share of the registry's room that is taken", .read = read_slots },
	};

	*count = COUNT(rows);
	return rows;
}
