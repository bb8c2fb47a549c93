/* SPDX-License-Identifier: Apache-2.0
 *
 * What is made of an application's files. The first byte says which:
 *
 *   s   SQL: the same tables whether it was said to be SQL or seen to be
 *   p   a project: files, each after a line "#### path" (by path); its models, tables, routes and findings refer to what is there, and what is kept
 *       of a file is read back as it was */
#include "audit/models_sample.h"
#include "base/buf.h"

#include <string.h>

enum { FILES_MOST = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void check_sql(Str text)
{
	SqlTables sure, seen;

	sql_tables(text, true, &sure);
	sql_tables(text, false, &seen);
	must(!seen.is_sql || sure.is_sql);
	must(!seen.is_sql || seen.count == sure.count);
	for (uint32_t i = 0; i < sure.count; i++)
		must(sure.at[i].does && sure.at[i].name.at >= text.at &&
		     sure.at[i].name.at + sure.at[i].name.len <= text.at + text.len);
}

static void check_kept(Arena *a, const FileModels *facts)
{
	const PackType *type = models_facts()->type;
	AUTO(buf_fini) Buf one = { 0 };
	AUTO(buf_fini) Buf other = { 0 };
	Str bytes;
	void *back;

	pack_write(&one, type, facts);
	bytes = buf_str(&one);
	must(pack_read(a, type, &bytes, &back) && !bytes.len);
	pack_write(&other, type, back);
	must(str_eq(buf_str(&one), buf_str(&other)));
}

static void check_models(const Models *m, const Project *p)
{
	for (uint32_t i = 0; i < m->model_count; i++)
		must(m->models[i].package < m->package_count &&
		     m->models[i].place.file < p->count &&
		     (m->models[i].table == MODEL_NONE || m->models[i].table < m->table_count));
	for (uint32_t i = 0; i < m->relation_count; i++)
		must(m->relations[i].from < m->model_count &&
		     (m->relations[i].to == MODEL_NONE || m->relations[i].to < m->model_count));
	for (uint32_t i = 0; i < m->cell_count; i++)
		must(m->cells[i].table < m->table_count && m->cells[i].package < m->package_count &&
		     m->cells[i].reads + m->cells[i].writes + m->cells[i].locks > 0);
	for (uint32_t i = 0; i < m->route_count; i++)
		must(m->routes[i].target.file == MODEL_NONE || m->routes[i].target.file < p->count);
}

static void check_project(Arena *a, Str text)
{
	SampleFile files[FILES_MOST + 1] = { 0 };
	AUTO(sample_finip) Audit audit = { 0 };
	AUTO(buf_fini) Buf json = { 0 };
	JsonWriter w = json_writer(&json);
	size_t count = 0;
	Str out;

	while (count < FILES_MOST && str_starts(text, S("#### "))) {
		ptrdiff_t line = str_find_char(text, '\n'), next;
		Str path = str_sub(text, 5, line < 0 ? text.len : (size_t)line);

		text = str_sub(text, line < 0 ? text.len : (size_t)line + 1, text.len);
		next = str_find(text, S("\n#### "));
		if (!path.len || str_find_char(path, '\0') >= 0 ||
		    (count && str_cmp(str_of(files[count - 1].path), path) >= 0))
			return;
		files[count++] =
			(SampleFile){ str_z(a, path),
			              str_z(a,
			                    str_sub(text, 0, next < 0 ? text.len : (size_t)next)) };
		text = str_sub(text, next < 0 ? text.len : (size_t)next + 1, text.len);
	}
	if (!count || (count == 1 && !*files[0].text))
		return;
	if (!sample(a, files, &audit))
		return;
	check_models(audit.models, &audit.project);
	for (size_t i = 0; i < audit.project.count; i++)
		if (audit.project.files[i].facts[FACTS_MODELS])
			check_kept(a, audit.project.files[i].facts[FACTS_MODELS]);
	models_put(&w, audit.models, &audit);
	must(!json_done(&w, &out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new(0);
	Str rest = str_sub((Str){ (const char *)data, size }, 1, size);

	if (size && data[0] == 's')
		check_sql(rest);
	else if (size)
		check_project(a, rest);
	arena_free(a);
	return 0;
}
