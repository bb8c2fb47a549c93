/* SPDX-License-Identifier: Apache-2.0
 *
 * Who needs whom, on a screen and as JSON. Numbers stand for modules, packages and kinds: a graph of 100,000 modules with their names at both ends of
 * every edge would be a book. */
#include "audit/links_matrix.h"
#include "audit/plural.h"
#include "audit/links_names.h"

#include "base/arena.h"

enum { SHOWN = 3, NAMES_SHOWN = 4 };

static uint64_t kind_count(const Links *links, bool (*is)(const LinkEdge *))
{
	uint64_t count = 0;

	for (size_t e = 0; e < links->edge_count; e++)
		count += is(&links->edges[e]);
	return count;
}

static void screen_circles(FILE *out, const Links *links)
{
	size_t hard = 0;

	while (hard < links->cycle_count && !links->cycles[hard].lazy)
		hard++;
	fprintf(out, "  circles: %zu when loading, %zu more by imports in functions\n", hard,
	        links->cycle_count - hard);
	for (size_t i = 0; i < MIN(links->cycle_count, (size_t)SHOWN); i++) {
		const LinkCycle *c = &links->cycles[i];

		fprintf(out, "    %4u modules, %u import%s to cut%s: ", c->count, c->cut_count,
		        plural(c->cut_count), c->lazy ? " (lazy)" : "");
		for (uint32_t k = 0; k < MIN(c->circle_count, (uint32_t)NAMES_SHOWN); k++)
			fprintf(out, "%.*s -> ",
			        STR_ARG(links->modules[links->edges[c->circle[k]].from].name));
		fprintf(out, "%s\n", c->circle_count > NAMES_SHOWN ? "..." : "the first again");
	}
}

static void screen_contracts(FILE *out, const Links *links)
{
	for (size_t i = 0; i < MIN(links->contract_count, (size_t)SHOWN); i++) {
		const LinkContractState *c = &links->contracts[i];

		fprintf(out, "  contract \"%.*s\" of %.*s: ", STR_ARG(c->name), STR_ARG(c->from));
		if (c->breaches)
			fprintf(out, "%u breach%s", c->breaches, c->breaches > 1 ? "es" : "");
		else
			fprintf(out, "%s", c->odd.len ? "" : "kept");
		fprintf(out, "%s%.*s\n", c->odd.len && c->breaches ? "; " : "", STR_ARG(c->odd));
	}
	if (links->contract_count > SHOWN)
		fprintf(out, "  and %zu more contracts\n", links->contract_count - SHOWN);
}

static void screen_dead(FILE *out, const Links *links)
{
	uint64_t whys[DEAD_WHYS] = { 0 }, kept = 0, unused;

	for (size_t i = 0; i < links->dead_count; i++)
		if (links->dead[i].confidence >= links->confidence)
			whys[links->dead[i].why]++;
	for (size_t i = 0; i < ROOT_KINDS; i++)
		kept += links->roots[i];
	unused = whys[DEAD_UNNAMED] + whys[DEAD_BY_DEAD];
	fprintf(out,
	        "  unused: %" PRIu64 " definition%s, %" PRIu64 " that only tests use, %" PRIu64
	        " module%s; %" PRIu64 " roots%s\n",
	        unused, plural(unused), whys[DEAD_TESTS], whys[DEAD_UNREACHED],
	        plural(whys[DEAD_UNREACHED]), kept,
	        links->library ? " and all public names, as it is a library" : "");
}

void links_screen(FILE *out, const Links *links, const Audit *audit)
{
	uint64_t outside = 0, packages = 0;

	(void)audit;
	for (size_t i = 0; i < links->outside_count; i++)
		outside += !links->outside[i].standard;
	for (size_t i = 0; i < links->package_count; i++)
		packages += links->packages[i].modules > 0;
	fprintf(out,
	        "\n%zu module%s in %" PRIu64 " package%s need each other %" PRIu64
	        " times, and %" PRIu64 " package%s from outside\n",
	        links->module_count, plural(links->module_count), packages, plural(packages),
	        kind_count(links, link_edge_runs), outside, plural(outside));
	screen_circles(out, links);
	screen_contracts(out, links);
	screen_dead(out, links);
}

