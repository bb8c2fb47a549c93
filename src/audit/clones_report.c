/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows from classes of clones: lines, findings, a few lines on the screen, JSON. And what git says of them: a change set that touches more than
 * one file of a class is one more change that had to be made twice; one that touches just one is one that perhaps was not. */
#include "audit/clones_int.h"

#include "audit/rules.h"
#include "audit/audit_conf.h"
#include "audit/smells.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"

#include <stdlib.h>

enum { TOGETHER_LEAST = 3, TOGETHER_PERCENT = 30, WORST = 3 };

enum { RULE_DUPLICATE, RULE_TOGETHER, RULE_DRIFTED };
static const FindingRule rules_[] = {
	[RULE_DUPLICATE] = { "PY801", "duplicate-code", FINDING_MAINTAIN, FINDING_WARNING,
	                     "the same code stands at several places",
	                     "What is mended at one place stays broken at the others, and whoever reads has to find out whether they differ. Make one function of "
	                     "it, with what differs as its arguments; where the places belong to different services to be, a copy can be the lesser evil: say so with an ignore.",
	                     0, 10 },
	[RULE_TOGETHER] = { "PY802", "clones-change-together", FINDING_ARCHITECTURE,
	                    FINDING_WARNING,
	                    "copies of the same code are changed together again and again",
	                    "These copies cost already: the history shows that a change of one is a change of the others. They are what to unite first. The minutes are for agreeing how; the work is duplicate-code's.",
	                    10, 0, .beside = true },
	[RULE_DRIFTED] = { "PY803", "clone-drifted", FINDING_BUG, FINDING_WARNING,
	                   "two copies of the same code differ in a few statements",
	                   "One of them was changed, and the other was not: either it was forgotten, or the difference has a reason that nobody can see. Compare them; mend the other, or make "
	                   "one function with an argument for the difference.",
	                   15, 0 },
};

const FindingRule *clones_rules(size_t *count)
{
	*count = COUNT(rules_);
	return rules_;
}

double clones_density(const CloneLines *lines)
{
	return lines->lines ? 100.0 * (double)lines->cloned / (double)lines->lines : 0;
}

/* --- lines ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct Stretch {
	uint32_t file, line, end_line;
	bool surplus; /* not the first place of its class */
} Stretch;

static int by_file_and_line(const void *x, const void *y)
{
	const Stretch *p = x, *q = y;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	return (p->line > q->line) - (p->line < q->line);
}

/* Lines of a file that any of its stretches has. */
static uint32_t lines_in(const Stretch *at, size_t count, bool surplus)
{
	uint32_t lines = 0, done = 0;

	for (size_t i = 0; i < count; i++) {
		if ((surplus && !at[i].surplus) || at[i].end_line <= done)
			continue;
		lines += at[i].end_line - MAX(at[i].line - 1, done);
		done = at[i].end_line;
	}
	return lines;
}

static Stretch *stretches_of(const Clones *c, size_t *count)
{
	Stretch *at;
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->at[i].count;
	at = calloc(n + 1, sizeof(*at));
	if (!at)
		abort();
	for (size_t i = *count = 0; i < c->count; i++)
		for (uint32_t k = 0; k < c->at[i].count; k++) {
			const ClonePlace *place = &c->at[i].at[k];

			at[(*count)++] =
				(Stretch){ place->file, place->line, place->end_line, k != 0 };
		}
	qsort(at, n, sizeof(*at), by_file_and_line);
	return at;
}

void clones_add_lines(Arena *a, Clones *c, const Project *p)
{
	size_t count, next = 0;
	Stretch *at = stretches_of(c, &count);

	c->cloned_lines = ARENA_ARRAY(a, uint32_t, p->count + 1);
	for (uint32_t i = 0; i < p->count; i++) {
		CloneLines *lines = p->files[i].kind == SOURCE_TEST ? &c->tests : &c->code;
		size_t from = next;

		while (next < count && at[next].file == i)
			next++;
		if (p->files[i].kind != SOURCE_CODE && p->files[i].kind != SOURCE_TEST)
			continue;
		c->files++;
		c->cloned_lines[i] = lines_in(at + from, next - from, false);
		lines->lines += p->files[i].measures.lines.loc;
		lines->cloned += c->cloned_lines[i];
		lines->surplus += lines_in(at + from, next - from, true);
	}
	free(at);
}

/* --- history ------------------------------------------------------------------------------------------------------------------------- */

typedef struct Touch {
	uint32_t file, set;
} Touch;

static int by_touched(const void *x, const void *y)
{
	const Touch *p = x, *q = y;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	return (p->set > q->set) - (p->set < q->set);
}

