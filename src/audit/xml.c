/* SPDX-License-Identifier: Apache-2.0
 *
 * A thin layer over expat. Its own guard against entities that grow is not needed, as none may be declared; a DOCTYPE alone is fine (Cobertura's
 * files have one). */
#include "audit/xml.h"

#include "base/arena.h"

#include <expat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct XmlAttributes {
	const char *const *at; /* name, value, ..., NULL */
};

typedef struct Reading {
	XML_Parser parser;
	const XmlEvents *events;
	uint32_t depth;
	const char *refused; /* why we stopped it; NULL: we did not */
} Reading;

static void refuse(Reading *r, const char *why)
{
	if (!r->refused)
		r->refused = why;
	XML_StopParser(r->parser, XML_FALSE);
}

static void on_begin(void *arg, const char *name, const char **attributes)
{
	Reading *r = arg;

	if (r->refused)
		return;
	if (++r->depth > XML_DEPTH) {
		refuse(r, "elements are nested too deep");
		return;
	}
	r->events->begin(r->events->arg, str_of(name),
	                 &(XmlAttributes){ (const char *const *)attributes });
}

static void on_end(void *arg, const char *name)
{
	Reading *r = arg;

	if (r->refused)
		return;
	r->depth--;
	if (r->events->end)
		r->events->end(r->events->arg, str_of(name));
}

static void on_text(void *arg, const char *text, int len)
{
	Reading *r = arg;

	if (!r->refused)
		r->events->text(r->events->arg, (Str){ text, (size_t)len });
}

static void on_entity(void *arg, const char *name, int is_parameter, const char *value, int length,
                      const char *base, const char *system, const char *public,
                      const char *notation)
{
	(void)name, (void)is_parameter, (void)value, (void)length, (void)base, (void)system,
		(void)public, (void)notation;
	refuse(arg, "entities are declared");
}

static void parser_freep(XML_Parser *parser)
{
	if (*parser)
		XML_ParserFree(*parser);
}

enum { CHUNK = 1 << 26 };

Err *xml_read(Arena *a, Str name, Str text, const XmlEvents *events)
{
	AUTO(parser_freep) XML_Parser parser = XML_ParserCreate(NULL);
	Reading r = { .parser = parser, .events = events };

	if (!parser)
		abort();
	XML_SetUserData(parser, &r);
	XML_SetElementHandler(parser, on_begin, on_end);
	if (events->text)
		XML_SetCharacterDataHandler(parser, on_text);
	XML_SetEntityDeclHandler(parser, on_entity);
	for (size_t at = 0; at <= text.len; at += CHUNK) {
		Str part = str_sub(text, at, at + CHUNK);
		bool last = at + part.len == text.len;

		if (XML_Parse(parser, part.len ? part.at : "", (int)part.len, last) !=
		    XML_STATUS_OK)
			return err_new(a, ERR_INVALID, "xml.syntax", "%.*s:%lu: %s", STR_ARG(name),
			               (unsigned long)XML_GetCurrentLineNumber(parser),
			               r.refused ? r.refused
			                         : XML_ErrorString(XML_GetErrorCode(parser)));
		if (last)
			break;
	}
	return NULL;
}

Str xml_attribute(const XmlAttributes *attributes, const char *name)
{
	for (const char *const *at = attributes->at; *at; at += 2)
		if (strcmp(at[0], name) == 0)
			return str_of(at[1]);
	return (Str){ 0 };
}

double xml_number(const XmlAttributes *attributes, const char *name)
{
	Str text = xml_attribute(attributes, name);
	char *end;
	double n;

	if (!text.len)
		return 0;
	n = strtod(text.at, &end); /* expat's values end in NUL */
	return end == text.at || !isfinite(n) ? 0 : n;
}

static bool ends_name(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '>' || c == '/';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || (uint8_t)c >= 0x80;
}

/* After a declaration, an instruction or a comment, with those that stand in it. */
static size_t skip_mark(Str text, size_t i)
{
	size_t open = 0;

	for (; i < text.len; i++) {
		open += text.at[i] == '<';
		if (text.at[i] == '>' && !--open)
			return i + 1;
	}
	return i;
}

Str xml_root(Str text)
{
	size_t i = 0, end;

	while (i + 1 < text.len) {
		if (is_blank(text.at[i])) {
			i++;
		} else if (text.at[i] != '<') {
			return (Str){ 0 };
		} else if (text.at[i + 1] == '!' || text.at[i + 1] == '?') {
			i = skip_mark(text, i);
		} else {
			for (end = i + 1; end < text.len && !ends_name(text.at[end]);)
				end++;
			return str_sub(text, i + 1, end);
		}
	}
	return (Str){ 0 };
}
