/* SPDX-License-Identifier: Apache-2.0
 *
 * Halstead's counts as radon has them: only operators of expressions count, by the name of their kind, and what stands right beside them is
 * an operand. An operand is known by the function around it and its text: a name, the last part of an attribute, the value of a constant (1,
 * 1.0 and True are one, and so are the name x and the string "x"); anything else is only itself.
 *
 * Sets are one array of hashes for the whole file, sorted per function: 64 bits of a hash keyed the same everywhere, so that two
 * runs agree. */
#include "audit/measure_int.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPERATORS = 64 };

/* The operators of Python's ast, by what is written. */
static const struct {
	Str text;
	uint8_t kind;
} operators[] = {
	{ S("+"), 1 },       { S("-"), 2 },   { S("*"), 3 },   { S("@"), 4 },       { S("/"), 5 },
	{ S("//"), 6 },      { S("%"), 7 },   { S("**"), 8 },  { S("<<"), 9 },      { S(">>"), 10 },
	{ S("|"), 11 },      { S("^"), 12 },  { S("&"), 13 },  { S("and"), 14 },    { S("or"), 15 },
	{ S("=="), 16 },     { S("!="), 17 }, { S("<>"), 17 }, { S("<"), 18 },      { S("<="), 19 },
	{ S(">"), 20 },      { S(">="), 21 }, { S("is"), 22 }, { S("is not"), 23 }, { S("in"), 24 },
	{ S("not in"), 25 },
};
enum { UNARY_NOT = 26, UNARY_PLUS, UNARY_MINUS, UNARY_INVERT };

typedef struct Seen { /* one operand, in a function's context */
	uint64_t hash;
	uint32_t unit; /* the innermost function, or UNIT_NONE */
} Seen;

typedef struct Count {
	const Syntax *s;
	Measures *m;
	Seen *seen;
	uint32_t seen_count;
	uint64_t *kinds; /* a bit an operator, of each unit; the last one: of the file */
	uint32_t around; /* innermost function; its name is the context */
	uint32_t
		decorated; /* the last one looked at, and whether it is a function: it may have thousands of decorators */
	bool decorated_function;
} Count;

static uint8_t operator_of(const Syntax *s, uint32_t row)
{
	Str text = syntax_text(s, row);
	char joined[8] = { 0 };
	size_t len = 0;

	/* "is  not" is one operator, however it is spaced; of `+=` the operator is +. */
	for (size_t i = 0; i < text.len && len < sizeof(joined) - 1; i++)
		if (text.at[i] > ' ')
			joined[len++] = text.at[i];
		else if (len && joined[len - 1] != ' ')
			joined[len++] = ' ';
	if (len > 1 && joined[len - 1] == '=' &&
	    s->at[s->at[row].parent].kind == PY_AUGMENTED_ASSIGNMENT)
		len--;
	for (size_t i = 0; i < COUNT(operators); i++)
		if (str_eq((Str){ joined, len }, operators[i].text))
			return operators[i].kind;
	return 0;
}

/* --- operands ----------------------------------------------------------------------------------------------------------------- */

static uint64_t hash_text(Str text, uint64_t what)
{
	return hash_stable(text, 0x68616c7374656164, what);
}

enum { HASH_STR = 1, HASH_NUMBER, HASH_BYTES, HASH_WORD, HASH_NODE };

static uint64_t hash_number(double value)
{
	value += 0.0; /* -0.0 is 0 */
	return hash_text((Str){ (const char *)&value, sizeof(value) }, HASH_NUMBER);
}

/* What is written, without underscores, and a suffix of Python 2. */
static size_t digits_of(Str text, char *out, size_t room)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len && len + 1 < room; i++)
		if (text.at[i] != '_' && text.at[i] != 'l' && text.at[i] != 'L')
			out[len++] = text.at[i];
	out[len] = '\0';
	return len;
}

