/* SPDX-License-Identifier: Apache-2.0
 *
 * A file as the pieces that are compared: its statements, and the heads of those that have others in them, each by one hash.
 *
 * Tokens are the rows of the syntax that have nothing in them, and what stands between: words and signs that the grammar has no rows for. A
 * name's token is its number among the different names of the piece, so that renaming all over changes nothing, and a literal's is its kind.
 * Comments, blanks and a comma before a closing bracket are none. One pass; a piece with more than PIECE_NAMES names has the rest as they
 * are written. */
#include "audit/clones_int.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

typedef struct Taking {
	const Syntax *s;
	Buf *pieces, *names; /* of what FileTokens has in the end */
	uint32_t tables;
	uint32_t row;      /* the statement's; SYNTAX_NONE: none is open */
	uint32_t at;       /* byte up to which tokens were taken */
	uint32_t function; /* row after the outermost function */
	uint32_t display;  /* row after the outermost list, dictionary, set or tuple */
	uint32_t in_display, table_tokens, texts;
	bool comma, table, odd;
	Piece piece;
} Taking;

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * MULTIPLIER;
	return hash ^ hash >> 29;
}

static uint64_t text_hash(Str text)
{
	uint64_t hash = text.len, word;

	for (; text.len >= sizeof(word); text = str_sub(text, sizeof(word), text.len)) {
		memcpy(&word, text.at, sizeof(word));
		hash = mix(hash, word);
	}
	for (word = 0; text.len; text.len--)
		word = word << 8 | (uint8_t)text.at[text.len - 1];
	return mix(hash, word);
}

/* --- tokens ------------------------------------------------------------------------------------------------------------------------ */

static void add_token(Taking *t, uint64_t value)
{
	t->piece.shape = mix(t->piece.shape, value);
	t->table_tokens += t->display && t->table;
	if (t->display && t->in_display++ >= PIECE_DISPLAY)
		return;
	if (t->piece.tokens < UINT16_MAX)
		t->piece.tokens++;
}

static void add_sign(Taking *t, char c)
{
	if (c == ',') {
		t->comma = true;
		return;
	}
	if (t->comma && c != ')' && c != ']' && c != '}')
		add_token(t, ',');
	t->comma = false;
	if (c)
		add_token(t, (uint8_t)c);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (uint8_t)c >= 0x80;
}

/* What the grammar has no rows for. */
static void take_between(Taking *t, uint32_t to)
{
	const char *text = t->s->text.at;

	while (t->at < to) {
		uint32_t from = t->at;
		char c = text[t->at++];

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\\')
			continue;
		if (!is_word(c)) {
			add_sign(t, c);
			continue;
		}
		while (t->at < to && is_word(text[t->at]))
			t->at++;
		add_sign(t, '\0');
		add_token(t, text_hash(str_sub(t->s->text, from, t->at)));
	}
}

static uint32_t name_count(const Taking *t)
{
	return (uint32_t)(t->names->len / sizeof(uint32_t));
}

static void add_name(Taking *t, Str text)
{
	uint64_t hash = text_hash(text);
	const uint32_t *names = (const uint32_t *)(const void *)t->names->at;
	uint32_t name = (uint32_t)(hash >> 32), count = name_count(t), first = t->piece.names;

	for (uint32_t i = first; i < count; i++)
		if (names[i] == name) {
			add_token(t, 256 + i - first);
			return;
		}
	if (count - first >= PIECE_NAMES) {
		add_token(t, hash);
		return;
	}
	add_token(t, 256 + count - first);
	buf_put(t->names, (Str){ (const char *)&name, sizeof(name) });
}

