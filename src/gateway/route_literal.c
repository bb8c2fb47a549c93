/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader of expressions that understands just enough: plain letters in a row, outside of groups, classes and
 * alternatives, each there at least once. Whatever could give a letter another meaning (options such as (?i) and (?x),
 * \Q...\E, verbs, an alternative at the top) makes it give up, and an expression without literals is merely asked more
 * often. What it says must hold for every match: the fuzz target of routes compares it with asking all of them. */
#include "gateway/route_literal.h"

#include "base/arena.h"

#include <string.h>

typedef struct Scan {
	Arena *arena;
	Str pattern;
	size_t at;
	char *run;
	size_t len;
	bool start; /* the run at hand begins where the text does */
	bool lost;
	RouteLiteral *out;
	size_t count;
} Scan;

static char peek(const Scan *s, size_t ahead)
{
	return s->at + ahead < s->pattern.len ? s->pattern.at[s->at + ahead] : 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void end_run(Scan *s)
{
	if (s->len) {
		size_t at = MIN(s->count, (size_t)ROUTE_LITERALS - 1);

		s->out[at] = (RouteLiteral){ str_dup(s->arena, (Str){ s->run, s->len }), s->start };
		s->count = at + 1;
	}
	s->len = 0;
	s->start = false;
}

/* --- what is passed over -------------------------------------------------------------------------------------------- */

/* "[:alpha:]" at hand? */
static size_t posix_class(const Scan *s)
{
	size_t n = 2 + (peek(s, 2) == '^');

	while (is_letter(peek(s, n)))
		n++;
	return peek(s, n) == ':' && peek(s, n + 1) == ']' ? n + 2 : 0;
}

static void skip_class(Scan *s)
{
	s->at += 1 + (peek(s, 1) == '^');
	s->at += peek(s, 0) == ']';
	while (s->at < s->pattern.len && !s->lost) {
		char c = peek(s, 0), next = peek(s, 1);
		size_t step = 1;

		if (c == ']') {
			s->at++;
			return;
		}
		if (c == '\\') {
			s->lost = next == 'Q' || next == 'E';
			step = 2;
		} else if (c == '[' && (next == ':' || next == '.' || next == '=')) {
			step = posix_class(s);
			s->lost = !step;
		}
		s->at += step;
	}
	s->lost = true;
}

/* Does the bracket at hand open something that can be passed over as a whole? */
static bool is_plain_group(const Scan *s)
{
	char kind = peek(s, 2), next = peek(s, 3);

	if (peek(s, 1) == '*')
		return false;
	if (peek(s, 1) != '?')
		return true;
	if (kind == 'P')
		return next == '<' || next == '=' || next == '>';
	if (kind == '-' || kind == '+')
		return is_digit(next);
	return is_digit(kind) || (kind && strchr(":|>=!<'(&R", kind));
}

static void skip_group(Scan *s)
{
	size_t depth = 0;

	while (s->at < s->pattern.len && !s->lost) {
		char c = peek(s, 0);

		if (c == '[') {
			skip_class(s);
			continue;
		}
		if (c == '\\') {
			s->lost = peek(s, 1) == 'Q' || peek(s, 1) == 'E';
			s->at++;
		} else if (c == '(') {
			s->lost = !is_plain_group(s);
			depth++;
		}
		s->at++;
		if (c == ')' && --depth == 0)
			return;
	}
	s->lost = true;
}

/* --- what counts ---------------------------------------------------------------------------------------------------- */

/* Bytes of a "{2,3}" at hand; 0: it is none. */
static size_t braces(const Scan *s)
{
	size_t n = 1;

	while (is_digit(peek(s, n)) || peek(s, n) == ',' || peek(s, n) == ' ')
		n++;
	return n > 1 && peek(s, n) == '}' ? n + 1 : 0;
}

/* What follows one thing and says how often it comes. */
static void quantifier(Scan *s, bool is_literal)
{
	char c = peek(s, 0);
	size_t step = c == '*' || c == '?' || c == '+' ? 1 : c == '{' ? braces(s) : 0;

	if (!step)
		return;
	if (c != '+' && is_literal)
		s->len--;
	end_run(s);
	s->at += step;
	s->at += peek(s, 0) == '+' || peek(s, 0) == '?';
}

static void literal(Scan *s, char c, size_t step)
{
	s->run[s->len++] = c;
	s->at += step;
	quantifier(s, true);
}

static void escape(Scan *s)
{
	char c = peek(s, 1);

	if (c && !is_letter(c) && !is_digit(c)) {
		literal(s, c, 2);
		return;
	}
	s->lost = !c || !strchr("dDwWsShHvVRNXbBAzZKtnrfea", c) || (c == 'N' && peek(s, 2) == '{');
	end_run(s);
	s->at += 2;
	quantifier(s, false);
}

static void step(Scan *s)
{
	char c = peek(s, 0);

	if (c == '\\') {
		escape(s);
	} else if (c == '[' || c == '(') {
		end_run(s);
		(c == '[' ? skip_class : skip_group)(s);
		quantifier(s, false);
	} else if (c == '.' || c == '$' || c == '^') {
		end_run(s);
		s->at++;
		quantifier(s, false);
	} else if (!c || strchr("|)*?+", c)) {
		s->lost = true;
	} else {
		literal(s, c, 1);
	}
}

size_t route_literals(Arena *a, Str pattern, RouteLiteral *out)
{
	Scan s = { .arena = a, .pattern = pattern, .out = out };

	s.run = arena_alloc_raw(a, pattern.len + 1);
	if (str_starts(pattern, S("^")) || str_starts(pattern, S("\\A"))) {
		s.start = true;
		s.at = peek(&s, 0) == '^' ? 1 : 2;
		s.lost = peek(&s, 0) == '{';
	}
	while (s.at < pattern.len && !s.lost)
		step(&s);
	end_run(&s);
	return s.lost ? 0 : s.count;
}

bool route_literal_narrows(Arena *a, Str pattern)
{
	RouteLiteral found[ROUTE_LITERALS];
	size_t count = route_literals(a, pattern, found);

	for (size_t i = 0; i < count; i++)
		if (found[i].text.len >= (found[i].start ? 2 : ROUTE_GRAM))
			return true;
	return false;
}

Str route_literal_start(Arena *a, Str pattern)
{
	RouteLiteral found[ROUTE_LITERALS];

	return route_literals(a, pattern, found) && found[0].start ? found[0].text : S("");
}
