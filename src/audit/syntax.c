/* SPDX-License-Identifier: Apache-2.0
 *
 * tree-sitter's tree laid out as rows, once, with its cursor. Parsing is nine tenths of the time of everything that an audit does with a file;
 * the rows make the rest cheap: 32 bytes a node, read from front to back. */
#include "audit/syntax.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

enum { PARSE_MOST_US = 20 * 1000 * 1000, SYMBOLS = 1024, FIELDS = 256 };

const TSLanguage *tree_sitter_python(void);

static const char *const kind_names[PY_KIND_COUNT] = { [PY_OTHER] = "other",
	                                               [PY_OPERATOR] = "operator",
	                                               [PY_ASYNC] = "async",
#define X(kind, name) [PY_##kind] = name,
	                                               PY_KINDS(X)
#undef X
};

static const char *const field_names[PY_F_COUNT] = { [PY_F_NONE] = "",
#define X(field, name) [PY_F_##field] = name,
	                                             PY_FIELDS(X)
#undef X
};

/* The grammar's numbers to ours. */
static struct {
	uint8_t kinds[SYMBOLS]; /* named ones */
	uint8_t fields[FIELDS];
	TSSymbol async, continuation;
} known;
static pthread_once_t known_once = PTHREAD_ONCE_INIT;

static uint8_t find(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (name && strcmp(names[i], name) == 0)
			return (uint8_t)i;
	return 0;
}

static void learn(void)
{
	const TSLanguage *python = tree_sitter_python();
	uint32_t symbols = ts_language_symbol_count(python),
		 fields = ts_language_field_count(python);

	for (uint32_t i = 0; i < MIN(symbols, (uint32_t)SYMBOLS); i++) {
		const char *name = ts_language_symbol_name(python, (TSSymbol)i);

		if (ts_language_symbol_type(python, (TSSymbol)i) == TSSymbolTypeRegular)
			known.kinds[i] = find(kind_names, PY_KIND_COUNT, name);
		else if (name && strcmp(name, "async") == 0)
			known.async = (TSSymbol)i;
	}
	known.continuation = ts_language_symbol_for_name(python, "line_continuation", 17, true);
	for (uint32_t i = 1; i <= MIN(fields, (uint32_t)FIELDS - 1); i++)
		known.fields[i] = find(field_names, PY_F_COUNT,
		                       ts_language_field_name_for_id(python, (TSFieldId)i));
}

struct SyntaxReader {
	TSParser *parser;
	TSTree *tree;
	PyNode *at;
	uint32_t count, room;
	Syntax syntax;
};

SyntaxReader *syntax_reader_new(void)
{
	SyntaxReader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		abort();
	pthread_once(&known_once, learn);
	reader->parser = ts_parser_new();
	ts_parser_set_language(reader->parser, tree_sitter_python());
	ts_parser_set_timeout_micros(reader->parser, PARSE_MOST_US);
	return reader;
}

void syntax_reader_free(SyntaxReader *reader)
{
	if (!reader)
		return;
	if (reader->tree)
		ts_tree_delete(reader->tree);
	ts_parser_delete(reader->parser);
	free(reader->at);
	free(reader);
}

/* --- rows ----------------------------------------------------------------------------------------------------------------- */

static PyNode *room(SyntaxReader *reader)
{
	if (reader->count == reader->room) {
		reader->room = MAX(1024U, 2 * reader->room);
		reader->at = realloc(reader->at, reader->room * sizeof(*reader->at));
		if (!reader->at)
			abort();
	}
	return &reader->at[reader->count++];
}

static uint8_t kind_of(TSNode node, uint8_t field)
{
	TSSymbol symbol = ts_node_symbol(node);

	if (symbol == (TSSymbol)-1)
		return PY_ERROR;
	if (ts_node_is_named(node))
		return symbol < SYMBOLS ? known.kinds[symbol] : PY_OTHER;
	if (field == PY_F_OPERATOR || field == PY_F_OPERATORS)
		return PY_OPERATOR;
	return symbol == known.async ? PY_ASYNC : PY_OTHER;
}

