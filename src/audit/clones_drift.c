/* SPDX-License-Identifier: Apache-2.0
 *
 * Clones that drifted apart: places that were the same further than they are now. Behind a class's end, or before its beginning, a few
 * statements of the first place or of another are passed over, and the two go on alike for DRIFT_TOKENS; within the same function. What was passed over is what was
 * done to the one and not to the other. */
#include "audit/clones_int.h"
#include "base/arena.h"

#include <string.h>

enum { DRIFT_GAP = 3, DRIFT_TOKENS = 20, DRIFT_PLACES = 8 };

/* One of two places that are followed. */
typedef struct Side {
	const FileTokens *t;
	uint32_t from, end; /* the clone */
	uint16_t floor;     /* what is less indented is not in its function */
} Side;

static Side side_of(const Project *p, const ClonePlace *place, uint32_t from, uint32_t length)
{
	Side s = { .t = tokens_of(p, place->file), .from = from, .end = from + length };

	s.floor = s.t->pieces[from].depth;
	for (uint32_t i = from; i < s.end; i++)
		if (s.t->pieces[i].flags & PIECE_UNIT)
			s.floor = (uint16_t)(s.t->pieces[i].depth + 1);
	return s;
}

/* The n-th piece behind the clone; NULL: its function has no more. */
static const Piece *behind(const Side *s, uint32_t n)
{
	const Piece *p = s->t->pieces + s->end + n;

	if (s->end + n >= s->t->piece_count || p->flags || p->depth < s->floor)
		return NULL;
	return p;
}

/* The n-th before it, from 0. */
static const Piece *before(const Side *s, uint32_t n)
{
	const Piece *p = s->t->pieces + s->from - 1 - n;

	if (n >= s->from || p->flags || s->t->pieces[s->from].flags & PIECE_UNIT)
		return NULL;
	return p;
}

typedef const Piece *Look(const Side *s, uint32_t n);

/* Tokens that are alike from these on; 0: not enough. */
static uint32_t alike(Look *look, const Side *x, const Side *y, uint32_t skip_x, uint32_t skip_y)
{
	uint32_t tokens = 0, n = 0;
	const Piece *p, *q;

	for (uint32_t i = 0; i < skip_x; i++)
		if (!look(x, i))
			return 0;
	for (uint32_t i = 0; i < skip_y; i++)
		if (!look(y, i))
			return 0;
	while ((p = look(x, skip_x + n)) && (q = look(y, skip_y + n)) && p->shape == q->shape) {
		tokens += p->tokens;
		n++;
	}
	return tokens >= DRIFT_TOKENS ? tokens : 0;
}

static void lines_of(Look *look, const Side *s, uint32_t skip, uint32_t *line, uint32_t *end_line)
{
	*line = *end_line = 0;
	for (uint32_t i = 0; i < skip; i++) {
		const Piece *p = look(s, i);

		*line = *line ? MIN(*line, p->line) : p->line;
		*end_line = MAX(*end_line, p->end_line);
	}
}

static bool drifted(Look *look, const Side *x, const Side *y, CloneDrift *out)
{
	for (uint32_t both = 1; both <= 2 * DRIFT_GAP; both++)
		for (uint32_t skip = both > DRIFT_GAP ? both - DRIFT_GAP : 0;
		     skip <= MIN(both, (uint32_t)DRIFT_GAP); skip++) {
			out->tokens = alike(look, x, y, skip, both - skip);
			if (!out->tokens)
				continue;
			lines_of(look, x, skip, &out->one_line, &out->one_end_line);
			lines_of(look, y, both - skip, &out->other_line, &out->other_end_line);
			return true;
		}
	return false;
}

static bool meet(uint32_t line, uint32_t end_line, const ClonePlace *place)
{
	return line && line <= place->end_line && place->line <= end_line;
}

/* Neighbours: two pieces of one function, or one is what was passed over of the other. */
static bool are_one(const CloneClass *class, const CloneDrift *d)
{
	const ClonePlace *one = &class->at[d->one], *other = &class->at[d->other];

	if (one->file != other->file)
		return false;
	return str_eq(one->unit, other->unit) || meet(d->one_line, d->one_end_line, other) ||
	       meet(d->other_line, d->other_end_line, one);
}

static uint32_t add_drift(Look *look, const CloneClass *class, const Side *first, const Side *other,
                          uint32_t place, CloneDrift *out)
{
	*out = (CloneDrift){ .other = place };
	return drifted(look, first, other, out) && !are_one(class, out);
}

void clones_add_drifts(Arena *a, const Project *p, CloneClass *class, const uint32_t *from,
                       uint32_t length)
{
	CloneDrift found[2 * DRIFT_PLACES];
	Side first = side_of(p, &class->at[0], from[0], length);
	uint32_t count = 0;

	for (uint32_t i = 1; i < MIN(class->count, (uint32_t)DRIFT_PLACES); i++) {
		Side other = side_of(p, &class->at[i], from[i], length);

		count += add_drift(behind, class, &first, &other, i, &found[count]);
		count += add_drift(before, class, &first, &other, i, &found[count]);
	}
	class->drift_count = count;
	if (count) {
		CloneDrift *drifts = ARENA_ARRAY(a, CloneDrift, count);

		memcpy(drifts, found, count * sizeof(*drifts));
		class->drifts = drifts;
	}
}
