/* SPDX-License-Identifier: Apache-2.0
 *
 * The forms that a write has in the book, and what a status says of it: pure. */
#pragma once
#include "http/message.h"
#include "shift/shadow.h"

/* "Name: value\n" for each. */
void dual_put_fields(Buf *b, const Headers *headers);
/* Views of the text; false: it is none. */
bool dual_read_fields(Arena *a, Str text, Headers *out) MUST_USE;
/* An answer as it is kept, and back; its body goes into a buffer of out's own. */
void dual_put_answer(Buf *b, const ShadowAnswer *answer);
bool dual_read_answer(Arena *a, Str text, ShadowAnswer *out) MUST_USE;

typedef enum DualFate {
	DUAL_TAKEN,   /* the side has done it */
	DUAL_REFUSED, /* it has not */
	DUAL_UNKNOWN, /* nobody knows */
} DualFate;
/* Of the side that was asked first, by its status. */
DualFate dual_fate_of(unsigned status);

typedef enum DualStep {
	DUAL_DONE,  /* the other side has it */
	DUAL_DIES,  /* it will never take it: a person looks */
	DUAL_AGAIN, /* later */
} DualStep;
DualStep dual_step_of(unsigned status); /* of the other side */
/* After so many tries: a quarter of a second, twice as long each time, a minute at most; up to a quarter less. */
int64_t dual_pause_us(int64_t tries, uint64_t chance);
/* Text as every book takes it: at most so many bytes, cut at a character; what is no UTF-8, or not printable, is a '?'. */
Str dual_text(Arena *a, Str text, size_t most);
