/* SPDX-License-Identifier: Apache-2.0
 *
 * Data clumps: the same few arguments in many functions. Every choice of clump_size names out of a function's first NAMES_MOST is counted;
 * choices that are in the same functions are one clump, with all their names. Functions of one name count once: a method that is overridden
 * in twenty classes has its arguments from one place, the first. Names that too few functions have are left out before (counted in a table of hashes:
 * two names in one slot only mean that more is looked at). No more than CHOICES_MOST choices are kept, by files in order. */
#include "audit/smells_int.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum {
	NAMES_MOST = 9,
	CHOICES_MOST = 1500000,
	SEEN_SLOTS = 1 << 19,
	SIZE_LEAST = 3,
	SIZE_MOST = 6,
	PLACES_SHOWN = 20
};

/* One choice of one function. */
typedef struct Choice {
	uint64_t names;    /* hash of them */
	uint64_t function; /* hash of its own name */
	uint32_t file, signature;
	uint32_t picked; /* bits: which of the names */
} Choice;

typedef struct Choices {
	Choice *at;
	size_t count, room;
} Choices;

static void choices_fini(Choices *c)
{
	free(c->at);
}

static bool add(Choices *c, Choice choice)
{
	if (c->count == CHOICES_MOST)
		return false;
	if (c->count == c->room) {
		c->room = MAX((size_t)1024, 2 * c->room);
		c->at = realloc(c->at, c->room * sizeof(*c->at));
		if (!c->at)
			abort();
	}
	c->at[c->count++] = choice;
	return true;
}

static Str own_name(Str unit)
{
	ptrdiff_t dot = str_rfind_char(unit, '.');

	return dot < 0 ? unit : str_sub(unit, (size_t)dot + 1, unit.len);
}

/* In how many functions a name is, or more. */
static uint32_t *seen_slot(uint32_t *seen, Str name)
{
	return &seen[name_hash(name) % SEEN_SLOTS];
}

static void add_choices(Choices *c, const Judge *j, uint32_t size, uint32_t *seen,
                        const SmellSignature *s, Choice choice)
{
	uint32_t names = 0, at[NAMES_MOST];
	uint64_t hashes[NAMES_MOST];

	for (uint32_t i = 0; i < s->name_count && i < 32 && names < NAMES_MOST; i++)
		if (*seen_slot(seen, s->names[i]) >= j->conf->clump_places) {
			hashes[names] = name_hash(s->names[i]);
			at[names++] = i;
		}
	if (names < size)
		return;
	choice.function = name_hash(own_name(s->unit));
	for (uint32_t picked = 0; picked < 1U << names; picked++) {
		if ((uint32_t)__builtin_popcount(picked) != size)
			continue;
		choice.picked = 0;
		choice.names = 0;
		for (uint32_t i = 0; i < names; i++)
			if (picked >> i & 1) {
				choice.picked |= 1U << at[i];
				choice.names = (choice.names ^ hashes[i]) * 0x9e3779b97f4a7c15;
			}
		if (!add(c, choice))
			return;
	}
}

static int by_names(const void *x, const void *y)
{
	const Choice *p = x, *q = y;

	if (p->names != q->names)
		return p->names < q->names ? -1 : 1;
	if (p->function != q->function)
		return p->function < q->function ? -1 : 1;
	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	return (p->signature > q->signature) - (p->signature < q->signature);
}

static int by_place(const void *x, const void *y)
{
	const Choice *p = x, *q = y;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	return (p->signature > q->signature) - (p->signature < q->signature);
}

/* Choices that are in the same functions: [from, count) of `kept`, one row a function. */
typedef struct Clump {
	uint64_t places; /* hash of the functions */
	uint32_t picked; /* of the first function's names */
	size_t from, count;
} Clump;

typedef struct Clumps {
	Arena *a;
	Clump *at;
	size_t count, room;
	Choice *kept;
	size_t kept_count;
} Clumps;

/* One function of each name, in the order of places. */
static size_t take_places(const Choice *at, size_t count, Choice *out)
{
	size_t taken = 0;
	uint64_t last = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t function = at[i].function;

		if (!i || function != last)
			out[taken++] = at[i];
		last = function;
	}
	qsort(out, taken, sizeof(*out), by_place);
	return taken;
}

static void take_run(const Judge *j, Clumps *c, const Choice *at, size_t count)
{
	Choice *out = c->kept + c->kept_count;
	size_t taken = take_places(at, count, out);
	uint64_t places = 0;
	Clump *more;

	if (taken < j->conf->clump_places)
		return;
	for (size_t i = 0; i < taken; i++)
		places = (places ^ ((uint64_t)out[i].file << 32 | out[i].signature)) *
		         0x9e3779b97f4a7c15;
	if (c->count == c->room) {
		c->room = MAX((size_t)64, 2 * c->room);
		more = ARENA_ARRAY(c->a, Clump, c->room);
		if (c->count)
			memcpy(more, c->at, c->count * sizeof(*more));
		c->at = more;
	}
	c->at[c->count++] = (Clump){ places, out[0].picked, c->kept_count, taken };
	c->kept_count += taken;
}

static int by_places(const void *x, const void *y)
{
	const Clump *p = x, *q = y;

	if (p->places != q->places)
		return p->places < q->places ? -1 : 1;
	return (p->from > q->from) - (p->from < q->from);
}

static const SmellSignature *signature_of(const Judge *j, const Choice *c, const AuditFile **file)
{
	const FileSmells *facts;

	*file = &j->audit->project.files[c->file];
	facts = (*file)->facts[FACTS_SMELLS];
	return &facts->signatures[c->signature];
}

