/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking for card numbers. One in ten numbers of the right length passes Luhn's check by chance, so what begins as no card does is let
 * pass (times in milliseconds begin with 1, phone numbers with +), and so are digits that are part of a longer word: a hash, a UUID. */
#include "base/card.h"

enum { CARD_LEAST = 13, CARD_MOST = 19 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* First two digits of the networks' ranges. */
static bool begins_as_cards(const char *digits)
{
	int two = (digits[0] - '0') * 10 + digits[1] - '0';

	return digits[0] == '4' || digits[0] == '5' || digits[0] == '6' ||
	       (two >= 22 && two <= 27) || two == 30 || (two >= 34 && two <= 39) || two == 81 ||
	       two == 82;
}

static bool luhn(const char *digits, size_t count)
{
	unsigned sum = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned n = (unsigned)(digits[count - 1 - i] - '0') << (i & 1);

		sum += n > 9 ? n - 9 : n;
	}
	return sum % 10 == 0;
}

/* A run of digits with single blanks or dashes between, from `at` on. Gives where it ends. */
static size_t run_of(Str text, size_t at, char digits[CARD_MOST + 1], size_t *count)
{
	*count = 0;
	for (; at < text.len; at++) {
		char c = text.at[at];

		if (is_digit(c)) {
			if (*count <= CARD_MOST)
				digits[(*count)++ % (CARD_MOST + 1)] = c;
		} else if ((c != ' ' && c != '-') || at + 1 == text.len ||
		           !is_digit(text.at[at + 1])) {
			break;
		}
	}
	return at;
}

/* The next one from *at on: [*from, *at). */
static bool next_card(Str text, size_t *at, size_t *from)
{
	char digits[CARD_MOST + 1];
	size_t count;

	while (*at < text.len) {
		bool inside = *at > 0 && is_word(text.at[*at - 1]);
		bool dashed = *at > 1 && text.at[*at - 1] == '-' && is_word(text.at[*at - 2]);

		if (!is_digit(text.at[*at])) {
			++*at;
			continue;
		}
		*from = *at;
		*at = run_of(text, *at, digits, &count);
		if (inside || dashed || (*at < text.len && is_word(text.at[*at])))
			continue;
		if (count >= CARD_LEAST && count <= CARD_MOST && begins_as_cards(digits) &&
		    luhn(digits, count))
			return true;
	}
	return false;
}

bool card_next(Str text, size_t *from, size_t *to)
{
	return text.len - MIN(*to, text.len) >= CARD_LEAST && next_card(text, to, from);
}

bool card_in(Str text)
{
	size_t from, to = 0;

	return card_next(text, &from, &to);
}
