/* SPDX-License-Identifier: Apache-2.0
 *
 * Classes of clones over all files.
 *
 * First a sieve: a window from every statement on, as short as it can be while it is worth the tokens asked for, is hashed; statements
 * in no window that occurs twice go away, and most do. The rest, with a separator wherever something was left out, is one row of numbers whose
 * repeats are found exactly (clones_repeats.c). A repeat is cut where it leaves the block that it began in, so that no clone is the end of one function and
 * the beginning of the next. The largest first: one whose places are all within larger ones is dropped. Last, names: statements are alike
 * when only names differ, and a class is kept when they differ consistently, but for a fifth (a forgotten one is what people look for).
 *
 * What comes for the third time in a row weighs nothing: tables written as statements, or as tiny functions, are no clones. */
#include "audit/clones.h"

#include "audit/clones_int.h"
#include "base/arena.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	SPOTS_MOST = 4 << 20, /* statements that are compared exactly */
	PLACES_MOST = 512,    /* of one repeat */
	WORK_MOST = 40 << 20, /* places looked at */
	LEADERS_MOST = 16,    /* classes that one repeat falls apart into by its names */
	SIEVE_LEAST = 1 << 16,
	SIEVE_MOST = 1 << 26,
	RUN_WALKED = 32, /* pieces of a run that weigh nothing */
	SEPARATOR = UINT32_MAX
};

typedef struct Spot {
	uint32_t file; /* SEPARATOR: none */
	uint32_t piece;
} Spot;

typedef struct Candidate {
	uint32_t length, weight;
	uint32_t count;
	uint32_t *places; /* spots, rising */
} Candidate;

/* Names of one side to those of the other. */
typedef struct NamePair {
	uint32_t one, other, round;
} NamePair;

typedef struct Search {
	Arena *out, *scratch;
	const ClonesConf *conf;
	const Project *p;
	Clones *clones;
	Spot *spots;
	uint32_t *weights; /* of all spots before */
	uint32_t *reach;   /* the end of the furthest clone over a spot */
	uint32_t count;
	Buf candidates; /* Candidate */
	Buf classes;    /* CloneClass */
	uint64_t work;
	NamePair *pairs;
	uint32_t pair_room, round;
} Search;

const FileTokens *tokens_of(const Project *p, size_t file)
{
	static const FileTokens none;
	const FileTokens *t = p->files[file].facts[FACTS_TOKENS];

	return t ? t : &none;
}

static const Piece *piece_at(const Search *s, uint32_t spot)
{
	return &tokens_of(s->p, s->spots[spot].file)->pieces[s->spots[spot].piece];
}

/* --- the sieve ----------------------------------------------------------------------------------------------------------------------- */

typedef struct Sieve {
	uint8_t *seen;
	uint64_t mask;
	uint32_t tokens;
	uint32_t *next; /* of the file looked at: the piece that a window goes on with */
} Sieve;

/* There may be a hundred thousand pieces in a row that weigh nothing: of more than RUN_WALKED, only the last are walked through. */
static void sieve_begin(const Sieve *sieve, const FileTokens *t)
{
	uint32_t run = 0;

	for (uint32_t i = t->piece_count; i-- > 0;) {
		bool light = !t->pieces[i].tokens && !(t->pieces[i].flags & PIECE_BARRIER);

		run = light ? run + 1 : 0;
		sieve->next[i] = run > RUN_WALKED ? i + run - RUN_WALKED : i + 1;
	}
}

/* The window from a statement on: after its last one, and its hash; 0: there is none, as for those that begin within a long run. */
static uint32_t window(const Sieve *sieve, const FileTokens *t, uint32_t from, uint64_t *hash)
{
	uint32_t weight = 0;

	*hash = 0;
	if (sieve->next[from] > from + 1)
		return 0;
	for (uint32_t i = from; i < t->piece_count; i = sieve->next[i]) {
		if (t->pieces[i].flags & PIECE_BARRIER)
			return 0;
		*hash = (*hash ^ t->pieces[i].shape) * UINT64_C(0xff51afd7ed558ccd);
		*hash ^= *hash >> 32;
		weight += t->pieces[i].tokens;
		if (weight >= sieve->tokens)
			return i + 1;
	}
	return 0;
}

static void sieve_fill(const Sieve *sieve, const Project *p)
{
	for (size_t f = 0; f < p->count; f++) {
		const FileTokens *t = tokens_of(p, f);

		sieve_begin(sieve, t);
		for (uint32_t i = 0; i < t->piece_count; i++) {
			uint64_t hash;

			if (window(sieve, t, i, &hash) && sieve->seen[hash & sieve->mask] < 2)
				sieve->seen[hash & sieve->mask]++;
		}
	}
}

