/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking through what was sent for card numbers (base/card.h) and for what goes with them: names that only a card's check code or
 * its number have are refused whatever stands under them. */
#include "payment/guard.h"

#include "base/arena.h"
#include "base/card.h"

bool guard_has_card(Str text)
{
	return card_in(text);
}

bool guard_is_name(Str name)
{
	static const Str names[] = { S("cvc"),      S("cvv"),           S("cvv2"),
		                     S("cvc2"),     S("card_number"),   S("cardnumber"),
		                     S("card_cvc"), S("security_code"), S("track_data"),
		                     S("card_cvv"), S("cvc_code"),      S("cvv_code"),
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
	uint64_t digits;
	double real;
	int64_t n;

	if (json_to_str(value, text))
		return true;
	if (json_to_i64(value, &n))
		digits = n < 0 ? -(uint64_t)n : (uint64_t)n;
	else if (json_to_real(value, &real) && real > -1e19 && real < 1e19)
		digits = (uint64_t)(real < 0 ? -real : real);
	else
		return false;
	*text = (Str){ number, 0 };
	for (uint64_t left = digits; left; left /= 10)
		text->len++;
	for (size_t i = text->len; i; i--, digits /= 10)
		number[i - 1] = (char)('0' + digits % 10);
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

static void hide_once(char *copy, Str text)
{
	size_t at = 0, from, left, bytes;
	char digit;

	while (card_next(text, &from, &at)) {
		left = 0;
		for (size_t i = from; i < at; i++)
			left += card_digit(text, i, &digit) > 0;
		for (size_t i = from; i < at && left > 4; i += MAX(bytes, (size_t)1)) {
			bytes = card_digit(text, i, &digit);
			left -= bytes > 0;
			__builtin_memset(copy + i, '*', bytes);
		}
	}
}

/* What was no number beside other digits may be one once those are hidden: so until there is none. */
Str guard_hide(Arena *a, Str text)
{
	Str shown = text;

	while (guard_has_card(shown)) {
		char *copy = arena_alloc_raw(a, text.len);

		__builtin_memcpy(copy, shown.at, text.len);
		hide_once(copy, shown);
		shown = (Str){ copy, text.len };
	}
	return shown;
}
