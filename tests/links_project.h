/* SPDX-License-Identifier: Apache-2.0
 *
 * Projects on paper, for tests of who needs whom: paths and texts, by path. */
#pragma once
#include "audit/links_int.h"

#include "unit.h"

typedef struct Page {
	const char *path, *text;
} Page;

static const Links *links_of(Arena *a, const LinksConf *conf, const Page *pages, size_t count)
{
	Project *project = ARENA_NEW(a, Project);
	SyntaxReader *reader = syntax_reader_new();

	project->sources.root = S("/nowhere");
	project->files = ARENA_ARRAY(a, AuditFile, count);
	project->count = count;
	for (size_t i = 0; i < count; i++) {
		AuditFile *file = &project->files[i];

		CHECK(!i || str_cmp(str_of(pages[i - 1].path), str_of(pages[i].path)) < 0);
		file->path = str_of(pages[i].path);
		file->kind = str_starts(file->path, S("tests/")) ? SOURCE_TEST : SOURCE_CODE;
		project_extract(a, reader, CC_RADON, str_of(pages[i].text), file);
	}
	syntax_reader_free(reader);
	return links_graph(a, conf, project);
}

/* "top lazy" of the edge between two modules; "none". */
static UNUSED Str edge_text(Arena *a, const Links *links, const char *from, const char *to)
{
	uint32_t f = links_module(links, str_of(from)), t = links_module(links, str_of(to));
	const LinkEdge *edge;
	AUTO(buf_fini) Buf b = { 0 };

	if (f == LINK_NONE || t == LINK_NONE)
		return S("no such module");
	edge = links_edge(links, f, t);
	for (size_t k = 0; edge && k < IMPORT_KINDS; k++)
		if (link_edge_is(edge, (ImportKind)k))
			buf_fmt(&b, "%s%s", b.len ? " " : "", import_kind_name((ImportKind)k));
	return edge ? str_dup(a, buf_str(&b)) : S("none");
}
