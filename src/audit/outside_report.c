/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of what lies beside the code: findings, a few lines on the screen, JSON. What no file tells is "unknown", with what would tell it. */
#include "audit/outside_int.h"

#include "audit/plural.h"
#include "audit/rules.h"
#include "base/arena.h"
#include "base/json.h"

#include <stdlib.h>

enum {
	SLOW_LEAST_S = 60,
	SLOW_LEAST_TESTS = 20,
	NOTES_SHOWN = 3,
	HOT_FILES = 20,
	COVERED_ENOUGH = 50
};
#define SLOW_SHARE 0.5

enum { RULE_HOLE, RULE_END, RULE_UNPINNED, RULE_UNCOVERED, RULE_SLOW, RULE_FAILS };
static const FindingRule rules[] = {
	[RULE_HOLE] = { "PY901", "known-hole", FINDING_SECURITY, FINDING_ERROR,
	                "a package with a hole that is known",
	                "The hole is public, and so are ways to use it. Take the version that has it mended; where there is none, read the advisory for a way around it.",
	                60, 0, .beside = true },
	[RULE_END] = { "PY902", "end-of-life", FINDING_SECURITY, FINDING_ERROR,
	               "a version that nobody mends any more",
	               "Holes that are found from now on stay open, and the packages around it move on without it. Plan the step to a version with years to come; small steps cost less than one large one.",
	               2400, 0, .beside = true },
	[RULE_UNPINNED] = { "PY903", "unpinned-package", FINDING_BUG, FINDING_WARNING,
	                    "packages without a fixed version",
	                    "Two builds of the same commit can be two programs, and nobody can say whether a known hole is in it. Keep a lock file, made by pip-compile, Poetry or uv.",
	                    20, 1, .beside = true },
	[RULE_UNCOVERED] = { "PY904", "hotspot-uncovered", FINDING_BUG, FINDING_WARNING,
	                     "code that changes often and is hard to read has few tests",
	                     "It is here that the next change goes wrong. Write tests of what it does today before anything else is done to it.",
	                     30, 1, .beside = true },
	[RULE_SLOW] = { "PY905", "slow-tests", FINDING_SPEED, FINDING_NOTE,
	                "few tests take most of the time",
	                "Everybody waits for them with every change. Look at what they wait for (sleeps, databases made anew, networks), or run them apart.",
	                60, 0, .beside = true },
	[RULE_FAILS] = { "PY906", "test-fails", FINDING_BUG, FINDING_ERROR, "a test fails",
	                 "A suite that is red hides the next failure. Mend it, or take it away and say why.",
	                 60, 0, .beside = true },
};

const FindingRule *outside_rules(size_t *count)
{
	*count = COUNT(rules);
	return rules;
}

/* --- findings ---------------------------------------------------------------------------------------------------------------------------- */

static void add(Arena *a, Audit *audit, Finding f, Str place)
{
	f.print = finding_print(f.rule, f.path, f.unit, place);
	finding_add(a, &audit->findings, &f);
}

static void add_holes(Arena *a, const Outside *o, Audit *audit)
{
	for (size_t i = 0; i < o->packages.hole_count; i++) {
		const Hole *h = &o->packages.holes[i];
		const Package *p = &o->packages.at[h->package];
		Finding f = { .rule = &rules[RULE_HOLE],
			      .path = o->files[p->file].path,
			      .line = p->line,
			      .end_line = p->line };

		f.text = str_fmt(a, "%.*s %.*s has %.*s%s%.*s%s%.*s%s%.*s: %.*s; %s%.*s",
		                 STR_ARG(p->name), STR_ARG(p->version), STR_ARG(h->id),
		                 h->aliases.len ? " (" : "", STR_ARG(h->aliases),
		                 h->aliases.len ? ")" : "", STR_ARG(S("")),
		                 h->severity.len ? ", severity " : "", STR_ARG(h->severity),
		                 STR_ARG(h->summary),
		                 h->fixed.len ? "mended in " : "no version has it mended",
		                 STR_ARG(h->fixed));
		add(a, audit, f, str_fmt(a, "%.*s %.*s", STR_ARG(p->name), STR_ARG(h->id)));
	}
}

static Str ago(Arena *a, int32_t days)
{
	int32_t n = days < 0 ? -days : days;

	if (n < 60)
		return str_fmt(a, "%d day%s", n, n == 1 ? "" : "s");
	if (n < 730)
		return str_fmt(a, "%d months", n / 30);
	return str_fmt(a, "%.1f years", n / 365.25);
}