static void take_row(Taking *t, uint32_t i)
{
	const PyNode *row = &t->s->at[i];
	Str text = str_sub(t->s->text, row->from, row->to);

	take_between(t, row->from);
	add_sign(t, '\0');
	t->at = MAX(t->at, row->to);
	switch ((int)row->kind) {
	case PY_IDENTIFIER:
		add_name(t, text);
		return;
	case PY_STRING:
	case PY_CONCATENATED_STRING:
	case PY_INTEGER:
	case PY_FLOAT:
		t->texts++;
		t->piece.literals = (uint32_t)(mix(t->piece.literals, text_hash(text)) >> 32);
		add_token(t, 512 + (row->kind == PY_CONCATENATED_STRING ? PY_STRING : row->kind));
		return;
	default:
		add_token(t, text_hash(text));
	}
}

/* --- pieces -------------------------------------------------------------------------------------------------------------------------- */

static uint16_t indent_of(const Syntax *s, uint32_t from)
{
	uint32_t i = from;

	while (i && (s->text.at[i - 1] == ' ' || s->text.at[i - 1] == '\t'))
		i--;
	if (i && s->text.at[i - 1] != '\n' && s->text.at[i - 1] != '\r')
		return UINT16_MAX; /* behind something in its line */
	return (uint16_t)MIN(from - i, (uint32_t)UINT16_MAX - 1);
}

static bool is_import(const PyNode *row)
{
	return row->kind == PY_IMPORT_STATEMENT || row->kind == PY_IMPORT_FROM_STATEMENT ||
	       row->kind == PY_FUTURE_IMPORT_STATEMENT;
}

static bool at_top(const Syntax *s, const PyNode *row)
{
	const PyNode *around = &s->at[row->parent];

	return around->kind == PY_MODULE ||
	       (around->kind == PY_BLOCK && s->at[around->parent].kind == PY_CLASS_DEFINITION);
}

static void open_piece(Taking *t, uint32_t i)
{
	const PyNode *row = &t->s->at[i];
	uint16_t indent = indent_of(t->s, row->from);

	t->row = i;
	t->at = row->from;
	t->display = t->in_display = t->table_tokens = t->texts = 0;
	t->comma = t->table = t->odd = false;
	t->piece = (Piece){ .line = row->line,
		            .end_line = row->line,
		            .names = name_count(t),
		            .depth = indent == UINT16_MAX ? t->piece.depth : indent };
	if (is_import(row) && i >= t->function)
		t->piece.flags = PIECE_BARRIER;
}

static void close_piece(Taking *t, uint32_t to)
{
	const PyNode *row = &t->s->at[t->row];
	bool docstring;

	if (t->row == SYNTAX_NONE)
		return;
	take_between(t, MIN(row->to, to));
	if (row->to <= to)
		t->piece.end_line = row->end_line;
	docstring = row->kind == PY_EXPRESSION_STATEMENT && t->texts == 1 && t->piece.tokens == 1;
	if (t->odd)
		t->piece.flags |= PIECE_BARRIER;
	if (t->table_tokens >= PIECE_TABLE && at_top(t->s, row)) {
		t->piece.flags |= PIECE_BARRIER;
		t->tables++;
	}
	t->row = SYNTAX_NONE;
	if (!docstring)
		buf_put(t->pieces, (Str){ (const char *)&t->piece, sizeof(t->piece) });
}

static bool begins_piece(const Syntax *s, const PyNode *row)
{
	int around = s->at[row->parent].kind;

	switch ((int)row->kind) {
	case PY_COMMENT:
		return false;
	case PY_ELIF_CLAUSE:
	case PY_ELSE_CLAUSE:
	case PY_EXCEPT_CLAUSE:
	case PY_EXCEPT_GROUP_CLAUSE:
	case PY_FINALLY_CLAUSE:
	case PY_CASE_CLAUSE:
		return true;
	default:
		return around == PY_BLOCK || around == PY_MODULE;
	}
}

static bool is_display(const PyNode *row)
{
	return row->kind == PY_LIST || row->kind == PY_DICTIONARY || row->kind == PY_SET ||
	       row->kind == PY_TUPLE;
}