static void add_spot(Search *s, Buf *spots, Spot spot)
{
	if (spots->len / sizeof(spot) >= SPOTS_MOST) {
		s->clones->cut = true;
		return;
	}
	buf_put(spots, (Str){ (const char *)&spot, sizeof(spot) });
}

static void sift_file(Search *s, const Sieve *sieve, uint32_t file, Buf *spots)
{
	const FileTokens *t = tokens_of(s->p, file);
	uint32_t alive = 0; /* up to here */
	bool open = false;

	sieve_begin(sieve, t);
	for (uint32_t i = 0; i < t->piece_count; i++) {
		uint64_t hash;
		uint32_t end = window(sieve, t, i, &hash);

		if (end && sieve->seen[hash & sieve->mask] > 1)
			alive = MAX(alive, end);
		if (i < alive)
			add_spot(s, spots, (Spot){ file, i });
		else if (open)
			add_spot(s, spots, (Spot){ SEPARATOR, 0 });
		open = i < alive;
	}
	if (open)
		add_spot(s, spots, (Spot){ SEPARATOR, 0 });
}

static void sift(Search *s, Buf *spots)
{
	uint64_t pieces = 0, room = SIEVE_LEAST;
	uint32_t longest = 0;
	Sieve sieve = { .tokens = MAX(s->conf->tokens, 1U) };

	for (size_t i = 0; i < s->p->count; i++) {
		const FileTokens *t = tokens_of(s->p, i);

		pieces += t->piece_count;
		longest = MAX(longest, t->piece_count);
		s->clones->tables += t->tables;
		s->clones->runs += t->runs;
	}
	while (room < 8 * pieces && room < SIEVE_MOST)
		room *= 2;
	sieve.mask = room - 1;
	sieve.seen = calloc(room, 1);
	sieve.next = calloc((size_t)longest + 1, sizeof(*sieve.next));
	if (!sieve.seen || !sieve.next)
		abort();
	sieve_fill(&sieve, s->p);
	for (uint32_t i = 0; i < s->p->count; i++)
		sift_file(s, &sieve, i, spots);
	free(sieve.next);
	free(sieve.seen);
}

/* --- numbers -------------------------------------------------------------------------------------------------------------------------- */

typedef struct Shaped {
	uint64_t shape;
	uint32_t spot;
} Shaped;

static int by_shape(const void *x, const void *y)
{
	const Shaped *p = x, *q = y;

	if (p->shape != q->shape)
		return p->shape < q->shape ? -1 : 1;
	return (p->spot > q->spot) - (p->spot < q->spot);
}

/* A number for each shape; separators and barriers have one of their own each. Gives how many there are. */
static uint32_t number(Search *s, uint32_t *symbols)
{
	Shaped *shaped = ARENA_ARRAY(s->scratch, Shaped, s->count + 1);
	uint32_t n = 0, numbers = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		const Spot *spot = &s->spots[i];

		s->weights[i + 1] = s->weights[i];
		if (spot->file == SEPARATOR)
			continue;
		s->weights[i + 1] += piece_at(s, i)->tokens;
		shaped[n++] = (Shaped){ piece_at(s, i)->shape, i };
	}
	qsort(shaped, n, sizeof(*shaped), by_shape);
	for (uint32_t i = 0; i < n; i++) {
		numbers += i && shaped[i].shape != shaped[i - 1].shape;
		symbols[shaped[i].spot] = numbers;
	}
	numbers += n != 0;
	for (uint32_t i = 0; i < s->count; i++)
		if (s->spots[i].file == SEPARATOR || piece_at(s, i)->flags & PIECE_BARRIER)
			symbols[i] = numbers++;
	return numbers;
}

/* --- repeats to candidates -------------------------------------------------------------------------------------------------------------- */

