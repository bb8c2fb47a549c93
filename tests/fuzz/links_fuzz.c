/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules of anything at all: the text is cut at form feeds into the files of a package; what is taken from them is as it was after a stay in the
 * cache, and what they are joined to holds together. */
#include "audit/links_int.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES = 4 };

static const char *const paths[FILES] = { "a/__init__.py", "a/b.py", "a/c.py", "d.py" };

static void check_file(Arena *a, const FileLinks *file)
{
	AUTO(buf_fini) Buf b = { 0 }, again = { 0 };
	Str bytes;
	void *value;

	for (uint32_t i = 0; i < file->def_count; i++)
		if (file->defs[i].parent != LINK_NONE && file->defs[i].parent >= i)
			abort();
	for (uint32_t i = 0; i < file->name_count; i++)
		if (file->names[i].def != LINK_NONE && file->names[i].def >= file->def_count)
			abort();
	for (uint32_t i = 0; i < file->use_count; i++)
		if (!file->uses[i].count || file->uses[i].calls > file->uses[i].count)
			abort();
	pack_write(&b, links_facts()->type, file);
	bytes = buf_str(&b);
	if (!pack_read(a, links_facts()->type, &bytes, &value))
		abort();
	pack_write(&again, links_facts()->type, value);
	if (!str_eq(buf_str(&b), buf_str(&again)))
		abort();
}

static void check_graph(const Links *links)
{
	for (size_t e = 0; e < links->edge_count; e++) {
		const LinkEdge *edge = &links->edges[e];

		if (edge->from == edge->to || edge->to >= links->module_count || !edge->kinds ||
		    links_edge(links, edge->from, edge->to) != edge)
			abort();
	}
	for (size_t c = 0; c < links->cycle_count; c++)
		if (links->cycles[c].count < 2 || links->cycles[c].circle_count < 2 ||
		    !links->cycles[c].cut_count)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const LinksConf conf = { .confidence = 1 };
	AUTO(arena_freep) Arena *a = arena_new(0);
	SyntaxReader *reader = syntax_reader_new();
	Str rest = { (const char *)data, size }, text;
	const OtherWords words = { 0 };
	Findings findings = { 0 };
	AuditFile files[FILES] = { 0 };
	Project project = { .files = files, .count = FILES };
	Links *links;

	project.sources.root = S("/nowhere");
	for (size_t i = 0; i < FILES; i++) {
		if (!str_split(&rest, '\f', &text))
			text = S("");
		files[i].path = str_of(paths[i]);
		files[i].facts[FACTS_LINKS] =
			links_facts()->extract(a, syntax_read(reader, text), &files[i]);
		check_file(a, files[i].facts[FACTS_LINKS]);
	}
	syntax_reader_free(reader);
	links = links_graph(a, &conf, &project);
	check_graph(links);
	links_dead(a, &conf, &words, links);
	links_findings(a, &conf, links, &project, &findings);
	return 0;
}