static void add_ends(Arena *a, const Outside *o, Audit *audit)
{
	for (size_t i = 0; i < o->packages.end_count; i++) {
		const End *e = &o->packages.ends[i];
		Finding f = { .rule = &rules[RULE_END], .path = e->from };

		if (e->days >= 0)
			continue;
		if (str_eq(f.path, S("the configuration")))
			f.path = (Str){ 0 };
		f.text = str_fmt(a, "%s %.*s (%.*s) ended on %.*s, %.*s ago", e->product,
		                 STR_ARG(e->cycle), STR_ARG(e->version), STR_ARG(e->ends),
		                 STR_ARG(ago(a, e->days)));
		add(a, audit, f, str_fmt(a, "%s %.*s", e->product, STR_ARG(e->cycle)));
	}
}

/* One a file, as a list that pins nothing is one mistake. */
static void add_unpinned(Arena *a, const Outside *o, Audit *audit)
{
	uint32_t *counts = ARENA_ARRAY(a, uint32_t, o->file_count + 1);
	Str *firsts = ARENA_ARRAY(a, Str, o->file_count + 1);

	for (size_t i = 0; i < o->packages.count; i++) {
		const Package *p = &o->packages.at[i];

		if (p->version.len || str_find(p->wanted, S("://")) >= 0)
			continue;
		if (!counts[p->file]++)
			firsts[p->file] = p->name;
	}
	for (size_t i = 0; i < o->file_count; i++) {
		Finding f = { .rule = &rules[RULE_UNPINNED],
			      .path = o->files[i].path,
			      .amount = counts[i] };

		if (!counts[i])
			continue;
		f.text = str_fmt(a, "%u package%s no fixed version, %.*s%s", counts[i],
		                 counts[i] == 1 ? " has" : "s have", STR_ARG(firsts[i]),
		                 counts[i] > 1 ? " among them" : "");
		add(a, audit, f, S(""));
	}
}

static void add_uncovered(Arena *a, const Outside *o, Audit *audit)
{
	const Hotspots *hot = &audit->told.hotspots;

	for (size_t i = 0; i < MIN(hot->count, (size_t)HOT_FILES); i++) {
		const AuditFile *file = hot->at[i].file;
		const CoverageFile *c =
			coverage_of(&o->coverage, (uint32_t)(file - audit->project.files));
		Finding f = { .rule = &rules[RULE_UNCOVERED], .path = file->path };

		if (!c || !c->lines || c->covered * 100 >= COVERED_ENOUGH * c->lines)
			continue;
		f.amount = c->lines - c->covered;
		f.text = str_fmt(
			a,
			"%u changes in the year before the last one, and tests reach %u of %u lines",
			hot->at[i].revs, c->covered, c->lines);
		add(a, audit, f, S(""));
	}
}

/* "tests.test_order.TestOrder.test_total" stands in tests/test_order.py. */
static Str path_of_test(Arena *a, const Project *p, Str name)
{
	while (name.len) {
		Str path = str_fmt(a, "%.*s.py", STR_ARG(name));

		for (size_t i = 0; i + 3 < path.len; i++)
			if (path.at[i] == '.')
				((char *)(uintptr_t)path.at)[i] = '/';
		if (project_file(p, path))
			return path;
		name = str_sub(name, 0, (size_t)MAX(str_rfind_char(name, '.'), (ptrdiff_t)0));
	}
	return (Str){ 0 };
}

static void add_tests(Arena *a, const Outside *o, Audit *audit)
{
	const Tests *t = &o->tests;
	Finding f = { .rule = &rules[RULE_SLOW] };

	for (size_t i = 0; i < t->failed_count; i++) {
		Finding failed = { .rule = &rules[RULE_FAILS],
			           .path = path_of_test(a, &audit->project, t->failed[i].name) };

		failed.text = str_fmt(a, "%.*s fails%s%.*s", STR_ARG(t->failed[i].name),
		                      t->failed[i].why.len ? ": " : "", STR_ARG(t->failed[i].why));
		add(a, audit, failed, t->failed[i].name);
	}
	if (t->seconds < SLOW_LEAST_S || t->tests < SLOW_LEAST_TESTS || t->slow_share < SLOW_SHARE)
		return;
	f.text = str_fmt(a,
	                 "the slowest %" PRIu64 " of %" PRIu64
	                 " tests take %.0f %% of %.0f s; the slowest is %.*s with %.1f s",
	                 (t->tests + 19) / 20, t->tests, 100 * t->slow_share, t->seconds,
	                 STR_ARG(t->slowest[0].name), t->slowest[0].seconds);
	add(a, audit, f, S(""));
}

