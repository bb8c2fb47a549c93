/* SPDX-License-Identifier: Apache-2.0
 *
 * The packages that a project stands on: lists that people write (requirements.txt, setup.cfg), and all lists put together. Locks are in
 * outside_locks.c. A package that a lock pins is one row, whoever else asks for it; what several files pin to several versions is several rows.
 *
 * Nothing is run: a setup.py that makes up its list (outside_setup.c) is not seen, and that is said. */
#include "audit/outside_int.h"
#include "audit/pep440.h"
#include "base/arena.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { INCLUDES_MOST = 8, LIST_BYTES = 16 << 20, FILES_MOST = 1000 };

/* --- one requirement ------------------------------------------------------------------------------------------------------------------- */

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

static Str skip_brackets(Str text, char open, char close)
{
	ptrdiff_t end;

	text = str_trim(text);
	if (!text.len || text.at[0] != open)
		return text;
	end = str_find_char(text, close);
	return end < 0 ? text : str_trim(str_sub(text, (size_t)end + 1, text.len));
}

static Str before_char(Str text, char c)
{
	ptrdiff_t at = str_find_char(text, c);

	return str_trim(at < 0 ? text : str_sub(text, 0, (size_t)at));
}

bool requirement_read(Arena *a, Str text, Package *out)
{
	size_t n = 0;
	Str rest;

	text = str_trim(text);
	while (n < text.len && in_name(text.at[n]))
		n++;
	if (!n || text.at[0] == '-' || text.at[0] == '.')
		return false;
	rest = skip_brackets(str_sub(text, n, text.len), '[', ']');
	*out = (Package){ .name = pep503_name(a, str_sub(text, 0, n)) };
	if (rest.len && rest.at[0] == '@') {
		out->wanted = before_char(rest, ' ').len > 1 ? before_char(rest, ';') : rest;
		return true;
	}
	rest = before_char(rest, ';');
	if (rest.len > 1 && rest.at[0] == '(' && rest.at[rest.len - 1] == ')')
		rest = str_trim(str_sub(rest, 1, rest.len - 1));
	if (rest.len && !strchr("<>=!~", rest.at[0]))
		return false;
	out->wanted = rest;
	out->version = pep440_pinned(rest);
	return true;
}

static Str base_name(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');

	return slash < 0 ? path : str_sub(path, (size_t)slash + 1, path.len);
}

void package_add(Gathering *g, Package row)
{
	OutsideFile *files = (OutsideFile *)(void *)g->files.at;

	row.file = (uint32_t)(g->files.len / sizeof(*files)) - 1;
	row.name = pep503_name(g->arena, row.name);
	files[row.file].items++;
	GATHER(&g->packages, row);
}

void python_add(Gathering *g, Str version, Str from)
{
	PythonSaid said = { str_trim(version), from };

	if (said.version.len)
		GATHER(&g->pythons, said);
}

/* --- requirements.txt ------------------------------------------------------------------------------------------------------------------- */

typedef struct Listing {
	Gathering *g;
	Str path;
	uint32_t line, depth;
	bool dev;
	size_t last; /* offset of the row that comments are about, and 1; 0: none */
	Str includes[INCLUDES_MOST];
	size_t include_count;
	uint64_t odd; /* lines that are no requirement */
} Listing;

static bool says(Str text, const char *word)
{
	return str_find(text, str_of(word)) >= 0;
}

/* pip-compile tells by comments why a package is there: "# via -r requirements.in", "# via django". */
static void read_via(Listing *l, Str comment)
{
	Package *row;

	if (!l->last)
		return;
	row = (Package *)(void *)(l->g->packages.at + l->last - 1);
	if (str_starts(str_trim(str_sub(comment, 1, comment.len)), S("via")))
		row->direct = false;
	if (says(comment, "-r ") || says(comment, "pyproject.toml") || says(comment, "setup."))
		row->direct = true;
}