typedef struct Past {
	const History *h;
	Touch *touches; /* by file of the history */
	size_t touch_count;
	uint32_t *files;        /* of the project's: the history's, and 1; 0: none */
	uint32_t *round, *hits; /* of each set */
	uint32_t now;
	Buf sets; /* those that the class's files are in */
} Past;

static size_t first_touch(const Past *p, uint32_t file)
{
	size_t low = 0, high = p->touch_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->touches[middle].file < file)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void count_class(Past *p, CloneClass *class)
{
	const uint32_t *sets;

	p->now++;
	buf_clear(&p->sets);
	for (uint32_t i = 0; i < class->count; i++) {
		uint32_t file = p->files[class->at[i].file];

		if (!file || (i && class->at[i].file == class->at[i - 1].file))
			continue;
		for (size_t k = first_touch(p, file - 1);
		     k < p->touch_count && p->touches[k].file == file - 1; k++) {
			uint32_t set = p->touches[k].set;

			if (p->round[set] != p->now) {
				p->round[set] = p->now;
				p->hits[set] = 0;
				buf_put(&p->sets, (Str){ (const char *)&set, sizeof(set) });
			}
			p->hits[set]++;
		}
	}
	sets = (const uint32_t *)(const void *)p->sets.at;
	for (size_t i = 0; i < p->sets.len / sizeof(*sets); i++)
		*(p->hits[sets[i]] > 1 ? &class->together : &class->apart) += 1;
}

static void find_touches(Arena *a, Past *p, const Clones *c, const Project *project)
{
	const History *h = p->h;
	bool *wanted = ARENA_ARRAY(a, bool, h->file_count + 1);
	size_t room = 1;

	for (size_t i = 0; i < c->count; i++)
		for (uint32_t k = 0; k < c->at[i].count; k++) {
			uint32_t file = c->at[i].at[k].file;
			const HistoryFile *known = history_file(h, project->files[file].path);

			if (!known)
				continue;
			p->files[file] = (uint32_t)(known - h->files) + 1;
			wanted[known - h->files] = true;
		}
	for (size_t i = 0; i < h->set_count; i++)
		room += h->sets[i].count;
	p->touches = ARENA_ARRAY(a, Touch, room);
	for (size_t i = 0; i < h->set_count; i++)
		for (uint32_t k = 0; k < h->sets[i].count; k++)
			if (wanted[h->sets[i].files[k]])
				p->touches[p->touch_count++] =
					(Touch){ h->sets[i].files[k], (uint32_t)i };
	qsort(p->touches, p->touch_count, sizeof(*p->touches), by_touched);
}

static bool changes_together(const CloneClass *class)
{
	return class->together >= TOGETHER_LEAST &&
	       class->together * 100 >= TOGETHER_PERCENT * (class->together + class->apart);
}

void clones_add_history(Clones *c, const Project *p, const History *h)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	Past past = { .h = h };

	past.files = ARENA_ARRAY(scratch, uint32_t, p->count + 1);
	past.round = ARENA_ARRAY(scratch, uint32_t, h->set_count + 1);
	past.hits = ARENA_ARRAY(scratch, uint32_t, h->set_count + 1);
	find_touches(scratch, &past, c, p);
	for (size_t i = 0; i < c->count; i++) {
		count_class(&past, &c->at[i]);
		c->together += changes_together(&c->at[i]);
	}
	buf_fini(&past.sets);
}

/* --- findings -------------------------------------------------------------------------------------------------------------------------- */

static bool ignores(const FileSmells *facts, const FindingRule *rule, uint32_t line)
{
	for (uint32_t i = 0; facts && i < facts->ignore_count; i++) {
		const Ignore *ignore = &facts->ignores[i];

		if (ignore->nosec || (ignore->from && (line < ignore->from || line > ignore->to)))
			continue;
		for (uint32_t k = 0; k < ignore->rule_count; k++)
			if (str_eq_nocase(ignore->rules[k], str_of(rule->id)) ||
			    str_eq_nocase(ignore->rules[k], str_of(rule->name)))
				return true;
	}
	return false;
}

/* Where a class is told of: at its first place, or at the first where somebody wrote that it is meant so. */
static uint32_t place_of(const CloneClass *class, const Project *p, const FindingRule *rule)
{
	for (uint32_t i = 0; i < class->count; i++)
		if (ignores(p->files[class->at[i].file].facts[FACTS_SMELLS], rule,
		            class->at[i].line))
			return i;
	return 0;
}

/* The class's other files, each once. */
static void other_files(Arena *a, const CloneClass *class, const Project *p, uint32_t place,
                        Finding *f)
{
	Str *paths = ARENA_ARRAY(a, Str, class->count);

	for (uint32_t i = 0; i < class->count; i++)
		if (class->at[i].file != class->at[place].file &&
		    (!i || class->at[i].file != class->at[i - 1].file))
			paths[f->path_count++] = p->files[class->at[i].file].path;
	f->paths = paths;
}

