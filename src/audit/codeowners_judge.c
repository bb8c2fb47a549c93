/* SPDX-License-Identifier: Apache-2.0
 *
 * CODEOWNERS beside git's history. Who an owner is, is a guess (accounts are not in git), so the sure signs go first and the unsure are used only
 * for owners who have no sure one; of teams nothing is known. Findings that say somebody is missing are only made when most of the people named could
 * be found at all. */
#include "audit/codeowners.h"

#include "audit/area.h"
#include "audit/history_int.h"
#include "audit/history_rules.h"
#include "audit/repo.h"
#include "base/arena.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 3 << 20, SIGNS = 4, NAMED_PATHS = 20, FEW_CHANGES = 10, NOBODY = 0 };

typedef struct Place {
	const char *path;
	bool gitlab;
} Place;
static const Place places[] = {
	{ ".github/CODEOWNERS", false },
	{ "CODEOWNERS", false },
	{ "docs/CODEOWNERS", false },
	{ ".gitlab/CODEOWNERS", true },
};

typedef struct Judge {
	Arena *a;
	Audit *audit;
	OwnerRules rules;
	CodeOwners *out;
	Str base,
		where; /* of the audit's root, of the file from that root: empty if it is outside */
	Map by_name;   /* of owners, in lower case, without @; the index and 1 */
	size_t room;
	uint32_t (*people)[SIGNS]; /* by author: owners and 1 */
	const uint32_t *
		*files; /* by file of the project: its owners' indexes, ending with 0 (and 1) */
} Judge;

/* --- who ----------------------------------------------------------------------------------------------------------------------------------------- */

static uint32_t owner_of(Judge *j, Str name, uint32_t line)
{
	Str key = str_lower(j->a, str_starts(name, S("@")) ? str_sub(name, 1, name.len) : name);
	uintptr_t known = (uintptr_t)map_get(&j->by_name, key);
	CodeOwners *out = j->out;

	if (!known) {
		if (out->count == j->room) {
			OwnerSeen *more = ARENA_ARRAY(j->a, OwnerSeen, j->room ? 2 * j->room : 32);

			if (out->count)
				memcpy(more, out->owners, out->count * sizeof(*more));
			out->owners = more;
			j->room = j->room ? 2 * j->room : 32;
		}
		out->owners[out->count++] =
			(OwnerSeen){ .name = name, .team = str_find_char(name, '/') >= 0 };
		known = out->count;
		map_put(&j->by_name, key, (void *)known);
	}
	out->owners[known - 1].line = line;
	return (uint32_t)known;
}

/* "123+ann@users.noreply.github.com", "12-ann@users.noreply.gitlab.com": ann. Empty: another address. */
static Str account_of(Str email)
{
	ptrdiff_t at = str_find_char(email, '@');
	Str local = str_sub(email, 0, at < 0 ? 0 : (size_t)at);
	size_t digits = 0;

	if (at < 0 || str_find(email, S("@users.noreply.")) != at)
		return S("");
	while (digits < local.len && local.at[digits] >= '0' && local.at[digits] <= '9')
		digits++;
	if (digits && digits < local.len && (local.at[digits] == '+' || local.at[digits] == '-'))
		return str_sub(local, digits + 1, local.len);
	return local;
}

static Str squashed(Arena *a, Str name)
{
	Str lower = str_lower(a, name);
	char *at = arena_alloc_raw(a, lower.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < lower.len; i++)
		if (lower.at[i] != ' ' && lower.at[i] != '-' && lower.at[i] != '.')
			at[len++] = lower.at[i];
	return (Str){ at, len };
}

/* The owner of this sign; 0: none, or one whose `sure` does not allow it. */
static uint32_t by_sign(Judge *j, Str sign, const bool *sure)
{
	uintptr_t known = sign.len ? (uintptr_t)map_get(&j->by_name, sign) : NOBODY;

	return known && !(sure && sure[known]) ? (uint32_t)known : NOBODY;
}

static void find_people(Judge *j)
{
	const History *h = &j->audit->history;
	bool *sure = ARENA_ARRAY(j->a, bool, j->out->count + 1);

	j->people = arena_alloc_array(j->a, sizeof(*j->people), h->author_count + 1);
	for (size_t i = 0; i < h->author_count; i++) {
		Str email = h->authors[i].email;

		j->people[i][0] = by_sign(j, email, NULL);
		j->people[i][1] = by_sign(j, account_of(email), NULL);
		sure[j->people[i][0]] = sure[j->people[i][1]] = true;
	}
	sure[NOBODY] = false;
	for (size_t i = 0; i < h->author_count; i++) {
		Str local = h->authors[i].email;
		ptrdiff_t at = str_find_char(local, '@');

		j->people[i][2] = by_sign(j, at > 0 ? str_sub(local, 0, (size_t)at) : S(""), sure);
		j->people[i][3] = by_sign(j, squashed(j->a, h->authors[i].name), sure);
	}
}

static bool is_person(const Judge *j, uint32_t author, uint32_t owner)
{
	for (int i = 0; i < SIGNS; i++)
		if (j->people[author][i] == owner)
			return true;
	return false;
}

