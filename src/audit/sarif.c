/* SPDX-License-Identifier: Apache-2.0
 *
 * SARIF out. Section numbers are the specification's (2.1.0 of March 2020). Results go by tool: those of Banyan's own rules, then one run for each
 * tool that was read, since a viewer shows runs by the name of their driver. Rules are sorted, results refer to them by index.
 *
 * SARIF wants a place to begin at line 1; what is of a whole file has no region, and what is of the project has no place at all. */
#include "audit/sarif.h"

#include "audit/rev_compare.h"
#include "audit/delta.h"
#include "audit/gate.h"
#include "audit/repo.h"
#include "audit/tools.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "build_info.h"

#include <stdlib.h>
#include <string.h>

typedef struct Result {
	const Finding *finding;
	Str tool;    /* "bandit"; empty: our own */
	size_t rule; /* index in its run's rules */
	bool fresh;
} Result;

typedef struct Writing {
	Arena *a;
	JsonWriter w;
	const Audit *audit;
	const Delta *delta; /* NULL: what was before is not known */
	Str base;        /* where the root is in its repository: code scanning looks from there */
	Result *results; /* by tool and rule, then as they were */
	size_t count;
} Writing;

/* --- the order ----------------------------------------------------------------------------------------------------------------------------------- */

/* "B101" of "bandit:B101" */
static Str own_id(const char *id, Str tool)
{
	return str_sub(str_of(id), tool.len ? tool.len + 1 : 0, strlen(id));
}

static int by_rule(const void *x, const void *y)
{
	const Result *p = x, *q = y;
	int order = str_cmp(p->tool, q->tool);

	if (!order)
		order = strcmp(p->finding->rule->id, q->finding->rule->id);
	return order ? order : (p->finding > q->finding) - (p->finding < q->finding);
}

static void mark_fresh(Writing *s, Map *fresh)
{
	for (size_t i = 0; s->delta && i < s->delta->fresh_count; i++) {
		const Finding *const *key = &s->delta->fresh[i].finding;

		map_put(fresh, (Str){ (const char *)key, sizeof(*key) }, s);
	}
	for (size_t i = 0; i < s->count; i++) {
		const Finding *const *key = &s->results[i].finding;

		s->results[i].fresh =
			map_get(fresh, (Str){ (const char *)key, sizeof(*key) }) != NULL;
	}
}

static void put_in_order(Writing *s)
{
	AUTO(map_fini) Map fresh = { 0 };
	const Findings *list = &s->audit->findings;

	s->results = ARENA_ARRAY(s->a, Result, list->count + 1);
	for (size_t i = 0; i < list->count; i++)
		s->results[s->count++] =
			(Result){ .finding = &list->at[i],
			          .tool = tool_of_rule(str_of(list->at[i].rule->id)) };
	if (s->count)
		qsort(s->results, s->count, sizeof(*s->results), by_rule);
	for (size_t i = 1; i < s->count; i++) {
		Result *r = &s->results[i], *before = r - 1;

		if (str_eq(r->tool, before->tool))
			r->rule = before->rule +
			          (strcmp(r->finding->rule->id, before->finding->rule->id) != 0);
	}
	mark_fresh(s, &fresh);
}

/* --- rules --------------------------------------------------------------------------------------------------------------------------------------- */

static void put_text(JsonWriter *w, const char *key, Str text)
{
	json_key(w, str_of(key));
	json_begin_object(w);
	json_put_str(w, "text", text);
	json_end(w);
}

/* 3.49: the rule as its tool knows it. GitHub sorts by security-severity where it is given. */
static void put_rule(JsonWriter *w, const FindingRule *rule, Str tool)
{
	static const char *const severities[FINDING_LEVELS] = {
		[FINDING_NOTE] = "3.0", [FINDING_WARNING] = "5.5", [FINDING_ERROR] = "8.0"
	};

	json_begin_object(w);
	json_put_str(w, "id", own_id(rule->id, tool));
	json_put_str(w, "name", own_id(rule->name, tool));
	put_text(w, "shortDescription", str_of(rule->summary));
	put_text(w, "fullDescription", str_of(rule->why));
	json_key(w, S("defaultConfiguration"));
	json_begin_object(w);
	json_put_str(w, "level", str_of(finding_level_name(rule->level)));
	json_end(w);
	json_key(w, S("properties"));
	json_begin_object(w);
	json_key(w, S("tags"));
	json_begin_array(w);
	json_add_str(w, str_of(finding_class_name(rule->class)));
	json_end(w);
	if (rule->class == FINDING_SECURITY)
		json_put_str(w, "security-severity", str_of(severities[rule->level]));
	json_put_real(w, "baseMinutes", rule->base_minutes);
	json_put_real(w, "eachMinutes", rule->each_minutes);
	json_end(w);
	json_end(w);
}

