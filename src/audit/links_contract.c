/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about who may import whom. All three kinds come to the same: modules are in groups, and some groups may not reach some others, be it
 * directly or over modules that are in no group. For every group that may not be reached one search goes backwards from it, so that every import by
 * which somebody leaves for it is a breach of its own, at a line where it can be mended. A module that fits several names is in the group of the
 * longest one. A chain that passes a third group is that group's breach. */
#include "audit/links_linter.h"
#include "audit/links_names.h"

#include "base/arena.h"

#include <string.h>

enum { BREACHES_MOST = 10000 };

typedef struct Group {
	Str pattern;
	uint32_t
		rank; /* of a layer: 0 is the highest; of forbidden: 0 those that may not, 1 what they may not */
	uint32_t set;     /* container of the layer */
	bool independent; /* of those of the same rank */
	bool optional;
} Group;

typedef struct Judging {
	Arena *a, *scratch;
	const Links *links;
	const LinkContract *contract;
	uint32_t number; /* of the contract */
	Vec groups;      /* Group */
	uint32_t *of;    /* group + 1 of every module */
	bool *off;       /* edges that do not count */
	uint32_t *in_first, *in_edges;
	uint32_t *next; /* edge + 1 towards the group that is looked at */
	uint32_t *queue;
	Vec *breaches;
	LinkContractState *state;
} Judging;

/* --- names ---------------------------------------------------------------------------------------------------------------------------- */

static Str part_at(Str text, size_t from)
{
	ptrdiff_t dot = str_find_char(str_sub(text, from, text.len), '.');

	return str_sub(text, from, dot < 0 ? text.len : from + (size_t)dot);
}

/* `below`: what lies in a package fits its name. * is one part, ** one or more. */
static bool module_fits(Str name, Str pattern, bool below)
{
	size_t n = 0, p = 0, again_n = 0, again_p = SIZE_MAX;

	while (n <= name.len) {
		Str part = part_at(name, n), want = part_at(pattern, MIN(p, pattern.len));

		if (p > pattern.len && below)
			return true;
		if (p <= pattern.len && str_eq(want, S("**"))) {
			again_p = p += 3;
			again_n = n += part.len + 1;
		} else if (p <= pattern.len && (str_eq(want, S("*")) || str_eq(want, part))) {
			n += part.len + 1;
			p += want.len + 1;
		} else if (again_p != SIZE_MAX) {
			again_n += part_at(name, again_n).len + 1;
			n = again_n;
			p = again_p;
		} else {
			return false;
		}
	}
	return p > pattern.len;
}

static Group *add_group(Judging *j, Str pattern, uint32_t rank, uint32_t set, bool independent)
{
	Group *group = vec_add(&j->groups, sizeof(*group));

	*group = (Group){ str_trim(pattern), rank, set, independent, false };
	return group;
}

/* One line of `layers`. */
static void add_layer(Judging *j, Str line, Str container, uint32_t rank, uint32_t set)
{
	bool independent = str_find_char(line, ':') < 0;
	Str name;

	while (str_split(&line, independent ? '|' : ':', &name)) {
		bool optional;

		name = str_trim(name);
		optional = str_starts(name, S("(")) && str_ends(name, S(")"));
		if (optional)
			name = str_trim(str_sub(name, 1, name.len - 1));
		if (!name.len)
			continue;
		if (container.len)
			name = str_fmt(j->a, "%.*s.%.*s", STR_ARG(container), STR_ARG(name));
		add_group(j, name, rank, set, independent)->optional = optional;
	}
}

static void make_groups(Judging *j)
{
	const LinkContract *c = j->contract;

	switch ((ContractKind)c->kind) {
	case CONTRACT_LAYERS:
		for (size_t set = 0; set < MAX(c->containers.count, (size_t)1); set++)
			for (size_t i = 0; i < c->layers.count; i++)
				add_layer(j, c->layers.at[i],
				          c->containers.count ? c->containers.at[set] : S(""),
				          (uint32_t)i, (uint32_t)set);
		break;
	case CONTRACT_FORBIDDEN:
		for (size_t i = 0; i < c->modules.count; i++)
			add_group(j, c->modules.at[i], 0, 0, false);
		for (size_t i = 0; i < c->forbidden.count; i++)
			add_group(j, c->forbidden.at[i], 1, 0, false);
		break;
	case CONTRACT_INDEPENDENCE:
		for (size_t i = 0; i < c->modules.count; i++)
			add_group(j, c->modules.at[i], 0, 0, true);
		break;
	}
}

static bool may_not(const Judging *j, uint32_t from, uint32_t to)
{
	const Group *x = (const Group *)j->groups.at + from, *y = (const Group *)j->groups.at + to;

	if (from == to || x->set != y->set)
		return false;
	if (j->contract->kind == CONTRACT_FORBIDDEN)
		return x->rank == 0 && y->rank == 1;
	return x->rank > y->rank || (x->rank == y->rank && x->independent);
}

