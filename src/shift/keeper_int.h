/* SPDX-License-Identifier: Apache-2.0
 *
 * Between keeper.c (fibers, changes, the book), keeper_judge.c (what is done with verdicts), keeper_evidence.c (what gateways
 * tell each other) and keeper_known.c (the copy on disk). On loop 0, unless said otherwise. */
#pragma once
#include "shift/keeper.h"

Str keeper_run(void); /* this process, among those that share the book: "gw-1#1f0c..." */
const ShiftAllConf *keeper_conf(void); /* in force; borrowed, until the next park; NULL: none yet */
/* The book did not answer, or does again: said once. */
void keeper_say_book(const Err *err);

/* --- keeper_judge.c --- */

void keeper_look(Subject *s, Arena *a); /* acts at once, without the book; does not park */
/* What the book must know of it, or agree to first. Parks. */
Err *keeper_settle(Subject *s, Arena *a) MUST_USE;

/* --- keeper_evidence.c --- */

/* Own evidence goes to the book, that of others comes from it. Parks. */
Err *keeper_share(Arena *a) MUST_USE;
/* The book has lost it. */
void keeper_share_anew(Subject *s);
/* The run ends: its last word. Parks. */
void keeper_share_last(Arena *a);

/* --- keeper_known.c --- */

/* Whose copy: the file, and the URL of the book that it is of. Empty path: none is kept. */
void keeper_known_begin(Str path, Str url);
void keeper_known_met(void); /* the book itself has answered: nobody goes by the copy any more */
void keeper_known_end(void);
/* Reads it; subjects stand where it says, *key is what it says. False: there is none. Parks. */
bool keeper_known_load(Arena *a, SplitKey *key);
/* Writes it if something has changed since. key NULL: not known yet. Parks. */
void keeper_known_keep(Arena *a, const SplitKey *key);