static void put_driver(Writing *s, size_t from, size_t to)
{
	JsonWriter *w = &s->w;
	Str tool = from < to ? s->results[from].tool : S("");

	json_key(w, S("tool"));
	json_begin_object(w);
	json_key(w, S("driver"));
	json_begin_object(w);
	json_put_str(w, "name", tool.len ? tool : S("Banyan"));
	if (!tool.len)
		json_put_str(w, "semanticVersion", S(BANYAN_VERSION));
	json_key(w, S("rules"));
	json_begin_array(w);
	for (size_t i = from; i < to; i++)
		if (i == from || s->results[i].rule != s->results[i - 1].rule)
			put_rule(w, s->results[i].finding->rule, tool);
	json_end(w);
	json_end(w);
	json_end(w);
}

/* --- places -------------------------------------------------------------------------------------------------------------------------------------- */

/* A path as a URI reference (RFC 3986): what is not unreserved or a slash is percent-encoded. That of another tool may be a whole one. */
static Str uri_of(Arena *a, Str base, Str path)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (str_starts(path, S("/")))
		buf_put(&b, S("file://"));
	else
		path = str_fmt(a, "%.*s%.*s", STR_ARG(base), STR_ARG(path));
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.at[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		             (c >= '0' && c <= '9') || (c && strchr("-._~/", c));

		if (plain)
			buf_putc(&b, (char)c);
		else
			buf_fmt(&b, "%%%02X", c);
	}
	return str_dup(a, buf_str(&b));
}

static void put_place(Writing *s, Str path, uint32_t line, uint32_t end_line)
{
	JsonWriter *w = &s->w;

	json_key(w, S("physicalLocation"));
	json_begin_object(w);
	json_key(w, S("artifactLocation"));
	json_begin_object(w);
	json_put_str(w, "uri", uri_of(s->a, s->base, path));
	if (!str_starts(path, S("/")))
		json_put_str(w, "uriBaseId", S("%SRCROOT%"));
	json_end(w);
	if (line) {
		json_key(w, S("region"));
		json_begin_object(w);
		json_put_u64(w, "startLine", line);
		if (end_line > line)
			json_put_u64(w, "endLine", end_line);
		json_end(w);
	}
	json_end(w);
}