/* The value of "-r x", "--requirement=x"; empty: it is another option. */
static Str include_of(Str row)
{
	static const Str names[] = { S("--requirement"), S("--constraint"), S("-r"), S("-c") };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_starts(row, names[i])) {
			Str rest = str_trim(str_sub(row, names[i].len, row.len));

			return str_trim(str_starts(rest, S("=")) ? str_sub(rest, 1, rest.len)
			                                         : rest);
		}
	return (Str){ 0 };
}

static Str egg_of(Str row)
{
	ptrdiff_t at = str_find(row, S("#egg="));

	return at < 0 ? (Str){ 0 }
	              : before_char(before_char(str_sub(row, (size_t)at + 5, row.len), '&'), '[');
}

static void read_option(Listing *l, Str row)
{
	Str include = include_of(row), egg = egg_of(row);

	if (include.len && l->include_count < INCLUDES_MOST)
		l->includes[l->include_count++] = str_dup(l->g->arena, include);
	else if (egg.len)
		package_add(l->g, (Package){ .name = egg,
		                             .wanted = str_dup(l->g->arena, row),
		                             .line = l->line,
		                             .direct = true,
		                             .dev = l->dev });
}

static size_t hashes_of(Arena *a, Str row, const Str **out)
{
	size_t count = 0, most = 0;
	Str *hashes;

	for (size_t i = 0; i < row.len; i++)
		most += row.at[i] == ':';
	hashes = ARENA_ARRAY(a, Str, most + 1);
	for (ptrdiff_t at = str_find(row, S("--hash=")); at >= 0 && count < most;
	     at = str_find(row, S("--hash="))) {
		row = str_sub(row, (size_t)at + 7, row.len);
		hashes[count++] = before_char(row, ' ');
	}
	*out = hashes;
	return count;
}

/* One logical line, comments gone. */
static void read_row(Listing *l, Str row)
{
	ptrdiff_t options = str_find(row, S(" --"));
	Package package;

	l->last = 0;
	row = str_trim(row);
	if (!row.len)
		return;
	if (row.at[0] == '-') {
		read_option(l, row);
		return;
	}
	row = str_dup(l->g->arena, row);
	if (!requirement_read(l->g->arena, options < 0 ? row : str_sub(row, 0, (size_t)options),
	                      &package)) {
		Str egg = egg_of(row);

		l->odd += !egg.len;
		if (egg.len)
			package_add(l->g, (Package){ .name = egg,
			                             .wanted = row,
			                             .line = l->line,
			                             .direct = true,
			                             .dev = l->dev });
		return;
	}
	package.line = l->line;
	package.direct = true;
	package.dev = l->dev;
	package.hash_count = options < 0 ? 0 : hashes_of(l->g->arena, row, &package.hashes);
	package_add(l->g, package);
	l->last = l->g->packages.len - sizeof(package) + 1;
}

static Str without_comment(Str row)
{
	for (size_t i = 0; i < row.len; i++)
		if (row.at[i] == '#' && (!i || row.at[i - 1] == ' ' || row.at[i - 1] == '\t'))
			return str_sub(row, 0, i);
	return row;
}

static void read_list(Listing *l, Str text)
{
	AUTO(buf_fini) Buf row = { 0 };
	uint32_t line = 0;
	Str part;

	while (str_split(&text, '\n', &part)) {
		line++;
		if (str_ends(part, S("\r")))
			part.len--;
		if (!row.len)
			l->line = line;
		if (!row.len && str_starts(str_trim(part), S("#"))) {
			read_via(l, str_trim(part));
			continue;
		}
		if (str_ends(part, S("\\"))) {
			buf_put(&row, str_sub(part, 0, part.len - 1));
			continue;
		}
		buf_put(&row, without_comment(part));
		read_row(l, buf_str(&row));
		buf_clear(&row);
		if (l->last && str_find(part, S("# via ")) >= 0)
			read_via(l, str_sub(part, (size_t)str_find(part, S("# via ")), part.len));
	}
	read_row(l, buf_str(&row));
}

