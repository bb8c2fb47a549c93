/* SPDX-License-Identifier: Apache-2.0
 *
 * The history's part of the reports. On the screen each list is cut to its head and says by which formula it was made; the JSON has all. */
#include "audit/history_report.h"

#include "audit/plural.h"
#include "base/arena.h"
#include "base/civil.h"
#include "base/time.h"

enum { SCREEN_ROWS = 3, KEY_NAMES = 8 };

void history_judge(Arena *a, const History *h, const Project *p, HistoryFindings *out)
{
	*out = (HistoryFindings){ .history = h };
	if (h->why_not.len)
		return;
	out->hotspots = history_hotspots(a, h, p);
	out->couplings = history_couplings(a, h, COUPLING_RULES);
	out->owners = history_owners(a, h, p);
	out->bugs = history_bugs(a, h, p);
}

/* --- the screen ------------------------------------------------------------------------------------------------------------------------------------ */

static void put_day(FILE *out, int64_t utc_s)
{
	int64_t days = utc_s / SECONDS_OF_DAY - (utc_s % SECONDS_OF_DAY < 0);
	Civil day = civil_of(days);

	fprintf(out, "%04" PRId64 "-%02d-%02d", day.year, day.month, day.day);
}

static void screen_walk(FILE *out, const History *h)
{
	bool some = false;

	fprintf(out, "\nHistory: %" PRIu64 " commit%s, ", h->commits, plural(h->commits));
	put_day(out, h->first_s);
	fprintf(out, " to ");
	put_day(out, h->last_s);
	fprintf(out, ", read in %.1f s; %zu of them are counted below\n",
	        (double)h->taken_us / US_PER_S, h->set_count);
	for (size_t i = SET_COUNTS + 1; i < SET_KINDS; i++) {
		if (!h->kinds[i])
			continue;
		fprintf(out, "%s%" PRIu64 " %s", some ? ", " : "  left out: ", h->kinds[i],
		        set_kind_text(i));
		some = true;
	}
	if (some)
		fputc('\n', out);
	if (h->missing)
		fprintf(out, "  %" PRIu64 " commits are not in this clone\n", h->missing);
	if (h->shallow)
		fprintf(out,
		        "  the clone is shallow: what was before it is unknown (git fetch --unshallow brings it)\n");
	if (h->cut)
		fprintf(out, "  older commits were not read: %s\n",
		        h->commits == HISTORY_COMMITS
		                ? "these are the most"
		                : "too many change more than a million paths");
}

static void screen_hotspots(FILE *out, const Hotspots *hot)
{
	if (!hot->count)
		return;
	fprintf(out,
	        "Hotspots (10 x rank by changes in the last year x rank by cognitive complexity):\n");
	for (size_t i = 0; i < MIN(hot->count, (size_t)SCREEN_ROWS); i++)
		fprintf(out, "  %5.1f  %.*s, %u changes, cognitive %u\n", hot->at[i].score,
		        STR_ARG(hot->at[i].file->path), hot->at[i].revs,
		        hot->at[i].file->measures.cognitive);
}