static uint64_t hash_numeral(Str text)
{
	char digits[400];
	size_t len = digits_of(text, digits, sizeof(digits));
	char *rest;
	double value;

	if (len > 2 && digits[0] == '0' && ((digits[1] | 32) == 'o' || (digits[1] | 32) == 'b')) {
		value = (double)strtoull(digits + 2, &rest, (digits[1] | 32) == 'o' ? 8 : 2);
	} else if (len && (digits[len - 1] | 32) == 'j' && !(len > 1 && (digits[1] | 32) == 'x')) {
		return hash_text((Str){ digits, len }, HASH_WORD);
	} else {
		value = strtod(digits, &rest);
	}
	/* Integers beyond a double's: by their text. */
	return fabs(value) > 9007199254740992.0 && !memchr(digits, '.', len)
	               ? hash_text((Str){ digits, len }, HASH_NUMBER)
	               : hash_number(value);
}

static unsigned hex_of(Str text)
{
	unsigned value = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		value = value * 16 +
		        (c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a') + 10);
	}
	return value;
}

static void put_utf8(Buf *b, uint32_t code)
{
	if (code < 0x80) {
		buf_putc(b, (char)code);
	} else if (code < 0x800) {
		buf_putc(b, (char)(0xc0 | code >> 6));
		buf_putc(b, (char)(0x80 | (code & 63)));
	} else if (code < 0x10000) {
		buf_putc(b, (char)(0xe0 | code >> 12));
		buf_putc(b, (char)(0x80 | (code >> 6 & 63)));
		buf_putc(b, (char)(0x80 | (code & 63)));
	} else {
		buf_putc(b, (char)(0xf0 | (code >> 18 & 7)));
		buf_putc(b, (char)(0x80 | (code >> 12 & 63)));
		buf_putc(b, (char)(0x80 | (code >> 6 & 63)));
		buf_putc(b, (char)(0x80 | (code & 63)));
	}
}

/* What an escape stands for (Python's reference, 2.4.1). */
static void put_escape(Buf *b, Str text)
{
	static const Str plain = S("abfnrtv\\'\""), means = S("\a\b\f\n\r\t\v\\'\"");
	char c = text.len > 1 ? text.at[1] : '\0';
	ptrdiff_t at = str_find_char(plain, c);
	unsigned octal = 0;

	if (c == '\n' || c == '\r')
		return;
	if (at >= 0 && c) {
		buf_putc(b, means.at[at]);
	} else if (c == 'x' || c == 'u' || c == 'U') {
		put_utf8(b, hex_of(str_sub(text, 2, text.len)));
	} else if (c >= '0' && c <= '7') {
		for (size_t i = 1; i < text.len; i++)
			octal = octal * 8 + (unsigned)(text.at[i] - '0');
		put_utf8(b, octal);
	} else {
		buf_put(b, text); /* \N{...}, and what is no escape */
	}
}

/* Adds a string's value; false: it is an f-string, which has none. */
static bool put_string(const Syntax *s, uint32_t node, Buf *b, bool *bytes)
{
	uint32_t start = syntax_find(s, node, PY_STRING_START);
	Str prefix = start == SYNTAX_NONE ? S("") : syntax_text(s, start);

	for (size_t i = 0; i < prefix.len; i++) {
		char c = (char)(prefix.at[i] | 32);

		if (c == 'f')
			return false;
		*bytes = *bytes || c == 'b';
	}
	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end) {
		uint32_t from = s->at[i].from;

		if (s->at[i].kind != PY_STRING_CONTENT)
			continue;
		for (uint32_t e = i + 1; e < s->at[i].end; e++) {
			if (s->at[e].kind != PY_ESCAPE_SEQUENCE)
				continue;
			buf_put(b, str_sub(s->text, from, s->at[e].from));
			put_escape(b, syntax_text(s, e));
			from = s->at[e].to;
		}
		buf_put(b, str_sub(s->text, from, s->at[i].to));
	}
	return true;
}