/* Puts modules into groups; a group that gets none is told. */
static void put_in_groups(Judging *j)
{
	const Group *groups = j->groups.at;
	bool *filled = ARENA_ARRAY(j->scratch, bool, j->groups.count + 1);

	for (uint32_t m = 0; m < j->links->module_count; m++) {
		size_t longest = 0;

		for (uint32_t g = 0; g < j->groups.count; g++) {
			if (groups[g].pattern.len <= longest ||
			    !module_fits(j->links->modules[m].name, groups[g].pattern, true))
				continue;
			longest = groups[g].pattern.len;
			j->of[m] = g + 1;
			filled[g] = true;
		}
	}
	for (uint32_t g = 0; g < j->groups.count; g++)
		if (!filled[g] && !groups[g].optional &&
		    !(j->contract->kind == CONTRACT_FORBIDDEN && groups[g].rank))
			j->state->odd =
				str_fmt(j->a, "%.*s%sthere is no module %.*s",
			                STR_ARG(j->state->odd), j->state->odd.len ? "; " : "",
			                STR_ARG(groups[g].pattern));
}

/* --- edges ---------------------------------------------------------------------------------------------------------------------------- */

static void ignore(Judging *j, Str rule)
{
	ptrdiff_t arrow = str_find(rule, S("->"));
	Str from, to;

	if (arrow < 0)
		return;
	from = str_trim(str_sub(rule, 0, (size_t)arrow));
	to = str_trim(str_sub(rule, (size_t)arrow + 2, rule.len));
	for (uint32_t m = 0; m < j->links->module_count; m++) {
		if (!module_fits(j->links->modules[m].name, from, false))
			continue;
		for (uint32_t e = j->links->first_edge[m]; e < j->links->first_edge[m + 1]; e++)
			j->off[e] |= module_fits(j->links->modules[j->links->edges[e].to].name, to,
			                         false);
	}
}

static void choose_edges(Judging *j)
{
	const Links *links = j->links;
	uint32_t *at = ARENA_ARRAY(j->scratch, uint32_t, links->module_count + 1);

	for (size_t e = 0; e < links->edge_count; e++)
		j->off[e] = !link_edge_runs(&links->edges[e]) &&
		            !(j->contract->typing && link_edge_is(&links->edges[e], IMPORT_TYPING));
	for (size_t i = 0; i < j->contract->ignore.count; i++)
		ignore(j, j->contract->ignore.at[i]);
	for (size_t e = 0; e < links->edge_count; e++)
		j->in_first[links->edges[e].to + 1]++;
	for (size_t m = 0; m < links->module_count; m++)
		j->in_first[m + 1] += j->in_first[m];
	memcpy(at, j->in_first, links->module_count * sizeof(*at));
	for (uint32_t e = 0; e < links->edge_count; e++)
		j->in_edges[at[links->edges[e].to]++] = e;
}

/* --- what is reached ------------------------------------------------------------------------------------------------------------------ */

/* The line by which a module imports something outside; 0: it does not. */
static uint32_t imports_outside(const Judging *j, uint32_t module, Str name)
{
	const FileLinks *file = j->links->modules[module].links;
	const LinkNames *names = j->links->names;

	for (uint32_t i = 0; file && i < file->import_count; i++) {
		const LinkImport *import = &file->imports[i];
		const Target *target = &names->targets[names->first_import[module] + i];

		if (target->module != LINK_NONE || import->dots ||
		    (import->kind == IMPORT_TYPING && !j->contract->typing))
			continue;
		if (module_fits(import->module, name, true))
			return MAX(import->line, 1U);
		if (import->name.len && str_starts(name, import->module) &&
		    str_eq(str_sub(name, import->module.len + 1, name.len), import->name))
			return MAX(import->line, 1U);
	}
	return 0;
}

static void add_breach(Judging *j, uint32_t module, uint32_t line, uint32_t first_edge, Str outside)
{
	Vec chain = { 0 };
	LinkBreach *row;

	j->state->breaches++;
	if (j->breaches->count >= BREACHES_MOST) {
		vec_fini(&chain);
		return;
	}
	for (uint32_t edge = first_edge; edge != LINK_NONE;
	     edge = j->next[j->links->edges[edge].to] - 1)
		*(uint32_t *)vec_add(&chain, sizeof(uint32_t)) = edge;
	row = vec_add(j->breaches, sizeof(*row));
	*row = (LinkBreach){ .contract = j->number,
		             .chain = vec_keep(j->a, &chain, sizeof(uint32_t)),
		             .chain_count = chain.count,
		             .module = module,
		             .line = line,
		             .outside = outside };
	vec_fini(&chain);
}

