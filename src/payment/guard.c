/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking for card numbers. One in ten numbers of the right length passes Luhn's check by chance, so what begins as no card does is let
 * pass (times in milliseconds begin with 1, phone numbers with +), and so are digits that are part of a longer word: a hash, a UUID. */
#include "payment/guard.h"

#include "base/arena.h"

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

bool guard_has_card(Str text)
{
	size_t at = 0, from;

	return text.len >= CARD_LEAST && next_card(text, &at, &from);
}

bool guard_is_name(Str name)
{
	static const Str names[] = { S("cvc"),      S("cvv"),           S("cvv2"),
		                     S("cvc2"),     S("card_number"),   S("cardnumber"),
		                     S("card_cvc"), S("security_code"), S("track_data"),
		                     S("pin_block") };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq_nocase(name, names[i]))
			return true;
	return false;
}

static bool is_card_number(Str name, Str parent)
{
	return str_eq_nocase(name, S("number")) && str_eq_nocase(parent, S("card"));
}

static bool text_of(const Json *value, char number[24], Str *text)
{
	int64_t n;

	if (json_to_str(value, text))
		return true;
	if (!json_to_i64(value, &n) || n < 0)
		return false;
	*text = (Str){ number, 0 };
	for (int64_t left = n; left; left /= 10)
		text->len++;
	for (size_t i = text->len; i; i--, n /= 10)
		number[i - 1] = (char)('0' + n % 10);
	return true;
}

static bool look(const Json *value, Str parent, Str *where)
{
	char number[24];
	void *at = NULL;
	const Json *inner;
	Str name, text;

	if (text_of(value, number, &text) && guard_has_card(text)) {
		*where = parent;
		return true;
	}
	while (json_kind(value) == JSON_KIND_OBJECT && json_next(value, &at, &name, &inner)) {
		*where = guard_has_card(name) ? parent : name;
		if (guard_has_card(name) || guard_is_name(name) || is_card_number(name, parent) ||
		    look(inner, name, where))
			return true;
	}
	for (size_t i = 0; json_kind(value) == JSON_KIND_ARRAY && i < json_count(value); i++)
		if (look(json_at(value, i), parent, where))
			return true;
	return false;
}

bool guard_finds(const Json *value, Str *where)
{
	*where = (Str){ 0 };
	return look(value, S(""), where);
}

Str guard_hide(Arena *a, Str text)
{
	size_t at = 0, from, left;
	char *copy;

	if (!guard_has_card(text))
		return text;
	copy = arena_alloc_raw(a, text.len);
	__builtin_memcpy(copy, text.at, text.len);
	while (next_card(text, &at, &from)) {
		left = 4;
		for (size_t i = at; i > from; i--)
			if (is_digit(copy[i - 1]) && !left--) {
				copy[i - 1] = '*';
				left = 0;
			}
	}
	return (Str){ copy, text.len };
}