/* --- JSON ----------------------------------------------------------------------------------------------------------------------------- */

static void put_row(JsonWriter *w, const uint64_t *numbers, size_t count)
{
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		json_add_u64(w, numbers[i]);
	json_end(w);
}
#define PUT_ROW(w, ...) \
	put_row((w), (const uint64_t[]){ __VA_ARGS__ }, COUNT(((const uint64_t[]){ __VA_ARGS__ })))

static void put_modules(JsonWriter *w, const Links *links)
{
	const Project *p = links_project(links);

	json_key(w, S("modules"));
	json_begin_array(w);
	for (size_t m = 0; m < links->module_count; m++) {
		const LinkModule *module = &links->modules[m];

		json_begin_object(w);
		json_put_str(w, "name", module->name);
		json_put_str(w, "path", p->files[m].path);
		json_put_u64(w, "package", module->package);
		json_put_u64(w, "fan_in", module->fan_in);
		json_put_u64(w, "fan_out", module->fan_out);
		if (module->cycle != LINK_NONE)
			json_put_u64(w, "cycle", module->cycle);
		json_end(w);
	}
	json_end(w);
	json_key(w, S("edges"));
	json_begin_array(w);
	for (size_t e = 0; e < links->edge_count; e++) {
		const LinkEdge *edge = &links->edges[e];

		PUT_ROW(w, edge->from, edge->to, edge->kinds, edge->imports, edge->uses,
		        edge->calls, edge->line);
	}
	json_end(w);
}

static void put_matrix(JsonWriter *w, const char *key, const LinkPackageEdge *edges, size_t count)
{
	json_key(w, str_of(key));
	json_begin_array(w);
	for (size_t e = 0; e < count; e++)
		PUT_ROW(w, edges[e].from, edges[e].to, edges[e].edges, edges[e].imports,
		        edges[e].uses, edges[e].calls, edges[e].kinds);
	json_end(w);
}

/* Of the groups of the configuration, by their places there. */
static void put_groups(JsonWriter *w, const Links *links, const Parts *groups)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	size_t count = 0;
	const LinkPackageEdge *edges =
		groups->count ? links_matrix(scratch, links, groups->of, &count) : NULL;

	put_matrix(w, "group_matrix", edges, count);
}

static void put_packages(JsonWriter *w, const Links *links)
{
	json_key(w, S("packages"));
	json_begin_array(w);
	for (size_t i = 0; i < links->package_count; i++) {
		const LinkPackage *p = &links->packages[i];

		json_begin_object(w);
		json_put_str(w, "name", p->name);
		if (p->parent != LINK_NONE)
			json_put_u64(w, "parent", p->parent);
		json_put_u64(w, "modules", p->modules);
		json_put_u64(w, "all", p->all);
		json_put_u64(w, "lines", p->lines);
		json_put_u64(w, "fan_in", p->fan_in);
		json_put_u64(w, "fan_out", p->fan_out);
		if (p->instability >= 0)
			json_put_real(w, "instability", p->instability);
		json_end(w);
	}
	json_end(w);
	put_matrix(w, "matrix", links->package_edges, links->package_edge_count);
}

static void put_imports(JsonWriter *w, const Links *links)
{
	json_key(w, S("kinds"));
	json_begin_array(w);
	for (size_t k = 0; k < IMPORT_KINDS; k++)
		json_add_str(w, str_of(import_kind_name((ImportKind)k)));
	json_end(w);
	json_key(w, S("imports"));
	json_begin_object(w);
	for (size_t k = 0; k < IMPORT_KINDS; k++)
		json_put_u64(w, import_kind_name((ImportKind)k), links->by_kind[k]);
	json_end(w);
	json_put_u64(w, "unresolved", links->unresolved);
	json_key(w, S("outside"));
	json_begin_array(w);
	for (size_t i = 0; i < links->outside_count; i++) {
		const LinkOutside *o = &links->outside[i];

		json_begin_object(w);
		json_put_str(w, "name", o->name);
		json_put_u64(w, "modules", o->modules);
		json_put_bool(w, "standard", o->standard);
		json_put_u64(w, "kinds", o->kinds);
		json_end(w);
	}
	json_end(w);
}