static uint64_t hash_string(const Syntax *s, uint32_t node)
{
	AUTO(buf_fini) Buf b = { 0 };
	bool bytes = false, whole = true;

	if (s->at[node].kind == PY_STRING) {
		whole = put_string(s, node, &b, &bytes);
	} else {
		for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end)
			if (s->at[i].kind == PY_STRING)
				whole = put_string(s, i, &b, &bytes) && whole;
	}
	return whole ? hash_text(buf_str(&b), bytes ? HASH_BYTES : HASH_STR)
	             : hash_text((Str){ (const char *)&node, sizeof(node) }, HASH_NODE);
}

static uint32_t bare(const Syntax *s, uint32_t node)
{
	while (s->at[node].kind == PY_PARENTHESIZED_EXPRESSION &&
	       syntax_nth(s, node, 0) != SYNTAX_NONE)
		node = syntax_nth(s, node, 0);
	return node;
}

static uint64_t hash_operand(const Syntax *s, uint32_t node)
{
	uint32_t attribute;

	node = bare(s, node);
	switch (s->at[node].kind) {
	case PY_IDENTIFIER:
		return hash_text(syntax_text(s, node), HASH_STR);
	case PY_ATTRIBUTE:
		attribute = syntax_child(s, node, PY_F_ATTRIBUTE);
		return attribute == SYNTAX_NONE ? 0
		                                : hash_text(syntax_text(s, attribute), HASH_STR);
	case PY_INTEGER:
	case PY_FLOAT:
		return hash_numeral(syntax_text(s, node));
	case PY_TRUE:
	case PY_FALSE:
		return hash_number(s->at[node].kind == PY_TRUE);
	case PY_NONE:
	case PY_ELLIPSIS:
		return hash_text(str_of(py_kind_name(s->at[node].kind)), HASH_WORD);
	case PY_STRING:
	case PY_CONCATENATED_STRING:
		return hash_string(s, node);
	default:
		return hash_text((Str){ (const char *)&node, sizeof(node) }, HASH_NODE);
	}
}

/* --- counting ----------------------------------------------------------------------------------------------------------------- */

static void add_operand(Count *c, uint32_t node)
{
	c->seen[c->seen_count++] = (Seen){ hash_operand(c->s, node), c->around };
	c->m->halstead.n2++;
	if (c->around != UNIT_NONE)
		c->m->units[c->around].halstead.n2++;
}

static void add_operator(Count *c, uint8_t kind)
{
	uint64_t bit = UINT64_C(1) << (kind % OPERATORS);

	c->kinds[c->m->unit_count] |= bit;
	c->m->halstead.n1++;
	if (c->around == UNIT_NONE)
		return;
	c->kinds[c->around] |= bit;
	c->m->units[c->around].halstead.n1++;
}

static void operands_of(Count *c, uint32_t node)
{
	for (uint32_t i = node + 1; i < c->s->at[node].end; i = c->s->at[i].end)
		if (c->s->at[i].kind != PY_OPERATOR && c->s->at[i].kind != PY_COMMENT)
			add_operand(c, i);
}

static void binary(Count *c, uint32_t node)
{
	uint32_t op = syntax_child(c->s, node, PY_F_OPERATOR);

	add_operator(c, op == SYNTAX_NONE ? 0 : operator_of(c->s, op));
	operands_of(c, node);
}

static void unary(Count *c, uint32_t node)
{
	uint32_t op = syntax_child(c->s, node, PY_F_OPERATOR);
	char sign = op == SYNTAX_NONE ? '\0' : c->s->text.at[c->s->at[op].from];

	add_operator(c, c->s->at[node].kind == PY_NOT_OPERATOR ? UNARY_NOT
	                : sign == '+'                          ? UNARY_PLUS
	                : sign == '-'                          ? UNARY_MINUS
	                                                       : UNARY_INVERT);
	operands_of(c, node);
}

