/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests reach: Cobertura's XML (coverage.py, pytest-cov) and lcov's tracefiles. Reports of several runs are put together line by line: a line that
 * one of them reached is reached.
 *
 * Whose file a report means is a question, as it was mostly written on another machine: its path, behind each of the folders that it names as sources, is
 * made shorter from the front until the project has it. Of the report's own path at least two parts must be left, unless it had just one. */
#include "audit/outside_int.h"
#include "audit/xml.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { SOURCES_MOST = 64, NO_FILE = UINT32_MAX };

typedef struct Reading {
	Gathering *g;
	OutsideFile *about;
	Str sources[SOURCES_MOST];
	size_t source_count;
	Buf text; /* of a <source> */
	bool in_source;
	uint32_t file; /* NO_FILE: none, or not one of ours */
	uint64_t elsewhere;
} Reading;

/* --- paths --------------------------------------------------------------------------------------------------------------------------- */

static Str tidy(Arena *a, Str path)
{
	char *at = arena_alloc_raw(a, path.len + 1);

	for (size_t i = 0; i < path.len; i++)
		at[i] = path.at[i] == '\\' ? '/' : path.at[i];
	path.at = at;
	while (str_starts(path, S("./")))
		path = str_sub(path, 2, path.len);
	return path;
}

static uint32_t index_of(const Gathering *g, Str path)
{
	const AuditFile *file = path.len ? map_get(&g->paths, path) : NULL;

	return file ? (uint32_t)(file - g->project->files) : NO_FILE;
}

/* The first that the project has of the path and what is left of it without its first parts, down to `least` bytes. */
static uint32_t find_suffix(const Gathering *g, Str path, size_t least)
{
	for (;;) {
		uint32_t file = index_of(g, path);
		ptrdiff_t slash;

		if (file != NO_FILE)
			return file;
		slash = str_find_char(path, '/');
		if (slash < 0 || path.len - (size_t)slash - 1 < least)
			return NO_FILE;
		path = str_sub(path, (size_t)slash + 1, path.len);
	}
}

static size_t last_two_parts(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');

	if (slash < 0)
		return path.len;
	slash = str_rfind_char(str_sub(path, 0, (size_t)slash), '/');
	return path.len - (size_t)(slash + 1);
}

static uint32_t find_file(const Reading *r, Str name)
{
	const Gathering *g = r->g;
	Str path = tidy(g->arena, name);
	uint32_t file = NO_FILE;

	for (size_t i = 0; file == NO_FILE && i < r->source_count && !str_starts(path, S("/")); i++)
		file = find_suffix(g,
		                   str_fmt(g->arena, "%.*s/%.*s", STR_ARG(r->sources[i]),
		                           STR_ARG(path)),
		                   path.len);
	return file == NO_FILE ? find_suffix(g, path, last_two_parts(path)) : file;
}

static void open_file(Reading *r, Str name)
{
	r->file = find_file(r, name);
	r->about->items++;
	r->elsewhere += r->file == NO_FILE;
}

static void add_line(Reading *r, CoveredLine line)
{
	line.file = r->file;
	if (r->file != NO_FILE && line.line)
		GATHER(&r->g->lines, line);
}

static void say_elsewhere(const Reading *r)
{
	r->g->out->coverage.elsewhere += r->elsewhere;
	if (r->elsewhere && r->about->items == r->elsewhere)
		r->about->note =
			S("none of its files is in the project: were its paths of another folder?");
	else if (r->elsewhere)
		r->about->note =
			str_fmt(r->g->arena, "%" PRIu64 " of its files %s not in the project",
		                r->elsewhere, r->elsewhere == 1 ? "is" : "are");
}

/* --- Cobertura ------------------------------------------------------------------------------------------------------------------------ */

/* "50% (1/2)" */
static void read_condition(Str text, CoveredLine *line)
{
	ptrdiff_t open = str_find_char(text, '('), slash = str_find_char(text, '/'),
		  close = str_find_char(text, ')');
	uint64_t taken, all;

	if (open < 0 || slash < open || close < slash)
		return;
	if (!str_to_u64(str_sub(text, (size_t)open + 1, (size_t)slash), &taken) ||
	    !str_to_u64(str_sub(text, (size_t)slash + 1, (size_t)close), &all) || taken > all ||
	    all > UINT16_MAX)
		return;
	line->branches = (uint32_t)all;
	line->taken = (uint32_t)taken;
}

static uint32_t line_number(Str text)
{
	uint64_t n;

	return str_to_u64(text, &n) && n < UINT32_MAX ? (uint32_t)n : 0;
}

static void read_time(Reading *r, double stamp)
{
	Coverage *c = &r->g->out->coverage;
	double seconds = stamp > 1e11 ? stamp / 1000 : stamp;

	if (seconds > 0 && seconds < 1e11)
		c->time_s = MAX(c->time_s, (int64_t)seconds);
}

static void on_begin(void *arg, Str name, const XmlAttributes *x)
{
	Reading *r = arg;

	if (str_eq(name, S("line"))) {
		CoveredLine line = { .line = line_number(xml_attribute(x, "number")),
			             .hit = xml_number(x, "hits") > 0 };

		read_condition(xml_attribute(x, "condition-coverage"), &line);
		add_line(r, line);
	} else if (str_eq(name, S("class"))) {
		open_file(r, xml_attribute(x, "filename"));
	} else if (str_eq(name, S("source"))) {
		buf_clear(&r->text);
		r->in_source = true;
	} else if (str_eq(name, S("coverage"))) {
		read_time(r, xml_number(x, "timestamp"));
	}
}