static void put_edges(JsonWriter *w, const Links *links, const char *key, const uint32_t *edges,
                      uint32_t count)
{
	json_key(w, str_of(key));
	json_begin_array(w);
	for (uint32_t i = 0; i < count; i++) {
		const LinkEdge *edge = &links->edges[edges[i]];

		PUT_ROW(w, edge->from, edge->to, edge->line);
	}
	json_end(w);
}

static void put_cycles(JsonWriter *w, const Links *links)
{
	json_key(w, S("cycles"));
	json_begin_array(w);
	for (size_t i = 0; i < links->cycle_count; i++) {
		const LinkCycle *c = &links->cycles[i];

		json_begin_object(w);
		json_key(w, S("modules"));
		json_begin_array(w);
		for (uint32_t m = 0; m < c->count; m++)
			json_add_u64(w, c->modules[m]);
		json_end(w);
		put_edges(w, links, "circle", c->circle, c->circle_count);
		put_edges(w, links, "cut", c->cut, c->cut_count);
		json_put_bool(w, "lazy", c->lazy);
		json_end(w);
	}
	json_end(w);
}

static void put_contracts(JsonWriter *w, const Links *links)
{
	json_key(w, S("contracts"));
	json_begin_array(w);
	for (size_t i = 0; i < links->contract_count; i++) {
		const LinkContractState *c = &links->contracts[i];

		json_begin_object(w);
		json_put_str(w, "name", c->name);
		json_put_str(w, "kind", str_of(c->kind));
		json_put_str(w, "from", c->from);
		json_put_u64(w, "breaches", c->breaches);
		if (c->odd.len)
			json_put_str(w, "odd", c->odd);
		json_end(w);
	}
	json_end(w);
	json_key(w, S("breaches"));
	json_begin_array(w);
	for (size_t i = 0; i < links->breach_count; i++) {
		const LinkBreach *b = &links->breaches[i];

		json_begin_object(w);
		json_put_u64(w, "contract", b->contract);
		json_put_u64(w, "module", b->module);
		json_put_u64(w, "line", b->line);
		put_edges(w, links, "chain", b->chain, b->chain_count);
		if (b->outside.len)
			json_put_str(w, "outside", b->outside);
		json_end(w);
	}
	json_end(w);
}

static void put_dead(JsonWriter *w, const Links *links)
{
	json_key(w, S("dead"));
	json_begin_array(w);
	for (size_t i = 0; i < links->dead_count; i++) {
		const LinkDead *dead = &links->dead[i];
		const FileLinks *file = links->modules[dead->module].links;

		if (dead->confidence < links->confidence)
			continue;
		json_begin_object(w);
		json_put_u64(w, "module", dead->module);
		if (dead->def != LINK_NONE) {
			const LinkDef *def = &file->defs[dead->def];

			json_put_str(w, "kind", str_of(def_kind_name((DefKind)def->kind)));
			json_put_str(w, "name", def->name);
			if (def->parent != LINK_NONE)
				json_put_str(w, "of", file->defs[def->parent].name);
			json_put_u64(w, "line", def->line);
		}
		json_put_u64(w, "confidence", dead->confidence);
		json_put_str(w, "why", str_of(dead_why_text(dead->why)));
		json_end(w);
	}
	json_end(w);
}

static void put_roots(JsonWriter *w, const Links *links)
{
	json_put_bool(w, "library", links->library);
	json_key(w, S("roots"));
	json_begin_object(w);
	for (size_t i = 0; i < ROOT_KINDS; i++)
		json_put_u64(w, link_root_text((LinkRoot)i), links->roots[i]);
	json_end(w);
}

void links_put(JsonWriter *w, const Links *links, const Audit *audit)
{
	json_begin_object(w);
	put_modules(w, links);
	put_packages(w, links);
	put_groups(w, links, &audit->groups);
	put_imports(w, links);
	put_cycles(w, links);
	put_contracts(w, links);
	put_roots(w, links);
	put_dead(w, links);
	json_end(w);
}