/* --- what is whose ---------------------------------------------------------------------------------------------------------------------------------- */

/* A list of owners' numbers, each once, ended by 0; NULL: the file has none. */
static const uint32_t *owners_of(Judge *j, Str path)
{
	uint32_t found[OWNER_NAMES_MOST], count = 0, *list;

	for (uint32_t s = 0; s < j->rules.sections; s++) {
		const OwnerRule *rule = owner_rules_find(&j->rules, path, s);

		for (uint32_t i = 0; rule && i < rule->count && count < COUNT(found); i++) {
			uint32_t owner = owner_of(j, rule->owners[i], rule->line), k = 0;

			while (k < count && found[k] != owner)
				k++;
			found[k] = owner;
			count += k == count;
		}
	}
	if (!count)
		return NULL;
	list = ARENA_ARRAY(j->a, uint32_t, count + 1);
	memcpy(list, found, count * sizeof(*list));
	return list;
}

static void share_files(Judge *j)
{
	const Project *p = &j->audit->project;

	for (size_t i = 0; i < p->count; i++) {
		Str path = str_fmt(j->a, "%.*s%.*s", STR_ARG(j->base), STR_ARG(p->files[i].path));

		if (p->files[i].kind != SOURCE_CODE)
			continue;
		j->files[i] = owners_of(j, path);
		j->out->files++;
		j->out->without += !j->files[i];
		for (const uint32_t *o = j->files[i]; o && *o; o++)
			j->out->owners[*o - 1].files++;
	}
}

/* By file of the history. */
static const uint32_t **by_history(const Judge *j)
{
	const History *h = &j->audit->history;
	const Project *p = &j->audit->project;
	const uint32_t **lists = ARENA_ARRAY(j->a, const uint32_t *, h->file_count + 1);

	for (size_t i = 0; i < p->count; i++) {
		const HistoryFile *file = history_file(h, p->files[i].path);

		if (file)
			lists[file - h->files] = j->files[i];
	}
	return lists;
}

static void count_changes(Judge *j)
{
	const History *h = &j->audit->history;
	const uint32_t **lists = by_history(j);
	size_t *last = ARENA_ARRAY(j->a, size_t, j->out->count + 1); /* set that counted, and 1 */

	for (size_t i = 0; i < h->set_count; i++)
		for (uint32_t k = 0; k < h->sets[i].count; k++)
			for (const uint32_t *o = lists[h->sets[i].files[k]]; o && *o; o++) {
				OwnerSeen *seen = &j->out->owners[*o - 1];

				if (last[*o] == i + 1)
					continue;
				last[*o] = i + 1;
				seen->of++;
				seen->changes += is_person(j, h->sets[i].author, *o);
			}
}

static void find_gone(Judge *j)
{
	const History *h = &j->audit->history;

	for (size_t i = 0; i < j->out->count; i++)
		j->out->owners[i].gone = true;
	for (size_t i = 0; i < h->author_count; i++)
		for (int k = 0; k < SIGNS; k++) {
			OwnerSeen *seen =
				j->people[i][k] ? &j->out->owners[j->people[i][k] - 1] : NULL;

			if (!seen)
				continue;
			seen->known = true;
			seen->gone =
				seen->gone && h->authors[i].last_s <= h->last_s - HISTORY_RECENT_S;
		}
	for (size_t i = 0; i < j->out->count; i++)
		j->out->owners[i].gone = j->out->owners[i].gone && j->out->owners[i].known;
}

/* --- findings ---------------------------------------------------------------------------------------------------------------------------------------- */

static void add(Judge *j, HistoryRule rule, uint32_t line, Str unit, Str text)
{
	const FindingRule *row = history_rule(rule);

	finding_add(j->a, &j->audit->findings,
	            &(Finding){ .rule = row,
	                        .path = j->where,
	                        .line = line,
	                        .end_line = line,
	                        .unit = unit,
	                        .text = text,
	                        .print = finding_print(row, j->where, unit, unit) });
}

static void judge_owner(Judge *j, const OwnerSeen *seen, bool most_known)
{
	if (seen->team || !seen->files)
		return;
	if (!seen->known && most_known)
		add(j, RULE_UNKNOWN, seen->line, seen->name,
		    str_fmt(j->a,
		            "%.*s owns %u files of code and is nobody whom git's history knows",
		            STR_ARG(seen->name), seen->files));
	if (seen->gone)
		add(j, RULE_GONE, seen->line, seen->name,
		    str_fmt(j->a, "%.*s owns %u files of code and has made no commit for a year",
		            STR_ARG(seen->name), seen->files));
	else if (seen->known && !seen->changes && seen->of >= FEW_CHANGES)
		add(j, RULE_STRANGER, seen->line, seen->name,
		    str_fmt(j->a,
		            "%.*s owns %u files of code and has made none of their %u changes",
		            STR_ARG(seen->name), seen->files, seen->of));
}

static void judge_owners(Judge *j)
{
	size_t people = 0, known = 0;

	for (size_t i = 0; i < j->out->count; i++) {
		people += !j->out->owners[i].team;
		known += j->out->owners[i].known;
	}
	for (size_t i = 0; i < j->out->count; i++)
		judge_owner(j, &j->out->owners[i], known * 2 > people);
}

