/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions beside host, path and method. Nothing is cut up or decoded in advance: few routes have conditions, and a
 * request that meets none of those pays nothing. */
#include "gateway/route_condition.h"

#include "base/arena.h"
#include "gateway/route_regex.h"
#include "http/cookie.h"

typedef struct Condition {
	const ConditionConf *conf;
	const RouteRegex *regex; /* of `pattern` */
	HeaderId id;
	uint8_t in; /* RouteIn */
	bool any;   /* it must only be there */
} Condition;

struct RouteConditions {
	size_t count;
	Condition at[];
};

static void add(Arena *a, RouteConditions *c, const ConditionConf *conf, size_t count, RouteIn in)
{
	for (size_t i = 0; i < count; i++) {
		Condition *one = &c->at[c->count++];

		one->conf = &conf[i];
		one->in = (uint8_t)in;
		one->id = in == ROUTE_IN_HEADERS ? header_id(conf[i].name) : HTTP_OTHER;
		one->any = conf[i].has_is && str_eq(conf[i].is, S("*"));
		if (conf[i].has_pattern && route_regex_new(a, conf[i].pattern, &one->regex))
			one->regex = NULL;
	}
}

const RouteConditions *route_conditions_new(Arena *a, const MatchConf *match)
{
	size_t count = match->headers.count + match->query.count + match->cookies.count;
	RouteConditions *c;

	if (!count)
		return NULL;
	c = arena_alloc(a, sizeof *c + count * sizeof *c->at);
	add(a, c, match->headers.at, match->headers.count, ROUTE_IN_HEADERS);
	add(a, c, match->cookies.at, match->cookies.count, ROUTE_IN_COOKIES);
	add(a, c, match->query.at, match->query.count, ROUTE_IN_QUERY);
	return c;
}

/* Is this value of its name what it wants? */
static bool suits(const Condition *c, Str value)
{
	if (c->any || c->conf->absent)
		return true;
	if (c->conf->has_is)
		return str_eq(c->conf->is, value);
	return c->regex && route_regex_matches(c->regex, value);
}

static bool in_headers(const Condition *c, const Headers *headers)
{
	for (uint32_t i = 0; i < headers->count; i++) {
		const Header *h = &headers->at[i];

		if (h->id == c->id &&
		    (c->id != HTTP_OTHER || str_eq_nocase(h->name, c->conf->name)) &&
		    suits(c, h->value))
			return true;
	}
	return false;
}

static bool in_cookies(const Condition *c, const Headers *headers)
{
	CookieAt at = { 0 };
	Str value;

	while (http_cookie_next(headers, c->conf->name, &at, &value))
		if (suits(c, value))
			return true;
	return false;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of what is meant; an escape that is none stands for itself. */
static char decoded(Str *text)
{
	char c = text->at[0];
	int high = c == '%' && text->len > 2 ? hex(text->at[1]) : -1;
	int low = high >= 0 ? hex(text->at[2]) : -1;

	*text = str_sub(*text, low >= 0 ? 3 : 1, text->len);
	if (low >= 0)
		return (char)(high << 4 | low);
	return c == '+' ? ' ' : c;
}

static bool means(Str text, Str wanted)
{
	size_t i = 0;

	while (text.len) {
		if (i == wanted.len || decoded(&text) != wanted.at[i])
			return false;
		i++;
	}
	return i == wanted.len;
}

static bool suits_decoded(const Condition *c, Str value)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (!c->regex)
		return c->any || c->conf->absent || (c->conf->has_is && means(value, c->conf->is));
	while (value.len)
		buf_putc(&b, decoded(&value));
	return suits(c, buf_str(&b));
}

static bool in_query(const Condition *c, Str query)
{
	Str pair;

	while (str_split(&query, '&', &pair)) {
		ptrdiff_t eq = str_find_char(pair, '=');
		Str name = eq < 0 ? pair : str_sub(pair, 0, (size_t)eq);
		Str value = eq < 0 ? S("") : str_sub(pair, (size_t)eq + 1, pair.len);

		if (pair.len && means(name, c->conf->name) && suits_decoded(c, value))
			return true;
	}
	return false;
}

static bool holds(const Condition *c, const Headers *headers, Str query)
{
	bool found = c->in == ROUTE_IN_HEADERS   ? in_headers(c, headers)
	             : c->in == ROUTE_IN_COOKIES ? in_cookies(c, headers)
	                                         : in_query(c, query);

	return found != c->conf->absent;
}

bool route_conditions_hold(const RouteConditions *conditions, const Headers *headers, Str query,
                           const ConditionConf **failed, RouteIn *in)
{
	static const Headers none;

	for (size_t i = 0; conditions && i < conditions->count; i++) {
		const Condition *c = &conditions->at[i];

		if (holds(c, headers ? headers : &none, query))
			continue;
		if (failed)
			*failed = c->conf;
		if (in)
			*in = c->in;
		return false;
	}
	return true;
}
