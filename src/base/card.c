/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking for card numbers. One in ten numbers of the right length passes Luhn's check by chance, so what begins as no card does is let
 * pass (times in milliseconds begin with 1, phone numbers with +), and so are digits that are part of a longer word: a hash, a UUID.
 *
 * People write them as they are printed, four and four, and what is printed beside them follows: when the card ends, its check code. So
 * a number may end where any group of digits does, as long as its groups are such as cards have; and blanks, dots, dashes and digits are
 * those of any keyboard. */
#include "base/card.h"

enum { CARD_LEAST = 13, CARD_MOST = 19, GAP_MOST = 3 };

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

static bool is_one_of(Str text, size_t at, const Str *words, size_t count, size_t *bytes)
{
	for (size_t i = 0; i < count; i++)
		if (str_starts(str_sub(text, at, text.len), words[i])) {
			*bytes = words[i].len;
			return true;
		}
	*bytes = 0;
	return false;
}

/* Zeros of the scripts whose digits people type; the other nine are the bytes after their last one. */
size_t card_digit(Str text, size_t at, char *digit)
{
	static const Str zeros[] = { S("\xef\xbc\x90"), S("\xd9\xa0"), S("\xdb\xb0"),
		                     S("\xe0\xa5\xa6") };
	unsigned char c = at < text.len ? (unsigned char)text.at[at] : 0;

	if (c < 0x80) {
		*digit = (char)c;
		return c >= '0' && c <= '9';
	}
	for (size_t i = 0; i < COUNT(zeros); i++) {
		size_t last = zeros[i].len - 1;
		int n;

		if (text.len - at <= last ||
		    !str_eq(str_sub(text, at, at + last), str_sub(zeros[i], 0, last)))
			continue;
		n = (unsigned char)text.at[at + last] - (unsigned char)zeros[i].at[last];
		*digit = (char)('0' + n);
		if (n >= 0 && n <= 9)
			return zeros[i].len;
	}
	return 0;
}

/* Blanks that nobody sees. */
static size_t nothing_at(Str text, size_t at)
{
	static const Str nothing[] = { S("\xe2\x80\x8b"), S("\xe2\x80\x8c"), S("\xe2\x80\x8d"),
		                       S("\xe2\x81\xa0"), S("\xef\xbb\xbf"), S("\xc2\xad") };
	size_t bytes;

	return is_one_of(text, at, nothing, COUNT(nothing), &bytes) ? bytes : 0;
}

/* What stands between two groups, from `at` on: *plain says that it is a single blank or dash. 0: something else does. */
static size_t gap_of(Str text, size_t at, bool *plain)
{
	static const Str gaps[] = {
		S(" "),
		S("-"),
		S("."),
		S("/"),
		S("\t"),
		S("\n"),
		S("\r"),
		S("\xc2\xa0"),
		S("\xe2\x80\x87"),
		S("\xe2\x80\xaf"),
		S("\xe2\x80\x90"),
		S("\xe2\x80\x91"),
		S("\xe2\x80\x92"),
		S("\xe2\x80\x93"),
		S("\xe2\x80\x94"),
		S("\xe2\x88\x92"),
		S("\xe3\x80\x80"),
	};
	size_t all = 0, bytes, count = 0;
	char digit;

	while (count <= GAP_MOST && is_one_of(text, at + all, gaps, COUNT(gaps), &bytes)) {
		all += bytes;
		count++;
	}
	*plain = all == 1 && (text.at[at] == ' ' || text.at[at] == '-');
	return count <= GAP_MOST && card_digit(text, at + all, &digit) ? all : 0;
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

typedef struct Run {
	char digits[CARD_MOST + 1];
	size_t count;  /* of digits; more than CARD_MOST: too many */
	size_t groups; /* of them */
	bool plain;    /* single blanks and dashes between them */
	bool printed;  /* groups as on a card: four digits, then three to seven */
} Run;

/* A group of digits from *at on. */
static void take_group(Run *run, Str text, size_t *at)
{
	size_t before = run->count, bytes, count, unseen = 0;
	char digit;

	while ((bytes = card_digit(text, *at + unseen, &digit))) {
		if (run->count <= CARD_MOST)
			run->digits[run->count++] = digit;
		*at += unseen + bytes;
		unseen = nothing_at(text, *at);
	}
	count = run->count - before;
	run->printed &= run->groups ? count >= 3 && count <= 7 : count == 4;
	run->groups++;
}

/* May a card's number end at `at`, before a gap of so many bytes? */
static bool ends(const Run *run, Str text, size_t at, size_t gap)
{
	bool word = at < text.len && is_word(text.at[at]);
	bool dashed = at + 1 < text.len && text.at[at] == '-' && is_word(text.at[at + 1]);
	bool whole = run->plain && !gap;

	return run->count >= CARD_LEAST && run->count <= CARD_MOST && !word &&
	       (whole || run->groups == 1 || (run->printed && !dashed)) &&
	       begins_as_cards(run->digits) && luhn(run->digits, run->count);
}

/* One that begins at `from`; 0: none does. *after: where to look on. */
static size_t card_at(Str text, size_t from, size_t *after)
{
	Run run = { .plain = true, .printed = true };
	size_t at = from, gap;
	bool plain;

	do {
		take_group(&run, text, &at);
		*after = run.groups == 1 ? at : *after;
		gap = gap_of(text, at, &plain);
		if (ends(&run, text, at, gap))
			return at;
		run.plain &= plain || !gap;
		at += gap;
	} while (gap && run.count <= CARD_MOST);
	return 0;
}

/* The next one from *at on: [*from, *at). */
static bool next_card(Str text, size_t *at, size_t *from)
{
	while (*at < text.len) {
		bool inside = *at > 0 && is_word(text.at[*at - 1]);
		bool dashed = *at > 1 && text.at[*at - 1] == '-' && is_word(text.at[*at - 2]);
		size_t end, after = *at;
		char digit;

		if (!card_digit(text, *at, &digit)) {
			++*at;
			continue;
		}
		*from = *at;
		end = card_at(text, *at, &after);
		if (end && !inside && !dashed) {
			*at = end;
			return true;
		}
		*at = after;
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
