/* SPDX-License-Identifier: Apache-2.0
 *
 * tree-sitter's tree laid out as rows, once, with its cursor. Parsing is nine tenths of the time of everything that an audit does with a file;
 * the rows make the rest cheap: 32 bytes a node, read from front to back. */
#include "audit/syntax.h"

#include "audit/syntax_memory.h"

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
	bool named[SYMBOLS];
	bool idle
		[SYMBOLS]; /* tokens without a name that are never operators: brackets, commas, most words */
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

static bool is_idle(const char *name)
{
	static const char *const words[] = { "and", "or", "not", "in", "is", "is not", "not in" };

	if (name[0] && strchr("()[]{},:.;=", name[0]) && !name[1])
		return true;
	if (name[0] < 'a' || name[0] > 'z')
		return false;
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(name, words[i]) == 0)
			return false;
	return strcmp(name, "async") != 0;
}

static void learn(void)
{
	const TSLanguage *python = tree_sitter_python();
	uint32_t symbols = ts_language_symbol_count(python),
		 fields = ts_language_field_count(python);

	for (uint32_t i = 0; i < MIN(symbols, (uint32_t)SYMBOLS); i++) {
		const char *name = ts_language_symbol_name(python, (TSSymbol)i);

		known.named[i] =
			ts_language_symbol_type(python, (TSSymbol)i) == TSSymbolTypeRegular;
		if (known.named[i])
			known.kinds[i] = find(kind_names, PY_KIND_COUNT, name);
		else if (name && strcmp(name, "async") == 0)
			known.async = (TSSymbol)i;
		known.idle[i] = !known.named[i] && name && is_idle(name);
	}
	known.continuation = ts_language_symbol_for_name(python, "line_continuation", 17, true);
	for (uint32_t i = 1; i <= MIN(fields, (uint32_t)FIELDS - 1); i++)
		known.fields[i] = find(field_names, PY_F_COUNT,
		                       ts_language_field_name_for_id(python, (TSFieldId)i));
}

struct SyntaxReader {
	SyntaxMemory *memory;
	PyNode *at;
	uint32_t count, room;
	Syntax syntax;
};

SyntaxReader *syntax_reader_new(void)
{
	SyntaxReader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		abort();
	reader->memory = syntax_memory_new();
	pthread_once(&known_once, learn);
	return reader;
}

void syntax_reader_free(SyntaxReader *reader)
{
	if (!reader)
		return;
	syntax_memory_free(reader->memory);
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

/* A backslash at a line's end stands between any two nodes, and is none of them; of tokens without a name few are wanted. */
static bool is_wanted(TSSymbol symbol, uint8_t field, uint8_t *kind)
{
	if (symbol == (TSSymbol)-1) {
		*kind = PY_ERROR;
		return true;
	}
	if (symbol >= SYMBOLS)
		return false;
	*kind = known.kinds[symbol];
	if (known.named[symbol])
		return symbol != known.continuation;
	if (field == PY_F_OPERATOR || field == PY_F_OPERATORS)
		*kind = PY_OPERATOR;
	else if (symbol == known.async)
		*kind = PY_ASYNC;
	return *kind != PY_OTHER;
}

static void note_error(Syntax *s, uint32_t line)
{
	s->errors++;
	if (!s->error_line)
		s->error_line = line;
}

/* Adds the cursor's node; false: it is a token of no interest. *inner: there is something in it. */
static bool add(SyntaxReader *reader, const TSTreeCursor *cursor, uint32_t parent, bool *inner)
{
	TSNode node = ts_tree_cursor_current_node(cursor);
	TSSymbol symbol = ts_node_symbol(node);
	bool idle = symbol < SYMBOLS && known.idle[symbol], wanted;
	TSFieldId id = idle ? 0 : ts_tree_cursor_current_field_id(cursor);
	uint8_t field = id < FIELDS ? known.fields[id] : 0, kind = PY_OTHER;
	uint32_t from = ts_node_start_byte(node), to = ts_node_end_byte(node);

	wanted = !idle && is_wanted(symbol, field, &kind);
	if (kind == PY_ERROR || (from == to && ts_node_is_missing(node)))
		note_error(&reader->syntax, ts_node_start_point(node).row + 1);
	if (!wanted)
		return false;
	*inner = ts_node_child_count(node) != 0;
	*room(reader) = (PyNode){ .kind = kind,
		                  .field = field,
		                  .from = from,
		                  .to = to,
		                  .line = ts_node_start_point(node).row + 1,
		                  .end_line = ts_node_end_point(node).row + 1,
		                  .parent = parent };
	return true;
}

static void close_row(SyntaxReader *reader, uint32_t *open)
{
	reader->at[*open].end = reader->count;
	*open = reader->at[*open].parent;
}

static void lay_out(SyntaxReader *reader, const TSTree *tree)
{
	TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
	uint32_t open = 0; /* the row that the next one is in */
	bool more = true, inner;

	reader->count = 0;
	add(reader, &cursor, 0, &inner);
	if (!reader->count)
		*room(reader) = (PyNode){ .kind = PY_MODULE, .line = 1 };
	more = ts_tree_cursor_goto_first_child(&cursor);
	while (more) {
		bool added = add(reader, &cursor, open, &inner);

		if (added && inner && ts_tree_cursor_goto_first_child(&cursor)) {
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

/* A parser of its own for each text, as all of its memory goes at once; the tree is left to that, too. */
static void parse(SyntaxReader *reader, Str text)
{
	TSParser *parser = ts_parser_new();
	const TSTree *tree;

	ts_parser_set_language(parser, tree_sitter_python());
	ts_parser_set_timeout_micros(parser, PARSE_MOST_US);
	tree = ts_parser_parse_string(parser, NULL, text.at ? text.at : "", (uint32_t)text.len);
	if (tree) {
		lay_out(reader, tree);
	} else {
		*room(reader) = (PyNode){ .kind = PY_MODULE, .line = 1, .end = 1 };
		reader->syntax.cut = true;
	}
	ts_parser_delete(parser);
}

const Syntax *syntax_read(SyntaxReader *reader, Str text)
{
	reader->syntax = (Syntax){ .text = text };
	reader->count = 0;
	syntax_memory_begin(reader->memory);
	parse(reader, text);
	syntax_memory_end();
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