/* `a and b and c` is one operator with three operands. */
static bool continues(const Syntax *s, uint32_t node)
{
	uint32_t parent = s->at[node].parent, own = syntax_child(s, node, PY_F_OPERATOR), outer;

	if (s->at[parent].kind != PY_BOOLEAN_OPERATOR || s->at[node].field != PY_F_LEFT ||
	    own == SYNTAX_NONE)
		return false;
	outer = syntax_child(s, parent, PY_F_OPERATOR);
	return outer != SYNTAX_NONE && str_eq(syntax_text(s, own), syntax_text(s, outer));
}

static void boolean(Count *c, uint32_t node)
{
	uint32_t left = syntax_child(c->s, node, PY_F_LEFT),
		 right = syntax_child(c->s, node, PY_F_RIGHT);
	uint32_t op = syntax_child(c->s, node, PY_F_OPERATOR);

	if (left == SYNTAX_NONE || right == SYNTAX_NONE || op == SYNTAX_NONE)
		return;
	if (!continues(c->s, node))
		add_operator(c, operator_of(c->s, op));
	if (c->s->at[left].kind != PY_BOOLEAN_OPERATOR || !continues(c->s, left))
		add_operand(c, left);
	add_operand(c, right);
}

static void comparison(Count *c, uint32_t node)
{
	for (uint32_t i = node + 1; i < c->s->at[node].end; i = c->s->at[i].end)
		if (c->s->at[i].kind == PY_OPERATOR)
			add_operator(c, operator_of(c->s, i));
	operands_of(c, node);
}

static void count_node(Count *c, uint32_t node)
{
	switch (c->s->at[node].kind) {
	case PY_BINARY_OPERATOR:
	case PY_AUGMENTED_ASSIGNMENT:
		binary(c, node);
		break;
	case PY_UNARY_OPERATOR:
	case PY_NOT_OPERATOR:
		unary(c, node);
		break;
	case PY_BOOLEAN_OPERATOR:
		boolean(c, node);
		break;
	case PY_COMPARISON_OPERATOR:
		comparison(c, node);
		break;
	default:
		break;
	}
}

/* --- sets ------------------------------------------------------------------------------------------------------------------------ */

static int by_unit(const void *x, const void *y)
{
	const Seen *p = x, *q = y;

	return p->unit != q->unit ? (p->unit < q->unit ? -1 : 1)
	                          : (p->hash > q->hash) - (p->hash < q->hash);
}

static int by_hash(const void *x, const void *y)
{
	const Seen *p = x, *q = y;

	return (p->hash > q->hash) - (p->hash < q->hash);
}

/* Contexts are names: two functions of one name share one. So the context is mixed in by name, and a function's own set has those of the
 * functions inside of it too. */
static uint64_t in_context(const Measures *m, const Seen *seen)
{
	return seen->unit == UNIT_NONE
	               ? seen->hash
	               : seen->hash ^ hash_text(m->units[seen->unit].name, HASH_WORD);
}

static uint32_t distinct(Seen *seen, uint32_t count)
{
	uint32_t different = 0;

	qsort(seen, count, sizeof(*seen), by_hash);
	for (uint32_t i = 0; i < count; i++)
		different += !i || seen[i].hash != seen[i - 1].hash;
	return different;
}

static bool is_within(const Measures *m, uint32_t unit, uint32_t outer)
{
	while (unit != UNIT_NONE && unit != outer)
		unit = m->units[unit].parent;
	return unit == outer;
}

