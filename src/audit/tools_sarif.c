/* SPDX-License-Identifier: Apache-2.0
 *
 * SARIF 2.1.0 as other tools write it (section numbers are the specification's). Taken: the rule's id and words, the first place, other places as
 * paths, the level, suppressions with their justification, and the tool's own fingerprint, which is better than one that we would make. Passed over:
 * results that say that something is in order (3.27.9) or gone (3.27.24). */
#include "audit/tools_int.h"

#include "base/arena.h"
#include "base/hash.h"

enum { PATHS_MOST = 50, WORDS_MOST = 4096 };

typedef struct Run {
	ToolReader *r;
	const Json *json, *rules;
	Str tool;
	Map by_id;
} Run;

static const Json *path_at(const Json *json, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json = json_get(json, str_of(keys[i]));
	return json;
}

/* --- places ------------------------------------------------------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A URI reference as a path: "file:///srv/a%20b.py" is "/srv/a b.py". */
static Str path_of_uri(Arena *a, Str uri)
{
	char *at;
	size_t len = 0;

	if (str_starts(uri, S("file://"))) {
		ptrdiff_t slash;

		uri = str_sub(uri, 7, uri.len);
		slash = str_find_char(uri, '/');
		uri = str_sub(uri, slash < 0 ? uri.len : (size_t)slash, uri.len);
	}
	at = arena_alloc_raw(a, uri.len + 1);
	for (size_t i = 0; i < uri.len; i++) {
		int high = i + 2 < uri.len ? hex_digit(uri.at[i + 1]) : -1;
		int low = i + 2 < uri.len ? hex_digit(uri.at[i + 2]) : -1;

		if (uri.at[i] == '%' && high >= 0 && low >= 0 && (high || low)) {
			at[len++] = (char)(high << 4 | low);
			i += 2;
		} else {
			at[len++] = uri.at[i];
		}
	}
	return (Str){ at, len };
}

/* Of a location (3.28): its file; empty: none. */
static Str file_of(const Run *run, const Json *location)
{
	static const char *const keys[] = { "physicalLocation", "artifactLocation" };
	const Json *artifact = path_at(location, keys, COUNT(keys));
	Str uri = tool_text(artifact, "uri");
	int64_t index = tool_number(artifact, "index", -1);

	if (!uri.len && index >= 0)
		uri = tool_text(json_get(json_at(json_get(run->json, S("artifacts")),
		                                 (size_t)index),
		                         S("location")),
		                "uri");
	return path_of_uri(run->r->a, uri);
}

static void take_place(const Run *run, const Json *result, ToolHit *hit)
{
	static const char *const keys[] = { "physicalLocation", "region" };
	const Json *location = json_at(json_get(result, S("locations")), 0);
	const Json *region = path_at(location, keys, COUNT(keys));
	const Json *logical = json_at(json_get(location, S("logicalLocations")), 0);

	hit->path = file_of(run, location);
	hit->line = tool_number(region, "startLine", 0);
	hit->end_line = tool_number(region, "endLine", 0);
	hit->unit = tool_text(logical, "fullyQualifiedName");
	if (!hit->unit.len)
		hit->unit = tool_text(logical, "name");
}

static void take_others(const Run *run, const Json *result, ToolHit *hit)
{
	const Json *related = json_get(result, S("relatedLocations"));
	size_t most = MIN(json_count(related), (size_t)PATHS_MOST);
	Str *paths = ARENA_ARRAY(run->r->a, Str, most + 1);

	for (size_t i = 0; i < most; i++) {
		Str path = file_of(run, json_at(related, i));

		if (path.len && !str_eq(path, hit->path))
			paths[hit->path_count++] = path;
	}
	hit->paths = paths;
}

/* --- words --------------------------------------------------------------------------------------------------------------------------------------- */

