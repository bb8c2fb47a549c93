/* SPDX-License-Identifier: Apache-2.0
 *
 * Two states of a code base, for people: a line a finding, the rule by id and name, the sentence with its figures, the minutes. */
#include "audit/delta.h"

#include "base/arena.h"
#include "base/json.h"

static void put_text(JsonWriter *w, const char *key, Str text)
{
	if (text.len)
		json_put_str(w, key, text);
}

static void put_number(JsonWriter *w, const char *key, uint64_t n)
{
	if (n)
		json_put_u64(w, key, n);
}

static void put_members(JsonWriter *w, const Finding *f)
{
	char print[16];

	str_put_hex(print, baseline_print(f), sizeof(print));
	json_put_str(w, "rule", str_of(f->rule->id));
	json_put_str(w, "name", str_of(f->rule->name));
	json_put_str(w, "class", str_of(finding_class_name(f->rule->class)));
	json_put_str(w, "level", str_of(finding_level_name(f->rule->level)));
	put_text(w, "path", f->path);
	put_number(w, "line", f->line);
	put_number(w, "end_line", f->end_line);
	put_text(w, "unit", f->unit);
	json_put_str(w, "text", f->text);
	json_put_real(w, "minutes", finding_minutes(f));
	json_put_str(w, "print", (Str){ print, sizeof(print) });
	put_text(w, "ignored", f->ignored_why);
	if (!f->path_count)
		return;
	json_key(w, S("paths"));
	json_begin_array(w);
	for (size_t i = 0; i < f->path_count; i++)
		json_add_str(w, f->paths[i]);
	json_end(w);
}

Str finding_place(Arena *a, const Finding *f)
{
	if (!f->path.len)
		return S("(the project)");
	return f->line ? str_fmt(a, "%.*s:%u", STR_ARG(f->path), f->line) : f->path;
}

/* --- the screen ---------------------------------------------------------------------------------------------------------------------------------- */

static void screen_fresh(FILE *out, Arena *a, const Fresh *fresh)
{
	const Finding *f = fresh->finding;

	fprintf(out, "  %.*s: %s: %s %s: %.*s", STR_ARG(finding_place(a, f)),
	        finding_level_name(f->rule->level), f->rule->id, f->rule->name, STR_ARG(f->text));
	if (f->unit.len && str_find(f->text, f->unit) < 0)
		fprintf(out, " (%.*s)", STR_ARG(f->unit));
	if (!str_eq(fresh->path, f->path))
		fprintf(out, "; new in %.*s", STR_ARG(fresh->path));
	fprintf(out, ", %.0f min\n", finding_minutes(f));
}

static void screen_more(FILE *out, size_t count, size_t most)
{
	if (count > most)
		fprintf(out, "  and %zu more\n", count - most);
}

void delta_screen(FILE *out, Arena *a, const Delta *d, size_t most)
{
	if (d->fresh_count)
		fprintf(out, "%zu new finding%s:\n", d->fresh_count,
		        d->fresh_count == 1 ? "" : "s");
	for (size_t i = 0; i < MIN(d->fresh_count, most); i++)
		screen_fresh(out, a, &d->fresh[i]);
	screen_more(out, d->fresh_count, most);
	if (d->grown_count)
		fprintf(out, "%zu that were there take longer to mend now:\n", d->grown_count);
	for (size_t i = 0; i < MIN(d->grown_count, most); i++) {
		const Grown *g = &d->grown[i];

		fprintf(out, "  %.*s: %s %s: %.*s, %.0f min (it was %.0f)\n",
		        STR_ARG(finding_place(a, g->finding)), g->finding->rule->id,
		        g->finding->rule->name, STR_ARG(g->finding->text), g->now, g->before);
	}
	screen_more(out, d->grown_count, most);
	if (d->gone_count)
		fprintf(out, "%zu mended:\n", d->fixed);
	for (size_t i = 0; i < MIN(d->gone_count, most); i++) {
		const Gone *g = &d->gone[i];

		fprintf(out, "  %.*s: %.*s %.*s",
		        STR_ARG(g->path.len ? g->path : S("(the project)")), STR_ARG(g->row->rule),
		        STR_ARG(g->row->name));
		fprintf(out, g->count > 1 ? " (%u times)\n" : "\n", g->count);
	}
	screen_more(out, d->gone_count, most);
	fprintf(out, "%zu as before", d->same);
	fprintf(out, d->moved ? ", %zu of them in another file\n" : "\n", d->moved);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------------------------------------- */

static void put_fresh(JsonWriter *w, const Fresh *fresh)
{
	json_begin_object(w);
	put_members(w, fresh->finding);
	if (!str_eq(fresh->path, fresh->finding->path))
		json_put_str(w, "new_in", fresh->path);
	json_end(w);
}

static void put_grown(JsonWriter *w, const Grown *g)
{
	json_begin_object(w);
	json_put_str(w, "rule", str_of(g->finding->rule->id));
	json_put_str(w, "name", str_of(g->finding->rule->name));
	put_text(w, "path", g->finding->path);
	put_number(w, "line", g->finding->line);
	json_put_real(w, "before", g->before);
	json_put_real(w, "now", g->now);
	json_end(w);
}

static void put_gone(JsonWriter *w, const Gone *g)
{
	json_begin_object(w);
	json_put_str(w, "rule", g->row->rule);
	json_put_str(w, "name", g->row->name);
	put_text(w, "path", g->path);
	json_put_u64(w, "count", g->count);
	json_end(w);
}

void delta_put(JsonWriter *w, const Delta *d)
{
	json_key(w, S("new"));
	json_begin_array(w);
	for (size_t i = 0; i < d->fresh_count; i++)
		put_fresh(w, &d->fresh[i]);
	json_end(w);
	json_key(w, S("grown"));
	json_begin_array(w);
	for (size_t i = 0; i < d->grown_count; i++)
		put_grown(w, &d->grown[i]);
	json_end(w);
	json_key(w, S("fixed"));
	json_begin_array(w);
	for (size_t i = 0; i < d->gone_count; i++)
		put_gone(w, &d->gone[i]);
	json_end(w);
	json_put_u64(w, "fixed_count", d->fixed);
	json_put_u64(w, "moved", d->moved);
	json_put_u64(w, "same", d->same);
}
