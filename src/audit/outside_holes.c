/* SPDX-License-Identifier: Apache-2.0
 *
 * Known holes: advisories in OSV's format (https://ossf.github.io/osv-schema/), against the versions that are pinned. A version is affected
 * when the advisory lists it, or when one of its ranges has it: there is an `introduced` at or before it, and after that no `fixed` at or
 * before it and no `last_affected` before it. What has no version cannot be judged. Two advisories of one package that share a name (GHSA and PYSEC of
 * one CVE) are one hole. */
#include "audit/outside_int.h"
#include "audit/pep440.h"
#include "base/arena.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum { OSV_BYTES = 512 << 20, SUMMARY_BYTES = 200, EVENTS_MOST = 1000 };

typedef struct Taking {
	Gathering *g;
	uint64_t count;
	bool any; /* something that is an advisory, of whatever ecosystem */
} Taking;

static Str text_of(const Json *object, const char *key)
{
	Str text = { 0 };

	json_to_str(json_get(object, str_of(key)), &text);
	return text;
}

/* --- ranges ------------------------------------------------------------------------------------------------------------------------------ */

typedef struct Event {
	const char *what;
	Pep440 at;
	Str text;
} Event;

static bool event_read(const Json *json, Event *out)
{
	static const char *const whats[] = { "introduced", "fixed", "last_affected" };

	for (size_t i = 0; i < COUNT(whats); i++) {
		out->what = whats[i];
		out->text = text_of(json, whats[i]);
		if (out->text.len)
			return pep440_read(out->text, &out->at);
	}
	return false;
}

static bool is_what(const Event *e, char first)
{
	return e->what[0] == first;
}

/* Was it mended after this introduction, and no later than at v? */
static bool ended(const Event *events, size_t count, const Pep440 *from, const Pep440 *v)
{
	for (size_t i = 0; i < count; i++) {
		const Pep440 *at = &events[i].at;

		if (is_what(&events[i], 'f') && pep440_compare(at, from) > 0 &&
		    pep440_compare(at, v) <= 0)
			return true;
		if (is_what(&events[i], 'l') && pep440_compare(at, from) >= 0 &&
		    pep440_compare(at, v) < 0)
			return true;
	}
	return false;
}

static void note_fixed(const Event *e, const Pep440 *v, Str *fixed)
{
	Pep440 best;

	if (!is_what(e, 'f') || pep440_compare(&e->at, v) <= 0)
		return;
	if (!fixed->len || (pep440_read(*fixed, &best) && pep440_compare(&e->at, &best) < 0))
		*fixed = e->text;
}

static bool in_range(Arena *a, const Json *range, const Pep440 *v, Str *fixed)
{
	const Json *list = json_get(range, S("events"));
	size_t most = MIN(json_count(list), (size_t)EVENTS_MOST), count = 0;
	Event *events = ARENA_ARRAY(a, Event, most + 1);
	bool in = false;

	if (str_eq(text_of(range, "type"), S("GIT")))
		return false;
	for (size_t i = 0; i < most; i++)
		count += event_read(json_at(list, i), &events[count]);
	for (size_t i = 0; i < count; i++) {
		note_fixed(&events[i], v, fixed);
		if (is_what(&events[i], 'i') && pep440_compare(&events[i].at, v) <= 0)
			in = in || !ended(events, count, &events[i].at, v);
	}
	return in;
}

static bool is_listed(const Json *versions, const Pep440 *v)
{
	for (size_t i = 0; i < json_count(versions); i++) {
		Pep440 one;
		Str text;

		if (json_to_str(json_at(versions, i), &text) && pep440_read(text, &one) &&
		    pep440_compare(&one, v) == 0)
			return true;
	}
	return false;
}

static bool affects(Arena *a, const Json *affected, const Pep440 *v, Str *fixed)
{
	const Json *ranges = json_get(affected, S("ranges"));
	bool in = is_listed(json_get(affected, S("versions")), v);

	*fixed = (Str){ 0 };
	for (size_t i = 0; i < json_count(ranges); i++)
		in = in_range(a, json_at(ranges, i), v, fixed) || in;
	return in;
}

/* --- advisories ---------------------------------------------------------------------------------------------------------------------------- */

static bool has_word(Str list, Str word)
{
	Str part;

	while (str_split(&list, ',', &part))
		if (str_eq(str_trim(part), word))
			return true;
	return false;
}

static bool share_name(const Hole *hole, Str id, Str aliases)
{
	Str part;

	if (str_eq(hole->id, id) || has_word(hole->aliases, id) || has_word(aliases, hole->id))
		return true;
	while (str_split(&aliases, ',', &part))
		if (has_word(hole->aliases, str_trim(part)))
			return true;
	return false;
}

static Str aliases_of(Arena *a, const Json *advisory)
{
	AUTO(buf_fini) Buf b = { 0 };
	const Json *list = json_get(advisory, S("aliases"));

	for (size_t i = 0; i < json_count(list); i++) {
		Str text;

		if (json_to_str(json_at(list, i), &text))
			buf_fmt(&b, "%s%.*s", b.len ? ", " : "", STR_ARG(text));
	}
	return str_dup(a, buf_str(&b));
}

