/* SPDX-License-Identifier: Apache-2.0
 *
 * XML files of other tools, event by event, by expat. Nothing is loaded from anywhere, and a text that declares entities is refused. */
#pragma once
#include "base/err.h"

enum { XML_DEPTH = 200 };

typedef struct XmlAttributes XmlAttributes;
typedef struct XmlEvents {
	void (*begin)(void *arg, Str name, const XmlAttributes *attributes);
	void (*end)(void *arg, Str name);  /* NULL: of no interest */
	void (*text)(void *arg, Str text); /* NULL; a text may come in several parts */
	void *arg;
} XmlEvents;

/* Views are good during the event. `name` is what messages call the text. Fails with INVALID "xml.syntax" ("NAME:LINE: sentence"). */
Err *xml_read(Arena *a, Str name, Str text, const XmlEvents *events) MUST_USE;
Str xml_attribute(const XmlAttributes *attributes, const char *name); /* empty: there is none */
double xml_number(const XmlAttributes *attributes, const char *name); /* 0: none, or no number */
/* The first element's name, without reading on; empty: this is no XML. */
Str xml_root(Str text);