/* One finding an area. */
static void judge_unowned(Judge *j)
{
	const Project *p = &j->audit->project;
	Areas areas = areas_of(j->a, p);
	uint32_t *all = ARENA_ARRAY(j->a, uint32_t, areas.count + 1);
	uint32_t *without = ARENA_ARRAY(j->a, uint32_t, areas.count + 1);
	Str **paths = ARENA_ARRAY(j->a, Str *, areas.count + 1);

	for (size_t i = 0; i < p->count; i++) {
		uint32_t area = p->files[i].kind == SOURCE_CODE
		                        ? area_find(&areas, p->files[i].path)
		                        : AREA_NONE;

		if (area == AREA_NONE)
			continue;
		all[area]++;
		if (j->files[i])
			continue;
		if (!paths[area])
			paths[area] = ARENA_ARRAY(j->a, Str, NAMED_PATHS);
		if (without[area] < NAMED_PATHS)
			paths[area][without[area]] = p->files[i].path;
		without[area]++;
	}
	for (uint32_t i = 0; i < areas.count; i++) {
		Str name = areas.names[i].len ? areas.names[i] : S("the root");

		if (!without[i])
			continue;
		add(j, RULE_UNOWNED, 0, areas.names[i],
		    str_fmt(j->a, "%u of the %u files of code in %.*s have no owner", without[i],
		            all[i], STR_ARG(name)));
		j->audit->findings.at[j->audit->findings.count - 1].paths = paths[i];
		j->audit->findings.at[j->audit->findings.count - 1].path_count =
			MIN(without[i], (uint32_t)NAMED_PATHS);
	}
}

/* All of the newest tree, whatever it is. */
static void judge_idle(Judge *j, git_repository *repo)
{
	Changes all = { 0 };
	git_object *tree = NULL;
	git_odb *odb = NULL;
	bool known = git_revparse_single(&tree, repo, "HEAD^{tree}") == 0 &&
	             git_repository_odb(&odb, repo) == 0 &&
	             tree_changes(j->a, odb, git_object_id(tree), NULL, S(""), &all);

	for (size_t i = 0; i < j->rules.count && known; i++) {
		const OwnerRule *rule = &j->rules.at[i];
		size_t k = 0;

		while (k < all.count &&
		       !owner_rule_fits(rule->pattern, all.at[k].path, j->rules.gitlab))
			k++;
		if (k == all.count)
			add(j, RULE_IDLE, rule->line, rule->pattern,
			    str_fmt(j->a, "\"%.*s\" fits no file", STR_ARG(rule->pattern)));
	}
	git_object_free(tree);
	git_odb_free(odb);
}

/* --- all of it --------------------------------------------------------------------------------------------------------------------------------------- */

static bool read_rules(Judge *j, git_repository *repo)
{
	for (size_t i = 0; i < COUNT(places); i++) {
		Str path = str_fmt(j->a, "%s%s", git_repository_workdir(repo), places[i].path),
		    text;

		if (file_read_plain(j->a, path, FILE_BYTES, &text) != NULL)
			continue;
		owner_rules_read(j->a, text, places[i].gitlab, &j->rules);
		j->out->path = str_of(places[i].path);
		j->where = j->base.len ? S("") : j->out->path;
		return true;
	}
	return false;
}

static void judge_fini(Judge *j)
{
	map_fini(&j->by_name);
}

const CodeOwners *codeowners_read(Arena *a, Audit *audit)
{
	AUTO(judge_fini) Judge j = { .a = a, .audit = audit, .out = ARENA_NEW(a, CodeOwners) };
	AUTO(repo_freep) git_repository *repo = NULL;

	if (!repo_open(a, audit->project.sources.root, &repo, &j.base, NULL) ||
	    !read_rules(&j, repo))
		return NULL;
	j.out->bad_line = j.rules.bad_line;
	j.files = ARENA_ARRAY(a, const uint32_t *, audit->project.count + 1);
	share_files(&j);
	judge_unowned(&j);
	judge_idle(&j, repo);
	if (audit->history.why_not.len)
		return j.out;
	find_people(&j);
	count_changes(&j);
	find_gone(&j);
	judge_owners(&j);
	return j.out;
}

void codeowners_put(JsonWriter *w, const CodeOwners *c)
{
	json_begin_object(w);
	json_put_str(w, "path", c->path);
	json_put_u64(w, "files", c->files);
	json_put_u64(w, "without", c->without);
	json_key(w, S("owners"));
	json_begin_array(w);
	for (size_t i = 0; i < c->count; i++) {
		const OwnerSeen *seen = &c->owners[i];

		json_begin_object(w);
		json_put_str(w, "name", seen->name);
		json_put_bool(w, "team", seen->team);
		json_put_bool(w, "known", seen->known);
		json_put_bool(w, "gone", seen->gone);
		json_put_u64(w, "files", seen->files);
		json_put_u64(w, "changes", seen->changes);
		json_put_u64(w, "of", seen->of);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}
