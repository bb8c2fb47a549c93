/* SPDX-License-Identifier: Apache-2.0
 *
 * How long tests take and which fail: JUnit's XML, as pytest and everybody else write it. Counted are the test cases themselves, not the sums
 * in the heads of suites, which some tools nest and some leave out. */
#include "audit/outside_int.h"
#include "audit/xml.h"
#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_BYTES = 200 };
#define SECONDS_MOST 1e9 /* so that no sum is infinite, whoever wrote the report */

typedef struct Reading {
	Gathering *g;
	OutsideFile *about;
	TestTime test;
	bool open, error, skipped;
} Reading;

static Str first_line(Arena *a, Str text)
{
	ptrdiff_t end = str_find_char(text, '\n');

	return str_dup(a,
	               str_sub(text, 0, MIN(end < 0 ? text.len : (size_t)end, (size_t)WHY_BYTES)));
}

static void on_begin(void *arg, Str name, const XmlAttributes *x)
{
	Reading *r = arg;
	Arena *a = r->g->arena;

	if (str_eq(name, S("testcase"))) {
		Str class = xml_attribute(x, "classname"), test = xml_attribute(x, "name");

		r->test =
			(TestTime){ .name = str_fmt(a, "%.*s%s%.*s", STR_ARG(class),
			                            class.len ? "." : "", STR_ARG(test)),
			            .seconds = fmin(fmax(0, xml_number(x, "time")), SECONDS_MOST) };
		r->open = true;
		r->error = r->skipped = false;
	} else if (r->open && (str_eq(name, S("failure")) || str_eq(name, S("error")))) {
		r->error = r->error || str_eq(name, S("error"));
		if (!r->test.failed)
			r->test.why = first_line(a, xml_attribute(x, "message"));
		r->test.failed = true;
	} else if (r->open && str_eq(name, S("skipped"))) {
		r->skipped = true;
	}
}

static void on_end(void *arg, Str name)
{
	Reading *r = arg;
	Tests *t = &r->g->out->tests;

	if (!r->open || !str_eq(name, S("testcase")))
		return;
	r->open = false;
	r->about->items++;
	t->tests++;
	t->seconds += r->test.seconds;
	t->skipped += r->skipped;
	t->errors += r->test.failed && r->error;
	t->failures += r->test.failed && !r->error;
	GATHER(&r->g->tests, r->test);
}

bool tests_is(Str text)
{
	Str root = xml_root(text);

	return str_eq(root, S("testsuites")) || str_eq(root, S("testsuite"));
}

Err *tests_read(Gathering *g, Str path, Str text)
{
	Reading r = { .g = g, .about = gather_file(g, path, "JUnit") };
	XmlEvents events = { .begin = on_begin, .end = on_end, .arg = &r };

	return xml_read(g->arena, path, text, &events);
}

static int slowest_first(const void *x, const void *y)
{
	const TestTime *p = x, *q = y;

	if (p->seconds != q->seconds)
		return p->seconds < q->seconds ? 1 : -1;
	return str_cmp(p->name, q->name);
}

void tests_end(Gathering *g)
{
	Tests *t = &g->out->tests;
	TestTime *all = (TestTime *)(void *)g->tests.at;
	double slow = 0;

	if (!t->tests)
		return;
	t->known = true;
	qsort(all, t->tests, sizeof(*all), slowest_first);
	t->slowest = ARENA_ARRAY(g->arena, TestTime, OUTSIDE_SHOWN);
	t->failed = ARENA_ARRAY(g->arena, TestTime, OUTSIDE_SHOWN);
	for (size_t i = 0; i < t->tests; i++) {
		if (t->slowest_count < OUTSIDE_SHOWN)
			t->slowest[t->slowest_count++] = all[i];
		if (all[i].failed && t->failed_count < OUTSIDE_SHOWN)
			t->failed[t->failed_count++] = all[i];
		if (i < (t->tests + 19) / 20)
			slow += all[i].seconds;
	}
	t->slow_share = t->seconds > 0 ? slow / t->seconds : 0;
}
