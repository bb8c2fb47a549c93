/* SPDX-License-Identifier: Apache-2.0
 *
 * When Python and frameworks end: after that day nobody mends their holes. The table is as of ENDS_AS_OF, from Python's developer's guide (its
 * release-cycle.json; where it has only a month, that month's last day) and Django's download page as endoflife.date has it; future days can still be
 * moved by those who set them.
 *
 * A range of versions (">=3.8") is taken for the newest that it allows: what is said to have ended has ended for certain. */
#include "audit/outside_int.h"
#include "audit/pep440.h"
#include "base/arena.h"
#include "base/civil.h"

#include <stdlib.h>
#include <string.h>

#define ENDS_AS_OF "2026-04-10"

typedef struct Cycle {
	const char *cycle, *ends;
} Cycle;

/* The newest first. */
static const Cycle pythons[] = {
	{ "3.14", "2030-10-31" }, { "3.13", "2029-10-31" }, { "3.12", "2028-10-31" },
	{ "3.11", "2027-10-31" }, { "3.10", "2026-10-31" }, { "3.9", "2025-10-31" },
	{ "3.8", "2024-10-07" },  { "3.7", "2023-06-27" },  { "3.6", "2021-12-23" },
	{ "3.5", "2020-09-30" },  { "3.4", "2019-03-18" },  { "3.3", "2017-09-29" },
	{ "3.2", "2016-02-20" },  { "3.1", "2012-04-09" },  { "3.0", "2009-06-27" },
	{ "2.7", "2020-01-01" },  { "2.6", "2013-10-29" },
};
static const Cycle djangos[] = {
	{ "6.0", "2027-04-30" }, { "5.2", "2028-04-30" },  { "5.1", "2025-12-03" },
	{ "5.0", "2025-04-02" }, { "4.2", "2026-04-07" },  { "4.1", "2023-12-01" },
	{ "4.0", "2023-04-01" }, { "3.2", "2024-04-01" },  { "3.1", "2021-12-07" },
	{ "3.0", "2021-04-06" }, { "2.2", "2022-04-11" },  { "2.1", "2019-12-02" },
	{ "2.0", "2019-04-01" }, { "1.11", "2020-04-01" }, { "1.10", "2017-12-02" },
	{ "1.9", "2017-04-04" }, { "1.8", "2018-04-01" },
};

typedef struct Product {
	const char *name, *package; /* "": Python itself */
	const Cycle *cycles;
	size_t count;
} Product;
static const Product products[] = {
	{ "Python", "", pythons, COUNT(pythons) },
	{ "Django", "django", djangos, COUNT(djangos) },
};

static int64_t days_of(Str date)
{
	uint64_t year, month, day;

	if (date.len != 10 || !str_to_u64(str_sub(date, 0, 4), &year) ||
	    !str_to_u64(str_sub(date, 5, 7), &month) || !str_to_u64(str_sub(date, 8, 10), &day) ||
	    month < 1 || month > 12)
		return 0;
	return civil_days((int64_t)year, (int)month, (int)day);
}

static bool in_cycle(const Cycle *c, const Pep440 *v)
{
	Pep440 cycle;

	if (!pep440_read(str_of(c->cycle), &cycle) || v->parts < cycle.parts)
		return false;
	return v->release[0] == cycle.release[0] && v->release[1] == cycle.release[1];
}

/* Does the range allow a version of the cycle? Its first and a late one are tried. */
static bool allows_cycle(Str range, const Cycle *c)
{
	Pep440 v;

	if (!pep440_read(str_of(c->cycle), &v))
		return false;
	if (pep440_allows(range, &v))
		return true;
	v.release[2] = 99;
	v.parts = 3;
	return pep440_allows(range, &v);
}

static const Cycle *cycle_of(const Product *p, Str version)
{
	Pep440 v;
	bool exact = pep440_read(version, &v);

	for (size_t i = 0; i < p->count; i++)
		if (exact ? in_cycle(&p->cycles[i], &v) : allows_cycle(version, &p->cycles[i]))
			return &p->cycles[i];
	return NULL;
}

static void add_end(Gathering *g, const Product *product, Str version, Str from, Buf *ends)
{
	const Cycle *c = cycle_of(product, version);
	End end = { .product = product->name, .version = version, .from = from };
	const End *at = (const End *)(const void *)ends->at;

	if (!version.len || !c)
		return;
	end.cycle = str_of(c->cycle);
	end.ends = str_of(c->ends);
	end.days = (int32_t)(days_of(end.ends) - days_of(g->out->today));
	for (size_t i = 0; i < ends->len / sizeof(end); i++)
		if (at[i].product == end.product && str_eq(at[i].cycle, end.cycle))
			return;
	GATHER(ends, end);
}

static bool is_exact(Str version)
{
	Pep440 v;

	return pep440_read(version, &v);
}

/* What names one version counts before what names a range. */
static void find_pythons(Gathering *g, Buf *ends)
{
	const PythonSaid *said = (const PythonSaid *)(const void *)g->pythons.at;
	size_t count = g->pythons.len / sizeof(*said);

	if (g->conf->python.len) {
		add_end(g, &products[0], g->conf->python, S("the configuration"), ends);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (is_exact(said[i].version))
			add_end(g, &products[0], said[i].version, said[i].from, ends);
	for (size_t i = 0; i < count && !ends->len; i++)
		if (!is_exact(said[i].version))
			add_end(g, &products[0], said[i].version, said[i].from, ends);
}

static int soonest_first(const void *x, const void *y)
{
	const End *p = x, *q = y;

	if (p->days != q->days)
		return p->days < q->days ? -1 : 1;
	return strcmp(p->product, q->product);
}

void ends_find(Gathering *g)
{
	AUTO(buf_fini) Buf ends = { 0 };
	Packages *p = &g->out->packages;

	p->ends_as_of = ENDS_AS_OF;
	find_pythons(g, &ends);
	for (size_t i = 1; i < COUNT(products); i++)
		for (size_t k = 0; k < p->count; k++)
			if (str_eq(p->at[k].name, str_of(products[i].package)))
				add_end(g, &products[i],
				        p->at[k].version.len ? p->at[k].version : p->at[k].wanted,
				        g->out->files[p->at[k].file].path, &ends);
	p->end_count = ends.len / sizeof(End);
	p->ends = ARENA_ARRAY(g->arena, End, p->end_count + 1);
	if (!p->end_count)
		return;
	memcpy(p->ends, ends.at, ends.len);
	qsort(p->ends, p->end_count, sizeof(End), soonest_first);
}
