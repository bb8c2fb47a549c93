/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of all rules, put together once from the modules' own tables. Ids are in order, so that the list, the reference and SARIF say the
 * same in the same order; a name or an id that two rules have is a mistake of ours, and the unit test finds it. */
#include "audit/rules.h"

#include "audit/smells.h"
#include "base/arena.h"
#include "base/json.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MOST = 512 };

/* One line a module. */
static RuleList *const modules[] = {
	smells_rules, links_rules, models_rules, history_rules, clones_rules, outside_rules,
};

static struct {
	const FindingRule *at[RULES_MOST];
	size_t count;
} all;
static pthread_once_t all_once = PTHREAD_ONCE_INIT;

static int by_id(const void *x, const void *y)
{
	const FindingRule *const *p = x, *const *q = y;

	return strcmp((*p)->id, (*q)->id);
}

static void put_together(void)
{
	for (size_t i = 0; i < COUNT(modules); i++) {
		size_t count;
		const FindingRule *rules = modules[i](&count);

		for (size_t k = 0; k < count && all.count < RULES_MOST; k++)
			all.at[all.count++] = &rules[k];
	}
	qsort(all.at, all.count, sizeof(*all.at), by_id);
}

size_t rules_count(void)
{
	pthread_once(&all_once, put_together);
	return all.count;
}

const FindingRule *rules_at(size_t n)
{
	pthread_once(&all_once, put_together);
	return all.at[n];
}

const FindingRule *rules_find(Str word)
{
	for (size_t i = 0; i < rules_count(); i++)
		if (str_eq_nocase(word, str_of(all.at[i]->id)) ||
		    str_eq_nocase(word, str_of(all.at[i]->name)))
			return all.at[i];
	return NULL;
}

Str rules_nearest(Str word)
{
	Str names[RULES_MOST];
	size_t count = rules_count();

	for (size_t i = 0; i < count; i++)
		names[i] = str_of(all.at[i]->name);
	return str_nearest(word, names, count);
}

Str rules_minutes_text(Arena *a, const FindingRule *rule)
{
	if (rule->base_minutes + rule->each_minutes <= 0)
		return S("not reckoned");
	if (rule->each_minutes <= 0)
		return str_fmt(a, "%.4g min", rule->base_minutes);
	if (rule->base_minutes <= 0)
		return str_fmt(a, "%.4g min for each", rule->each_minutes);
	return str_fmt(a, "%.4g min + %.4g min for each", rule->base_minutes, rule->each_minutes);
}

/* --- words --------------------------------------------------------------------------------------------------------------------------------- */

void rules_put_list(Buf *b)
{
	for (size_t i = 0; i < rules_count(); i++) {
		const FindingRule *r = all.at[i];

		buf_fmt(b, "%-6s %-20s %-16s %-8s %s\n", r->id, r->name,
		        finding_class_name(r->class), finding_level_name(r->level), r->summary);
	}
}

void rules_put_explain(Buf *b, const FindingRule *rule)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	const char *bandit = smells_bandit_ids(rule);

	buf_fmt(b, "%s %s: %s\n\n%s\n\n", rule->id, rule->name, rule->summary, rule->why);
	buf_fmt(b, "class    %s\nlevel    %s\nto mend  %.*s\n", finding_class_name(rule->class),
	        finding_level_name(rule->level), STR_ARG(rules_minutes_text(a, rule)));
	if (bandit)
		buf_fmt(b, "bandit   %s\n", bandit);
	buf_fmt(b, "ignore   # banyan: ignore %s why\n", rule->name);
}

static void put_section(Buf *b, Arena *a, FindingClass class)
{
	buf_fmt(b,
	        "\n## %s\n\n| Rule | Name | Level | What it finds | Why, and what to do | To mend |\n|---|---|---|---|---|---|\n",
	        finding_class_name(class));
	for (size_t i = 0; i < rules_count(); i++) {
		const FindingRule *r = all.at[i];
		const char *bandit = smells_bandit_ids(r);

		if (r->class != class)
			continue;
		buf_fmt(b, "| %s | `%s` | %s | %s%s%s%s | %s | %.*s |\n", r->id, r->name,
		        finding_level_name(r->level), r->summary, bandit ? " (bandit: " : "",
		        bandit ? bandit : "", bandit ? ")" : "", r->why,
		        STR_ARG(rules_minutes_text(a, r)));
	}
}

void rules_put_markdown(Buf *b)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	for (FindingClass class = 0; class < FINDING_CLASSES; class ++)
		put_section(b, a, class);
}

static void put_bandit(JsonWriter *w, const char *ids)
{
	Str rest = str_of(ids), id;

	json_key(w, S("bandit"));
	json_begin_array(w);
	while (rest.len && str_split(&rest, ' ', &id))
		json_add_str(w, id);
	json_end(w);
}

void rules_put_json(JsonWriter *w)
{
	json_begin_array(w);
	for (size_t i = 0; i < rules_count(); i++) {
		const FindingRule *r = all.at[i];

		json_begin_object(w);
		json_put_str(w, "id", str_of(r->id));
		json_put_str(w, "name", str_of(r->name));
		json_put_str(w, "class", str_of(finding_class_name(r->class)));
		json_put_str(w, "level", str_of(finding_level_name(r->level)));
		json_put_str(w, "summary", str_of(r->summary));
		json_put_str(w, "why", str_of(r->why));
		json_put_real(w, "base_minutes", r->base_minutes);
		json_put_real(w, "each_minutes", r->each_minutes);
		put_bandit(w, smells_bandit_ids(r));
		json_end(w);
	}
	json_end(w);
}
