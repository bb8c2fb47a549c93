/* SPDX-License-Identifier: Apache-2.0
 *
 * What reading, placing and putting of templates share. */
#pragma once
#include "notification/mustache.h"

/* How a value is written. */
typedef enum Escape {
	ESCAPE_TEXT,
	ESCAPE_LINE,
	ESCAPE_HTML,     /* text, or an attribute in quotes */
	ESCAPE_HTML_URL, /* a whole URL in an attribute */
	ESCAPE_PART,     /* percent-encoded: a part of a URL, anywhere */
	ESCAPE_URL,      /* a whole URL */
	ESCAPE_JSON,     /* a value */
	ESCAPE_JSON_STR, /* in a string */
	ESCAPE_RAW,
} Escape;

typedef enum NodeKind { NODE_TEXT, NODE_VALUE, NODE_SECTION, NODE_INVERTED, NODE_END } NodeKind;

typedef struct MustacheNode MustacheNode;
struct MustacheNode {
	NodeKind kind;
	Escape escape; /* NODE_VALUE */
	Str text;      /* of NODE_TEXT; else the name */
	size_t end;    /* of a section: where its NODE_END is; of NODE_END: where it began */
};

struct Mustache {
	MustacheNode *at;
	size_t count, cap;
	MustacheKind kind;
};

/* Where in a text of its kind one is: fed with what stands between tags. */
typedef struct Place {
	MustacheKind kind;
	uint8_t state;
	uint8_t attribute; /* of HTML: what kind of attribute it is */
	bool filled;       /* of an attribute, a URL: something stands before this */
	bool escaped;      /* of JSON: after a backslash */
	bool valued;       /* of a URL: a value stands before this */
	bool settled;      /* of a URL: what it begins with is no scheme any more */
	bool unsafe;       /* of a URL: its scheme is what a value says; it stays so */
	uint8_t raw;       /* of HTML: the raw element that one is in, 0: none */
	uint8_t name_len;
	char name[16]; /* of a tag or attribute, lower case; of what ends a raw element */
} Place;

void place_begin(Place *place, MustacheKind kind);
void place_feed(Place *place, Str text);
/* How a value is to be escaped here; false: it cannot be. After it the place has something in it. */
bool place_value(Place *place, bool raw, Escape *out);
bool place_same(const Place *x, const Place *y);
/* A section that began at `begin` may have been left out, or repeated: what it settled is not settled. */
void place_leave_section(Place *place, const Place *begin);
