/* SPDX-License-Identifier: Apache-2.0
 *
 * What is compared, between the files of clones.h. */
#pragma once
#include "audit/clones.h"

enum {
	PIECE_BARRIER =
		1, /* nothing that is a clone goes over it: imports, literal tables, what is not Python */
	PIECE_UNIT = 2 /* the head of a function or class */
};
/* A statement, or the head of a compound one. */
typedef struct Piece {
	uint64_t shape;    /* of its tokens, names numbered as they come, literals by kind */
	uint32_t literals; /* a hash of their texts */
	uint32_t line, end_line;
	uint32_t
		names; /* where its names begin in FileTokens.names; they end where the next one's begin */
	uint16_t
		tokens; /* 0: there for the third time in a row; literals within a list, dictionary, set or tuple only up to PIECE_DISPLAY */
	uint16_t depth; /* columns that it is indented by */
	uint8_t flags;
} Piece;
enum { PIECE_DISPLAY = 10, PIECE_TABLE = 30, PIECE_NAMES = 64, PIECE_PERIOD = 6 };

typedef struct FileTokens {
	Piece *pieces;
	uint32_t *names; /* hashes of a piece's different names in the order of their first use */
	uint32_t piece_count, name_count;
	uint32_t tables, runs;
} FileTokens;

const FileTokens *tokens_of(const Project *p, size_t file) RETURNS_NONNULL;
static inline uint32_t piece_names(const FileTokens *f, uint32_t piece)
{
	uint32_t end = piece + 1 < f->piece_count ? f->pieces[piece + 1].names : f->name_count;

	return end - f->pieces[piece].names;
}

/* Texts over numbers of statements: what is repeated, where. `symbols` has count of them, all below `most`. Calls `found` once for every
 * repeat that cannot be made longer on both sides without losing a place: its length, and the places (in no order; borrowed). */
typedef void RepeatFound(void *arg, uint32_t length, const uint32_t *places, uint32_t count);
void repeats_find(const uint32_t *symbols, uint32_t count, uint32_t most, RepeatFound *found,
                  void *arg);

/* Do its places go on alike, but for a few statements? `from` has the piece that each begins with. */
void clones_add_drifts(Arena *a, const Project *p, CloneClass *class, const uint32_t *from,
                       uint32_t length);
void clones_add_findings(Arena *a, Clones *c, Audit *audit);
void clones_add_history(Clones *c, const Project *p, const History *h);
void clones_add_lines(Arena *a, Clones *c, const Project *p);
