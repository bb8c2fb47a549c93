/* SPDX-License-Identifier: Apache-2.0
 *
 * The page is the build's: markup, style and script in one text with two holes, a title and a block of data (scripts/web made it of
 * src/audit/page/). Here the holes are filled. The data is one JSON object:
 *
 *	"page"        when and by what it was made, and what was cut of each list
 *	"totals", "files", "functions", "rules", "findings"
 *	              lists of the page's own (html_data.c, html_findings.c), as what --json has of them is too much for a large project
 *	"before", "now"
 *	              scorecards
 *	"audit"       all else that --json has, each list cut to its head (prune.c)
 *
 * The block stands in a script element of a type that nothing runs. `<` is the only character that could end it, and JSON has it in strings alone,
 * where \\u003c says the same. */
#include "audit/html_int.h"

#include "audit_page.h"
#include "base/arena.h"
#include "base/time.h"
#include "build_info.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Lists that the page has in its own way, those of whose rows others speak by their number, and those that are large by nature. */
static const PruneRow own_rows[] = {
	{ S("files") },
	{ S("findings") },
	{ S("rules") },
	{ S("history.files") },
	{ S("history.owners") },
	{ S("history.hotspots") },
	{ S("outside.coverage.files"), .rows = 20000 },
	{ S("links.modules"), .rows = 20000 },
	{ S("links.edges"), .rows = 50000 },
	{ S("links.packages"), .rows = 5000 },
	{ S("links.matrix"), .rows = 20000 },
	{ S("models.packages"), .rows = 5000 },
	{ S("models.models"), .rows = 5000 },
	{ S("models.tables"), .rows = 5000 },
	{ S("models.cells"), .rows = 20000 },
	{ S("trends.packages"), .rows = 60, .last = true },
	{ S("trends.groups"), .rows = 60, .last = true },
	{ S("clones.classes"), .rows = 300 },
};

static void put_escaped(Buf *out, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		switch (text.at[i]) {
		case '<': buf_put(out, S("&lt;")); break;
		case '&': buf_put(out, S("&amp;")); break;
		default: buf_putc(out, text.at[i]);
		}
}

static void put_data(Buf *out, Str json)
{
	Str part;

	while (json.len) {
		ptrdiff_t at = str_find_char(json, '<');

		part = str_sub(json, 0, at < 0 ? json.len : (size_t)at);
		buf_put(out, part);
		if (at >= 0)
			buf_put(out, S("\\u003c"));
		json = str_sub(json, part.len + (at >= 0), json.len);
	}
}

static void put_cuts(JsonWriter *w, const Cuts *cuts)
{
	json_key(w, S("cut"));
	json_begin_array(w);
	for (size_t i = 0; i < cuts->count; i++) {
		json_begin_object(w);
		json_put_str(w, "list", cuts->at[i].path);
		json_put_u64(w, "shown", cuts->at[i].shown);
		json_put_u64(w, "of", cuts->at[i].of);
		json_end(w);
	}
	json_end(w);
}

static void put_page(JsonWriter *w, const HtmlParts *parts, const Cuts *cuts)
{
	json_key(w, S("page"));
	json_begin_object(w);
	json_key(w, S("made"));
	json_add_time(w, parts->utc_us ? parts->utc_us : time_utc_us());
	json_put_str(w, "by", S("banyan " BANYAN_VERSION));
	put_cuts(w, cuts);
	json_end(w);
}

static Err *put_audit(Arena *a, JsonWriter *w, Str json, HtmlLimits limits, Cuts *cuts)
{
	const PruneRules rules = { .rows = limits.rows,
		                   .own = own_rows,
		                   .own_count = COUNT(own_rows) };
	AUTO(buf_fini) Buf cut = { 0 };

	TRY(prune_json(a, json, &rules, &cut, cuts));
	json_key(w, S("audit"));
	json_add_raw(w, buf_str(&cut));
	return NULL;
}

static Err *put_json(Arena *a, Buf *out, const Audit *audit, const HtmlParts *parts,
                     HtmlLimits limits)
{
	JsonWriter w = json_writer(out);
	Cuts cuts = { 0 };
	Str whole;

	json_begin_object(&w);
	html_put_totals(&w, audit);
	html_put_files(a, &w, audit, limits.files, &cuts);
	html_put_functions(a, &w, audit, limits.functions, &cuts);
	html_put_findings(a, &w, audit, limits.findings, &cuts);
	if (parts->before.len) {
		json_key(&w, S("before"));
		json_add_raw(&w, parts->before);
	}
	if (parts->now.len) {
		json_key(&w, S("now"));
		json_add_raw(&w, parts->now);
	}
	TRY(put_audit(a, &w, parts->json, limits, &cuts));
	put_page(&w, parts, &cuts);
	json_end(&w);
	return json_done(&w, &whole);
}

Err *html_put(Arena *a, Buf *out, const Audit *audit, const HtmlParts *parts, HtmlLimits limits)
{
	AUTO(buf_fini) Buf json = { 0 };
	Err *why = put_json(a, &json, audit, parts, limits);
	Str whole;

	if (why)
		return err_because(a, why, ERR_INTERNAL, "audit.html",
		                   "the page's data could not be put together");
	buf_put(out, audit_page[0]);
	put_escaped(out, audit->project.sources.root);
	buf_put(out, audit_page[1]);
	put_data(out, buf_str(&json));
	buf_put(out, audit_page[2]);
	return buf_done(out, &whole);
}

static Err *put_file(Arena *a, Str path, Str text)
{
	Str beside = str_fmt(a, "%.*s.%d.new", STR_ARG(path), (int)getpid());
	const char *new_name = str_z(a, beside), *name = str_z(a, path);
	FILE *file = fopen(new_name, "we");
	bool whole = file && fwrite(text.at, 1, text.len, file) == text.len;
	int error = errno;

	if (file && fclose(file) != 0 && whole) {
		error = errno;
		whole = false;
	}
	if (whole && rename(new_name, name) == 0)
		return NULL;
	if (whole)
		error = errno;
	if (file)
		unlink(new_name);
	return err_errno(a, error, "audit.html_file", "%.*s could not be written", STR_ARG(path));
}

Err *html_write(Arena *a, Str path, const Audit *audit, const HtmlParts *parts)
{
	AUTO(buf_fini) Buf page = { 0 };

	TRY(html_put(a, &page, audit, parts, HTML_LIMITS));
	return put_file(a, path, buf_str(&page));
}