void outside_add_findings(Arena *a, Outside *o, Audit *audit)
{
	add_holes(a, o, audit);
	add_ends(a, o, audit);
	add_unpinned(a, o, audit);
	add_uncovered(a, o, audit);
	add_tests(a, o, audit);
}

/* --- the screen --------------------------------------------------------------------------------------------------------------------------- */

static void screen_packages(FILE *out, const Packages *p)
{
	const End *e = p->ends;

	if (p->count)
		fprintf(out, "%zu package%s, %" PRIu64 " without a fixed version", p->count,
		        plural(p->count), p->unpinned);
	else
		fprintf(out, "packages unknown (no requirements.txt, pyproject.toml or lock file)");
	if (p->count && p->holes_known)
		fprintf(out, "; %zu known hole%s by %" PRIu64 " %s", p->hole_count,
		        plural(p->hole_count), p->advisories,
		        p->advisories == 1 ? "advisory" : "advisories");
	else if (p->count)
		fprintf(out, "; known holes unknown (--advisories)");
	if (p->end_count)
		fprintf(out, "; %s %.*s %s on %.*s", e->product, STR_ARG(e->cycle),
		        e->days < 0 ? "ended" : "ends", STR_ARG(e->ends));
}

/* The rest of the line of packages, when there is none of its own. */
static void screen_coverage(FILE *out, const Outside *o)
{
	const Coverage *c = &o->coverage;

	if (!c->known) {
		fprintf(out, "; coverage unknown (--coverage)%s\n",
		        o->tests.known ? "" : ", times of tests too (--tests)");
		return;
	}
	fprintf(out,
	        "\n  tests reach %.1f %% of the lines of %zu file%s; %" PRIu64
	        " more with code not measured\n",
	        coverage_percent(c), c->count, plural(c->count), c->unmeasured);
}

static void screen_times(FILE *out, const Outside *o)
{
	const Tests *t = &o->tests;
	const Builds *b = &o->builds;
	uint64_t failed = t->failures + t->errors;

	if (t->known)
		fprintf(out,
		        "  %" PRIu64
		        " test%s in %.1f s (%.0f %% of it the slowest twentieth), %" PRIu64
		        " fail%s\n",
		        t->tests, plural(t->tests), t->seconds, 100 * t->slow_share, failed,
		        failed == 1 ? "s" : "");
	if (b->known && b->count == 1)
		fprintf(out, "  a build in %.0f s\n", b->median);
	else if (b->known)
		fprintf(out,
		        "  %" PRIu64 " builds in %.0f s to %.0f s, half of them below %.0f s\n",
		        b->count, b->shortest, b->longest, b->median);
}

void outside_screen(FILE *out, const Outside *o, const Audit *audit)
{
	(void)audit;
	fprintf(out, "Beside the code: ");
	screen_packages(out, &o->packages);
	screen_coverage(out, o);
	screen_times(out, o);
	for (size_t i = 0, shown = 0; i < o->file_count && shown < NOTES_SHOWN; i++)
		if (o->files[i].note.len && ++shown)
			fprintf(out, "  %.*s: %.*s\n", STR_ARG(o->files[i].path),
			        STR_ARG(o->files[i].note));
}

/* --- JSON ----------------------------------------------------------------------------------------------------------------------------------- */