/* A backslash at a line's end stands between any two nodes, and is none of them. */
static bool is_wanted(TSNode node, uint8_t kind)
{
	return kind != PY_OTHER ||
	       (ts_node_is_named(node) && ts_node_symbol(node) != known.continuation);
}

static void note_error(Syntax *s, uint32_t line)
{
	s->errors++;
	if (!s->error_line)
		s->error_line = line;
}

/* Adds the cursor's node; false: it is a token of no interest. */
static bool add(SyntaxReader *reader, const TSTreeCursor *cursor, uint32_t parent)
{
	TSNode node = ts_tree_cursor_current_node(cursor);
	TSFieldId id = ts_tree_cursor_current_field_id(cursor);
	uint8_t field = id < FIELDS ? known.fields[id] : 0, kind = kind_of(node, field);
	TSPoint start = ts_node_start_point(node), end = ts_node_end_point(node);
	PyNode *row;

	if (kind == PY_ERROR || ts_node_is_missing(node))
		note_error(&reader->syntax, start.row + 1);
	if (!is_wanted(node, kind))
		return false;
	row = room(reader);
	*row = (PyNode){ .kind = kind,
		         .field = field,
		         .from = ts_node_start_byte(node),
		         .to = ts_node_end_byte(node),
		         .line = start.row + 1,
		         .end_line = end.row + 1,
		         .parent = parent };
	return true;
}

static void close_row(SyntaxReader *reader, uint32_t *open)
{
	reader->at[*open].end = reader->count;
	*open = reader->at[*open].parent;
}

static void lay_out(SyntaxReader *reader)
{
	TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(reader->tree));
	uint32_t open = 0; /* the row that the next one is in */
	bool more = true;

	reader->count = 0;
	add(reader, &cursor, 0);
	if (!reader->count)
		*room(reader) = (PyNode){ .kind = PY_MODULE, .line = 1 };
	more = ts_tree_cursor_goto_first_child(&cursor);
	while (more) {
		bool added = add(reader, &cursor, open);

		if (added && ts_tree_cursor_goto_first_child(&cursor)) {
			open = reader->count - 1;
			continue;
		}
		if (added)
			reader->at[reader->count - 1].end = reader->count;
		while (!ts_tree_cursor_goto_next_sibling(&cursor)) {
			more = open != 0 && ts_tree_cursor_goto_parent(&cursor);
			if (!more)
				break;
			close_row(reader, &open);
		}
	}
	while (open)
		close_row(reader, &open);
	reader->at[0].end = reader->count;
	ts_tree_cursor_delete(&cursor);
}

const Syntax *syntax_read(SyntaxReader *reader, Str text)
{
	if (reader->tree)
		ts_tree_delete(reader->tree);
	reader->syntax = (Syntax){ .text = text };
	ts_parser_reset(reader->parser);
	reader->tree = ts_parser_parse_string(reader->parser, NULL, text.at ? text.at : "",
	                                      (uint32_t)text.len);
	reader->count = 0;
	if (reader->tree) {
		lay_out(reader);
	} else {
		*room(reader) = (PyNode){ .kind = PY_MODULE, .line = 1, .end = 1 };
		reader->syntax.cut = true;
	}
	reader->syntax.at = reader->at;
	reader->syntax.count = reader->count;
	return &reader->syntax;
}

/* --- looking ---------------------------------------------------------------------------------------------------------------- */

uint32_t syntax_child(const Syntax *s, uint32_t node, PyField field)
{
	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end)
		if (s->at[i].field == field)
			return i;
	return SYNTAX_NONE;
}

uint32_t syntax_nth(const Syntax *s, uint32_t node, uint32_t n)
{
	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end)
		if (s->at[i].kind != PY_COMMENT && !n--)
			return i;
	return SYNTAX_NONE;
}

uint32_t syntax_find(const Syntax *s, uint32_t node, PyKind kind)
{
	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end)
		if (s->at[i].kind == kind)
			return i;
	return SYNTAX_NONE;
}

const char *py_kind_name(PyKind kind)
{
	return kind_names[kind];
}