/* Of the content alone: the files are the finding's own, and whoever compares findings looks at both. */
static uint64_t print_of(const FindingRule *rule, const CloneClass *class, const Finding *f)
{
	return finding_print(rule, f->path, (Str){ 0 },
	                     (Str){ (const char *)&class->print, sizeof(class->print) });
}

static Str places_text(Arena *a, const CloneClass *class, const Project *p, uint32_t place)
{
	AUTO(buf_fini) Buf b = { 0 };
	uint32_t told = 0;

	for (uint32_t i = 0; i < class->count && told < WORST; i++)
		if (i != place)
			buf_fmt(&b, "%s%.*s:%u-%u", told++ ? ", " : "",
			        STR_ARG(p->files[class->at[i].file].path), class->at[i].line,
			        class->at[i].end_line);
	if (class->count > WORST + 1)
		buf_fmt(&b, " and %u more", class->count - WORST - 1);
	return str_dup(a, buf_str(&b));
}

static void put_stretch(Buf *b, uint32_t line, uint32_t end_line, const char *where)
{
	if (line == end_line)
		buf_fmt(b, "line %u %s", line, where);
	else
		buf_fmt(b, "lines %u-%u %s", line, end_line, where);
}

static Str drift_text(Arena *a, const CloneDrift *d)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (d->one_line)
		put_stretch(&b, d->one_line, d->one_end_line, "here");
	if (d->one_line && d->other_line)
		buf_put(&b, S(" and "));
	if (d->other_line)
		put_stretch(&b, d->other_line, d->other_end_line, "there");
	return str_dup(a, buf_str(&b));
}

static void add_drifts(Arena *a, const CloneClass *class, Audit *audit)
{
	const Project *p = &audit->project;

	for (uint32_t i = 0; i < class->drift_count; i++) {
		const CloneDrift *d = &class->drifts[i];
		const ClonePlace *one = &class->at[d->one], *other = &class->at[d->other];
		Str path = p->files[other->file].path, *paths = ARENA_NEW(a, Str);
		Finding f = { .rule = &rules_[RULE_DRIFTED],
			      .path = p->files[one->file].path,
			      .line = d->one_line ? d->one_line : one->line,
			      .end_line = d->one_line ? d->one_end_line : one->end_line,
			      .unit = one->unit,
			      .paths = paths,
			      .path_count = one->file != other->file };

		*paths = path;
		f.text = str_fmt(
			a, "%.*s:%u-%u is a copy of lines %u-%u, and they go on alike but for %.*s",
			STR_ARG(path), other->line, other->end_line, one->line, one->end_line,
			STR_ARG(drift_text(a, d)));
		f.print = print_of(f.rule, class, &f) + i;
		finding_add(a, &audit->findings, &f);
	}
}

static Finding finding_at(Arena *a, const CloneClass *class, const Project *p,
                          const FindingRule *rule)
{
	uint32_t place = place_of(class, p, rule);
	const ClonePlace *at = &class->at[place];
	Finding f = { .rule = rule,
		      .path = p->files[at->file].path,
		      .line = at->line,
		      .end_line = at->end_line,
		      .unit = at->unit,
		      .amount = class->count,
		      .text = places_text(a, class, p, place) };

	other_files(a, class, p, place, &f);
	f.print = print_of(rule, class, &f);
	return f;
}

static void add_together(Arena *a, const CloneClass *class, Audit *audit)
{
	Finding f = finding_at(a, class, &audit->project, &rules_[RULE_TOGETHER]);

	f.text = str_fmt(
		a,
		"%u changes touched several of the files with these %u copies, %u just one: here and in %.*s",
		class->together, class->count, class->apart, STR_ARG(f.text));
	finding_add(a, &audit->findings, &f);
}

static void add_class(Arena *a, CloneClass *class, const Clones *c, Audit *audit)
{
	const Project *p = &audit->project;
	Finding f = finding_at(a, class, p, &rules_[RULE_DUPLICATE]);

	if (class->tests && !c->conf.tests) {
		class->print = f.print;
		return;
	}
	f.text = str_fmt(a, "%u lines (%u tokens) stand at %u places%s: here and in %.*s",
	                 class->lines, class->tokens, class->count,
	                 class->exact     ? ""
	                 : class->renamed ? " with other names"
	                                  : " with other literals",
	                 STR_ARG(f.text));
	finding_add(a, &audit->findings, &f);
	if (changes_together(class))
		add_together(a, class, audit);
	add_drifts(a, class, audit);
	class->print = f.print;
}

void clones_add_findings(Arena *a, Clones *c, Audit *audit)
{
	for (size_t i = 0; i < c->count; i++)
		add_class(a, &c->at[i], c, audit);
}