static int rising(const void *x, const void *y)
{
	const uint32_t *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

/* The places of a part of a repeat, those that overlap the one before left out. */
static void add_candidate(Search *s, const uint32_t *places, uint32_t count, uint32_t from,
                          uint32_t length)
{
	Candidate c = { .length = length,
		        .weight = s->weights[places[0] + from + length] -
		                  s->weights[places[0] + from] };

	if (c.weight < s->conf->tokens)
		return;
	c.places = arena_alloc_raw(s->scratch, count * sizeof(*c.places));
	for (uint32_t i = 0; i < count; i++)
		if (!c.count || places[i] + from >= c.places[c.count - 1] + length)
			c.places[c.count++] = places[i] + from;
	if (c.count > 1)
		buf_put(&s->candidates, (Str){ (const char *)&c, sizeof(c) });
}

/* What repeats itself overlaps itself: then one round of it is a candidate too. */
static void add_rounds(Search *s, const uint32_t *places, uint32_t count, uint32_t from,
                       uint32_t length)
{
	uint32_t round = length;

	for (uint32_t i = 1; i < count; i++)
		round = MIN(round, places[i] - places[i - 1]);
	add_candidate(s, places, count, from, length);
	if (round < length)
		add_candidate(s, places, count, from, round);
}

/* A repeat's end without the beginning of one more function, when that is only a small part of it. */
static uint32_t without_head(const Search *s, uint32_t place, uint32_t length)
{
	const FileTokens *t = tokens_of(s->p, s->spots[place].file);
	uint32_t first = s->spots[place].piece, next = first + length, last = length - 1;
	uint16_t depth = t->pieces[first].depth;

	while (last && t->pieces[first + last].depth > depth)
		last--;
	if (!last || !(t->pieces[first + last].flags & PIECE_UNIT))
		return length;
	if (next >= t->piece_count || t->pieces[next].depth <= depth)
		return length;
	return 2 * (s->weights[place + length] - s->weights[place + last]) < s->conf->tokens
	               ? last
	               : length;
}

/* Cut where what follows is less indented than its beginning. */
static void add_repeat(void *arg, uint32_t length, const uint32_t *found, uint32_t count)
{
	Search *s = arg;
	uint32_t places[PLACES_MOST];

	if (s->weights[found[0] + length] - s->weights[found[0]] < s->conf->tokens)
		return;
	s->clones->cut = s->clones->cut || count > PLACES_MOST || s->work > WORK_MOST;
	if (s->work > WORK_MOST)
		return;
	count = MIN(count, (uint32_t)PLACES_MOST);
	s->work += count + length;
	memcpy(places, found, count * sizeof(*places));
	qsort(places, count, sizeof(*places), rising);
	for (uint32_t from = 0, to; from < length; from = to) {
		uint16_t depth = piece_at(s, places[0] + from)->depth;

		for (to = from + 1; to < length && piece_at(s, places[0] + to)->depth >= depth;)
			to++;
		add_rounds(s, places, count, from, without_head(s, places[0] + from, to - from));
	}
}

static int largest_first(const void *x, const void *y)
{
	const Candidate *p = x, *q = y;

	if (p->weight != q->weight)
		return p->weight < q->weight ? 1 : -1;
	if (p->length != q->length)
		return p->length < q->length ? 1 : -1;
	if (p->count != q->count)
		return p->count < q->count ? 1 : -1;
	return (p->places[0] > q->places[0]) - (p->places[0] < q->places[0]);
}

/* --- names ------------------------------------------------------------------------------------------------------------------------------ */

typedef struct Likeness {
	uint32_t names, renamed; /* different ones */
	uint32_t uses, broken;   /* of names; called otherwise than before */
	bool exact;
} Likeness;

static NamePair *pair_of(Search *s, uint32_t name)
{
	uint32_t i = name & (s->pair_room - 1);

	while (s->pairs[i].round == s->round && s->pairs[i].one != name)
		i = (i + 1) & (s->pair_room - 1);
	return &s->pairs[i];
}

static void pairs_begin(Search *s, uint32_t names)
{
	uint32_t room = MAX(s->pair_room, 1024U);

	while (room < 2 * names)
		room *= 2;
	if (room > s->pair_room) {
		s->pairs = ARENA_ARRAY(s->scratch, NamePair, room);
		s->pair_room = room;
		s->round = 0;
	}
	s->round++;
}

static void compare_names(Search *s, const Spot *one, const Spot *other, Likeness *out)
{
	const FileTokens *t = tokens_of(s->p, one->file), *u = tokens_of(s->p, other->file);
	const uint32_t *x = t->names + t->pieces[one->piece].names,
		       *y = u->names + u->pieces[other->piece].names;
	uint32_t count = MIN(piece_names(t, one->piece), piece_names(u, other->piece));

	for (uint32_t i = 0; i < count; i++) {
		NamePair *pair = pair_of(s, x[i]);

		out->uses++;
		out->exact = out->exact && x[i] == y[i];
		if (pair->round == s->round) {
			out->broken += pair->other != y[i];
			continue;
		}
		*pair = (NamePair){ x[i], y[i], s->round };
		out->names++;
		out->renamed += x[i] != y[i];
	}
}

static uint32_t names_in(const Search *s, uint32_t spot, uint32_t length)
{
	uint32_t names = 0;

	for (uint32_t i = 0; i < length; i++)
		names += piece_names(tokens_of(s->p, s->spots[spot + i].file),
		                     s->spots[spot + i].piece);
	return names;
}

static Likeness likeness(Search *s, uint32_t one, uint32_t other, uint32_t length)
{
	Likeness out = { .exact = true };
	int indent = piece_at(s, one)->depth - piece_at(s, other)->depth;

	pairs_begin(s, names_in(s, one, length));
	for (uint32_t i = 0; i < length; i++) {
		const Piece *x = piece_at(s, one + i), *y = piece_at(s, other + i);

		out.exact =
			out.exact && x->literals == y->literals && x->depth - y->depth == indent;
		compare_names(s, &s->spots[one + i], &s->spots[other + i], &out);
	}
	return out;
}

/* --- classes ------------------------------------------------------------------------------------------------------------------------------ */

typedef struct Group {
	uint32_t leader;
	CloneClass class;
	uint32_t *places; /* spots */
} Group;

static Str unit_at(Arena *a, const AuditFile *file, uint32_t line, uint32_t end_line)
{
	const Measures *m = &file->measures;
	uint32_t in = UNIT_NONE;
	Str name = { 0 };

	for (uint32_t i = 0; i < m->unit_count && m->units[i].line <= line; i++)
		if (m->units[i].end_line >= end_line)
			in = i;
	for (; in != UNIT_NONE; in = m->units[in].parent)
		name = name.len ? str_fmt(a, "%.*s.%.*s", STR_ARG(m->units[in].name), STR_ARG(name))
		                : m->units[in].name;
	return name;
}

static ClonePlace place_at(Search *s, uint32_t spot, uint32_t length)
{
	ClonePlace place = { .file = s->spots[spot].file,
		             .line = piece_at(s, spot)->line,
		             .end_line = piece_at(s, spot + length - 1)->end_line };

	place.unit = unit_at(s->out, &s->p->files[place.file], place.line, place.end_line);
	return place;
}

/* Lines with code that is compared: neither docstrings nor comments. */
static bool long_enough(const Search *s, uint32_t spot, uint32_t length)
{
	uint32_t lines = 0, done = 0;

	for (uint32_t i = 0; i < length && lines < s->conf->lines; i++) {
		const Piece *p = piece_at(s, spot + i);

		if (p->end_line > done)
			lines += p->end_line - MAX(p->line - 1, done);
		done = MAX(done, p->end_line);
	}
	return lines >= s->conf->lines;
}

static bool joins(Search *s, const Candidate *c, Group *g, uint32_t place)
{
	Likeness like = likeness(s, g->leader, place, c->length);

	if (like.broken * 5 > like.uses)
		return false;
	if (like.renamed * 2 > like.names && c->weight < 2 * s->conf->tokens)
		return false;
	g->class.exact = g->class.exact && like.exact;
	g->class.names = like.names;
	g->class.renamed = MAX(g->class.renamed, like.renamed);
	g->places[g->class.count++] = place;
	return true;
}

static uint64_t content_print(const Search *s, uint32_t spot, uint32_t length)
{
	uint64_t hash = length;

	for (uint32_t i = 0; i < length; i++) {
		uint64_t shape = piece_at(s, spot + i)->shape;

		hash = hash_stable((Str){ (const char *)&shape, sizeof(shape) }, hash, 5);
	}
	return hash;
}

static void add_class(Search *s, const Candidate *c, Group *g)
{
	CloneClass *class = &g->class;

	class->at = ARENA_ARRAY(s->out, ClonePlace, class->count);
	class->tokens = c->weight;
	class->tests = true;
	for (uint32_t i = 0; i < class->count; i++) {
		class->at[i] = place_at(s, g->places[i], c->length);
		class->tests = class->tests && s->p->files[class->at[i].file].kind == SOURCE_TEST;
		for (uint32_t k = 0; k < c->length; k++)
			s->reach[g->places[i] + k] =
				MAX(s->reach[g->places[i] + k], g->places[i] + c->length);
	}
	class->lines = class->at[0].end_line - class->at[0].line + 1;
	class->print = content_print(s, g->leader, c->length);
	for (uint32_t i = 0; i < class->count; i++)
		g->places[i] = s->spots[g->places[i]].piece;
	clones_add_drifts(s->out, s->p, class, g->places, c->length);
	buf_put(&s->classes, (Str){ (const char *)class, sizeof(*class) });
}

static void add_candidate_classes(Search *s, const Candidate *c)
{
	Group groups[LEADERS_MOST] = { 0 };
	uint32_t count = 0, inside = 0;

	for (uint32_t i = 0; i < c->count; i++)
		inside += s->reach[c->places[i]] >= c->places[i] + c->length;
	if (inside == c->count)
		return;
	for (uint32_t i = 0; i < c->count; i++) {
		uint32_t place = c->places[i], k = 0;

		if (!long_enough(s, place, c->length))
			continue;
		while (k < count && !joins(s, c, &groups[k], place))
			k++;
		if (k < count || count == LEADERS_MOST)
			continue;
		groups[count].leader = place;
		groups[count].places = ARENA_ARRAY(s->scratch, uint32_t, c->count);
		groups[count].places[0] = place;
		groups[count++].class = (CloneClass){ .count = 1, .exact = true };
	}
	for (uint32_t i = 0; i < count; i++)
		if (groups[i].class.count > 1)
			add_class(s, c, &groups[i]);
}

static int most_surplus_first(const void *x, const void *y)
{
	const CloneClass *p = x, *q = y;
	uint64_t more = (uint64_t)(p->count - 1) * p->lines,
		 less = (uint64_t)(q->count - 1) * q->lines;

	if (more != less)
		return more < less ? 1 : -1;
	if (p->tokens != q->tokens)
		return p->tokens < q->tokens ? 1 : -1;
	if (p->at->file != q->at->file)
		return p->at->file < q->at->file ? -1 : 1;
	return (p->at->line > q->at->line) - (p->at->line < q->at->line);
}

static void search(Search *s)
{
	AUTO(buf_fini) Buf spots = { 0 };
	uint32_t *symbols, numbers;
	Candidate *candidates;
	size_t count;

	sift(s, &spots);
	s->spots = (Spot *)(void *)spots.at;
	s->count = (uint32_t)(spots.len / sizeof(Spot));
	s->weights = ARENA_ARRAY(s->scratch, uint32_t, s->count + 2);
	s->reach = ARENA_ARRAY(s->scratch, uint32_t, s->count + 1);
	symbols = ARENA_ARRAY(s->scratch, uint32_t, s->count + 1);
	numbers = number(s, symbols);
	repeats_find(symbols, s->count, numbers, add_repeat, s);
	candidates = (Candidate *)(void *)s->candidates.at;
	count = s->candidates.len / sizeof(*candidates);
	if (count)
		qsort(candidates, count, sizeof(*candidates), largest_first);
	for (size_t i = 0; i < count; i++)
		add_candidate_classes(s, &candidates[i]);
}

Clones *clones_find(Arena *a, const ClonesConf *conf, const Project *p, const History *h)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	Clones *c = ARENA_NEW(a, Clones);
	Search s = { .out = a, .scratch = scratch, .conf = conf, .p = p, .clones = c };

	c->conf = *conf;
	search(&s);
	c->count = s.classes.len / sizeof(*c->at);
	c->at = ARENA_ARRAY(a, CloneClass, c->count + 1);
	if (c->count) {
		memcpy(c->at, s.classes.at, s.classes.len);
		qsort(c->at, c->count, sizeof(*c->at), most_surplus_first);
	}
	buf_fini(&s.candidates);
	buf_fini(&s.classes);
	clones_add_lines(a, c, p);
	if (h && !h->why_not.len)
		clones_add_history(c, p, h);
	for (size_t i = 0; i < c->count; i++)
		c->drifted += c->at[i].drift_count != 0;
	return c;
}

static const ConfKey keys[] = {
	{ "tokens", CONF_UINT, AT(ClonesConf, tokens), .def = "50", .min = "10", .max = "100000",
	  .help = "how many tokens are alike at least",
	  .more = "Twice as many when more than half of the names differ. Imports and literal tables do not count, and of a list or dictionary only its first ten tokens." },
	{ "lines", CONF_UINT, AT(ClonesConf, lines), .def = "5", .min = "1", .max = "100000",
	  .help = "how many lines that is at least, at every place" },
	{ "tests", CONF_BOOL, AT(ClonesConf, tests), .def = "no",
	  .help = "clones that are all among tests are findings too" },
};

const ConfTable *clones_table(void)
{
	static const ConfTable table = { "clones", CONF_ROWS(ClonesConf, keys),
		                         .help = "what counts as the same code twice" };

	return &table;
}