/* Backwards from those in the queue over modules in no group. `next` of those in the queue is 0: the way ends there. */
static void spread(Judging *j, uint32_t count, bool *reached)
{
	for (uint32_t done = 0; done < count; done++) {
		uint32_t to = j->queue[done];

		if (done && j->contract->direct)
			continue;
		for (uint32_t i = j->in_first[to]; i < j->in_first[to + 1]; i++) {
			uint32_t e = j->in_edges[i], from = j->links->edges[e].from;

			if (j->off[e] || reached[from] || j->of[from])
				continue;
			reached[from] = true;
			j->next[from] = e + 1;
			j->queue[count++] = from;
		}
	}
}

/* Every edge by which a module leaves for what is reached. */
static void find_breaches(Judging *j, uint32_t target, const bool *reached, Str outside)
{
	const Links *links = j->links;

	for (uint32_t m = 0; m < links->module_count; m++) {
		uint32_t group = j->of[m];

		if (!group || !may_not(j, group - 1, target))
			continue;
		for (uint32_t e = links->first_edge[m]; e < links->first_edge[m + 1]; e++) {
			uint32_t to = links->edges[e].to;

			if (j->off[e] || !reached[to] ||
			    (j->contract->direct && j->of[to] != target + 1))
				continue;
			add_breach(j, m, links->edges[e].line, e, outside);
		}
	}
}

static void judge_target(Judging *j, uint32_t target)
{
	Str name = ((const Group *)j->groups.at)[target].pattern;
	bool *reached = ARENA_ARRAY(j->scratch, bool, j->links->module_count + 1);
	uint32_t count = 0;
	bool outside = true;

	memset(j->next, 0, j->links->module_count * sizeof(*j->next));
	for (uint32_t m = 0; m < j->links->module_count; m++)
		outside &= j->of[m] != target + 1;
	outside &= j->contract->kind == CONTRACT_FORBIDDEN;
	for (uint32_t m = 0; m < j->links->module_count; m++) {
		uint32_t line = outside ? imports_outside(j, m, name) : 0;

		if (line && j->of[m] && may_not(j, j->of[m] - 1, target))
			add_breach(j, m, line, LINK_NONE, name);
		if (outside ? !line || j->of[m] : j->of[m] != target + 1)
			continue;
		reached[m] = true;
		j->queue[count++] = m;
	}
	if (outside && j->contract->direct)
		return;
	spread(j, count, reached);
	find_breaches(j, target, reached, outside ? name : S(""));
}

static bool is_target(const Judging *j, uint32_t group)
{
	for (uint32_t g = 0; g < j->groups.count; g++)
		if (may_not(j, g, group))
			return true;
	return false;
}

static const char *const kinds[] = { [CONTRACT_LAYERS] = "layers",
	                             [CONTRACT_FORBIDDEN] = "forbidden",
	                             [CONTRACT_INDEPENDENCE] = "independence" };

static void judge(Arena *a, const Links *links, const LinkContract *contract, uint32_t number,
                  LinkContractState *state, Vec *breaches)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	Judging j = { .a = a,
		      .scratch = scratch,
		      .links = links,
		      .contract = contract,
		      .number = number,
		      .state = state,
		      .breaches = breaches };

	*state = (LinkContractState){ contract->name, kinds[contract->kind],
		                      contract->from.len ? contract->from : S("configuration"), 0,
		                      S("") };
	j.of = ARENA_ARRAY(scratch, uint32_t, links->module_count + 1);
	j.next = ARENA_ARRAY(scratch, uint32_t, links->module_count + 1);
	j.queue = ARENA_ARRAY(scratch, uint32_t, links->module_count + 1);
	j.off = ARENA_ARRAY(scratch, bool, links->edge_count + 1);
	j.in_first = ARENA_ARRAY(scratch, uint32_t, links->module_count + 2);
	j.in_edges = ARENA_ARRAY(scratch, uint32_t, links->edge_count + 1);
	make_groups(&j);
	put_in_groups(&j);
	choose_edges(&j);
	for (uint32_t g = 0; g < j.groups.count; g++) {
		Mark mark = arena_mark(scratch);

		if (is_target(&j, g))
			judge_target(&j, g);
		arena_reset(scratch, mark);
	}
	vec_fini(&j.groups);
}

Err *links_contracts(Arena *a, const LinksConf *conf, Links *links)
{
	LinterContracts linter = { 0 };
	LinkContractState *states;
	size_t count;
	Vec breaches = { 0 };

	if (conf->linter)
		TRY(linter_load(a, links_project(links)->sources.root, &linter));
	count = conf->contracts.count + linter.count;
	states = ARENA_ARRAY(a, LinkContractState, count + linter.odd_count + 1);
	for (size_t i = 0; i < count; i++)
		judge(a, links,
		      i < conf->contracts.count ? &conf->contracts.at[i]
		                                : &linter.at[i - conf->contracts.count],
		      (uint32_t)i, &states[i], &breaches);
	for (size_t i = 0; i < linter.odd_count; i++)
		states[count++] = linter.odd[i];
	links->contracts = states;
	links->contract_count = count;
	links->breaches = vec_keep(a, &breaches, sizeof(LinkBreach));
	links->breach_count = breaches.count;
	vec_fini(&breaches);
	return NULL;
}
