/* SPDX-License-Identifier: Apache-2.0
 *
 * Other tools' files. Each is read by what is in it, whatever it is called; what one of them says is then brought home: its path to that of a file
 * that was read here, its line to the function around it, and the words of that line to a print, so that the gate knows it again when lines move.
 *
 * Tools write paths from where they were started, often on another machine: a path is tried as it is, and then without its first folders, one by
 * one, until it is that of a file here. Not those of installed packages, and not those of files that are here and were not read: a setup.py in
 * .venv is nobody's setup.py of the same name. */
#include "audit/tools.h"

#include "audit/tools_int.h"
#include "base/arena.h"
#include "base/file.h"

#include <stdlib.h>
#include <unistd.h>

enum { MOST_BYTES = 256 << 20 };

static Err *unknown(Arena *a)
{
	return err_new(
		a, ERR_INVALID, "audit.with",
		"this is neither SARIF nor the output of bandit (JSON), mypy, pylint, ruff or flake8");
}

static bool is_lines(Str text)
{
	Str line;

	str_split(&text, '\n', &line);
	line = str_trim(line);
	if (str_ends(line, S("\r")))
		line.len--;
	return str_starts(line, S("{")) && str_ends(line, S("}")) &&
	       (str_find(line, S("\"severity\"")) > 0 || str_find(line, S("\"location\"")) > 0) &&
	       str_find(line, S("\"runs\"")) < 0;
}

static Err *read_json(ToolReader *r, Str text, bool *known)
{
	const Json *json;

	if (is_lines(text))
		return tool_read_lines(r, text, known);
	TRY(json_read(r->a, text, MOST_BYTES, &json));
	*known = json_kind(json) == JSON_KIND_ARRAY
	                 ? tool_read_array(r, json)
	                 : tool_read_sarif(r, json) || tool_read_object(r, json);
	return NULL;
}

static void reader_fini(ToolReader *r)
{
	map_fini(&r->rules);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* "bandit's JSON" is bandit's. */
static void name_format(ToolFile *about)
{
	Str format = str_of(about->format);
	ptrdiff_t end = str_find(format, S("'s "));

	if (end > 0)
		about->names[about->name_count++] = str_sub(format, 0, (size_t)end);
}

static Err *read_one(ToolReader *r, Str text)
{
	bool known = false;

	if (str_starts(text, S("\xef\xbb\xbf")))
		text = str_sub(text, 3, text.len);
	while (text.len && is_blank(text.at[0]))
		text = str_sub(text, 1, text.len);
	if (!text.len) {
		r->about->format = "an empty file";
		return NULL;
	}
	/* pylint's "parseable" lines have a path before their bracket. */
	if (text.at[0] == '{' || text.at[0] == '[')
		TRY(read_json(r, text, &known));
	else
		known = tool_read_text(r, text);
	if (!known)
		return unknown(r->a);
	name_format(r->about);
	return NULL;
}

Err *tools_read(Arena *a, Str text, Findings *out, ToolFile *about)
{
	AUTO(reader_fini) ToolReader r = { .a = a, .out = out, .about = about };

	return read_one(&r, text);
}

/* --- home ------------------------------------------------------------------------------------------------------------------------------------------ */

static Str with_slashes(Arena *a, Str path)
{
	char *at;

	if (str_find_char(path, '\\') < 0)
		return path;
	at = arena_alloc_raw(a, path.len);
	for (size_t i = 0; i < path.len; i++)
		at[i] = path.at[i] == '\\' ? '/' : path.at[i];
	return (Str){ at, path.len };
}

static bool is_installed(Str folder)
{
	return source_is_environment(folder) || str_eq(folder, S("site-packages")) ||
	       str_eq(folder, S("dist-packages"));
}

/* The file here that has the longest end of the path; NULL: none has. */
static const AuditFile *file_here(const Project *project, Str path)
{
	const AuditFile *file;
	Str part;

	while (path.len) {
		file = project_file(project, path);
		if (file || !str_split(&path, '/', &part) || !path.at || is_installed(part))
			return file;
	}
	return NULL;
}

static bool is_there(Arena *a, Str root, Str path)
{
	Mark mark = arena_mark(a);
	bool there = !str_starts(path, S("/")) && str_find(path, S("../")) < 0 &&
	             access(str_fmt(a, "%.*s%.*s", STR_ARG(root), STR_ARG(path)).at, F_OK) == 0;

	arena_reset(a, mark);
	return there;
}

static Str path_here(Arena *a, const Project *project, Str root, Str path, const AuditFile **file)
{
	path = with_slashes(a, path);
	while (str_starts(path, S("./")))
		path = str_sub(path, 2, path.len);
	if (root.len && str_starts(path, root))
		path = str_sub(path, root.len, path.len);
	*file = project_file(project, path);
	if (!*file && !is_there(a, root, path))
		*file = file_here(project, path);
	return *file ? (*file)->path : path;
}

/* "Order.save": the innermost function or class that has the line. It is the last that begins before it, or one around that. */
static Str unit_at(Arena *a, const AuditFile *file, uint32_t line)
{
	const Measures *m = &file->measures;
	uint32_t low = 0, high = m->unit_count, best;
	Str name;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (m->units[mid].line <= line)
			low = mid + 1;
		else
			high = mid;
	}
	best = low ? low - 1 : UNIT_NONE;
	while (best != UNIT_NONE && m->units[best].end_line < line)
		best = m->units[best].parent;
	if (best == UNIT_NONE)
		return S("");
	name = m->units[best].name;
	for (uint32_t up = m->units[best].parent; up != UNIT_NONE; up = m->units[up].parent)
		name = str_fmt(a, "%.*s.%.*s", STR_ARG(m->units[up].name), STR_ARG(name));
	return name;
}