static Str folder_of(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');

	return slash < 0 ? (Str){ 0 } : str_sub(path, 0, (size_t)slash + 1);
}

static bool was_read(const Gathering *g, Str path)
{
	const OutsideFile *files = (const OutsideFile *)(const void *)g->files.at;

	for (size_t i = 0; i < g->files.len / sizeof(*files); i++)
		if (str_eq(files[i].path, path))
			return true;
	return false;
}

static Err *list_read(Gathering *g, Str path, Str text, uint32_t depth)
{
	Listing l = { .g = g,
		      .path = path,
		      .depth = depth,
		      .dev = says(base_name(path), "dev") || says(base_name(path), "test") };
	OutsideFile *about;

	gather_file(g, path, "requirements");
	read_list(&l, text);
	about = (OutsideFile *)(void *)(g->files.at + g->files.len) - 1;
	if (l.odd)
		about->note = str_fmt(g->arena, "%" PRIu64 " line%s no requirement", l.odd,
		                      l.odd == 1 ? " is" : "s are");
	for (size_t i = 0; i < l.include_count; i++) {
		Str other = str_fmt(g->arena, "%.*s%.*s", STR_ARG(folder_of(path)),
		                    STR_ARG(l.includes[i])),
		    more;

		if (was_read(g, other) || depth == INCLUDES_MOST ||
		    g->files.len / sizeof(OutsideFile) >= FILES_MOST)
			continue;
		if (file_read_plain(g->arena, other, LIST_BYTES, &more))
			gather_file(g, other, "requirements")->note = S("cannot be read");
		else
			TRY(list_read(g, other, more, depth + 1));
	}
	return NULL;
}

/* --- setup.cfg ---------------------------------------------------------------------------------------------------------------------------- */

static void add_rows(Gathering *g, Str text, uint32_t line, bool dev)
{
	Package row;

	if (!requirement_read(g->arena, text, &row))
		return;
	row.line = line;
	row.dev = dev;
	row.direct = true;
	package_add(g, row);
}

static Err *setup_read(Gathering *g, Str path, Str text)
{
	bool options = false, extras = false, list = false;
	uint32_t line = 0;
	Str row;

	gather_file(g, path, "setup.cfg");
	while (str_split(&text, '\n', &row)) {
		ptrdiff_t equals = str_find_char(row, '=');
		bool indented = row.len && (row.at[0] == ' ' || row.at[0] == '\t');
		Str value = equals < 0 ? (Str){ 0 }
		                       : str_trim(str_sub(row, (size_t)equals + 1, row.len)),
		    all = str_trim(row);

		line++;
		if (str_ends(all, S("\r")))
			all = str_trim(str_sub(all, 0, all.len - 1));
		if (!all.len || all.at[0] == '#' || all.at[0] == ';')
			continue;
		if (all.at[0] == '[') {
			options = str_eq(all, S("[options]"));
			extras = str_eq(all, S("[options.extras_require]"));
			list = false;
		} else if (!indented) {
			list = extras || (options && str_starts(all, S("install_requires")));
			if (list && value.len)
				add_rows(g, str_dup(g->arena, value), line, extras);
			else if (options && str_starts(all, S("python_requires")))
				python_add(g, str_dup(g->arena, value), path);
		} else if (list) {
			add_rows(g, str_dup(g->arena, all), line, extras);
		}
	}
	return NULL;
}

/* --- by name --------------------------------------------------------------------------------------------------------------------------------- */

static bool is_requirements(Str name)
{
	return (str_ends(name, S(".txt")) || str_ends(name, S(".in"))) &&
	       (says(name, "requirements") || says(name, "constraints"));
}

static bool is_python(Str name)
{
	return str_eq(name, S(".python-version")) || str_eq(name, S("runtime.txt")) ||
	       str_eq(name, S("Dockerfile"));
}