static void note(Taking *t, uint32_t i)
{
	const PyNode *row = &t->s->at[i];

	if (row->kind == PY_FUNCTION_DEFINITION || row->kind == PY_CLASS_DEFINITION) {
		t->piece.flags |= PIECE_UNIT;
		if (row->kind == PY_FUNCTION_DEFINITION)
			t->function = MAX(t->function, row->end);
	}
	t->odd = t->odd || row->kind == PY_ERROR;
	if (t->display && i >= t->display)
		t->display = 0;
	if (!t->display && is_display(row)) {
		t->display = row->end;
		t->in_display = 0;
		t->table = row->field == PY_F_RIGHT;
	}
}

static void take_all(Taking *t)
{
	const Syntax *s = t->s;

	for (uint32_t i = 1; i < s->count;) {
		const PyNode *row = &s->at[i];
		bool whole = row->kind == PY_STRING || row->kind == PY_CONCATENATED_STRING;

		if (begins_piece(s, row)) {
			close_piece(t, row->from);
			open_piece(t, i);
		}
		note(t, i);
		if (row->kind == PY_BLOCK) {
			close_piece(t, row->from);
		} else if (row->kind == PY_COMMENT && t->row) {
			take_between(t, row->from);
			t->at = MAX(t->at, row->to);
		} else if (t->row && (whole || row->end == i + 1)) {
			take_row(t, i);
			t->piece.end_line = MAX(t->piece.end_line, row->end_line);
		}
		i = whole ? row->end : i + 1;
	}
	close_piece(t, UINT32_MAX);
}

/* Is this the third time, at least, that the same few pieces follow each other? */
static bool is_run(const Piece *pieces, uint32_t i)
{
	const Piece *p = &pieces[i];

	for (uint32_t n = 1; n <= PIECE_PERIOD && 2 * n < i; n++)
		if (p->shape == p[-(ptrdiff_t)n].shape && p->shape == p[-2 * (ptrdiff_t)n].shape &&
		    p[-1].shape == p[-1 - (ptrdiff_t)n].shape &&
		    p[-1].shape == p[-1 - 2 * (ptrdiff_t)n].shape)
			return true;
	return i > 1 && p->shape == p[-1].shape && p->shape == p[-2].shape;
}

static void weigh_runs(FileTokens *out)
{
	for (uint32_t i = 0; i < out->piece_count; i++)
		if (is_run(out->pieces, i)) {
			out->runs++;
			out->pieces[i].tokens = 0;
		}
}

static void *kept(Arena *a, const Buf *b)
{
	void *at = arena_alloc_raw(a, MAX(b->len, (size_t)1));

	if (b->len)
		memcpy(at, b->at, b->len);
	return at;
}

static const void *take(Arena *a, const Syntax *s, const AuditFile *file)
{
	AUTO(buf_fini) Buf pieces = { 0 }, names = { 0 };
	Taking t = { .s = s, .pieces = &pieces, .names = &names };
	FileTokens *out = ARENA_NEW(a, FileTokens);

	if (file->kind != SOURCE_CODE && file->kind != SOURCE_TEST)
		return out;
	take_all(&t);
	out->pieces = kept(a, &pieces);
	out->piece_count = (uint32_t)(pieces.len / sizeof(Piece));
	out->names = kept(a, &names);
	out->name_count = name_count(&t);
	out->tables = t.tables;
	weigh_runs(out);
	return out;
}

const FactsModule *tokens_facts(void)
{
	static const PackType piece = { PACK_PLAIN(Piece) }, name = { PACK_PLAIN(uint32_t) };
	static const PackField fields[] = { PACK_ARRAY(FileTokens, pieces, piece_count, &piece),
		                            PACK_ARRAY(FileTokens, names, name_count, &name) };
	static const PackType type = { PACK_FIELDS(FileTokens, fields) };
	static const FactsModule module = { .extract = take, .type = &type, .version = 1 };

	return &module;
}
