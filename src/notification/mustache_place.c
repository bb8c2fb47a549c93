/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a value stands in a template: a small reading of HTML and JSON that only tells places apart.
 *
 * It need not know all of HTML, but must never think a place safer than it is. What browsers may read in two ways (attributes
 * without quotes, raw elements, comments, names) is a place for no value. An attribute is one of four kinds: of plain text, a URL,
 * text that is looked at as code (style, on..., srcdoc), or unknown to be any of those, which is plain. After the first value of
 * a URL the rest of it is a part: {{base}}/{{id}} has a whole URL and a part of one. Nor may a value say the scheme while the template says
 * the colon ({{scheme}}:...): what is after "javascript:" is code, percent-encoded or not. A raw element ends with its own name only. */
#include "notification/mustache_int.h"

#include <string.h>

enum {
	HTML_TEXT,
	HTML_OPEN,      /* after < */
	HTML_NAME,      /* of a tag */
	HTML_IN_TAG,    /* between attributes */
	HTML_ATTRIBUTE, /* its name */
	HTML_AFTER,     /* the name, before = or another */
	HTML_EQUALS,
	HTML_DOUBLE, /* in its value */
	HTML_SINGLE,
	HTML_BARE,
	HTML_BANG, /* after <!, to the next > */
	HTML_COMMENT,
	HTML_RAW, /* in script or style */
	JSON_OUTSIDE,
	JSON_INSIDE,
	PLAIN,
};

enum { ATTRIBUTE_TEXT, ATTRIBUTE_URL, ATTRIBUTE_CODE };

static const char *const url_attributes[] = { "href",     "src",      "action",     "formaction",
	                                      "poster",   "cite",     "background", "data",
	                                      "longdesc", "ping",     "icon",       "manifest",
	                                      "usemap",   "codebase", "xlink:href" };
static const char *const raw_elements[] = { "script",  "style",    "xmp",      "iframe",
	                                    "noembed", "noframes", "noscript", "plaintext",
	                                    "title",   "textarea" };
enum {
	RAW_OF_TEXT = 8
}; /* those from here on hold text, in which a value is escaped as in any other */

void place_begin(Place *place, MustacheKind kind)
{
	*place = (Place){ .kind = kind, .state = PLAIN };
	if (kind == MUSTACHE_HTML)
		place->state = HTML_TEXT;
	else if (kind == MUSTACHE_JSON)
		place->state = JSON_OUTSIDE;
}

bool place_same(const Place *x, const Place *y)
{
	return x->state == y->state && x->attribute == y->attribute && x->escaped == y->escaped &&
	       x->raw == y->raw;
}

void place_leave_section(Place *place, const Place *begin)
{
	place->settled = place->settled && begin->settled;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static void name_add(Place *place, char c)
{
	if (place->name_len < sizeof(place->name) - 1)
		place->name[place->name_len++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	place->name[place->name_len] = 0;
}

static bool name_in(const Place *place, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], place->name) == 0)
			return true;
	return false;
}

static uint8_t attribute_of(const Place *place)
{
	if (strncmp(place->name, "on", 2) == 0 || strcmp(place->name, "style") == 0 ||
	    strcmp(place->name, "srcdoc") == 0 || strcmp(place->name, "srcset") == 0)
		return ATTRIBUTE_CODE;
	return name_in(place, url_attributes, COUNT(url_attributes)) ? ATTRIBUTE_URL
	                                                             : ATTRIBUTE_TEXT;
}

static void tag_named(Place *place)
{
	for (size_t i = 0; i < COUNT(raw_elements); i++)
		if (strcmp(raw_elements[i], place->name) == 0)
			place->raw = (uint8_t)(i + 1);
}

static void tag_over(Place *place)
{
	place->state = place->raw ? HTML_RAW : HTML_TEXT;
	place->name_len = 0;
}

static void name_begin(Place *place, uint8_t state, char c)
{
	place->state = state;
	place->name_len = 0;
	name_add(place, c);
}

