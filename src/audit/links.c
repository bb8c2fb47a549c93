/* SPDX-License-Identifier: Apache-2.0
 *
 * Who needs whom: the parts in their order. What each file says is there already (links_file.c); names are given their modules, statements become
 * edges, edges packages and circles; then rules about them are judged, and what nobody uses is looked for. */
#include "audit/links_names.h"

#include "audit/audit_conf.h"
#include "base/arena.h"

static const char *const kinds[] = {
	[IMPORT_TOP] = "top",       [IMPORT_OPTIONAL] = "optional", [IMPORT_LAZY] = "lazy",
	[IMPORT_TYPING] = "typing", [IMPORT_DYNAMIC] = "dynamic",   [IMPORT_NAMED] = "named"
};
_Static_assert(COUNT(kinds) == IMPORT_KINDS, "a kind has no name");

const char *import_kind_name(ImportKind kind)
{
	return kinds[kind];
}

Links *links_graph(Arena *a, const LinksConf *conf, const Project *project)
{
	Links *links = ARENA_NEW(a, Links);

	links->module_count = project->count;
	links->modules = ARENA_ARRAY(a, LinkModule, project->count + 1);
	links->names =
		links_names_new(a, project, links, conf->source_roots.at, conf->source_roots.count);
	links_names_resolve(a, links->names);
	links_join(a, links);
	links_packages(a, links);
	links_cycles(a, links);
	return links;
}

Err *links_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	const LinksConf *conf = audit_section(rules, links_table());
	Links *links = links_graph(a, conf, &audit->project);
	OtherWords words = { 0 };

	TRY(links_contracts(a, conf, links));
	links_words(&audit->project, &words);
	links_dead(a, conf, &words, links);
	links_words_fini(&words);
	links_findings(a, conf, links, &audit->project, &audit->findings);
	audit->links = links;
	return NULL;
}