static Str severity_of(const Json *advisory, const Json *affected)
{
	Str text = text_of(json_get(advisory, S("database_specific")), "severity");

	if (!text.len)
		text = text_of(json_get(affected, S("database_specific")), "severity");
	return text.len ? text : text_of(json_at(json_get(advisory, S("severity")), 0), "score");
}

static void add_hole(Taking *t, const Json *advisory, const Json *affected, uint32_t package,
                     Str fixed)
{
	Arena *a = t->g->arena;
	Hole *holes = (Hole *)(void *)t->g->holes.at;
	Str summary = text_of(advisory, "summary"), severity = severity_of(advisory, affected);
	Hole hole = { .package = package,
		      .id = str_dup(a, text_of(advisory, "id")),
		      .aliases = aliases_of(a, advisory) };

	if (!summary.len)
		summary = text_of(advisory, "details");
	if (str_find_char(summary, '\n') >= 0)
		summary = str_sub(summary, 0, (size_t)str_find_char(summary, '\n'));
	for (size_t i = 0; i < t->g->holes.len / sizeof(hole); i++) {
		if (holes[i].package != package || !share_name(&holes[i], hole.id, hole.aliases))
			continue;
		if (!holes[i].severity.len)
			holes[i].severity = str_dup(a, severity);
		if (!holes[i].fixed.len)
			holes[i].fixed = str_dup(a, fixed);
		return;
	}
	hole.summary = str_dup(a, str_sub(summary, 0, SUMMARY_BYTES));
	hole.severity = str_dup(a, severity);
	hole.fixed = str_dup(a, fixed);
	GATHER(&t->g->holes, hole);
}

static size_t first_of(const Packages *p, Str name)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_cmp(p->at[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void take_affected(Taking *t, Arena *scratch, const Json *advisory, const Json *affected)
{
	const Packages *p = &t->g->out->packages;
	const Json *package = json_get(affected, S("package"));
	Str name = pep503_name(scratch, text_of(package, "name")), fixed;

	for (size_t i = first_of(p, name); i < p->count && str_eq(p->at[i].name, name); i++) {
		Pep440 v;

		if (pep440_read(p->at[i].version, &v) && affects(scratch, affected, &v, &fixed))
			add_hole(t, advisory, affected, (uint32_t)i, fixed);
	}
}

static void take_advisory(Taking *t, Arena *scratch, const Json *advisory)
{
	const Json *list = json_get(advisory, S("affected"));
	bool counted = false;

	if (!text_of(advisory, "id").len || json_kind(list) != JSON_KIND_ARRAY)
		return;
	t->any = true;
	if (text_of(advisory, "withdrawn").len)
		return;
	for (size_t i = 0; i < json_count(list); i++) {
		const Json *affected = json_at(list, i);

		if (!str_eq(text_of(json_get(affected, S("package")), "ecosystem"), S("PyPI")))
			continue;
		t->count += !counted;
		counted = true;
		take_affected(t, scratch, advisory, affected);
	}
}

static void take_root(Taking *t, Arena *scratch, const Json *root)
{
	const Json *list = json_kind(root) == JSON_KIND_ARRAY ? root : json_get(root, S("vulns"));

	if (json_kind(list) != JSON_KIND_ARRAY) {
		take_advisory(t, scratch, root);
		return;
	}
	for (size_t i = 0; i < json_count(list); i++)
		take_advisory(t, scratch, json_at(list, i));
}

/* One JSON text, or one a line. */
static Err *take_text(Taking *t, Arena *scratch, Str text)
{
	const Json *root;
	Err *err = json_read(scratch, text, OSV_BYTES, &root);
	Str line;

	if (!err) {
		take_root(t, scratch, root);
		return NULL;
	}
	while (str_split(&text, '\n', &line)) {
		if (!str_trim(line).len)
			continue;
		if (json_read(scratch, line, OSV_BYTES, &root))
			return err;
		take_root(t, scratch, root);
	}
	return NULL;
}

Err *holes_take(Gathering *g, Str path, Str text, uint64_t *count)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	Taking t = { .g = g };
	Err *err = take_text(&t, scratch, text);

	*count = t.count;
	if (err)
		return err_because(g->arena, err_copy(g->arena, err), err->kind, err->slug,
		                   "%.*s could not be read as advisories in OSV's format",
		                   STR_ARG(path));
	if (!t.any)
		return err_new(g->arena, ERR_INVALID, "audit.outside",
		               "%.*s has no advisories in OSV's format", STR_ARG(path));
	return NULL;
}

static int by_package(const void *x, const void *y)
{
	const Hole *p = x, *q = y;

	if (p->package != q->package)
		return p->package < q->package ? -1 : 1;
	return str_cmp(p->id, q->id);
}

void holes_end(Gathering *g)
{
	Packages *p = &g->out->packages;

	p->hole_count = g->holes.len / sizeof(Hole);
	p->holes = ARENA_ARRAY(g->arena, Hole, p->hole_count + 1);
	if (!p->hole_count)
		return;
	memcpy(p->holes, g->holes.at, g->holes.len);
	qsort(p->holes, p->hole_count, sizeof(Hole), by_package);
}
