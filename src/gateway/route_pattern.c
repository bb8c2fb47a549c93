/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns of routes: what may be written, what it means, which of two comes first.
 *
 * A pattern's literal segments are compared with a canonical path byte for byte, so they must be canonical themselves:
 * a pattern that could never match (an escaped letter, "..", a raw space) is a mistake, not a silent nothing. The
 * precedence is a lexicographic order of values of each pattern alone (kinds, lengths, which segments are named), so it
 * is total whatever the set of routes. */
#include "gateway/route_pattern.h"

#include <string.h>

bool route_is_named(Str segment)
{
	return segment.len > 2 && segment.at[0] == '{' && segment.at[segment.len - 1] == '}';
}

bool route_is_expression(Str path, Str *expression)
{
	if (!str_starts(path, S("~")))
		return false;
	*expression = str_trim(str_sub(path, 1, path.len));
	return true;
}

static void take_host(RoutePattern *p)
{
	if (!p->host.len || str_eq(p->host, S("*")))
		p->host_kind = ROUTE_HOST_ANY;
	else if (p->host.at[0] == '*')
		p->host_kind = ROUTE_HOST_BELOW;
	if (p->host_kind == ROUTE_HOST_BELOW)
		p->host = str_sub(p->host, 1, p->host.len);
}

static void take_path(RoutePattern *p)
{
	Str rest, segment;

	if (route_is_expression(p->path, &p->path)) {
		p->path_kind = ROUTE_PATH_REGEX;
		return;
	}
	if (str_ends(p->path, S("/**"))) {
		p->path_kind = p->path.len > 3 ? ROUTE_PATH_PREFIX : ROUTE_PATH_ANY;
		p->path = str_sub(p->path, 0, p->path.len - 3);
	}
	if (!p->path.len)
		return;
	rest = str_sub(p->path, 1, p->path.len);
	while (str_split(&rest, '/', &segment)) {
		if (route_is_named(segment))
			p->named |= UINT32_C(0x80000000) >> p->segments;
		p->segments++;
	}
	if (p->named && p->path_kind == ROUTE_PATH_EXACT)
		p->path_kind = ROUTE_PATH_NAMED;
}

RoutePattern route_pattern(const MatchConf *match)
{
	RoutePattern p = { .host = match->host,
		           .path = match->path,
		           .conditions = (uint32_t)(match->headers.count + match->query.count +
		                                    match->cookies.count) +
		                         (match->methods.count > 0) +
		                         (match->scheme != MATCH_ANY_SCHEME) };

	take_host(&p);
	take_path(&p);
	return p;
}