static void feed_open(Place *place, char c)
{
	if (c == '!' || c == '?')
		name_begin(place, HTML_BANG, c);
	else if (c == '/' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		name_begin(place, HTML_NAME, c);
	else
		place->state = c == '<' ? HTML_OPEN : HTML_TEXT;
}

static void feed_in_tag(Place *place, char c)
{
	if (c == '>')
		tag_over(place);
	else if (!blank(c) && c != '/')
		name_begin(place, HTML_ATTRIBUTE, c);
}

static void feed_attribute(Place *place, char c)
{
	if (c == '>')
		tag_over(place);
	else if (c == '=')
		place->state = HTML_EQUALS;
	else if (blank(c))
		place->state = HTML_AFTER;
	else if (c == '/')
		place->state = HTML_IN_TAG;
	else if (place->state == HTML_AFTER)
		name_begin(place, HTML_ATTRIBUTE, c);
	else
		name_add(place, c);
}

static void feed_equals(Place *place, char c)
{
	if (blank(c))
		return;
	place->attribute = attribute_of(place);
	place->filled = place->valued = place->settled = false;
	place->name_len = 0;
	place->name[0] = 0;
	if (c == '"' || c == '\'')
		place->state = c == '"' ? HTML_DOUBLE : HTML_SINGLE;
	else if (c == '>')
		tag_over(place);
	else
		place->state = HTML_BARE;
}

static void feed_url(Place *place, char c)
{
	place->unsafe |= c == ':' && place->valued && !place->settled;
	place->settled |= strchr(":/?#", c) != NULL;
}

static void feed_value(Place *place, char c)
{
	bool over = place->state == HTML_DOUBLE ? c == '"' : c == '\'';

	if (place->attribute == ATTRIBUTE_URL)
		feed_url(place, c);
	if (over) {
		place->state = HTML_IN_TAG;
		place->attribute = ATTRIBUTE_TEXT;
	}
	place->filled = !over && (place->filled || !blank(c));
	if (!blank(c))
		name_add(place, c); /* of a URL: its scheme */
}

/* A URL that is code whatever is escaped in it. */
static bool scheme_is_code(const Place *place)
{
	static const char *const schemes[] = { "javascript:", "vbscript:", "data:" };

	for (size_t i = 0; i < COUNT(schemes); i++)
		if (strncmp(place->name, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

static void feed_bare(Place *place, char c)
{
	if (c == '>')
		tag_over(place);
	else if (blank(c))
		place->state = HTML_IN_TAG;
	else
		return;
	place->attribute = ATTRIBUTE_TEXT;
}

/* Before its >, as browsers have it: "--", "--!", and at once behind "<!--" nothing or one hyphen. The name is a blank and then the last
 * three characters at most. */
static bool comment_ends(const Place *place)
{
	static const char *const at_once[] = { " ", " -" };
	size_t len = place->name_len;
	const char *end = place->name + len;

	if (name_in(place, at_once, COUNT(at_once)))
		return true;
	return (len >= 2 && memcmp(end - 2, "--", 2) == 0) ||
	       (len >= 3 && memcmp(end - 3, "--!", 3) == 0);
}

/* <!-- ... -->, and the rest that begins with <! or <?, to the next > */
static void feed_bang(Place *place, char c)
{
	if (place->state == HTML_BANG) {
		name_add(place, c);
		if (strcmp(place->name, "!--") == 0)
			name_begin(place, HTML_COMMENT, ' ');
		else if (c == '>')
			place->state = HTML_TEXT;
		return;
	}
	if (c == '>' && comment_ends(place))
		place->state = HTML_TEXT;
	if (place->name_len >= 3) {
		place->name[0] = place->name[1];
		place->name[1] = place->name[2];
		place->name_len = 2;
	}
	name_add(place, c);
}

/* A raw element ends with a tag of its own name, whatever looks like a tag within: "</b>" in a script is a piece of the script. */
static void feed_raw(Place *place, char c)
{
	const char *own = raw_elements[place->raw - 1];
	size_t len = strlen(own);

	if (c == '<') {
		name_begin(place, HTML_RAW, c);
	} else if (place->name_len == len + 2 && (c == '>' || c == '/' || blank(c))) {
		place->raw = 0;
		place->state = c == '>' ? HTML_TEXT : HTML_IN_TAG;
		place->name_len = 0;
	} else if (place->name_len) {
		name_add(place, c);
		if ((place->name_len == 2 && c != '/') ||
		    (place->name_len > 2 &&
		     (place->name_len > len + 2 ||
		      strncmp(place->name + 2, own, place->name_len - 2U) != 0)))
			place->name_len = 0;
	}
}

static void feed_name(Place *place, char c)
{
	if (c == '>' || blank(c) || (c == '/' && place->name_len > 1)) {
		tag_named(place);
		if (c == '>')
			tag_over(place);
		else
			place->state = HTML_IN_TAG;
		return;
	}
	name_add(place, c);
}

static void feed_html(Place *place, char c)
{
	switch (place->state) {
	case HTML_TEXT:
		place->state = c == '<' ? HTML_OPEN : HTML_TEXT;
		break;
	case HTML_OPEN:
		feed_open(place, c);
		break;
	case HTML_NAME:
		feed_name(place, c);
		break;
	case HTML_IN_TAG:
		feed_in_tag(place, c);
		break;
	case HTML_ATTRIBUTE:
	case HTML_AFTER:
		feed_attribute(place, c);
		break;
	case HTML_EQUALS:
		feed_equals(place, c);
		break;
	case HTML_DOUBLE:
	case HTML_SINGLE:
		feed_value(place, c);
		break;
	case HTML_BARE:
		feed_bare(place, c);
		break;
	case HTML_RAW:
		feed_raw(place, c);
		break;
	default:
		feed_bang(place, c);
		break;
	}
}

static void feed_json(Place *place, char c)
{
	if (place->escaped)
		place->escaped = false;
	else if (c == '"')
		place->state = place->state == JSON_INSIDE ? JSON_OUTSIDE : JSON_INSIDE;
	else
		place->escaped = c == '\\' && place->state == JSON_INSIDE;
}

static void feed_plain(Place *place, char c)
{
	if (place->kind == MUSTACHE_URL)
		feed_url(place, c);
	place->filled = place->filled || !blank(c);
}

void place_feed(Place *place, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (place->kind == MUSTACHE_HTML)
			feed_html(place, text.at[i]);
		else if (place->kind == MUSTACHE_JSON)
			feed_json(place, text.at[i]);
		else
			feed_plain(place, text.at[i]);
}

static bool html_value(Place *place, bool raw, Escape *out)
{
	bool filled = place->filled;

	if (place->state == HTML_TEXT) {
		*out = raw ? ESCAPE_RAW : ESCAPE_HTML;
		return true;
	}
	if (place->state == HTML_RAW && place->raw > RAW_OF_TEXT && !place->name_len) {
		*out = raw ? ESCAPE_RAW : ESCAPE_HTML;
		return true;
	}
	if (raw || (place->state != HTML_DOUBLE && place->state != HTML_SINGLE) ||
	    place->attribute == ATTRIBUTE_CODE)
		return false;
	if (place->attribute == ATTRIBUTE_URL && scheme_is_code(place))
		return false;
	place->filled = place->valued = true;
	if (place->attribute == ATTRIBUTE_URL)
		*out = filled ? ESCAPE_PART : ESCAPE_HTML_URL;
	else
		*out = ESCAPE_HTML;
	return true;
}

bool place_value(Place *place, bool raw, Escape *out)
{
	bool filled = place->filled;

	switch (place->kind) {
	case MUSTACHE_HTML:
		return html_value(place, raw, out);
	case MUSTACHE_JSON:
		*out = place->state == JSON_INSIDE ? ESCAPE_JSON_STR : ESCAPE_JSON;
		return !raw && !place->escaped;
	case MUSTACHE_URL:
		place->filled = place->valued = true;
		*out = filled ? ESCAPE_PART : ESCAPE_URL;
		return !raw;
	case MUSTACHE_LINE:
		*out = ESCAPE_LINE;
		return true;
	case MUSTACHE_TEXT:
	case MUSTACHE_KINDS:
		break;
	}
	*out = ESCAPE_TEXT;
	return true;
}
