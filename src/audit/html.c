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

#include "audit/scorecard.h"
#include "audit_web.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/time.h"
#include "build_info.h"

#include <stdlib.h>

#define SCORECARD_FILE "banyan-scorecard.json"
enum { SCORECARD_BYTES = 1 << 20 };

/* Lists that the page has in its own way, those of whose rows others speak by their number, and those that are large by nature. */
static const PruneRow own_rows[] = {
	{ S("root") }, /* where it lies on this machine is nobody else's business: "name" */
	{ S("files") },
	{ S("findings") },
	{ S("rules") },
	{ S("packages"), .rows = 20000 },
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
	{ S("trends.areas"), .rows = 60, .last = true },
	{ S("trends.groups"), .rows = 60, .last = true },
	{ S("clones.classes"), .rows = 300 },
};

static void put_escaped(Buf *out, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		switch (text.at[i]) {
		case '<':
			buf_put(out, S("&lt;"));
			break;
		case '&':
			buf_put(out, S("&amp;"));
			break;
		default:
			buf_putc(out, text.at[i]);
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

/* "shop" of "." in /srv/shop. */
static Str name_of(Arena *a, const AuditRules *rules)
{
	char *real = rules->from ? NULL : realpath(str_z(a, rules->root), NULL);
	Str path = real ? str_dup(a, str_of(real)) : rules->root;
	ptrdiff_t at;

	free(real);
	while (path.len > 1 && path.at[path.len - 1] == '/')
		path.len--;
	at = str_rfind_char(path, '/');
	return path.len > 1 ? str_sub(path, (size_t)(at + 1), path.len) : path;
}

static void put_page(JsonWriter *w, Str name, const Cuts *cuts)
{
	json_key(w, S("page"));
	json_begin_object(w);
	json_put_str(w, "name", name);
	json_key(w, S("made"));
	json_add_time(w, time_utc_us());
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

/* The figures of a scorecard in the root, and those that this audit has itself. */
static void put_scorecards(Arena *a, JsonWriter *w, const Audit *audit, const AuditRules *rules)
{
	Scorecard before, now = { .taken_utc_us = time_utc_us() };
	Str text, path = str_fmt(a, "%.*s/" SCORECARD_FILE, STR_ARG(rules->root));
	AUTO(buf_fini) Buf card = { 0 };

	if (rules->from || file_read_plain(a, path, SCORECARD_BYTES, &text) ||
	    scorecard_read(a, text, &before))
		return;
	json_key(w, S("before"));
	json_add_raw(w, str_trim(text));
	scorecard_take_project(&now, &audit->project);
	scorecard_put_json(&card, &now);
	json_key(w, S("now"));
	json_add_raw(w, buf_str(&card));
}

static Err *put_json(Arena *a, Buf *out, const Audit *audit, const AuditRules *rules, Str json,
                     HtmlLimits limits)
{
	JsonWriter w = json_writer(out);
	Cuts cuts = { 0 };
	Str whole;

	json_begin_object(&w);
	html_put_totals(&w, audit);
	html_put_files(a, &w, audit, limits.files, &cuts);
	html_put_functions(a, &w, audit, limits.functions, &cuts);
	html_put_findings(a, &w, audit, rules, limits.findings, &cuts);
	put_scorecards(a, &w, audit, rules);
	TRY(put_audit(a, &w, json, limits, &cuts));
	put_page(&w, name_of(a, rules), &cuts);
	json_end(&w);
	return json_done(&w, &whole);
}

Err *html_put(Arena *a, Buf *out, const Audit *audit, const AuditRules *rules, Str json,
              HtmlLimits limits)
{
	AUTO(buf_fini) Buf data = { 0 };
	Err *why = put_json(a, &data, audit, rules, json, limits);
	Str whole;

	if (why)
		return err_because(a, why, ERR_INTERNAL, "audit.html",
		                   "the page's data could not be put together");
	buf_put(out, audit_page[0]);
	put_escaped(out, name_of(a, rules));
	buf_put(out, audit_page[1]);
	put_data(out, buf_str(&data));
	buf_put(out, audit_page[2]);
	return buf_done(out, &whole);
}

Err *html_report(Arena *a, const Audit *audit, const AuditRules *rules, Buf *out)
{
	AUTO(buf_fini) Buf json = { 0 };

	report_json(&json, audit, rules);
	return html_put(a, out, audit, rules, buf_str(&json), HTML_LIMITS);
}
