/* SPDX-License-Identifier: Apache-2.0
 *
 * Card numbers in a text: for who must not keep or log any. 13 to 19 digits that begin as cards do and whose last one is right (Luhn,
 * ISO/IEC 7812): alone, with single blanks or dashes between, or in groups as they are printed, whatever stands beside them. Digits and
 * blanks are those of UTF-8. Pure; any thread. */
#pragma once
#include "base/str.h"

bool card_in(Str text);
/* The bytes of the digit at `at`, in any script whose digits are known here, and which one it is; 0: it is none. */
size_t card_digit(Str text, size_t at, char *digit);
/* The next one from *to on (begin with 0): [*from, *to). */
bool card_next(Str text, size_t *from, size_t *to);