Err *clones_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	Clones *c = clones_find(a, audit_section(rules, clones_table()), &audit->project,
	                        &audit->history);

	clones_add_findings(a, c, audit);
	audit->clones = c;
	return NULL;
}

/* --- reports --------------------------------------------------------------------------------------------------------------------------- */

void clones_screen(FILE *out, const Clones *c, const Audit *audit)
{
	const Project *p = &audit->project;

	fprintf(out, "\nClones: %zu classes of %u tokens or more; %.1f %% of the code's lines",
	        c->count, c->conf.tokens, clones_density(&c->code));
	if (c->tests.lines)
		fprintf(out, ", %.1f %% of the tests'", clones_density(&c->tests));
	fprintf(out, "; %u change together, %u drifted apart%s\n", c->together, c->drifted,
	        c->cut ? " (too many to find all)" : "");
	for (size_t i = 0, shown = 0; i < c->count && shown < WORST; i++) {
		const CloneClass *class = &c->at[i];
		const ClonePlace *x = &class->at[0], *y = &class->at[1];

		if (class->tests)
			continue;
		fprintf(out, "  %4u lines x %u  %.*s:%u  %.*s:%u%s\n", class->lines, class->count,
		        STR_ARG(p->files[x->file].path), x->line, STR_ARG(p->files[y->file].path),
		        y->line, class->count > 2 ? " ..." : "");
		shown++;
	}
}

static void put_lines(JsonWriter *w, const char *key, const CloneLines *lines)
{
	json_key(w, str_of(key));
	json_begin_object(w);
	json_put_u64(w, "lines", lines->lines);
	json_put_u64(w, "cloned", lines->cloned);
	json_put_u64(w, "surplus", lines->surplus);
	json_put_real(w, "percent", clones_density(lines));
	json_end(w);
}

static void put_range(JsonWriter *w, const char *key, uint32_t line, uint32_t end_line)
{
	json_key(w, str_of(key));
	if (!line) {
		json_add_null(w);
		return;
	}
	json_begin_array(w);
	json_add_u64(w, line);
	json_add_u64(w, end_line);
	json_end(w);
}

static void put_places(JsonWriter *w, const CloneClass *class, const Project *p)
{
	json_key(w, S("places"));
	json_begin_array(w);
	for (uint32_t i = 0; i < class->count; i++) {
		const ClonePlace *place = &class->at[i];

		json_begin_object(w);
		json_put_str(w, "path", p->files[place->file].path);
		json_put_u64(w, "line", place->line);
		json_put_u64(w, "end_line", place->end_line);
		json_put_str(w, "unit", place->unit);
		json_end(w);
	}
	json_end(w);
	json_key(w, S("drifts"));
	json_begin_array(w);
	for (uint32_t i = 0; i < class->drift_count; i++) {
		const CloneDrift *d = &class->drifts[i];

		json_begin_object(w);
		json_put_u64(w, "one", d->one);
		json_put_u64(w, "other", d->other);
		put_range(w, "one_lines", d->one_line, d->one_end_line);
		put_range(w, "other_lines", d->other_line, d->other_end_line);
		json_put_u64(w, "tokens", d->tokens);
		json_end(w);
	}
	json_end(w);
}

static void put_class(JsonWriter *w, const CloneClass *class, const Project *p)
{
	char hex[16];

	str_put_hex(hex, class->print, sizeof(hex));
	json_begin_object(w);
	json_put_str(w, "print", (Str){ hex, sizeof(hex) });
	json_put_u64(w, "tokens", class->tokens);
	json_put_u64(w, "lines", class->lines);
	json_put_bool(w, "exact", class->exact);
	json_put_bool(w, "tests", class->tests);
	json_put_u64(w, "names", class->names);
	json_put_u64(w, "renamed", class->renamed);
	json_put_u64(w, "changed_together", class->together);
	json_put_u64(w, "changed_apart", class->apart);
	put_places(w, class, p);
	json_end(w);
}

void clones_put(JsonWriter *w, const Clones *c, const Project *p)
{
	json_begin_object(w);
	json_put_u64(w, "tokens", c->conf.tokens);
	json_put_u64(w, "lines", c->conf.lines);
	json_put_u64(w, "files", c->files);
	put_lines(w, "code", &c->code);
	put_lines(w, "tests", &c->tests);
	json_put_u64(w, "together", c->together);
	json_put_u64(w, "drifted", c->drifted);
	json_put_bool(w, "cut", c->cut);
	json_key(w, S("classes"));
	json_begin_array(w);
	for (size_t i = 0; i < MIN(c->count, (size_t)CLONES_SHOWN); i++)
		put_class(w, &c->at[i], p);
	json_end(w);
	json_end(w);
}