static Str names_text(const Judge *j, const SmellSignature *s, uint32_t picked)
{
	Str text = S("");

	for (uint32_t i = 0; i < s->name_count && i < 32; i++)
		if (picked >> i & 1)
			text = str_fmt(j->a, "%.*s%s%.*s", STR_ARG(text), text.len ? ", " : "",
			               STR_ARG(s->names[i]));
	return text;
}

static void add_clump(const Judge *j, const Clumps *c, const Clump *clump, uint32_t picked)
{
	const AuditFile *file, *other;
	const Choice *places = c->kept + clump->from;
	const SmellSignature *first = signature_of(j, &places[0], &file);
	size_t shown = MIN(clump->count, (size_t)PLACES_SHOWN), count = 0;
	Str *paths = ARENA_ARRAY(j->a, Str, shown), names = names_text(j, first, picked);

	for (size_t i = 1; i < clump->count && count < shown; i++) {
		signature_of(j, &places[i], &other);
		if (other != file && (!count || !str_eq(paths[count - 1], other->path)))
			paths[count++] = other->path;
	}
	smells_judge_add(j, SMELL_DATA_CLUMP, file,
	                 &(Finding){ .line = first->line,
	                             .end_line = first->line,
	                             .unit = first->unit,
	                             .amount = (double)clump->count,
	                             .text = str_fmt(j->a,
	                                             "%.*s travel together through %zu functions",
	                                             STR_ARG(names), clump->count),
	                             .paths = paths,
	                             .path_count = count,
	                             .print = finding_print(smell_rule(SMELL_DATA_CLUMP),
	                                                    file->path, S(""), names) });
}

static int by_many(const void *x, const void *y)
{
	const Clump *p = x, *q = y;

	if (p->count != q->count)
		return p->count < q->count ? 1 : -1;
	return (p->from > q->from) - (p->from < q->from);
}

/* Clumps of the same functions become one; then a function starts one clump at most, the one with most functions. */
static size_t merge(Clump *at, size_t count)
{
	size_t kept = 0;

	if (!count)
		return 0;
	qsort(at, count, sizeof(*at), by_places);
	for (size_t i = 0; i < count; i++) {
		if (kept && at[kept - 1].places == at[i].places)
			at[kept - 1].picked |= at[i].picked;
		else
			at[kept++] = at[i];
	}
	qsort(at, kept, sizeof(*at), by_many);
	return kept;
}

static void report(const Judge *j, Clumps *c)
{
	size_t count = merge(c->at, c->count), signatures = 0, *first;
	bool *taken;

	first = ARENA_ARRAY(c->a, size_t, j->audit->project.count + 1);
	for (size_t i = 0; i < j->audit->project.count; i++) {
		const FileSmells *facts = j->audit->project.files[i].facts[FACTS_SMELLS];

		first[i] = signatures;
		signatures += facts ? facts->signature_count : 0;
	}
	taken = ARENA_ARRAY(c->a, bool, signatures + 1);
	for (size_t i = 0; i < count; i++) {
		const Choice *places = c->kept + c->at[i].from;
		size_t free_ones = 0;

		for (size_t k = 0; k < c->at[i].count; k++)
			free_ones += !taken[first[places[k].file] + places[k].signature];
		if (free_ones < j->conf->clump_places)
			continue;
		for (size_t k = 0; k < c->at[i].count; k++)
			taken[first[places[k].file] + places[k].signature] = true;
		add_clump(j, c, &c->at[i], c->at[i].picked);
	}
}

static void count_names(const Judge *j, uint32_t *seen)
{
	for (size_t i = 0; i < j->audit->project.count; i++) {
		const FileSmells *facts = j->audit->project.files[i].facts[FACTS_SMELLS];

		for (uint32_t k = 0; facts && k < facts->signature_count; k++)
			for (uint32_t n = 0; n < facts->signatures[k].name_count; n++)
				++*seen_slot(seen, facts->signatures[k].names[n]);
	}
}

static void choose(const Judge *j, Arena *scratch, Choices *choices)
{
	uint32_t size = MIN(MAX(j->conf->clump_size, (uint32_t)SIZE_LEAST), (uint32_t)SIZE_MOST);
	uint32_t *seen = ARENA_ARRAY(scratch, uint32_t, SEEN_SLOTS);

	count_names(j, seen);
	for (size_t i = 0; i < j->audit->project.count; i++) {
		const FileSmells *facts = j->audit->project.files[i].facts[FACTS_SMELLS];

		for (uint32_t k = 0; facts && k < facts->signature_count; k++)
			if (facts->signatures[k].name_count >= size)
				add_choices(choices, j, size, seen, &facts->signatures[k],
				            (Choice){ .file = (uint32_t)i, .signature = k });
	}
}

void clumps_judge(const Judge *j)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	AUTO(choices_fini) Choices choices = { 0 };
	Clumps clumps = { .a = scratch };
	size_t from = 0;

	choose(j, scratch, &choices);
	if (!choices.count)
		return;
	qsort(choices.at, choices.count, sizeof(*choices.at), by_names);
	/* What is kept of a run is no longer than the run, so it goes to the front of the same rows. */
	clumps.kept = choices.at;
	for (size_t i = 1; i <= choices.count; i++) {
		if (i < choices.count && choices.at[i].names == choices.at[from].names)
			continue;
		take_run(j, &clumps, choices.at + from, i - from);
		from = i;
	}
	report(j, &clumps);
}
