/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes and requests as lines of words, for unit tests and the fuzz target:
 *
 *     NAME HOST PATH METHOD h:X-Beta=1 q:page* c:lang!     a route: PATH may be "~EXPRESSION"; words in any order
 *     HOST PATH METHOD ?page=2 h:X-Beta=1                  a request; several cookies: h:Cookie=a=1;b=2
 *
 * A condition is a place (header, query, cookie), a name and "=VALUE", "~EXPRESSION", "*" (any) or "!" (absent). */
#pragma once
#include "base/arena.h"
#include "gateway/route_pattern.h"
#include "gateway/route_regex.h"
#include "http/message.h"

enum { ROUTE_LINE_WORDS = 8 };

static bool route_line_condition(Str word, MatchConf *match)
{
	ConditionConf c = { 0 };
	size_t end = 2;

	if (word.len < 4 || word.at[1] != ':')
		return false;
	while (end < word.len && !(word.at[end] == '=' || word.at[end] == '~' ||
	                           word.at[end] == '*' || word.at[end] == '!'))
		end++;
	c.name = str_sub(word, 2, end);
	if (end == word.len || !http_is_token(c.name))
		return false;
	c.has_pattern = word.at[end] == '~';
	c.absent = word.at[end] == '!';
	c.has_is = !c.has_pattern && !c.absent;
	c.is = word.at[end] == '*' ? S("*") : str_sub(word, end + 1, word.len);
	c.pattern = c.is;
	if (word.at[0] == 'h' && match->headers.count < ROUTE_LINE_WORDS)
		match->headers.at[match->headers.count++] = c;
	else if (word.at[0] == 'q' && match->query.count < ROUTE_LINE_WORDS)
		match->query.at[match->query.count++] = c;
	else if (word.at[0] == 'c' && match->cookies.count < ROUTE_LINE_WORDS)
		match->cookies.at[match->cookies.count++] = c;
	return true;
}

/* The configuration lets only tokens pass. */
static bool route_line_is_method(Str word)
{
	for (size_t i = 0; i < word.len; i++)
		if ((word.at[i] < 'A' || word.at[i] > 'Z') &&
		    (word.at[i] < '0' || word.at[i] > '9'))
			return false;
	return word.len > 0 && word.len < 20;
}

static bool route_line_is_sound(Arena *a, const MatchConf *match)
{
	Str expression;

	for (size_t i = 0; i < match->headers.count; i++)
		if (match->headers.at[i].has_pattern &&
		    route_regex_check(a, match->headers.at[i].pattern))
			return false;
	return !route_host_mistake(match->host) && !route_path_mistake(match->path) &&
	       (!route_is_expression(match->path, &expression) ||
	        !route_regex_check(a, expression));
}

/* False: it has mistakes, or is no route at all. */
static inline bool route_line_read(Arena *a, Str line, RouteConf *out)
{
	MatchConf *match = &out->match;
	Str word;

	*out = (RouteConf){ 0 };
	if (!str_split(&line, ' ', &out->name) || !str_split(&line, ' ', &match->host) ||
	    !str_split(&line, ' ', &match->path))
		return false;
	if (str_starts(match->path, S("~")))
		match->path =
			str_fmt(a, "~ %.*s", STR_ARG(str_sub(match->path, 1, match->path.len)));
	match->methods.at = ARENA_ARRAY(a, Str, ROUTE_LINE_WORDS);
	match->headers.at = ARENA_ARRAY(a, ConditionConf, ROUTE_LINE_WORDS);
	match->query.at = ARENA_ARRAY(a, ConditionConf, ROUTE_LINE_WORDS);
	match->cookies.at = ARENA_ARRAY(a, ConditionConf, ROUTE_LINE_WORDS);
	while (str_split(&line, ' ', &word))
		if (!route_line_condition(word, match) && route_line_is_method(word) &&
		    match->methods.count < ROUTE_LINE_WORDS)
			match->methods.at[match->methods.count++] = word;
	return route_line_is_sound(a, match);
}

static inline RouteAsk route_line_ask(Arena *a, Str line)
{
	Headers *headers = ARENA_NEW(a, Headers);
	RouteAsk ask = { .headers = headers };
	Str word;

	str_split(&line, ' ', &ask.host);
	str_split(&line, ' ', &ask.path);
	str_split(&line, ' ', &ask.method);
	while (str_split(&line, ' ', &word)) {
		ptrdiff_t eq = str_find_char(word, '=');

		if (str_starts(word, S("?")))
			ask.query = str_sub(word, 1, word.len);
		else if (str_starts(word, S("h:")) && eq > 2 && headers->count < 16)
			headers_add(headers, a, str_sub(word, 2, (size_t)eq),
			            str_sub(word, (size_t)eq + 1, word.len));
	}
	return ask;
}