static void put_coverage(JsonWriter *w, const Coverage *c, const Project *p)
{
	json_key(w, S("coverage"));
	if (!c->known) {
		json_add_null(w);
		return;
	}
	json_begin_object(w);
	json_put_real(w, "percent", coverage_percent(c));
	json_put_u64(w, "lines", c->lines);
	json_put_u64(w, "covered", c->covered);
	json_put_u64(w, "branches", c->branches);
	json_put_u64(w, "taken", c->taken);
	json_put_u64(w, "measured", c->count);
	json_put_u64(w, "unmeasured", c->unmeasured);
	json_put_u64(w, "elsewhere", c->elsewhere);
	json_put_i64(w, "time", c->time_s);
	json_key(w, S("files"));
	json_begin_array(w);
	for (size_t i = 0; i < c->count; i++) {
		json_begin_object(w);
		json_put_str(w, "path", p->files[c->files[i].file].path);
		json_put_u64(w, "lines", c->files[i].lines);
		json_put_u64(w, "covered", c->files[i].covered);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void put_tests(JsonWriter *w, const Tests *t)
{
	json_key(w, S("tests"));
	if (!t->known) {
		json_add_null(w);
		return;
	}
	json_begin_object(w);
	json_put_u64(w, "tests", t->tests);
	json_put_u64(w, "failures", t->failures);
	json_put_u64(w, "errors", t->errors);
	json_put_u64(w, "skipped", t->skipped);
	json_put_real(w, "seconds", t->seconds);
	json_put_real(w, "slow_share", t->slow_share);
	json_key(w, S("slowest"));
	json_begin_array(w);
	for (size_t i = 0; i < t->slowest_count; i++) {
		json_begin_object(w);
		json_put_str(w, "name", t->slowest[i].name);
		json_put_real(w, "seconds", t->slowest[i].seconds);
		json_end(w);
	}
	json_end(w);
	json_key(w, S("failed"));
	json_begin_array(w);
	for (size_t i = 0; i < t->failed_count; i++) {
		json_begin_object(w);
		json_put_str(w, "name", t->failed[i].name);
		json_put_str(w, "why", t->failed[i].why);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void put_builds(JsonWriter *w, const Builds *b)
{
	json_key(w, S("builds"));
	if (!b->known) {
		json_add_null(w);
		return;
	}
	json_begin_object(w);
	json_put_u64(w, "count", b->count);
	json_put_real(w, "shortest", b->shortest);
	json_put_real(w, "median", b->median);
	json_put_real(w, "longest", b->longest);
	json_key(w, S("steps"));
	json_begin_array(w);
	for (size_t i = 0; i < b->step_count; i++) {
		json_begin_object(w);
		json_put_str(w, "name", b->steps[i].name);
		json_put_real(w, "seconds", b->steps[i].seconds);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void put_package(JsonWriter *w, const Outside *o, const Package *p)
{
	json_begin_object(w);
	json_put_str(w, "name", p->name);
	json_put_str(w, "version", p->version);
	json_put_str(w, "wanted", p->wanted);
	json_put_str(w, "path", o->files[p->file].path);
	json_put_u64(w, "line", p->line);
	json_put_bool(w, "direct", p->direct);
	json_put_bool(w, "dev", p->dev);
	json_end(w);
}

static void put_hole(JsonWriter *w, const Packages *p, const Hole *h)
{
	json_begin_object(w);
	json_put_str(w, "package", p->at[h->package].name);
	json_put_str(w, "version", p->at[h->package].version);
	json_put_str(w, "id", h->id);
	json_put_str(w, "aliases", h->aliases);
	json_put_str(w, "severity", h->severity);
	json_put_str(w, "summary", h->summary);
	json_put_str(w, "fixed", h->fixed);
	json_end(w);
}

static void put_ends(JsonWriter *w, const Packages *p)
{
	json_key(w, S("ends"));
	json_begin_array(w);
	for (size_t i = 0; i < p->end_count; i++) {
		const End *e = &p->ends[i];

		json_begin_object(w);
		json_put_str(w, "product", str_of(e->product));
		json_put_str(w, "version", e->version);
		json_put_str(w, "cycle", e->cycle);
		json_put_str(w, "ends", e->ends);
		json_put_i64(w, "days", e->days);
		json_put_str(w, "from", e->from);
		json_end(w);
	}
	json_end(w);
	json_put_str(w, "ends_as_of", str_of(p->ends_as_of));
}

static void put_packages(JsonWriter *w, const Outside *o)
{
	const Packages *p = &o->packages;

	json_key(w, S("packages"));
	json_begin_array(w);
	for (size_t i = 0; i < p->count; i++)
		put_package(w, o, &p->at[i]);
	json_end(w);
	json_put_u64(w, "unpinned", p->unpinned);
	json_key(w, S("holes"));
	if (p->holes_known) {
		json_begin_array(w);
		for (size_t i = 0; i < p->hole_count; i++)
			put_hole(w, p, &p->holes[i]);
		json_end(w);
	} else {
		json_add_null(w);
	}
	json_put_u64(w, "advisories", p->advisories);
	put_ends(w, p);
}

void outside_put(JsonWriter *w, const Outside *o, const Project *p)
{
	json_begin_object(w);
	json_put_str(w, "today", o->today);
	json_key(w, S("files"));
	json_begin_array(w);
	for (size_t i = 0; i < o->file_count; i++) {
		json_begin_object(w);
		json_put_str(w, "path", o->files[i].path);
		json_put_str(w, "what", str_of(o->files[i].what));
		json_put_u64(w, "items", o->files[i].items);
		json_put_str(w, "note", o->files[i].note);
		json_end(w);
	}
	json_end(w);
	put_coverage(w, &o->coverage, p);
	put_tests(w, &o->tests);
	put_builds(w, &o->builds);
	put_packages(w, o);
	json_end(w);
}