/* A function's operands are those of the rows that it spans, so of the units from it on to the last inside. */
static void sets_of_functions(Count *c, Seen *scratch)
{
	uint32_t from = 0;

	qsort(c->seen, c->seen_count, sizeof(*c->seen), by_unit);
	for (uint32_t i = 0; i < c->m->unit_count; i++) {
		Unit *unit = &c->m->units[i];
		uint32_t count = 0;

		while (from < c->seen_count && c->seen[from].unit < i)
			from++;
		if (unit->kind != UNIT_FUNCTION)
			continue;
		for (uint32_t n = from; n < c->seen_count && c->seen[n].unit != UNIT_NONE &&
		                        is_within(c->m, c->seen[n].unit, i);
		     n++)
			scratch[count++] = (Seen){ in_context(c->m, &c->seen[n]), 0 };
		unit->halstead.h2 = distinct(scratch, count);
	}
}

static void totals_upwards(Count *c)
{
	for (uint32_t i = c->m->unit_count; i--;) {
		Unit *unit = &c->m->units[i], *outer;
		uint32_t parent = unit->parent;

		while (parent != UNIT_NONE && c->m->units[parent].kind == UNIT_CLASS)
			parent = c->m->units[parent].parent;
		if (unit->kind != UNIT_FUNCTION || parent == UNIT_NONE)
			continue;
		outer = &c->m->units[parent];
		outer->halstead.n1 += unit->halstead.n1;
		outer->halstead.n2 += unit->halstead.n2;
		c->kinds[parent] |= c->kinds[i];
	}
	for (uint32_t i = 0; i < c->m->unit_count; i++)
		c->m->units[i].halstead.h1 = (uint32_t)__builtin_popcountll(c->kinds[i]);
	c->m->halstead.h1 = (uint32_t)__builtin_popcountll(c->kinds[c->m->unit_count]);
}

/* Only bodies of functions are looked into; of classes, bases and decorators too. */
static bool is_head(Count *c, uint32_t node)
{
	const Syntax *s = c->s;
	const PyNode *at = &s->at[node];

	if (s->at[at->parent].kind == PY_FUNCTION_DEFINITION)
		return at->field != PY_F_BODY;
	if (at->kind != PY_DECORATOR)
		return false;
	if (c->decorated != at->parent) {
		uint32_t definition = syntax_child(s, at->parent, PY_F_DEFINITION);

		c->decorated = at->parent;
		c->decorated_function = definition != SYNTAX_NONE &&
		                        s->at[definition].kind == PY_FUNCTION_DEFINITION;
	}
	return c->decorated_function;
}

static uint32_t innermost(const Measures *m, uint32_t unit)
{
	while (unit != UNIT_NONE && m->units[unit].kind == UNIT_CLASS)
		unit = m->units[unit].parent;
	return unit;
}

static void walk(Count *c)
{
	const Syntax *s = c->s;
	uint32_t unit = UNIT_NONE, next = 0;

	for (uint32_t i = 0; i < s->count;) {
		while (unit != UNIT_NONE && i >= s->at[c->m->units[unit].node].end)
			unit = c->m->units[unit].parent;
		while (next < c->m->unit_count && c->m->units[next].node < i)
			next++;
		if (next < c->m->unit_count && c->m->units[next].node == i)
			unit = next++;
		c->around = innermost(c->m, unit);
		if (i && is_head(c, i)) {
			i = s->at[i].end;
			continue;
		}
		count_node(c, i++);
	}
}

void measure_halstead(Arena *a, const Syntax *s, Measures *m)
{
	Mark mark = arena_mark(a);
	/* An operand is a row, and each row is one of one operator at most. */
	Count c = { .s = s,
		    .m = m,
		    .seen = ARENA_ARRAY(a, Seen, s->count + 1),
		    .kinds = ARENA_ARRAY(a, uint64_t, m->unit_count + 1) };
	Seen *scratch = ARENA_ARRAY(a, Seen, s->count + 1);

	walk(&c);
	totals_upwards(&c);
	sets_of_functions(&c, scratch);
	for (uint32_t i = 0; i < c.seen_count; i++)
		scratch[i] = (Seen){ in_context(m, &c.seen[i]), 0 };
	m->halstead.h2 = distinct(scratch, c.seen_count);
	arena_reset(a, mark);
}
