/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of links share. */
#pragma once
#include "audit/links.h"
#include "audit/links_conf.h"
#include "audit/links_file.h"

/* A growing array on the heap: scratch that is gone when its maker is done. */
typedef struct Vec {
	void *at;
	uint32_t count, room;
} Vec;
void *vec_add(Vec *v, size_t each) RETURNS_NONNULL; /* zeroed */
void vec_fini(Vec *v);
/* A copy in the arena, of just the size. */
void *vec_keep(Arena *a, const Vec *v, size_t each) RETURNS_NONNULL;

/* Pairs of a hash and a number to a number, open addressing; for sets of many small things. */
typedef struct PairTable {
	struct PairSlot *slots;
	uint32_t count, room; /* room: a power of two, or 0 */
} PairTable;
/* The value's place; *fresh: it was not there, and is 0 now. Good until the next call. */
uint32_t *pair_at(PairTable *t, uint64_t hash, uint32_t number, bool *fresh) RETURNS_NONNULL;
const uint32_t *pair_find(const PairTable *t, uint64_t hash, uint32_t number); /* NULL: not there */
void pair_fini(PairTable *t);

/* Does a name fit: "get_*", "*_view", "Meta"? One * at most. */
bool name_fits(Str name, Str pattern);

/* --- the parts, in the order in which the step runs them; each fills its own part of Links ------------------------------------------- */

/* Names, edges, packages and circles: all that needs no rules. */
Links *links_graph(Arena *a, const LinksConf *conf, const Project *project) RETURNS_NONNULL;
/* Edges, what they carry, what is outside. */
void links_join(Arena *a, Links *links);
/* Folders, and edges between them. */
void links_packages(Arena *a, Links *links);
/* Circles. */
void links_cycles(Arena *a, Links *links);
/* Contracts of the configuration and of import-linter's files. */
Err *links_contracts(Arena *a, const LinksConf *conf, Links *links) MUST_USE;
/* What nobody uses. `words`: names that stand in other files than Python's (see links_words.c). */
typedef struct OtherWords {
	PairTable templates, entries, scripts; /* link_hash of each, 0 */
	bool cut;                              /* there were too many files */
} OtherWords;
void links_words(const Project *project, OtherWords *out);
void links_words_fini(OtherWords *words);
void links_dead(Arena *a, const LinksConf *conf, const OtherWords *words, Links *links);
/* The findings of all this. */
void links_findings(Arena *a, const LinksConf *conf, const Links *links, const Project *project,
                    Findings *out);

/* The edge between two modules; NULL. */
LinkEdge *links_edge(const Links *links, uint32_t from, uint32_t to);
const Project *links_project(const Links *links) RETURNS_NONNULL;