bool packages_is(Str path)
{
	Str name = base_name(path);

	return is_requirements(name) || lock_is(name) || str_eq(name, S("setup.cfg")) ||
	       str_eq(name, S("setup.py")) || is_python(name) ||
	       (str_ends(name, S(".txt")) && says(path, "requirements/"));
}

static bool in_version(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

/* "3.8.10", "python-3.8.10", "FROM python:3.8-slim" */
static Err *python_read(Gathering *g, Str path, Str text)
{
	bool docker = str_eq(base_name(path), S("Dockerfile"));
	OutsideFile *about = gather_file(g, path, "Python");
	Str row;

	while (str_split(&text, '\n', &row)) {
		ptrdiff_t at = docker ? str_find(row, S("python:")) : 0;
		size_t n = 0;

		if (at < 0 || (docker && !str_starts(row, S("FROM "))))
			continue;
		row = str_trim(str_sub(row, (size_t)at + (docker ? 7 : 0), row.len));
		if (str_starts(row, S("python-")))
			row = str_sub(row, 7, row.len);
		while (n < row.len && in_version(row.at[n]))
			n++;
		if (!n)
			continue;
		about->items++;
		python_add(g, str_dup(g->arena, str_sub(row, 0, n)), path);
		return NULL;
	}
	return NULL;
}

Err *packages_read(Gathering *g, Str path, Str text)
{
	Str name = base_name(path);

	if (was_read(g, path))
		return NULL;
	if (lock_is(name))
		return lock_read(g, path, text, name);
	if (str_eq(name, S("setup.cfg")))
		return setup_read(g, path, text);
	if (str_eq(name, S("setup.py")))
		return setup_py_read(g, path, text);
	return is_python(name) ? python_read(g, path, text) : list_read(g, path, text, 0);
}

Err *packages_read_list(Gathering *g, Str path, Str text)
{
	return list_read(g, path, text, 0);
}

/* --- put together ------------------------------------------------------------------------------------------------------------------------------ */

static int by_name(const void *x, const void *y)
{
	const Package *p = x, *q = y;
	int by = str_cmp(p->name, q->name);

	if (!by)
		by = !p->version.len - !q->version.len;
	if (!by)
		by = str_cmp(p->version, q->version);
	if (!by)
		by = q->direct - p->direct;
	if (!by)
		by = (p->file > q->file) - (p->file < q->file);
	return by ? by : (p->line > q->line) - (p->line < q->line);
}

/* Rows of one name: those with different versions stay; without any version, the first. */
static size_t join_rows(Package *at, size_t count, Package *out)
{
	size_t kept = 0;
	bool direct = false, dev = true;
	Str wanted = { 0 };

	for (size_t i = 0; i < count; i++) {
		direct = direct || at[i].direct;
		dev = dev && at[i].dev;
		if (!at[i].version.len && at[i].wanted.len && !wanted.len)
			wanted = at[i].wanted;
	}
	for (size_t i = 0; i < count; i++) {
		if (i && (!at[i].version.len || str_eq(at[i].version, at[i - 1].version))) {
			Package *last = &out[kept - 1];

			if (!last->need_count) {
				last->needs = at[i].needs;
				last->need_count = at[i].need_count;
			}
			continue;
		}
		out[kept] = at[i];
		out[kept].direct = direct;
		out[kept].dev = dev;
		if (wanted.len)
			out[kept].wanted = wanted;
		kept++;
	}
	return kept;
}

void packages_end(Gathering *g)
{
	Packages *p = &g->out->packages;
	Package *rows = (Package *)(void *)g->packages.at;
	size_t count = g->packages.len / sizeof(*rows);

	p->at = ARENA_ARRAY(g->arena, Package, count + 1);
	if (count)
		qsort(rows, count, sizeof(*rows), by_name);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && str_eq(rows[next].name, rows[i].name);)
			next++;
		p->count += join_rows(rows + i, next - i, p->at + p->count);
	}
	for (size_t i = 0; i < p->count; i++)
		p->unpinned += !p->at[i].version.len && str_find(p->at[i].wanted, S("://")) < 0;
}