/* "{0}" by the first argument (3.11.5); "{{" is a brace. */
static Str filled(Arena *a, Str text, const Json *arguments)
{
	AUTO(buf_fini) Buf b = { .limit = WORDS_MOST };

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i], next = i + 1 < text.len ? text.at[i + 1] : 0;
		Str word;

		if (c == '{' && next >= '0' && next <= '9' && i + 2 < text.len &&
		    text.at[i + 2] == '}' &&
		    json_to_str(json_at(arguments, (size_t)(next - '0')), &word)) {
			buf_put(&b, word);
			i += 2;
			continue;
		}
		buf_putc(&b, c);
		i += (c == '{' || c == '}') && next == c;
	}
	return b.broken ? text : str_dup(a, buf_str(&b));
}

/* A message (3.11): its text, or the rule's text of that name. */
static Str words_of(const Run *run, const Json *message, const Json *rule)
{
	Str text = tool_text(message, "text"), id = tool_text(message, "id");
	const Json *arguments = json_get(message, S("arguments"));

	if (!text.len && id.len)
		text = tool_text(json_get(json_get(rule, S("messageStrings")), id), "text");
	return json_count(arguments) ? filled(run->r->a, text, arguments) : text;
}

/* --- rules ----------------------------------------------------------------------------------------------------------------------------------------- */

/* By its id first: the index may be one into the rules of an extension (3.52.4, as CodeQL has it). "CA1000/1" is a CA1000 (3.5.4). */
static const Json *rule_of(const Run *run, const Json *result, Str *id)
{
	const Json *named = json_get(result, S("rule")), *rule = NULL;
	int64_t index = tool_number(result, "ruleIndex", tool_number(named, "index", -1));
	Str name;

	*id = tool_text(result, "ruleId");
	if (!id->len)
		*id = tool_text(named, "id");
	for (name = *id; name.len && !rule;
	     name.len = (size_t)MAX(str_rfind_char(name, '/'), (ptrdiff_t)0))
		rule = map_get(&run->by_id, name);
	if (!rule && index >= 0 && !json_get(named, S("toolComponent")))
		rule = json_at(run->rules, (size_t)index);
	if (!id->len)
		*id = tool_text(rule, "id");
	return rule;
}

static const struct {
	Str tag;
	FindingClass class;
} tags[] = {
	{ S("security"), FINDING_SECURITY },
	{ S("performance"), FINDING_SPEED },
	{ S("correctness"), FINDING_BUG },
	{ S("reliability"), FINDING_BUG },
	{ S("bug"), FINDING_BUG },
	{ S("maintainability"), FINDING_MAINTAIN },
	{ S("architecture"), FINDING_ARCHITECTURE },
};

static void take_class(const Json *properties, ToolHit *hit)
{
	const Json *list = json_get(properties, S("tags"));

	hit->has_class = json_get(properties, S("security-severity")) != NULL;
	hit->class = FINDING_SECURITY;
	for (size_t i = 0; i < json_count(list) && !hit->has_class; i++)
		for (size_t k = 0; k < COUNT(tags); k++) {
			Str tag;

			if (!json_to_str(json_at(list, i), &tag) ||
			    !str_eq_nocase(tag, tags[k].tag))
				continue;
			hit->class = tags[k].class;
			hit->has_class = true;
			break;
		}
}

static void take_rule(const Run *run, const Json *result, ToolHit *hit)
{
	const Json *rule = rule_of(run, result, &hit->id);
	const Json *usual = json_get(rule, S("defaultConfiguration"));

	hit->name = tool_text(rule, "name");
	hit->why = tool_text(json_get(rule, S("fullDescription")), "text");
	if (!hit->why.len)
		hit->why = tool_text(json_get(rule, S("shortDescription")), "text");
	hit->severity = tool_text(result, "level");
	if (!hit->severity.len)
		hit->severity = tool_text(usual, "level");
	if (!hit->severity.len)
		hit->severity = S("warning");
	take_class(json_get(rule, S("properties")), hit);
	hit->text = words_of(run, json_get(result, S("message")), rule);
}

/* --- results ----------------------------------------------------------------------------------------------------------------------------------------- */