static int compare(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

int route_compare(const RoutePattern *x, const RoutePattern *y, RouteWhy *why)
{
	bool below = x->host_kind == ROUTE_HOST_BELOW;
	int order = compare(x->host_kind, y->host_kind);

	*why = ROUTE_WHY_HOST;
	if (!order && below)
		order = compare(y->host.len, x->host.len);
	if (order)
		return order;
	*why = ROUTE_WHY_PATH;
	order = compare(x->path_kind, y->path_kind);
	if (!order && x->path_kind == ROUTE_PATH_PREFIX)
		order = compare(y->segments, x->segments);
	if (!order)
		order = compare(x->named, y->named);
	if (order)
		return order;
	if (x->path_kind != ROUTE_PATH_REGEX)
		order = compare(y->conditions, x->conditions);
	*why = order ? ROUTE_WHY_CONDITIONS : ROUTE_WHY_FILE;
	return order;
}

bool route_takes_host(const RoutePattern *p, Str host)
{
	if (host.len > 1 && host.at[host.len - 1] == '.')
		host.len--;
	if (p->host_kind == ROUTE_HOST_BELOW)
		return host.len > p->host.len && str_ends(host, p->host);
	return p->host_kind == ROUTE_HOST_ANY || str_eq(p->host, host);
}

bool route_takes_path(const RoutePattern *p, Str path)
{
	Str want = str_sub(p->path, 1, p->path.len), got = str_sub(path, 1, path.len), part,
	    segment;

	if (!path.len || path.at[0] != '/')
		return false;
	if (!p->path.len)
		return true;
	while (str_split(&want, '/', &part))
		if (!str_split(&got, '/', &segment) ||
		    (route_is_named(part) ? !segment.len : !str_eq(part, segment)))
			return false;
	return p->path_kind == ROUTE_PATH_PREFIX || !got.at;
}

bool route_takes_scheme(const MatchConf *match, uint8_t scheme)
{
	return match->scheme == MATCH_ANY_SCHEME || match->scheme == scheme;
}

bool route_takes_method(const MatchConf *match, Str method)
{
	bool head = str_eq(method, S("HEAD"));

	for (size_t i = 0; i < match->methods.count; i++)
		if (str_eq(match->methods.at[i], method) ||
		    (head && str_eq(match->methods.at[i], S("GET"))))
			return true;
	return match->methods.count == 0;
}

/* What may be written. */

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_unreserved(char c)
{
	return is_alnum(c) || (c && strchr("-._~", c));
}

static int hex_upper(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *literal_mistake(Str segment)
{
	if (str_eq(segment, S(".")) || str_eq(segment, S("..")))
		return "\".\" and \"..\" are resolved before routes are looked at";
	for (size_t i = 0; i < segment.len; i++) {
		char c = segment.at[i];

		if (c == '*')
			return "stars are allowed only as \"/**\" at the end";
		if (c == '{' || c == '}')
			return "a named part fills its segment: /{name}/";
		if (c == '?' || c == '#')
			return "it must be a path, without a query or fragment";
		if (c == '%') {
			int high = i + 2 < segment.len ? hex_upper(segment.at[i + 1]) : -1;
			int low = i + 2 < segment.len ? hex_upper(segment.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return "an escape is \"%\" and two digits, in upper case";
			if (is_unreserved((char)(high * 16 + low)))
				return "letters, digits and -._~ are written as they are, not escaped";
			i += 2;
			continue;
		}
		if (!is_unreserved(c) && (c <= ' ' || !strchr("!$&'()+,;=:@", c)))
			return "a character must be escaped, \"%\" and two digits in upper case";
	}
	return NULL;
}

static const char *named_mistake(Str segment, Str before)
{
	Str name = str_sub(segment, 1, segment.len - 1), rest = before, earlier;

	for (size_t i = 0; i < name.len; i++)
		if (!is_alnum(name.at[i]) && name.at[i] != '_')
			return "the name of a part has letters, digits and \"_\"";
	while (str_split(&rest, '/', &earlier))
		if (str_eq(earlier, segment))
			return "two parts have the same name";
	return NULL;
}

const char *route_path_mistake(Str pattern)
{
	bool prefix = str_ends(pattern, S("/**"));
	Str body = prefix ? str_sub(pattern, 0, pattern.len - 3) : pattern;
	Str rest, segment, expression;
	size_t count = 0;

	if (route_is_expression(pattern, &expression))
		return pattern.len > 1 && pattern.at[1] == ' ' && expression.len
		               ? NULL
		               : "expected \"~\", a blank and a regular expression";
	if (!pattern.len || pattern.at[0] != '/')
		return "it must begin with \"/\", or with \"~ \" when it is an expression";
	if (!body.len)
		return NULL;
	rest = str_sub(body, 1, body.len);
	while (str_split(&rest, '/', &segment)) {
		Str before = str_sub(body, 0, (size_t)(segment.at - body.at));
		const char *mistake = route_is_named(segment) ? named_mistake(segment, before)
		                                              : literal_mistake(segment);

		if (mistake)
			return mistake;
		if (!segment.len && (rest.at || prefix))
			return "an empty segment, \"//\", never comes: slashes are merged before";
		if (++count > ROUTE_SEGMENTS)
			return "it has more than 32 segments";
	}
	return NULL;
}

const char *route_host_mistake(Str pattern)
{
	Str name = str_starts(pattern, S("*.")) ? str_sub(pattern, 2, pattern.len) : pattern;

	if (str_eq(pattern, S("*")))
		return NULL;
	if (!name.len || name.len > 255)
		return "it must be a host name, \"*.\" and a name, or \"*\"";
	if (name.at[0] == '[')
		return name.at[name.len - 1] == ']' && name.len == pattern.len
		               ? NULL
		               : "an IPv6 address is [...] alone, without a port";
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (c >= 'A' && c <= 'Z')
			return "host names are written in lower case";
		if (c == ':')
			return "it must be without a port: routes do not look at it";
		if (c == '*')
			return "a star is allowed only as \"*.\" at the start, or alone";
		if (!is_alnum(c) && c != '-' && c != '_' &&
		    !(c == '.' && i && name.at[i - 1] != '.'))
			return "it is no host name";
	}
	return name.at[name.len - 1] == '.' ? "it must not end with a dot" : NULL;
}