/* Of two files; files that are gone, tests and what is not Python are for the JSON. */
static bool is_code(const Project *p, Str path)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (str_cmp(p->files[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->count && str_eq(p->files[low].path, path) &&
	       p->files[low].kind == SOURCE_CODE;
}

static void screen_couplings(FILE *out, const HistoryFindings *f, const Project *p)
{
	size_t shown = 0;

	for (size_t i = 0; i < f->couplings.count && shown < SCREEN_ROWS; i++) {
		const Coupling *c = &f->couplings.at[i];
		Str one = f->history->files[c->one].path, other = f->history->files[c->other].path;

		if (!is_code(p, one) || !is_code(p, other))
			continue;
		if (!shown++)
			fprintf(out,
			        "Code that changes together (shared / average changes; chance below 5 %%):\n");
		fprintf(out, "  %4u%%  %.*s and %.*s, %u shared of %u\n", c->degree, STR_ARG(one),
		        STR_ARG(other), c->shared, c->average);
	}
	if (!shown)
		fprintf(out, "No two files of code change together often enough to be named.\n");
}

static void screen_owners(FILE *out, const HistoryFindings *f)
{
	const Owners *o = &f->owners;
	size_t named = MIN((size_t)o->bus_factor, (size_t)3);

	if (!o->bus_factor) {
		fprintf(out, "Bus factor: unknown, as no file of code has an author\n");
		return;
	}
	fprintf(out, "Bus factor %u (by degree of authorship): ", o->bus_factor);
	for (size_t i = 0; i < named; i++)
		fprintf(out, "%s%.*s", i ? ", " : "", STR_ARG(f->history->authors[o->key[i]].name));
	fprintf(out, "%s. %u of %zu files are known only by people without a commit for a year\n",
	        o->bus_factor > named ? ", ..." : "", o->orphans, o->count);
}

static void screen_bugs(FILE *out, const BugDensity *b)
{
	fprintf(out, "Fixes: %" PRIu64 " changes of code say that they mend something; ", b->fixes);
	if (b->density < 0)
		fprintf(out, "per year unknown: the history is shorter than 30 days\n");
	else
		fprintf(out, "%.2f a year for 1,000 lines of code\n", b->density);
}

void history_screen(FILE *out, const HistoryFindings *f, const Project *p)
{
	if (f->history->why_not.len) {
		fprintf(out, "\nHistory was not read: %.*s\n", STR_ARG(f->history->why_not));
		return;
	}
	screen_walk(out, f->history);
	if (!f->history->set_count) {
		fprintf(out, "  so nothing can be said of hotspots, coupling and owners\n");
		return;
	}
	screen_hotspots(out, &f->hotspots);
	screen_couplings(out, f, p);
	screen_owners(out, f);
	screen_bugs(out, &f->bugs);
}

/* --- JSON --------------------------------------------------------------------------------------------------------------------------------------------- */

static void put_time(JsonWriter *w, const char *key, int64_t utc_s)
{
	json_key(w, str_of(key));
	json_add_time(w, utc_s * US_PER_S);
}

static void put_walk(JsonWriter *w, const History *h)
{
	json_put_u64(w, "commits", h->commits);
	json_put_u64(w, "change_sets", h->set_count);
	json_put_u64(w, "missing", h->missing);
	json_put_u64(w, "renames", h->rename_count);
	json_put_bool(w, "shallow", h->shallow);
	json_put_bool(w, "cut", h->cut);
	put_time(w, "first", h->first_s);
	put_time(w, "last", h->last_s);
	json_key(w, S("left_out"));
	json_begin_array(w);
	for (size_t i = SET_COUNTS + 1; i < SET_KINDS; i++) {
		if (!h->kinds[i])
			continue;
		json_begin_object(w);
		json_put_str(w, "why", str_of(set_kind_text(i)));
		json_put_u64(w, "count", h->kinds[i]);
		json_end(w);
	}
	json_end(w);
}

static void put_files(JsonWriter *w, const History *h)
{
	json_key(w, S("files"));
	json_begin_array(w);
	for (size_t i = 0; i < h->file_count; i++) {
		const HistoryFile *file = &h->files[i];

		if (!file->revs)
			continue;
		json_begin_object(w);
		json_put_str(w, "path", file->path);
		json_put_u64(w, "changes", file->revs);
		json_put_u64(w, "changes_last_year", file->recent);
		json_put_u64(w, "fixes", file->fixes);
		json_put_u64(w, "sum_of_coupling", file->soc);
		json_end(w);
	}
	json_end(w);
}

static void put_hotspots(JsonWriter *w, const Hotspots *hot)
{
	json_key(w, S("hotspots"));
	json_begin_array(w);
	for (size_t i = 0; i < hot->count; i++) {
		json_begin_object(w);
		json_put_str(w, "path", hot->at[i].file->path);
		json_put_real(w, "score", hot->at[i].score);
		json_put_u64(w, "changes_last_year", hot->at[i].revs);
		json_put_real(w, "changes_rank", hot->at[i].revs_rank);
		json_put_u64(w, "cognitive", hot->at[i].file->measures.cognitive);
		json_put_real(w, "cognitive_rank", hot->at[i].cognitive_rank);
		json_end(w);
	}
	json_end(w);
}

static void put_couplings(JsonWriter *w, const HistoryFindings *f)
{
	json_key(w, S("couplings"));
	json_begin_array(w);
	for (size_t i = 0; i < f->couplings.count; i++) {
		const Coupling *c = &f->couplings.at[i];

		json_begin_object(w);
		json_put_str(w, "one", f->history->files[c->one].path);
		json_put_str(w, "other", f->history->files[c->other].path);
		json_put_u64(w, "degree", c->degree);
		json_put_u64(w, "shared", c->shared);
		json_put_u64(w, "average", c->average);
		json_put_real(w, "p", c->p);
		json_end(w);
	}
	json_end(w);
	json_put_u64(w, "couplings_by_chance", f->couplings.chance);
}

static void put_owners(JsonWriter *w, const HistoryFindings *f)
{
	const History *h = f->history;

	json_key(w, S("owners"));
	json_begin_array(w);
	for (size_t i = 0; i < f->owners.count; i++) {
		const Ownership *own = &f->owners.files[i];

		json_begin_object(w);
		json_put_str(w, "path", h->files[own->file].path);
		json_put_str(w, "main", h->authors[own->main].name);
		json_put_u64(w, "main_changes", own->main_sets);
		json_put_u64(w, "changes", h->files[own->file].revs);
		json_put_u64(w, "people", own->authors);
		json_put_u64(w, "authors", own->experts);
		json_put_bool(w, "authors_left", own->left);
		json_put_real(w, "fractal_value", own->fractal);
		json_end(w);
	}
	json_end(w);
	json_key(w, S("bus_factor"));
	if (f->owners.bus_factor)
		json_add_u64(w, f->owners.bus_factor);
	else
		json_add_null(w);
	json_key(w, S("bus_factor_people"));
	json_begin_array(w);
	for (size_t i = 0; i < MIN((size_t)f->owners.bus_factor, (size_t)KEY_NAMES); i++)
		json_add_str(w, h->authors[f->owners.key[i]].name);
	json_end(w);
	json_put_u64(w, "orphans", f->owners.orphans);
}

static void put_bugs(JsonWriter *w, const BugDensity *b)
{
	json_put_u64(w, "fixes", b->fixes);
	json_key(w, S("fixes_per_kloc_and_year"));
	if (b->density < 0)
		json_add_null(w);
	else
		json_add_real(w, b->density);
}

void history_put(JsonWriter *w, const HistoryFindings *f)
{
	json_begin_object(w);
	json_put_bool(w, "read", !f->history->why_not.len);
	if (f->history->why_not.len) {
		json_put_str(w, "why_not", f->history->why_not);
		json_end(w);
		return;
	}
	put_walk(w, f->history);
	put_hotspots(w, &f->hotspots);
	put_couplings(w, f);
	put_owners(w, f);
	put_bugs(w, &f->bugs);
	put_files(w, f->history);
	json_end(w);
}