/* Suppressed (3.27.23), unless that is still under review or refused. */
static Str suppressed(const Run *run, const Json *result)
{
	const Json *list = json_get(result, S("suppressions"));

	for (size_t i = 0; i < json_count(list); i++) {
		Str status = tool_text(json_at(list, i), "status"),
		    why = tool_text(json_at(list, i), "justification");

		if (status.len && !str_eq(status, S("accepted")))
			continue;
		return why.len ? why
		               : str_fmt(run->r->a, "%.*s says that it is suppressed",
		                         STR_ARG(run->tool));
	}
	return S("");
}

/* The first of its fingerprints, by name, so that it is the same one each time. */
static uint64_t print_of(const Json *result, Str rule)
{
	const Json *prints = json_get(result, S("fingerprints")), *value;
	Str name, first = { 0 }, text = { 0 }, one;
	void *at = NULL;

	if (!json_count(prints))
		prints = json_get(result, S("partialFingerprints"));
	while (json_next(prints, &at, &name, &value))
		if (json_to_str(value, &one) && one.len &&
		    (!text.len || str_cmp(name, first) < 0)) {
			first = name;
			text = one;
		}
	return text.len ? hash_stable(text, hash_stable(rule, 0x7361726966, 1), 2) : 0;
}

static bool says_wrong(const Json *result)
{
	Str kind = tool_text(result, "kind");

	return (!kind.len || str_eq(kind, S("fail")) || str_eq(kind, S("open")) ||
	        str_eq(kind, S("review"))) &&
	       !str_eq(tool_text(result, "baselineState"), S("absent"));
}

static void take_result(const Run *run, const Json *result)
{
	ToolHit hit = { .tool = run->tool };

	if (!says_wrong(result))
		return;
	take_rule(run, result, &hit);
	take_place(run, result, &hit);
	take_others(run, result, &hit);
	hit.ignored = suppressed(run, result);
	hit.print = print_of(result, hit.id);
	if (hit.id.len && hit.text.len)
		tool_add(run->r, &hit);
	else
		run->r->about->skipped++;
}

/* "Semgrep OSS" is "semgrep-oss": rules are named after it in comments. */
static Str tool_name(Arena *a, Str name)
{
	char *at = arena_alloc_raw(a, name.len + 1);
	size_t len = 0;

	name = str_lower(a, str_trim(name));
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		bool plain =
			(c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';

		if (plain || (len && at[len - 1] != '-'))
			at[len++] = plain ? c : '-';
	}
	while (len && at[len - 1] == '-')
		len--;
	return len ? (Str){ at, len } : S("sarif");
}

static void know_rules(Run *run, const Json *rules)
{
	for (size_t i = 0; i < json_count(rules); i++) {
		const Json *rule = json_at(rules, i);
		Str id = tool_text(rule, "id");

		if (id.len)
			map_put(&run->by_id, id, (void *)(uintptr_t)rule);
	}
}

static void take_run(ToolReader *r, const Json *json)
{
	static const char *const keys[] = { "tool", "driver" };
	const Json *driver = path_at(json, keys, COUNT(keys)),
		   *results = json_get(json, S("results")),
		   *extensions = json_get(json_get(json, S("tool")), S("extensions"));
	Run run = { .r = r,
		    .json = json,
		    .rules = json_get(driver, S("rules")),
		    .tool = tool_name(r->a, tool_text(driver, "name")) };

	if (r->about->name_count < TOOL_NAMES)
		r->about->names[r->about->name_count++] = run.tool;
	for (size_t i = 0; i < json_count(extensions); i++)
		know_rules(&run, json_get(json_at(extensions, i), S("rules")));
	know_rules(&run, run.rules);
	for (size_t i = 0; i < json_count(results); i++)
		take_result(&run, json_at(results, i));
	map_fini(&run.by_id);
}

bool tool_read_sarif(ToolReader *r, const Json *json)
{
	const Json *runs = json_get(json, S("runs"));

	if (json_kind(runs) != JSON_KIND_ARRAY)
		return false;
	r->about->format = "SARIF";
	for (size_t i = 0; i < json_count(runs); i++)
		take_run(r, json_at(runs, i));
	return true;
}
