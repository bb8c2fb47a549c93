/* SPDX-License-Identifier: Apache-2.0
 *
 * The history's step. Everything in it hangs on the walk; without one only CODEOWNERS can say something: which files it gives to nobody. */
#include "audit/history_step.h"

#include "audit/codeowners.h"
#include "audit/history_area.h"
#include "audit/history_kept.h"
#include "audit/history_smells.h"
#include "audit/szz.h"
#include "base/arena.h"

enum { SHOWN_AREAS = 3 };

static void read_history(Arena *a, const AuditRules *rules, History *out)
{
	*out = (History){ .why_not = S("--no-history") };
	if (rules->from)
		out->why_not = S("it is a commit's tree that was read");
	else if (!rules->no_history)
		history_read_kept(a, rules, out);
}

static const AreaHistory *area_history(Arena *a, const History *h, const Areas *areas)
{
	AreaHistory *out = ARENA_NEW(a, AreaHistory);

	history_areas(a, h, areas, out);
	return out;
}

static void judge_areas(Arena *a, const AuditRules *rules, Audit *audit)
{
	Areas areas = areas_of(a, &audit->project), groups = areas_grouped(a, rules->conf);

	audit->by_area = area_history(a, &audit->history, &areas);
	if (groups.count)
		audit->by_group = area_history(a, &audit->history, &groups);
}

Err *history_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	Szz *szz = rules->deep ? ARENA_NEW(a, Szz) : NULL;

	read_history(a, rules, &audit->history);
	history_judge(a, &audit->history, &audit->project, &audit->told);
	if (!rules->from)
		audit->codeowners = codeowners_read(a, audit);
	if (szz)
		szz_read(a, rules, audit, szz);
	audit->szz = szz;
	if (audit->history.why_not.len)
		return NULL;
	judge_areas(a, rules, audit);
	history_smells(a, audit);
	return NULL;
}

/* --- reports ------------------------------------------------------------------------------------------------------------------------------------------ */

static void screen_areas(FILE *out, const char *what, const AreaHistory *h)
{
	for (size_t i = 0; h && i < MIN(h->couplings.count, (size_t)SHOWN_AREAS); i++) {
		const Coupling *c = &h->couplings.at[i];

		if (!i)
			fprintf(out, "%s that change together:", what);
		fprintf(out, "%s %.*s and %.*s (%u %%)", i ? "," : "",
		        STR_ARG(h->sets.files[c->one].path), STR_ARG(h->sets.files[c->other].path),
		        c->degree);
	}
	if (h && h->couplings.count)
		fputc('\n', out);
}

static void screen_owners(FILE *out, const CodeOwners *c)
{
	size_t gone = 0, strangers = 0;

	for (size_t i = 0; i < c->count; i++) {
		gone += c->owners[i].gone;
		strangers += c->owners[i].known && !c->owners[i].gone && c->owners[i].of &&
		             !c->owners[i].changes;
	}
	fprintf(out,
	        "%.*s: %u of %u files of code have no owner; of %zu owners %zu are gone, %zu never changed what is theirs\n",
	        STR_ARG(c->path), c->without, c->files, c->count, gone, strangers);
}

void history_step_screen(FILE *out, const Audit *audit)
{
	screen_areas(out, "Folders", audit->by_area);
	screen_areas(out, "Groups", audit->by_group);
	if (audit->codeowners)
		screen_owners(out, audit->codeowners);
	if (audit->szz)
		szz_screen(out, audit->szz, &audit->history);
}

static void put_areas(JsonWriter *w, const char *key, const AreaHistory *h)
{
	json_key(w, str_of(key));
	if (h)
		history_areas_put(w, h);
	else
		json_add_null(w);
}

void history_step_put(JsonWriter *w, const Audit *audit)
{
	json_begin_object(w);
	put_areas(w, "areas", audit->by_area);
	put_areas(w, "groups", audit->by_group);
	json_key(w, S("codeowners"));
	if (audit->codeowners)
		codeowners_put(w, audit->codeowners);
	else
		json_add_null(w);
	json_key(w, S("szz"));
	if (audit->szz)
		szz_put(w, audit->szz, &audit->history);
	else
		json_add_null(w);
	json_end(w);
}
