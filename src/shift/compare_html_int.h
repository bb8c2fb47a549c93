/* SPDX-License-Identifier: Apache-2.0
 *
 * A page as a tree, without what is not compared. */
#pragma once
#include "shift/compare_int.h"

enum { HTML_NODES_MAX = 50000, HTML_ATTRS_MAX = 64 };

typedef struct HtmlAttr {
	Str name, value;
} HtmlAttr;

typedef struct HtmlNode HtmlNode;
struct HtmlNode {
	Str tag;               /* in small letters; empty: a text */
	Str text;              /* trimmed, spaces made one, entities decoded */
	const HtmlAttr *attrs; /* by name */
	size_t attr_count;
	HtmlNode *up, *child, *last, *next;
	size_t children;
	uint8_t group; /* while it is read: where its end is implied */
	uint64_t hash; /* of all that is compared */
};

/* The root has no tag and no text. NULL: there is too much of it. `known` is what is to be left out (CompareKnown); what was
 * there of it is added to *seen. */
HtmlNode *html_read(Arena *a, Str text, uint32_t known, uint32_t *seen);
