/* SPDX-License-Identifier: Apache-2.0
 *
 * Card numbers and their check codes never come in here: a browser gives them to the provider and gets a token (PCI DSS, SAQ A).
 * Whatever text looks like one is refused before anything keeps, tells or logs it. Pure; any thread. */
#pragma once
#include "base/json.h"

/* Is there a card number in it: 13 to 19 digits, alone or with single blanks or dashes between, that begin as cards do and whose last one
 * is right (Luhn, ISO/IEC 7812)? */
bool guard_has_card(Str text);
/* Is it the name of what nobody may send: "cvc", "number" of a card? */
bool guard_is_name(Str name);
/* Looks at every text and number and every name in a value. *where: the name under which it stands. */
bool guard_finds(const Json *value, Str *where);
/* The same text with the digits of card numbers starred but for the last four, for a log. */
Str guard_hide(Arena *a, Str text);
