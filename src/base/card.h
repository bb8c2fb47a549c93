/* SPDX-License-Identifier: Apache-2.0
 *
 * Card numbers in a text: for who must not keep or log any. 13 to 19 digits, alone or with single blanks or dashes between, that begin as
 * cards do and whose last one is right (Luhn, ISO/IEC 7812). Pure; any thread. */
#pragma once
#include "base/str.h"

bool card_in(Str text);
/* The next one from *to on (begin with 0): [*from, *to). */
bool card_next(Str text, size_t *from, size_t *to);