static Str line_at(Str text, uint32_t line)
{
	Str row = { 0 };

	for (uint32_t n = 0; n < line; n++)
		if (!str_split(&text, '\n', &row))
			return S("");
	while (row.len && is_blank(row.at[row.len - 1]))
		row.len--;
	return str_trim(row);
}

typedef struct Home {
	Arena *a;
	const AuditRules *rules;
	Audit *audit;
	Str root, text; /* text: of `path`, lines before `line` cut off */
	Str path;
	uint32_t line;
	Map same;
} Home;

static void home_fini(Home *home)
{
	map_fini(&home->same);
}

/* The words of a line. Findings of a file come by line, so its text is gone through once. */
static Str words_at(Home *h, const Finding *f)
{
	SourceFile file = { .path = f->path };
	SkipWhy why;

	if (!str_eq(h->path, f->path) || f->line < h->line) {
		h->path = f->path;
		h->line = 1;
		source_text(h->a, h->rules->root, &file, &h->text, &why);
	}
	for (Str row; h->line < f->line && str_split(&h->text, '\n', &row);)
		h->line++;
	return line_at(h->text, 1);
}

static void bring_home(Home *h, Finding *f, ToolFile *about)
{
	const AuditFile *file;
	Str *paths = ARENA_ARRAY(h->a, Str, f->path_count + 1);

	f->path = path_here(h->a, &h->audit->project, h->root, f->path, &file);
	about->elsewhere += !file && f->path.len;
	if (file && f->line && !f->unit.len)
		f->unit = unit_at(h->a, file, f->line);
	for (size_t i = 0; i < f->path_count; i++)
		paths[i] = path_here(h->a, &h->audit->project, h->root, f->paths[i], &file);
	f->paths = paths;
}

static void print_all(Home *h, Findings *list)
{
	findings_sort(list);
	for (size_t i = 0; i < list->count; i++) {
		Finding *f = &list->at[i];

		if (!f->print && f->line && project_file(&h->audit->project, f->path))
			f->print = finding_print(f->rule, f->path, f->unit, words_at(h, f));
	}
}

static Str real_root(Arena *a, Str root)
{
	char *real = realpath(str_z(a, root), NULL);
	Str copy = real ? str_fmt(a, "%s/", real) : S("");

	free(real);
	return copy;
}

static Err *read_file(Home *h, Str path, ToolFile *about)
{
	Findings found = { 0 };
	Err *err;
	Str text;

	TRY(file_read(h->a, path, MOST_BYTES, &text));
	about->path = path;
	err = tools_read(h->a, text, &found, about);
	if (err)
		return err_because(h->a, err, ERR_INVALID, "audit.with", "%.*s could not be read",
		                   STR_ARG(path));
	for (size_t i = 0; i < found.count; i++)
		bring_home(h, &found.at[i], about);
	print_all(h, &found);
	for (size_t i = 0; i < found.count; i++) {
		if (tool_is_known(h->a, &h->same, &found.at[i])) {
			about->twice++;
			continue;
		}
		tool_know(h->a, &h->same, &found.at[i]);
		finding_add(h->a, &h->audit->findings, &found.at[i]);
	}
	return NULL;
}

Err *tools_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	AUTO(home_fini) Home home = { .a = a, .rules = rules, .audit = audit };
	Tools *tools;

	if (!rules->with_count)
		return NULL;
	tools = ARENA_NEW(a, Tools);
	tools->files = ARENA_ARRAY(a, ToolFile, rules->with_count);
	home.root = real_root(a, rules->root);
	for (size_t i = 0; i < audit->findings.count; i++)
		tool_know(a, &home.same, &audit->findings.at[i]);
	for (size_t i = 0; i < rules->with_count; i++)
		TRY(read_file(&home, rules->with[i], &tools->files[tools->count++]));
	audit->tools = tools;
	return NULL;
}

Str tool_of_rule(Str id)
{
	return str_sub(id, 0, (size_t)MAX(str_find_char(id, ':'), 0));
}

bool tools_have(const Tools *tools, Str tool)
{
	for (size_t i = 0; tools && i < tools->count; i++) {
		const ToolFile *f = &tools->files[i];

		for (size_t k = 0; k < f->name_count; k++)
			if (str_eq(f->names[k], tool))
				return true;
		if (!f->name_count)
			return true;
	}
	return false;
}

/* --- what is said -------------------------------------------------------------------------------------------------------------------------------- */

void tools_screen(FILE *out, const Tools *tools)
{
	for (size_t i = 0; tools && i < tools->count; i++) {
		const ToolFile *f = &tools->files[i];

		fprintf(out, "%s%.*s: %s, %zu findings", i ? "" : "\n", STR_ARG(f->path), f->format,
		        f->findings);
		if (f->elsewhere)
			fprintf(out, ", %zu of them in files that were not read here",
			        f->elsewhere);
		if (f->twice)
			fprintf(out, ", %zu that are found already", f->twice);
		if (f->skipped)
			fprintf(out, ", %zu that say nothing known", f->skipped);
		fputc('\n', out);
	}
}

void tools_put(JsonWriter *w, const Tools *tools)
{
	json_begin_array(w);
	for (size_t i = 0; tools && i < tools->count; i++) {
		const ToolFile *f = &tools->files[i];

		json_begin_object(w);
		json_put_str(w, "file", f->path);
		json_put_str(w, "format", str_of(f->format));
		json_put_u64(w, "findings", f->findings);
		json_put_u64(w, "elsewhere", f->elsewhere);
		json_put_u64(w, "twice", f->twice);
		json_put_u64(w, "skipped", f->skipped);
		json_end(w);
	}
	json_end(w);
}