static void put_locations(Writing *s, const Finding *f)
{
	JsonWriter *w = &s->w;

	if (!f->path.len)
		return;
	json_key(w, S("locations"));
	json_begin_array(w);
	json_begin_object(w);
	put_place(s, f->path, f->line, f->end_line);
	if (f->unit.len) {
		json_key(w, S("logicalLocations"));
		json_begin_array(w);
		json_begin_object(w);
		json_put_str(w, "fullyQualifiedName", f->unit);
		json_end(w);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void put_related(Writing *s, const Finding *f)
{
	JsonWriter *w = &s->w;

	json_key(w, S("relatedLocations"));
	json_begin_array(w);
	for (size_t i = 0; i < f->path_count; i++) {
		json_begin_object(w);
		json_put_u64(w, "id", i + 1);
		put_place(s, f->paths[i], 0, 0);
		put_text(w, "message", S("has a part in it"));
		json_end(w);
	}
	json_end(w);
}

static void put_step(Writing *s, Str path, uint32_t line)
{
	json_begin_object(&s->w);
	json_key(&s->w, S("location"));
	json_begin_object(&s->w);
	put_place(s, path, line, 0);
	json_end(&s->w);
	json_end(&s->w);
}

/* 3.36: from file to file and back to the first. */
static void put_circle(Writing *s, const Finding *f)
{
	JsonWriter *w = &s->w;

	json_key(w, S("codeFlows"));
	json_begin_array(w);
	json_begin_object(w);
	json_key(w, S("threadFlows"));
	json_begin_array(w);
	json_begin_object(w);
	json_key(w, S("locations"));
	json_begin_array(w);
	put_step(s, f->path, f->line);
	for (size_t i = 0; i < f->path_count; i++)
		if (!str_eq(f->paths[i], f->path))
			put_step(s, f->paths[i], 0);
	put_step(s, f->path, f->line);
	for (int i = 0; i < 5; i++)
		json_end(w);
}

/* --- results ----------------------------------------------------------------------------------------------------------------------------------- */

static bool is_circle(const Finding *f)
{
	return f->path_count && f->path.len && f->rule->class == FINDING_ARCHITECTURE &&
	       strstr(f->rule->name, "circular") != NULL;
}

static void put_suppression(JsonWriter *w, Str why)
{
	json_key(w, S("suppressions"));
	json_begin_array(w);
	json_begin_object(w);
	json_put_str(w, "kind", S("inSource"));
	json_put_str(w, "justification", why);
	json_end(w);
	json_end(w);
}

static void put_result(Writing *s, const Result *r)
{
	const Finding *f = r->finding;
	JsonWriter *w = &s->w;
	char print[16];

	str_put_hex(print, baseline_print(f), sizeof(print));
	json_begin_object(w);
	json_put_str(w, "ruleId", own_id(f->rule->id, r->tool));
	json_put_u64(w, "ruleIndex", r->rule);
	json_put_str(w, "level", str_of(finding_level_name(f->rule->level)));
	put_text(w, "message", f->text);
	put_locations(s, f);
	if (f->path_count)
		put_related(s, f);
	if (is_circle(f))
		put_circle(s, f);
	json_key(w, S("partialFingerprints"));
	json_begin_object(w);
	json_put_str(w, "banyan/v1", (Str){ print, sizeof(print) });
	json_end(w);
	if (s->delta && (!s->delta->own || finding_has_past(f)))
		json_put_str(w, "baselineState", r->fresh ? S("new") : S("unchanged"));
	if (f->ignored_why.len)
		put_suppression(w, f->ignored_why);
	json_key(w, S("properties"));
	json_begin_object(w);
	json_put_real(w, "minutes", finding_minutes(f));
	json_end(w);
	json_end(w);
}

/* 3.20.21: files that have places which are not Python, so that nobody thinks they were read whole. */
static void put_invocation(Writing *s)
{
	const Project *p = &s->audit->project;
	JsonWriter *w = &s->w;

	json_key(w, S("invocations"));
	json_begin_array(w);
	json_begin_object(w);
	json_put_bool(w, "executionSuccessful", true);
	json_key(w, S("toolExecutionNotifications"));
	json_begin_array(w);
	for (size_t i = 0; i < p->count; i++) {
		const AuditFile *file = &p->files[i];

		if (!file->errors)
			continue;
		json_begin_object(w);
		json_put_str(w, "level", S("warning"));
		put_text(w, "message", S("places that are not Python were passed over"));
		json_key(w, S("locations"));
		json_begin_array(w);
		json_begin_object(w);
		put_place(s, file->path, file->error_line, 0);
		json_end(w);
		json_end(w);
		json_end(w);
	}
	json_end(w);
	json_end(w);
	json_end(w);
}

static void put_run(Writing *s, size_t from, size_t to)
{
	JsonWriter *w = &s->w;

	json_begin_object(w);
	put_driver(s, from, to);
	if (from == to || !s->results[from].tool.len)
		put_invocation(s);
	json_key(w, S("results"));
	json_begin_array(w);
	for (size_t i = from; i < to; i++)
		put_result(s, &s->results[i]);
	json_end(w);
	json_end(w);
}

Err *sarif_report(Arena *a, const Audit *audit, const AuditRules *rules, Buf *out)
{
	Writing s = { .a = a, .w = json_writer(out), .audit = audit };
	size_t from = 0, to = 0;
	Str text;

	AUTO(repo_freep) git_repository *repo = NULL;

	(void)repo_open(a, rules->root, &repo, &s.base, NULL);
	s.delta = audit->gate      ? &audit->gate->delta
	          : audit->compare ? &audit->compare->delta
	                           : NULL;
	put_in_order(&s);
	json_begin_object(&s.w);
	json_put_str(&s.w, "$schema", S("https://json.schemastore.org/sarif-2.1.0.json"));
	json_put_str(&s.w, "version", S("2.1.0"));
	json_key(&s.w, S("runs"));
	json_begin_array(&s.w);
	while (to < s.count && !s.results[to].tool.len)
		to++;
	put_run(&s, from, to);
	for (from = to; from < s.count; from = to) {
		while (to < s.count && str_eq(s.results[to].tool, s.results[from].tool))
			to++;
		put_run(&s, from, to);
	}
	json_end(&s.w);
	json_end(&s.w);
	buf_putc(out, '\n');
	return json_done(&s.w, &text);
}