static void on_text(void *arg, Str text)
{
	Reading *r = arg;

	if (r->in_source)
		buf_put(&r->text, text);
}

static void on_end(void *arg, Str name)
{
	Reading *r = arg;

	if (str_eq(name, S("class"))) {
		r->file = NO_FILE;
	} else if (str_eq(name, S("source"))) {
		Str source = tidy(r->g->arena, str_trim(buf_str(&r->text)));

		while (str_ends(source, S("/")))
			source.len--;
		if (r->source_count < SOURCES_MOST && source.len)
			r->sources[r->source_count++] = source;
		r->in_source = false;
	}
}

/* --- lcov -------------------------------------------------------------------------------------------------------------------------------- */

/* "12,3" or "12,3,checksum": a line and how often; "12,0,1,-": a line, block, branch, and how often. */
static void read_lcov(Reading *r, Str key, Str value)
{
	CoveredLine line = { 0 };
	Str part, last = { 0 };
	int parts = 0;

	while (str_split(&value, ',', &part) && parts < 4) {
		if (!parts)
			line.line = line_number(part);
		if (parts == (str_eq(key, S("DA")) ? 1 : 3))
			last = part;
		parts++;
	}
	line.hit = last.len && !str_eq(last, S("0")) && last.at[0] != '-';
	if (str_eq(key, S("BRDA"))) {
		line.branches = 1;
		line.taken = line.hit;
	}
	add_line(r, line);
}

static Err *lcov_read(Reading *r, Str text)
{
	Str row, key;

	while (str_split(&text, '\n', &row)) {
		if (str_ends(row, S("\r")))
			row.len--;
		if (str_eq(row, S("end_of_record")))
			r->file = NO_FILE;
		if (!str_split(&row, ':', &key) || !row.at)
			continue;
		if (str_eq(key, S("SF")))
			open_file(r, row);
		else if (str_eq(key, S("DA")) || str_eq(key, S("BRDA")))
			read_lcov(r, key, row);
	}
	return NULL;
}

bool coverage_is(Str text)
{
	return str_eq(xml_root(text), S("coverage")) || str_starts(text, S("TN:")) ||
	       str_starts(text, S("SF:"));
}

static void buf_finip(Buf *b)
{
	buf_fini(b);
}

Err *coverage_read(Gathering *g, Str path, Str text)
{
	bool xml = xml_root(text).len != 0;
	Reading r = { .g = g,
		      .about = gather_file(g, path, xml ? "Cobertura" : "lcov"),
		      .file = NO_FILE };
	XmlEvents events = { on_begin, on_end, on_text, &r };
	Err *err = xml ? xml_read(g->arena, path, text, &events) : lcov_read(&r, text);

	buf_finip(&r.text);
	say_elsewhere(&r);
	return err;
}

/* --- all reports -------------------------------------------------------------------------------------------------------------------------- */

static int by_file_and_line(const void *x, const void *y)
{
	const CoveredLine *p = x, *q = y;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	return (p->line > q->line) - (p->line < q->line);
}

/* Rows of one line: lcov has one for each branch, of which each counts; of several reports' sums the larger. */
static size_t put_line(const CoveredLine *at, size_t count, CoverageFile *file)
{
	size_t n = 0;
	bool hit = false;
	uint32_t whole = 0, whole_taken = 0, single = 0, single_taken = 0;

	for (; n < count && at[n].file == at->file && at[n].line == at->line; n++) {
		hit = hit || at[n].hit;
		if (at[n].branches == 1) {
			single++;
			single_taken += at[n].taken;
		} else if (at[n].branches) {
			whole = MAX(whole, at[n].branches);
			whole_taken = MAX(whole_taken, at[n].taken);
		}
	}
	file->lines++;
	file->covered += hit;
	file->branches += MAX(whole, single);
	file->taken += whole ? whole_taken : single_taken;
	return n;
}

static void count_unmeasured(Gathering *g, Coverage *c)
{
	bool *measured = ARENA_ARRAY(g->arena, bool, g->project->count + 1);

	for (size_t i = 0; i < c->count; i++)
		measured[c->files[i].file] = true;
	for (size_t i = 0; i < g->project->count; i++) {
		const AuditFile *f = &g->project->files[i];

		c->unmeasured += f->kind == SOURCE_CODE && f->measures.lines.lloc && !measured[i];
	}
}

void coverage_end(Gathering *g)
{
	Coverage *c = &g->out->coverage;
	CoveredLine *lines = (CoveredLine *)(void *)g->lines.at;
	size_t count = g->lines.len / sizeof(*lines), files = 0;

	if (!count)
		return;
	qsort(lines, count, sizeof(*lines), by_file_and_line);
	for (size_t i = 0; i < count; i++)
		files += !i || lines[i].file != lines[i - 1].file;
	c->files = ARENA_ARRAY(g->arena, CoverageFile, files);
	for (size_t i = 0; i < count;) {
		if (!c->count || c->files[c->count - 1].file != lines[i].file)
			c->files[c->count++].file = lines[i].file;
		i += put_line(lines + i, count - i, &c->files[c->count - 1]);
	}
	for (size_t i = 0; i < c->count; i++) {
		c->lines += c->files[i].lines;
		c->covered += c->files[i].covered;
		c->branches += c->files[i].branches;
		c->taken += c->files[i].taken;
	}
	c->known = true;
	count_unmeasured(g, c);
}

double coverage_percent(const Coverage *c)
{
	return c->known && c->lines ? 100.0 * (double)c->covered / (double)c->lines : -1;
}

const CoverageFile *coverage_of(const Coverage *c, uint32_t file)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->files[middle].file == file)
			return &c->files[middle];
		if (c->files[middle].file < file)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
